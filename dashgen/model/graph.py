"""What dashgen thinks with: the service graph, resolved, frozen, every reference followed.

Every object is a closed tree: it holds what its own files need and refers to its neighbours by a small `Ref`.
That is what keeps a change local: the files of a service can only depend on what its tree holds.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from dashgen.model.slo import Slo
from dashgen.model.telemetry import Signal, Source, VersionSeries

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tile:
    """The unit in which events are counted: `name` for series, `range` for `rate()`, `every` between evaluations.

    `scrape` is the scrape interval. The range is one scrape longer than the tile, so that `rate()` does not lose the
    increase between the last scrape of one tile and the first of the next.
    """

    seconds: int
    name: str
    range: str
    every: str
    scrape: str


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """What Kubernetes manifests bear: a namespace or none, labels of their own, and those of their Grafana."""

    namespace: str
    labels: tuple[tuple[str, str], ...]
    grafana: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for the whole graph; the only graph-wide facts that the files of a service may depend on.

    `slow_every` is how often windows of days are evaluated.
    """

    name: str
    title: str
    env: str
    tile: Tile
    slow_every: str
    metrics: str
    traces: str
    logs: str
    runbooks: str
    grafana: str
    dimensions: tuple[str, ...]
    kubernetes: Kubernetes


@dataclass(frozen=True, slots=True)
class Team:
    """A team and its receivers."""

    name: str
    title: str
    page: str
    ticket: str
    editors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ref:
    """A neighbour: enough to name it, colour it and link to it."""

    name: str
    title: str
    language: str
    team: str
    tier: int
    uid: str


@dataclass(frozen=True, slots=True)
class ChainRef:
    """A chain that runs through a service."""

    name: str
    title: str
    uid: str


@dataclass(frozen=True, slots=True)
class Operation:
    """A part of a service's traffic; `native` are the matchers that select it, by implementation."""

    name: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """A call. `sources` count it on the caller's side, except for what implementations make that are `uncounted`."""

    name: str
    client: Ref
    server: Ref
    protocol: str
    criticality: Literal["hard", "soft"]
    timeout: Decimal | None
    sources: tuple[Source, ...]
    uncounted: tuple[str, ...]
    path: Path

    @property
    def near_timeout(self) -> Decimal | None:
        """From how many seconds on a call comes close to its timeout.

        This is the first bound in the timeout's last quarter that all histograms have: between two bounds a quantile is
        a guess, and who takes as long as the timeout has failed. Native histograms tell everything. Nothing where there
        is no such bound.
        """
        if not self.timeout:
            return None
        least, bounds = self.timeout * Decimal("0.75"), self._bounds(self.timeout * Decimal("0.8"))
        return min((bound for bound in bounds if least <= bound < self.timeout), default=None)

    @property
    def past_timeout(self) -> Decimal | None:
        """Beyond how many seconds a call surely takes longer than its timeout, which then is none.

        This is the first bound from the timeout on; where there is none, no quantile is beyond the timeout.
        """
        if not self.timeout:
            return None
        return min((bound for bound in self._bounds(self.timeout) if bound >= self.timeout), default=self.timeout)

    def _bounds(self, native: Decimal) -> frozenset[Decimal]:
        """The bounds of buckets that all histograms have; the given one where all of them are native."""
        histograms = [source.duration for source in self.sources if source.duration]
        if not histograms or len(histograms) < len(self.sources):
            return frozenset()
        classic = [histogram.seconds for histogram in histograms if not histogram.native]
        return frozenset.intersection(*classic) if classic else frozenset({native})


@dataclass(frozen=True, slots=True)
class Implementation:
    """One program that serves a service's requests."""

    name: str
    language: str
    profile: str
    source: Source
    signals: tuple[Signal, ...]
    version: VersionSeries | None


@dataclass(frozen=True, slots=True)
class Service:
    """A service with everything that its own files need; `counting` are the callers that count their calls to it."""

    name: str
    title: str
    description: str
    language: str
    team: Team
    tier: int
    scales_to_zero: bool
    uid: str
    slo_uid: str
    implementations: tuple[Implementation, ...]
    operations: tuple[Operation, ...]
    calls: tuple[Edge, ...]
    callers: tuple[Ref, ...]
    counting: tuple[Ref, ...]
    slos: tuple[Slo, ...]
    chains: tuple[ChainRef, ...]
    logs: tuple[tuple[str, str], ...]
    traces: tuple[tuple[str, str], ...]
    path: Path

    @property
    def traced(self) -> bool:
        """Whether only metrics that are made from traces tell of its requests."""
        return all(source.sampled for source in self.sources)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The server-side telemetry of all implementations."""
        return tuple(each.source for each in self.implementations)


@dataclass(frozen=True, slots=True)
class Hop:
    """One service on a chain.

    `sources` count what it serves, of its operation if one is named; `every` counts all that the service serves.
    `calls` counts the calls into it on its caller's side; empty at the entry and where not all are counted. Others may
    call a `shared` one, too; and whoever calls a `soft` one does without its answer.
    """

    position: int
    service: Ref
    operation: str
    sources: tuple[Source, ...]
    every: tuple[Source, ...]
    calls: tuple[Source, ...]
    slos: tuple[Slo, ...]
    shared: bool
    soft: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """A path of calls that users feel as one."""

    name: str
    title: str
    description: str
    team: Team
    uid: str
    slo_uid: str
    hops: tuple[Hop, ...]
    slos: tuple[Slo, ...]
    dependencies: tuple[tuple[str, Decimal], ...]
    path: Path

    @property
    def entry(self) -> Hop:
        """The hop at which the chain is measured."""
        return self.hops[0]


@dataclass(frozen=True, slots=True)
class Silence:
    """A check that is silenced for the entry at `path` and all below it; `position` is its place in the list there."""

    path: Path
    position: int
    check: str
    reason: str
    until: datetime.date


@dataclass(frozen=True, slots=True)
class Graph:
    """The whole service graph."""

    settings: Settings
    teams: tuple[Team, ...]
    services: tuple[Service, ...]
    chains: tuple[Chain, ...]
    silences: tuple[Silence, ...] = ()

    @property
    def slos(self) -> tuple[Slo, ...]:
        """The promises of all services and chains."""
        return tuple(slo for service in self.services for slo in service.slos) + tuple(
            slo for chain in self.chains for slo in chain.slos
        )

    @property
    def edges(self) -> tuple[Edge, ...]:
        """All calls."""
        return tuple(edge for service in self.services for edge in service.calls)

    @property
    def title(self) -> str:
        """The name for people."""
        return self.settings.title
