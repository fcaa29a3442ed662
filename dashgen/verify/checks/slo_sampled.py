"""The check slo/sampled."""

from collections.abc import Iterator

from dashgen.model.graph import Graph
from dashgen.verify.registry import Finding, graph_check


@graph_check("slo/sampled")
def slo_sampled(graph: Graph) -> Iterator[Finding]:
    """An SLO counts metrics that are made from traces.

    Sampling before the metrics are made distorts every count: head sampling shrinks all of them, tail sampling keeps
    errors and slow requests and drops the rest, so the ratio is wrong too. Make sure that nothing is sampled before the
    metrics generator and silence this check with that as the reason, or count the service's own metrics.

    Passes:
        services: {web: {slos: {availability: {objective: 99.9}}}}

    Fails:
        services:
          web: {instrumentation: spanmetrics, selector: {service_name: web}, slos: {availability: {objective: 99.9}}}
    """
    for slo in graph.slos:
        for profile in sorted({source.profile for source in slo.sources if source.sampled}):
            yield Finding(f"{slo.id} counts {profile}, which is right only if no span is sampled before it.", slo.path)
