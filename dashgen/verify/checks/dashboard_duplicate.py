"""The check dashboard/duplicate."""

from collections.abc import Iterator

from dashgen.diagnostics import Severity
from dashgen.verify.registry import Finding, Made, unit_check


@unit_check("dashboard/duplicate", Severity.ERROR)
def dashboard_duplicate(made: Made) -> Iterator[Finding]:
    """Two panels of a dashboard have the same key.

    A panel's id comes from its key, and links and alerts find it by its id. Give each panel a key of its own; in a
    `for_each` it has to name the element.

    Fails:
        templates/dashboards/mine.yaml: |
          for_each: service in graph.services
          dashboard: mine
          uid: << uid("mine", service.name) >>
          title: Mine
          folder: mine
          rows:
            - panels:
                - {panel: a, type: timeseries, title: A, description: A., unit: short, queries: [{expr: up}]}
                - {panel: a, type: timeseries, title: B, description: B., unit: short, queries: [{expr: up}]}
    """
    for dashboard in made.intents.dashboards:
        seen: set[str] = set()
        for panel in (panel for row in dashboard.rows for panel in row.panels):
            if panel.key in seen:
                yield Finding(f"{dashboard.uid} has two panels with the key “{panel.key}”.", origin=panel.origin)
            seen.add(panel.key)
