"""dashgen against Sloth on the same thousand SLOs: wall and processor time, memory, and what each made of them.

Sloth writes recording and alert rules. dashgen parses every expression and writes dashboards, promtool tests, runbooks
and routes too, and the rules of the services themselves; `what Sloth makes` is dashgen in one process with nothing but
the rules and alerts of objectives.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from bench.compile import DASHGEN, Run, run
from bench.rivals import sloth
from dashgen import pipeline
from dashgen.compile import Compilation
from dashgen.compile.vocabulary.traffic import Traffic
from dashgen.model.library import TextFile
from dashgen.render import artifacts

SLOS = (("availability", "99.9", ""), ("availability-strict", "99.95", ""), ("latency", "99", ", threshold: 250ms"))
METRIC = "http_server_request_duration_seconds"
ONLY = "--only-rules"
LIKE_SLOTH = ("templates/rules/slo", "alerts/error-budget-burn", "alerts/slo-data")
PAGE = {"any-alert": TextFile("none", "A page")}  # that costs next to nothing, since every alert has one


def write(folder: Path, services: int) -> tuple[Path, Path]:
    """The same SLOs as a specification of dashgen's and as one of Sloth's."""
    own, theirs = ["version: dashgen/v1\ngraph: bench\nteams: {t: {page: pager, ticket: chat}}\nservices:\n"], []
    for number in range(services):
        name = f"svc-{number:04d}"
        promises = "".join(f"      {slo}: {{objective: {objective}{more}}}\n" for slo, objective, more in SLOS)
        head = (
            f"  {name}:\n    language: go\n    team: t\n    instrumentation: otelhttp\n    selector: {{job: {name}}}\n"
        )
        own.append(f"{head}    slos:\n{promises}")
        slos = [_sloth(name, *each) for each in SLOS]
        theirs.append(yaml.safe_dump({"version": "prometheus/v1", "service": name, "slos": slos}))
    spec, peer = folder / "services.yaml", folder / "sloth.yaml"
    spec.write_text("".join(own))
    peer.write_text("---\n".join(theirs))
    return spec, peer


def _sloth(service: str, name: str, objective: str, more: str) -> dict[str, Any]:
    total = f'sum(rate({METRIC}_count{{job="{service}"}}[{{{{.window}}}}]))'
    fast = f'sum(rate({METRIC}_bucket{{job="{service}",le="0.25"}}[{{{{.window}}}}]))'
    bad = f'sum(rate({METRIC}_count{{job="{service}",http_response_status_code=~"5.."}}[{{{{.window}}}}]))'
    alerting = {"name": "Burn", "page_alert": {"labels": {"a": "b"}}, "ticket_alert": {"labels": {"a": "b"}}}
    events = {"error_query": f"{total} - {fast}" if more else bad, "total_query": total}
    return {"name": name, "objective": float(objective), "sli": {"events": events}, "alerting": alerting}


def only_rules(spec: Path, out: Path) -> None:
    """Load, resolve, instantiate, parse and write the rules of objectives, in this process."""
    gc.set_threshold(1_000_000)  # as the command does
    Traffic.possible = lambda *_: False  # type: ignore[method-assign]  # nor are their tests made
    project, found = pipeline.open_project(spec)
    assert project, found
    kept = {name: each for name, each in project.library.templates.items() if name.startswith(LIKE_SLOTH)}
    compilation = Compilation(project.graph, replace(project.library, templates=kept, runbooks=PAGE))
    out.mkdir()
    for unit in compilation.units():
        intents, problems = compilation.intents(unit)
        assert intents, problems
        for artifact in artifacts(replace(intents, runbooks=()), project.graph.settings):
            (out / artifact.path.replace("/", "-")).write_bytes(artifact.content)


def best(command: list[str], runs: int, before: Callable[[], None], env: dict[str, str]) -> Run:
    """The smallest wall time, processor time and memory of some runs, each by itself."""
    made = []
    for _ in range(runs):
        before()
        made.append(run(command, env))
    return Run(*(min(getattr(each, part) for each in made) for part in ("wall", "cpu", "memory")))


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--services", type=int, default=334, help="Three SLOs each.")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(ONLY, nargs=2, type=Path, metavar=("SPEC", "OUT"), help="Used for one of the rows.")
    arguments = parser.parse_args()
    if arguments.only_rules:
        only_rules(*arguments.only_rules)
        return
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        spec, peer = write(folder, arguments.services)
        env = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
        program, count = sloth(), arguments.services * len(SLOS)

        def forget() -> None:
            for name in ("out", "cache", "rules"):
                shutil.rmtree(folder / name, ignore_errors=True)

        rows = {
            "Sloth": [program, "generate", "--input", str(peer), "--out", str(folder / "sloth.out")],
            "dashgen": [*DASHGEN, "generate", str(spec), "-o", str(folder / "out")],
            "dashgen, what Sloth makes": [sys.executable, "-m", "bench.slos", ONLY, str(spec), str(folder / "rules")],
        }
        print(f"{count:,} SLOs, the smallest of {arguments.runs} runs\n")
        print("| | wall, s | processors, s | peak, MB | per SLO, ms of processor | to Sloth | rules | files | MB |")
        print("|---|---|---|---|---|---|---|---|---|")
        base = 0.0
        for name, command in rows.items():
            found = best(command, arguments.runs, forget, env)
            base = base or found.cpu
            output = {"Sloth": folder / "sloth.out", "dashgen": folder / "out"}.get(name, folder / "rules")
            cells = f"{found.wall:.2f} | {found.cpu:.2f} | {found.memory:.0f} | {found.cpu / count * 1e3:.2f}"
            print(f"| {name} | {cells} | {found.cpu / base:.1f} | {_made(output)} |", flush=True)


def _made(output: Path) -> str:
    files = [output] if output.is_file() else [file for file in output.rglob("*") if file.is_file()]
    expressions = sum(
        sum(1 for line in file.read_text().splitlines() if line.lstrip(" -").startswith(("record:", "alert:")))
        for file in files
        if file.suffix in (".yaml", ".out")
    )
    return f"{expressions:,} | {len(files):,} | {sum(file.stat().st_size for file in files) / 1e6:.0f}"


if __name__ == "__main__":
    main()
