"""The check dashboard/unit."""

from collections.abc import Iterator

from dashgen.verify.registry import Finding, Made, unit_check

WITHOUT = frozenset(("text", "logs", "canvas", "state-timeline"))


@unit_check("dashboard/unit")
def dashboard_unit(made: Made) -> Iterator[Finding]:
    """A panel's numbers have no unit.

    0.25 can be seconds, a ratio or a rate. Give the panel a unit of Grafana's: `s`, `reqps`, `percentunit`, `bytes`,
    or `short` for a plain number.

    Fails:
        templates/dashboards/mine.yaml: |
          for_each: service in graph.services
          dashboard: mine
          uid: << uid("mine", service.name) >>
          title: Mine
          folder: mine
          rows:
            - panels:
                - {panel: a, type: timeseries, title: A, description: A., queries: [{expr: up}]}
    """
    for dashboard in made.intents.dashboards:
        for panel in (panel for row in dashboard.rows for panel in row.panels):
            if panel.type not in WITHOUT and not panel.look.get("unit"):
                yield Finding(f"The panel “{panel.title}” of {dashboard.uid} has no unit.", origin=panel.origin)
