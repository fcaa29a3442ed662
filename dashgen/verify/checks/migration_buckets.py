"""The check migration/buckets."""

from collections.abc import Iterator

from dashgen.model.graph import Graph
from dashgen.model.units import duration
from dashgen.verify.registry import Finding, graph_check

ENOUGH = 8


@graph_check("migration/buckets")
def migration_buckets(graph: Graph) -> Iterator[Finding]:
    """The implementations of a service have few bucket bounds in common.

    Quantiles over several implementations can only use the bounds that all of them have; between these they are
    interpolated, so latency seems to jump when traffic moves from one to the other. Give both the same bounds.

    Passes:
        services:
          web:
            implementations:
              old: {language: go, instrumentation: promhttp, selector: {job: old}}
              new: {language: rust, instrumentation: axum-prometheus, selector: {job: new}}

    Fails:
        services:
          web:
            implementations:
              old: {language: java, instrumentation: spanmetrics, selector: {service_name: old}}
              new: {language: rust, instrumentation: axum-prometheus, selector: {job: new}}
    """
    for service in graph.services:
        histograms = [source.duration for source in service.sources if source.duration and not source.duration.native]
        if len(histograms) < 2:
            continue
        shared = frozenset.intersection(*(histogram.seconds for histogram in histograms))
        if len(shared) < ENOUGH:
            bounds = ", ".join(duration(bound) for bound in sorted(shared)) or "none"
            yield Finding(f"The implementations of {service.name} share only these bounds: {bounds}.", service.path)
