"""Pass 7: chains: their path along declared calls, their promises at the entry, and what those depend on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from dashgen import conventions as c
from dashgen.diagnostics import Diagnostic, did_you_mean
from dashgen.model.graph import Chain, Hop
from dashgen.model.slo import Slo
from dashgen.model.spec import Chain as ChainSpec
from dashgen.resolve.draft import Draft, Result
from dashgen.resolve.objective import Subject, make
from dashgen.resolve.refs import make_team, ref, slo_uid


def chains(draft: Draft) -> Result:
    """Resolve every chain whose services are sound."""
    found: list[Diagnostic] = []
    made: list[Chain] = []
    hard = _hard_calls(draft)
    callers = Counter(server for _, server in draft.edges)
    for name, spec in draft.spec.chains.items():
        found += _path(draft, name, spec)
        steps = [step.partition("/")[::2] for step in spec.path]
        known = all(
            service in draft.implementations and (not op or op in draft.spec.services[service].operations)
            for service, op in steps
        )
        team = spec.team or (draft.spec.services[steps[0][0]].team if known else "")
        if not known or team not in draft.spec.teams:
            continue
        hops = tuple(_hop(draft, position, steps, callers) for position in range(len(steps)))
        slos, problems = _slos(draft, name, spec, hops[0], team)
        found += problems
        made.append(
            Chain(
                name=name,
                title=spec.title or name,
                description=spec.description or "",
                team=make_team(draft, team),
                uid=c.uid(draft.settings.name, c.CHAIN, name),
                slo_uid=slo_uid(draft, c.CHAIN, name),
                hops=hops,
                slos=slos,
                dependencies=_dependencies(draft, hard, steps[0][0]),
                path=("chains", name),
            )
        )
    return replace(draft, chains=tuple(made)), found


def _path(draft: Draft, name: str, spec: ChainSpec) -> Iterator[Diagnostic]:
    services = draft.spec.services
    steps = [step.partition("/")[0] for step in spec.path]
    for position, service in enumerate(steps):
        path = ("chains", name, "path", position)
        if service in steps[:position]:
            detail = f"“{service}” stands twice on the path. A chain visits a service once; make two chains of it."
            yield draft.error("spec/path-repeats", "A chain visits a service twice", detail, *path)
        elif position and steps[position - 1] in services and service in services:
            caller = steps[position - 1]
            if service not in services[caller].calls:
                calls = services[caller].calls
                listed = f" It calls: {', '.join(sorted(calls))}." if calls else " It calls nothing."
                detail = (
                    f"“{caller}” does not call “{service}”.{did_you_mean(service, calls) or listed} Declare the call."
                )
                yield draft.error("spec/path-call", "A chain's path has no such call", detail, *path)


def _hop(draft: Draft, position: int, steps: Sequence[tuple[str, ...]], callers: Mapping[str, int]) -> Hop:
    service, operation = steps[position]
    edge = draft.edges.get((steps[position - 1][0], service)) if position else None
    every = tuple(each.source for each in draft.implementations[service])
    served = next((each.sources for each in draft.operations.get(service, ()) if each.name == operation), every)
    return Hop(
        position=position,
        service=ref(draft, service),
        operation=operation,
        sources=served,
        every=every,
        calls=edge.sources if edge and not edge.uncounted else (),
        slos=draft.slos.get(service, ()),
        shared=callers[service] > 1,
        soft=edge is not None and edge.criticality == "soft",
    )


def _slos(draft: Draft, name: str, spec: ChainSpec, entry: Hop, team: str) -> tuple[tuple[Slo, ...], list[Diagnostic]]:
    found: list[Diagnostic] = []
    made: list[Slo] = []
    service = entry.service.name
    subject = Subject("chain", name, service, team, slo_uid(draft, c.CHAIN, name), ("chains", name))
    for slo_name, slo_spec in spec.slos.items():
        path = ("chains", name, "slos", slo_name)
        if slo_spec.operation:
            detail = f"A chain is measured at its entry. Write it into the path: `{service}/{slo_spec.operation}`."
            found.append(
                draft.error(
                    "spec/chain-operation", "A chain's SLO names an operation", detail, *path, "operation", key=True
                )
            )
            continue
        slo, problems = make(draft, slo_name, slo_spec, entry.sources, subject)
        found += problems
        made += [slo] if slo else []
    return tuple(made), found


def _hard_calls(draft: Draft) -> dict[str, list[str]]:
    calls: dict[str, list[str]] = {}
    for (client, server), edge in draft.edges.items():
        if edge.criticality == "hard":
            calls.setdefault(client, []).append(server)
    return calls


def _dependencies(draft: Draft, hard: Mapping[str, list[str]], entry: str) -> tuple[tuple[str, Decimal], ...]:
    """Every service that the entry cannot do without, with its availability objective (1 where it has none)."""
    reached: dict[str, Decimal] = {}
    waiting = [entry]
    while waiting:
        service = waiting.pop(0)
        if service not in reached:
            promised = [
                s.objective for s in draft.slos.get(service, ()) if s.kind == "availability" and not s.operation
            ]
            reached[service] = min(promised, default=Decimal(1))
            waiting += hard.get(service, ())
    return tuple(reached.items())
