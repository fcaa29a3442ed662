"""YAML text → a tree with places: YAML 1.2 scalars, unique keys, bounded depth and bounded aliases."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import cast

import yaml
from yaml._yaml import Mark as CMark

from dashgen.diagnostics import Diagnostic, Span
from dashgen.model.tree import Document, Items, Mapping, Node, Number, Scalar

Mark = yaml.Mark | CMark

MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 100
ALIAS_BUDGET = 100_000  # nodes that aliases may add on top of what the text itself holds

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?\Z")
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_STR_TAGS = {None, "!", "tag:yaml.org,2002:str"}


class _Fault(Exception):
    """A problem inside one document; becomes a diagnostic in `parse`."""

    def __init__(self, id: str, summary: str, detail: str, mark: Mark | Scalar, first: Scalar | None = None):
        self.id, self.summary, self.detail, self.mark, self.first = id, summary, detail, mark, first


def content(path: Path, shown: str) -> tuple[bytes | None, list[Diagnostic]]:
    """What stands in one file; `shown` is the name that messages use."""
    try:
        if path.stat().st_size > MAX_BYTES:
            detail = f"{shown} is larger than {MAX_BYTES // 1024 // 1024} MiB. Split it into a folder of smaller files."
            return None, [Diagnostic("yaml/size", "The file is too large", detail, Span(shown, 1, 1, 2))]
        return path.read_bytes(), []
    except OSError as error:
        detail = f"{shown}: {error.strerror}. Check the path and its permissions."
        return None, [Diagnostic("yaml/unreadable", "The file cannot be read", detail, Span(shown, 1, 1, 2))]


def read(path: Path, shown: str) -> tuple[Document | None, list[Diagnostic]]:
    """Read and parse one file."""
    data, problems = content(path, shown)
    return (None, problems) if data is None else document(data, shown)


def document(data: bytes, shown: str) -> tuple[Document | None, list[Diagnostic]]:
    """Parse the content of one file."""
    text, problems = decoded(data, shown)
    return (None, problems) if text is None else parse(text, shown)


def decoded(data: bytes, shown: str) -> tuple[str | None, list[Diagnostic]]:
    """The content of one file as text."""
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        detail = f"Byte {error.start} is not UTF-8 ({error.reason}). Save the file as UTF-8."
        return None, [Diagnostic("yaml/encoding", "The file is not UTF-8", detail, Span(shown, line, 1, 2))]


def parse(text: str, file: str) -> tuple[Document | None, list[Diagnostic]]:
    """Parse one YAML document.

    >>> document, found = parse("a: [1, on]", "f.yaml")
    >>> [item.value for item in document.root.get("a").items]
    [1, 'on']
    """
    lines = tuple(text.replace("\r\n", "\n").split("\n"))
    builder = _Builder(text)
    try:
        root = builder.document()
    except _Fault as fault:
        return None, [_diagnostic(file, lines, each) for each in (*builder.faults, fault)]
    except yaml.MarkedYAMLError as error:
        what = f"{(error.problem or 'unreadable YAML').strip()}{f' ({error.context})' if error.context else ''}"
        mark = error.problem_mark or error.context_mark
        span = _span(file, lines, mark) if mark else Span(file, 1, 1, 2)
        detail = f"{what[0].upper()}{what[1:]}. Check the indentation, the quotes and the colons around this place."
        return None, [Diagnostic("yaml/syntax", "The file is not valid YAML", detail, span)]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
        shown = lines[line - 1].encode("unicode_escape").decode() if line <= len(lines) else ""
        detail = f"The character {error.character!r} is not allowed in YAML. Write it as an escape in double quotes."
        span = Span(file, line, column, column + 1, shown)
        return None, [Diagnostic("yaml/character", "The file holds a forbidden character", detail, span)]
    if root is None:
        detail = f"{file} holds no YAML document. `dashgen init` writes a commented starter."
        return None, [Diagnostic("yaml/empty", "The file is empty", detail, Span(file, 1, 1, 2, lines[0]))]
    if builder.faults:
        return None, [_diagnostic(file, lines, fault) for fault in builder.faults]
    return Document(file, lines, root), []


def _diagnostic(file: str, lines: tuple[str, ...], fault: _Fault) -> Diagnostic:
    related = (("first written here", _span(file, lines, fault.first)),) if fault.first else ()
    return Diagnostic(fault.id, fault.summary, fault.detail, _span(file, lines, fault.mark), related=related)


def _span(file: str, lines: tuple[str, ...], at: Mark | Scalar) -> Span:
    if isinstance(at, Scalar):
        return Span(file, at.line, at.column, at.end, lines[at.line - 1])
    line = min(at.line, len(lines) - 1)
    return Span(file, line + 1, at.column + 1, at.column + 2, lines[line])


class _Builder:
    """Turns parser events into nodes with an explicit stack, so depth and size are bounded before Python's are."""

    def __init__(self, text: str):
        self._next = cast("Callable[[], yaml.Event]", yaml.CSafeLoader(text).get_event)  # None after the last only
        self._anchors: dict[str, Node | None] = {}
        self._budget = ALIAS_BUDGET
        self.faults: list[_Fault] = []  # those that do not stop the reading

    def document(self) -> Node | None:
        root: Node | None = None
        while not isinstance(event := self._next(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    detail = "A file is one document. Remove the `---` or move what follows into a file of its own."
                    raise _Fault("yaml/documents", "More than one document", detail, _mark(event))
                first = self._next()
                empty = isinstance(first, yaml.ScalarEvent) and first.value == "" and first.implicit[0]
                root = None if empty else self._node(first, 0)
        return root

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if type(event) is yaml.ScalarEvent and not event.anchor:  # four of five
            return _scalar(event)
        if depth > MAX_DEPTH:
            detail = f"The document is nested more than {MAX_DEPTH} levels deep. Flatten it."
            raise _Fault("yaml/depth", "Nested too deep", detail, _mark(event))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        anchor = event.anchor if isinstance(event, yaml.NodeEvent) else None
        if anchor:
            self._anchors[anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            node: Node = _scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event, depth)
        else:
            assert isinstance(event, yaml.MappingStartEvent)
            node = self._mapping(event, depth)
        if anchor:
            self._anchors[anchor] = node
        return node

    def _alias(self, event: yaml.AliasEvent) -> Node:
        if event.anchor not in self._anchors:
            detail = f"There is no anchor &{event.anchor} above this line. Define it first."
            raise _Fault("yaml/anchor", "Unknown anchor", detail, _mark(event))
        node = self._anchors[event.anchor]
        if node is None:
            detail = f"*{event.anchor} stands inside the value that it names. A value cannot contain itself."
            raise _Fault("yaml/anchor", "An anchor refers to itself", detail, _mark(event))
        self._budget -= node.size
        if self._budget < 0:
            detail = (
                f"Aliases expand to more than {ALIAS_BUDGET:,} values here. Write the values out, or split the file."
            )
            raise _Fault("yaml/bomb", "Aliases expand too far", detail, _mark(event))
        return node

    def _sequence(self, start: yaml.SequenceStartEvent, depth: int) -> Items:
        _plain_tag(start, "tag:yaml.org,2002:seq")
        items: list[Node] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        mark = _mark(start)
        return Items(tuple(items), mark.line + 1, mark.column + 1, mark.column + 2, 1 + sum(i.size for i in items))

    def _mapping(self, start: yaml.MappingStartEvent, depth: int) -> Mapping:
        _plain_tag(start, "tag:yaml.org,2002:map")
        entries: dict[str, tuple[Scalar, Node]] = {}
        merged: list[Node] = []
        size = 1
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(self._next(), depth + 1)
            if not isinstance(key, Scalar):
                detail = "A key must be a text, not a list or a mapping. Quote it if it starts with [ or {."
                self.faults.append(_Fault("yaml/key", "A key is not a text", detail, _mark(event)))
            elif key.text == "<<" and not isinstance(value, Scalar):
                merged += value.items if isinstance(value, Items) else [value]
            elif key.text in entries:
                detail = f"“{key.text}” stands twice in the same mapping; one would be lost. Remove or rename one."
                first = entries[key.text][0]
                self.faults.append(_Fault("yaml/duplicate-key", "A key is written twice", detail, key, first))
            else:
                entries[key.text] = (key, value)
                size += 1 + value.size
        for source in merged:
            if not isinstance(source, Mapping):
                detail = "`<<` merges mappings; this is not one. Point it at an anchor on a mapping."
                raise _Fault("yaml/merge", "Only a mapping can be merged", detail, _mark(start))
            entries = {**{k.text: (k, v) for k, v in source.entries}, **entries}
        if merged:
            size = 1 + sum(1 + value.size for _, value in entries.values())
        mark = _mark(start)
        return Mapping(tuple(entries.values()), mark.line + 1, mark.column + 1, mark.column + 2, size)


def _mark(event: yaml.Event) -> Mark:
    """Where an event starts; the C parser always knows."""
    assert event.start_mark is not None
    return event.start_mark


def _plain_tag(event: yaml.CollectionStartEvent, allowed: str) -> None:
    if event.tag not in (None, "!", allowed):
        detail = f"The tag {event.tag} is not supported; dashgen reads plain data only. Remove the tag."
        raise _Fault("yaml/tag", "A YAML tag is not supported", detail, _mark(event))


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    start, stop = event.start_mark, event.end_mark
    assert start  # the C parser always knows
    assert stop
    line, column = start.line, start.column + 1
    end = stop.column + 1 if stop.line == line else column + 1
    if event.tag not in _STR_TAGS:
        detail = f"The tag {event.tag} is not supported; dashgen reads plain data only. Remove the tag."
        raise _Fault("yaml/tag", "A YAML tag is not supported", detail, start)
    implicit = event.implicit[0]
    value = _resolve(event.value) if implicit else event.value
    return Scalar(value, event.value, line + 1, column, end)


def _resolve(text: str) -> bool | int | Number | str | None:
    """Read a plain scalar by the YAML 1.2 core rules: `no` and `off` stay texts, `1:30` is no sexagesimal."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] in "0123456789+-.":
        if _INT.match(text) and len(text) < 18:
            return int(text)
        if _FLOAT.match(text):
            return Number(text)
    return text
