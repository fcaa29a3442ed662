"""The check rule/duplicate."""

from collections.abc import Iterator

from dashgen.diagnostics import Severity
from dashgen.verify.registry import Finding, Made, unit_check


@unit_check("rule/duplicate", Severity.ERROR)
def rule_duplicate(made: Made) -> Iterator[Finding]:
    """Two rules make the same series.

    Prometheus evaluates both and one overwrites the other at every turn. Give them different labels or names.

    Fails:
        alerts/mine.yaml: |
          for_each: service in graph.services
          alerts:
            - {alert: Mine, expr: up == 0, summary: Down, description: Down.}
            - {alert: Mine, expr: up < 1, summary: Down, description: Down.}
    """
    seen: dict[tuple[str, frozenset[tuple[str, str]]], str] = {}
    for rule in (rule for group in made.intents.groups for rule in group.rules):
        key = (rule.name, frozenset(rule.labels.items()))
        if key in seen:
            yield Finding(f"{rule.name} of {made.intents.owner} is also made in {seen[key]}.", origin=rule.origin)
        seen[key] = rule.origin
