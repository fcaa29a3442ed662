"""How many events there were in the last tile: every one counted once, the first of a series too.

`rate()` estimates: it leaves out the first value of a series, so that the first failure of every pod goes unseen, and
stretches the rest to the edges of its range, so that one failure counts as 0.8 or as 1.6. Where little happens that
decides whether somebody is woken. So what an objective counts is a difference of counters.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from dashgen.compile.template.leaf import Promql
from dashgen.compile.vocabulary.native import bound, histogram_of, selector, union
from dashgen.model.graph import Tile
from dashgen.model.telemetry import Source
from dashgen.model.units import number


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
    every = selector(source.requests, source.matchers)
    return _sum([every], every, tile)


def _failures(source: Source, tile: Tile) -> str:
    every, histogram = selector(source.requests, source.matchers), source.duration
    if source.failed:
        return _sum([selector(source.failed, source.matchers)], every, tile)
    if histogram and histogram.native and source.requests == f"{histogram.base}_count":
        alternatives = (selector(histogram.base, (*source.matchers, *each)) for each in source.errors)
        return f"sum({' or '.join(f'histogram_count(rate({each}[{tile.range}]))' for each in alternatives)})"
    return _sum([selector(source.requests, (*source.matchers, *each)) for each in source.errors], every, tile)


def _timed(source: Source, tile: Tile) -> str:
    histogram = histogram_of(source)
    if histogram.native:
        return f"sum(histogram_count(rate({selector(histogram.base, source.matchers)}[{tile.range}])))"
    every = selector(f"{histogram.base}_count", source.matchers)
    return _sum([every], every, tile)


def _slow(source: Source, threshold: Decimal, tile: Tile) -> str:
    histogram = histogram_of(source)
    if histogram.native:
        whole = f"sum(rate({selector(histogram.base, source.matchers)}[{tile.range}]))"
        share = f"(1 - histogram_fraction(0, {number(threshold)}, {whole}))"
        return f"({share} * histogram_count({whole}) >= 0 or 0 * histogram_count({whole}))"
    every = selector(f"{histogram.base}_count", source.matchers)
    fast = f"{selector(f'{histogram.base}_bucket', source.matchers)[:-1]},{bound(threshold / histogram.scale)}}}"
    return f"clamp_min({_timed(source, tile)} - {_sum([fast], every, tile)}, 0)"


def _sum(selectors: Sequence[str], every: str, tile: Tile) -> str:
    """Events per second of some series of a source whose requests are `every`."""
    return f"sum({' or '.join(_increase(each, every, tile) for each in selectors)}) / {tile.seconds}"


def _increase(series: str, every: str, tile: Tile) -> str:
    """What each series has grown by since the last tile.

    A series that was not there counts in full if its instance was, with another series that is still there: then it is
    new. Otherwise, and when it was restarted, `rate()` knows best: an instance that has just been found may have been
    counting for months.
    """
    before = f"{series} offset {tile.name}"
    known = f"({every} and {every} offset {tile.name})"
    new = f"({series} unless {before}) and on (job, instance) {known}"
    return f"({series} - {before} >= 0 or {new} or rate({series}[{tile.name}]) * {tile.seconds})"
