"""Invented outages through promtool and vmalert: those in which either differs from the perfect observer."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench.vmalert import LINKS, vmalert, wrong
from tests.truth import invented
from tests.truth.replay import promtool


def main() -> None:
    """Play outages from a range of seeds, and print every one that differs with its file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("count", nargs="?", type=int, default=50)
    parser.add_argument("--first", type=int, default=100, help="The first seed.")
    arguments = parser.parse_args()
    seeds = range(arguments.first, arguments.first + arguments.count)
    for name, player, slack in (("promtool", promtool(), 0), ("vmalert", vmalert(), LINKS)):
        right = 0
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                file = invented.write(seed, Path(folder))
                found = wrong(file, player, slack, edges=True)
                if found:
                    print(f"{name}, seed {seed}:", *found, file.read_text(), sep="\n  ", flush=True)
            right += not found
        print(f"{name}: {right} of {len(seeds)} as the perfect observer sees them", flush=True)


if __name__ == "__main__":
    main()
