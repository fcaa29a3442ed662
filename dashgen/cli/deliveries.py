"""What the commands that push share: their options, opening a context, asking before something is changed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dashgen.cli import run
from dashgen.cli.options import DEFAULT, FindingsFormat, Format
from dashgen.diagnostics import RunError
from dashgen.exits import Exit

if TYPE_CHECKING:
    from dashgen.delivery import Delivery
    from dashgen.model.plan import Plan


class PlanFormat(StrEnum):
    """How a plan is printed."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


class DriftFormat(StrEnum):
    """How drift is printed."""

    TEXT = "text"
    JSON = "json"
    PROMETHEUS = "prometheus"


class AuditAction(StrEnum):
    """What to do with the audit log."""

    VERIFY = "verify"
    LOG = "log"


Context = Annotated[
    str | None, typer.Option("-c", "--context", help="A context of dashgen.toml.", show_default="its `default`")
]
From = Annotated[
    Path | None,
    typer.Option("--from", help="The generated folder.", show_default="out/ beside the specification"),
]
Remotes = Annotated[
    list[str] | None, typer.Option("--remote", help="Only this remote of the context; repeat it for several.")
]
Spec = Annotated[Path, typer.Option("--spec", help="The specification that dashgen.toml stands beside.")]
Prune = Annotated[bool, typer.Option("--prune", help="Also delete what is ours and no longer wanted.")]
Adopt = Annotated[
    bool, typer.Option("--adopt", help="Overwrite what somebody edited, or made without dashgen; a backup is kept.")
]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")]
PlanOption = Annotated[PlanFormat, typer.Option("--format", help="For people, programs, or a merge request.")]
DriftOption = Annotated[DriftFormat, typer.Option("--format", help="For people, programs, or Prometheus.")]
AGAIN = "Run the command again; it does only what is left."


@contextlib.contextmanager
def errors() -> Iterator[None]:
    """End a command with the code that an error asks for."""
    try:
        yield
    except RunError as error:
        from dashgen import delivery

        raise run.fail(str(error), delivery.code_of(error)) from None


def folder(path: Path, source: Path | None) -> Path:
    """The generated folder."""
    from dashgen import delivery

    return source or delivery.project_root(path) / "out"


def there(path: Path) -> None:
    """Refuse a specification that is not there; the default one need not be, `dashgen.toml` and `out/` are enough."""
    if path != DEFAULT and not path.exists():
        raise RunError(f"There is no file {path}.")


def opened(
    path: Path,
    context: str | None,
    remotes: Sequence[str] | None = None,
    format: FindingsFormat = FindingsFormat.TEXT,
) -> Delivery:
    """The context; what is wrong with the settings is printed and ends the command with 2."""
    from dashgen import delivery

    there(path)
    made, found = delivery.open_delivery(path, context, remotes or ())
    if made is None:
        raise run.stopped(found, format)
    return made


def planned(delivery: Delivery, path: Path, source: Path | None, *, prune: bool, adopt: bool) -> Plan:
    """A plan for the context, of the generated folder; says so where the specification has moved on."""
    from dashgen import delivery as stages

    out = folder(path, source)
    output = stages.read_output(out)
    made = stages.make_plan(delivery, output, prune=prune, adopt=adopt)
    _compare(path, out, output.source)
    return made


def prunable(delivery: Delivery, path: Path, source: Path | None, *, adopt: bool) -> Plan:
    """A plan that only deletes."""
    from dashgen import delivery as stages

    return stages.only_deletions(planned(delivery, path, source, prune=True, adopt=adopt))


def _compare(path: Path, out: Path, made_of: str) -> None:
    """Warn that a push brings what was generated earlier; where there is no specification, nobody can tell."""
    from dashgen import pipeline
    from dashgen.views import console

    if not made_of or not path.exists():
        return
    now = pipeline.source(path)
    if now is None:
        console.say(f"{path} has errors (see `dashgen lint`); {out} was made of an earlier one.", style="yellow")
    elif now != made_of:
        console.say(f"{out} was not made of {path} as it is now. Run `dashgen generate` first.", style="yellow")


def restorable(delivery: Delivery, push: str | None, remotes: Sequence[str] | None, *, adopt: bool) -> tuple[str, Plan]:
    """The name of a push, and a plan that takes it back."""
    from dashgen import delivery as stages
    from dashgen.views import console

    console.say(f"Back to what stood there before {push or 'the latest push'}.")
    return stages.restored(delivery, push, remotes or (), adopt=adopt)


