"""Panels as Grafana 12 and 13 store them, made by grafanalib where it is right and here where it is not.

grafanalib 0.7.1 emits nulls, fields that Grafana dropped, and outdated bar gauges, gauges, heatmaps and tables. These
panels leave out what Grafana assumes anyway, so that a diff shows what somebody meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attr
from grafanalib import core

from dashgen.render.grafana.fields import NUMBERS, color, column, mapping, override, thresholds
from dashgen.render.grafana.plain import Json, merge, plain
from dashgen.render.grafana.queries import LOGS, METRICS

_PANEL_KEYS = frozenset(
    "type title description datasource fieldConfig options transformations interval targets".split()
)
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
    for key in NUMBERS:
        defaults.pop(key, None)
        if key in look:
            defaults[key] = look[key]
    if not defaults.get("mappings"):
        defaults.pop("mappings", None)
    if "mappings" in look:
        defaults["mappings"] = [mapping(each) for each in look["mappings"]]
    if "custom" in defaults:
        defaults["custom"] = {key: v for key, v in defaults["custom"].items() if v != _CUSTOM_DEFAULTS.get(key)}
    defaults["thresholds"] = thresholds(look.get("thresholds", ()))
    defaults["color"] = color(kind, look)
    field["overrides"] += [override(name, shown) for name, shown in (look.get("colors") or {}).items()]
    field["overrides"] += [column(each) for each in look.get("columns", ())]
    json.setdefault("datasource", LOGS if kind == "logs" else METRICS)
    json = merge(json, {"options": look.get("options") or {}})
    if "transformations" in look:
        json["transformations"] = look["transformations"]
    return json


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
        extraJson={"options": {"legend": {"calcs": [], "showLegend": False}, "tooltip": {"sort": "none"}}},
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
