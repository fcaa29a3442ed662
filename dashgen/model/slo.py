"""Objectives and burn rates: the arithmetic of the SRE Workbook, chapter 5, with exact decimals."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from dashgen import conventions as c
from dashgen.model.telemetry import Source
from dashgen.model.units import DAY, HOUR, MINUTE, duration

SHORTEST_WINDOW, LONGEST_WINDOW = 7 * DAY, 90 * DAY
SHORTEST_BURN = 5 * MINUTE  # the short window of the fast page


@dataclass(frozen=True, slots=True)
class BurnTier:
    """One burn-rate alert; windows in seconds, `share` of the budget from 0 to 1.

    >>> tier = BurnTier("page-fast", "page", 3600, 300, Decimal("0.02"), 5, 30 * DAY, Decimal("0.001"))
    >>> tier.factor, tier.threshold, tier.long_name
    (Decimal('14.4'), Decimal('0.0144'), '1h')
    """

    name: str
    severity: Literal["page", "ticket"]
    long: int
    short: int
    share: Decimal
    minimum_bad_events: int
    period: int
    budget: Decimal

    @property
    def factor(self) -> Decimal:
        """How many times faster than allowed the budget burns: budget share × period / long window."""
        return (self.share * self.period / self.long).quantize(Decimal("0.0001")).normalize()

    @property
    def threshold(self) -> Decimal:
        """The ratio of bad events, from 0 to 1, at which the tier fires."""
        return (self.share * self.period / self.long * self.budget).quantize(Decimal("1E-12")).normalize()

    @property
    def long_name(self) -> str:
        """The long window as a duration."""
        return duration(self.long)

    @property
    def short_name(self) -> str:
        """The short window as a duration."""
        return duration(self.short)

    @property
    def in_days(self) -> bool:
        """Whether the long window is made of hour tiles."""
        return self.long >= DAY


@dataclass(frozen=True, slots=True)
class Slo:
    """A promise of a service or a chain; `objective` and `budget` are ratios from 0 to 1, `window` is in seconds."""

    name: str
    title: str
    description: str
    kind: Literal["availability", "latency"]
    objective: Decimal
    window: int
    threshold: Decimal | None
    operation: str
    sources: tuple[Source, ...]
    tiers: tuple[BurnTier, ...]
    level: Literal["service", "chain"]
    subject: str
    service: str
    team: str
    env: str
    uid: str
    path: tuple[str, ...]

    @property
    def id(self) -> str:
        """What people call it: `gateway/availability`; a chain's starts with `chain:`."""
        return f"{'chain:' if self.level == c.CHAIN else ''}{self.subject}/{self.name}"

    @property
    def scope(self) -> str:
        """What keeps the promise, as a chain's path writes it: a service, or one operation of it."""
        return f"{self.subject}/{self.operation}" if self.operation else self.subject

    @property
    def budget(self) -> Decimal:
        """The share of events that may be bad."""
        return 1 - self.objective

    @property
    def window_name(self) -> str:
        """The window as a duration, such as 30d."""
        return duration(self.window)

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its recorded series."""
        return {self.level: self.subject, c.SLO: self.name, c.TEAM: self.team, c.ENV: self.env}

    @property
    def pace_window(self) -> str:
        """The shortest window that a page reads: whose pace is as new as the page."""
        pages = (tier.short for tier in self.tiers if tier.severity == "page")
        return duration(min(pages, default=SHORTEST_BURN))

    @property
    def fast_windows(self) -> tuple[str, ...]:
        """Windows of minutes and hours, made of minute tiles."""
        return self._windows(0, DAY - 1)

    @property
    def slow_windows(self) -> tuple[str, ...]:
        """Windows of days, made of hour tiles; the SLO's own window is the longest."""
        return self._windows(DAY, LONGEST_WINDOW)

    def _windows(self, shortest: int, longest: int) -> tuple[str, ...]:
        lengths = {SHORTEST_BURN, HOUR, self.window, *(t.long for t in self.tiers), *(t.short for t in self.tiers)}
        return tuple(duration(length) for length in sorted(lengths) if shortest <= length <= longest)
