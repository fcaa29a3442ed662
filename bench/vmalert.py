"""The outages of `tests/truth/` through vmalert: what it makes of the same rules as Prometheus.

vmalert-tool evaluates rules as vmalert does: with MetricsQL, and so that a rule sees what others of its group recorded
only at the next evaluation. Every link of tile, window and alert may therefore cost a minute, which is allowed here.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
from pathlib import Path

import yaml

from bench.rivals import built
from tests.truth import observer, replay, simulator
from tests.truth.observer import Times
from tests.truth.outage import Key, Outage, load
from tests.truth.test_outages import BURNS, EARLY, OUTAGES, differences

VMALERT_TOOL = "github.com/VictoriaMetrics/VictoriaMetrics@v1.110.0"
LINKS = 3  # tile, window, alert
LATE, LINGERS = {"page": 1 + LINKS, "ticket": 5 + LINKS}, {"page": 2 + LINKS, "ticket": 5 + LINKS}
LONG, STEP = 3000, 5  # an outage of so many minutes is asked every few of them
_ANSWER = re.compile(r'expr: "ALERTS.*?, time: ([^,]+),\s+exp:.*\n\s+got: (.*)')
_SERIES = re.compile(r'\{((?:\w+="(?:[^"\\]|\\.)*"(?:, )?)+)\}')
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def firing(outage: Outage, folder: Path) -> dict[Key, Times]:
    """Which alerts fire at which minutes; the tool answers an expectation that nothing fires with what does."""
    step = STEP if outage.length > LONG * observer.MINUTE else 1
    minutes = range(0, outage.length // observer.MINUTE + 1, step)
    inputs = [{"series": name, "values": simulator.notation(s)} for name, s in simulator.scraped(outage).items()]
    asked = [{"expr": 'ALERTS{alertstate="firing"}', "eval_time": f"{minute}m"} for minute in minutes]
    test = {"interval": f"{outage.scrape}s", "input_series": inputs, "metricsql_expr_test": asked}
    content = {"rule_files": [str(path) for path in outage.rules], "evaluation_interval": "1m", "tests": [test]}
    file = folder / "vmalert.test.yaml"
    file.write_text(yaml.dump(content, Dumper=yaml.CSafeDumper, width=1_000_000))
    command = [built(VMALERT_TOOL, "./app/vmalert-tool"), "unittest", "--files", str(file), "--disableAlertgroupLabel"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=folder, check=False)
    output = done.stdout + done.stderr
    if "Unit Testing" not in output or "err:" in output:
        raise RuntimeError(output[-2000:])
    found: dict[Key, set[int]] = {}
    for time, answer in _ANSWER.findall(output):
        minute = replay.minutes(time)
        for labels in _SERIES.findall(answer):
            found.setdefault(replay.identity(dict(_LABEL.findall(labels))), set()).update(range(minute, minute + step))
    return {key: frozenset(times) for key, times in found.items()}


def wrong(outage: Outage, folder: Path) -> list[str]:
    """Where vmalert and the perfect observer differ by more than the lag of its rules explains."""
    fired, true = firing(outage, folder), observer.truth(outage)
    stated = {key: frozenset(m for a, b in spans for m in range(a, b + 1)) for key, spans in outage.firing.items()}
    made: list[str] = []
    for key in sorted(fired.keys() | stated.keys() | true.keys()):
        wanted = (true if key[0] in BURNS else stated).get(key, frozenset())
        limits = LATE[key[3]], LINGERS[key[3]], EARLY[key[3]]
        made += differences("vmalert", key, wanted, fired.get(key, frozenset()), *limits)
    return made


def main() -> None:
    """Play all outages, or those that are named, and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("outages", nargs="*", help="Names of files, without .yaml.")
    names = parser.parse_args().outages
    played = [path for path in OUTAGES if not names or path.stem in names]
    right = 0
    for path in played:
        with tempfile.TemporaryDirectory() as folder:
            found = wrong(load(path, Path(folder)), Path(folder))
        right += not found
        print(f"{path.stem}: {'as the observer' if not found else ''}", *found, sep="\n  " if found else "", flush=True)
    print(f"{right} of {len(played)} outages as the perfect observer sees them")


if __name__ == "__main__":
    main()
