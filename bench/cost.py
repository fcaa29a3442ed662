"""What one SLO costs a real Prometheus with the rules of dashgen, Sloth and Pyrra, over the same history.

All rules of a 99.9 % / 30 d availability SLO are evaluated at some moments of an hour, with `stats=all`: how many
samples of a chunk are decoded before the wanted one depends on the moment. `samples` is what Prometheus counts
(`totalQueryableSamples`); it leaves out what a subquery reads inside, so peak samples and time stand beside it.
Every recorded series that a window reads has 30 days of history. Of the native series one instance has 30 days, the
others have five: only Pyrra's `increase[30d]` would read more, so Pyrra looks cheaper here than it is. As in a server
that runs, the last two hours are in its memory and the rest is in blocks.
"""

from __future__ import annotations

import argparse
import datetime
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import mean
from typing import Any

import yaml

from bench.history import append, load, query, record, rule_groups, serving, settle
from bench.rivals import Promise, pyrra_rules, sloth_rules
from dashgen import pipeline
from dashgen.model.units import seconds

DAY, HOUR = 86400, 3600
HEAD = 2 * HOUR  # what Prometheus holds in memory; older samples are in blocks
END = 1_767_225_600  # 2026-01-01, in seconds
MOMENTS = [END - minutes * 60 for minutes in (8, 23, 38, 53)]  # chunks hold half an hour
SCRAPE, RUNS = 15, 10
SAMPLES_BAR, TIME_BAR, BAR_PODS = 1 / 100, 1 / 20, 20
EVERY = "1m"  # Prometheus's own default, for groups that name no interval, as Sloth's
SPEC = """
version: dashgen/v1
graph: bench
defaults: {scrape_interval: 15s}
teams: {t: {page: pager, ticket: chat}}
services:
  web:
    language: rust
    team: t
    instrumentation: axum-prometheus
    selector: {job: web}
    slos: {availability: {objective: 99.9}}
"""
TOTAL = 'axum_http_requests_total{job="web"}'
PROMISE = Promise("web", "availability", Decimal("99.9"), TOTAL, f'{TOTAL[:-1]},status=~"5.."}}')


@dataclass
class Cost:
    """All rules of one tool, evaluated once (`samples`, `peak`, `ms`), and as often as an hour asks for."""

    rules: int = 0
    samples: float = 0
    peak: int = 0
    ms: float = 0
    hourly: float = 0
    hourly_ms: float = 0


