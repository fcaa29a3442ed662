"""What is to be made, before it is written in anybody's format: rules, dashboards, routes, runbooks, tests.

Every intent knows its `origin`, the `file:line:column` of the template that asked for it, and its `path`, the entry
of the specification that it stands for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Tree = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """A recording rule, or an alert when `alert` is true; durations as Prometheus writes them."""

    name: str
    alert: bool
    expr: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    wait: str
    keep: str
    origin: str


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together, in order, `every` so often."""

    name: str
    every: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """One target of a panel."""

    expr: str
    legend: str
    instant: bool
    table: bool
    exemplar: bool
    ref: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `look` is all that does not depend on the service: it is rendered once and reused."""

    key: str
    type: str
    title: str
    description: str
    width: int
    height: int
    queries: tuple[Query, ...]
    links: tuple[Tree, ...]
    look: Tree
    origin: str


@dataclass(frozen=True, slots=True)
class Row:
    """A titled row of panels; without a title its panels stand at the top."""

    title: str
    collapsed: bool
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard in a folder."""

    uid: str
    title: str
    description: str
    folder: str
    tags: tuple[str, ...]
    span: str
    refresh: str
    variables: tuple[Tree, ...]
    annotations: tuple[Tree, ...]
    links: tuple[Tree, ...]
    rows: tuple[Row, ...]
    origin: str


@dataclass(frozen=True, slots=True)
class Runbook:
    """A Markdown page for one alert of one owner."""

    alert: str
    text: str
    origin: str


@dataclass(frozen=True, slots=True)
class RuleTest:
    """One promtool test: what flows in, and which alerts must or must not be firing at a time."""

    name: str
    series: tuple[tuple[str, str], ...]
    at: str
    firing: tuple[Mapping[str, str], ...]
    silent: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Intents:
    """Everything that one unit asks for.

    Only the graph's unit has `routing`, the Alertmanager configuration, and `lint`, what a linter shall let pass.
    """

    owner: str
    groups: tuple[Group, ...] = ()
    dashboards: tuple[Dashboard, ...] = ()
    runbooks: tuple[Runbook, ...] = ()
    tests: tuple[RuleTest, ...] = ()
    routing: Tree | None = None
    lint: Tree | None = None
