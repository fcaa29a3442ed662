"""A YAML document as a tree that remembers the line and column of every key and value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashgen.diagnostics import Span

Plain = None | bool | int | float | str | tuple["Plain", ...] | dict[str, "Plain"]


class Number(float):
    """A number that still knows how it was written, so that `0.70` stays a version and `99.95` stays exact."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Number:
        """Read a number and keep its text."""
        number = super().__new__(cls, text)
        number.text = text
        return number


# Nodes are not frozen, though nobody changes them: there are fifty thousand, and freezing doubles the time to make one.
@dataclass(slots=True, eq=False)
class Scalar:
    """A leaf: `value` is None, bool, int, Number or str; `text` is what was written."""

    value: bool | int | Number | str | None
    text: str
    line: int
    column: int
    end: int
    size: int = 1


@dataclass(slots=True, eq=False)
class Items:
    """A list."""

    items: tuple[Node, ...]
    line: int
    column: int
    end: int
    size: int


@dataclass(slots=True, eq=False)
class Mapping:
    """Keys and values in the order in which they were written; keys are unique texts."""

    entries: tuple[tuple[Scalar, Node], ...]
    line: int
    column: int
    end: int
    size: int

    def get(self, key: str) -> Node | None:
        """The value below `key`, or None."""
        return next((value for name, value in self.entries if name.text == key), None)

    def key(self, key: str) -> Scalar | None:
        """The key itself, for its place."""
        return next((name for name, _ in self.entries if name.text == key), None)


Node = Scalar | Items | Mapping


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A parsed file."""

    file: str
    lines: tuple[str, ...]
    root: Node

    def span(self, node: Node) -> Span:
        """Where a node stands."""
        text = self.lines[node.line - 1] if node.line <= len(self.lines) else ""
        return Span(self.file, node.line, node.column, max(node.end, node.column + 1), text)

    def at(self, path: Sequence[object], *, key: bool = False) -> Span:
        """The span of the deepest node on `path`; of its key rather than its value with `key`.

        A step that does not exist is passed over, so a path that a validator made up still points near the fault.
        """
        node: Node = self.root
        best: Node = node
        for position, step in enumerate(path):
            found = _step(node, step)
            if found is None:
                continue
            name, node = found
            wants_key = key and position == len(path) - 1
            best = name if wants_key and name is not None else node
        if isinstance(best, Mapping) and best is node and best.entries:
            return self.span(best.entries[0][0])
        return self.span(best)


def _step(node: Node, step: object) -> tuple[Scalar | None, Node] | None:
    if isinstance(node, Mapping):
        return next(((name, value) for name, value in node.entries if name.text == step), None)
    if isinstance(node, Items) and isinstance(step, int) and 0 <= step < len(node.items):
        return None, node.items[step]
    return None


def plain(node: Node) -> Plain:
    """The tree without its places: dicts, tuples and scalars."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return tuple(plain(item) for item in node.items)
    return {name.text: plain(value) for name, value in node.entries}


def walk(node: Node) -> Iterator[Node]:
    """Every node, parents first."""
    yield node
    for child in node.items if isinstance(node, Items) else ():
        yield from walk(child)
    for _, child in node.entries if isinstance(node, Mapping) else ():
        yield from walk(child)
