"""The check service/selector."""

from collections.abc import Iterator

from dashgen.model.graph import Graph
from dashgen.model.telemetry import Source
from dashgen.verify.registry import Finding, graph_check


@graph_check("service/selector")
def service_selector(graph: Graph) -> Iterator[Finding]:
    """The same series are counted twice.

    Two services whose selectors and metrics are the same count each other's requests, and a failure of one pages the
    teams of both. Two such implementations of a service count every request twice. Give each a selector that only its
    own series match; what is one program is one entry, and its parts are `operations`. Implementations whose metrics
    have different names may share a selector, as in a rewrite inside one job.

    Passes:
        services:
          web:
            implementations:
              old: {language: go, instrumentation: promhttp, selector: {job: web}}
              new: {language: rust, instrumentation: axum-prometheus, selector: {job: web}}

    Fails:
        services:
          web: {selector: {job: shop}}
          stock: {instrumentation: otelhttp, selector: {job: shop}}
    """
    seen: dict[object, tuple[str, str]] = {}
    for service in graph.services:
        for each in service.implementations:
            first, implementation = seen.setdefault(_series(each.source), (service.name, each.name))
            if first != service.name:
                detail = f"{service.name} and {first} count the same series, so each counts the other's requests."
            elif implementation != each.name:
                detail = f"{implementation} and {each.name} of {first} count the same series, so requests count twice."
            else:
                continue
            inner = ("implementations", each.name) if len(service.implementations) > 1 else ()
            shown = ", ".join(f'{m.label}{m.op}"{m.value}"' for m in each.source.matchers)
            yield Finding(
                f"{detail} Both read {each.source.requests}{{{shown}}}. Give each a selector of its own.",
                (*service.path, *inner, "selector"),
            )


def _series(source: Source) -> object:
    """What is counted: a native histogram is another series than the classic one of the same name."""
    native = source.duration is not None and source.duration.native
    return source.requests, native, frozenset((m.label, m.op, m.value) for m in source.matchers)
