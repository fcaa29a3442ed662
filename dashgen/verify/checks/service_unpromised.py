"""The check service/unpromised."""

from collections.abc import Iterator

from dashgen.model.graph import Graph
from dashgen.verify.registry import Finding, graph_check


@graph_check("service/unpromised")
def service_unpromised(graph: Graph) -> Iterator[Finding]:
    """A service of the first tier promises nothing.

    Nobody is paged for a service without an SLO unless it vanishes. Give it one, or a lower tier.

    Passes:
        services: {web: {tier: 1, slos: {availability: {objective: 99.9}}}}

    Fails:
        services: {web: {tier: 1, slos: null}}
    """
    for service in graph.services:
        if service.tier == 1 and not service.slos:
            yield Finding(f"{service.name} is of tier 1 and has no SLO.", service.path)
