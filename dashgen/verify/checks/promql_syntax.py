"""The check promql/syntax."""

from collections.abc import Iterator

from dashgen import promql
from dashgen.diagnostics import Severity
from dashgen.verify import external
from dashgen.verify.registry import Finding, Made, unit_check


@unit_check("promql/syntax", Severity.ERROR)
def promql_syntax(made: Made) -> Iterator[Finding]:
    """An expression is not PromQL.

    Every expression of every rule, panel and annotation is parsed before anything is written. Where the built-in
    parser refuses one and promtool is installed, promtool decides: it may know newer syntax.

    Fails:
        alerts/mine.yaml: |
          for_each: service in graph.services
          alerts:
            - alert: Mine
              expr: rate(up[5m]
              summary: "<< service.name >> is down"
              description: No instance answers.
    """
    for expr, name, origin in made.expressions():
        try:
            promql.check(expr)
        except promql.PromqlError as error:
            if "$" not in expr and external.promtool_accepts(expr):
                detail = f"The built-in parser does not know the expression of {name}, promtool does: {error}."
                yield Finding(detail, origin=origin, severity=Severity.INFO)
            else:
                shown = " ".join(expr.split())
                yield Finding(
                    f"The expression of {name} does not parse: {error}. It reads: {shown:.200}", origin=origin
                )
    for rule in (rule for group in made.intents.groups for rule in group.rules):
        if _ranged(rule.expr):
            detail = f"The expression of {rule.name} gives ranges or a text, and a rule needs a value at every moment."
            yield Finding(f"{detail} Put a function like `rate()` around it.", origin=rule.origin)


def _ranged(expr: str) -> bool:
    try:
        return not promql.sampled(expr)
    except promql.PromqlError:
        return False
