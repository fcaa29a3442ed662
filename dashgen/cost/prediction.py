"""Costs without a server: the graph says which series there will be, the intervals how many samples each has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dashgen.model.cost import Assumptions, RuleCost
from dashgen.model.graph import Graph
from dashgen.model.intent import Group, Intents, Rule
from dashgen.model.telemetry import Source
from dashgen.model.units import HOUR, seconds
from dashgen.promql import PromqlError, Reading
from dashgen.promql.work import Found, Work, work

Labels = Mapping[str, str]
_DRIFT = "dashgen_drift_"  # one series, whatever services there are


def predict(graph: Graph, made: Sequence[Intents], assumed: Assumptions = Assumptions()) -> list[RuleCost]:
    """The cost of every rule, in the order in which they are written."""
    world = World(graph, assumed)
    listed = [(intents, group, rule) for intents in made for group in intents.groups for rule in group.rules]
    for _, group, rule in listed:
        if not rule.alert:
            world.record(rule, group)
    teams = {
        **{f"service-{s.name}": s.team.name for s in graph.services},
        **{f"chain-{s.name}": s.team.name for s in graph.chains},
    }
    return [_cost(rule, group, intents.owner, teams.get(intents.owner, ""), world) for intents, group, rule in listed]


def _cost(rule: Rule, group: Group, owner: str, team: str, world: World) -> RuleCost:
    try:
        done = work(rule.expr, world)
    except PromqlError:  # the checks report it
        done = Work()
    dimensions = {label for label in world.dimensions if world.is_split(rule, label)}
    return RuleCost(
        name=rule.name,
        labels=tuple(sorted(rule.labels.items())),
        alert=rule.alert,
        group=group.name,
        owner=owner,
        team=rule.labels.get("team", team),
        expr=rule.expr,
        every=float(seconds(group.every)),
        series=0 if rule.alert else done.series,
        samples=done.samples,
        passed=done.passed,
        longest=done.longest,
        native=done.native,
        longest_native=done.longest_native,
        quantiles=done.quantiles,
        dimensions=tuple(sorted(dimensions)),
    )


@dataclass(slots=True)
class Native:
    """What is known of one native metric: the labels that choose a service, those that tell errors, its buckets."""

    chosen: set[str] = field(default_factory=set)
    errors: set[str] = field(default_factory=set)
    buckets: int = 0


@dataclass(slots=True)
class Recorded:
    """One recorded series, or several where a dimension splits it."""

    labels: Labels
    interval: float
    series: float


class World:
    """Every series that the rules can read; called with a selector, it says what that finds."""

    def __init__(self, graph: Graph, assumed: Assumptions):
        self._assumed = assumed
        self._scrape = float(seconds(graph.settings.tile.scrape))
        self.dimensions = graph.settings.dimensions
        versions = (each.version for service in graph.services for each in service.implementations)
        self._signs = {"up", *(each.metric for each in versions if each)}  # of life: one series for each instance
        self._native: dict[str, Native] = defaultdict(Native)
        self._recorded: dict[str, list[Recorded]] = defaultdict(list)
        self._index: dict[tuple[str, str, str], list[Recorded]] = defaultdict(list)
        for source in _sources(graph):
            self._learn(source)

    def __call__(self, reading: Reading) -> Found:
        """What a selector finds."""
        if reading.metric in self._recorded:
            return self._found(reading)
        native = self._is_native(reading)
        return Found(self._count(reading), self._scrape, lambda label: self._values(reading, label), native)

    def record(self, rule: Rule, group: Group) -> None:
        """Learn a series that a rule records; rules come in an order in which none reads what follows it."""
        split = [label for label in self.dimensions if self.is_split(rule, label)]
        once = rule.name.endswith(":rate1h")  # an hour, however often it is asked for
        interval = float(HOUR if once else seconds(group.every))
        made = Recorded(rule.labels, interval, self._assumed.dimension_values ** len(split))
        self._recorded[rule.name].append(made)
        for label, value in rule.labels.items():
            self._index[(rule.name, label, value)].append(made)

    def _is_native(self, reading: Reading) -> bool:
        """Whether a selector reads what services count: neither what is recorded nor a sign of life."""
        few = reading.metric in self._signs or reading.metric == "ALERTS" or reading.metric.startswith(_DRIFT)
        return not few and reading.metric not in self._recorded

    def is_split(self, rule: Rule, label: str) -> bool:
        """Whether a rule gives one series per value of a dimension."""
        return rule.name.startswith("dimension:") and label in self.dimensions

    def _learn(self, source: Source) -> None:
        histogram = source.duration
        metrics = {source.requests: 0, source.failed: 0}
        if histogram:
            buckets = 0 if histogram.native else len(histogram.bounds) + 1
            metrics |= {histogram.base: 0, f"{histogram.base}_bucket": buckets}
            metrics |= {f"{histogram.base}_sum": 0, f"{histogram.base}_count": 0}
        for metric, buckets in metrics.items():
            if metric:
                known = self._native[metric]
                known.chosen |= {matcher.label for matcher in source.matchers}
                known.errors |= {matcher.label for each in source.errors for matcher in each}
                known.buckets = max(known.buckets, buckets)

    def _found(self, reading: Reading) -> Found:
        equal = [(reading.metric, label, value) for label, op, value in reading.matchers if op == "=" and value]
        narrow = min((self._index.get(key, []) for key in equal), key=len, default=self._recorded[reading.metric])
        hits = [each for each in narrow if all(each.labels.get(label, "") == v for _, label, v in equal)]
        absent = [label for label, op, value in reading.matchers if op == "=" and not value]
        hits = [each for each in hits if not any(label in each.labels for label in absent)]
        interval = min((each.interval for each in hits), default=60.0)
        return Found(sum(each.series for each in hits), interval, lambda label: self._values(reading, label))

    def _count(self, reading: Reading) -> float:
        """Series of a native metric: one per instance, operation, outcome and bucket, as far as matchers leave them."""
        if reading.metric == "ALERTS":
            return 0
        known = self._native.get(reading.metric)
        if known is None:
            return 1 if reading.metric.startswith(_DRIFT) else self._assumed.instances
        narrowed = {label for label, op, value in reading.matchers if value and op in ("=", "=~")}
        operations = 1 if narrowed - known.chosen - known.errors - {"le"} else self._assumed.operations
        outcomes = 1 if narrowed & (known.errors - known.chosen) else self._assumed.outcomes
        return self._assumed.instances * operations * outcomes * self._values(reading, "le")

    def _values(self, reading: Reading, label: str) -> float:
        """How many values a label has among what a selector finds."""
        if label == "le":
            for name, _, value in reading.matchers:
                if name == "le":  # bounds, of which `1|1\\.0` are two spellings of one
                    return len({bound.removesuffix("\\.0") for bound in value.split("|")})
            return max(1, self._native[reading.metric].buckets) if self._is_native(reading) else 1
        return self._assumed.dimension_values if label in self.dimensions else 1


def _sources(graph: Graph) -> Iterator[Source]:
    for service in graph.services:
        yield from service.sources
        for edge in service.calls:
            yield from edge.sources