def tools(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The rule groups of each tool for the same promise."""
    spec = folder / "services.yaml"
    spec.write_text(SPEC)
    project, found = pipeline.open_project(spec)
    assert project, found
    pipeline.generate(project, folder / "out", datetime.date(2026, 1, 1))
    own = [g for g in rule_groups(folder / "out" / "prometheus" / "rules") if "/slo-" in g["name"]]
    assert any(rule.get("alert") == "ErrorBudgetBurn" for group in own for rule in group["rules"])
    sloth = yaml.safe_load(sloth_rules([PROMISE], folder / "sloth").read_text())["groups"]
    return {"dashgen": own, "Sloth": sloth, "Pyrra": pyrra_rules(PROMISE)["groups"]}


def native(pods: Iterable[int]) -> list[str]:
    """The series of some instances: their successes, their failures, and that they are reached."""
    counters = [f'{TOTAL[:-1]},instance="{n}",status="{status}"}}' for n in pods for status in (200, 500)]
    return counters + [f'up{{job="web",instance="{n}"}}' for n in pods]


def value(series: str, at: int) -> float:
    """What a series shows at a time: ten requests a second and more, one failure in two hundred seconds, and up."""
    if series.startswith("up{"):
        return 1
    since, pod = at - END + 30 * DAY, int(series.partition('instance="')[2].partition('"')[0])
    return since * (0.005 if 'status="500"' in series else 10 + pod)


def prepare(tsdb: Path, pods: int, groups: list[dict[str, Any]]) -> None:
    """Write native samples, then what the rules would have recorded from them, except for the last hours."""
    load(tsdb, native([0]), value, END - 30 * DAY, END - HEAD, SCRAPE)
    if pods > 1:
        load(tsdb, native(range(1, pods)), value, END - 5 * DAY, END - HEAD, SCRAPE)
    record(tsdb, ranged(groups), END - 30 * DAY, END - HEAD)
    settle(tsdb)


def ranged(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The recording rules whose series other rules read over time."""
    expressions = " ".join(rule["expr"] for group in groups for rule in group["rules"])
    names = set(re.findall(r"([a-zA-Z_:0-9]+)(?:\{[^}]*\})?\[", expressions))
    return [{**g, "rules": [r for r in g["rules"] if r.get("record") in names]} for g in groups]


def measure(server: str, groups: list[dict[str, Any]]) -> Cost:
    """Evaluate every rule at each moment; numbers are means over these, and times the shortest of some runs."""
    cost = Cost()
    for group in groups:
        times = HOUR / float(seconds(group.get("interval", EVERY)))
        for rule in group["rules"]:
            every = [_evaluated(server, rule["expr"], moment) for moment in MOMENTS]
            samples, ms = mean(each[0] for each in every), mean(each[1] for each in every)
            cost.rules += 1
            cost.samples += samples
            cost.peak = max(cost.peak, *(each[2] for each in every))
            cost.ms += ms
            cost.hourly += samples * times
            cost.hourly_ms += ms * times
    return cost


def _evaluated(server: str, expression: str, moment: int) -> tuple[int, float, int]:
    """Samples that were read, milliseconds, and the most samples in memory at once."""
    runs = [query(server, "query", query=expression, time=moment, stats="all")["stats"] for _ in range(RUNS)]
    samples = runs[0]["samples"]
    ms = min(run["timings"]["evalTotalTime"] for run in runs) * 1e3
    return samples["totalQueryableSamples"], ms, samples["peakSamples"]


def compare(pods: int) -> dict[str, Cost]:
    """The cost of each tool for a service of so many instances."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        rules = tools(folder)
        tsdb = folder / "tsdb"
        for groups in rules.values():
            for group in groups:
                group.setdefault("interval", EVERY)
        every = [group for groups in rules.values() for group in groups]
        prepare(tsdb, pods, every)
        with serving(tsdb) as server:
            append(server, native(range(pods)), value, every, range(END - HEAD, END, SCRAPE))
            return {tool: measure(server, groups) for tool, groups in rules.items()}


def main() -> None:
    """Print a table, and whether the bar is met at 20 instances."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pods", nargs="*", type=int, default=[1, 20, 200])
    print("| instances | rules of | rules | samples | peak | ms | samples/hour | ms/hour |")
    print("|---|---|---|---|---|---|---|---|")
    found = {}
    for pods in parser.parse_args().pods:
        found[pods] = compare(pods)
        for tool, c in found[pods].items():
            cells = f"{c.rules} | {c.samples:,.0f} | {c.peak:,} | {c.ms:.1f} | {c.hourly:,.0f} | {c.hourly_ms:,.0f}"
            print(f"| {pods} | {tool} | {cells} |", flush=True)
    if BAR_PODS in found:
        own, sloth = found[BAR_PODS]["dashgen"], found[BAR_PODS]["Sloth"]
        for what, ratio, bar in (
            ("samples per evaluation", own.samples / sloth.samples, SAMPLES_BAR),
            ("samples per hour", own.hourly / sloth.hourly, SAMPLES_BAR),
            ("time per evaluation", own.ms / sloth.ms, TIME_BAR),
            ("time per hour", own.hourly_ms / sloth.hourly_ms, TIME_BAR),
        ):
            verdict = "met" if ratio <= bar else "MISSED"
            print(f"{what} at {BAR_PODS} instances: 1/{1 / ratio:.0f} of Sloth's (bar: 1/{1 / bar:.0f}): {verdict}")


if __name__ == "__main__":
    main()
