"""The draft that the passes hand on: the specification, what was resolved so far, and where everything stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dashgen.diagnostics import Diagnostic, Span
from dashgen.model.graph import Chain, Edge, Implementation, Operation, Settings
from dashgen.model.library import Library
from dashgen.model.slo import Slo
from dashgen.model.spec import Spec

Locate = Callable[..., Span]


@dataclass(frozen=True, slots=True)
class Draft:
    """What is known after a pass. A pass leaves out what it reported, so that later passes do not stumble over it."""

    spec: Spec
    library: Library
    at: Locate
    settings: Settings
    implementations: Mapping[str, tuple[Implementation, ...]] = field(default_factory=dict)
    operations: Mapping[str, tuple[Operation, ...]] = field(default_factory=dict)
    edges: Mapping[tuple[str, str], Edge] = field(default_factory=dict)
    slos: Mapping[str, tuple[Slo, ...]] = field(default_factory=dict)
    chains: tuple[Chain, ...] = ()

    def error(self, id: str, summary: str, detail: str, *path: object, key: bool = False) -> Diagnostic:
        """An error at a place in the specification."""
        return Diagnostic(id, summary, detail, self.at(path, key=key))


Result = tuple[Draft, list[Diagnostic]]
