"""What a panel asks, and whom: Prometheus and Loki targets, variables and annotations."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from grafanalib import core

from dashgen.render.grafana.plain import Json, plain

METRICS = {"type": "prometheus", "uid": "${prometheus_datasource}"}
LOGS = {"type": "loki", "uid": "${loki_datasource}"}
_VARIABLE_KEYS = frozenset(
    "name type label query datasource multi includeAll allValue current refresh regex hide sort options".split()
)


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
