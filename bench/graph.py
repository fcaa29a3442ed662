"""Large graphs for benchmarks: layered services, half Go and half Rust, with calls, SLOs and chains."""

from __future__ import annotations

import sys
from pathlib import Path

PER_FILE = 50  # services in one file, as a team would keep them
WIDTH = 5  # services in a layer of a column

HEAD = """version: dashgen/v1
graph: bench
defaults:
  runbooks: https://runbooks.example.com
  grafana: https://grafana.example.com
teams:
"""
PROFILES = (
    ("go", "otelhttp", "{job: %s}"),
    ("rust", "axum-prometheus", "{job: %s}"),
    ("go", "{profile: otelgrpc, version: 0.69}", "{job: %s}"),
    ("rust", "{profile: tonic-prometheus, version: 0.3}", "{job: %s}"),
)


def service(number: int, count: int) -> str:
    """One service; it calls two of the next layer through a profile that has client metrics."""
    language, profile, selector = PROFILES[number % 4]
    name = f"svc-{number:05d}"
    lines = [
        f"  {name}:",
        f"    language: {language}",
        f"    team: team-{number // PER_FILE:04d}",
        f"    tier: {number % 3 + 1}",
        f"    instrumentation: {profile}",
        f"    selector: {selector % name}",
    ]
    callees = [n for n in (number + WIDTH, number + WIDTH + 1) if n < count and n // PER_FILE == number // PER_FILE]
    if callees:
        lines.append("    calls:")
        lines += [f"      svc-{n:05d}: {{instrumentation: servicegraph, timeout: 800ms}}" for n in callees]
    lines.append("    slos:")
    lines.append("      availability: {objective: 99.9}")
    lines.append("      latency: {objective: 99, threshold: 250ms}")
    if number % 5 < 2:
        lines.append("      slow: {objective: 99.5, threshold: 1s}")
    return "\n".join(lines) + "\n"


def chain(number: int, count: int) -> str:
    """A chain of four services, with two SLOs."""
    start = number * count // max(1, count * 3 // 10)
    start -= max(0, start % PER_FILE - (PER_FILE - 3 * WIDTH - 1))
    path = ", ".join(f"svc-{start + step * WIDTH:05d}" for step in range(4) if start + step * WIDTH < count)
    slos = "slos: {availability: {objective: 99.5}, latency: {objective: 95, threshold: 500ms}}"
    return f"  chain-{number:05d}:\n    path: [{path}]\n    {slos}\n"


def write(folder: Path, count: int) -> None:
    """Write a graph of `count` services, 3 SLOs a service and 3 chains for ten services."""
    folder.mkdir(parents=True, exist_ok=True)
    teams = -(-count // PER_FILE)
    head = HEAD + "".join(f"  team-{n:04d}: {{page: pager-{n:04d}, ticket: chat-{n:04d}}}\n" for n in range(teams))
    (folder / "graph.yaml").write_text(head + "services: {}\n")
    for team in range(teams):
        numbers = range(team * PER_FILE, min((team + 1) * PER_FILE, count))
        text = "version: dashgen/v1\nservices:\n" + "".join(service(n, count) for n in numbers)
        (folder / f"team-{team:04d}.yaml").write_text(text)
    chains = "".join(chain(n, count) for n in range(count * 3 // 10))
    (folder / "chains.yaml").write_text(f"version: dashgen/v1\nchains:\n{chains}")


if __name__ == "__main__":
    write(Path(sys.argv[2]), int(sys.argv[1]))
