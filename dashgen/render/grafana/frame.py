"""The frame around panels: rows, positions on the grid, and the dashboard itself in schema version 42."""

from __future__ import annotations

from grafanalib import core

from dashgen.render.grafana.plain import Json, plain

SCHEMA_VERSION = 42
_DASHBOARD_KEYS = frozenset(
    "annotations description editable graphTooltip links panels refresh schemaVersion tags templating title time "
    "timepicker timezone uid".split()
)


def position(x: int, y: int, width: int, height: int) -> Json:
    """Where a panel stands on the grid of 24 columns."""
    return {"h": height, "w": width, "x": x, "y": y}


def row(title: str, id: int, y: int, collapsed: bool, panels: list[Json]) -> Json:
    """A row; the panels of a collapsed one stand inside it."""
    made = {"type": "row", "id": id, "title": title, "collapsed": collapsed, "panels": panels if collapsed else []}
    return {**made, "gridPos": position(0, y, 24, 1)}


_BUILT_IN = {
    "builtIn": 1,
    "datasource": {"type": "grafana", "uid": "-- Grafana --"},
    "enable": True,
    "hide": True,
    "iconColor": "rgba(0, 211, 255, 1)",
    "name": "Annotations & Alerts",
    "type": "dashboard",
}


def dashboard(
    *, uid: str, title: str, description: str, tags: list[str], span: str, refresh: str, variables: list[Json],
    annotations: list[Json], links: list[Json], panels: list[Json],
) -> Json:  # fmt: skip
    """A dashboard in the classic model, schema version 42, without nulls."""
    made = core.Dashboard(
        uid=uid,
        title=title,
        description=description,
        tags=tags,
        editable=False,
        graphTooltip=core.GRAPH_TOOLTIP_MODE_SHARED_CROSSHAIR,
        refresh=refresh,
        schemaVersion=SCHEMA_VERSION,
        time=core.Time(span, "now"),
        timezone="browser",
    )
    json = {key: value for key, value in plain(made).items() if key in _DASHBOARD_KEYS}
    json["annotations"] = {"list": [_BUILT_IN, *annotations]}
    json["templating"] = {"list": variables}
    json["timepicker"] = {}
    return {**json, "links": links, "panels": panels}
