"""Graph + Artifacts → Diagnostics: what should not be, check by check. `resolve` reports what cannot be."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from dashgen.diagnostics import Diagnostic, Severity, Span
from dashgen.model.graph import Graph
from dashgen.verify import checks, silences
from dashgen.verify.registry import CHECKS, Check, Finding, Made

Locate = Callable[..., Span]


@dataclass(frozen=True, slots=True)
class Verifier:
    """Runs the checks on one graph and what is made of it; `today` decides which silences hold."""

    graph: Graph
    at: Locate
    today: datetime.date

    def of_graph(self) -> list[Diagnostic]:
        """Findings on the graph, and on its silences."""
        found = [
            d for check in CHECKS.values() if check.scope == "graph" for d in self._run(check, check.run(self.graph))
        ]
        return [*found, *silences.stale(self.graph, self.at, self.today)]

    def of_unit(self, made: Made) -> list[Diagnostic]:
        """Findings on what was made for one unit."""
        return [d for check in CHECKS.values() if check.scope == "unit" for d in self._run(check, check.run(made))]

    def _run(self, check: Check, findings: Iterable[Finding]) -> Iterator[Diagnostic]:
        for finding in findings:
            severity = check.severity if finding.severity is None else finding.severity
            span = _origin(finding.origin) or self.at(finding.path, key=True)
            made = Diagnostic(check.id, check.summary, finding.detail, span, severity)
            silence = silences.silencing(self.graph.silences, check.id, finding.path, self.today)
            if silence is not None and severity is not Severity.ERROR:
                made = replace(
                    made,
                    severity=Severity.SILENCED,
                    detail=f"{made.detail} Silenced until {silence.until}: {silence.reason}",
                )
            yield made


def _origin(origin: str) -> Span | None:
    """The place in a template, from its text `file:line:column`."""
    if not origin:
        return None
    file, line, column = origin.rsplit(":", 2)
    return Span(file, int(line), int(column), int(column) + 1)


__all__ = ["CHECKS", "Made", "Verifier", "checks"]
