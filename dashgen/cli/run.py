"""What every command does first and last: open the project, print findings, turn them into an exit code."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dashgen.cli.options import FindingsFormat
from dashgen.diagnostics import Diagnostic, Severity, has_errors
from dashgen.exits import Exit

if TYPE_CHECKING:
    from dashgen.pipeline import Project


def opened(path: Path, format: FindingsFormat = FindingsFormat.TEXT) -> Project:
    """The project at a path; where it has errors they are printed and the command ends with 2."""
    from dashgen import pipeline

    project, found = pipeline.open_project(path)
    if project is None:
        raise stopped(found, format)
    return project


def stopped(found: Sequence[Diagnostic], format: FindingsFormat) -> typer.Exit:
    """Print what is wrong; the command cannot go on."""
    show(found, format)
    return typer.Exit(Exit.USAGE)


def show(found: Sequence[Diagnostic], format: FindingsFormat = FindingsFormat.TEXT) -> None:
    """Print findings: the result of a command, so on stdout."""
    from dashgen.views import console, machine

    if format is FindingsFormat.TEXT:
        console.findings(found)
    elif format is FindingsFormat.JSON:
        typer.echo(machine.as_json(machine.findings(found)))
    elif format is FindingsFormat.SARIF:
        typer.echo(machine.as_json(machine.sarif(found)))
    elif found:
        typer.echo(machine.github(found))


def code(found: Sequence[Diagnostic]) -> Exit:
    """The exit code that findings ask for; notes and silenced findings ask for none."""
    if has_errors(found):
        return Exit.USAGE
    return Exit.FINDINGS if any(d.severity is Severity.WARNING for d in found) else Exit.OK


def fail(message: str, exit_code: Exit = Exit.USAGE) -> typer.Exit:
    """Say on stderr why a command cannot go on."""
    from dashgen.views import console

    console.say(message, style="bold red")
    return typer.Exit(exit_code)


@contextlib.contextmanager
def interruptible() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets, so that a command can end in order; the next one ends it at once."""
    from dashgen.views import console

    stop = threading.Event()

    def first(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        stop.set()
        console.say("Stopping when what has begun is done; Ctrl-C again ends it at once.", style="bold red")

    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, first)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
