"""The end of a run of `generate`: what was made, what changed, what to type next, and the exit code."""

from __future__ import annotations

import shlex
from pathlib import Path

from dashgen.diagnostics import Severity, has_errors
from dashgen.exits import Exit
from dashgen.model.change import Action, Outcome, counted
from dashgen.model.graph import Graph
from dashgen.views import console, machine, text

_KINDS = (
    ("dashboard", "dashboard"),
    ("recording rules", "recording rule"),
    ("alerts", "alert"),
    ("tests", "rule test file"),
    ("runbook", "runbook"),
    ("alertmanager", "Alertmanager configuration"),
    ("kubernetes", "Kubernetes manifest"),
    ("provisioning", "provisioning file"),
    ("git-sync", "Git Sync resource"),
)
_WORDS = ((Action.CREATE, "new"), (Action.UPDATE, "changed"), (Action.DELETE, "removed"), (Action.KEEP, "unchanged"))
_SHOWN = 40  # changed files that are listed one by one


def generated(graph: Graph, outcome: Outcome, spec: Path, out: Path, *, dry: bool, as_json: bool) -> None:
    """Print what a run did, or would do."""
    if as_json:
        made = {**machine.outcome(outcome), "out": str(out)}
        console.out.print(machine.as_json(made))
        return
    serious = [each for each in outcome.found if each.severity is Severity.ERROR]
    if serious:
        console.findings(serious)
        console.say("Nothing was written.", style="bold red")
        return
    changed = [change for change in outcome.changes if change.action is not Action.KEEP or change.reason]
    console.changes(changed[:_SHOWN])
    if len(changed) > _SHOWN:
        console.say(f"  … and {len(changed) - _SHOWN:,} more", console=console.out)
    _summary(graph, outcome, spec, out, dry)


def _summary(graph: Graph, outcome: Outcome, spec: Path, out: Path, dry: bool) -> None:
    parts = (
        text.counted(len(graph.services), "service"),
        text.counted(len(graph.chains), "chain"),
        text.counted(len(graph.slos), "SLO"),
    )
    console.say(f"{graph.title}: {', '.join(parts)}", style="bold")
    console.say(
        "  made:", ", ".join(text.counted(outcome.made[kind], noun) for kind, noun in _KINDS if outcome.made[kind])
    )
    count = counted(outcome.changes)
    console.say(
        f"  {out}:", ", ".join(f"{count[action]:,} {word}" for action, word in _WORDS if count[action]) or "nothing"
    )
    warnings = sum(each.severity is Severity.WARNING for each in outcome.found)
    if count[Action.CONFLICT]:
        console.say("  Nothing was written: first move the files marked ! away.", style="bold red")
    elif dry:
        console.say("  next: the same without --check" if _differs(outcome) else "  Everything is up to date.")
    else:
        found = text.typed("lint", spec) + (f" ({text.counted(warnings, 'warning')})" if warnings else "")
        alert = "ErrorBudgetBurn" if any(service.slos for service in graph.services) else "ServiceVanished"
        tests = f"{shlex.quote(str(out))}/prometheus/tests/*.yaml"
        console.say(f"  next: {found} · {text.typed(f'explain {alert}', spec)} · promtool test rules {tests}")


def code(outcome: Outcome, *, dry: bool) -> Exit:
    """2 for an error or a file in the way, 1 for a difference where none was allowed."""
    if has_errors(outcome.found) or any(change.action is Action.CONFLICT for change in outcome.changes):
        return Exit.USAGE
    return Exit.FINDINGS if dry and _differs(outcome) else Exit.OK


def _differs(outcome: Outcome) -> bool:
    return any(change.action is not Action.KEEP for change in outcome.changes)
