"""The knowledge that a run works with: templates, alert packs, burn-rate tables and profiles, built-in or shadowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dashgen.diagnostics import Span
from dashgen.model.contract import Contract
from dashgen.model.profile import Profile, WindowTable
from dashgen.model.tree import Document


@dataclass(frozen=True, slots=True)
class TextFile:
    """A Markdown template with the name that messages use."""

    file: str
    text: str
    builtin: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """A file of knowledge: its path in a project, the built-in one there, and whether the project has its own."""

    name: str
    builtin: Path | None
    own: bool


@dataclass(frozen=True, slots=True)
class Library:
    """Knowledge by name; `templates` has the file's path as its key.

    `own_windows` names the tables that are the project's own.
    """

    templates: Mapping[str, Document]
    fragments: Mapping[str, Document]
    runbooks: Mapping[str, TextFile]
    profiles: Mapping[str, Profile]
    windows: Mapping[str, WindowTable]
    own_windows: frozenset[str]
    contract: Contract
    theme: Document
    fingerprint: str

    def span(self, origin: str) -> Span:
        """The place of a template from its text `file:line:column`, with the line itself."""
        file, line, column = origin.rsplit(":", 2)
        start = int(column)
        for document in (*self.templates.values(), *self.fragments.values()):
            if document.file == file:
                text = document.lines[int(line) - 1]
                return Span(file, int(line), start, len(text.rstrip()) + 1, text)
        return Span(file, int(line), start, start + 1)
