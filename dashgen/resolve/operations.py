"""Pass 4: the operations of a service, as matchers on the native series of each implementation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from dashgen.diagnostics import Diagnostic, did_you_mean
from dashgen.model.fields import LabelValue
from dashgen.model.graph import Operation
from dashgen.model.profile import Profile, Side
from dashgen.model.telemetry import Source
from dashgen.resolve.draft import Draft, Result
from dashgen.resolve.sources import matchers


def operations(draft: Draft) -> Result:
    """Narrow every implementation's series to each operation."""
    found: list[Diagnostic] = []
    made: dict[str, tuple[Operation, ...]] = {}
    for name, implementations in draft.implementations.items():
        service = draft.spec.services[name]
        found += _unknown(draft, name)
        operations = []
        for operation, labels in service.operations.items():
            narrowed: list[Source] = []
            for each in implementations:
                own = service.implementations.get(each.name)
                replaced = own.operations.get(operation) if own else None
                inner = ("implementations", each.name) if replaced is not None else ()
                path = ("services", name, *inner, "operations", operation)
                side = _side(draft.library.profiles[each.profile], each.source)
                resolved, problems = _labels(draft, side, each.profile, labels if replaced is None else replaced, path)
                found += problems
                narrowed.append(replace(each.source, matchers=(*each.source.matchers, *matchers(resolved))))
            operations.append(Operation(operation, tuple(narrowed)))
        made[name] = tuple(operations)
    return replace(draft, operations=made), found


def _side(profile: Profile, source: Source) -> Side:
    """The server side that a source was made from: all variants name the same operations for the same metric."""
    sides = [variant.server for variant in profile.versions if variant.server]
    return next((side for side in sides if "$" in side.requests or side.requests == source.requests), sides[0])


def _labels(
    draft: Draft, side: Side, profile: str, labels: Mapping[str, LabelValue], path: tuple[str, ...]
) -> tuple[dict[str, LabelValue], list[Diagnostic]]:
    known = {**side.operations, **{label: label for label in side.operations.values()}}
    found = []
    if not labels:
        detail = "An operation without labels is the whole service. Add labels, such as a route, or remove it."
        found.append(draft.error("spec/operation", "An operation without labels", detail, *path, key=True))
    for label in labels:
        if label not in known:
            short = ", ".join(f"{label} ({short})" for short, label in side.operations.items()) or "none"
            detail = f"{profile} has no operation label “{label}”.{did_you_mean(label, known)} It has: {short}."
            found.append(draft.error("spec/operation-label", "Unknown operation label", detail, *path, label, key=True))
    return {known.get(label, label): value for label, value in labels.items()}, found


def _unknown(draft: Draft, name: str) -> Iterator[Diagnostic]:
    service = draft.spec.services[name]
    for inner, each in service.implementations.items():
        for operation in each.operations:
            if operation not in service.operations:
                detail = f"The service has no operation “{operation}”.{did_you_mean(operation, service.operations)}"
                path = ("services", name, "implementations", inner, "operations", operation)
                yield draft.error("spec/unknown-operation", "Unknown operation", detail, *path, key=True)
