"""Time and peak memory of compiling 100 to 10,000 services: cold, with nothing to do, and after one change."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from graph import write

DASHGEN = [sys.executable, "-m", "dashgen"]


@dataclass(frozen=True)
class Run:
    """One finished process: wall and processor seconds, and the peak memory of it and its children together, in MB."""

    wall: float
    cpu: float
    memory: float


def run(command: list[str], env: dict[str, str]) -> Run:
    """Run a command to its end and measure it."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, memory(process.pid))
        time.sleep(0.02)
    wall = time.perf_counter() - started
    assert process.returncode == 0, command
    used = os.times()
    return Run(wall, used.children_user + used.children_system, peak)


def memory(pid: int) -> float:
    """The memory of a process and its children in MB, pages that they share counted once (proportional set size)."""
    total = 0.0
    for each in [pid, *children(pid)]:
        try:
            found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{each}/smaps_rollup").read_text(), re.MULTILINE)
        except OSError:
            continue
        total += int(found[1]) / 1024 if found else 0
    return total


def children(pid: int) -> list[int]:
    """The ids of a process's children."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def median(command: list[str], env: dict[str, str], runs: int, before: object = None) -> Run:
    """The run with the median wall time; `before` is called ahead of each."""
    made = []
    for _ in range(runs):
        if callable(before):
            before()
        made.append(run(command, env))
    return sorted(made, key=lambda each: each.wall)[len(made) // 2]


def measure(count: int, runs: int, folder: Path) -> tuple[float, str]:
    """Measure one size; gives the cold wall time and a line of a table."""
    spec, out = folder / "services", folder / "out"
    env = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    write(spec, count)
    command = [*DASHGEN, "generate", str(spec), "-o", str(out)]

    def forget() -> None:
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(folder / "cache", ignore_errors=True)
        os.sync()

    def change() -> None:
        team = spec / "team-0000.yaml"
        text = team.read_text()
        old = re.search(r"objective: (99\.\d+)\}", text)
        assert old
        new = "99.8" if old[1] == "99.9" else "99.9"
        team.write_text(text.replace(old[0], f"objective: {new}}}", 1))

    cold = median(command, env, runs, forget)
    same = median(command, env, runs)
    one = median(command, env, runs, change)
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file()) / 1e6
    files = sum(1 for file in out.rglob("*") if file.is_file())
    cells = f"{cold.wall:.2f} | {cold.memory:.0f} | {same.wall:.2f} | {one.wall:.2f} | {files:,} | {size:.0f}"
    return cold.wall, f"| {count:,} | {count * 3:,} | {count * 3 // 10:,} | {cells} |"


def main() -> None:
    """Print a table; the sizes can be given as arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[100, 1_000, 10_000])
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    print(
        f"{len(os.sched_getaffinity(0))} processors, Python {sys.version.split()[0]}, median of {arguments.runs} runs\n"
    )
    help_time = statistics.median(run([*DASHGEN, "--help"], dict(os.environ)).wall for _ in range(5))
    print(f"`dashgen --help`: {help_time:.2f} s (bar: 0.15 s)\n")
    print("| services | SLOs | chains | cold, s | peak, MB | nothing to do, s | one changed, s | files | MB |")
    print("|---|---|---|---|---|---|---|---|---|")
    walls = {}
    for count in arguments.sizes:
        with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
            walls[count], line = measure(count, arguments.runs if count < 5_000 else 1, Path(folder))
        print(line, flush=True)
    if {1_000, 10_000} <= walls.keys():
        print(f"\nten times the services take {walls[10_000] / walls[1_000]:.1f} times the time (bar: 12)")


if __name__ == "__main__":
    main()
