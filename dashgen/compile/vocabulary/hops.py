"""Where a chain spends its time and where it fails, hop by hop, over the last five minutes.

What a hop and everything behind it cost one request of the chain is `calls × duration`: the calls into the hop that
one request at the entry makes, times the mean duration of such a call as its caller sees it. A hop's own share is
its cost less that of the next hop, so the shares add up to the duration at the entry. Unlike a subtraction of all the
calls that a service makes, this keeps the time that a hop waits for services beside the chain in that hop's share.
Where the path names an operation, its own duration is taken: a caller does not tell them apart.

Callers and callees are asked for at one moment, from their own counters: their canonical series are recorded at
different seconds of a minute, so that at first a hop would look guilty of what it has just heard from the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from dashgen import conventions as c
from dashgen.compile.template.leaf import Promql
from dashgen.compile.vocabulary import native
from dashgen.model.graph import Chain, Hop
from dashgen.model.slo import Slo
from dashgen.model.telemetry import Matcher, Source
from dashgen.model.units import number

WINDOW, HOURS = "5m", "6h"
MILLISECOND = Decimal("0.001")
MANY = 5  # hops that fit into a group with an SLO and its pages


class Hops:
    """The expressions, for one environment."""

    def __init__(self, env: str):
        self._env = env

    def group(self, chain: Chain, timed: bool) -> str:
        """Where the seconds, or the failures, of the hops are recorded: in the group of the first SLO that counts them.

        So its alerts, which name a hop, know as much of the hops as of the SLO. Many hops have a group of their own:
        they would have that one cut before its pages, which then came a minute later.
        """
        counted = [slo.name for slo in chain.slos if (slo.threshold is not None) == timed]
        if counted and len(chain.hops) <= MANY:
            return f"slo-{counted[0]}"
        return "hops-seconds" if timed else "hops-errors"

    def total_seconds(self, chain: Chain, hop: Hop) -> Promql:
        """Seconds that the hop and all behind it cost one request of the chain."""
        seen = (hop.sources, hop.calls) if hop.operation else (hop.calls, hop.sources)
        duration = native.mean(next(each for each in seen if native.timed(each)), WINDOW)
        return Promql(f"{_calls(chain, hop.position)} * ({duration})") if hop.position else duration

    def own_seconds(self, chain: Chain, hop: Hop) -> Promql:
        """Seconds that the hop itself costs one request of the chain."""
        return self._own("chain:hop_total_seconds:mean5m", chain, hop)

    def total_errors(self, chain: Chain, hop: Hop) -> Promql:
        """Requests of the chain that fail at the hop or behind it.

        Its caller sees what never arrived, and the hop itself which of its operations fails: the worse is believed, but
        for what the hop counts as failures of operations beside the chain. Who does without an answer fails for none.
        """
        if hop.position == 0:
            return _failed(hop.sources)
        ratio = _failed(hop.calls or hop.sources)
        if hop.calls and hop.operation:
            others = f"({native.errors(hop.every, WINDOW)}) - ({native.errors(hop.sources, WINDOW)}) or vector(0)"
            seen = f"clamp_min(({native.errors(hop.calls, WINDOW)}) - ({others}), 0)"
            # A label lets what the hop sees of itself stand beside what its caller sees.
            own = f'label_replace({_failed(hop.sources)}, "{c.SERVER}", "itself", "", "")'
            ratio = Promql(f"max({seen} / ({native.events(hop.calls, WINDOW)} > 0) or {own})")
        return Promql(f"{'0' if hop.soft else _calls(chain, hop.position)} * ({ratio})")

    def own_errors(self, chain: Chain, hop: Hop) -> Promql:
        """Failures that start at the hop: those that no failed call to the next hop explains."""
        return self._own("chain:hop_total_errors:ratio5m", chain, hop)

    def shares(self, slo: Slo) -> Promql:
        """What each hop of a chain has its own share in: the seconds, or the failures, of one request of the chain.

        They are rounded for people; what rounds to nothing is not told.
        """
        return self._readable(slo, _by_hop(self._shares(slo)))

    def growth(self, slo: Slo) -> Promql:
        """What each hop's own share has grown by, from what it was most of the last hours; as `shares` tells it.

        Less than a tenth of what the chain shows as a whole is noise: of a chain that is well again, or of the other
        hops when the guilty one has been so for hours.
        """
        now = _by_hop(self._shares(slo))
        usual = _by_hop(f"quantile_over_time(0.5, {self._shares(slo)}[{HOURS}])")
        return self._readable(slo, f"{now} - {usual} >= 0.1 * scalar(sum({now}))")

    def _readable(self, slo: Slo, expr: str) -> Promql:
        """Seconds to the millisecond, failures to the second digit of the budget."""
        step = MILLISECOND if slo.threshold is not None else Decimal(1).scaleb(slo.budget.adjusted() - 1)
        return Promql(f"round({expr}, {number(step)}) > 0")

    def _shares(self, slo: Slo) -> str:
        series = "chain:hop_errors:ratio5m" if slo.threshold is None else "chain:hop_seconds:mean5m"
        return native.labelled(series, {c.CHAIN: slo.subject, c.ENV: self._env})

    def _own(self, series: str, chain: Chain, hop: Hop) -> Promql:
        """The hop's total, which is never more than that of a hop before, less that of the next one that has any.

        All of them were recorded at one moment, also where rules see only what was recorded an evaluation ago.
        """
        own = self._recorded(series, chain, Matcher(c.HOP, "=", str(hop.position + 1)))
        if hop.position:
            before = Matcher(c.HOP, "=~", native.any_of(range(1, hop.position + 1)))
            own = f"clamp_max({own}, scalar({self._recorded(series, chain, before, 'min')}))"
        behind = [Matcher(c.HOP, "=", str(each)) for each in range(hop.position + 2, len(chain.hops) + 1)]
        if not behind:
            return Promql(own)
        costs = " or ".join(self._recorded(series, chain, each) for each in behind)
        return Promql(f"clamp_min({own} - ({costs} or vector(0)), 0)")

    def _recorded(self, series: str, chain: Chain, hops: Matcher, operation: str = "max") -> str:
        """What is recorded of one hop or some, whoever owned the chain then."""
        chosen = (Matcher(c.CHAIN, "=", chain.name), hops, Matcher(c.ENV, "=", self._env))
        return f"{operation}({native.selector(series, chosen)})"


def _by_hop(expr: str) -> str:
    """One value for each hop, whoever owned the chain when it was recorded."""
    return f"max by ({c.HOP}, {c.SERVICE}) ({expr})"


def _failed(sources: Sequence[Source]) -> Promql:
    """The share of what is counted that failed."""
    return Promql(f"({native.errors(sources, WINDOW)}) / ({native.events(sources, WINDOW)} > 0)")


def _calls(chain: Chain, position: int) -> str:
    """Calls into the hop for one request at the entry."""
    return " * ".join(_step(chain.hops[i - 1], chain.hops[i]) for i in range(1, position + 1))


def _step(before: Hop, hop: Hop) -> str:
    """Calls into a hop for one request at the hop before.

    A caller counts its calls, and not for which of its operations it makes them. Where the chain goes through one of
    several, one call a request is assumed, or more where that is so for all operations together; and one where nobody
    but the hop counts the calls, and others call it, too.
    """
    calls = native.events(hop.calls or hop.sources, WINDOW)
    ratio = f"{calls} / ({native.events(before.sources, WINDOW)} > 0)"
    if hop.shared and not hop.calls:
        return f"clamp_max({ratio}, 1)"
    if before.sources == before.every:
        return f"({ratio})"
    most = f"clamp_min({calls} / ({native.events(before.every, WINDOW)} > 0), 1)"
    return f"clamp_max({ratio}, scalar({most}))"
