"""Silenced findings: kept apart with their reason while the silence lasts, and reported once it has ended."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence

from dashgen.diagnostics import Diagnostic, Severity, Span, did_you_mean
from dashgen.model.graph import Graph, Silence
from dashgen.verify.registry import CHECKS


def silencing(silences: Sequence[Silence], id: str, path: Sequence[object], today: datetime.date) -> Silence | None:
    """The silence that covers a finding: of its check, on its entry or one around it, and not over yet."""
    for silence in silences:
        if silence.check == id and tuple(path[: len(silence.path)]) == silence.path and today <= silence.until:
            return silence
    return None


def stale(graph: Graph, at: Callable[..., Span], today: datetime.date) -> Iterator[Diagnostic]:
    """Silences that have ended, or that name a check which does not exist."""
    for silence in graph.silences:
        place = (*silence.path, "silence", silence.position)
        if silence.check not in CHECKS:
            detail = f"There is no check “{silence.check}”.{did_you_mean(silence.check, CHECKS)} See docs/checks/."
            yield Diagnostic("silence/unknown", "A silence names an unknown check", detail, at((*place, "check")))
        elif silence.until < today:
            detail = (
                f"The silence of {silence.check} ended on {silence.until} ({silence.reason}). Settle it or renew it."
            )
            yield Diagnostic("silence/ended", "A silence has ended", detail, at((*place, "until")), Severity.WARNING)
