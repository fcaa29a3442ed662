"""Commands for those who write the specification: init, validate, lint, generate."""

from __future__ import annotations

import datetime
from typing import Annotated

import typer

from dashgen.cli import run
from dashgen.cli.options import (
    DEFAULT,
    FindingsFormat,
    FindingsOption,
    Format,
    FormatOption,
    Out,
    SpecPath,
    Targets,
    findings_format,
)
from dashgen.diagnostics import RunError


def add(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (init, validate, lint, generate):
        app.command()(command)


def init(path: SpecPath = DEFAULT) -> None:
    """Write a commented specification of a Go-to-Rust chain, to start from."""
    from dashgen import delivery, pipeline
    from dashgen.views import console, text

    try:
        written = pipeline.write_starter(path)
        settings = delivery.write_settings(pipeline.project_root(written or path))
    except OSError as error:
        raise run.fail(f"{path}: {error.strerror}.") from None
    except RunError as error:
        raise run.fail(str(error)) from None
    if not written and not settings:
        raise run.fail(f"{path} exists already. Give another path, or remove it first.")
    if settings:
        console.say(f"Wrote {settings}: where to push to.")
    if not written:
        console.say(f"{path} exists already and was left alone.")
    else:
        then = " · ".join(text.typed(command, written) for command in ("validate", "generate"))
        console.say(f"Wrote {written}. Edit it, then: {then}")


def validate(path: SpecPath = DEFAULT, format: FindingsOption = FindingsFormat.TEXT) -> None:
    """Check the specification: its shape, its names, and what can never work."""
    from dashgen.views import console, text

    project = run.opened(path, format)
    run.show([], format)
    graph = project.graph
    counts = f"{text.counted(len(graph.services), 'service')}, {text.counted(len(graph.chains), 'chain')}"
    console.say(f"{path} is valid: {counts}. Next: {text.typed('lint', path)} · {text.typed('generate', path)}")


def lint(path: SpecPath = DEFAULT, format: FindingsOption = FindingsFormat.TEXT) -> None:
    """Find what should not be: unfeasible promises, unmeasured calls, alerts without tests."""
    from dashgen import pipeline
    from dashgen.views import console, text

    project = run.opened(path, format)
    with console.Steps("checking") as steps:
        found = pipeline.check(project, datetime.date.today(), steps)
    run.show(found, format)
    if not found:
        console.say(f"No findings. Next: {text.typed('generate', path)}")
    raise typer.Exit(run.code(found))


def generate(
    path: SpecPath = DEFAULT,
    out: Out = None,
    target: Targets = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if anything would change.")
    ] = False,
    format: FormatOption = Format.TEXT,
) -> None:
    """Compile the specification into dashboards, rules, tests, routes and runbooks."""
    from dashgen import pipeline
    from dashgen.views import console, results

    project = run.opened(path, findings_format(format))
    folder = out or pipeline.project_root(path) / "out"
    with console.Steps("generating") as steps:
        try:
            outcome = pipeline.generate(
                project, folder, datetime.date.today(), targets=target or (), dry=check, progress=steps
            )
        except RunError as error:
            raise run.fail(str(error)) from None
    results.generated(project.graph, outcome, path, folder, dry=check, as_json=format is Format.JSON)
    raise typer.Exit(results.code(outcome, dry=check))
