"""What a template may say: the keys of each kind of file, which of them it needs, and what stands behind them."""

from __future__ import annotations

from collections.abc import Mapping

from dashgen import conventions as c
from dashgen.compile.template.gotemplate import refused
from dashgen.compile.template.shape import (
    ANY,
    TEXT,
    Each,
    Keys,
    Names,
    Shape,
    Value,
    choice,
    is_some,
    is_text,
    kind,
    matching,
    number,
)
from dashgen.model.fields import LABEL_PATTERN, METRIC_PATTERN
from dashgen.model.theme import COLOR_PATTERN
from dashgen.model.units import seconds


def _lasts(value: object, least: float = 0) -> bool:
    try:
        return isinstance(value, str) and seconds(value) >= least
    except ValueError:
        return False


SOME = kind("a text that is not empty", is_some, free=True)
PROMQL = kind("an expression in PromQL", is_some, "promql", free=True)
GO = Value(
    lambda value: is_text(value) and not (isinstance(value, str) and "{{" in value and refused(value)),
    lambda value: f"is no template of Prometheus: {refused(value)}" if isinstance(value, str) else TEXT.said(value),
    "gotemplate",
)
FLAG = kind("true or false", lambda value: isinstance(value, bool), text=False)
DURATION = kind("a duration like 30s, 5m or 1h30m", _lasts)
PERIOD = kind("a duration like 30s, 5m or 1h30m, longer than nothing", lambda value: _lasts(value, 0.001))
LABEL = matching(rf"(?!__){LABEL_PATTERN}", "the name of a label: letters, digits and `_`, and no `__` in front")
METRIC = matching(METRIC_PATTERN, "the name of a series: letters, digits, `_` and `:`")
COLOR = matching(rf"{COLOR_PATTERN}|rgba?\([0-9., ]+\)", 'a colour like "#37872D" or green')
NUMBER = number("a number")
SPAN = number("a whole number from 1 to 24", 1, 24, whole=True)
LABELS = Names(LABEL, TEXT)

_LINK = Keys("A link", {"title": TEXT, "url": SOME}, ("title", "url"))
_DASHBOARD_LINK = Keys("A link", {**_LINK.known, "icon": SOME}, _LINK.needed)
_THRESHOLDS = Each(Keys("A threshold", {"color": COLOR, "value": NUMBER}, ("color",)))
_MAPPINGS = Each(
    Keys("A mapping", {"value": TEXT, "from": NUMBER, "to": NUMBER, "text": TEXT, "color": COLOR}, ("text", "color"))
)
_NUMBERS = {
    "unit": SOME,
    "decimals": number("a whole number from 0 to 20", 0, 20, whole=True),
    "min": NUMBER,
    "max": NUMBER,
}
_COLUMN = Keys(
    "A column",
    {
        **_NUMBERS,
        "field": SOME,
        "title": TEXT,
        "width": number("a number of pixels", 1, 10_000),
        "thresholds": _THRESHOLDS,
        "cell": SOME,
        "hidden": FLAG,
        "mappings": _MAPPINGS,
        "link": _LINK,
    },
    ("field",),
)
_TRANSFORMATION = Keys("A transformation", {"id": SOME, "options": Names(TEXT, ANY)}, ("id",), rest=ANY)
_QUERY = Keys(
    "A query",
    {"expr": PROMQL, "legend": TEXT, "instant": FLAG, "table": FLAG, "exemplar": FLAG, "ref": SOME},
    ("expr",),
)
_PANEL = Keys(
    "A panel",
    {
        **_NUMBERS,
        "panel": SOME,
        "type": choice(*c.PANEL_TYPES),
        "title": TEXT,
        "description": TEXT,
        "width": SPAN,
        "height": SPAN,
        "legend": choice("list", "table", "right", "none"),
        "stack": FLAG,
        "fill": number("a number from 0 to 100", 0, 100),
        "line": number("a number from 0 to 10", 0, 10),
        "thresholds": _THRESHOLDS,
        "show_thresholds": choice("off", "line", "dashed", "area", "line+area", "dashed+area"),
        "colors": Names(SOME, COLOR),
        "color": COLOR,
        "mappings": _MAPPINGS,
        "text": TEXT,
        "options": Names(TEXT, ANY),
        "links": Each(_LINK),
        "columns": Each(_COLUMN),
        "transformations": Each(_TRANSFORMATION),
        "orientation": choice("auto", "horizontal", "vertical"),
        "graph": choice("none", "line", "area", "bars", "points"),
        "canvas": Each(Keys("An element", {"type": SOME, "name": SOME}, ("type", "name"), rest=ANY)),
        "interval": matching(r"[0-9]+(ms|[smhdwy])|\$\w+", "an interval like 30s or 5m"),
        "queries": Each(_QUERY),
    },
    ("panel", "type"),
    marked=True,
)
_VARIABLE = Keys(
    "A variable",
    {
        "name": matching(r"(?!__)\w+", "the name of a variable: letters, digits and `_`"),
        "type": choice("query", "datasource", "custom", "constant", "textbox", "interval", "adhoc"),
        "label": TEXT,
        "query": TEXT,
        "regex": TEXT,
        "default": TEXT,
        "multi": FLAG,
        "hidden": FLAG,
    },
    ("name",),
)
_ANNOTATION = Keys(
    "An annotation",
    {"name": SOME, "expr": PROMQL, "color": COLOR, "title": TEXT, "text": TEXT, "tags": TEXT, "step": PERIOD},
    ("name", "expr", "color"),
)
_DASHBOARD = Keys(
    "A dashboard",
    {
        "dashboard": SOME,
        "uid": matching(
            rf"[a-zA-Z0-9_-]{{1,{c.UID_LENGTH}}}",
            f"a uid, at most {c.UID_LENGTH} letters, digits, dashes (`<< uid(kind, name) >>` makes one)",
        ),
        "title": SOME,
        "description": TEXT,
        "folder": SOME,
        "tags": Each(SOME),
        "time": matching(r"now([-+]\d+[smhdwMQy])*(/f?[smhdwMQy])?|\d{4}-\d\d-\d\d.*", "a time like now-6h"),
        "refresh": matching(r"auto|([0-9]+(ms|[smhdwy]))?", "a duration like 30s or 1m"),
        "variables": Each(_VARIABLE),
        "annotations": Each(_ANNOTATION),
        "links": Each(_DASHBOARD_LINK),
        "rows": Each(Keys("A row", {"row": TEXT, "collapsed": FLAG, "panels": Each(_PANEL)}, ("panels",))),
    },
    ("uid", "title", "folder", "rows"),
    marked=True,
)

