"""The units of a graph: one per service, per chain, and for the whole. A unit's files depend on nothing outside it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from dashgen import conventions as c
from dashgen.model.graph import Chain, Edge, Graph, Service
from dashgen.model.slo import Slo


@dataclass(frozen=True, slots=True)
class Unit:
    """What one set of files is about. `collections` are what a template's top-level `for_each` may walk."""

    owner: str
    team: str
    subject: Service | Chain | Graph
    services: tuple[Service, ...] = ()
    edges: tuple[Edge, ...] = ()
    slos: tuple[Slo, ...] = ()
    chains: tuple[Chain, ...] = ()

    def collection(self, name: str) -> tuple[Any, ...]:
        """The elements of a collection of the graph that belong to this unit."""
        return getattr(self, name) if name in COLLECTIONS else ()


def fingerprints(graph: Graph, found: Sequence[Unit]) -> dict[str, str]:
    """Owner → a digest of everything that the owner's files can depend on, besides templates and dashgen itself.

    A unit's subject is a closed tree, so the digest of the tree and of the settings is exact. The graph's own files may
    depend on all of them.
    """
    settings = orjson.dumps(graph.settings)
    made = {
        unit.owner: hashlib.blake2b(settings + orjson.dumps(unit.subject, default=str), digest_size=32).hexdigest()
        for unit in found
        if not isinstance(unit.subject, Graph)
    }
    whole = hashlib.blake2b(settings + orjson.dumps([sorted(made.values()), graph.teams]), digest_size=32).hexdigest()
    return {**{unit.owner: whole for unit in found}, **made}


COLLECTIONS = ("services", "edges", "slos", "chains")


def units(graph: Graph) -> Iterator[Unit]:
    """Every unit, the whole graph first."""
    yield Unit(c.owner(c.GRAPH, graph.settings.name), graph.settings.name, graph)
    for service in graph.services:
        owner = c.owner(c.SERVICE, service.name)
        yield Unit(owner, service.team.name, service, (service,), service.calls, service.slos)
    for chain in graph.chains:
        owner = c.owner(c.CHAIN, chain.name)
        yield Unit(owner, chain.team.name, chain, slos=chain.slos, chains=(chain,))
