"""Pass 6: the SLOs of every service."""

from __future__ import annotations

from dataclasses import replace

from dashgen import conventions as c
from dashgen.diagnostics import Diagnostic, did_you_mean
from dashgen.model.graph import Operation
from dashgen.model.slo import Slo
from dashgen.model.spec import Slo as SloSpec
from dashgen.model.telemetry import Source
from dashgen.resolve.draft import Draft, Result
from dashgen.resolve.objective import Subject, make
from dashgen.resolve.refs import slo_uid


def slos(draft: Draft) -> Result:
    """Resolve the SLOs of every service; what can never be met or can never fire is an error."""
    found: list[Diagnostic] = []
    made: dict[str, tuple[Slo, ...]] = {}
    for name, implementations in draft.implementations.items():
        service = draft.spec.services[name]
        whole = tuple(each.source for each in implementations)
        path = ("services", name)
        subject = Subject("service", name, name, service.team, slo_uid(draft, c.SERVICE, name), path)
        kept = []
        for slo_name, spec in service.slos.items():
            place = (*path, "slos", slo_name)
            sources, problems = _scope(draft, spec, whole, draft.operations.get(name, ()), place)
            slo, more = make(draft, slo_name, spec, sources, subject)
            found += [*problems, *more]
            kept += [slo] if slo and not problems else []
        made[name] = tuple(kept)
    return replace(draft, slos=made), found


def _scope(
    draft: Draft, spec: SloSpec, whole: tuple[Source, ...], operations: tuple[Operation, ...], path: tuple[str, ...]
) -> tuple[tuple[Source, ...], list[Diagnostic]]:
    if spec.operation is None:
        return whole, []
    for operation in operations:
        if operation.name == spec.operation:
            return operation.sources, []
    known = [operation.name for operation in operations]
    near = did_you_mean(spec.operation, known)
    detail = f"There is no operation “{spec.operation}” here.{near} Declare it under `operations`."
    return whole, [draft.error("spec/unknown-operation", "Unknown operation", detail, *path, "operation")]
