"""Dashboards → classic Grafana JSON: panels laid out on the grid, with ids that outlive their neighbours."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import orjson

from dashgen import conventions as c
from dashgen.model.intent import Dashboard, Panel, Query, Row
from dashgen.render.grafana import fields, frame, panels, queries
from dashgen.render.grafana.plain import Json

COLUMNS = 24


def dashboard(intent: Dashboard) -> Json:
    """One dashboard as JSON."""
    return frame.dashboard(
        uid=intent.uid,
        title=intent.title,
        description=intent.description,
        tags=list(intent.tags),
        span=intent.span,
        refresh=intent.refresh,
        variables=[queries.variable(each) for each in intent.variables],
        annotations=[queries.annotation(each) for each in intent.annotations],
        links=[fields.link(each["title"], each["url"], icon=each.get("icon", "dashboard")) for each in intent.links],
        panels=_panels(intent.rows),
    )


def _panels(rows: tuple[Row, ...]) -> list[Json]:
    made: list[Json] = []
    titles: Counter[str] = Counter()
    y = 0
    for row in rows:
        if not row.panels:
            continue
        start = y + 1 if row.title else y
        inside, end = _lay_out(row.panels, start)
        if row.title:
            again = f":{titles[row.title]}" if titles[row.title] else ""
            titles[row.title] += 1
            made.append(frame.row(row.title, c.panel_id(f"row:{row.title}{again}"), y, row.collapsed, inside))
        if not (row.title and row.collapsed):
            made += inside
        y = start if row.title and row.collapsed else end
    return made


def _lay_out(shown: tuple[Panel, ...], top: int) -> tuple[list[Json], int]:
    """Place panels from left to right; a panel that does not fit starts a new line below the tallest."""
    made: list[Json] = []
    x, y, tallest = 0, top, 0
    for panel in shown:
        if x + panel.width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        made.append(_panel(panel, frame.position(x, y, panel.width, panel.height)))
        x, tallest = x + panel.width, max(tallest, panel.height)
    return made, y + tallest


def _panel(panel: Panel, place: Json) -> Json:
    skeleton = _skeleton(panel.type, orjson.dumps(panel.look, default=float))
    made = {**skeleton, "id": c.panel_id(panel.key), "title": panel.title, "gridPos": place}
    if panel.description:
        made["description"] = panel.description
    if panel.type != "text":
        made["targets"] = [_target(panel.type, query) for query in panel.queries]
    if panel.links:
        field = made["fieldConfig"]
        links = [fields.link(str(each["title"]), str(each["url"]), blank=True) for each in panel.links]
        made["fieldConfig"] = {**field, "defaults": {**field["defaults"], "links": links}}
    return made


def _target(kind: str, query: Query) -> Json:
    if kind == "logs":
        return queries.log_target(query.expr, query.ref)
    return queries.target(
        query.expr, query.legend, query.ref, instant=query.instant, table=query.table, exemplar=query.exemplar
    )


@lru_cache(maxsize=4096)
def _skeleton(kind: str, look: bytes) -> Json:
    """Everything about a panel that does not depend on its content; made by grafanalib once, then reused."""
    return panels.panel(kind, orjson.loads(look))
