"""From `out/` to remotes and back: the stages of plan, push, drift, prune and restore in order, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

from dashgen.diagnostics import Diagnostic, RunError
from dashgen.exits import Exit
from dashgen.load import project_root
from dashgen.model.change import Action
from dashgen.model.drift import Drifted
from dashgen.model.plan import Plan, Summary
from dashgen.model.remote import Found, Key, Wanted
from dashgen.plan import content, drifted, of_another_environment, plan_remote, plan_restore
from dashgen.push.audit import read_log
from dashgen.push.commit import git_commit
from dashgen.push.documents import read_plan, write_plan, write_whole
from dashgen.push.engine import Push, exit_code
from dashgen.push.output import Output, read_output
from dashgen.push.remotes import Remote, RemoteError
from dashgen.push.remotes.factory import make_remote
from dashgen.push.settings_file import FILE, read_settings
from dashgen.push.starter import write_settings
from dashgen.push.store import Store, now

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A context whose remotes can be spoken to, and the project's own memory of pushes."""

    context: str
    remotes: dict[str, Remote]
    parallel: dict[str, int]
    store: Store
    commit: str


def open_delivery(
    spec: Path, context: str | None, only: Collection[str] = ()
) -> tuple[Delivery | None, list[Diagnostic]]:
    """Read the settings, of `only` some remotes if any are named; `RunError` where one or a secret is missing."""
    folder = project_root(spec)
    settings, found = read_settings(folder / FILE)
    if settings is None:
        return None, found
    name, chosen = settings.context(context, only)
    remotes = {each.name: make_remote(each) for each in chosen}
    parallel = {each.name: each.parallel for each in chosen}
    return Delivery(name, remotes, parallel, Store(folder / ".dashgen"), git_commit(folder)), found


def make_plan(delivery: Delivery, output: Output, *, prune: bool = False, adopt: bool = False) -> Plan:
    """Compare what `out/` wants with what every remote holds; `RunError` where one of them cannot take it."""
    compared = _compared(delivery, output)
    refused = [of_another_environment(name, output.graph, wanted, found) for name, wanted, found in compared]
    refused += [each.refused for _, wanted, _ in compared for each in wanted]
    if any(refused):
        raise RunError("\n".join(filter(None, refused)))
    steps = [
        step
        for name, wanted, found in compared
        for step in plan_remote(name, output.graph, wanted, found, prune=prune, adopt=adopt)
    ]
    return Plan(delivery.context, output.graph, tuple(steps), delivery.commit)


def only_deletions(plan: Plan) -> Plan:
    """What `prune` does of a plan: what is no longer wanted goes, all else stays as it is."""
    gone = (
        step
        for step in plan.steps
        if step.action is Action.DELETE or (step.action is Action.CONFLICT and not step.after)
    )
    return replace(plan, steps=tuple(gone))


def restored(
    delivery: Delivery, push: str | None, only: Collection[str] = (), *, adopt: bool = False
) -> tuple[str, Plan]:
    """The plan back to what stood there before a push, the latest one by default, in `only` some remotes if asked."""
    name, done, parents = delivery.store.backup(push)
    done = replace(done, steps=tuple(step for step in done.steps if not only or step.remote in only))
    if done.context != delivery.context:
        raise RunError(f"The push {name} went to the context {done.context}. Give --context {done.context}.")
    found: dict[tuple[str, Key], Found] = {}
    for remote in dict.fromkeys(step.remote for step in done.steps):
        if remote not in delivery.remotes:
            raise RunError(f"The push {name} went to {remote}, which {FILE} no longer names.")
        keys = [step.key for step in done.steps if step.remote == remote]
        found |= {(remote, each.key): each for each in delivery.remotes[remote].found(done.graph, keys)}
    steps = plan_restore(done.steps, parents, found, adopt=adopt)
    return name, Plan(delivery.context, done.graph, tuple(steps), delivery.commit)


def push(delivery: Delivery, plan: Plan, progress: Progress, stop: Event) -> tuple[str, Summary]:
    """Do a plan until `stop` is set; gives the name of the push, by which it can be taken back."""
    if plan.context != delivery.context:
        raise RunError(f"The plan was made for the context {plan.context}. Give --context {plan.context}.")
    run = Push(plan, delivery.remotes, delivery.parallel, delivery.store, content, stop)
    return run.id, run.run(progress)


def find_drift(delivery: Delivery, output: Output) -> tuple[str, list[Drifted]]:
    """The graph, and every object that is ours or wanted with its state."""
    compared = _compared(delivery, output)
    pushed = delivery.store.pushed(delivery.context, output.graph)
    return output.graph, [
        each
        for name, wanted, found in compared
        for each in drifted(name, output.graph, wanted, found, pushed.get(name, {}))
    ]


def audit(spec: Path) -> list[tuple[int, dict[str, Any]]]:
    """Every line of the audit log; `RunError` names the first that was tampered with."""
    return list(read_log(project_root(spec) / ".dashgen" / "audit.jsonl"))


def _compared(delivery: Delivery, output: Output) -> list[tuple[str, list[Wanted], list[Found]]]:
    """Ask all remotes at once, and give the answers in the order of the settings; one error names all that failed."""

    def ask(name: str) -> tuple[str, list[Wanted], list[Found]] | RemoteError:
        remote = delivery.remotes[name]
        try:
            wanted = remote.wanted(output.artifacts)
            return name, wanted, remote.found(output.graph, [each.key for each in wanted])
        except RemoteError as error:
            text = str(error) if name in str(error) else f"{name}: {error}"
            return RemoteError(text, error.code, error.status, error.stale)

    with ThreadPoolExecutor(max(1, len(delivery.remotes))) as pool:
        answers = list(pool.map(ask, delivery.remotes))
    failed = [each for each in answers if isinstance(each, RemoteError)]
    if failed:
        others = "" if len(failed) == len(answers) else "\nGive --remote to ask the others alone."
        raise RemoteError("\n".join(map(str, failed)) + others, failed[0].code, failed[0].status, failed[0].stale)
    return [each for each in answers if not isinstance(each, RemoteError)]


def code_of(error: RunError) -> Exit:
    """The exit code that an error asks for: a remote's own, else that the input is wrong.

    What ends a command has pushed nothing, as a push tells failures in its summary.
    """
    code = error.code if isinstance(error, RemoteError) else Exit.USAGE
    return Exit.UNREACHABLE if code is Exit.PARTIAL else code


__all__ = [
    "exit_code",
    "now",
    "project_root",
    "read_output",
    "read_plan",
    "write_plan",
    "write_settings",
    "write_whole",
]
