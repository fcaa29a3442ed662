"""Plays an outage through promtool and reads back what was firing, minute by minute."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import tool
from tests.truth.observer import MINUTE, Times
from tests.truth.outage import Key, Outage
from tests.truth.simulator import Sample, notation

PROMTOOL = os.environ.get("DASHGEN_PROMTOOL")  # another promtool than the one of the system
FIRING = 'ALERTS{alertstate="firing"}'
CANARY = "vector(42)"  # a question whose answer is known, so that an unread answer is noticed
_FAILED = re.compile(r'expr: "(?P<expr>.*)", time: (?P<time>[^,]+),\s+exp:\s*(?:\S.*)?\n\s+got:\s*(?P<got>.*)')
_LABELS = re.compile(r"\{([^{}]*)\} \S+")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_TIME = re.compile(r"(\d+)([dhms])")


@dataclass(frozen=True)
class Player:
    """A program that plays a file of tests, the name that it has for questions, and how often it evaluates rules."""

    command: tuple[str, ...]
    questions: str
    every: str = "1m"


def promtool() -> Player:
    """The system's promtool, or the other one."""
    return Player((PROMTOOL or tool("promtool"), "test", "rules"), "promql_expr_test")


def firing(
    outage: Outage, series: dict[str, list[Sample]], folder: Path, player: Player | None = None
) -> dict[Key, Times]:
    """Which alerts fire at which minutes of an outage, as promtool, or another player, evaluates its rules."""
    found: dict[Key, set[int]] = {}
    minutes = range(outage.length // MINUTE + 1)
    for minute, labels in ask(FIRING, outage.rules, series, outage.scrape, minutes, folder, player):
        found.setdefault(identity(labels), set()).add(minute)
    return {key: frozenset(times) for key, times in found.items()}


def identity(labels: dict[str, str]) -> Key:
    """What tells an alert from others: its name, whom it is about, its tier, its severity."""
    slo, chain = labels.get("slo", ""), labels.get("chain", "")
    call = f"{labels.get('client', '')}>{labels.get('server', '')}".strip(">")
    subject = f"chain:{chain}" if chain else labels.get("service") or call
    return labels["alertname"], f"{subject}/{slo}" if slo else subject, labels.get("burn", ""), labels["severity"]


def ask(
    expr: str,
    rules: Sequence[Path],
    series: dict[str, list[Sample]],
    scrape: int,
    minutes: Iterable[int],
    folder: Path,
    player: Player | None = None,
) -> list[tuple[int, dict[str, str]]]:
    """Ask a player for an expression at many minutes: it names every answer that was not expected, and none was."""
    player = player or promtool()
    questions = [{"expr": expr, "eval_time": f"{minute}m"} for minute in minutes]
    questions.append({"expr": CANARY, "eval_time": "0s"})
    output = _run(player, rules, series, scrape, {player.questions: questions}, folder)
    answers = list(_answers(output))
    assert any(expr == CANARY for expr, _, _ in answers), output[:4000]
    return [(minute, labels) for asked, minute, found in answers if asked != CANARY for labels in found]


def _run(
    player: Player,
    rules: Sequence[Path],
    series: dict[str, list[Sample]],
    scrape: int,
    questions: dict[str, Any],
    folder: Path,
) -> str:
    """What a player has to say on a test that expects nothing to happen."""
    inputs = [{"series": name, "values": notation(samples)} for name, samples in series.items()]
    test = {"interval": f"{scrape}s", "input_series": inputs, **questions}
    content = {"rule_files": [str(path) for path in rules], "evaluation_interval": player.every, "tests": [test]}
    file = folder / "replay.test.yaml"
    file.write_text(yaml.dump(content, Dumper=yaml.CSafeDumper, width=1_000_000))
    done = subprocess.run([*player.command, str(file)], capture_output=True, text=True, timeout=300)
    return done.stdout + done.stderr


def _answers(output: str) -> Iterable[tuple[str, int, list[dict[str, str]]]]:
    for match in _FAILED.finditer(output):
        found = [dict(_LABEL.findall(labels)) for labels in _LABELS.findall(match["got"])]
        yield match["expr"].replace('\\"', '"'), _minutes(match["time"]), found


def _minutes(text: str) -> int:
    """A duration as promtool writes it, such as `1h2m0s`, in minutes."""
    sizes = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    return sum(int(count) * sizes[unit] for count, unit in _TIME.findall(text)) // MINUTE


def descriptions(alert: str, minute: int, outage: Outage, series: dict[str, list[Sample]], folder: Path) -> list[str]:
    """The texts of an alert that fires at a minute, as promtool renders them."""
    question = {"eval_time": f"{minute}m", "alertname": alert, "exp_alerts": []}
    output = _run(promtool(), outage.rules, series, outage.scrape, {"alert_rule_test": [question]}, folder)
    return re.findall(r'description="((?:[^"\\]|\\.)*)"', output)
