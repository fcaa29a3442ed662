"""The check alert/text."""

from collections.abc import Iterator

from dashgen.verify.registry import Finding, Made, unit_check


@unit_check("alert/text")
def alert_text(made: Made) -> Iterator[Finding]:
    """An alert does not say what is wrong.

    A summary is what a pager shows, a description what it means. Add both to the alert's entry in `alerts/`.

    Fails:
        alerts/mine.yaml: |
          for_each: service in graph.services
          alerts:
            - alert: Mine
              severity: ticket
              expr: up == 0
              summary: "<< service.name >> is down"
    """
    for rule in (rule for group in made.intents.groups for rule in group.rules if rule.alert):
        missing = [key for key in ("summary", "description") if not rule.annotations.get(key)]
        if missing:
            yield Finding(f"{rule.name} of {made.intents.owner} has no {' and no '.join(missing)}.", origin=rule.origin)
