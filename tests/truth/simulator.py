"""From requests to scrapes: counters and histograms as Prometheus would see them, exact and the same every time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

from dashgen.compile.vocabulary.native import bound, selector
from dashgen.model.telemetry import Matcher, Source
from dashgen.model.units import number
from tests.truth.outage import KINDS, Outage, Phase, Stream

STALE = "stale"
Sample = int | float | str | None  # a value, the mark of a series that ended, or nothing


class Process:
    """One running instance; it answers every `of`-th request and counts them by kind and duration."""

    def __init__(self, stream: Stream, turn: int, of: int, start: int):
        self._stream, self._turn, self._of = stream, turn, of
        self._seen = {kind: self._answered(kind, start) for kind in KINDS}
        self.counts: Counter[tuple[str, Fraction]] = Counter()

    def until(self, now: int, phase: Phase) -> None:
        """Answer what has arrived by now, all of it in this phase."""
        for kind in KINDS:
            answered = self._answered(kind, now)
            self.counts[kind, phase.takes[kind]] += answered - self._seen[kind]
            self._seen[kind] = answered

    def _answered(self, kind: str, now: int) -> int:
        return (self._stream.counts(kind, now) + self._of - 1 - self._turn) // self._of


def scraped(outage: Outage) -> dict[str, list[Sample]]:
    """Every series of an outage, with one sample for every scrape."""
    made: dict[str, list[Sample]] = {}
    for stream in outage.streams:
        own: dict[str, list[Sample]] = {}
        for position, found in enumerate(_scrapes(stream, outage.length, outage.scrape)):
            for name in own.keys() | found.keys():
                samples = own.setdefault(name, [None] * position)
                ended = bool(samples) and samples[-1] not in (None, STALE)
                samples.append(found.get(name, STALE if ended else None))
        twice = {name for name in made.keys() & own.keys() if not name.startswith(("up{", "target_info{"))}
        assert not twice, f"two streams share {twice}"
        for name, samples in own.items():
            pairs = zip(made.get(name, samples), samples, strict=True)
            made[name] = [one if other in (None, STALE) else other for one, other in pairs]
    return made


def _scrapes(stream: Stream, length: int, every: int) -> Iterator[dict[str, Sample]]:
    """What each scrape of a stream's instances gives; a scrape at the end of a phase still belongs to it."""
    processes: dict[str, Process] = {}
    before: Phase | None = None
    for now in range(0, length + 1, every):
        phase = next((p for p in stream.phases if p.start < now <= p.end), stream.phases[0])
        if before is None or (phase is not before and (phase.restart or phase.instances != before.instances)):
            count = len(phase.instances)
            processes = {n: Process(stream, turn, count, phase.start) for turn, n in enumerate(phase.instances)}
        before = phase
        found: dict[str, Sample] = {}
        for name, process in processes.items():
            process.until(now, phase)
            target = {m.label: m.example or m.value for m in stream.source.target} | {"instance": name}
            succeeds = random.Random(f"{name} at {now}").random() < phase.scraped
            if not stream.pushed:
                found[_name("up", target)] = int(succeeds)
            elif succeeds:
                found[_name("target_info", target)] = 1
            if succeeds:
                found |= dict(_exposed(stream, process, name))
        yield found


def _exposed(stream: Stream, process: Process, instance: str) -> Iterator[tuple[str, Sample]]:
    """The counters and the histogram of a process; a series appears with its first request."""
    source, common = stream.source, {**stream.labels, "instance": instance}
    told = ((("good", "slow"), source.ok), (("bad",), source.bad))
    for kinds, own in ((KINDS, source.ok),) if source.failed else told:
        counts: Counter[Fraction] = Counter()
        for (kind, takes), n in process.counts.items():
            counts[takes] += n if kind in kinds else 0
        total = sum(counts.values())
        if total or stream.zeros:
            labels = {**common, **dict(own)}
            yield _name(source.requests, labels), total
            yield from _histogram(source, labels, counts, total)
    if source.failed:
        bad = sum(n for (kind, _), n in process.counts.items() if kind == "bad")
        yield _name(source.failed, {**common, **dict(source.ok)}), bad


def _histogram(
    source: Source, labels: dict[str, str], counts: dict[Fraction, int], total: int
) -> Iterator[tuple[str, Sample]]:
    histogram = source.duration
    if histogram is None or histogram.native:
        return
    scale = Fraction(histogram.scale)
    for le in histogram.bounds:
        within = sum(n for takes, n in counts.items() if takes <= Fraction(le) * scale)
        yield _name(f"{histogram.base}_bucket", {**labels, "le": bound(le).value.split("|")[0]}), within
    yield _name(f"{histogram.base}_bucket", {**labels, "le": "+Inf"}), total
    yield (
        _name(f"{histogram.base}_sum", labels),
        float(sum((takes * n for takes, n in counts.items()), Fraction()) / scale),
    )
    if f"{histogram.base}_count" != source.requests:
        yield _name(f"{histogram.base}_count", labels), total


def _name(metric: str, labels: dict[str, str]) -> str:
    return str(selector(metric, tuple(Matcher(label, "=", labels[label]) for label in sorted(labels))))


def notation(samples: list[Sample]) -> str:
    """Samples in promtool's notation, with runs written short.

    >>> notation([None, None, 0, 5, 10, 15, "stale", None, 7, 7])
    '_x2 0+5x3 stale _ 7x1'
    """
    words, at = [], 0
    while at < len(samples):
        first, end = samples[at], at + 1
        if first is None or first == STALE:
            while first is None and end < len(samples) and samples[end] is None:
                end += 1
            words.append("stale" if first == STALE else "_" if end == at + 1 else f"_x{end - at}")
            at = end
            continue
        step = _difference(samples, at)
        while end < len(samples) and step is not None and _difference(samples, end - 1) == step:
            end += 1
        run = end - at - 1
        words.append(number(first) if not run else f"{number(first)}x{run}" if not step else _run(first, step, run))
        at = end
    return " ".join(words)


def _run(first: Sample, step: float, run: int) -> str:
    return f"{number(first)}{'+' if step > 0 else '-'}{number(abs(step))}x{run}"  # type: ignore[arg-type]


def _difference(samples: list[Sample], at: int) -> float | None:
    """How much a series grows after a sample; nothing where it does not go on."""
    if at + 1 >= len(samples):
        return None
    first, second = samples[at], samples[at + 1]
    whole = isinstance(first, int) and isinstance(second, int)
    return second - first if whole else None  # type: ignore[operator]
