"""What an objective counts: events, bad events, and whether there are enough of them to wake anybody."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from dashgen import conventions as c
from dashgen.compile.template.leaf import Promql
from dashgen.compile.vocabulary import native
from dashgen.compile.vocabulary.counted import Counted, half_open
from dashgen.model.graph import Tile
from dashgen.model.slo import BurnTier, Slo
from dashgen.model.units import HOUR, duration, seconds

FEW = 15  # tiles, of which each counts
BELATED = "15m"  # until when the tile of an hour is recorded, where nobody could at once
PATIENT = "5m"  # how long requests arrive before anybody asks what measures them


def match(slo: Slo) -> Promql:
    """The matchers that select an SLO's own series, whoever owns it today."""
    return _match(slo.level, slo.subject, slo.name, slo.env)


@lru_cache(maxsize=64)  # an SLO's rules ask dozens of times, one SLO after the other
def _match(level: str, subject: str, name: str, env: str) -> Promql:
    labels = {level: subject, c.SLO: name, c.ENV: env}
    return Promql(native.labelled("", labels)[1:-1])


class Sli:
    """The expressions, for one graph's tile and dimensions."""

    def __init__(self, tile: Tile, dimensions: Sequence[str]):
        self._tile = tile
        self._counted = Counted(tile, dimensions)

    def events(self, slo: Slo) -> Promql:
        """Events per second: requests, or timed requests for a latency objective."""
        return (self._counted.requests if slo.threshold is None else self._counted.timed)(slo.sources)

    def bad_events(self, slo: Slo) -> Promql:
        """Bad events per second.

        An error series that does not exist yet counts as zero. A missing bucket does not: an objective that is not
        measured must not look like one that is met.
        """
        if slo.threshold is not None:
            return self._counted.slow(slo.sources, slo.threshold)
        return Promql(f"{self._counted.failures(slo.sources)} or 0 * sum({self._recorded(slo, 'events')})")

    def unmeasured(self, slo: Slo) -> Promql:
        """Nothing, as long as every process that gets requests has the histogram, and in it the threshold."""
        assert slo.threshold is not None
        process = self._counted.process
        parts = [
            f"sum({native.events([source], PATIENT, process)} > 0 unless"
            f" count by ({', '.join(process)}) (last_over_time({native.bucket(source, slo.threshold)}[{PATIENT}])))"
            for source in slo.sources
        ]
        return Promql(" or ".join(parts))

    def enough(self, slo: Slo, tier: BurnTier) -> Promql:
        """The condition that a tier's long window holds its minimum of bad events; nothing where it wants none.

        promtool evaluates all groups at an interval of its own. Where tiles overlap, every event counts as often as
        there are tiles in the time of one: the median of the last hour, as some may be missing, and two in one after a
        change of phase.
        """
        if not tier.minimum_bad_events:
            return Promql("")
        least = f"> {tier.minimum_bad_events - 0.5}"
        if not tier.in_days:
            many = f"{self.recent(slo, 'bad_events', tier.long_name)} * {self._tile.seconds}"
            length = self._tile.name
            tiles = f"count_over_time({self._recorded(slo, 'events')}[{half_open(Decimal(self._tile.seconds))}])"
            often = f"max(quantile_over_time(0.5, {tiles}[1h:{length}] offset -{length}))"
            return Promql(f"and on () {many} / {often} {least}")
        return Promql(f"and on () {self.days(slo, 'bad_events', tier.long_name)} * {HOUR} {least}")

    def recent(self, slo: Slo, what: str, window: str) -> Promql:
        """The sum of the tiles of `events` or `bad_events` in a window of minutes or hours.

        Prometheus shows a rule the tile of the same moment, vmalert only the one before, so half a tile less or more
        than the window hold just its tiles with the one or the other. A tile of sixty is missed by nobody, but with one
        too many, two bursts an hour apart would add up; where one is a fifth, windows would flap without it.
        """
        tile, length = self._tile.seconds, int(seconds(window))
        side = 1 if length < FEW * tile else -1
        held = duration(length // tile * tile + side * tile // 2)
        return Promql(f"sum(sum_over_time({self._recorded(slo, what)}[{held}]))")

    def hour(self, slo: Slo, what: str) -> Promql:
        """The `events` or `bad_events` of an hour on the clock, per second; once, when the next one is first evaluated.

        Whoever records it all day reads twenty times as many. The subquery has a step at the full hour and otherwise
        none, so that nothing is read for most of an hour. A tile that is evaluated at twelve is not part of the hour,
        but of the hour to date.
        """
        hour = f"({self._tiles(slo, what, offset=' offset 1ms')} / {HOUR // self._tile.seconds})"
        known = f"hour(timestamp(slo:{what}:hour_to_date{{{match(slo)}}} offset 1ms)) == scalar(hour())"
        return Promql(f"max_over_time({hour}[{BELATED}:1h]) unless on () {known}")

    def hour_to_date(self, slo: Slo, what: str) -> Promql:
        """The `events` or `bad_events` of the hour on the clock, per second of a whole hour.

        Of the last sixty minutes, those in an odd hour; or in an even one, which are all the others.
        """
        odd = self._tiles(slo, what, " * scalar(hour() % 2)")
        whole = self._tiles(slo, what)
        return Promql(f"abs({odd} - {whole} * (1 - scalar(hour() % 2))) / {HOUR // self._tile.seconds}")

    def days(self, slo: Slo, what: str, window: str) -> Promql:
        """The `events` or `bad_events` of a window of days, as a sum of hours; nothing where none were measured.

        A label tells the hour to date from whole hours: both are added up, or the one that there is. What was recorded
        in the hour before is part of a whole hour as soon as that is recorded, which vmalert shows an evaluation later.
        What two owners have recorded of an hour counts once.
        """
        hour = f"slo:{what}:rate1h{{{match(slo)}}}"
        hours = f"sum_over_time(max(last_over_time({hour}[{BELATED}1ms] offset -{BELATED}))[{window}:1h])"
        to_date = f"slo:{what}:hour_to_date{{{match(slo)}}}"
        past = f"hour(timestamp({to_date})) != scalar(hour()) and on () last_over_time({hour}[{BELATED}])"
        return Promql(f"sum({hours} or max by (part) ({to_date} unless ({past})))")

    def _tiles(self, slo: Slo, what: str, masked: str = "", offset: str = "") -> str:
        """The sum of the tiles of an hour.

        Every tile counts once, whatever the interval of evaluation is: a subquery alone would take the one before for
        a tile that is missing, and a range all samples of a tile that was evaluated more than once. So it does where
        two owners have recorded it.
        """
        length = self._tile.name
        tile = f"max(last_over_time({self._recorded(slo, what)}[{length}]))"
        return f"sum_over_time({f'({tile}{masked})' if masked else tile}[1h:{length}]{offset})"

    def _recorded(self, slo: Slo, what: str) -> str:
        """The tiles of `events` or `bad_events`, as they are recorded."""
        return f"slo:{what}:rate{self._tile.name}{{{match(slo)}}}"
