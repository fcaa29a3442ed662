"""The check slo/latency-threshold."""

from collections.abc import Iterator

from dashgen.model.graph import Graph
from dashgen.verify.registry import Finding, graph_check


@graph_check("slo/latency-threshold")
def slo_latency_threshold(graph: Graph) -> Iterator[Finding]:
    """An SLO that is named after latency counts failures.

    Without a threshold an SLO is about availability, whatever it is called: it counts failed requests, and a slow
    request that succeeds is good. Add a threshold, or give it another name.

    Passes:
        services: {web: {slos: {latency: {objective: 99, threshold: 250ms}}}}

    Fails:
        services: {web: {slos: {latency: {objective: 99}}}}
    """
    for slo in graph.slos:
        if slo.threshold is None and any(word in slo.name.lower() for word in ("latency", "duration")):
            yield Finding(
                f"{slo.id} has no threshold, so it counts failed requests and no slow ones. "
                "Add one, such as `threshold: 250ms`, or give it another name.",
                slo.path,
            )
