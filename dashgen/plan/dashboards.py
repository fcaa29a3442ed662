"""Dashboards without what Grafana adds, moves and drops when it stores them, and their diff panel by panel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dashgen import promql
from dashgen.plan.texts import bare, change, changes

# What a server sets for itself; none of it is content.
_NOISE = (
    "id",
    "version",
    "iteration",
    "gnetId",
    "schemaVersion",
    "__inputs",
    "__elements",
    "__requires",
    "meta",
    "slug",
)
# What Grafana's migrations and its editor add (apps/dashboard/pkg/migration, public/app/features/dashboard/state).
_DEFAULTS: dict[str, Any] = {
    "style": "dark",
    "hideControls": False,
    "sharedCrosshair": False,
    "preload": False,
    "editable": True,
    "fiscalYearStartMonth": 0,
    "graphTooltip": 0,
    "liveNow": False,
    "timezone": "",
    "weekStart": "",
    "refresh": "",
    "description": "",
}
_PANEL_DEFAULTS: dict[str, Any] = {
    "description": "",
    "transparent": False,
    "collapsed": False,
    "repeatDirection": "h",
    "title": "",
    "pluginVersion": ...,
    "editable": ...,
    "error": ...,
    "height": ...,
    "span": ...,
    "minSpan": ...,
    "renderer": ...,
}
_TARGET_DEFAULTS: dict[str, Any] = {"hide": False, "exemplar": False, "instant": False, "interval": "", "step": ...}
_VARIABLE_DEFAULTS: dict[str, Any] = {
    "hide": 0,
    "skipUrlSync": False,
    "label": "",
    "description": "",
    "regex": "",
    "sort": 0,
    "multi": False,
    "includeAll": False,
    "allValue": "",
    "error": ...,
    "useTags": ...,
    "tagsQuery": ...,
    "tagValuesQuery": ...,
    "allowCustomValue": True,
}


def canonical(data: dict[str, Any]) -> dict[str, Any]:
    """What counts of a dashboard. Panels stand in the order in which they are seen; `options` of queries are results.

    >>> panels = [{"id": 1, "type": "text", "transformations": []}]
    >>> canonical({"title": "A", "version": 3, "style": "dark", "panels": panels})
    {'title': 'A', 'panels': [{'id': 1, 'type': 'text'}]}
    """
    made = _without(bare({key: each for key, each in data.items() if key not in _NOISE}), _DEFAULTS)
    panels = made.get("panels")
    if isinstance(panels, list):
        made["panels"] = sorted((_panel(each) for each in panels if isinstance(each, dict)), key=_position)
    variables = made.get("templating", {}).get("list") if isinstance(made.get("templating"), dict) else None
    if isinstance(variables, list):
        made["templating"] = {"list": [_variable(each) for each in variables if isinstance(each, dict)]}
    annotations = made.get("annotations", {}).get("list") if isinstance(made.get("annotations"), dict) else None
    if isinstance(annotations, list):
        kept = [each for each in annotations if isinstance(each, dict) and not each.get("builtIn")]
        made["annotations"] = {"list": kept}
    return made


def details(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """The diff of two canonical forms: what is around the panels, then panel by panel, query by query."""
    rest_before, rest_after = ({k: v for k, v in each.items() if k not in _PARTS} for each in (before, after))
    yield from changes(rest_before, rest_after)
    for what, section in (("variable", "templating"), ("annotation", "annotations")):
        old, new = (_list(each, section) for each in (before, after))
        yield from _parts(what, old, new)
    yield from _parts("panel", _panels(before), _panels(after))


_PARTS = ("panels", "templating", "annotations")


def _parts(what: str, old: dict[str, dict[str, Any]], new: dict[str, dict[str, Any]]) -> Iterator[str]:
    for key in dict.fromkeys([*old, *new]):
        part = new.get(key) or old[key]
        name = f"{what} “{part.get('title') or part.get('name') or part.get('type') or key}”"
        if key not in old or key not in new:
            yield f"{name}: {'new' if key in new else 'removed'}"
        elif old[key] != new[key]:
            yield f"{name}: {'; '.join(_inside(old[key], new[key]))}"
    if list(old) != list(new) and set(old) == set(new):
        yield f"{what}s stand in another order"


def _inside(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """What changed inside a panel, in the words of Grafana's editor."""
    if before.get("gridPos") != after.get("gridPos"):
        yield "moved or resized"
    old, new = (
        {str(t.get("refId")): t for t in each.get("targets", ()) if isinstance(t, dict)} for each in (before, after)
    )
    for ref in dict.fromkeys([*old, *new]):
        if ref not in old or ref not in new:
            yield f"query {ref} {'new' if ref in new else 'removed'}"
        elif old[ref] != new[ref]:
            yield f"query {ref}: {', '.join(changes(old[ref], new[ref]))}"
    aside = ("gridPos", "targets", "fieldConfig")
    around = [{k: v for k, v in each.items() if k not in aside} for each in (before, after)]
    yield from changes(around[0], around[1])
    fields = [each.get("fieldConfig", {}) for each in (before, after)]
    yield from changes(fields[0].get("defaults"), fields[1].get("defaults"))
    if fields[0].get("overrides") != fields[1].get("overrides"):
        yield change("overrides", fields[0].get("overrides"), fields[1].get("overrides"))


def _panel(panel: dict[str, Any]) -> dict[str, Any]:
    made = _without(panel, _PANEL_DEFAULTS)
    if isinstance(made.get("targets"), list):
        made["targets"] = [_target(each) for each in made["targets"] if isinstance(each, dict)]
    if isinstance(made.get("panels"), list):
        made["panels"] = sorted((_panel(each) for each in made["panels"] if isinstance(each, dict)), key=_position)
    return made


def _target(target: dict[str, Any]) -> dict[str, Any]:
    made = _without(target, _TARGET_DEFAULTS)
    if isinstance(made.get("expr"), str):
        made["expr"] = _expression(made["expr"])
    return made


def _variable(variable: dict[str, Any]) -> dict[str, Any]:
    """A variable; what a viewer chose and what a query answered is not content."""
    chosen = ("current", "options") if variable.get("type") in ("query", "datasource") else ()
    return {key: each for key, each in _without(variable, _VARIABLE_DEFAULTS).items() if key not in chosen}


def _expression(text: str) -> str:
    """An expression as it is written where Grafana's variables stand in it, else in one form."""
    try:
        return promql.canonical(text)
    except promql.PromqlError:
        return " ".join(text.split())


def _without(value: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is as it is by default, or (`...`) never counts."""
    return {key: each for key, each in value.items() if key not in defaults or defaults[key] not in (each, ...)}


def _position(panel: dict[str, Any]) -> tuple[Any, ...]:
    place = panel.get("gridPos")
    place = place if isinstance(place, dict) else {}
    return tuple(each if isinstance(each, int) else 0 for each in (place.get("y"), place.get("x"), panel.get("id")))


def _list(data: dict[str, Any], section: str) -> dict[str, dict[str, Any]]:
    inside = data.get(section)
    listed = inside.get("list", ()) if isinstance(inside, dict) else ()
    return {str(each.get("name")): each for each in listed if isinstance(each, dict)}


def _panels(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Panels by id, those of collapsed rows too."""
    made: dict[str, dict[str, Any]] = {}
    for panel in data.get("panels", ()):
        made[str(panel.get("id"))] = {key: each for key, each in panel.items() if key != "panels"}
        for inner in panel.get("panels", ()):
            made[str(inner.get("id"))] = inner
    return made
