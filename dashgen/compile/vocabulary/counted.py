"""How many events there were in the last tile: every one counted once, the first of a series too.

`rate()` estimates: it leaves out the first value of a series, so that the first failure of every pod goes unseen, and
stretches the rest to the edges of its range, so that one failure counts as 0.8 or as 1.6, and those of a process that
died as more than there were. Where little happens that decides whether somebody is woken. So what an objective counts
is a difference of counters, process by process; only the first minute of a process is an estimate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain

from dashgen.compile.template.leaf import Promql
from dashgen.compile.vocabulary.native import bucket, counts_itself, histogram_of, presence, selector, union
from dashgen.model.graph import Tile
from dashgen.model.telemetry import Matchers, Source
from dashgen.model.units import duration, number, seconds

# What tells processes apart, also in several clusters and behind a collector that exposes many at one address, and what
# people name replicas by where there is no `instance`. A label that nobody has does no harm.
PROCESS = (
    "job instance cluster namespace pod exported_instance service_instance_id k8s_pod_name host_name "
    "region host replica"
).split()
REMEMBERED = "15m"  # how long a process may be out of reach until it counts as another one
COUNT = "histogram_count({})"  # of a native histogram
DOWN = 2  # tiles that a process may be down between two lives
YOUNG = 1000  # requests that a process may have had when it shows its first counters


@dataclass(frozen=True, slots=True)
class Counter:
    """What one or more sources count: the series that match any of `selectors`, in processes that `known` tell apart.

    `life` tells when these processes began again, and `up` that they were reached. All are lists of selectors.
    """

    selectors: tuple[str, ...]
    known: tuple[str, ...]
    life: tuple[str, ...]
    up: tuple[str, ...]
    native: bool

    @property
    def count(self) -> str:
        """What a series counts; `{}` stands for its selector."""
        return COUNT if self.native else "{}"


class Counted:
    """The expressions, for one graph's tile and the dimensions by which its instances may differ."""

    def __init__(self, tile: Tile, dimensions: Sequence[str]):
        self._tile = tile
        self.process = tuple(dict.fromkeys((*PROCESS, *dimensions)))
        self._scrape = half_open(seconds(tile.scrape))  # holds one sample, and not two
        self._anchored = half_open(tile.seconds + seconds(tile.scrape))  # the samples of a tile and the one before

    def requests(self, sources: Sequence[Source]) -> Promql:
        """Requests per second."""
        return self._total(sources, _requests)

    def failures(self, sources: Sequence[Source]) -> Promql:
        """Failed requests per second; nothing where no request failed yet."""
        return self._total(sources, _failures)

    def timed(self, sources: Sequence[Source]) -> Promql:
        """Requests per second as the histogram counts them."""
        return self._total(sources, _timed)

    def slow(self, sources: Sequence[Source], threshold: Decimal) -> Promql:
        """Requests per second that took longer than a threshold in seconds; nothing where the bucket is missing."""
        native = [source for source in sources if histogram_of(source).native]
        classic = [source for source in sources if not histogram_of(source).native]
        parts = [self._late(_timed(source), threshold) for source in native]
        if classic:
            timed = self._grown([_timed(source) for source in classic])
            fast = self._grown([_fast(source, threshold) for source in classic])
            parts.append(f"clamp_min(sum(({timed}) - ({fast})), 0) / {self._tile.seconds}")
        return union([*native, *classic[:1]], parts)

    def _late(self, counter: Counter, threshold: Decimal) -> str:
        """Slow requests of a native histogram, at most all: one that loses resolution changes what it said before."""
        late = f"{COUNT} * (1 - histogram_fraction(0, {number(threshold)}, {{}})) >= 0"
        most = f"1.01 * ({self._grown([counter])})"  # a fraction is not exact
        return f"sum({self._grown([counter], late, most)}) / {self._tile.seconds}"

    def _total(self, sources: Sequence[Source], counter: Callable[[Source], Counter]) -> Promql:
        """Events per second of all processes of all sources."""
        counters = {source: counter(source) for source in sources}
        alike = [[s for s in sources if counters[s].native is native] for native in (False, True)]
        kinds = [each for each in alike if each]
        parts = [f"sum({self._grown([counters[s] for s in each])}) / {self._tile.seconds}" for each in kinds]
        return union([each[0] for each in kinds], parts)

    def _grown(self, counters: Sequence[Counter], value: str = "", most: str = "") -> str:
        """Events of the tile by process: what it shows now, or did at its end, less what it showed a tile ago.

        The selected series may begin later than the `known` ones of their process. A process that has just been found,
        or is shown under new labels, may have started or have been counting for months, and counters that have shrunk
        without a new life have lost series: there `increase()` knows best, since it goes back to zero where that is
        near, and stretches no further than the tile. A millisecond more, as ranges begin after their first moment since
        Prometheus 3.0: a scrape just then would be missed.
        """
        counter = _joined(counters)
        value = value or counter.count
        now = f"{self._by_process(counter.selectors, value)} or {self._last(counter.selectors, value)}"
        counted = f"{self._anew(counter, value)} or ({now}) - ({self._was(counter, value)})"
        guess = self._by_process(counter.selectors, value.replace("{}", f"increase({{}}[{self._tile.name}1ms])"))
        return f"({counted}) >= 0{f' <= {most}' if most else ''} unless {self._relabelled(counter)} or {guess}"

    def _relabelled(self, counter: Counter) -> str:
        """Processes that are scraped under new labels beside those of a tile ago, or of two.

        A target has got another label, or a second Prometheus has found it: all that a process has ever counted is
        there once more. What is asked is the share of its `up` that is new.
        """
        tile = self._tile.name
        lately = f"last_over_time({{}}[{duration(Decimal(DOWN * self._tile.seconds))}] offset {tile})"
        up = self._by_process(counter.up, f"0 * {{}} offset {tile} or 0 * {{}} + 1 or 0 * {lately}", "avg")
        return f"({up} > 0 < 1)"

    def _last(self, selectors: Sequence[str], value: str) -> str:
        """What was shown last in the tile, by process."""
        return self._by_process(selectors, value.replace("{}", f"last_over_time({{}}[{self._tile.name}])"))

    def _was(self, counter: Counter, value: str) -> str:
        """What was shown a tile ago, by process.

        Counters that were not there then, as the process was out of reach or does not show them at all times, have
        grown since they were last scraped; they were zero where it did not have them yet, had more in an earlier life,
        or has begun again since and was there without them. So were all of a process that waits for its first request,
        and was reached a tile ago; unless it shows too many for that, as where somebody begins to keep its series.
        """
        tile = self._tile.name
        there = f"{{}} offset {tile}"
        earlier = f"last_over_time({{}}[{REMEMBERED}] offset {tile})"
        if counter.selectors == counter.known:
            before = self._by_process(counter.selectors, value.replace("{}", earlier))
        else:
            last = f"last_over_time({{}}[{tile}])"
            still = self._by_process(counter.selectors, value.replace("{}", f"({earlier} and {last})"))
            twice = self._by_process(counter.known, f"(resets({{}}[{REMEMBERED}]) and {there})", "max")
            seen = f"last_over_time({{}}[{REMEMBERED}:{self._tile.seconds // 2}s] offset {tile})"  # at some moments
            zero = f"0 * {self._by_process(counter.known, counter.count.replace('{}', seen))}"
            before = f"({still} <= {self._last(counter.selectors, value)} unless {twice} > 0) or {zero}"
        reached = self._by_process(counter.up, f"{there} == 1")
        idle = f"0 * ({reached} unless {self._last(counter.life, counter.count)} > {YOUNG})"
        return f"{self._by_process(counter.selectors, value.replace('{}', there))} or {before} or {idle}"

    def _anew(self, counter: Counter, value: str) -> str:
        """Events of processes that have begun again in the tile.

        One brings all that its last scrape shows, and what its earlier life had added since the scrape before the tile,
        where a smaller value tells both lives apart; what the last scrape does not show is of the earlier life, and so
        is what stands where it stood. `rate()` adds up both lives; over a tile and a scrape it is exact where no scrape
        failed, and loses up to a third of what was zero when the tile began.
        """
        there = f"{{}} offset {self._tile.name}"
        shown = value.replace("{}", f"last_over_time({{}}[{self._scrape}])")
        both = f"({value.replace('{}', f'rate({{}}[{self._anchored}])')}) * {self._tile.seconds}"
        lives = f"{both} > {shown} and {there} or {shown}"
        if counter.selectors != counter.known:
            lives = f"({lives}) unless (changes({{}}[{self._tile.range}]) == 0 and {there})"
        return f"{self._by_process(counter.selectors, lives)} and {self._again(counter.life)}"

    def _again(self, life: Sequence[str]) -> str:
        """Processes that have begun again in the tile: one of their counters has shrunk more often than by its start.

        Their `life` tells: few failures soon are more than there were before, and what one counter takes for a new
        life, others must, or a ratio of the two is wrong. The most of any counter, not all together: one that is new in
        the new life a minute later shrinks then. Of a process that was there a tile ago those that it had then, as
        successes may come back later than failures. Both ranges begin at one moment, so that it does not matter what an
        engine takes for the first sample.
        """
        tile = Decimal(self._tile.seconds)
        until = f"resets({{}}[{half_open((DOWN + 1) * tile)}])"
        before = f"resets({{}}[{half_open(DOWN * tile)}] offset {self._tile.name})"
        there = f"({until} and {{}} offset {self._tile.name})"
        begun = f"({self._by_process(life, there, 'max')} or {self._by_process(life, until, 'max')})"
        return f"{begun} > {self._by_process(life, before, 'max')}"

    def _by_process(self, selectors: Sequence[str], form: str, operation: str = "sum") -> str:
        series = " or ".join(form.replace("{}", each) for each in selectors)
        return f"{operation} by ({', '.join(self.process)}) ({series})"


