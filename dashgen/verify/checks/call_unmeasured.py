"""The check call/unmeasured."""

from collections.abc import Iterator

from dashgen.model.graph import Graph
from dashgen.verify.registry import Finding, graph_check


@graph_check("call/unmeasured")
def call_unmeasured(graph: Graph) -> Iterator[Finding]:
    """Nothing counts a call on the caller's side.

    Without a client metric there are no panels and no alerts for the call, and a chain through it has to fall back to
    the callee's own numbers, which count all its callers. So it does where only one implementation of the caller has
    one. Many libraries have none; a service graph made from traces counts calls for any of them:
    `instrumentation: servicegraph`.

    Passes:
        services: {web: {calls: {stock: {}}}}

    Fails:
        services:
          web: {instrumentation: promhttp, calls: {stock: {}}}
    """
    for edge in (edge for edge in graph.edges if edge.uncounted):
        part = f" ({', '.join(edge.uncounted)})" if edge.sources else ""
        yield Finding(
            f"The profile of {edge.client.name}{part} has no client metric for {edge.protocol}, so calls to "
            f"{edge.server.name} are not measured. Add `instrumentation: servicegraph` to it if there are traces.",
            edge.path,
        )
