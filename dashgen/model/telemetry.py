"""Where numbers come from: the native series of one implementation, as a profile and a selector describe them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Operator = Literal["=", "!=", "=~", "!~"]
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Matcher:
    """One label matcher of a selector; the value is the plain text, not yet quoted.

    `example` is a value that matches, from which tests make series.
    """

    label: str
    op: Operator
    value: str
    example: str = ""


Matchers = tuple[Matcher, ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Durations: the base name of the histogram, seconds per unit, and the bounds of its buckets in its own unit."""

    base: str
    scale: Decimal
    bounds: tuple[Decimal, ...]
    native: bool
    exemplars: bool

    @property
    def seconds(self) -> frozenset[Decimal]:
        """The bounds in seconds."""
        return frozenset(bound * self.scale for bound in self.bounds)


@dataclass(frozen=True, slots=True)
class Source:
    """One place where requests are counted.

    `errors` are alternatives: a request failed when all matchers of any one of them hold. `failed` is a counter of
    failures where labels do not tell. `ok` and `bad` are example labels, from which tests make series. `process`
    matches all that the same processes count, where `matchers` leave one operation; `target` whatever else they expose,
    as `up`, which has no labels of requests.
    """

    implementation: str
    language: str
    profile: str
    requests: str
    failed: str
    errors: tuple[Matchers, ...]
    duration: Histogram | None
    matchers: Matchers
    process: Matchers
    target: Matchers
    ok: Labels
    bad: Labels
    sampled: bool


@dataclass(frozen=True, slots=True)
class Signal:
    """One runtime panel of a language; `query` holds `${selector}` where the matchers go."""

    id: str
    title: str
    description: str
    unit: str
    query: str
    legend: str


@dataclass(frozen=True, slots=True)
class VersionSeries:
    """A metric with one series per running version."""

    metric: str
    label: str
