"""The command line: flags in, exit code out. What a command does stands in `pipeline`, what it shows in `views`."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

from dashgen.cli import author, deliver, look, weigh
from dashgen.exits import Exit

app = typer.Typer(
    name="dashgen",
    help="Compile a service graph into dashboards, rules, error budgets, routes and runbooks.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from dashgen import __version__

        typer.echo(f"dashgen {__version__}")
        raise typer.Exit


@app.callback()
def every(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Take the options that stand before a command."""


author.add(app)
look.add(app)
deliver.add(app)
weigh.add(app)


def main() -> None:
    """Run the command line; a closed pipe and Ctrl-C end it quietly, an output that cannot be written with a line."""
    gc.set_threshold(1_000_000)  # a run makes millions of objects and few cycles: looking for them seldom saves a sixth
    try:
        app()
    except SystemExit as ended:
        if not isinstance(ended.__context__, BrokenPipeError):
            raise
        _unheard(Exit.OK)  # typer and rich take a closed pipe for a failure
    except OSError as error:
        with suppress(OSError):
            typer.echo(f"dashgen: {error.filename or 'the output'}: {error.strerror or error}.", err=True)
        _unheard(Exit.USAGE)
    except KeyboardInterrupt:
        sys.exit(Exit.STOPPED)
    finally:
        gc.freeze()  # the end of the process need not look for cycles either


def _unheard(code: Exit) -> NoReturn:
    """End without what is left in buffers, which would fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    sys.exit(code)
