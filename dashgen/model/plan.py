"""A plan: pure data, the only input of a push. What it saw is in it, so that a stale one is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dashgen.model.change import Action
from dashgen.model.remote import Key


@dataclass(frozen=True, slots=True)
class Step:
    """One object of one remote, and what is to happen to it.

    `before` and `after` are digests of the canonical forms, empty where there is nothing; `version` is the remote's own
    version of what was found. `wanted` is what will be written (without a mark), `found` what stood there, for the
    backup. `details` are the lines of a readable diff, `reason` says why where it is not obvious.
    """

    remote: str
    action: Action
    key: Key
    title: str
    before: str = ""
    after: str = ""
    version: str = ""
    parent: str = ""
    wanted: Any = None
    found: Any = None
    reason: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that one push will do, in the order of remotes and keys; steps with `=` are counted, not done."""

    context: str
    graph: str
    steps: tuple[Step, ...]
    commit: str = ""

    @property
    def todo(self) -> tuple[Step, ...]:
        """The steps that change something."""
        return tuple(step for step in self.steps if step.action in (Action.CREATE, Action.UPDATE, Action.DELETE))

    @property
    def conflicts(self) -> tuple[Step, ...]:
        """The steps that somebody has to decide."""
        return tuple(step for step in self.steps if step.action is Action.CONFLICT)


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that was not done, and why; `status` is the HTTP status where there was one."""

    step: Step
    why: str
    status: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """How a push ended: what was done, what was not, and what was not even tried because of that."""

    done: tuple[Step, ...]
    failed: tuple[Failure, ...]
    left: tuple[Step, ...]
