"""How many events there were in the last tile: every one counted once, the first of a series too.

`rate()` estimates: it leaves out the first value of a series, so that the first failure of every pod goes unseen, and
stretches the rest to the edges of its range, so that one failure counts as 0.8 or as 1.6, and those of a process that
died as more than there were. Where little happens that decides whether somebody is woken. So what an objective counts
is a difference of counters, process by process; only the first minute of a process is an estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from dashgen.compile.template.leaf import Promql
from dashgen.compile.vocabulary.native import bound, histogram_of, selector, union
from dashgen.model.graph import Tile
from dashgen.model.telemetry import Matchers, Source
from dashgen.model.units import duration, number, seconds

# What tells processes apart, also in several clusters and behind a collector that exposes many at one address, and what
# people name replicas by where there is no `instance`. A label that nobody has does no harm.
PROCESS = (
    "job, instance, cluster, namespace, pod, container, exported_instance, service_instance_id, k8s_pod_name, "
    "k8s_pod_uid, host_name, region, zone, node, host, server, replica, version"
)
REMEMBERED = "15m"  # how long a process may be out of reach until it counts as another one
DOWN = 2  # tiles that a process may be down between two lives


class Counted:
    """The expressions, for one graph's tile and the dimensions by which its instances may differ."""

    def __init__(self, tile: Tile, dimensions: Sequence[str]):
        self._tile = tile
        self._process = ", ".join(dict.fromkeys((*PROCESS.split(", "), *dimensions)))
        self._scrape = duration(seconds(tile.scrape) - Decimal("0.001"))  # ranges that hold one sample, and not two

    def requests(self, sources: Sequence[Source]) -> Promql:
        """Requests per second."""
        return union(sources, [self._requests(source) for source in sources])

    def failures(self, sources: Sequence[Source]) -> Promql:
        """Failed requests per second; nothing where no request failed yet."""
        return union(sources, [self._failures(source) for source in sources])

    def timed(self, sources: Sequence[Source]) -> Promql:
        """Requests per second as the histogram counts them."""
        return union(sources, [self._timed(source) for source in sources])

    def slow(self, sources: Sequence[Source], threshold: Decimal) -> Promql:
        """Requests per second that took longer than a threshold in seconds; nothing where the bucket is missing."""
        return union(sources, [self._slow(source, threshold) for source in sources])

    def _requests(self, source: Source) -> str:
        return self._timed(source) if _is_native(source) else self._growth(source, source.requests, source.requests)

    def _failures(self, source: Source) -> str:
        if source.failed:
            return self._growth(source, source.failed, source.requests)
        if _is_native(source):
            base = histogram_of(source).base
            return self._growth(source, base, base, source.errors)
        return self._growth(source, source.requests, source.requests, source.errors)

    def _timed(self, source: Source) -> str:
        histogram = histogram_of(source)
        if histogram.native:
            return self._growth(source, histogram.base, histogram.base)
        return self._growth(source, f"{histogram.base}_count", f"{histogram.base}_count")

    def _slow(self, source: Source, threshold: Decimal) -> str:
        histogram = histogram_of(source)
        if histogram.native:
            whole = f"sum(rate({selector(histogram.base, source.matchers)}[{self._tile.range}]))"
            share = f"(1 - histogram_fraction(0, {number(threshold)}, {whole}))"
            return f"({share} * {self._timed(source)} >= 0 or 0 * {self._timed(source)})"
        le = bound(threshold / histogram.scale)
        fast = self._growth(source, f"{histogram.base}_bucket", f"{histogram.base}_count", bucket=le)
        return f"clamp_min({self._timed(source)} - {fast}, 0)"

    def _growth(
        self, source: Source, metric: str, known: str, alternatives: Sequence[Matchers] = (), bucket: str = ""
    ) -> str:
        """Events per second that a counter tells, of those that match one of the alternatives, or of a bucket.

        Where these are not all that a process counts, all series of the metric `known` tell when it was there.
        """
        selectors = [str(selector(metric, (*source.matchers, *each))) for each in alternatives or [()]]
        if bucket:
            selectors = [f"{each[:-1]},{bucket}}}" for each in selectors]
        native = source.duration is not None and source.duration.native and metric == source.duration.base
        every = source.matchers == source.process and not alternatives and metric != source.failed
        return self._sum(selectors, selectors[0] if every else selector(known, source.process), native)

    def _sum(self, selectors: Sequence[str], known: str, native: bool) -> str:
        """Events per second of the series that match any of the selectors; they may begin later than `known` ones.

        A process that was there a tile ago has brought what its counters have grown by, up to its last scrape if it has
        ended; a counter that it did not have yet was zero. One that was out of reach then has brought what they have
        grown by since it was last scraped. Only then is the past asked: series of an earlier life would count, too.
        One that has begun again brings all that its last scrape shows; what that does not show, where samples end
        without a mark, is of an earlier life. Its `known` counters tell: few failures soon are more than there were
        before, and what one counter takes for a new life, others must, or a ratio of the two is wrong.
        A process that has just been found may have started or have been counting for months, and counters that have
        shrunk without a new life have lost series: there `increase()` knows best, since it goes back to zero where that
        is near, and stretches no further than the tile. A millisecond more, as ranges begin after their first moment
        since Prometheus 3.0: a scrape just then would be missed.
        """
        tile = self._tile.name
        count = "histogram_count({})" if native else "{}"
        there = count.format(f"{{}} offset {tile}")
        earlier = count.format(f"last_over_time({{}}[{REMEMBERED}] offset {tile})")
        now = self._by_process(selectors, count)
        ended = self._by_process(selectors, count.format(f"last_over_time({{}}[{tile}])"))
        was_there = self._by_process([known], earlier)
        before = [self._by_process(selectors, there), self._by_process(selectors, earlier)]
        if selectors != [known]:
            before = [before[0], f"0 * {self._by_process([known], there)}", before[1], f"0 * {was_there}"]
        grown = f"({now} or {ended}) - (({' or '.join(before)}) unless {self._again(known)})"
        scraped = self._by_process(selectors, count.format(f"last_over_time({{}}[{self._scrape}])"))
        anew = f"{scraped} and {was_there}"
        seen = self._by_process(selectors, count.format(f"increase({{}}[{tile}1ms])"))
        return f"sum(({grown} or {anew}) >= 0 or {seen}) / {self._tile.seconds}"

    def _again(self, known: str) -> str:
        """Processes that have begun again in the tile: one of their counters has shrunk more often than by its start.

        The most of any counter, not all together: one that is new in the new life a minute later shrinks then. Both
        ranges begin at one moment, so that it does not matter what an engine takes for the first sample.
        """
        tile = self._tile.seconds
        by = f"max by ({self._process})"
        until = f"{by} (resets({known}[{duration((DOWN + 1) * tile)}]))"
        return f"{until} > {by} (resets({known}[{duration(DOWN * tile)}] offset {self._tile.name}))"

    def _by_process(self, selectors: Sequence[str], form: str) -> str:
        return f"sum by ({self._process}) ({' or '.join(form.format(each) for each in selectors)})"


def _is_native(source: Source) -> bool:
    """Whether requests are counted by a native histogram, which has no `_count` of its own."""
    histogram = source.duration
    return bool(histogram and histogram.native and source.requests == f"{histogram.base}_count")
