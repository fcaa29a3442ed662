"""Every outage, played through promtool: what should fire fires, no more than a minute late, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.truth import observer, replay, simulator, verdict
from tests.truth.invented import invented
from tests.truth.outage import load

OUTAGES = sorted((Path(__file__).parent / "outages").glob("*.yaml"))
INVENTED = range(12)  # `python -m bench.invented` plays more
WRITTEN = 1  # minutes that a file may be away from the observer


@pytest.mark.parametrize("path", OUTAGES, ids=lambda path: path.stem)
def test_outage(path: Path, tmp_path: Path) -> None:
    outage = load(path, tmp_path)
    minutes, true, stated = range(outage.length // observer.MINUTE + 1), observer.truth(outage), outage.stated
    series, wrong = simulator.scraped(outage), []
    for key in sorted(key for key in stated.keys() | true.keys() if key[0] in verdict.BURNS):
        wanted, written = true.get(key, frozenset()), stated.get(key, frozenset())
        wrong += verdict.differences("the file says", key, wanted, written, WRITTEN, WRITTEN, WRITTEN)
    wrong += verdict.wrong(outage, replay.firing(outage.rules, series, outage.scrape, minutes, tmp_path))
    for text in outage.says:
        said = replay.descriptions(text.alert, outage.rules, series, outage.scrape, text.at, tmp_path)
        if not any(text.text in each for each in said):
            wrong.append(f"{text.alert} does not say “{text.text}” but {said}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("seed", INVENTED)
def test_invented(seed: int, tmp_path: Path) -> None:
    """An outage that nobody chose."""
    file = tmp_path / f"invented-{seed}.yaml"
    file.write_text(yaml.safe_dump(invented(seed), sort_keys=False))
    outage = load(file, tmp_path)
    minutes = range(outage.length // observer.MINUTE + 1)
    fired = replay.firing(outage.rules, simulator.scraped(outage), outage.scrape, minutes, tmp_path)
    wrong = verdict.wrong(outage, fired, edges=True)
    assert not wrong, "\n".join([*wrong, file.read_text()])
