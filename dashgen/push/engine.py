"""A push: exactly the plan, folders first and deletions last, a bound on what happens at once, nothing lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Literal

from dashgen.diagnostics import RunError
from dashgen.exits import Exit
from dashgen.model.change import Action
from dashgen.model.plan import Failure, Plan, Step, Summary
from dashgen.model.remote import ORDER, Found, Key, Mark
from dashgen.push.remotes import Remote, RemoteError
from dashgen.push.store import Store, now, push_id, user

Content = Callable[[Found], str]
Progress = Callable[[int, int], None]
Ended = Failure | Literal["done", "left"]
PATIENCE = 3  # steps in a row without an answer, after which a remote is left alone


class Push:
    """One run of one plan. `content` digests what is found as the plan did, to see whether it is still the same.

    Once `stop` is set nothing more is begun; what was begun is done, takes effect and is proved.
    """

    def __init__(
        self,
        plan: Plan,
        remotes: Mapping[str, Remote],
        parallel: Mapping[str, int],
        store: Store,
        content: Content,
        stop: threading.Event | None = None,
    ):
        self.id, self._who = push_id(), user()
        self._plan, self._remotes, self._parallel, self._store, self._content = plan, remotes, parallel, store, content
        self._done: list[Step] = []
        self._failed: list[Failure] = []
        self._left: list[Step] = []
        self._silent: dict[str, int] = dict.fromkeys(remotes, 0)
        self._closed: set[str] = set()
        self._hearing = threading.Lock()
        self._stop = stop or threading.Event()

    def run(self, progress: Progress | None = None) -> Summary:
        """Push; `RunError` means that nothing was written: the plan is stale, or the backup found no place."""
        todo = self._plan.todo
        if missing := sorted({step.remote for step in todo} - set(self._remotes)):
            raise RunError(f"The context {self._plan.context} has no remote {', '.join(missing)}. Plan again.")
        with self._store.locked():
            found = self._fresh(todo)
            parents = {key: each.parent for key, each in found.items()}
            if todo and not self._stop.is_set():
                self._store.back_up(self.id, self._plan, list(todo), parents)
            for group in phases(todo):
                self._phase(group, len(todo), progress)
            for name in dict.fromkeys(step.remote for step in self._done):
                self._finish(name)
        return Summary(tuple(self._done), tuple(self._failed), tuple(self._left))

    def _fresh(self, todo: Sequence[Step]) -> dict[tuple[str, Key], Found]:
        """What stands at the keys of the plan now; `RunError` where that is not what the plan saw."""
        found: dict[tuple[str, Key], Found] = {}
        for name in dict.fromkeys(step.remote for step in todo):
            keys = [step.key for step in todo if step.remote == name]
            found |= {(name, each.key): each for each in self._remotes[name].found(self._plan.graph, keys)}
        stale = [step for step in todo if self._stale(step, found.get((step.remote, step.key)))]
        if stale:
            listed = "\n  ".join(f"{step.key} in {step.remote}" for step in stale[:20])
            more = f"\n  … and {len(stale) - 20:,} more" if len(stale) > 20 else ""
            raise RunError(f"The plan is stale: this changed since it was made. Plan again.\n  {listed}{more}")
        return found

    def _stale(self, step: Step, found: Found | None) -> bool:
        if found is None:
            return bool(step.before)
        return not step.before or self._content(found) != step.before or found.version != step.version

    def _phase(self, steps: Sequence[Step], total: int, progress: Progress | None) -> None:
        """Steps that do not depend on each other, in one remote."""
        steps = self._possible(steps)
        if not steps:
            return
        try:
            self._store.audit.append(self._entry("begin", step) for step in steps)
        except RunError as error:
            self._failed += [Failure(step, f"The audit log could not be written. {error}") for step in steps]
            return
        with ThreadPoolExecutor(max(1, self._parallel.get(steps[0].remote, 4))) as pool:
            for future in as_completed([pool.submit(self._apply, step) for step in steps]):
                self._note(*future.result())
                if progress:
                    progress(len(self._done) + len(self._failed) + len(self._left), total)

    def _apply(self, step: Step) -> tuple[Step, Ended]:
        if self._closes(step.remote):
            return step, "left"
        try:
            self._remotes[step.remote].apply(step, Mark(self._plan.graph, step.after))
        except RemoteError as error:
            self._heard(step.remote, error)
            return step, Failure(step, str(error), error.status, error.code)
        except RunError as error:
            return step, Failure(step, str(error))
        except Exception as error:
            return step, Failure(step, f"unexpected {type(error).__name__}: {error}")
        self._heard(step.remote, None)
        return step, "done"

    def _closes(self, remote: str) -> bool:
        return remote in self._closed or self._stop.is_set()

    def _heard(self, remote: str, error: RemoteError | None) -> None:
        """Leave a remote alone that does not know us, or has not answered several times in a row."""
        with self._hearing:
            silent = error is not None and error.code is Exit.UNREACHABLE
            self._silent[remote] = self._silent[remote] + 1 if silent else 0
            if self._silent[remote] >= PATIENCE or (error is not None and error.status == 401):
                self._closed.add(remote)

    def _note(self, step: Step, ended: Ended) -> None:
        """Keep how a step ended, here and in the log."""
        if ended == "left":
            self._left.append(step)
            return
        if ended == "done":
            self._done.append(step)
            self._log("done", step)
            return
        assert isinstance(ended, Failure)
        self._failed.append(ended)
        self._log("failed", step, ended.why)

    def _possible(self, steps: Iterable[Step]) -> list[Step]:
        """Leave what stands in a folder that is not there, and whatever is for a remote that does not answer."""
        lost = {
            (each.remote, each.key.name)
            for each in (*(failure.step for failure in self._failed), *self._left)
            if each.key.kind == "folder" and each.action is Action.CREATE
        }
        possible: list[Step] = []
        for step in steps:
            place = step.key.name if step.key.kind == "permissions" else step.parent
            left = (step.remote, place) in lost or self._closes(step.remote)
            (self._left if left else possible).append(step)
        return possible

    def _finish(self, name: str) -> None:
        done = [step for step in self._done if step.remote == name]
        try:
            failures = self._remotes[name].finish(done)
        except RemoteError as error:
            failures = [Failure(step, str(error), error.status, error.code) for step in done]
        except RunError as error:
            failures = [Failure(step, str(error)) for step in done]
        undone = {(failure.step.remote, failure.step.key) for failure in failures}
        self._done = [step for step in self._done if (step.remote, step.key) not in undone]
        self._failed += failures
        for failure in failures:
            self._log("failed", failure.step, failure.why)

    def _log(self, event: str, step: Step, why: str = "") -> None:
        try:
            self._store.audit.append([self._entry(event, step, why)], durable=False)
        except RunError as error:
            self._failed.append(Failure(step, f"It was {event}, but the audit log could not be written. {error}"))
            self._closed.add(step.remote)

    def _entry(self, event: str, step: Step, why: str = "") -> dict[str, str]:
        return {
            "at": now(),
            "who": self._who,
            "commit": self._plan.commit,
            "push": self.id,
            "context": self._plan.context,
            "graph": self._plan.graph,
            "event": event,
            "action": step.action.value,
            "remote": step.remote,
            "kind": step.key.kind,
            "name": step.key.name,
            "before": step.before,
            "after": step.after,
            **({"why": why} if why else {}),
        }


def phases(todo: Iterable[Step]) -> Iterator[list[Step]]:
    """Groups of steps that may happen at once: what others stand in first, deletions last and the other way round."""
    groups: dict[tuple[bool, int, str], list[Step]] = {}
    for step in todo:
        deletes, place = step.action is Action.DELETE, ORDER.index(step.key.kind)
        groups.setdefault((deletes, -place if deletes else place, step.remote), []).append(step)
    for key in sorted(groups):
        yield groups[key]


def exit_code(summary: Summary) -> Exit:
    """0 if all is done, 3 or 5 if nothing went because a remote refused us or did not answer, else 4."""
    if not summary.failed and not summary.left:
        return Exit.OK
    codes = {failure.code for failure in summary.failed}
    if not summary.done and codes in ({Exit.REFUSED}, {Exit.UNREACHABLE}):
        return codes.pop()
    return Exit.PARTIAL
