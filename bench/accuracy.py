"""How exact windows and budgets are, and how late pages come, against all events of 30 days.

Native samples are backfilled into a real Prometheus, then what the generated rules record from them. Ground truth is
counted from the events themselves, also from those that were lost between a scrape and a restart or in a gap.
"""

from __future__ import annotations

import argparse
import datetime
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.events import DAY, HOUR, MINUTE, OFFSET, STEP, Burn, Events
from bench.history import load, phase, query, record, rule_groups, serving
from dashgen import pipeline
from dashgen.model.slo import BurnTier
from dashgen.model.units import seconds

START = 1_767_225_600  # 2026-01-01, in seconds
RATIO_BAR = 0.005  # of the ratio of the SLO's own window
LATE_BAR = MINUTE  # seconds behind raw data
ENOUGH = 50  # bad events in a window, below which a relative error says little
SPEC = """
version: dashgen/v1
graph: bench
defaults: {{scrape_interval: 15s}}
teams: {{t: {{page: pager, ticket: chat}}}}
services:
  web:
    language: rust
    team: t
    instrumentation: axum-prometheus
    selector: {{job: web}}
    slos: {{availability: {{objective: 99.9, window: {window}}}}}
"""


@dataclass(frozen=True)
class Window:
    """One window's ratio: at the end, and the worst relative error of the moments with enough bad events.

    Moments are every ten minutes of the last day; `samples` counts those with enough.
    """

    name: str
    truth: float
    recorded: float
    worst: float
    samples: int

    @property
    def error(self) -> float:
        """The relative error at the end; the absolute one where nothing bad happened."""
        return abs(self.recorded / self.truth - 1) if self.truth else abs(self.recorded)


@dataclass(frozen=True)
class Page:
    """When a tier fired in a burn, in seconds from its start: by all events, and by the rules; or None."""

    tier: str
    burn: Burn
    truth: int | None
    rules: int | None

    @property
    def late(self) -> int:
        """Seconds behind the truth; 0 where neither fired."""
        if self.truth is None or self.rules is None:
            return 0 if self.truth is self.rules else 10**9
        return self.rules - self.truth


@dataclass(frozen=True)
class Report:
    """All that was compared: the windows, the SLO's own last; the budget that is left, true and recorded; the pages."""

    windows: list[Window]
    budget: tuple[float, float]
    pages: list[Page]


def measure(folder: Path, days: int, window: str) -> Report:
    """Backfill `days` of history and compare an availability SLO over `window` with the truth."""
    spec = folder / "services.yaml"
    spec.write_text(SPEC.format(window=window))
    project, found = pipeline.open_project(spec)
    assert project, found
    pipeline.generate(project, folder / "out", datetime.date(2026, 1, 1))
    slo = project.graph.slos[0]
    groups = [g for g in rule_groups(folder / "out" / "prometheus" / "rules") if "/slo-" in g["name"]]
    events, tsdb = Events(days, START), folder / "tsdb"
    load(tsdb, list(events.counters), events.sample, START + OFFSET, events.end, STEP)
    record(tsdb, groups, START, events.end)
    with serving(tsdb) as server:
        windows = [_window(server, events, name) for name in (*slo.fast_windows, *slo.slow_windows)]
        at = events.end - MINUTE
        left = query(server, "query", query="slo:budget_remaining:ratio", time=at)["result"]
        budget = (1 - events.ratio(at, slo.window) / float(slo.budget), float(left[0]["value"][1]))
        pages = [_page(server, events, tier, groups, b) for tier in slo.tiers for b in events.burns[:4]]
        return Report(windows, budget, [page for page in pages if page])


def _window(server: str, events: Events, name: str) -> Window:
    """Compare a window every ten minutes of the last day."""
    length = int(seconds(name))
    times = range(events.end - DAY, events.end, 10 * MINUTE)
    data = query(server, "query_range", query=f"slo:bad_ratio:{name}", start=times[0], end=times[-1], step=times.step)
    recorded = {int(at): float(value) for at, value in data["result"][0]["values"]}
    assert len(recorded) == len(times), f"{name} is not recorded all the time"
    telling = [at for at in times if events.counts(at, length)[1] >= ENOUGH]
    errors = [abs(recorded[at] / events.ratio(at, length) - 1) for at in telling]
    last = times[-1]
    return Window(name, events.ratio(last, length), recorded[last], max(errors, default=0.0), len(errors))


def _page(server: str, events: Events, tier: BurnTier, groups: list[dict[str, Any]], burn: Burn) -> Page | None:
    """When a page tier first held in a burn, or in the hour after it."""
    if tier.severity != "page":
        return None
    group, rule = next((g, r) for g in groups for r in g["rules"] if r.get("labels", {}).get("burn") == tier.name)
    start, end = START + burn.start + phase(group), START + burn.start + burn.length + HOUR
    data = query(server, "query_range", query=rule["expr"], start=start, end=end, step=group["interval"])
    held = [int(at) for each in data["result"] for at, _ in each["values"]]
    wait = int(seconds(rule.get("for", "0s")))
    true = (at for at in range(start, end, MINUTE) if _burns(events, tier, at))
    first = next(true, None)
    return Page(
        tier.name, burn, first and first - START - burn.start, min(held) + wait - START - burn.start if held else None
    )


def _burns(events: Events, tier: BurnTier, at: int) -> bool:
    """Whether a tier holds by all events."""
    limit = float(tier.threshold)
    long, short = events.ratio(at, tier.long), events.ratio(at, tier.short)
    return long > limit and short > limit and events.counts(at, tier.long)[1] >= tier.minimum_bad_events


def show(report: Report) -> None:
    """Print tables, and whether the bars are met."""
    print("| window | truth at the end | recorded | worst error of the last day | moments with enough bad events |")
    print("|---|---|---|---|---|")
    for w in report.windows:
        print(f"| {w.name} | {w.truth:.6f} | {w.recorded:.6f} | {w.worst:.2%} | {w.samples} |")
    true, recorded = report.budget
    print(f"\nbudget left: {true:.2%}, recorded {recorded:.2%}\n")
    print("| tier | burn | by all events, s | by the rules, s | late, s |\n|---|---|---|---|---|")
    for p in report.pages:
        print(f"| {p.tier} | {p.burn.name} | {p.truth} | {p.rules} | {p.late} |")
    own = report.windows[-1]
    late, blind = (max(page.late for page in report.pages if page.burn.blind is each) for each in (False, True))
    print(f"\nerror of the {own.name} ratio at the end: {own.error:.2%}")
    print(f"at the worst moment of the last day: {own.worst:.2%} {_met(own.worst, RATIO_BAR)}")
    print("windows of days begin at a full hour, so a burn leaves them up to an hour late: hence the worst of 1d")
    print(f"latest page: {late} s behind all events {_met(late, LATE_BAR)}")
    print(f"with a scrape gap at the start of the burn: {blind} s; events that nobody scraped are in no tile")


def _met(value: float, bar: float) -> str:
    return f"(bar: {bar:g}): {'met' if value <= bar else 'MISSED'}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--window", default="30d")
    arguments = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        show(measure(Path(folder), arguments.days, arguments.window))
    print(f"{arguments.days} days of history, {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
