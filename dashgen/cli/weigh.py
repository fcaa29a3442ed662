"""The command that weighs: what the rules cost a Prometheus."""

from __future__ import annotations

from typing import Annotated

import typer

from dashgen.cli import run
from dashgen.cli.options import DEFAULT, Format, FormatOption, SpecPath, findings_format
from dashgen.diagnostics import RunError
from dashgen.exits import Exit

Server = Annotated[str, typer.Option("--prometheus", help="Measure here too: the address of a Prometheus.")]
Instances = Annotated[int, typer.Option("--instances", min=1, max=100_000, help="Instances of each service.")]
Operations = Annotated[
    int, typer.Option("--operations", min=1, max=100_000, help="Routes or methods that each service counts apart.")
]


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(cost)


def cost(
    path: SpecPath = DEFAULT,
    prometheus: Server = "",
    instances: Instances = 20,
    operations: Operations = 5,
    format: FormatOption = Format.TEXT,
) -> None:
    """Say what the rules read and write, which are the dearest, and what to do about them."""
    from dashgen import pipeline
    from dashgen.model.cost import Assumptions
    from dashgen.views import console, costs, machine

    findings = findings_format(format)
    project, assumed = run.opened(path, findings), Assumptions(instances, operations)
    rules, problems = pipeline.cost(project, assumed)
    if problems:
        raise run.stopped(problems, findings)
    with console.Steps("measuring") as steps:
        try:
            rules = pipeline.measure(rules, prometheus, steps) if prometheus else rules
        except RunError as error:
            raise run.fail(str(error), getattr(error, "code", Exit.PARTIAL)) from None
    if format is Format.JSON:
        typer.echo(machine.as_json(costs.data(rules, pipeline.advice, assumed)))
    else:
        costs.show(rules, pipeline.advice, assumed, project.graph.settings)
