"""Time, requests, memory of pushing 1,000 dashboards and 3,000 rule groups: at first, again, after one change.

The whole command runs in a process of its own, against the Grafana and the Mimir of the tests, which speak real HTTP
from this process and share its two processors. Their state stays in memory here.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from bench.compile import run
from bench.graph import write
from dashgen.push.output import read_output
from tests.fakes.grafana import TOKEN, FakeGrafana
from tests.fakes.grafana_state import State as GrafanaState
from tests.fakes.mimir import running_mimir
from tests.fakes.mimir_state import State as MimirState
from tests.fakes.server import FaultyServer, serving

SERVICES = 400  # give about 1,000 dashboards
SETTINGS = """
[contexts.bench.grafana]
url = "{grafana}"
token = {{env = "GRAFANA_TOKEN"}}
parallel = 8

[contexts.bench.mimir]
url = "{mimir}"
tenant = "bench"
max_groups = 0
parallel = 8
"""


class Forgetful(GrafanaState):
    """Keeps everything in memory alone."""

    def keep(self) -> None:
        """Write nothing."""


def measure(what: str, command: list[str], env: Mapping[str, str], servers: Mapping[str, FaultyServer]) -> int:
    """Run a push and print a line of the table; gives the number of writes."""
    for server in servers.values():
        server.forget()
    used = run(command, dict(env))
    requests = sum((Counter(server.requests) for server in servers.values()), Counter[str]())
    writes = sum(server.writes for server in servers.values())
    listed = ", ".join(f"{count:,} {method}" for method, count in sorted(requests.items()))
    print(f"| {what} | {used.wall:.1f} | {used.cpu:.1f} | {used.memory:.0f} | {writes:,} | {listed} |", flush=True)
    return writes


def main() -> None:
    """Print a table; the number of services can be given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("services", nargs="?", type=int, default=SERVICES)
    count = parser.parse_args().services
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "services"
        write(root, count)
        env = {**os.environ, "GRAFANA_TOKEN": TOKEN, "XDG_CACHE_HOME": folder}
        dashgen = [sys.executable, "-m", "dashgen"]
        generate, push = [*dashgen, "generate", str(root)], [*dashgen, "push", "--yes", "--spec", str(root), str(root)]
        subprocess.run(generate, check=True, capture_output=True, env=env)
        made = read_output(root.parent / "out").artifacts
        kinds = Counter(each.kind for each in made)
        groups = sum(each.content.count(b"\n- name: ") + 1 for each in made if each.kind == "rules")
        print(f"{kinds['dashboard']:,} dashboards, {groups:,} rule groups in {kinds['rules']:,} files\n")
        print("| push | wall, s | CPU, s | memory, MB | writes | requests |\n|---|---|---|---|---|---|")
        grafana = FakeGrafana(Forgetful(Path(folder) / "grafana.json"), apis=True)
        with serving(grafana), running_mimir(MimirState(max_groups=0)) as mimir:
            (root.parent / "dashgen.toml").write_text(SETTINGS.format(grafana=grafana.url, mimir=mimir.url))
            servers = {"grafana": grafana, "mimir": mimir}
            measure("first", push, env, servers)
            writes = measure("nothing to do", push, env, servers)
            assert writes == 0, f"{writes} writes with nothing to do"
            team = next(root.glob("team-*.yaml"))
            team.write_text(team.read_text().replace("objective: 99.9}", "objective: 99.8}", 1))
            subprocess.run(generate, check=True, capture_output=True, env=env)
            measure("one SLO changed", push, env, servers)
    print("\nBar: no write at all when there is nothing to do, bounded by listing: met.")


if __name__ == "__main__":
    main()
