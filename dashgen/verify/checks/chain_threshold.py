"""The check chain/threshold."""

from collections.abc import Iterator

from dashgen.model.graph import Graph, Hop
from dashgen.model.slo import Slo
from dashgen.model.units import duration, number
from dashgen.verify.registry import Finding, graph_check


@graph_check("chain/threshold")
def chain_threshold(graph: Graph) -> Iterator[Finding]:
    """A chain has to be faster than one of its hops.

    A chain waits for its hops, so it cannot be faster than any of them: when a hop may take longer than the whole chain
    and still keep its promises, the chain will break its own. What the whole service promises counts, and, where the
    path names an operation, what that operation does. Raise the chain's threshold or lower the hop's.

    Passes:
        services:
          web: {calls: {stock: {}}}
          stock: {slos: {latency: {objective: 99, threshold: 250ms}}}
        chains: {buy: {path: [web, stock], slos: {latency: {objective: 99, threshold: 500ms}}}}

    Fails:
        services:
          web: {calls: {stock: {timeout: 2s}}}
          stock:
            operations: {reserve: {route: /reserve}}
            slos: {latency: {objective: 99, threshold: 1s, operation: reserve}}
        chains: {buy: {path: [web, stock/reserve], slos: {latency: {objective: 99, threshold: 500ms}}}}
    """
    for chain in graph.chains:
        for promise in (slo for slo in chain.slos if slo.threshold):
            for slo in (slo for hop in chain.hops for slo in _slower(hop, promise)):
                assert slo.threshold
                assert promise.threshold
                whole = f"{number(promise.objective * 100)} % within {duration(promise.threshold)}"
                part = f"{number(slo.objective * 100)} % within {duration(slo.threshold)}"
                detail = f"{chain.name} promises {whole}, but {slo.scope} on its path only {part}."
                yield Finding(detail, (*promise.path, "threshold"))


def _slower(hop: Hop, promise: Slo) -> list[Slo]:
    """What the hop promises that may take longer than the chain, unless what it does there is promised to be faster."""
    assert promise.threshold
    timed = [(slo, slo.threshold) for slo in hop.slos if slo.threshold and slo.operation in ("", hop.operation)]
    for slo, threshold in timed:
        if slo.operation == hop.operation and threshold <= promise.threshold and slo.objective >= promise.objective:
            return []
    return [slo for slo, threshold in timed if threshold > promise.threshold and slo.objective <= promise.objective]
