"""grafanalib, corrected: panels, variables and dashboards as Grafana 12 and 13 store them. The only home of grafanalib.

grafanalib 0.7.1 emits schema version 12, nulls, fields that Grafana dropped, and outdated bar gauges, gauges,
heatmaps and tables. This file keeps its classes where they are right, replaces the others, and prunes the rest, so
that another library can take its place without anyone else noticing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import attr
from grafanalib import core

Json = dict[str, Any]

SCHEMA_VERSION = 42
METRICS = {"type": "prometheus", "uid": "${prometheus_datasource}"}
LOGS = {"type": "loki", "uid": "${loki_datasource}"}
_NUMBERS = ("unit", "decimals", "min", "max")
_CUSTOM_DEFAULTS = {  # what Grafana assumes where nothing is said
    "axisLabel": "",
    "axisPlacement": "auto",
    "barAlignment": 0,
    "drawStyle": "line",
    "gradientMode": "none",
    "hideFrom": {"legend": False, "tooltip": False, "viz": False},
    "lineInterpolation": "linear",
    "lineWidth": 1,
    "pointSize": 5,
    "scaleDistribution": {"log": 2, "type": "linear"},
    "spanNulls": False,
    "stacking": {"group": "A", "mode": "none"},
    "thresholdsStyle": {"mode": "off"},
}
_PANEL_KEYS = frozenset(
    "type title description datasource fieldConfig options transformations interval targets".split()
)
_DASHBOARD_KEYS = frozenset(
    "annotations description editable graphTooltip links panels refresh schemaVersion tags templating title time "
    "timepicker timezone uid".split()
)
_VARIABLE_KEYS = frozenset(
    "name type label query datasource multi includeAll allValue current refresh regex hide sort options".split()
)


@attr.s
class OwnPanel(core.Panel):  # type: ignore[misc]
    """A panel that grafanalib does not have, or has in a form that Grafana no longer stores."""

    kind: str = attr.ib(default="")
    field_defaults: Json = attr.ib(factory=dict)
    options: Json = attr.ib(factory=dict)

    def to_json_data(self) -> Json:
        """The panel with the type, field defaults and options that it was given."""
        own = {
            "type": self.kind,
            "fieldConfig": {"defaults": self.field_defaults, "overrides": []},
            "options": self.options,
        }
        return self.panel_json(own)  # type: ignore[no-any-return]


def panel(kind: str, look: Mapping[str, Any]) -> Json:
    """A panel without its content: everything that does not depend on what it shows."""
    made = _MAKERS[kind](look)
    json = {key: value for key, value in plain(made).items() if key in _PANEL_KEYS and value not in (None, [], "")}
    if kind == "text":
        return {**json, "fieldConfig": {"defaults": {}, "overrides": []}}
    field = json.setdefault("fieldConfig", {"defaults": {}, "overrides": []})
    field.setdefault("overrides", [])
    defaults = field["defaults"]
    for key in _NUMBERS:
        defaults.pop(key, None)
        if key in look:
            defaults[key] = look[key]
    if not defaults.get("mappings"):
        defaults.pop("mappings", None)
    if "mappings" in look:
        defaults["mappings"] = [_mapping(each) for each in look["mappings"]]
    if "custom" in defaults:
        defaults["custom"] = {key: v for key, v in defaults["custom"].items() if v != _CUSTOM_DEFAULTS.get(key)}
    defaults["thresholds"] = _thresholds(look.get("thresholds", ()))
    defaults["color"] = _color(kind, look)
    field["overrides"] += [_override(name, color) for name, color in (look.get("colors") or {}).items()]
    field["overrides"] += [_column(each) for each in look.get("columns", ())]
    json.setdefault("datasource", LOGS if kind == "logs" else METRICS)
    json = _merge(json, {"options": look.get("options") or {}})
    if "transformations" in look:
        json["transformations"] = look["transformations"]
    return json


def target(expr: str, legend: str, ref: str, *, instant: bool, table: bool, exemplar: bool) -> Json:
    """A Prometheus query."""
    return {**_target(instant, table, exemplar), "expr": expr, "legendFormat": legend, "refId": ref}


@cache
def _target(instant: bool, table: bool, exemplar: bool) -> Json:
    made = plain(core.Target(expr="", instant=instant, format="table" if table else "time_series"))
    kept = {key: made[key] for key in ("format", "instant")}
    return {**kept, "datasource": METRICS, "editorMode": "code", "exemplar": exemplar, "range": not instant}


def log_target(expr: str, ref: str) -> Json:
    """A Loki query."""
    return {"datasource": LOGS, "expr": expr, "queryType": "range", "refId": ref}


def position(x: int, y: int, width: int, height: int) -> Json:
    """Where a panel stands on the grid of 24 columns."""
    return {"h": height, "w": width, "x": x, "y": y}


def row(title: str, id: int, y: int, collapsed: bool, panels: list[Json]) -> Json:
    """A row; the panels of a collapsed one stand inside it."""
    made = {"type": "row", "id": id, "title": title, "collapsed": collapsed, "panels": panels if collapsed else []}
    return {**made, "gridPos": position(0, y, 24, 1)}


def link(title: str, url: str, *, blank: bool = False, icon: str = "external link") -> Json:
    """A link of a dashboard or of a data point; both have the same shape."""
    return {**_link(blank, icon), "title": title, "url": url}


@cache
def _link(blank: bool, icon: str) -> Json:
    made = plain(
        core.DashboardLink(
            title="", uri="/", type="link", icon=icon, keepTime=False, includeVars=False, targetBlank=blank
        )
    )
    return {
        **{key: made[key] for key in ("icon", "includeVars", "keepTime", "targetBlank", "type")},
        "asDropdown": False,
        "tags": [],
        "tooltip": "",
    }


def variable(tree: Mapping[str, Any]) -> Json:
    """A dashboard variable; it selects `default` at first."""
    made = core.Template(
        name=tree["name"],
        query=tree.get("query", ""),
        type=tree.get("type", "query"),
        label=tree.get("label"),
        multi=bool(tree.get("multi", False)),
        includeAll=bool(tree.get("multi", False)),
        allValue=".+" if tree.get("multi") else None,
        regex=tree.get("regex"),
        refresh=2,
        hide=2 if tree.get("hidden") else 0,
        sort=1,
    )
    json = {key: value for key, value in plain(made).items() if key in _VARIABLE_KEYS and value is not None}
    default = str(tree.get("default", "$__all" if tree.get("multi") else ""))
    shown = "All" if default == "$__all" else default
    json["current"] = {
        "selected": True,
        "text": [shown] if tree.get("multi") else shown,
        "value": [default] if tree.get("multi") else default,
    }
    if json["type"] == "query":
        json["datasource"] = METRICS
        json["definition"] = json["query"]
    else:
        for key in ("sort", "multi", "includeAll"):
            json.pop(key, None)
    return json


def annotation(tree: Mapping[str, Any]) -> Json:
    """Marks on the time axis, from a query."""
    return {
        "datasource": METRICS,
        "enable": True,
        "expr": tree["expr"],
        "iconColor": tree["color"],
        "name": tree["name"],
        "step": tree.get("step", "1m"),
        "tagKeys": tree.get("tags", ""),
        "textFormat": tree.get("text", ""),
        "titleFormat": tree.get("title", ""),
    }


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


def plain(value: Any) -> Any:
    """Grafanalib's objects as plain data, without the nulls that Grafana would strip."""
    if hasattr(value, "to_json_data"):
        return plain(value.to_json_data())
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items() if each is not None}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def _timeseries(look: Mapping[str, Any]) -> core.Panel:
    legend = look.get("legend", "list")
    return core.TimeSeries(
        drawStyle=look.get("graph", "line"),
        fillOpacity=look.get("fill", 8),
        lineWidth=look.get("line", 1),
        showPoints="never",
        stacking={"mode": "normal" if look.get("stack") else "none", "group": "A"},
        legendDisplayMode="hidden" if legend == "none" else "table" if legend == "right" else legend,
        legendPlacement="right" if legend == "right" else "bottom",
        legendCalcs=["lastNotNull", "max"] if legend in ("table", "right") else [],
        thresholdsStyleMode=look.get("show_thresholds", "off"),
        tooltipMode="multi",
        tooltipSort="desc",
        interval=look.get("interval"),
        extraJson={
            "fieldConfig": {"defaults": {"custom": {"axisSoftMin": 0}}},
            "options": {"legend": {"showLegend": legend != "none"}},
        },
    )


