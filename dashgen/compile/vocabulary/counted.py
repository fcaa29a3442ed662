"""How many events there were in the last tile: every one counted once, the first of a series too.

`rate()` estimates: it leaves out the first value of a series, so that the first failure of every pod goes unseen, and
stretches the rest to the edges of its range, so that one failure counts as 0.8 or as 1.6. Where little happens that
decides whether somebody is woken. So what an objective counts is a difference of counters, process by process.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from dashgen.compile.template.leaf import Promql
from dashgen.compile.vocabulary.native import bound, histogram_of, selector, union
from dashgen.model.graph import Tile
from dashgen.model.telemetry import Source
from dashgen.model.units import number

# What tells processes apart, also behind a collector that exposes many at one address. A label that nobody has does no
# harm.
PROCESS = "job, instance, exported_instance, service_instance_id"


def requests(sources: Sequence[Source], tile: Tile) -> Promql:
    """Requests per second."""
    return union(sources, [_requests(source, tile) for source in sources])


def failures(sources: Sequence[Source], tile: Tile) -> Promql:
    """Failed requests per second; nothing where no request failed yet."""
    return union(sources, [_failures(source, tile) for source in sources])


def timed(sources: Sequence[Source], tile: Tile) -> Promql:
    """Requests per second as the histogram counts them."""
    return union(sources, [_timed(source, tile) for source in sources])


def slow(sources: Sequence[Source], threshold: Decimal, tile: Tile) -> Promql:
    """Requests per second that took longer than a threshold in seconds; nothing where the bucket is missing."""
    return union(sources, [_slow(source, threshold, tile) for source in sources])


def _requests(source: Source, tile: Tile) -> str:
    histogram = source.duration
    if histogram and histogram.native and source.requests == f"{histogram.base}_count":
        return _timed(source, tile)
    return _sum([selector(source.requests, source.matchers)], tile)


def _failures(source: Source, tile: Tile) -> str:
    every, histogram = selector(source.requests, source.matchers), source.duration
    if source.failed:
        return _sum([selector(source.failed, source.matchers)], tile, every)
    if histogram and histogram.native and source.requests == f"{histogram.base}_count":
        alternatives = (selector(histogram.base, (*source.matchers, *each)) for each in source.errors)
        return f"sum({' or '.join(f'histogram_count(rate({each}[{tile.range}]))' for each in alternatives)})"
    return _sum([selector(source.requests, (*source.matchers, *each)) for each in source.errors], tile, every)


def _timed(source: Source, tile: Tile) -> str:
    histogram = histogram_of(source)
    if histogram.native:
        return f"sum(histogram_count(rate({selector(histogram.base, source.matchers)}[{tile.range}])))"
    return _sum([selector(f"{histogram.base}_count", source.matchers)], tile)


def _slow(source: Source, threshold: Decimal, tile: Tile) -> str:
    histogram = histogram_of(source)
    if histogram.native:
        whole = f"sum(rate({selector(histogram.base, source.matchers)}[{tile.range}]))"
        share = f"(1 - histogram_fraction(0, {number(threshold)}, {whole}))"
        return f"({share} * histogram_count({whole}) >= 0 or 0 * histogram_count({whole}))"
    fast = f"{selector(f'{histogram.base}_bucket', source.matchers)[:-1]},{bound(threshold / histogram.scale)}}}"
    return f"clamp_min({_timed(source, tile)} - {_sum([fast], tile)}, 0)"


def _sum(alternatives: Sequence[str], tile: Tile, every: str = "") -> str:
    """Events per second of the series that match any of the alternatives; they may begin later than `every` series.

    A process that was there a tile ago has brought what its counters have grown by; a counter that it did not have
    yet was zero. Where that cannot be told `rate()` knows best: a process that has just been found may have been
    counting for months, and one whose counters have shrunk was restarted.
    """
    now = _by_process(" or ".join(alternatives))
    before = _by_process(" or ".join(f"{each} offset {tile.name}" for each in alternatives))
    if every:
        before = f"({before} or 0 * {_by_process(f'{every} offset {tile.name}')})"
    growth = _by_process(" or ".join(f"rate({each}[{tile.name}])" for each in alternatives))
    return f"sum({now} - {before} >= 0 or {growth} * {tile.seconds}) / {tile.seconds}"


def _by_process(series: str) -> str:
    return f"sum by ({PROCESS}) ({series})"
