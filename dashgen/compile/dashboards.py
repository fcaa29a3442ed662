"""Instantiated dashboard templates → dashboards, with panels that know their semantic key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dashgen import conventions as c
from dashgen.compile.template.reading import fault, need, one_of, whole
from dashgen.model.intent import Dashboard, Panel, Query, Row

_CONTENT = frozenset(("panel", "type", "title", "description", "width", "height", "queries", "links", "origin"))


def read(tree: Mapping[str, Any]) -> Dashboard:
    """Read one instantiated dashboard template."""
    uid = need(tree, "uid", "A dashboard")
    if len(uid) > c.UID_LENGTH or not re.fullmatch(r"[a-zA-Z0-9_-]+", uid):
        raise fault(tree, f"“{uid}” is no uid: at most {c.UID_LENGTH} letters, digits, dashes. Use `uid(kind, name)`.")
    return Dashboard(
        uid=uid,
        title=need(tree, "title", "A dashboard"),
        description=str(tree.get("description", "")),
        folder=c.slug(need(tree, "folder", "A dashboard")),
        tags=tuple(str(tag) for tag in tree.get("tags", ())),
        span=str(tree.get("time", "now-6h")),
        refresh=str(tree.get("refresh", "1m")),
        variables=tuple(tree.get("variables", ())),
        annotations=tuple(tree.get("annotations", ())),
        links=tuple(tree.get("links", ())),
        rows=tuple(
            Row(
                str(row.get("row", "")),
                bool(row.get("collapsed", False)),
                tuple(_panel(panel) for panel in row.get("panels", ())),
            )
            for row in tree["rows"]
        ),
        origin=str(tree.get("origin", "")),
    )


def _panel(tree: Mapping[str, Any]) -> Panel:
    return Panel(
        key=need(tree, "panel", "A panel"),
        type=one_of(tree, "type", "A panel", c.PANEL_TYPES),
        title=str(tree.get("title", "")),
        description=str(tree.get("description", "")),
        width=whole(tree, "width", 8),
        height=whole(tree, "height", 8),
        queries=tuple(_query(tree, query, position) for position, query in enumerate(tree.get("queries", ()))),
        links=tuple(tree.get("links", ())),
        look={key: value for key, value in tree.items() if key not in _CONTENT},
        origin=str(tree["origin"]),
    )


def _query(panel: Mapping[str, Any], tree: Mapping[str, Any], position: int) -> Query:
    return Query(
        expr=need({"origin": panel["origin"], **tree}, "expr", "A query").strip(),
        legend=str(tree.get("legend", "")),
        instant=bool(tree.get("instant", False)),
        table=bool(tree.get("table", False)),
        exemplar=bool(tree.get("exemplar", False)),
        ref=str(tree.get("ref", _ref(position))),
    )


def _ref(position: int) -> str:
    """A query's letter.

    >>> _ref(0), _ref(25), _ref(26)
    ('A', 'Z', 'AA')
    """
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
