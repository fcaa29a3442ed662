"""The check call/timeout."""

from collections.abc import Iterator

from dashgen.model.graph import Graph
from dashgen.model.units import duration
from dashgen.verify.registry import Finding, graph_check


@graph_check("call/timeout")
def call_timeout(graph: Graph) -> Iterator[Finding]:
    """A caller gives up before the callee is late.

    The callee promises to answer within its latency threshold. A caller whose timeout is shorter turns answers that
    keep this promise into errors: the callee looks healthy and the caller burns its budget. Raise the timeout above the
    threshold, or lower the threshold.

    Passes:
        services:
          web: {calls: {stock: {timeout: 500ms}}}
          stock: {slos: {latency: {objective: 99, threshold: 250ms}}}

    Fails:
        services:
          web: {calls: {stock: {timeout: 100ms}}}
          stock: {slos: {latency: {objective: 99, threshold: 250ms}}}
    """
    thresholds = {
        service.name: [slo for slo in service.slos if slo.threshold and not slo.operation] for service in graph.services
    }
    for edge in graph.edges:
        for slo in thresholds[edge.server.name]:
            if edge.timeout is not None and slo.threshold is not None and edge.timeout < slo.threshold:
                yield Finding(
                    f"{edge.client.name} waits {duration(edge.timeout)} for {edge.server.name}, whose {slo.name} SLO "
                    f"calls {duration(slo.threshold)} fast enough. Raise the timeout or lower the threshold.",
                    (*edge.path, "timeout"),
                )
