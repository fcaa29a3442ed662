"""What an objective counts: events, bad events, and whether there are enough of them to wake anybody."""

from __future__ import annotations

from dashgen import conventions as c
from dashgen.compile.template.leaf import Promql
from dashgen.compile.vocabulary import native
from dashgen.model.graph import Tile
from dashgen.model.slo import BurnTier, Slo
from dashgen.model.telemetry import Matcher
from dashgen.model.units import HOUR


def match(slo: Slo) -> Promql:
    """The matchers that select an SLO's own series, whoever owns it today."""
    labels = {slo.level: slo.subject, c.SLO: slo.name, c.ENV: slo.env}
    return Promql(native.selector("", tuple(Matcher(label, "=", value) for label, value in labels.items()))[1:-1])


class Sli:
    """The expressions, for one graph's tile."""

    def __init__(self, tile: Tile):
        self._tile = tile

    def events(self, slo: Slo, window: str) -> Promql:
        """Events per second: requests, or timed requests for a latency objective."""
        return native.events(slo.sources, window) if slo.threshold is None else native.timed(slo.sources, window)

    def bad_events(self, slo: Slo, window: str) -> Promql:
        """Bad events per second.

        An error series that does not exist yet counts as zero. A missing bucket does not: an objective that is not
        measured must not look like one that is met.
        """
        if slo.threshold is not None:
            return native.slow(slo.sources, slo.threshold, window)
        recorded = f"slo:events:rate{self._tile.name}{{{match(slo)}}}"
        return Promql(f"{native.failures(slo.sources, window)} or 0 * sum({recorded})")

    def enough(self, slo: Slo, tier: BurnTier) -> Promql:
        """The condition that a tier's long window holds its minimum of bad events; nothing where it wants none."""
        if not tier.minimum_bad_events:
            return Promql("")
        least = f"> {tier.minimum_bad_events - 0.5}"
        if not tier.in_days:
            series, step, size = f"slo:bad_events:rate{self._tile.name}", self._tile.name, self._tile.seconds
            return Promql(f"and on () {self._count(slo, series, tier.long_name, step)} * {size} {least}")
        whole = f"{self._count(slo, 'slo:bad_events:rate1h', tier.long_name, '1h')} * {HOUR} {least}"
        running = f"sum(slo:bad_events:rate1h{{{match(slo)}}}) * {HOUR} {least}"
        return Promql(f"and on () ({whole} or {running})")

    def _count(self, slo: Slo, series: str, window: str, step: str) -> str:
        return f"sum(sum_over_time({series}{{{match(slo)}}}[{window}:{step}]))"
