"""The check call/near-timeout."""

from collections.abc import Iterator

from dashgen.diagnostics import Severity
from dashgen.model.graph import Graph
from dashgen.model.units import duration
from dashgen.verify.registry import Finding, graph_check


@graph_check("call/near-timeout", Severity.INFO)
def call_near_timeout(graph: Graph) -> Iterator[Finding]:
    """Nothing tells that calls come close to their timeout.

    CallNearTimeout opens a ticket before slow calls become failed ones. It needs a bucket bound in the last quarter of
    the timeout, in the histograms of all implementations of the caller: where the next bound is beyond the timeout, a
    call that takes half as long looks the same, and where it is the timeout itself, the call has failed. Add a bound to
    the client's histogram and to a profile of your own, or choose a timeout a little beyond one.

    Passes:
        services: {web: {calls: {stock: {timeout: 1s}}}}

    Fails:
        services: {web: {calls: {stock: {timeout: 2s}}}}
    """
    for edge in graph.edges:
        if edge.timeout and edge.near_timeout is None and any(source.duration for source in edge.sources):
            yield Finding(
                f"Not all histograms of {edge.client.name}'s calls to {edge.server.name} have a bucket in the last "
                f"quarter of {duration(edge.timeout)}, so there is no CallNearTimeout for them.",
                (*edge.path, "timeout"),
            )
