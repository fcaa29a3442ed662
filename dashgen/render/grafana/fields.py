"""What a panel says about its fields: thresholds, colours, mappings, table columns, and the links of a data point."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from grafanalib import core

from dashgen.render.grafana.plain import Json, plain

LIMIT = 1e308  # an open end of a range; Grafana reads a null as 0
NUMBERS = ("unit", "decimals", "min", "max")


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


def color(kind: str, look: Mapping[str, Any]) -> Json:
    """The colour of a panel's values: the one that is given, or by series or threshold."""
    given = look.get("color", "none")
    if given not in ("background", "value", "none"):
        return {"fixedColor": given, "mode": "fixed"}
    return {"mode": "palette-classic" if kind == "timeseries" else "thresholds"}


def thresholds(steps: Any) -> Json:
    """Steps with the base first. Grafana takes the base as minus infinity whatever its value; so it needs no null."""
    made = [{"color": step["color"], "value": step.get("value")} for step in steps]
    if not made or made[0]["value"] is not None:
        made.insert(0, {"color": "text", "value": None})
    made[0]["value"] = min(0, *(step["value"] - 1 for step in made[1:])) if len(made) > 1 else 0
    return {"mode": "absolute", "steps": made}


def mapping(tree: Mapping[str, Any]) -> Json:
    """A value, or a range of values, shown as a coloured word."""
    result = {"color": tree["color"], "index": 0, "text": tree["text"]}
    if "value" in tree:
        return {"options": {str(tree["value"]): result}, "type": "value"}
    return {
        "options": {"from": tree.get("from", -LIMIT), "result": result, "to": tree.get("to", LIMIT)},
        "type": "range",
    }


def override(name: str, shown: str) -> Json:
    """The colour of one series, by its legend or by a pattern between slashes."""
    by = {"id": "byRegexp", "options": name} if name.startswith("/") else {"id": "byName", "options": name}
    return {"matcher": by, "properties": [{"id": "color", "value": {"fixedColor": shown, "mode": "fixed"}}]}


def column(tree: Mapping[str, Any]) -> Json:
    """A table column: its title, unit, width, thresholds, and whether it is shown as text or as a bar."""
    properties: list[Json] = [{"id": key, "value": tree[key]} for key in NUMBERS if key in tree]
    if "title" in tree:
        properties.append({"id": "displayName", "value": tree["title"]})
    if "width" in tree:
        properties.append({"id": "custom.width", "value": tree["width"]})
    if "thresholds" in tree:
        properties.append({"id": "thresholds", "value": thresholds(tree["thresholds"])})
    if "cell" in tree:
        properties.append({"id": "custom.cellOptions", "value": {"type": tree["cell"]}})
    if tree.get("hidden"):
        properties.append({"id": "custom.hidden", "value": True})
    if "mappings" in tree:
        properties.append({"id": "mappings", "value": [mapping(each) for each in tree["mappings"]]})
    if "link" in tree:
        properties.append({"id": "links", "value": [link(str(tree["link"]["title"]), str(tree["link"]["url"]))]})
    return {"matcher": {"id": "byName", "options": tree["field"]}, "properties": properties}
