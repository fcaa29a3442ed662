"""Outages that nobody thought of: one service, and a course of traffic, failures and deploys made from a seed."""

from __future__ import annotations

import random
from typing import Any

LENGTHS = (3 * 60, 5 * 60, 7 * 60, 10 * 60)  # minutes
PROFILES = (
    {"language": "go", "instrumentation": "otelhttp"},
    {"language": "go", "instrumentation": "promhttp"},
    {"language": "go", "instrumentation": {"profile": "otelgrpc", "version": "0.60"}},
    {"language": "rust", "instrumentation": "axum-prometheus"},
)
UNTIMED = "promhttp"
OBJECTIVES = ((95, ["page-fast"]), (99, []), (99.5, []), (99.9, []), (99.99, []))  # and the tiers that cannot fire
RATES = ("6/h", "20/h", "1/m", "3/m", "10/m", 1, 5, 20, 200)
BAD = ("0.01%", "0.05%", "0.2%", "0.5%", "1%", "1.5%", "2%", "3%", "5%", "7%", "10%", "20%", "50%", "70%", "100%")
SLOW = ("1%", "3%", "5%", "10%", "20%", "50%", "100%")
INSTANCES = (["a"], ["a", "b"], ["c", "d"], ["e", "f", "g"], ["a", "c"])
APART = 5  # minutes from the beginning and the end to the nearest change


def invented(seed: int) -> dict[str, Any]:
    """An outage as its file would hold it, without what should fire.

    Counters exist before their first event: what a process counted before it was first seen is anybody's guess.
    """
    chance = random.Random(seed)
    profile, (objective, impossible) = chance.choice(PROFILES), chance.choice(OBJECTIVES)
    slos: dict[str, Any] = {"availability": {"objective": objective, "burn_rates": {"off": impossible}}}
    if profile["instrumentation"] != UNTIMED and chance.random() < 0.3:
        slos["latency"] = {"objective": chance.choice((99, 99.5)), "threshold": chance.choice(("100ms", "250ms"))}
    length = chance.choice(LENGTHS)
    changes = sorted(chance.sample(range(APART, length - APART), chance.randint(1, 7)))
    phases: list[dict[str, Any]] = [_phase(chance, end, "latency" in slos) for end in (*changes, length)]
    phases[0] |= {"rate": chance.choice(RATES), "instances": chance.choice(INSTANCES)}
    phases[0].pop("restart", None)
    return {
        "length": f"{length}m",
        "defaults": {"scrape_interval": chance.choice(("15s", "30s"))},
        "services": {"web": {**profile, "selector": {"job": "web"}, "slos": slos}},
        "traffic": [{"service": "web", "zeros": True, "phases": phases}],
    }


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
