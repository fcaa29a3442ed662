"""Arguments and options that several commands share, declared once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dashgen.model.artifact import Target
from dashgen.views.text import SPEC

SpecPath = Annotated[
    Path, typer.Argument(help="The specification: a file, or a folder of files.", show_default="services.yaml")
]
Out = Annotated[
    Path | None,
    typer.Option("-o", "--out", help="The folder to write to.", show_default="out/ beside the specification"),
]
Targets = Annotated[
    list[Target] | None,
    typer.Option(
        "--target",
        help="Also write for Kubernetes, Grafana's file provisioning, or Git Sync; repeat it for several.",
    ),
]
DEFAULT = SPEC


class Format(StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSON = "json"


class FindingsFormat(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


def findings_format(format: StrEnum) -> FindingsFormat:
    """How findings are printed by a command that prints its results so: as JSON beside JSON, else as text."""
    return FindingsFormat.JSON if format.value == FindingsFormat.JSON else FindingsFormat.TEXT


FormatOption = Annotated[Format, typer.Option("--format", help="For people, or for programs.")]
FindingsOption = Annotated[
    FindingsFormat, typer.Option("--format", help="For people, programs, code scanning, or GitHub.")
]
