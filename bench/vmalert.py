"""The outages of `tests/truth/` through vmalert: what it makes of the same rules as Prometheus.

vmalert-tool evaluates rules as vmalert does: with MetricsQL, and so that a rule sees what others of its group recorded
only at the next evaluation. Every link of tile, window and alert may therefore cost a minute, which is allowed here.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench.rivals import built
from tests.truth import replay, simulator, verdict
from tests.truth.outage import load
from tests.truth.replay import Player
from tests.truth.test_outages import OUTAGES

VMALERT_TOOL = "github.com/VictoriaMetrics/VictoriaMetrics@v1.110.0"
LINKS = 3  # tile, window, alert


def vmalert() -> Player:
    """vmalert's own player of tests, which is built where it is missing."""
    program = built(VMALERT_TOOL, "./app/vmalert-tool")
    return Player((program, "unittest", "--disableAlertgroupLabel", "--files"), "metricsql_expr_test")


def wrong(path: Path, player: Player, slack: int, edges: bool = False) -> list[str]:
    """Where a player and the perfect observer differ by more minutes than are allowed."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        outage = load(path, folder)
        return verdict.wrong(outage, replay.firing(outage, simulator.scraped(outage), folder, player), slack, edges)


def main() -> None:
    """Play all outages, or those that are named, and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("outages", nargs="*", help="Names of files, without .yaml.")
    names = parser.parse_args().outages
    played = [path for path in OUTAGES if not names or path.stem in names]
    player, right = vmalert(), 0
    for path in played:
        found = wrong(path, player, LINKS)
        right += not found
        print(f"{path.stem}: {'as the observer' if not found else ''}", *found, sep="\n  " if found else "", flush=True)
    print(f"{right} of {len(played)} outages as the perfect observer sees them")


if __name__ == "__main__":
    main()
