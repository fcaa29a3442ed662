"""Instantiated dashboard templates → dashboards, with panels that know their semantic key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashgen.model.intent import Dashboard, Panel, Query, Row

_CONTENT = frozenset(("panel", "type", "title", "description", "width", "height", "queries", "links", "origin"))


def read(tree: Mapping[str, Any]) -> Dashboard:
    """Read one instantiated dashboard template."""
    uid = str(tree["uid"])
    return Dashboard(
        uid=uid,
        title=str(tree["title"]),
        description=str(tree.get("description", "")),
        folder=str(tree["folder"]),
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
        key=str(tree["panel"]),
        type=str(tree["type"]),
        title=str(tree.get("title", "")),
        description=str(tree.get("description", "")),
        width=int(tree.get("width", 8)),
        height=int(tree.get("height", 8)),
        queries=tuple(_query(query, position) for position, query in enumerate(tree.get("queries", ()))),
        links=tuple(tree.get("links", ())),
        look={key: value for key, value in tree.items() if key not in _CONTENT},
        origin=str(tree["origin"]),
    )


def _query(tree: Mapping[str, Any], position: int) -> Query:
    return Query(
        expr=str(tree["expr"]).strip(),
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
