"""Spans and diagnostics: what is wrong, exactly where, why, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import IntEnum


class Severity(IntEnum):
    """How bad a finding is; only `ERROR` stops a run, and what is silenced does not count."""

    SILENCED = -1
    INFO = 0
    WARNING = 1
    ERROR = 2

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one line: `line` and `column` count from 1, `end` is the column behind the last character."""

    file: str
    line: int
    column: int
    end: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    `id` names the rule (`area/name`); `summary` is constant and names nobody; `detail` says in sentences what
    was found, why it matters and what to do.
    """

    id: str
    summary: str
    detail: str
    span: Span | None = None
    severity: Severity = Severity.ERROR
    related: tuple[tuple[str, Span], ...] = field(default=())

    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Order by place, then by id."""
        at = self.span or Span("", 0, 0, 0)
        return (at.file, at.line, at.column, self.id, self.detail)


class RunError(Exception):
    """The run cannot go on, for a reason outside the input; the message says which and what to do."""


def in_order(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sort findings by place and drop exact repeats.

    >>> late = Diagnostic("a/b", "S", "D", Span("f", 9, 1, 2))
    >>> early = Diagnostic("a/b", "S", "D", Span("f", 2, 1, 2))
    >>> [str(d.span) for d in in_order([late, early, late])]
    ['f:2:1', 'f:9:1']
    """
    return sorted(dict.fromkeys(found), key=Diagnostic.sort_key)


def has_errors(found: Iterable[Diagnostic]) -> bool:
    """Whether any finding stops the run."""
    return any(d.severity is Severity.ERROR for d in found)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence that offers the nearest known names, or an empty text.

    >>> did_you_mean("gatway", ["gateway", "orders"])
    ' Did you mean “gateway”?'
    >>> did_you_mean("zzz", ["gateway"])
    ''
    """
    near = difflib.get_close_matches(name, sorted(known), n=2, cutoff=0.6)
    return f" Did you mean {' or '.join(f'“{n}”' for n in near)}?" if near else ""


def offer(name: str, known: Collection[str]) -> str:
    """A sentence that offers the nearest known names, or all of them.

    >>> offer("gatway", ["gateway", "orders"]), offer("zzz", ["gateway", "orders"]), offer("zzz", [])
    (' Did you mean “gateway”?', ' Known: gateway, orders.', ' None is known.')
    """
    listed = ", ".join(sorted(known))
    return did_you_mean(name, known) or (f" Known: {listed}." if listed else " None is known.")