_RULE = Keys("A rule", {"record": METRIC, "expr": PROMQL, "labels": LABELS}, ("record", "expr"), marked=True)
_GROUP = Keys(
    "A group",
    {"group": SOME, "every": PERIOD, "labels": LABELS, "rules": Each(_RULE)},
    ("group", "every", "rules"),
    marked=True,
)

_TEST = Keys(
    "A test", {"name": SOME, "series": Each(Each(SOME, 2)), "firing": FLAG, "at": DURATION}, ("name",), marked=True
)
_ALERT = Keys(
    "An alert",
    {
        "alert": matching(r"[a-zA-Z_][a-zA-Z0-9_]*", "the name of an alert: letters, digits and `_`"),
        "group": SOME,
        "severity": choice(c.PAGE, c.TICKET),
        "labels": Names(LABEL, GO),
        "expr": PROMQL,
        "for": DURATION,
        "keep_firing_for": DURATION,
        "annotations": Names(LABEL, GO),
        "summary": GO,
        "description": GO,
        "dashboard": SOME,
        "runbook": SOME,
        "tests": Each(_TEST),
    },
    ("alert", "expr"),
    marked=True,
)

_MATCHERS = Each(
    matching(
        r"""\s*("[^"]+"|[\w:.-]+)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|[^"]*)\s*""", 'a matcher like severity="page"'
    )
)
_OLD_MATCHERS = Names(LABEL, TEXT)
_INHIBITION = Keys(
    "An inhibition",
    {
        **dict.fromkeys(("source_matchers", "target_matchers"), _MATCHERS),
        **dict.fromkeys(("source_match", "source_match_re", "target_match", "target_match_re"), _OLD_MATCHERS),
        "equal": Each(LABEL),
        "name": SOME,
    },
)
_BELOW: dict[str, Shape] = {
    "receiver": SOME,
    "group_by": Each(matching(rf"{LABEL_PATTERN}|\.\.\.", "the name of a label, or ...")),
    "group_wait": DURATION,
    "group_interval": PERIOD,
    "repeat_interval": PERIOD,
    "matchers": _MATCHERS,
    "match": _OLD_MATCHERS,
    "match_re": _OLD_MATCHERS,
    "continue": FLAG,
    "mute_time_intervals": Each(SOME),
    "active_time_intervals": Each(SOME),
}
_BELOW["routes"] = Each(Keys("A route", _BELOW))
_ROUTE = Keys("The first route", {key: each for key, each in _BELOW.items() if "match" not in key}, ("receiver",))
_ROUTING = Keys(
    "The routing",
    {
        "global": Names(SOME, ANY),
        "templates": Each(SOME),
        "route": _ROUTE,
        "inhibit_rules": Each(_INHIBITION),
        "receivers": Each(Keys("A receiver", {"name": SOME}, ("name",), rest=ANY)),
        "time_intervals": Each(Keys("A time interval", {"name": SOME}, ("name",), rest=ANY)),
    },
    ("route", "receivers"),
    marked=True,
)

_EXCLUSIONS = Names(SOME, Keys("An exclusion", {"reason": SOME, "entries": Each(Names(SOME, ANY))}, ("reason",)))

KINDS: Mapping[str, Keys] = {
    "templates/dashboards": _DASHBOARD,
    "templates/rules": Keys("A file of rules", {"groups": Each(_GROUP)}, ("groups",)),
    "templates/routes": Keys("A file of routes", {"routing": _ROUTING}, ("routing",)),
    "templates/lint": Keys(
        "A file for the linter",
        {"lint": Keys("The linter", {"exclusions": _EXCLUSIONS, "warnings": _EXCLUSIONS}, marked=True)},
        ("lint",),
    ),
    "alerts": Keys("An alert pack", {"alerts": Each(_ALERT)}, ("alerts",)),
}
