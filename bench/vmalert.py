"""The outages of `tests/truth/` through vmalert: what it makes of the same rules as Prometheus.

vmalert-tool evaluates rules as vmalert does: with MetricsQL, and so that a rule sees what others of its group recorded
only at the next evaluation. Every link of tile, window and alert may therefore cost a minute, which is allowed here.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench.rivals import built
from tests.truth import observer, replay, simulator
from tests.truth.outage import Outage, load
from tests.truth.test_outages import BURNS, EARLY, OUTAGES, differences

VMALERT_TOOL = "github.com/VictoriaMetrics/VictoriaMetrics@v1.110.0"
LINKS = 3  # tile, window, alert
LATE, LINGERS = {"page": 1 + LINKS, "ticket": 5 + LINKS}, {"page": 2 + LINKS, "ticket": 5 + LINKS}


def wrong(outage: Outage, folder: Path) -> list[str]:
    """Where vmalert and the perfect observer differ by more than the lag of its rules explains."""
    program = built(VMALERT_TOOL, "./app/vmalert-tool")
    player = replay.Player((program, "unittest", "--disableAlertgroupLabel", "--files"), "metricsql_expr_test")
    minutes = range(outage.length // observer.MINUTE + 1)
    fired = replay.firing(outage.rules, simulator.scraped(outage), outage.scrape, minutes, folder, player)
    stated, true = outage.stated, observer.truth(outage)
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
