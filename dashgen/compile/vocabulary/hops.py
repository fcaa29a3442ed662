"""Where a chain spends its time and where it fails: PromQL over canonical series, hop by hop.

What a hop and everything behind it cost one request of the chain is `calls × duration`: the calls into the hop that
one request at the entry makes, times the mean duration of such a call as its caller sees it. A hop's own share is
its cost less that of the next hop, so the shares add up to the duration at the entry. Unlike a subtraction of all the
calls that a service makes, this keeps the time that a hop waits for services beside the chain in that hop's share.
"""

from __future__ import annotations

from dashgen import conventions as c
from dashgen.compile.template.leaf import Promql
from dashgen.compile.vocabulary.native import selector
from dashgen.model.graph import Chain, Hop, Tile
from dashgen.model.telemetry import Matcher


class Hops:
    """The expressions, for one graph's tile and environment."""

    def __init__(self, tile: Tile, env: str):
        self._tile, self._env = tile, env

    def total_seconds(self, chain: Chain, hop: Hop) -> Promql:
        """Seconds that the hop and all behind it cost one request of the chain; never more than the hop before."""
        if hop.position == 0:
            return Promql(self._duration(chain, hop))
        before = self._recorded("chain:hop_total_seconds:mean5m", chain, hop.position - 1)
        cost = f"{self._calls(chain, hop.position)} * {self._duration(chain, hop)}"
        return Promql(f"clamp_max({cost}, scalar({before}))")

    def own_seconds(self, chain: Chain, hop: Hop) -> Promql:
        """Seconds that the hop itself costs one request of the chain."""
        return self._own("chain:hop_total_seconds:mean5m", chain, hop)

    def total_errors(self, chain: Chain, hop: Hop) -> Promql:
        """Failed calls into the hop for one request of the chain."""
        failed = self._counted("errors", chain, hop)
        if hop.position == 0:
            return Promql(f"{failed} / ({self._requests(hop)} > 0)")
        whole = chain.hops[hop.position - 1]
        ratio = f"{failed} / ({self._requests(whole)} > 0)"
        return Promql(ratio if hop.position == 1 else f"{self._calls(chain, hop.position - 1)} * {ratio}")

    def own_errors(self, chain: Chain, hop: Hop) -> Promql:
        """Failures that start at the hop: those that no failed call to the next hop explains."""
        return self._own("chain:hop_total_errors:ratio5m", chain, hop)

    def _own(self, series: str, chain: Chain, hop: Hop) -> Promql:
        own = self._recorded(series, chain, hop.position)
        if hop.position == len(chain.hops) - 1:
            return Promql(own)
        behind = self._recorded(series, chain, hop.position + 1)
        return Promql(f"clamp_min({own} - ({behind} or vector(0)), 0)")

    def _recorded(self, series: str, chain: Chain, position: int) -> str:
        return self._sum(series, **{c.CHAIN: chain.name, c.HOP: str(position + 1)})

    def _calls(self, chain: Chain, position: int) -> str:
        """Calls into the hop for one request at the entry."""
        steps = [
            f"({self._counted('requests', chain, chain.hops[i])} / ({self._requests(chain.hops[i - 1])} > 0))"
            for i in range(1, position + 1)
        ]
        return " * ".join(steps)

    def _counted(self, what: str, chain: Chain, hop: Hop) -> str:
        """Calls into a hop per second: as the caller counts them, or as the hop itself does."""
        if hop.measured:
            return self._edge(f"edge:{what}:rate{self._tile.name}", chain, hop)
        return self._service(f"service:{what}:rate{self._tile.name}", hop)

    def _requests(self, hop: Hop) -> str:
        return self._service(f"service:requests:rate{self._tile.name}", hop)

    def _duration(self, chain: Chain, hop: Hop) -> str:
        if hop.measured:
            return self._edge("edge:duration_seconds:mean5m", chain, hop)
        return self._service("service:duration_seconds:mean5m", hop)

    def _edge(self, series: str, chain: Chain, hop: Hop) -> str:
        client = chain.hops[hop.position - 1].service.name
        return self._sum(series, **{c.CLIENT: client, c.SERVER: hop.service.name})

    def _service(self, series: str, hop: Hop) -> str:
        return self._sum(series, **{c.SERVICE: hop.service.name, c.OPERATION: hop.operation})

    def _sum(self, series: str, **labels: str) -> str:
        matchers = tuple(Matcher(label, "=", value) for label, value in labels.items())
        return f"sum({selector(series, (*matchers, Matcher(c.ENV, '=', self._env)))})"