def _joined(counters: Sequence[Counter]) -> Counter:
    """What some sources count together; all are native, or none is."""

    def distinct(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(chain.from_iterable(lists)))

    return Counter(
        distinct(each.selectors for each in counters),
        distinct(each.known for each in counters),
        distinct(each.life for each in counters),
        distinct(each.up for each in counters),
        counters[0].native,
    )


def half_open(length: Decimal) -> str:
    """A range without its first moment, as all are since Prometheus 3.0."""
    return duration(length - Decimal("0.001"))


def _requests(source: Source) -> Counter:
    return _timed(source) if counts_itself(source) else _counter(source, source.requests, source.requests)


def _failures(source: Source) -> Counter:
    if source.failed:
        return _counter(source, source.failed, source.requests)
    if counts_itself(source):
        base = histogram_of(source).base
        return _counter(source, base, base, source.errors)
    return _counter(source, source.requests, source.requests, source.errors)


def _timed(source: Source) -> Counter:
    histogram = histogram_of(source)
    metric = histogram.base if histogram.native else f"{histogram.base}_count"
    return _counter(source, metric, metric)


def _fast(source: Source, threshold: Decimal) -> Counter:
    """Requests in the bucket of a threshold; what begins again is the count, or their difference would be wrong."""
    fast = bucket(source, threshold)
    count = _timed(source).known
    known = (fast,) if source.matchers == source.process else count
    return Counter((fast,), known, count, (presence([source]),), native=False)


def _counter(source: Source, metric: str, known: str, alternatives: Sequence[Matchers] = ()) -> Counter:
    """What a counter tells, of the events that match one of the alternatives.

    Where these are not all that a process counts, all series of the metric `known` tell when it was there.
    """
    selectors = tuple(selector(metric, (*source.matchers, *each)) for each in alternatives or [()])
    native = source.duration is not None and source.duration.native and metric == source.duration.base
    every = source.matchers == source.process and not alternatives and metric != source.failed
    knows = selectors if every else (selector(known, source.process),)
    return Counter(selectors, knows, knows, (presence([source]),), native)