_REDUCE = {"calcs": ["lastNotNull"], "fields": "", "values": False}


def _stat(look: Mapping[str, Any]) -> core.Panel:
    options = {
        "colorMode": look.get("color", "value") if look.get("color") in ("background", "value", "none") else "value",
        "graphMode": look.get("graph", "none"),
        "justifyMode": "auto",
        "orientation": look.get("orientation", "auto"),
        "percentChangeColorMode": "standard",
        "reduceOptions": _REDUCE,
        "showPercentChange": False,
        "textMode": look.get("text", "auto"),
        "wideLayout": True,
    }
    return OwnPanel(kind="stat", options=options)


def _gauge(look: Mapping[str, Any]) -> core.Panel:
    options = {
        "minVizHeight": 75,
        "minVizWidth": 75,
        "orientation": look.get("orientation", "auto"),
        "reduceOptions": _REDUCE,
        "showThresholdLabels": False,
        "showThresholdMarkers": True,
        "sizing": "auto",
    }
    return OwnPanel(kind="gauge", options=options)


def _bargauge(look: Mapping[str, Any]) -> core.Panel:
    options = {
        "displayMode": "basic",
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
        "maxVizHeight": 300,
        "minVizHeight": 16,
        "minVizWidth": 8,
        "namePlacement": "left",
        "orientation": look.get("orientation", "horizontal"),
        "reduceOptions": _REDUCE,
        "showUnfilled": True,
        "sizing": "auto",
        "valueMode": "color",
    }
    return OwnPanel(kind="bargauge", options=options)


