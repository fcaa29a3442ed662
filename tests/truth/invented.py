"""Outages that nobody thought of: a course of traffic, failures and deploys for every seed, after a good beginning."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import yaml

LENGTHS = (3 * 60, 5 * 60, 7 * 60, 10 * 60)  # minutes
PROFILES = (
    {"language": "go", "instrumentation": "otelhttp"},
    {"language": "go", "instrumentation": "promhttp"},
    {"language": "go", "instrumentation": {"profile": "otelgrpc", "version": "0.60"}},
    {"language": "rust", "instrumentation": "axum-prometheus"},
)
UNTIMED = "promhttp"
OBJECTIVES = ((95, ["page-fast"]), (99, []), (99.5, []), (99.9, []), (99.99, []))  # and the tiers that cannot fire
RATES = (6, 20, 60, 180, 600, 3600, 18000, 72000, 720000)  # requests per hour
BAD = ("0.01%", "0.05%", "0.2%", "0.5%", "1%", "1.5%", "2%", "3%", "5%", "7%", "10%", "20%", "50%", "70%", "100%")
SLOW = ("1%", "3%", "5%", "10%", "20%", "50%", "100%")
INSTANCES = (["a"], ["a", "b"], ["c", "d"], ["e", "f", "g"], ["a", "c"])
Made = tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]  # services, chains, streams of traffic
APART = 5  # minutes from the beginning and the end to the nearest change


def write(seed: int, folder: Path) -> Path:
    """The file of an outage."""
    file = folder / f"invented-{seed}.yaml"
    file.write_text(yaml.safe_dump(invented(seed), sort_keys=False))
    return file


def invented(seed: int) -> dict[str, Any]:
    """An outage as its file would hold it, without what should fire: of a service, of a cut-over, or of a chain.

    Counters exist before their first event: what a process counted before it was first seen is anybody's guess.
    """
    chance = random.Random(seed)
    length = chance.choice(LENGTHS)
    services, chains, traffic = chance.choices((_service, _cut_over, _chain), (3, 1, 1))[0](chance, length)
    return {
        "length": f"{length}m",
        "defaults": {"scrape_interval": chance.choice(("15s", "30s"))},
        "services": services,
        "chains": chains,
        "traffic": [{"zeros": True, **stream, "phases": _hourly(stream["phases"])} for stream in traffic],
    }


def _service(chance: random.Random, length: int) -> Made:
    """One service of any profile."""
    profile = chance.choice(PROFILES)
    service = {**profile, "selector": {"job": "web"}, "slos": _slos(chance, profile["instrumentation"] != UNTIMED)}
    return {"web": service}, {}, [{"service": "web", "phases": _phases(chance, length, "latency" in service["slos"])}]


def _cut_over(chance: random.Random, length: int) -> Made:
    """A service that moves from Go to Rust, phase by phase, while it may fail."""
    implementations = {
        "legacy": {**PROFILES[1], "selector": {"job": "web"}},
        "rewrite": {**PROFILES[3], "selector": {"job": "web-rs"}},
    }
    rate, moved, old, new = 0, 0.0, [], []
    for phase in _phases(chance, length, timed=False):
        rate, moved = phase.pop("rate", rate), max(moved, chance.choice((0, 0, 0.1, 0.5, 1)))
        old.append({**phase, "rate": rate * (1 - moved)})
        new.append({**phase, "rate": rate * moved, "instances": ["x", "z"] if moved else []})
    moves = (("legacy", old), ("rewrite", new))
    traffic = [{"service": "web", "implementation": name, "phases": phases} for name, phases in moves]
    return {"web": {"implementations": implementations, "slos": _slos(chance, timed=False)}}, {}, traffic


def _chain(chance: random.Random, length: int) -> Made:
    """A chain from Go to Rust, of which every part fails in its own way."""
    gateway = {**PROFILES[0], "selector": {"job": "gateway"}, "slos": _slos(chance, timed=False)}
    gateway |= {"operations": {"checkout": {"http_route": "/checkout"}}, "calls": {"orders": {}}}
    orders = {**PROFILES[3], "selector": {"job": "orders"}, "slos": _slos(chance, timed=False)}
    chain = {"path": ["gateway/checkout", "orders"], "slos": _slos(chance, timed=False)}
    parts = (
        {"service": "gateway", "operation": "checkout"},
        {"service": "gateway", "call": "orders"},
        {"service": "orders"},
    )
    traffic = [{**part, "phases": _phases(chance, length, timed=False)} for part in parts]
    return {"gateway": gateway, "orders": orders}, {"checkout": chain}, traffic


def _hourly(phases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [phase | {"rate": f"{phase['rate']:g}/h"} if "rate" in phase else phase for phase in phases]


def _slos(chance: random.Random, timed: bool) -> dict[str, Any]:
    objective, impossible = chance.choice(OBJECTIVES)
    slos: dict[str, Any] = {"availability": {"objective": objective, "burn_rates": {"off": impossible}}}
    if timed and chance.random() < 0.3:
        slos["latency"] = {"objective": chance.choice((99, 99.5)), "threshold": chance.choice(("100ms", "250ms"))}
    return slos


def _phases(chance: random.Random, length: int, timed: bool) -> list[dict[str, Any]]:
    changes = sorted(chance.sample(range(APART, length - APART), chance.randint(1, 7)))
    first = {"until": f"{changes[0]}m", "rate": chance.choice(RATES), "instances": chance.choice(INSTANCES)}
    return [first, *(_phase(chance, end, timed) for end in (*changes[1:], length))]


def _phase(chance: random.Random, end: int, timed: bool) -> dict[str, Any]:
    phase: dict[str, Any] = {"until": f"{end}m"}
    if chance.random() < 0.3:
        phase["rate"] = chance.choice((0, *RATES))
    if chance.random() < 0.6:
        phase["bad"] = chance.choice(BAD)
    elif timed and chance.random() < 0.5:
        phase |= {"slow": chance.choice(SLOW), "slow_takes": chance.choice(("600ms", "2s"))}
    match chance.choices(("restart", "instances", ""), (1, 2, 7))[0]:
        case "restart":
            phase["restart"] = True
        case "instances":
            phase["instances"] = chance.choice(INSTANCES)
    return phase
