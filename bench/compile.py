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

from bench.graph import write

HELP_BAR, COLD_BAR, MEMORY_BAR, CHANGE_BAR, GROWTH_BAR = 0.15, 10.0, 500, 1.0, 12.0  # s, s, MB, s, times
DASHGEN = [sys.executable, "-m", "dashgen"]


@dataclass(frozen=True)
class Run:
    """One finished process: wall and processor seconds, and the peak memory of it and its children together, in MB."""

    wall: float
    cpu: float
    memory: float


def run(command: list[str], env: dict[str, str]) -> Run:
    """Run a command to its end and measure it."""
    started, before = time.perf_counter(), os.times()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, memory(process.pid))
        time.sleep(0.02)
    wall = time.perf_counter() - started
    assert process.returncode == 0, command
    used = os.times()
    cpu = used.children_user + used.children_system - before.children_user - before.children_system
    return Run(wall, cpu, peak)


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


def met(value: float, bar: float) -> str:
    """A bar, and whether a value keeps it."""
    return f"(bar: {bar:g}): {'met' if value <= bar else 'MISSED'}"


def measure(count: int, runs: int, folder: Path) -> tuple[Run, float, str]:
    """Measure one size; gives the cold run, the wall time after one change, and a line of a table."""
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
    times = f"{cold.wall:.2f} | {cold.cpu:.2f} | {cold.memory:.0f} | {same.wall:.2f} | {one.wall:.2f}"
    sizes = f"{count:,} | {count * 3:,} | {count * 3 // 10:,}"
    return cold, one.wall, f"| {sizes} | {times} | {files:,} | {size:.0f} |"


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
    print(f"`dashgen --help`: {help_time:.2f} s {met(help_time, HELP_BAR)}\n")
    print("| services | SLOs | chains | cold, s | CPU, s | peak, MB | nothing to do, s | one changed, s | files | MB |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    found = {}
    for count in arguments.sizes:
        with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
            *found[count], line = measure(count, arguments.runs if count < 5_000 else 1, Path(folder))
        print(line, flush=True)
    print()
    if 1_000 in found:
        cold, changed = found[1_000]
        print(f"1,000 services, cold: {cold.wall:.1f} s {met(cold.wall, COLD_BAR)}")
        print(f"1,000 services, peak memory: {cold.memory:.0f} MB {met(cold.memory, MEMORY_BAR)}")
        print(f"1,000 services, one changed: {changed:.2f} s {met(changed, CHANGE_BAR)}")
    if {1_000, 10_000} <= found.keys():
        growth = found[10_000][0].wall / found[1_000][0].wall
        print(f"ten times the services: {growth:.1f} times the time {met(growth, GROWTH_BAR)}")


if __name__ == "__main__":
    main()
