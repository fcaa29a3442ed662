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


@pytest.mark.parametrize("path", OUTAGES, ids=lambda path: path.stem)
def test_outage(path: Path, tmp_path: Path) -> None:
    outage = load(path, tmp_path)
    minutes, true = range(outage.length // observer.MINUTE + 1), observer.truth(outage)
    stated = {
        key: frozenset(m for first, last in spans for m in range(first, last + 1))
        for key, spans in outage.firing.items()
    }
    wrong = []
    for key in (key for key in stated.keys() | true.keys() if key[0] in BURNS):
        wrong += differences(
            "the file says", key, true.get(key, frozenset()), stated.get(key, frozenset()), WRITTEN, WRITTEN
        )
    series = simulator.scraped(outage)
    fired = replay.firing(outage.rules, series, outage.scrape, minutes, tmp_path)
    for key in fired.keys() | stated.keys():
        wanted = true.get(key, frozenset()) if key[0] in BURNS else stated.get(key, frozenset())
        wrong += differences("it fired", key, wanted, fired.get(key, frozenset()), LATE[key[3]], LINGERS[key[3]])
    for text in outage.says:
        said = replay.descriptions(text.alert, outage.rules, series, outage.scrape, text.at, tmp_path)
        wrong += [f"{text.alert} does not say “{text.text}” but {said}"] * (not any(text.text in each for each in said))
    assert not wrong, "\n".join(sorted(wrong))


def differences(who: str, key: Key, wanted: Times, found: Times, late: int, lingers: int) -> Iterator[str]:
    """Where two courses of an alert differ by more than a few minutes."""
    missed = {minute for minute in wanted - found if all(minute - back in wanted for back in range(late + 1))}
    wrong = {minute for minute in found - wanted if not any(minute - back in wanted for back in range(lingers + 1))}
    if missed or wrong:
        yield f"{' '.join(key)}: should fire {spelled(wanted)}, but {who} {spelled(found)}"


def spelled(times: Times) -> str:
    """Stretches of minutes, for people."""
    spans = (f"{a // 60}h{a % 60}m-{b // 60}h{b % 60}m" for a, b in observer.intervals(times))
    return ", ".join(spans) or "never"
