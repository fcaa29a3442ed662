"""Drift: the state of an object against what was last pushed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dashgen.model.remote import Key


class State(StrEnum):
    """How an object is, compared with the last push."""

    UNCHANGED = "unchanged"
    EDITED = "edited"
    MISSING = "missing"
    FOREIGN = "foreign"
    UNPUSHED = "not pushed"


@dataclass(frozen=True, slots=True)
class Drifted:
    """One object and its state; who and when as far as the remote tells, `details` from what was pushed to what is."""

    remote: str
    key: Key
    title: str
    state: State
    edited_by: str = ""
    edited_at: str = ""
    details: tuple[str, ...] = ()

    @property
    def drifts(self) -> bool:
        """Whether somebody has to look at it; what was not pushed yet waits for nobody but a push."""
        return self.state not in (State.UNCHANGED, State.UNPUSHED)