def is_plan(file: Path) -> bool:
    """Whether a file is a plan rather than a specification; `RunError` where its name says neither."""
    if file.suffix != ".json" and file.suffix not in (".yaml", ".yml") and not file.is_dir():
        raise RunError(f"{file} is neither a plan (.json) nor a specification (.yaml, or a folder).")
    return file.suffix == ".json"


def to_push(
    file: Path,
    spec: Path,
    context: str | None,
    remotes: Sequence[str] | None,
    source: Path | None,
    *,
    prune: bool,
    adopt: bool,
) -> tuple[Delivery, Plan]:
    """The plan in a file, for the context it was made for; or a new one from a specification."""
    from dashgen import delivery as stages

    if not is_plan(file):
        delivery = opened(file, context, remotes)
        return delivery, planned(delivery, file, source, prune=prune, adopt=adopt)
    if prune or adopt or source or remotes:
        raise RunError("A plan holds all decisions. Give --remote, --prune, --adopt and --from to `dashgen plan`.")
    plan = stages.read_plan(file)
    return opened(spec, context or plan.context), plan


def carry_out(
    delivery: Delivery, plan: Plan, *, yes: bool, format: Format, shown: bool = False, again: str = AGAIN
) -> Exit:
    """Show a plan, ask, do it, and report; conflicts are left alone and give the exit code 1."""
    from dashgen import delivery as stages
    from dashgen.views import console, machine, plans, reports

    if format is Format.TEXT and not shown:
        plans.show(plan)
    if plan.todo and not yes and not shown and not _agreed(len(plan.todo)):
        raise RunError("Nothing was pushed.")
    with console.Steps("pushing") as steps, run.interruptible() as stop:
        name, summary = stages.push(delivery, plan, steps, stop) if plan.todo else ("", plan.nothing_done)
    if format is Format.JSON:
        typer.echo(machine.as_json({**reports.plan_data(plan), **reports.summary_data(name, summary)}))
    elif plan.todo:
        plans.ended(plan, summary, again)
    else:
        plans.idle(plan)
    code = Exit.STOPPED if stop.is_set() else stages.exit_code(summary)
    return Exit.FINDINGS if code is Exit.OK and plan.conflicts else code


def show_plan(plan: Plan, format: PlanFormat, out: Path | None) -> None:
    """Print a plan, and write it for `push`."""
    from dashgen import delivery as stages
    from dashgen.views import console, machine, plans, reports

    if format is PlanFormat.TEXT:
        plans.show(plan)
    else:
        made = machine.as_json(reports.plan_data(plan)) if format is PlanFormat.JSON else reports.markdown(plan)
        typer.echo(made)
    if out:
        stages.write_plan(out, plan)
        console.say(f"Wrote {out}. Next: dashgen push {out}")
    elif format is PlanFormat.TEXT:
        console.say("Next: dashgen push") if plan.todo else plans.idle(plan)


def show_drift(delivery: Delivery, out: Path, format: DriftFormat, textfile: Path | None) -> bool:
    """Print what drifted, write metrics where they are asked for, and say whether anything did."""
    import time

    from dashgen import delivery as stages
    from dashgen.views import machine, reports

    graph, found = stages.find_drift(delivery, stages.read_output(out))
    metrics = reports.drift_metrics(graph, delivery.context, found, time.time())
    if textfile:
        stages.write_whole(textfile, metrics.encode())
    if format is DriftFormat.TEXT:
        reports.drift_text(found)
    else:
        typer.echo(metrics if format is DriftFormat.PROMETHEUS else machine.as_json(reports.drift_data(found)))
    return any(each.drifts for each in found)


def show_audit(path: Path, what: AuditAction, format: Format) -> None:
    """Verify the chain, and print the log if that is asked for."""
    from dashgen import delivery
    from dashgen.views import console, machine, plans

    there(path)
    entries = delivery.audit(path)
    if format is Format.JSON:
        typer.echo(machine.as_json([entry for _, entry in entries]))
    elif what is AuditAction.LOG:
        plans.log(entries)
    else:
        console.say(f"The log is whole: {len(entries):,} lines.", console=console.out)


def _agreed(count: int) -> bool:
    """Ask on a terminal; elsewhere nobody can answer."""
    if not sys.stdin.isatty():
        raise RunError("Nothing was pushed: there is nobody to ask. Add --yes.")
    return typer.confirm(f"Push {count:,} object{'s' * (count != 1)}?", err=True)
