"""A remote in memory that keeps the protocol, with faults on demand; what a test expects of every other remote too."""

from __future__ import annotations

import copy
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dashgen.exits import Exit
from dashgen.model.artifact import Artifact
from dashgen.model.change import Action
from dashgen.model.plan import Failure, Step
from dashgen.model.remote import Found, Key, Mark, Wanted
from dashgen.push.remotes import RemoteError

FAULTS = ("refused", "conflict", "error", "silent", "lost")


@dataclass
class MemoryRemote:
    """Holds objects by key. `faults` are what befalls the next writes, one each; None is a write that succeeds.

    `lost` does the write and then loses the answer, as a connection that is cut too late.
    """

    name: str = "memory"
    objects: dict[Key, Found] = field(default_factory=dict)
    wants: list[Wanted] = field(default_factory=list)
    faults: Iterator[str | None] = field(default_factory=lambda: iter(()))
    calls: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wanted(self, artifacts: Iterable[Artifact]) -> list[Wanted]:
        return list(self.wants)

    def found(self, graph: str, keys: Collection[Key]) -> list[Found]:
        self.calls.append("found")
        asked = set(keys)
        seen = [o for o in self.objects.values() if o.key in asked or (o.mark and o.mark.graph == graph)]
        return copy.deepcopy(seen)

    def apply(self, step: Step, mark: Mark) -> None:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            fault = next(self.faults, None)
            self.calls.append(f"{step.action} {step.key}")
        try:
            self._apply(step, mark, fault)
        finally:
            with self._lock:
                self.at_once -= 1

    def finish(self, done: Sequence[Step]) -> list[Failure]:
        return []

    def edit(self, key: Key, data: Any, who: str = "ann") -> None:
        """What a person does in a browser."""
        old = self.objects[key]
        when = "2026-11-24T10:00:00Z"
        self.objects[key] = replace(old, data=data, version=_next(old), edited_by=who, edited_at=when)

    def _apply(self, step: Step, mark: Mark, fault: str | None) -> None:
        refusals = {
            "refused": RemoteError("not allowed", Exit.REFUSED, 403),
            "conflict": RemoteError("somebody was faster", status=409, stale=True),
            "error": RemoteError("internal error", status=500),
            "silent": RemoteError("no answer", Exit.UNREACHABLE),
        }
        if fault in refusals:
            raise refusals[fault]
        old = self.objects.get(step.key)
        if (old.version if old else "") != step.version:
            raise RemoteError("somebody was faster", status=409, stale=True)
        if step.action is Action.DELETE:
            self.objects.pop(step.key, None)
        else:
            kept = None if step.key.kind in ("folder", "permissions") else mark
            self.objects[step.key] = Found(step.key, step.title, step.wanted, kept, _next(old), step.parent)
        if fault == "lost":
            raise RemoteError("the connection was cut", Exit.UNREACHABLE)


def _next(old: Found | None) -> str:
    return str(int(old.version) + 1) if old else "1"
