"""Spec → Graph: the passes, in order. What they report is what CANNOT be; what should not be is for `verify`."""

from __future__ import annotations

from collections.abc import Callable

from dashgen.diagnostics import Diagnostic
from dashgen.model.graph import Graph
from dashgen.model.library import Library
from dashgen.model.spec import Spec
from dashgen.resolve.assemble import assemble
from dashgen.resolve.calls import calls
from dashgen.resolve.chains import chains
from dashgen.resolve.draft import Draft, Locate, Result
from dashgen.resolve.names import names
from dashgen.resolve.operations import operations
from dashgen.resolve.settings import settings, unsettled
from dashgen.resolve.slos import slos
from dashgen.resolve.telemetry import telemetry

PASSES: tuple[Callable[[Draft], Result], ...] = (
    settings,
    names,
    telemetry,
    operations,
    calls,
    slos,
    chains,
)


def resolve(spec: Spec, library: Library, at: Locate) -> tuple[Graph | None, list[Diagnostic]]:
    """Run every pass and report all that they find; where they found nothing, put the graph together."""
    draft = Draft(spec, library, at, unsettled(spec))
    found: list[Diagnostic] = []
    for each in PASSES:
        draft, more = each(draft)
        found += more
    return (None if found else assemble(draft)), found
