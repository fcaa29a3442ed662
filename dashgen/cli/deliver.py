"""Commands that look at remotes and change them: plan, push, drift, prune, restore, audit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashgen.cli import deliveries as d
from dashgen.cli.options import DEFAULT, Format, FormatOption, SpecPath, findings_format
from dashgen.diagnostics import RunError
from dashgen.exits import Exit


def add(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (plan, push, drift, prune, restore, audit):
        app.command()(command)


def plan(
    path: SpecPath = DEFAULT,
    context: d.Context = None,
    remote: d.Remotes = None,
    source: d.From = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write the plan to this file, for `push`.")] = None,
    prune: d.Prune = False,
    adopt: d.Adopt = False,
    format: d.PlanOption = d.PlanFormat.TEXT,
) -> None:
    """Show what a push would change, object by object; exit with 1 if there is something to do."""
    with d.errors():
        if out and out.suffix != ".json":
            raise RunError(f"{out}: a plan is a .json file.")
        delivery = d.opened(path, context, remote, findings_format(format))
        made = d.planned(delivery, path, source, prune=prune, adopt=adopt)
        d.show_plan(made, format, out)
    raise typer.Exit(Exit.FINDINGS if made.todo or made.conflicts else Exit.OK)


def push(
    file: Annotated[Path, typer.Argument(help="A plan, or a specification.", show_default="services.yaml")] = DEFAULT,
    spec: d.Spec = DEFAULT,
    context: d.Context = None,
    remote: d.Remotes = None,
    source: d.From = None,
    prune: d.Prune = False,
    adopt: d.Adopt = False,
    yes: d.Yes = False,
    format: FormatOption = Format.TEXT,
) -> None:
    """Bring remotes to the state of the generated folder, or do exactly what a plan says."""
    with d.errors():
        delivery, made = d.to_push(file, spec, context, remote, source, prune=prune, adopt=adopt)
        planned = d.is_plan(file)  # and stale as soon as some of it is done
        again = f"Plan again: dashgen plan --context {made.context} --out {file}" if planned else d.AGAIN
        code = d.carry_out(delivery, made, yes=yes, shown=planned, format=format, again=again)
    raise typer.Exit(code)


def drift(
    path: SpecPath = DEFAULT,
    context: d.Context = None,
    remote: d.Remotes = None,
    source: d.From = None,
    format: d.DriftOption = d.DriftFormat.TEXT,
    textfile: Annotated[
        Path | None, typer.Option("--textfile", help="Also write metrics for node_exporter here.")
    ] = None,
) -> None:
    """Show what somebody changed since the last push; exit with 1 if anything differs."""
    with d.errors():
        delivery = d.opened(path, context, remote)
        differs = d.show_drift(delivery, d.folder(path, source), format, textfile)
    raise typer.Exit(Exit.FINDINGS if differs else Exit.OK)


def prune(
    path: SpecPath = DEFAULT,
    context: d.Context = None,
    remote: d.Remotes = None,
    source: d.From = None,
    adopt: d.Adopt = False,
    yes: d.Yes = False,
    format: FormatOption = Format.TEXT,
) -> None:
    """Delete what an earlier push made and nobody wants any more; nothing else is changed."""
    with d.errors():
        delivery = d.opened(path, context, remote)
        made = d.prunable(delivery, path, source, adopt=adopt)
        code = d.carry_out(delivery, made, yes=yes, format=format)
    raise typer.Exit(code)


def restore(
    id: Annotated[str | None, typer.Argument(help="Which push; the latest by default.", metavar="PUSH_ID")] = None,
    path: d.Spec = DEFAULT,
    context: d.Context = None,
    remote: d.Remotes = None,
    adopt: d.Adopt = False,
    yes: d.Yes = False,
    format: FormatOption = Format.TEXT,
) -> None:
    """Bring back what stood there before a push, and delete what that push created."""
    with d.errors():
        delivery = d.opened(path, context, remote)
        name, made = d.restorable(delivery, id, remote, adopt=adopt)
        again = f"Go on: dashgen restore {name} --context {made.context}"  # the latest push is this way back by then
        code = d.carry_out(delivery, made, yes=yes, format=format, again=again)
    raise typer.Exit(code)


def audit(
    what: Annotated[d.AuditAction, typer.Argument(help="Verify the chain, or print the log.")] = d.AuditAction.VERIFY,
    path: SpecPath = DEFAULT,
    format: FormatOption = Format.TEXT,
) -> None:
    """Prove that nobody edited the log of pushes, or print it."""
    with d.errors():
        d.show_audit(path, what, format)
