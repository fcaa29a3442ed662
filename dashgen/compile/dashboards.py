"""Instantiated dashboard templates → dashboards, with panels that know their semantic key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dashgen import conventions as c
from dashgen.compile.template.faults import odd, raise_together
from dashgen.model.intent import Dashboard, Panel, Query, Row

_CONTENT = frozenset(("panel", "type", "title", "description", "width", "height", "queries", "links", "origin"))


def read(tree: Mapping[str, Any]) -> Dashboard:
    """Read one instantiated dashboard template."""
    faults = [odd(panel["origin"], told) for row in tree["rows"] for panel in row["panels"] for told in _wrong(panel)]
    raise_together(faults)
    return Dashboard(
        uid=str(tree["uid"]),
        title=str(tree["title"]),
        description=str(tree.get("description", "")),
        folder=c.slug(str(tree["folder"])),
        tags=tuple(str(tag) for tag in tree.get("tags", ())),
        span=str(tree.get("time", "now-6h")),
        refresh=str(tree.get("refresh", "1m")),
        variables=tuple(tree.get("variables", ())),
        annotations=tuple(tree.get("annotations", ())),
        links=tuple(tree.get("links", ())),
        rows=tuple(
            Row(str(row.get("row", "")), row.get("collapsed", False), tuple(_panel(panel) for panel in row["panels"]))
            for row in tree["rows"]
        ),
        origin=tree["origin"],
    )


def _panel(tree: Mapping[str, Any]) -> Panel:
    return Panel(
        key=str(tree["panel"]),
        type=tree["type"],
        title=str(tree.get("title", "")),
        description=str(tree.get("description", "")),
        width=int(tree.get("width", 8)),
        height=int(tree.get("height", 8)),
        queries=tuple(_query(query, position) for position, query in enumerate(tree.get("queries", ()))),
        links=tuple(tree.get("links", ())),
        look={key: value for key, value in tree.items() if key not in _CONTENT},
        origin=tree["origin"],
    )


def _wrong(panel: Mapping[str, Any]) -> Iterator[str]:
    refs = [str(query.get("ref", _ref(position))) for position, query in enumerate(panel.get("queries", ()))]
    if len(set(refs)) < len(refs):
        yield f"Two queries have the same `ref`: {', '.join(refs)}."
    for steps in (panel.get("thresholds", ()), *(column.get("thresholds", ()) for column in panel.get("columns", ()))):
        if any("value" not in step for step in steps[1:]):
            yield "Only the first threshold can be without a `value`; it holds below the second."


def _query(tree: Mapping[str, Any], position: int) -> Query:
    return Query(
        expr=str(tree["expr"]).strip(),
        legend=str(tree.get("legend", "")),
        instant=tree.get("instant", False),
        table=tree.get("table", False),
        exemplar=tree.get("exemplar", False),
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
