"""What rules cost, for people and for machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dashgen.model.cost import Assumptions, RuleCost, Total, by_team, dearest, total
from dashgen.model.graph import Settings
from dashgen.views import console

Advise = Callable[[RuleCost, Assumptions], str]
_HEAD = ("rules", "series written", "samples/hour", "passed/hour")
_NOTE = (
    "samples: as Prometheus counts them, which leaves out what a subquery reads inside; passed: with that.\n"
    "An alert writes series only while it is pending or firing."
)


def show(costs: Sequence[RuleCost], advise: Advise, assumed: Assumptions, settings: Settings) -> None:
    """Print the totals, the dearest rules, and what to do about them."""
    measured = any(each.measured for each in costs)
    _say(f"{settings.title}: what its rules cost, {'measured' if measured else 'predicted'}", style="bold")
    _say(
        f"A prediction takes {assumed.instances} instances of a service, {assumed.operations} operations × "
        f"{assumed.outcomes} outcomes of a counter, buckets as profiles say, a scrape every {settings.tile.scrape}."
    )
    width = max((len(each.team) for each in costs), default=4)
    head = [*_HEAD, *(["seconds/hour"] if measured else [])]
    _say("\n" + f"  {'team':<{width}}" + "".join(f"{name:>16}" for name in head))
    for team, rules in by_team(costs).items():
        _say(f"  {team:<{width}}{_row(total(rules))}")
    _say(f"  {'all':<{width}}{_row(total(costs))}", style="bold")
    listed = dearest(costs)
    _say("\nThe dearest rules", style="bold")
    for number, each in enumerate(listed, 1):
        _rule(number, each)
    _say("\nWhat to do about them", style="bold")
    advised = [(advise(each, assumed), number) for number, each in enumerate(listed, 1)]
    for sentence in dict.fromkeys(sentence for sentence, _ in advised):
        numbers = ", ".join(str(number) for each, number in advised if each == sentence)
        _say(f"  {numbers}: {sentence}")
    _say("\n" + _NOTE)


def _row(sum: Total) -> str:
    cells = [sum.rules, sum.series, sum.hourly, sum.passed_hourly]
    seconds = "" if sum.seconds is None else f"{sum.seconds:>16.2f}"
    return "".join(f"{round(cell):>16,}" for cell in cells) + seconds


def _rule(number: int, each: RuleCost) -> None:
    labels = ", ".join(f"{name}={value}" for name, value in each.labels)
    _say(f"  {number:>2}. {each.name} ({labels})", style="cyan")
    often = f"every {each.every:g}s"
    found = each.measured
    if not found:
        _say(f"      {round(each.samples):,} samples {often}, {round(each.hourly):,} an hour")
        return
    rule = "not loaded as a rule" if found.evaluation is None else f"{found.evaluation * 1e3:.1f} ms as a rule"
    _say(
        f"      {found.samples:,} samples {often} (predicted: {round(each.samples):,}), {found.peak:,} at once, "
        f"{found.seconds * 1e3:.1f} ms as a query, {rule}"
    )


def _say(text: str, style: str = "") -> None:
    for line in text.split("\n"):
        console.say(line, console=console.out, style=style)


def data(costs: Sequence[RuleCost], advise: Advise, assumed: Assumptions) -> dict[str, Any]:
    """Costs as plain data."""
    return {
        "assumptions": assumed._asdict(),
        "total": _total(costs),
        "teams": {team: _total(rules) for team, rules in by_team(costs).items()},
        "dearest": [{**_data(each), "advice": advise(each, assumed)} for each in dearest(costs)],
        "rules": [_data(each) for each in costs],
    }


def _total(costs: Sequence[RuleCost]) -> dict[str, Any]:
    made = total(costs)
    return {
        "rules": made.rules,
        "series": round(made.series),
        "samples_per_hour": round(made.hourly),
        "passed_per_hour": round(made.passed_hourly),
        "seconds_per_hour": made.seconds,
    }


def _data(each: RuleCost) -> dict[str, Any]:
    found = each.measured
    return {
        "kind": "alert" if each.alert else "record",
        "name": each.name,
        "labels": dict(each.labels),
        "group": each.group,
        "team": each.team,
        "interval_seconds": each.every,
        "predicted": {
            "series": round(each.series),
            "samples": round(each.samples),
            "passed": round(each.passed),
            "longest_range_seconds": each.longest,
        },
        "measured": found
        and {
            "series": found.series,
            "samples": found.samples,
            "peak_samples": found.peak,
            "query_seconds": found.seconds,
            "rule_seconds": found.evaluation,
        },
    }
