"""The files of knowledge that a project is compiled with, and whose they are."""

from __future__ import annotations

from collections.abc import Sequence

from dashgen.model.library import Known
from dashgen.views import console


def show(files: Sequence[Known]) -> None:
    """Print a line for each file: what is the project's own, and which built-in file it shadows."""
    width = max(len(each.name) for each in files)
    for each in files:
        whose = "yours, instead of the built-in one" if each.own and each.builtin else "yours" if each.own else ""
        console.say(f"{each.name:<{width}}  {whose}".rstrip(), console=console.out, style="green" if each.own else "")
    if free := next((each.name for each in files if not each.own), None):
        console.say(f"Make one yours: dashgen show {free} > {free}")
