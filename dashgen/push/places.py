"""Where a key stands in a TOML file: Python's reader does not say, so the lines are looked through."""

from __future__ import annotations

import re

from dashgen.diagnostics import Span

_HEADER = re.compile(r"\s*\[+\s*([^\]]+?)\s*\]+")
_ENTRY = re.compile(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")
_PART = re.compile(r"[\w-]+|\"[^\"]*\"|'[^']*'")


class Places:
    """The line of every table and entry of a file.

    >>> places = Places("dashgen.toml", '[contexts.dev.grafana]\\nurl = "x"\\n')
    >>> str(places.of(("contexts", "dev", "grafana", "url"))), str(places.of(("contexts", "dev", "prometheus")))
    ('dashgen.toml:2:1', 'dashgen.toml:1:2')
    """

    def __init__(self, file: str, text: str):
        self._file, self._lines = file, text.splitlines()
        self._at: dict[tuple[str, ...], Span] = {}
        table: tuple[str, ...] = ()
        for number, line in enumerate(self._lines, 1):
            if header := _HEADER.match(line):
                table = _parts(header[1])
                self._keep(table, number, header.start(1), header.end(1))
            elif entry := _ENTRY.match(line):
                self._keep((*table, *_parts(entry[1])), number, entry.start(1), entry.end(1))

    def of(self, path: tuple[str, ...]) -> Span | None:
        """The place of a key, or of the nearest table around it."""
        while path and path not in self._at:
            path = path[:-1]
        return self._at.get(path)

    def of_error(self, message: str) -> Span | None:
        """The place that a message of Python's TOML reader names."""
        match = re.search(r"line (\d+), column (\d+)", message)
        if not match or int(match[1]) > len(self._lines):
            return None
        return Span(self._file, int(match[1]), int(match[2]), int(match[2]) + 1)

    def _keep(self, path: tuple[str, ...], line: int, start: int, end: int) -> None:
        for length in range(1, len(path) + 1):
            span = Span(self._file, line, start + 1, end + 1, self._lines[line - 1])
            self._at.setdefault(path[:length], span)


def _parts(key: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(key))
