"""The check promql/absent-label."""

from collections.abc import Iterator

from dashgen import promql
from dashgen.verify.registry import Finding, Made, unit_check


@unit_check("promql/absent-label")
def promql_absent_label(made: Made) -> Iterator[Finding]:
    """A negative matcher also matches series that do not have the label.

    `code!="200"` holds for every series without a label `code`. When an upgrade renames the label, the expression
    silently counts every request as failed. Match what is meant (`code=~"5.."`), or ask for the label too: `code!=""`.

    Fails:
        alerts/mine.yaml: |
          for_each: service in graph.services
          alerts:
            - alert: Mine
              expr: rate(grpc_server_handled_total{grpc_code!="OK"}[5m]) > 1
              summary: "<< service.name >> fails"
              description: Calls fail.
    """
    for expr, name, origin in made.expressions():
        if '!="' not in expr and '!~"' not in expr:
            continue
        try:
            found = promql.readings(expr)
        except promql.PromqlError:
            continue
        for reading in found:
            asked = {label for label, op, value in reading.matchers if (op == "!=" and not value) or op in ("=", "=~")}
            for label, op, value in reading.matchers:
                if op in ("!=", "!~") and value and label not in asked:
                    yield Finding(
                        f'{name} reads {reading.metric or "series"} with {label}{op}"{value}".', origin=origin
                    )
