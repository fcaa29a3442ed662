"""Graph + Artifacts → Diagnostics: what should not be, check by check. `resolve` reports what cannot be."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from dashgen.diagnostics import Diagnostic, Severity, Span
from dashgen.model.graph import Graph
from dashgen.verify import checks, silences
from dashgen.verify.duplicates import duplicates
from dashgen.verify.registry import CHECKS, Check, Finding, Made

Locate = Callable[..., Span]


@dataclass(frozen=True, slots=True)
class Verifier:
    """Runs the checks on one graph and what is made of it; `at` and `template` find the lines of findings."""

    graph: Graph
    at: Locate
    template: Callable[[str], Span]
    today: datetime.date

    def of_graph(self) -> list[Diagnostic]:
        """Findings on the graph, and on its silences."""
        found = [
            d for check in CHECKS.values() if check.scope == "graph" for d in self._run(check, check.run(self.graph))
        ]
        return [*found, *silences.stale(self.graph, self.at, self.today)]

    def of_unit(self, made: Made) -> list[Diagnostic]:
        """Findings on what was made for one unit."""
        kind, _, name = made.intents.owner.partition("-")
        entry = (f"{kind}s", name)  # of the service or the chain, where what was made of it is silenced
        return [
            d for check in CHECKS.values() if check.scope == "unit" for d in self._run(check, check.run(made), entry)
        ]

    def of_dashboards(self, dashboards: Iterable[tuple[str, str, str]]) -> list[Diagnostic]:
        """Findings on the (owner, uid, origin) of all dashboards together."""
        return list(duplicates(dashboards, self.template))

    def _run(self, check: Check, findings: Iterable[Finding], entry: tuple[object, ...] = ()) -> Iterator[Diagnostic]:
        for finding in findings:
            severity = check.severity if finding.severity is None else finding.severity
            span = self.template(finding.origin) if finding.origin else self.at(finding.path, key=True)
            made = Diagnostic(check.id, check.summary, finding.detail, span, severity)
            silence = silences.silencing(self.graph.silences, check.id, finding.path or entry, self.today)
            if silence is not None and severity is not Severity.ERROR:
                made = replace(
                    made,
                    severity=Severity.SILENCED,
                    detail=f"{made.detail} Silenced until {silence.until}: {silence.reason}",
                )
            yield made


__all__ = ["CHECKS", "Made", "Verifier", "checks"]
