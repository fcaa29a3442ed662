"""Time, writes and peak memory of a first push, one with nothing to do, and one of one change, without a network.

The remote is the tests' one in memory, so this is dashgen's own work: reading `out/`, canonical forms, comparing,
backups and the log. What requests cost comes on top; how many writes there are is counted.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench.graph import write
from dashgen import delivery as stages
from dashgen.delivery import Delivery
from dashgen.model.remote import Found, Key, ObjectKind, Wanted
from dashgen.push.output import read_output
from dashgen.push.store import Store
from tests.remote import MemoryRemote

SERVICES = 400  # give about 1,000 dashboards
KINDS: dict[str, ObjectKind] = {"dashboard": "dashboard", "rules": "rules"}


class Everything(MemoryRemote):
    """Takes every dashboard and rule file."""

    def found(self, graph: str, keys: object) -> list[Found]:  # noqa: ARG002
        """Everything, without the copies that tests make."""
        self.calls.append("found")
        return list(self.objects.values())

    def wanted(self, artifacts: object) -> list[Wanted]:
        """What belongs here."""
        kept = (each for each in artifacts if each.kind in KINDS)  # type: ignore[attr-defined]
        return [Wanted(Key(KINDS[each.kind], each.path), each.path, each.data, each.owner) for each in kept]


def measure(what: str, delivery: Delivery, out: Path, remote: Everything, writes: int | None) -> None:
    """Plan and push, and print a line of a table; the number of writes must be as expected."""
    remote.calls.clear()
    started = time.perf_counter()
    plan = stages.make_plan(delivery, out)
    planned = time.perf_counter()
    if plan.todo:
        stages.push(delivery, plan)
    ended = time.perf_counter()
    count = sum(call != "found" for call in remote.calls)
    assert count == (len(plan.steps) if writes is None else writes), count
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {what} | {planned - started:.2f} | {ended - planned:.2f} | {count:,} | {peak:.0f} |", flush=True)


def main() -> None:
    """Print a table; the number of services can be given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("services", nargs="?", type=int, default=SERVICES)
    count = parser.parse_args().services
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write(root / "services", count)
        command = [sys.executable, "-m", "dashgen", "generate", str(root / "services"), "-o", str(root / "out")]
        subprocess.run(command, check=True, capture_output=True)
        made = read_output(root / "out").artifacts
        kinds = Counter(each.kind for each in made)
        groups = sum(each.content.count(b"\n- name: ") + 1 for each in made if each.kind == "rules")
        print(f"{kinds['dashboard']:,} dashboards, {groups:,} rule groups in {kinds['rules']:,} files\n")
        print("| | plan, s | push, s | writes | peak so far, MB |\n|---|---|---|---|---|")
        remote = Everything("memory")
        delivery = Delivery("dev", {"memory": remote}, {"memory": 8}, Store(root / ".dashgen"), "")
        measure("first push", delivery, root / "out", remote, None)
        measure("nothing to do", delivery, root / "out", remote, 0)
        team = next((root / "services").glob("team-*.yaml"))
        text = team.read_text()
        team.write_text(text.replace("objective: 99.9}", "objective: 99.8}", 1))
        subprocess.run(command, check=True, capture_output=True)
        changed = len(stages.make_plan(delivery, root / "out").todo)
        measure("one SLO changed", delivery, root / "out", remote, changed)


if __name__ == "__main__":
    main()
