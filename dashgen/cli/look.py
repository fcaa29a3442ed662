"""Commands for looking: graph, explain, show, schema."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from dashgen.cli import run
from dashgen.cli.options import DEFAULT, Format, FormatOption, SpecPath, findings_format
from dashgen.diagnostics import did_you_mean


class Drawing(StrEnum):
    """How the graph is drawn."""

    MERMAID = "mermaid"
    DOT = "dot"
    JSON = "json"


def add(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (graph, explain, show, schema):
        app.command()(command)


def graph(
    path: SpecPath = DEFAULT,
    format: Annotated[Drawing, typer.Option("--format", help="Which notation.")] = Drawing.MERMAID,
) -> None:
    """Draw the services, their calls and their teams."""
    from dashgen.model.tree import plain
    from dashgen.views import drawing, machine

    project = run.opened(path, findings_format(format))
    theme: Any = plain(project.library.theme.root)
    draw = {Drawing.MERMAID: drawing.mermaid, Drawing.DOT: drawing.dot}.get(format)
    typer.echo(draw(project.graph, theme["languages"]) if draw else machine.as_json(drawing.data(project.graph)))


def explain(
    id: Annotated[str, typer.Argument(help="A series, an alert, or a panel (`uid/panel`).")],
    path: SpecPath = DEFAULT,
    format: FormatOption = Format.TEXT,
) -> None:
    """Show where a series, an alert or a panel comes from, and what it says in words."""
    from dashgen import pipeline
    from dashgen.views import explained, machine

    findings = findings_format(format)
    project = run.opened(path, findings)
    known, problems = pipeline.explain(project)
    if problems:
        raise run.stopped(problems, findings)
    same = pipeline.find(id, known)
    if not same:
        names = {each.id.partition("{")[0] for each in known}
        raise run.fail(f"Nothing here is called “{id}”.{did_you_mean(id, names)}")
    span = project.sources.at(same[0].path, key=True) if same[0].path else None
    if format is Format.JSON:
        typer.echo(machine.as_json([explained.data(each, project.sources.at(each.path, key=True)) for each in same]))
    else:
        explained.show(same[0], span)
        explained.others(same[1:], path) if len(same) > 1 else None


def show(
    file: Annotated[str | None, typer.Argument(help="A built-in file to print; without one, all are listed.")] = None,
    path: SpecPath = DEFAULT,
) -> None:
    """List the templates, alerts, profiles and runbooks in use, or print a built-in one to start your own from."""
    from dashgen import pipeline
    from dashgen.views import known

    files = pipeline.catalogue(pipeline.project_root(path))
    builtin = {each.name: each.builtin for each in files if each.builtin}
    if file is None:
        known.show(files)
    elif file in builtin:
        typer.echo(builtin[file].read_bytes(), nl=False)
    else:
        raise run.fail(f"No built-in file is called “{file}”.{did_you_mean(file, builtin)} dashgen show lists them.")


def schema() -> None:
    """Print the JSON Schema of the specification, for editors."""
    from dashgen.model.spec import Spec
    from dashgen.views import machine

    typer.echo(machine.as_json(Spec.json_schema()))
