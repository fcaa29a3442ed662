"""PromQL over native series: what a profile says about a source, as expressions that count, fail and take time.

Every function takes the sources of one scope (a service, an operation, a call; several during a migration) and a
range, and gives an expression whose result carries no labels but the dimensions asked for. Rates are per second,
durations in seconds, ratios from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from dashgen.compile.template.leaf import Promql
from dashgen.model.graph import Implementation
from dashgen.model.telemetry import Histogram, Matcher, Matchers, Signal, Source
from dashgen.model.units import number
from dashgen.promql import quoted

Dimensions = Sequence[str]
SETTLED = "1m"  # how long an instance is reached all the time until it counts as there
MEMORY = "15m"  # how long a crash loop is remembered


def selector(metric: str, matchers: Matchers) -> Promql:
    """A vector selector.

    >>> selector("up", (Matcher("job", "=", 'a"b'),))
    'up{job="a\\\\"b"}'
    """
    inside = ",".join(f'{m.label}{m.op}"{quoted(m.value)}"' for m in matchers)
    return Promql(f"{metric}{{{inside}}}" if inside else metric)


def labelled(metric: str, labels: Mapping[str, str]) -> Promql:
    """A selector of series whose labels have just these values.

    >>> labelled("slo:info", {"slo": "latency"})
    'slo:info{slo="latency"}'
    """
    return selector(metric, tuple(Matcher(label, "=", value) for label, value in labels.items()))


def any_of(values: Iterable[object]) -> str:
    """A pattern that matches any of the given texts and nothing else.

    >>> any_of(["a.b", "c"])
    'a\\\\.b|c'
    """
    special = str.maketrans({char: f"\\{char}" for char in r"\.+*?()|[]{}^$"})
    return "|".join(str(value).translate(special) for value in values)


def presence(sources: Sequence[Source]) -> Promql:
    """A metric that every scraped instance of a service has."""
    return _up(sources[0])


def released(implementation: Implementation) -> Promql:
    """Versions of an implementation that run now and did not five minutes ago."""
    version = implementation.version
    assert version is not None
    (running,) = _release(implementation)
    now = f"count by ({version.label}) ({running})"
    return Promql(f"{now} unless {now[:-1]} offset 5m)")


def signal(signal: Signal, source: Source) -> Promql:
    """The query of a runtime panel, for the chosen instances of one implementation."""
    matchers = (*source.target, Matcher("instance", "=~", "$instance"))
    return Promql(signal.query.replace("${selector}", selector("", matchers)[1:-1]))


def events(sources: Sequence[Source], window: str, by: Dimensions = ()) -> Promql:
    """Requests per second."""
    return _total(sources, by, lambda s: _requests(s, (), window))


def failures(sources: Sequence[Source], window: str, by: Dimensions = ()) -> Promql:
    """Failed requests per second; nothing where no request failed yet."""
    return _total(sources, by, lambda s: _failed(s, window))


def errors(sources: Sequence[Source], window: str, by: Dimensions = ()) -> Promql:
    """Failed requests per second; zero, not nothing, where no request failed yet."""
    return Promql(f"{failures(sources, window, by)} or 0 * {events(sources, window, by)}")


def shown(sources: Sequence[Source], window: str) -> Promql:
    """How many series of requests were scraped within a window, however few of the scrapes succeeded.

    Where a process has an `up`, only those that go on: what a crash loop shows is zero, or begins again.
    """
    signs = []
    for source in sources:
        signs.append(f"({_some(source, window)} unless resets({_counter(source, ())}[{MEMORY}]) > 0)")
        signs.append(f"(last_over_time({_counter(source, ())}[{window}]) unless on () {_up(source)})")
    return Promql(f"count({' or '.join(dict.fromkeys(signs))})")


def reached(implementations: Sequence[Implementation], window: str, ago: str = "") -> Promql:
    """1 while an instance was reached within a window that may have ended some time ago, or told its release."""
    signs = [sign for each in implementations for sign in (_up(each.source), *_release(each))]
    range_ = f"[{window}] offset {ago}" if ago else f"[{window}]"
    return Promql(f"max({' or '.join(dict.fromkeys(f'last_over_time({sign}{range_})' for sign in signs))}) == 1")


def steady(implementations: Sequence[Implementation], window: str) -> Promql:
    """How many instances were reached in a window and before: mostly, or often if they show requests, or lately always.

    None of those that start and die again and again. An instance whose samples end without a mark is missed as soon as
    one that is taken from the targets. Of those that push their metrics, and so have no `up`, nobody knows more than
    when they last told their release.
    """
    signs = []
    for each in implementations:
        up = _up(each.source)
        share = f"avg_over_time({up}[5m])"
        called = f"{share} > 0.3 and on () {_some(each.source, window)}"
        dying = f"(changes({up}[{MEMORY}]) > 2 and avg_over_time({up}[{MEMORY}]) < 0.5)"
        lately = f"min_over_time({up}[{SETTLED}]) > 0 unless {dying}"
        here = f"last_over_time({up}[{window}]) and {up} offset {SETTLED}"
        signs.append(f"(({share} > 0.7 or {called} or {lately}) and {here})")
        signs += [f"(last_over_time({release}[{window}]) unless on () {up})" for release in _release(each)]
    return Promql(f"count({' or '.join(dict.fromkeys(signs))})")


def _some(source: Source, window: str) -> str:
    """Series that counted a request before the end of a window."""
    last = f"last_over_time({_counter(source, ())}[{window}])"
    return f"{f'histogram_count({last})' if counts_itself(source) else last} > 0"


def _up(source: Source) -> Promql:
    return selector("up", source.target)


def _release(implementation: Implementation) -> list[str]:
    version = implementation.version
    return [selector(version.metric, implementation.source.target)] if version else []


def mean(sources: Sequence[Source], window: str, by: Dimensions = ()) -> Promql:
    """Mean duration in seconds; nothing where there were no requests."""

    def spent(source: Source) -> str:
        histogram = histogram_of(source)
        if histogram.native:
            return f"histogram_sum(rate({selector(histogram.base, source.matchers)}[{window}]))"
        rate = f"rate({selector(f'{histogram.base}_sum', source.matchers)}[{window}])"
        return rate if histogram.scale == 1 else f"{rate} * {number(histogram.scale)}"

    measured = [source for source in sources if source.duration]
    count = _total(measured, by, lambda s: _count(histogram_of(s), s, window))
    return Promql(f"{_total(measured, by, spent)} / ({count} > 0)")


def quantile(rank: Decimal | float, sources: Sequence[Source], window: str, by: Dimensions = ()) -> Promql:
    """A quantile of the durations, in seconds; nothing, rather than NaN, where there were no requests."""
    measured = [source for source in sources if source.duration]
    histograms = [histogram_of(source) for source in measured]
    share = number(rank)
    if any(h.native for h in histograms):
        parts = [
            _native_quantile(share, s, window, by) if histogram_of(s).native else quantile(rank, [s], window, by)
            for s in measured
        ]
        return Promql(parts[0] if len(parts) == 1 else f"max{_by(by)} ({_labelled(measured, parts)})")
    if len(measured) == 1:
        rate = f"rate({selector(f'{histograms[0].base}_bucket', measured[0].matchers)}[{window}])"
        whole = f"histogram_quantile({share}, sum{_by(('le', *by))} ({rate})) >= 0"
        return Promql(whole if histograms[0].scale == 1 else f"({whole}) * {number(histograms[0].scale)}")
    shared = frozenset.intersection(*(h.seconds for h in histograms))
    parts = [_seconds(source, sorted(shared), window, by) for source in measured]
    return Promql(f"histogram_quantile({share}, sum{_by(('le', *by))} ({_labelled(measured, parts)})) >= 0")


def timed(sources: Iterable[Source]) -> bool:
    """Whether any source measures durations."""
    return any(source.duration for source in sources)


def histogram_of(source: Source) -> Histogram:
    """The histogram of a source that has one."""
    assert source.duration is not None, f"{source.profile} has no histogram"
    return source.duration


def union(sources: Sequence[Source], parts: list[str], by: Dimensions = ()) -> Promql:
    """The sum of what the sources give; a source that gives nothing leaves the others alone."""
    if len(parts) == 1:
        return Promql(parts[0])
    return Promql(f"sum{_by(by)} ({_labelled(sources, parts)})")


def bucket(source: Source, threshold: Decimal) -> Promql:
    """The bucket of a threshold in seconds; a native histogram has one for every threshold."""
    histogram = histogram_of(source)
    if histogram.native:
        return selector(histogram.base, source.matchers)
    return selector(f"{histogram.base}_bucket", (*source.matchers, bound(threshold / histogram.scale)))


def bound(le: Decimal) -> Matcher:
    """A matcher for one bucket in both spellings of a whole number: `1` and `1.0`.

    >>> bound(Decimal("0.25")).value, bound(Decimal("1")).value
    ('0.25', '1|1\\\\.0')
    """
    text = number(le)
    return Matcher("le", "=", text) if "." in text else Matcher("le", "=~", rf"{text}|{text}\.0")


def _failed(source: Source, window: str) -> str:
    if source.failed:
        return f"rate({selector(source.failed, source.matchers)}[{window}])"
    return " or ".join(_requests(source, each, window) for each in source.errors)


def _requests(source: Source, more: Matchers, window: str) -> str:
    """The rate of requests that also match `more`."""
    rate = f"rate({_counter(source, more)}[{window}])"
    return f"histogram_count({rate})" if counts_itself(source) else rate


def _counter(source: Source, more: Matchers) -> Promql:
    own = histogram_of(source).base if counts_itself(source) else source.requests
    return selector(own, (*source.matchers, *more))


def counts_itself(source: Source) -> bool:
    """Whether requests are counted by a native histogram, which has no `_count` of its own."""
    histogram = source.duration
    return bool(histogram and histogram.native and source.requests == f"{histogram.base}_count")


def _count(histogram: Histogram, source: Source, window: str) -> str:
    if histogram.native:
        return f"histogram_count(rate({selector(histogram.base, source.matchers)}[{window}]))"
    return f"rate({selector(f'{histogram.base}_count', source.matchers)}[{window}])"


def _native_quantile(share: str, source: Source, window: str, by: Dimensions) -> str:
    rate = f"rate({selector(histogram_of(source).base, source.matchers)}[{window}])"
    return f"histogram_quantile({share}, sum{_by(by)} ({rate})) >= 0"


def _seconds(source: Source, shared: list[Decimal], window: str, by: Dimensions) -> str:
    """Buckets with the bounds that all sources share, in seconds and in one spelling."""
    histogram = histogram_of(source)
    spelled = "|".join(f"{number(each / histogram.scale)}".replace(".", "\\\\.") + "(\\\\.0)?" for each in shared)
    bucket = selector(f"{histogram.base}_bucket", source.matchers)[:-1]
    made = f'sum{_by(("le", *by))} (rate({bucket},le=~"{spelled}|\\\\+Inf"}}[{window}]))'
    if histogram.scale == 1:
        return f'label_replace({made}, "le", "$1", "le", "(.+)\\\\.0")'
    for each in shared:
        native = number(each / histogram.scale).replace(".", "\\\\.")
        made = f'label_replace({made}, "le", "{number(each)}", "le", "{native}(\\\\.0)?")'
    return made


def _by(labels: Dimensions) -> str:
    return f" by ({', '.join(labels)})" if labels else ""


def _total(sources: Sequence[Source], by: Dimensions, rate: Callable[[Source], str]) -> Promql:
    return union(sources, [f"sum{_by(by)} ({rate(source)})" for source in sources], by)


def _labelled(sources: Sequence[Source], parts: list[str]) -> str:
    labelled = (
        f'label_replace({part}, "implementation", "{quoted(source.implementation)}", "", "")'
        for source, part in zip(sources, parts, strict=True)
    )
    return " or ".join(labelled)
