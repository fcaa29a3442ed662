"""Every outage, played through promtool: what should fire fires, no more than a minute late, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.truth import observer, replay, simulator
from tests.truth.observer import Times
from tests.truth.outage import Key, load

OUTAGES = sorted((Path(__file__).parent / "outages").glob("*.yaml"))
BURNS = ("ErrorBudgetBurn", "ChainBudgetBurn", "ErrorBudgetExhausted")  # those that the observer can tell
WRITTEN = 1  # minutes that a file may be away from the observer
LATE = {"page": 1, "ticket": 3}  # minutes until an alert has to follow
LINGERS = {"page": 2, "ticket": 3}  # Prometheus 2 closes ranges on both sides, so a window of it holds a minute more
EARLY = {"page": 0, "ticket": 3}  # a page never comes too early; windows of days are up to an hour longer than they say


@pytest.mark.parametrize("path", OUTAGES, ids=lambda path: path.stem)
def test_outage(path: Path, tmp_path: Path) -> None:
    outage = load(path, tmp_path)
    minutes, true = range(outage.length // observer.MINUTE + 1), observer.truth(outage)
    stated = outage.stated
    series, wrong = simulator.scraped(outage), []
    fired = replay.firing(outage.rules, series, outage.scrape, minutes, tmp_path)
    for key in sorted(fired.keys() | stated.keys() | true.keys()):
        severity, written, wanted = key[3], stated.get(key, frozenset()), stated.get(key, frozenset())
        if key[0] in BURNS:
            wanted = true.get(key, frozenset())
            wrong += differences("the file says", key, wanted, written, WRITTEN, WRITTEN, WRITTEN)
        limits = LATE[severity], LINGERS[severity], EARLY[severity]
        wrong += differences("it fired", key, wanted, fired.get(key, frozenset()), *limits)
    for text in outage.says:
        said = replay.descriptions(text.alert, outage.rules, series, outage.scrape, text.at, tmp_path)
        if not any(text.text in each for each in said):
            wrong.append(f"{text.alert} does not say “{text.text}” but {said}")
    assert not wrong, "\n".join(wrong)


def differences(who: str, key: Key, wanted: Times, found: Times, late: int, lingers: int, early: int) -> Iterator[str]:
    """Where two courses of an alert differ by more than a few minutes."""
    missed = {m for m in wanted - found if wanted.issuperset(range(m - late, m + early + 1))}
    wrong = {m for m in found - wanted if wanted.isdisjoint(range(m - lingers, m + early + 1))}
    if missed or wrong:
        yield f"{' '.join(key)}: should fire {spelled(wanted)}, but {who} {spelled(found)}"


def spelled(times: Times) -> str:
    """Stretches of minutes, for people."""
    spans = (f"{a // 60}h{a % 60}m-{b // 60}h{b % 60}m" for a, b in observer.intervals(times))
    return ", ".join(spans) or "never"
