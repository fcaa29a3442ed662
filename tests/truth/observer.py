"""The perfect observer: sees every request when it happens and says which tiers of an objective are truly crossed."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from dashgen.model.slo import Slo
from tests.truth.outage import KINDS, Key, Outage, Stream

MINUTE, HOUR = 60, 3600
Times = frozenset[int]  # minutes at which something holds


@dataclass(frozen=True)
class Seen:
    """Requests that an objective counts, and the bad ones among them, minute by minute since the beginning."""

    events: list[int]
    bad: list[int]

    def ratio(self, minute: int, window: int) -> Fraction:
        """The share of bad events in a window of seconds that ends at a minute; none without traffic."""
        first = max(0, minute - window // MINUTE)
        events = self.events[minute] - self.events[first]
        return Fraction(self.bad[minute] - self.bad[first], events) if events else Fraction()

    def bad_in(self, minute: int, window: int) -> int:
        """Bad events in a window."""
        return self.bad[minute] - self.bad[max(0, minute - window // MINUTE)]


def truth(outage: Outage, longer: tuple[int, int] = (0, 0)) -> dict[Key, Times]:
    """Every alert about an error budget that should ever fire, and the minutes at which it should.

    With a long or a short window that is some seconds longer it also fires at the threshold itself: where the answers
    differ, rules that count minute by minute may give any.
    """
    seen = ((slo, watch(slo, outage)) for slo in slos(outage))
    return {key: minutes for slo, events in seen for key, minutes in _of(slo, events, *longer) if minutes}


def slos(outage: Outage) -> list[Slo]:
    """All objectives of a scenario, of services and of chains."""
    graph = outage.project.graph
    return [slo for subject in (*graph.services, *graph.chains) for slo in subject.slos]


def watch(slo: Slo, outage: Outage) -> Seen:
    """Count the events of an objective."""
    minutes = range(0, outage.length + 1, MINUTE)
    streams = [stream for stream in outage.streams if any(stream.serves(source) for source in slo.sources)]
    events = [sum(stream.counts(kind, now) for stream in streams for kind in KINDS) for now in minutes]
    bad = [0] * len(minutes)
    for stream in streams:
        bad = [one + more for one, more in zip(bad, _bad(slo, stream, minutes), strict=True)]
    return Seen(events, bad)


def _bad(slo: Slo, stream: Stream, minutes: range) -> list[int]:
    """Bad events since the beginning: failures, or whatever took longer than the threshold."""
    added, before = [], dict.fromkeys(KINDS, 0)
    for now in minutes:
        phase = next((p for p in stream.phases if p.start < now <= p.end), stream.phases[0])
        counts = {kind: stream.counts(kind, now) for kind in KINDS}
        late = {kind for kind in KINDS if slo.threshold is not None and phase.takes[kind] > Fraction(slo.threshold)}
        counted = late if slo.threshold is not None else {"bad"}
        added.append(sum(counts[kind] - before[kind] for kind in counted))
        before = counts
    return list(accumulate(added))


def _of(slo: Slo, seen: Seen, long: int, short: int) -> Iterator[tuple[Key, Times]]:
    """The alerts of an objective; the SRE Workbook, chapter 5: over both windows, and enough bad events to matter."""
    minutes = range(len(seen.events))
    name = "ChainBudgetBurn" if slo.level == "chain" else "ErrorBudgetBurn"
    for tier in slo.tiers:
        threshold = Fraction(tier.threshold)
        crossed = operator.ge if long or short else operator.gt
        burning = frozenset(
            minute
            for minute in minutes
            if crossed(seen.ratio(minute, tier.long + long), threshold)
            and crossed(seen.ratio(minute, tier.short + short), threshold)
            and seen.bad_in(minute, tier.long + long) >= tier.minimum_bad_events
        )
        yield (name, slo.id, tier.name, tier.severity), burning
    spent = {minute for minute in minutes if seen.ratio(minute, slo.window) > Fraction(slo.budget)}
    hour = HOUR // MINUTE
    exhausted = frozenset(m for m in minutes if m >= hour and all(m - back in spent for back in range(hour + 1)))
    yield ("ErrorBudgetExhausted", slo.id, "", "ticket"), exhausted


def intervals(times: Times) -> list[tuple[int, int]]:
    """Minutes as stretches, first to last.

    >>> intervals(frozenset({1, 2, 3, 7}))
    [(1, 3), (7, 7)]
    """
    made: list[tuple[int, int]] = []
    for minute in sorted(times):
        if made and made[-1][1] == minute - 1:
            made[-1] = (made[-1][0], minute)
        else:
            made.append((minute, minute))
    return made
