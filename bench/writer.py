"""Time of writing a graph's rules and tests as YAML: dashgen's own writer against PyYAML's C emitter."""

from __future__ import annotations

import datetime
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from bench.graph import write
from dashgen import pipeline
from dashgen.canonical import yaml_text
from dashgen.compile import Compilation
from dashgen.render import artifacts

SERVICES = 50


def documents(folder: Path) -> list[Any]:
    """The data of every YAML file that a graph is compiled into."""
    write(folder, SERVICES)
    project, found = pipeline.open_project(folder)
    assert project, found
    compilation = Compilation(project.graph, project.library)
    made = (compilation.intents(unit)[0] for unit in compilation.units())
    files = (each for intents in made if intents for each in artifacts(intents, project.graph.settings))
    return [each.data for each in files if each.path.endswith(".yaml")]


def seconds(writer: Callable[[Any], str], data: list[Any]) -> tuple[float, float]:
    """The best of three runs, and the megabytes written."""
    best, size = float("inf"), 0.0
    for _ in range(3):
        started = time.perf_counter()
        size = sum(len(writer(each)) for each in data) / 1e6
        best = min(best, time.perf_counter() - started)
    return best, size


def pyyaml(data: Any) -> str:
    """The same by the library."""
    return str(yaml.dump(data, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=10_000))


def main() -> None:
    """Measure both."""
    with tempfile.TemporaryDirectory() as folder:
        data = documents(Path(folder))
    print(f"{SERVICES} services, {len(data)} files ({datetime.date.today()})")
    for name, writer in (("dashgen", yaml_text), ("PyYAML, C emitter", pyyaml)):
        best, size = seconds(writer, data)
        print(f"  {name:<18} {best:6.2f} s  {size:6.1f} MB  {size / best:6.1f} MB/s")


if __name__ == "__main__":
    main()
