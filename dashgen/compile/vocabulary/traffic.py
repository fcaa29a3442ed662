"""Traffic for generated tests: native series, as a profile would expose them, in promtool's notation."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from dashgen.compile.vocabulary.native import bound, labelled
from dashgen.model.graph import Edge, Service, Tile
from dashgen.model.slo import Slo
from dashgen.model.telemetry import Labels, Source
from dashgen.model.units import number, seconds

Series = tuple[tuple[str, str], ...]
LENGTH, TURN = 75 * 60, 12 * 60  # seconds of traffic in every test, and those before its shape changes


class Traffic:
    """Makes series for the sources of a subject; `rate` in requests per second, `bad` as a ratio from 0 to 1."""

    def __init__(self, tile: Tile):
        self._step = seconds(tile.scrape)
        self._shapes: dict[str, tuple[object, Series]] = {}
        self._made: dict[tuple[int, str, Labels], tuple[Source, str]] = {}
        self._values = lru_cache(maxsize=1024)(self._written)

    def of(
        self, subject: Service | Edge | Slo, rate: float = 50, bad: Decimal | float = 0, shape: str = "steady"
    ) -> Series:
        """Traffic of a service, a call or an SLO's scope, spread evenly over its implementations.

        `shape` is `steady`, `idle` (the counters exist and stand still), `reset` (every counter restarts) or `gone`
        (every counter ends).
        """
        threshold = subject.threshold if isinstance(subject, Slo) else None
        share = Decimal(str(rate)) / max(len(subject.sources), 1)
        made: dict[str, str] = {}
        for source in subject.sources:
            made |= self._source(source, share, Decimal(str(bad)), threshold, shape)
        return tuple(made.items())

    def shaped(self, subject: Service | Edge | Slo, shape: str) -> Series:
        """Traffic without failures; every alert of the subject is tested with the same."""
        subject_of, series = self._shapes.get(shape, (None, ()))
        if subject_of is not subject:
            series = self.of(subject, shape=shape)
            self._shapes[shape] = (subject, series)
        return series

    def possible(self, subject: Service | Edge | Slo) -> bool:
        """Whether promtool can be given this traffic: its tests have no notation for native histograms before 3.0."""
        return bool(subject.sources) and not any(s.duration and s.duration.native for s in subject.sources)

    def up(self, subject: Service, besides: str = "") -> Series:
        """Instances that are scraped, whatever they expose; but for those of one implementation."""
        sources = (source for source in subject.sources if source.implementation != besides)
        own = [{m.label: m.example or m.value for m in source.target} for source in sources]
        return tuple((self._labelled("up", labels), self._constant(1)) for labels in own)

    def slow(self, subject: Edge | Service, duration: Decimal) -> Series:
        """Traffic in which every request takes longer than a duration in seconds."""
        made: dict[str, str] = {}
        for source in subject.sources:
            made |= self._source(source, Decimal(50), Decimal(1), duration, "steady")
        return tuple(made.items())

    def without_bucket(self, slo: Slo) -> Series:
        """Traffic whose histogram lacks the bucket that the SLO counts."""
        return tuple((series, values) for series, values in self.of(slo) if "_bucket{" not in series)

    def gauge(self, name: str, value: Decimal | float, /, **labels: str) -> Series:
        """One constant series, such as a canonical one of another service."""
        return ((self._labelled(name, labels), self._constant(value)),)

    def _labelled(self, name: str, labels: Mapping[str, str]) -> str:
        return str(labelled(name, labels))

    def _constant(self, value: Decimal | float) -> str:
        return f"{number(value)}x{int(LENGTH / self._step)}"

    def _source(
        self, source: Source, rate: Decimal, bad: Decimal, threshold: Decimal | None, shape: str
    ) -> dict[str, str]:
        failing = Decimal(0) if threshold else bad
        made = {self._series(source, source.requests, source.ok): self._values(rate * (1 - failing), shape)}
        if source.failed:
            made[self._series(source, source.requests, source.ok)] = self._values(rate, shape)
            made[self._series(source, source.failed, source.ok)] = self._values(rate * failing, shape)
        elif failing or source.bad == source.ok:
            made[self._series(source, source.requests, source.bad)] = self._values(rate * failing, shape)
        histogram = source.duration
        if histogram and not histogram.native:
            least = threshold or histogram.bounds[0] * histogram.scale
            fast = self._series(source, f"{histogram.base}_bucket", (*source.ok, ("le", _le(least / histogram.scale))))
            every = self._series(source, f"{histogram.base}_bucket", (*source.ok, ("le", "+Inf")))
            made[fast] = self._values(rate * (1 - (bad if threshold else 0)), shape)
            made[every] = self._values(rate, shape)
            made[self._series(source, f"{histogram.base}_sum", source.ok)] = self._values(rate / 10, shape)
            if histogram.base + "_count" != source.requests:
                made[self._series(source, f"{histogram.base}_count", source.ok)] = self._values(rate, shape)
        return made

    def _series(self, source: Source, metric: str, labels: Labels) -> str:
        """A series of a source; the same few come back in every test of a service."""
        key = (id(source), metric, labels)
        if key not in self._made:
            own = {m.label: m.example or m.value for m in source.matchers}
            self._made[key] = (source, self._labelled(metric, {**own, **dict(labels)}))
        return self._made[key][1]

    def _written(self, rate: Decimal, shape: str) -> str:
        """The values of a counter that grows by `rate` a second; tests of thousands of services have the same few."""
        step, count, turn = number(rate * self._step), int(LENGTH / self._step), int(TURN / self._step)
        if shape == "idle":
            return f"7x{count}"
        if shape == "reset":
            return f"0+{step}x{turn} 0+{step}x{count - turn}"
        if shape == "gone":
            return f"0+{step}x{turn} stale"
        return f"0+{step}x{count}"


def _le(bucket: Decimal) -> str:
    return bound(bucket).value.split("|")[0]
