"""The check promql/series."""

from collections.abc import Iterator

from dashgen import promql
from dashgen.diagnostics import did_you_mean
from dashgen.verify.registry import Finding, Made, unit_check


@unit_check("promql/series")
def promql_series(made: Made) -> Iterator[Finding]:
    """An expression reads a recorded series that nothing records.

    A name with a colon belongs to a recording rule. If no rule of this graph records it, the panel stays empty and the
    alert never fires. `contract/telemetry.yaml` lists the canonical series; rule templates of your own may add more.

    Fails:
        alerts/mine.yaml: |
          for_each: service in graph.services
          alerts:
            - alert: Mine
              expr: service:request:rate1m == 0
              summary: "<< service.name >> is idle"
              description: Nobody calls it.
    """
    own = {rule.name for group in made.intents.groups for rule in group.rules if not rule.alert}
    for expr, name, origin in made.expressions():
        if ":" not in expr:
            continue
        try:
            read = promql.metrics(expr)
        except promql.PromqlError:
            continue
        for metric in sorted(read - own):
            if ":" not in metric or made.canonical.match(metric):
                continue
            detail = f"{name} reads {metric}, which no rule records.{did_you_mean(metric, own)}"
            yield Finding(detail, origin=origin)
