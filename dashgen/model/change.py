"""What a plan consists of: changes, with the symbols that users see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from dashgen.diagnostics import Diagnostic


class Action(StrEnum):
    """What happens to an object; the value is its symbol."""

    CREATE = "+"
    UPDATE = "~"
    DELETE = "-"
    KEEP = "="
    CONFLICT = "!"


@dataclass(frozen=True, slots=True)
class Change:
    """One object, and what is to happen to it. `reason` says why where it is not obvious."""

    action: Action
    path: str
    reason: str = ""


@dataclass(slots=True)
class Outcome:
    """What a run found and what it changed or would change; `made` counts artifacts, rules and alerts by kind."""

    found: list[Diagnostic] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    made: Counter[str] = field(default_factory=Counter)


def counted(changes: Iterable[Change]) -> Counter[Action]:
    """How many changes there are of each kind."""
    return Counter(change.action for change in changes)
