"""Raw events of a service over weeks: uneven traffic, burns, restarts and scrape gaps, and what really happened."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

STEP = 15  # seconds between scrapes
OFFSET = 7  # seconds by which scrapes lie beside the full minute, at which rules are evaluated
MINUTE, HOUR, DAY = 60, 3600, 86400
PODS = 2
ORDINARY = 0.0002  # share of bad events outside of burns
BUSY, QUIET = 12.0, 0.1  # events per second of an instance at noon and at night

METRIC = "axum_http_requests_total"


@dataclass(frozen=True)
class Burn:
    """A stretch with many bad events: seconds from the start, and their share from 0 to 1.

    With `blind`, one instance is not scraped for the first ten minutes.
    """

    name: str
    start: int
    length: int
    share: float
    blind: bool = False


def burns(days: int) -> list[Burn]:
    """Burns of all kinds; the four that are about pages lie in the last three days, even of a short history."""
    last = (days - 1) * DAY
    listed = [
        Burn(
            "0.9 % for five hours, half of it unseen at first", last - 2 * DAY + 9 * HOUR, 5 * HOUR, 0.009, blind=True
        ),
        Burn("total outage at noon", last - DAY + 12 * HOUR, 10 * MINUTE, 1.0),
        Burn("5 % in the evening", last - DAY + 20 * HOUR, 30 * MINUTE, 0.05),
        Burn("0.9 % for five hours", last + 9 * HOUR, 5 * HOUR, 0.009),
    ]
    nights = [Burn("quiet nights", day * DAY + 2 * HOUR, HOUR, 0.3) for day in range(1, days - 3, 3)]
    slow = [Burn("slow days", day * DAY + 8 * HOUR, 8 * HOUR, 0.002) for day in range(2, days - 3, 5)]
    return [*listed, *nights, *slow]


class Events:
    """Counts of good and bad events per scrape interval and instance; every number follows from the seed."""

    def __init__(self, days: int, start: int, seed: int = 7):
        self.start, self.end, self.burns = start, start + days * DAY, burns(days)
        self._random = random.Random(seed)
        steps = days * DAY // STEP
        shares = [self._share(step * STEP) for step in range(steps)]
        self.counters: dict[str, dict[int, int]] = {}
        total, bad = [0] * steps, [0] * steps
        for pod in range(PODS):
            self._run(pod, shares, total, bad)
        self._total, self._bad = [0, *accumulate(total)], [0, *accumulate(bad)]

    def counts(self, at: int, window: int) -> tuple[int, int]:
        """All events and bad events of the last `window` seconds, whether anybody scraped them or not."""
        last = max(0, min(len(self._total) - 1, (at - OFFSET - self.start) // STEP))
        first = max(0, last - window // STEP)
        return self._total[last] - self._total[first], self._bad[last] - self._bad[first]

    def ratio(self, at: int, window: int) -> float:
        """The share of bad events, from 0 to 1; 0 without events."""
        total, bad = self.counts(at, window)
        return bad / total if total else 0.0

    def sample(self, series: str, at: int) -> float | None:
        """The value of a series at a scrape."""
        return self.counters[series].get(at)

    def _share(self, since: int) -> float:
        return max([ORDINARY, *(b.share for b in self.burns if b.start <= since < b.start + b.length)])

    def _run(self, pod: int, shares: list[float], total: list[int], bad: list[int]) -> None:
        """One instance: every 40 hours it restarts, every other time under a new name; now and then nobody scrapes."""
        deploys = [(29 + pod) * HOUR + number * 40 * HOUR for number in range(len(shares) * STEP // (40 * HOUR) + 1)]
        good_count = bad_count = 0
        for step, share in enumerate(shares):
            since = step * STEP
            total_now = self._poisson(self._rate(since) * STEP)
            bad_now = min(total_now, self._poisson(total_now * share)) if share < 1 else total_now
            total[step] += total_now
            bad[step] += bad_now
            if since in deploys:  # what happened since the last scrape is lost
                good_count = bad_count = 0
            else:
                good_count, bad_count = good_count + total_now - bad_now, bad_count + bad_now
            if not self._gap(since, pod):
                generation = bisect_right(deploys, since) // 2
                at = self.start + since + STEP + OFFSET
                for status, count in (("200", good_count), ("500", bad_count)):
                    series = f'{METRIC}{{instance="{pod}-{generation}",job="web",status="{status}"}}'
                    self.counters.setdefault(series, {})[at] = count

    def _rate(self, since: int) -> float:
        """A busy noon, a quiet night, half the traffic at weekends."""
        day = math.sin(math.pi * (since % DAY) / DAY) ** 4
        weekend = 0.5 if since // DAY % 7 >= 5 else 1.0
        return QUIET + (BUSY - QUIET) * day * weekend

    def _gap(self, since: int, pod: int) -> bool:
        """An instance is missed for ten minutes a day, all of them for five every third day, single scrapes fail."""
        alone = 0 <= since % DAY - (6 + 13 * pod) * HOUR < 10 * MINUTE
        everyone = since // DAY % 3 == 0 and 0 <= since % DAY - 16 * HOUR < 5 * MINUTE
        blind = pod == 0 and any(b.blind and 0 <= since - b.start < 10 * MINUTE for b in self.burns)
        return alone or everyone or blind or self._random.random() < 0.002

    def _poisson(self, mean: float) -> int:
        if mean > 30:
            return max(0, round(self._random.gauss(mean, math.sqrt(mean))))
        limit, count, product = math.exp(-mean), 0, self._random.random()
        while product > limit:
            count += 1
            product *= self._random.random()
        return count
