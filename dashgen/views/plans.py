"""Plans, the ends of pushes and the audit log, as people read them on a console."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from dashgen.model.change import Action
from dashgen.model.plan import Plan, Step, Summary
from dashgen.views import console
from dashgen.views.text import counted

_WORDS = {
    Action.CREATE: "to create",
    Action.UPDATE: "to change",
    Action.DELETE: "to delete",
    Action.CONFLICT: "in conflict",
    Action.KEEP: "unchanged",
}
_DONE = {Action.CREATE: "created", Action.UPDATE: "changed", Action.DELETE: "deleted"}
_LINES = 30  # lines of a diff that are shown of one object


def show(plan: Plan) -> None:
    """Print what a plan does, remote by remote; what stays is only counted."""
    for remote in dict.fromkeys(step.remote for step in plan.steps):
        steps = [step for step in plan.steps if step.remote == remote]
        console.say(f"{remote} ({plan.context})", console=console.out, style="bold")
        for step in steps:
            if step.action is not Action.KEEP or step.reason:
                _step(step)
        console.say(f"  {tally(steps)}", console=console.out)
    if plan.conflicts:
        console.say(
            "What is marked ! is left alone. Take its changes over into the specification, or overwrite them: --adopt.",
            style="bold red",
        )


def idle(plan: Plan) -> None:
    """Say that a plan does nothing."""
    left = (
        f"{counted(len(plan.conflicts), 'conflict')} left, and nothing else" if plan.conflicts else "There is nothing"
    )
    console.say(f"{left} to push.")


def ended(plan: Plan, summary: Summary, again: str) -> None:
    """Print how a push ended, what is left, and how that `again` is tried."""
    count = Counter(step.action for step in summary.done)
    done = ", ".join(f"{count[action]:,} {word}" for action, word in _DONE.items() if count[action])
    console.say(f"Pushed to {plan.context}: {done or 'nothing'}.", console=console.out, style="bold")
    for failure in summary.failed:
        why = f"{failure.why} (HTTP {failure.status})" if failure.status else failure.why
        line = f"  failed: {failure.step.action} {failure.step.key} in {failure.step.remote}: {why}"
        console.say(line, console=console.out, style="red")
    for step in summary.left:
        console.say(f"  left: {step.action} {step.key} in {step.remote}", console=console.out, style="yellow")
    if summary.failed or summary.left:
        missing = counted(len(summary.failed) + len(summary.left), "object")
        console.say(f"{missing} not pushed. {again}", style="bold red")
    if summary.done:
        console.say(f"Take it back: dashgen restore --context {plan.context}")


def log(entries: Iterable[tuple[int, dict[str, Any]]]) -> None:
    """Print the audit log, one line each."""
    for _, entry in entries:
        words = ("at", "push", "who", "context", "event", "action", "remote", "kind", "name", "why")
        console.say("  ".join(str(entry[word]) for word in words if entry.get(word)), console=console.out)


def tally(steps: Iterable[Step]) -> str:
    """How many objects there are of each action.

    >>> tally([])
    'nothing'
    """
    count = Counter(step.action for step in steps)
    return ", ".join(f"{count[action]:,} {word}" for action, word in _WORDS.items() if count[action]) or "nothing"


def _step(step: Step) -> None:
    title = f" “{step.title}”" if step.title != step.key.name else ""
    console.marked(step.action, f"{step.key}{title}".replace("\n", " "), step.reason.replace("\n", " "))
    for each in step.details[:_LINES]:
        console.say(f"      {each}".replace("\n", " "), console=console.out, style="dim")
    if len(step.details) > _LINES:
        console.say(f"      … and {len(step.details) - _LINES:,} more", console=console.out, style="dim")
