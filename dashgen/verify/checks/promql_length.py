"""The check promql/length."""

from collections.abc import Iterator

from dashgen import promql
from dashgen.verify.registry import Finding, Made, unit_check


@unit_check("promql/length")
def promql_length(made: Made) -> Iterator[Finding]:
    """A rule's expression is longer than VictoriaMetrics allows.

    vmalert then shows an error instead of a result, and the alert never fires. Several implementations whose operations
    are many routes make such expressions. Write shorter patterns, end the migration, or start VictoriaMetrics with a
    larger `-search.maxQueryLen`. Prometheus knows no such limit.

    Fails:
        services:
          web:
            calls: null
            implementations:
              a: {language: go, instrumentation: otelhttp, selector: {job: a}}
              b: {language: go, instrumentation: otelhttp, selector: {job: b}}
              c: {language: go, instrumentation: otelhttp, selector: {job: c}}
              d: {language: go, instrumentation: otelhttp, selector: {job: d}}
            operations:
              change:
                http_route:
                  regex: /(orders|customers|invoices|payments|refunds|deliveries|returns)/{id}/(change|archive|restore)
                  example: /orders/{id}/change
            slos: {latency: {objective: 99, threshold: 250ms, operation: change}}
    """
    for rule in (rule for group in made.intents.groups for rule in group.rules):
        if len(rule.expr) < promql.INDENTED // 2:
            continue  # short, however it is written
        length = _written(rule.expr)
        if length > promql.LONGEST:
            detail = f"The expression of {rule.name} has {length:,} bytes, VictoriaMetrics takes {promql.LONGEST:,}."
            yield Finding(detail, origin=rule.origin)


def _written(expr: str) -> int:
    try:
        return len(promql.canonical(expr).encode())
    except promql.PromqlError:
        return 0  # another check says so
