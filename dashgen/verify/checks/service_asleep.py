"""The check service/asleep."""

from collections.abc import Iterator

from dashgen.model.graph import Graph
from dashgen.verify.registry import Finding, graph_check


@graph_check("service/asleep")
def service_asleep(graph: Graph) -> Iterator[Finding]:
    """A service scales to zero, and nobody counts the calls that should wake it.

    Whether it sleeps or is down then looks the same, so there is no ServiceVanished for it. Give one of its callers a
    client metric, or `instrumentation: servicegraph` where there are traces.

    Passes:
        services: {stock: {scales_to_zero: true}}

    Fails:
        services: {web: {scales_to_zero: true}}
    """
    for service in graph.services:
        if service.scales_to_zero and not service.counting:
            yield Finding(f"Nobody counts calls to {service.name}, so nobody sees that it does not wake.", service.path)
