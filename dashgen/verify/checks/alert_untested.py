"""The check alert/untested."""

from collections.abc import Iterator

from dashgen.verify.registry import Finding, Made, unit_check


@unit_check("alert/untested")
def alert_untested(made: Made) -> Iterator[Finding]:
    """No generated test makes an alert fire.

    An alert that never fired in a test may never fire at all: a typo in a label is enough. Add a case with
    `firing: true` under the alert's `tests:`; `traffic` makes the series.

    Fails:
        alerts/mine.yaml: |
          for_each: service in graph.services
          alerts:
            - alert: Mine
              expr: up == 0
              summary: "<< service.name >> is down"
              description: No instance answers.
    """
    fired = {frozenset(labels.items()) for test in made.intents.tests for labels in test.firing}
    for rule in (rule for group in made.intents.groups for rule in group.rules if rule.alert):
        if frozenset({"alertname": rule.name, **rule.labels}.items()) not in fired:
            detail = f"No test makes {rule.name} of {made.intents.owner} fire. Add one under `tests:`."
            yield Finding(detail, origin=rule.origin)
