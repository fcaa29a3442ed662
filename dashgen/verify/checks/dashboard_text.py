"""The check dashboard/text."""

from collections.abc import Iterator

from dashgen.verify.registry import Finding, Made, unit_check


@unit_check("dashboard/text")
def dashboard_text(made: Made) -> Iterator[Finding]:
    """A panel does not say what it shows.

    Whoever opens a dashboard at night did not build it. Give every panel a title, and a description that says how to
    read it.

    Fails:
        templates/dashboards/mine.yaml: |
          for_each: service in graph.services
          dashboard: mine
          uid: << uid("mine", service.name) >>
          title: Mine
          folder: mine
          rows:
            - panels:
                - {panel: a, type: timeseries, unit: short, queries: [{expr: up}]}
    """
    for dashboard in made.intents.dashboards:
        for panel in (panel for row in dashboard.rows for panel in row.panels):
            missing = [word for word, text in (("title", panel.title), ("description", panel.description)) if not text]
            if missing:
                detail = f"The panel {panel.key} of {dashboard.uid} has no {' and no '.join(missing)}."
                yield Finding(detail, origin=panel.origin)
