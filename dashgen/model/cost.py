"""What rules cost: samples read and series written, as predicted and as a running Prometheus measured it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

HOUR = 3600


class Assumptions(NamedTuple):
    """What nobody can read off the graph; everything else comes from profiles, windows and intervals."""

    instances: int = 20
    operations: int = 5
    outcomes: int = 2
    dimension_values: int = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """What a Prometheus says of one rule; seconds for one evaluation, `evaluation` as its rule manager took.

    `evaluation` is None where the rule is not loaded there.
    """

    samples: int
    peak: int
    seconds: float
    series: int
    evaluation: float | None = None


@dataclass(frozen=True, slots=True)
class RuleCost:
    """One rule: who owns it, how often it runs (`every`, in seconds), and what one evaluation takes.

    `samples` is what Prometheus counts, `passed` also what subqueries walk over; `longest` is the longest range, in
    seconds, and `longest_native` that of what services count themselves. An alert writes no series while it is silent.
    """

    name: str
    labels: tuple[tuple[str, str], ...]
    alert: bool
    group: str
    owner: str
    team: str
    expr: str
    every: float
    series: float
    samples: float
    passed: float
    longest: float
    longest_native: float
    native: bool
    quantiles: bool
    dimensions: tuple[str, ...]
    measured: Measured | None = None

    @property
    def hourly(self) -> float:
        """Samples that Prometheus counts in an hour, as measured where that was done."""
        return (self.measured.samples if self.measured else self.samples) * HOUR / self.every

    @property
    def passed_hourly(self) -> float:
        """Samples that are walked over in an hour."""
        return self.passed * HOUR / self.every


@dataclass(frozen=True, slots=True)
class Total:
    """The rules of one team, or of all; per hour, `seconds` of evaluation where that was measured."""

    rules: int
    series: float
    hourly: float
    passed_hourly: float
    seconds: float | None


def total(costs: Iterable[RuleCost]) -> Total:
    """The sum of many rules."""
    listed = list(costs)
    runs = [(each.measured.seconds, HOUR / each.every) for each in listed if each.measured]
    return Total(
        rules=len(listed),
        series=sum(each.measured.series if each.measured else each.series for each in listed if not each.alert),
        hourly=sum(each.hourly for each in listed),
        passed_hourly=sum(each.passed_hourly for each in listed),
        seconds=sum(seconds * times for seconds, times in runs) if runs else None,
    )


def by_team(costs: Iterable[RuleCost]) -> dict[str, list[RuleCost]]:
    """The rules of each team, by its name."""
    teams: dict[str, list[RuleCost]] = {}
    for each in costs:
        teams.setdefault(each.team, []).append(each)
    return dict(sorted(teams.items()))


def dearest(costs: Iterable[RuleCost], count: int = 10) -> list[RuleCost]:
    """The rules that read most in an hour, dearest first."""
    return sorted(costs, key=lambda each: (-each.hourly, each.name, each.labels))[:count]
