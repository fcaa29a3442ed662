"""The check migration/exemplars."""

from collections.abc import Iterator

from dashgen.diagnostics import Severity
from dashgen.model.graph import Graph
from dashgen.verify.registry import Finding, graph_check


@graph_check("migration/exemplars", Severity.INFO)
def migration_exemplars(graph: Graph) -> Iterator[Finding]:
    """A migration loses the links from latency to traces.

    One implementation records exemplars and another does not, so the dots on the latency panel vanish as traffic moves.
    The Rust OpenTelemetry SDK and most Rust metrics crates record none; the crate prometheus-client does.

    Passes:
        services:
          web:
            implementations:
              old: {language: rust, instrumentation: actix-web-prom, selector: {job: old}}
              new: {language: rust, instrumentation: axum-prometheus, selector: {job: new}}

    Fails:
        services:
          web:
            implementations:
              old: {language: go, instrumentation: otelhttp, selector: {job: old}}
              new: {language: rust, instrumentation: axum-prometheus, selector: {job: new}}
    """
    for service in graph.services:
        has = {bool(source.duration and source.duration.exemplars) for source in service.sources}
        if has == {True, False}:
            without = ", ".join(s.implementation for s in service.sources if not (s.duration and s.duration.exemplars))
            yield Finding(f"{service.name}: {without} records no exemplars.", service.path)
