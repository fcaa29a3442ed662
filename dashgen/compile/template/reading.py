"""Helpers that read instantiated templates: what is missing or makes no sense is a fault at the template's line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashgen.compile.template.engine import TemplateFault
from dashgen.diagnostics import did_you_mean

Tree = Mapping[str, Any]


def need(tree: Tree, key: str, what: str) -> str:
    """A text that must be there."""
    value = tree.get(key)
    if value is None or value == "":
        raise fault(tree, f"{what} needs `{key}`.")
    return str(value)


def whole(tree: Tree, key: str, default: int) -> int:
    """A whole number of grid units."""
    value = tree.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 24:
        raise fault(tree, f"`{key}` is a whole number from 1 to 24, not {value!r}.")
    return value


def one_of(tree: Tree, key: str, what: str, known: tuple[str, ...]) -> str:
    """A text from a list."""
    value = need(tree, key, what)
    if value not in known:
        raise fault(
            tree, f"“{value}” is no {key} of {what.lower()}.{did_you_mean(value, known)} Known: {', '.join(known)}."
        )
    return value


def fault(tree: Tree, detail: str) -> TemplateFault:
    """A fault at the place of the template from which a mapping was made."""
    return TemplateFault(detail, str(tree.get("origin", "")), "A template asks for something odd")
