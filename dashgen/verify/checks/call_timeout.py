"""The check call/timeout."""

from collections.abc import Iterator
from itertools import pairwise

from dashgen.model.graph import Graph
from dashgen.model.units import duration
from dashgen.verify.registry import Finding, graph_check


@graph_check("call/timeout")
def call_timeout(graph: Graph) -> Iterator[Finding]:
    """A caller gives up before the callee is late.

    The callee promises to answer within its latency threshold. A caller whose timeout is shorter turns answers that
    keep this promise into errors: the callee looks healthy and the caller burns its budget. What an operation promises
    counts where the path of a chain says that the caller uses it. Raise the timeout above the threshold, or lower the
    threshold.

    Passes:
        services:
          web: {calls: {stock: {timeout: 500ms}}}
          stock: {slos: {latency: {objective: 99, threshold: 250ms}}}

    Fails:
        services:
          web: {calls: {stock: {timeout: 100ms}}}
          stock:
            operations: {list: {route: /list}}
            slos: {latency: {objective: 99, threshold: 250ms, operation: list}}
        chains: {look: {path: [web, stock/list], slos: {availability: {objective: 99}}}}
    """
    used = {
        (client.service.name, server.service.name, server.operation)
        for chain in graph.chains
        for client, server in pairwise(chain.hops)
    }
    slos = {service.name: service.slos for service in graph.services}
    for edge in graph.edges:
        for slo in slos[edge.server.name]:
            concerned = not slo.operation or (edge.client.name, edge.server.name, slo.operation) in used
            if concerned and edge.timeout and slo.threshold and edge.timeout < slo.threshold:
                yield Finding(
                    f"{edge.client.name} waits {duration(edge.timeout)} for {slo.scope}, whose {slo.name} SLO "
                    f"calls {duration(slo.threshold)} fast enough. Raise the timeout or lower the threshold.",
                    (*edge.path, "timeout"),
                )
