"""The end of resolving: the parts put together into closed trees, one per service and chain."""

from __future__ import annotations

from collections.abc import Iterator

from dashgen import conventions as c
from dashgen.model.graph import ChainRef, Edge, Graph, Path, Service, Silence
from dashgen.model.spec import Silence as SilenceSpec
from dashgen.resolve.draft import Draft
from dashgen.resolve.refs import language_of, make_team, slo_uid


def assemble(draft: Draft) -> Graph:
    """Join implementations, operations, edges, SLOs and chains into the graph."""
    calls: dict[str, list[Edge]] = {}
    called: dict[str, list[Edge]] = {}
    for edge in draft.edges.values():
        calls.setdefault(edge.client.name, []).append(edge)
        called.setdefault(edge.server.name, []).append(edge)
    through: dict[str, list[ChainRef]] = {}
    for chain in draft.chains:
        for hop in chain.hops:
            through.setdefault(hop.service.name, []).append(ChainRef(chain.name, chain.title, chain.uid))
    services = tuple(
        _service(draft, name, calls.get(name, []), called.get(name, []), through.get(name, []))
        for name in sorted(draft.implementations)
    )
    teams = tuple(make_team(draft, name) for name in sorted(draft.spec.teams))
    chains = tuple(sorted(draft.chains, key=lambda chain: chain.name))
    return Graph(draft.settings, teams, services, chains, tuple(_silences(draft)))


def _silences(draft: Draft) -> Iterator[Silence]:
    """Every silence, with the entry in which it stands."""
    spec = draft.spec
    entries: list[tuple[Path, tuple[SilenceSpec, ...]]] = [((), spec.silence)]
    for name, service in spec.services.items():
        path: Path = ("services", name)
        entries.append((path, service.silence))
        entries += [((*path, "calls", callee), call.silence) for callee, call in service.calls.items()]
        entries += [((*path, "slos", slo), each.silence) for slo, each in service.slos.items()]
    for name, chain in spec.chains.items():
        path = ("chains", name)
        entries.append((path, chain.silence))
        entries += [((*path, "slos", slo), each.silence) for slo, each in chain.slos.items()]
    for path, silences in entries:
        for position, silence in enumerate(silences):
            yield Silence(path, position, silence.check, silence.reason, silence.until)


def _service(draft: Draft, name: str, calls: list[Edge], called: list[Edge], chains: list[ChainRef]) -> Service:
    spec = draft.spec.services[name]
    called = sorted(called, key=lambda edge: edge.client.name)
    return Service(
        name=name,
        title=spec.title or name,
        description=spec.description or "",
        language=language_of(draft.implementations[name]),
        team=make_team(draft, spec.team),
        tier=spec.tier,
        scales_to_zero=spec.scales_to_zero,
        uid=c.uid(draft.settings.name, c.SERVICE, name),
        slo_uid=slo_uid(draft, c.SERVICE, name),
        implementations=draft.implementations[name],
        operations=draft.operations.get(name, ()),
        calls=tuple(sorted(calls, key=lambda edge: edge.server.name)),
        callers=tuple(edge.client for edge in called),
        counting=tuple(edge.client for edge in called if edge.sources),
        slos=draft.slos.get(name, ()),
        chains=tuple(chains),
        logs=tuple((spec.logs or {"service_name": name}).items()),
        traces=tuple((spec.traces or {"resource.service.name": name}).items()),
        path=("services", name),
    )
