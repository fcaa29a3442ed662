"""The scopes in which a service is watched: as a whole, by operation, by implementation, by dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dashgen import conventions as c
from dashgen.model.graph import Chain, Edge, Hop, Service, Settings
from dashgen.model.slo import Slo
from dashgen.model.telemetry import Source

Labels = dict[str, str]


@dataclass(frozen=True, slots=True)
class Scope:
    """One set of canonical series: its level, its name, whose telemetry it adds up, and its labels."""

    level: Literal["service", "implementation", "dimension"]
    name: str
    sources: tuple[Source, ...]
    labels: Labels
    by: tuple[str, ...] = ()


def scopes(service: Service, settings: Settings) -> list[Scope]:
    """Every scope of a service, the whole first."""
    base = labels(service, settings)
    made = [Scope("service", "requests", service.sources, base)]
    made += [
        Scope("service", f"operation-{each.name}", each.sources, {**base, c.OPERATION: each.name})
        for each in service.operations
    ]
    if len(service.implementations) > 1:
        made += [
            Scope(
                "implementation",
                f"implementation-{each.name}",
                (each.source,),
                {**base, c.IMPLEMENTATION: each.name, c.LANGUAGE: each.language},
            )
            for each in service.implementations
        ]
    if settings.dimensions:
        made.append(Scope("dimension", "dimensions", service.sources, base, settings.dimensions))
    return made


def labels(subject: Service | Edge | Slo | Chain, settings: Settings) -> Labels:
    """The labels of the series and alerts of a subject."""
    if isinstance(subject, Slo):
        return subject.labels
    if isinstance(subject, Chain):
        return {c.CHAIN: subject.name, c.TEAM: subject.team.name, c.ENV: settings.env}
    if isinstance(subject, Edge):
        ends = {c.CLIENT: subject.client.name, c.SERVER: subject.server.name}
        return {**ends, c.TEAM: subject.client.team, c.ENV: settings.env}
    return {
        c.SERVICE: subject.name,
        c.LANGUAGE: subject.language,
        c.TEAM: subject.team.name,
        c.ENV: settings.env,
    }


def hop_labels(hop: Hop) -> Labels:
    """The labels that tell the hops of a chain apart; positions count from 1."""
    return {c.HOP: str(hop.position + 1), c.SERVICE: hop.service.name, c.LANGUAGE: hop.service.language}
