"""The check alert/runbook."""

from collections.abc import Iterator

from dashgen import conventions as c
from dashgen.verify.registry import Finding, Made, unit_check


@unit_check("alert/runbook")
def alert_runbook(made: Made) -> Iterator[Finding]:
    """A page leads to no runbook that a person could open.

    Whoever is woken needs to know what to do. Runbooks are generated into `out/runbooks/`; publish them and write
    their address into `defaults.runbooks`.

    Passes:
        defaults: {runbooks: https://runbooks.example.com}
        services: {web: {slos: {availability: {objective: 99.9}}}}

    Fails:
        defaults: {runbooks: null}
        services: {web: {slos: {availability: {objective: 99.9}}}}
    """
    pages = [
        rule
        for group in made.intents.groups
        for rule in group.rules
        if rule.alert and rule.labels.get(c.SEVERITY) == c.PAGE and "://" not in rule.annotations.get("runbook_url", "")
    ]
    if pages:
        names = ", ".join(sorted({rule.name for rule in pages}))
        detail = f"{names} of {made.intents.owner} has no runbook address. Set `defaults.runbooks`."
        yield Finding(detail, ("defaults",), pages[0].origin)
