"""Every outage, played through promtool: what should fire fires, no more than a minute late, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.truth import invented, observer, replay, simulator, verdict
from tests.truth.outage import load

OUTAGES = sorted((Path(__file__).parent / "outages").glob("*.yaml"))
INVENTED = range(8)  # `python -m bench.invented` plays more
WRITTEN = 1  # minutes that a file may be away from the observer


@pytest.mark.parametrize("path", OUTAGES, ids=lambda path: path.stem)
def test_outage(path: Path, tmp_path: Path) -> None:
    outage = load(path, tmp_path)
    true, stated, series, wrong = observer.truth(outage), outage.stated, simulator.scraped(outage), []
    for key in sorted(key for key in stated.keys() | true.keys() if key[0] in verdict.BURNS):
        wanted, written = true.get(key, frozenset()), stated.get(key, frozenset())
        wrong += verdict.differences("the file says", key, wanted, written, WRITTEN, WRITTEN, WRITTEN)
    wrong += verdict.wrong(outage, replay.firing(outage, series, tmp_path))
    for text in outage.says:
        said = replay.descriptions(text.alert, text.at, outage, series, tmp_path)
        if not any(text.text in each for each in said):
            wrong.append(f"{text.alert} does not say “{text.text}” but {said}")
    assert not wrong, "\n".join(wrong)


def test_instances_that_vanish_without_a_mark(tmp_path: Path) -> None:
    """Where Prometheus itself was down meanwhile, or something else scrapes, nothing marks the end of a series."""
    outage = load(next(path for path in OUTAGES if path.stem == "vanished"), tmp_path)
    series = {
        name: [None if sample == simulator.STALE else sample for sample in samples]
        for name, samples in simulator.scraped(outage).items()
    }
    assert any(None in samples for samples in series.values())
    assert not verdict.wrong(outage, replay.firing(outage, series, tmp_path))


@pytest.mark.parametrize(
    ("name", "every"), [("four-failures", "15s"), ("one-of-six", "15s"), ("slow-burn", "30s"), ("three-failures", "1m")]
)
def test_rules_that_are_evaluated_more_often(name: str, every: str, tmp_path: Path) -> None:
    """promtool evaluates all groups at the interval of its test, whatever they say themselves."""
    outage = load(next(path for path in OUTAGES if path.stem == name), tmp_path)
    hurried = replace(replay.promtool(), every=every)
    assert not verdict.wrong(outage, replay.firing(outage, simulator.scraped(outage), tmp_path, hurried))


@pytest.mark.parametrize("seed", INVENTED)
def test_invented(seed: int, tmp_path: Path) -> None:
    """An outage that nobody chose."""
    file = invented.write(seed, tmp_path)
    outage = load(file, tmp_path)
    wrong = verdict.wrong(outage, replay.firing(outage, simulator.scraped(outage), tmp_path), edges=True)
    assert not wrong, "\n".join([*wrong, file.read_text()])
