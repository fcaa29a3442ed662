"""The units of a graph: one per service, per chain, and for the whole. A unit's files depend on nothing outside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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
