"""The leaves of a template: text with `<< expressions >>`, escaped for the language that the leaf is written in.

A value can never leave the place where its expression stands: inside a PromQL string it is quoted for that string,
outside it must be a PromQL token; in an annotation `{{` loses its meaning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from jinja2 import Undefined

from dashgen.model.units import number
from dashgen.promql import quoted

Dialect = Literal["text", "promql", "gotemplate"]
EXPRESSION = re.compile(r"<<\s*(.+?)\s*>>", re.DOTALL)
_TOKEN = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*|[0-9][0-9a-zA-Z_.:]*|\$[a-zA-Z_]+")
_DELICATE = re.compile(r"[^a-zA-Z0-9_./: -]")


class Promql(str):
    """A piece of PromQL that was built by dashgen and may stand outside quotes."""

    __slots__ = ()


class LeafFault(Exception):
    """A value that may not stand where its expression stands."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """`texts` holds literal texts, and an empty one for each of `holes`: its position, its expression, its context."""

    texts: list[str]
    holes: tuple[tuple[int, int, str], ...]
    dialect: Dialect

    def make(self, values: list[Any]) -> object:
        """The leaf's value, given the values of its block's expressions."""
        dialect = self.dialect
        if len(self.texts) == 1:
            _, index, context = self.holes[0]
            value = _defined(values[index])
            return _ESCAPES[dialect](value, context) if dialect != "text" and isinstance(value, str) else value
        made = self.texts.copy()
        escape = _ESCAPES[dialect]
        for position, index, context in self.holes:
            value = values[index]
            kind = value.__class__
            if kind is str and (dialect == "text" or (context and not _DELICATE.search(value))):
                made[position] = value  # a plain word: what it nearly always is
            elif kind is Promql and not context:
                made[position] = value
            else:
                made[position] = escape(_defined(value), context)
        return "".join(made)


def split(text: str, dialect: Dialect, register: Callable[[str], int]) -> Leaf | str:
    """Cut a text into a leaf; `register` takes an expression and gives its index in the block."""
    parts: list[str | tuple[int, str]] = []
    position = 0
    for match in EXPRESSION.finditer(text):
        if match.start() > position:
            parts.append(text[position : match.start()])
        context = _context("".join(part if isinstance(part, str) else "x" for part in parts), dialect)
        parts.append((register(match[1]), context))
        position = match.end()
    if "<<" in text[position:]:
        raise LeafFault("`<<` opens an expression that no `>>` closes")
    if not parts:
        return text
    if text[position:].strip("\n") or (len(parts) > 1 and position < len(text)):
        parts.append(text[position:])
    texts = [part if isinstance(part, str) else "" for part in parts]
    holes = tuple((position, *part) for position, part in enumerate(parts) if not isinstance(part, str))
    return Leaf(texts, holes, dialect)


def _context(before: str, dialect: Dialect) -> str:
    """The quote inside which an expression stands, or an empty text; `{` marks the inside of a template action."""
    if dialect == "promql":
        return _open_quote(before)
    if dialect == "gotemplate":
        action = before.rfind("{{")
        if action > before.rfind("}}"):
            return "{" + _open_quote(before[action:])
    return ""


def _open_quote(text: str) -> str:
    """The quote that is open at the end of a text.

    >>> _open_quote('a{b="c"}'), _open_quote('a{b="c'), _open_quote("a{b='\\\\'")
    ('', '"', "'")
    """
    quote = ""
    escaped = False
    for char in text:
        if escaped:
            escaped = False
        elif quote and char == "\\" and quote != "`":
            escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "\"'`":
            quote = char
    return quote


def written(value: object) -> str:
    """A value as it stands in a text."""
    if isinstance(value, Decimal | float):
        return number(value)
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    raise LeafFault(f"an expression in this text gives {kind_of(value)}, and only a text or a number can stand there")


def kind_of(value: object) -> str:
    """What a value is, in the words of a template's author."""
    if isinstance(value, Iterator):
        return "a sequence"
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    kinds: dict[type, str] = {
        str: "a text",
        int: "a number",
        Decimal: "a number",
        dict: "a mapping",
        list: "a list",
        tuple: "a list",
    }
    name = type(value).__name__.strip("_").lower().replace("settings", "graph, as its parts see it,")
    return kinds.get(type(value), f"{'an' if name[0] in 'aeiou' else 'a'} {name}")


def _promql(value: object, context: str) -> str:
    text = written(value)
    if context == '"':
        return quoted(text)
    if context:
        raise LeafFault(f"write {context}…{context} strings around an expression with double quotes")
    if isinstance(value, Promql | Decimal | int | float) or _TOKEN.fullmatch(text):
        return text
    raise LeafFault(f"{text!r:.80} is no PromQL token; put the expression into a double-quoted string")


def _gotemplate(value: object, context: str) -> str:
    text = written(value)
    if context == '{"':
        return quoted(text)
    if context:
        if _TOKEN.fullmatch(text) or isinstance(value, Decimal | int | float):
            return text
        raise LeafFault(f"{text!r:.80} cannot stand inside {{{{ … }}}} without double quotes")
    if isinstance(value, Promql):
        return text
    return text.replace("{{", '{{ "{{" }}')


def _text(value: object, context: str) -> str:  # noqa: ARG001
    return written(value)


_ESCAPES: dict[str, Callable[[object, str], str]] = {"text": _text, "promql": _promql, "gotemplate": _gotemplate}


def _defined(value: object) -> object:
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()
    return value
