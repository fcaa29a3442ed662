"""Generated files in the programs that they are for: a real Prometheus and a real Alertmanager."""

from __future__ import annotations

import datetime
import json
import re
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashgen import pipeline
from tests import remote_write
from tests.conftest import ROOT, compiled, opened
from tests.servers import running_alertmanager, running_prometheus


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    pipeline.generate(opened(ROOT / "services.yaml"), folder, datetime.date(2026, 11, 21))
    return folder


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def hurried(rules: Path, folder: Path) -> Path:
    """The same rules, evaluated every second."""
    folder.mkdir()
    for file in rules.glob("*.yaml"):
        (folder / file.name).write_text(re.sub(r"(?m)^  interval: \w+$", "  interval: 1s", file.read_text()))
    return folder


def test_prometheus_loads_and_evaluates_every_rule(out: Path, tmp_path: Path) -> None:
    """With no data at all: every rule is evaluated without an error, and nobody is told of what was never there."""
    rules = hurried(out / "prometheus" / "rules", tmp_path / "rules")
    named = {group["name"] for file in rules.glob("*.yaml") for group in yaml.safe_load(file.read_text())["groups"]}
    with running_prometheus(tmp_path, rules) as prometheus:
        deadline = time.monotonic() + 30
        while True:
            groups = get(f"{prometheus}/api/v1/rules")["data"]["groups"]
            loaded = [rule for group in groups for rule in group["rules"]]
            if "unknown" not in {rule["health"] for rule in loaded} or time.monotonic() > deadline:
                break
            time.sleep(0.5)
    assert {group["name"] for group in groups} == named
    assert not [rule for rule in loaded if rule["health"] != "ok"]
    alerts = {rule["name"]: rule["state"] for rule in loaded if rule["type"] == "alerting"}
    assert "ServiceVanished" in alerts
    assert set(alerts.values()) == {"inactive"}


def test_alertmanager_runs_with_the_generated_configuration(out: Path, tmp_path: Path) -> None:
    with running_alertmanager(tmp_path, config=out / "alertmanager" / "alertmanager.yaml") as alertmanager:
        status = get(f"{alertmanager}/api/v2/status")
        receivers = {each["name"] for each in get(f"{alertmanager}/api/v2/receivers")}
    assert "inhibit_rules" in status["config"]["original"]
    assert receivers == {"pagerduty-edge", "slack-edge", "pagerduty-commerce", "slack-commerce"}


NATIVE = """
version: dashgen/v1
graph: shop
defaults: {scrape_interval: 15s}
teams: {t: {page: pager, ticket: chat}}
services:
  web:
    language: go
    team: t
    instrumentation: {profile: otelhttp, native: true}
    selector: {job: web}
    slos: {latency: {objective: 99, threshold: 400ms}}
"""


def test_a_native_histogram_that_loses_resolution_slows_nobody_down(tmp_path: Path) -> None:
    """All requests take 260 ms; 250 to 500 ms is one bucket from the last two scrapes on."""
    groups = yaml.safe_load((compiled(NATIVE, tmp_path) / "service-web.yaml").read_text())["groups"]
    counted = {rule["record"]: rule["expr"] for group in groups for rule in group["rules"] if "record" in rule}
    labels = {"__name__": "http_server_request_duration_seconds", "job": "web", "instance": "a"}
    flags = ("--web.enable-remote-write-receiver", "--enable-feature=native-histograms")
    (tmp_path / "rules").mkdir()
    with running_prometheus(tmp_path, tmp_path / "rules", flags=flags) as prometheus:
        began = int(time.time()) - 180
        for at in range(0, 180, 15):
            count, schema = 1_000_000 + at * 10, 0 if at >= 150 else 2
            bucket = -1 if schema == 0 else -7
            remote_write.histogram(prometheus, labels, {bucket: count}, count * 0.26, began + at, schema)
        asked = {
            what: get(f"{prometheus}/api/v1/query?time={began + 170}&query={urllib.parse.quote(counted[what])}")
            for what in ("slo:events:rate1m", "slo:bad_events:rate1m")
        }
    events, slow = (float(each["data"]["result"][0]["value"][1]) for each in asked.values())
    assert events == pytest.approx(10)
    assert slow <= events