def _table(_: Mapping[str, Any]) -> core.Panel:
    custom = {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": False, "inspect": False}
    options = {"cellHeight": "sm", "frameIndex": 0, "showHeader": True}
    return OwnPanel(kind="table", field_defaults={"custom": custom}, options=options)


_HEAT = {"exponent": 0.5, "reverse": False, "steps": 64}


def _heatmap(look: Mapping[str, Any]) -> core.Panel:
    custom = {"hideFrom": {"legend": False, "tooltip": False, "viz": False}, "scaleDistribution": {"type": "linear"}}
    options = {
        "calculate": False,
        "cellGap": 1,
        "color": {"fill": "dark-blue", "mode": "scheme", "scale": "exponential", "scheme": "Blues"} | _HEAT,
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
        "tooltip": {"mode": "single", "showColorScale": False, "yHistogram": False},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": look.get("unit", "s")},
    }  # fmt: skip
    return OwnPanel(kind="heatmap", field_defaults={"custom": custom}, options=options)


def _timeline(_: Mapping[str, Any]) -> core.Panel:
    return core.StateTimeline(
        showValue="never",
        mergeValues=True,
        rowHeight=0.8,
        extraJson={"options": {"legend": {"showLegend": False}, "tooltip": {"sort": "none"}}},
    )


def _text(look: Mapping[str, Any]) -> core.Panel:
    return core.Text(content=look.get("text", ""), mode="markdown")


def _logs(_: Mapping[str, Any]) -> core.Panel:
    options = {
        "dedupStrategy": "none",
        "enableLogDetails": True,
        "prettifyLogMessage": False,
        "showCommonLabels": False,
        "showLabels": False,
        "showLogContextToggle": False,
        "showTime": True,
        "sortOrder": "Descending",
        "wrapLogMessage": False,
    }
    return OwnPanel(kind="logs", options=options)


def _canvas(look: Mapping[str, Any]) -> core.Panel:
    root = {"elements": look.get("canvas", []), "name": "root", "type": "frame"}
    options = {"infinitePan": False, "inlineEditing": False, "panZoom": False, "root": root, "showAdvancedTypes": False}
    return OwnPanel(kind="canvas", options=options)


_MAKERS = {
    "bargauge": _bargauge,
    "canvas": _canvas,
    "gauge": _gauge,
    "heatmap": _heatmap,
    "logs": _logs,
    "stat": _stat,
    "state-timeline": _timeline,
    "table": _table,
    "text": _text,
    "timeseries": _timeseries,
}
PANEL_TYPES = tuple(sorted(_MAKERS))


def _color(kind: str, look: Mapping[str, Any]) -> Json:
    color = look.get("color")
    if isinstance(color, str) and color.startswith("#"):
        return {"fixedColor": color, "mode": "fixed"}
    return {"mode": "palette-classic" if kind == "timeseries" else "thresholds"}


def _thresholds(steps: Any) -> Json:
    """Steps with the base first. Grafana takes the base as minus infinity whatever its value; so it needs no null."""
    made = [{"color": step["color"], "value": step.get("value")} for step in steps]
    if not made or made[0]["value"] is not None:
        made.insert(0, {"color": "text", "value": None})
    made[0]["value"] = min(0, *(step["value"] - 1 for step in made[1:])) if len(made) > 1 else 0
    return {"mode": "absolute", "steps": made}


def _mapping(tree: Mapping[str, Any]) -> Json:
    result = {"color": tree["color"], "index": 0, "text": tree["text"]}
    if "value" in tree:
        return {"options": {str(tree["value"]): result}, "type": "value"}
    return {"options": {"from": tree.get("from"), "result": result, "to": tree.get("to")}, "type": "range"}


def _override(name: str, color: str) -> Json:
    by = {"id": "byRegexp", "options": name} if name.startswith("/") else {"id": "byName", "options": name}
    return {"matcher": by, "properties": [{"id": "color", "value": {"fixedColor": color, "mode": "fixed"}}]}


def _column(tree: Mapping[str, Any]) -> Json:
    """A table column: its title, unit, width, thresholds, and whether it is shown as text or as a bar."""
    properties: list[Json] = [{"id": key, "value": tree[key]} for key in _NUMBERS if key in tree]
    if "title" in tree:
        properties.append({"id": "displayName", "value": tree["title"]})
    if "width" in tree:
        properties.append({"id": "custom.width", "value": tree["width"]})
    if "thresholds" in tree:
        properties.append({"id": "thresholds", "value": _thresholds(tree["thresholds"])})
    if "cell" in tree:
        properties.append({"id": "custom.cellOptions", "value": {"type": tree["cell"]}})
    if tree.get("hidden"):
        properties.append({"id": "custom.hidden", "value": True})
    if "mappings" in tree:
        properties.append({"id": "mappings", "value": [_mapping(each) for each in tree["mappings"]]})
    if "link" in tree:
        properties.append({"id": "links", "value": [link(str(tree["link"]["title"]), str(tree["link"]["url"]))]})
    return {"matcher": {"id": "byName", "options": tree["field"]}, "properties": properties}


def _merge(base: Json, more: Mapping[str, Any]) -> Json:
    merged = dict(base)
    for key, value in more.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if both else value
    return merged
