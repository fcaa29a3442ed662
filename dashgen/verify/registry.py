"""How a check is declared, what it sees, and what it says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from dashgen.diagnostics import Severity
from dashgen.model.artifact import Artifact
from dashgen.model.graph import Graph, Settings
from dashgen.model.intent import Intents


@dataclass(frozen=True, slots=True)
class Made:
    """What was made for one unit; `canonical` matches the names of the contract's series."""

    settings: Settings
    canonical: re.Pattern[str]
    intents: Intents
    artifacts: tuple[Artifact, ...]

    def expressions(self) -> Iterator[tuple[str, str, str]]:
        """Every PromQL expression, with the name of what holds it and the line of its template."""
        for rule in (rule for group in self.intents.groups for rule in group.rules):
            yield rule.expr, rule.name, rule.origin
        for dashboard in self.intents.dashboards:
            for annotation in dashboard.annotations:
                yield str(annotation["expr"]), f"the annotation {annotation['name']}", dashboard.origin
            for panel in (
                panel for row in dashboard.rows for panel in row.panels if panel.type not in ("logs", "text")
            ):
                for query in panel.queries:
                    yield query.expr, f"the panel “{panel.title}”", panel.origin


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: `path` leads to an entry of the specification, `origin` to a line of a template."""

    detail: str
    path: tuple[object, ...] = ()
    origin: str = ""
    severity: Severity | None = None


GraphCheck = Callable[[Graph], Iterator[Finding]]
UnitCheck = Callable[[Made], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """A check: `summary` says what is wrong, in words that name nobody; `text` why it matters and what to do."""

    id: str
    severity: Severity
    scope: Literal["graph", "unit"]
    run: Callable[..., Iterator[Finding]]
    summary: str
    text: str


CHECKS: dict[str, Check] = {}


def _declare(id: str, severity: Severity, scope: Literal["graph", "unit"], run: Callable[..., Any]) -> None:
    summary, _, text = inspect.cleandoc(run.__doc__ or "").partition("\n")
    CHECKS[id] = Check(id, severity, scope, run, summary.rstrip("."), text.strip())


def graph_check(id: str, severity: Severity = Severity.WARNING) -> Callable[[GraphCheck], GraphCheck]:
    """Declare a check of the whole graph."""

    def declare(run: GraphCheck) -> GraphCheck:
        _declare(id, severity, "graph", run)
        return run

    return declare


def unit_check(id: str, severity: Severity = Severity.WARNING) -> Callable[[UnitCheck], UnitCheck]:
    """Declare a check of what was made for a unit."""

    def declare(run: UnitCheck) -> UnitCheck:
        _declare(id, severity, "unit", run)
        return run

    return declare
