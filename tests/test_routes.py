"""The generated Alertmanager configuration against amtool and amlint: it loads, and every alert reaches its team."""

from __future__ import annotations

import datetime
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashgen import pipeline
from tests.conftest import ROOT, opened, tool

TEAMS = {"edge": ("pagerduty-edge", "slack-edge"), "commerce": ("pagerduty-commerce", "slack-commerce")}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    pipeline.generate(opened(ROOT / "services.yaml"), folder, datetime.date(2026, 11, 21))
    return folder


def alerts(out: Path) -> list[dict[str, str]]:
    """The labels of every alert that can fire."""
    found = []
    for file in sorted((out / "prometheus" / "rules").glob("*.yaml")):
        rules = [rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]
        found += [{"alertname": rule["alert"], **rule["labels"]} for rule in rules if "alert" in rule]
    return found


def test_amtool_accepts_it(out: Path) -> None:
    config = str(out / "alertmanager" / "alertmanager.yaml")
    done = subprocess.run([tool("amtool"), "check-config", config], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_amlint_finds_nothing(out: Path) -> None:
    """No unreachable route, no inhibition that mutes too much, no route for an alert that does not exist."""
    rules = f"--rules={out / 'prometheus' / 'rules' / '*.yaml'}"
    config = str(out / "alertmanager" / "alertmanager.yaml")
    # Receivers are named here and filled by whoever runs Alertmanager, as is its global section.
    ignored = "--ignore=empty-receiver,global-resolve-timeout-missing"
    amlint = str(Path(sys.executable).parent / "amlint")
    done = subprocess.run([amlint, "check", "--strict", ignored, rules, config], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_reaches_its_team(out: Path) -> None:
    """Asked of amtool for every alert: pages go to the team's pager, tickets to its chat, nothing to anyone else."""
    config = f"--config.file={out / 'alertmanager' / 'alertmanager.yaml'}"
    listed = alerts(out)
    assert {labels["severity"] for labels in listed} == {"page", "ticket"}
    assert {labels["team"] for labels in listed} == set(TEAMS)
    for labels in {
        tuple(sorted((k, v) for k, v in a.items() if k in ("team", "severity", "env"))): a for a in listed
    }.values():
        wanted = TEAMS[labels["team"]][labels["severity"] == "ticket"]
        pairs = [f"{name}={value}" for name, value in labels.items()]
        command = [tool("amtool"), "config", "routes", "test", config, f"--verify.receivers={wanted}", *pairs]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, (labels, done.stdout, done.stderr)


def inhibited(config: dict[str, Any], target: dict[str, str], source: dict[str, str]) -> bool:
    """Whether an alert is muted while another fires, by Alertmanager's rules for matchers and `equal`."""
    return any(
        matches(rule["source_matchers"], source)
        and matches(rule["target_matchers"], target)
        and all(source.get(label, "") == target.get(label, "") for label in rule["equal"])
        for rule in config["inhibit_rules"]
    )


def matches(matchers: list[str], labels: dict[str, str]) -> bool:
    for matcher in matchers:
        label, operator, value = re.fullmatch(r"(\w+)(=~|!~|!=|=)(\".*\")", matcher).groups()  # type: ignore[union-attr]
        pattern, have = json.loads(value), labels.get(label, "")
        holds = re.fullmatch(pattern, have) is not None if "~" in operator else have == pattern
        if holds == operator.startswith("!"):
            return False
    return True


def test_clusters_of_one_environment_neither_mute_each_other_nor_share_a_notification(out: Path) -> None:
    config = yaml.safe_load((out / "alertmanager" / "alertmanager.yaml").read_text())
    assert "cluster" in config["route"]["group_by"]
    muted = [(target, source) for target in alerts(out) for source in alerts(out) if inhibited(config, target, source)]
    assert muted
    for target, source in muted:
        assert inhibited(config, {**target, "cluster": "a"}, {**source, "cluster": "a"})
        assert not inhibited(config, {**target, "cluster": "a"}, {**source, "cluster": "b"})


def test_inhibitions_mute_what_they_should_and_nothing_else(out: Path) -> None:
    config = yaml.safe_load((out / "alertmanager" / "alertmanager.yaml").read_text())
    listed = alerts(out)
    by = {
        (a["alertname"], a.get("service") or a.get("chain"), a.get("slo"), a["severity"], a.get("burn")): a
        for a in listed
    }
    chain_page = by["ChainBudgetBurn", "checkout", "latency", "page", "page-fast"]
    hop_ticket = by["ErrorBudgetBurn", "orders", "availability", "ticket", "ticket-slow"]
    hop_page = by["ErrorBudgetBurn", "orders", "availability", "page", "page-fast"]
    alone = by["ChainBurnsAlone", "checkout", "latency", "ticket", None]
    assert inhibited(config, hop_ticket, chain_page)
    assert not inhibited(config, hop_page, chain_page)
    assert not inhibited(config, alone, chain_page)
    assert inhibited(config, by["ErrorBudgetExhausted", "orders", "availability", "ticket", None], chain_page)
    explained = {target["alertname"] for target in listed if inhibited(config, target, chain_page)}
    assert explained == {"ErrorBudgetBurn", "ErrorBudgetExhausted", "ChainBudgetBurn"}, "and its own tickets"
    assert inhibited(config, hop_ticket, hop_page)
    assert not inhibited(config, by["ErrorBudgetBurn", "pricing", "latency", "ticket", "ticket-slow"], hop_page)
    pages = [a for a in listed if a["severity"] == "page"]
    assert not any(inhibited(config, target, source) for target in pages for source in listed), "no page is ever muted"
    assert not any(inhibited(config, each, each) for each in listed), "no alert mutes itself"
