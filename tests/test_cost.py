"""`dashgen cost`: what is predicted without a server is what a real Prometheus counts."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from bench.history import load, record, rule_groups, serving
from dashgen import pipeline
from dashgen.cost import predict
from dashgen.model.cost import Assumptions, RuleCost
from tests.conftest import Ran, opened
from tests.sample import write
from tests.servers import free_port

INSTANCES, OPERATIONS, HISTORY = 3, 2, 4500
WITHIN = 0.1  # of what is measured; the ends of a range cost a sample more or less for each series
STOCK = {"calls": None, "slos": {"latency": {"objective": 99, "threshold": "250ms"}}}
SHOP = {"services": {"web": {"calls": None}, "stock": STOCK}}
BOUNDS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf")
OTEL = ("0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1", "2.5", "5", "7.5", "10", "+Inf")


def native() -> Iterator[str]:
    """What the instances of both services expose."""
    shapes = (
        ("web", "http_server_request_duration_seconds", "http_route", "http_response_status_code", OTEL),
        ("stock", "axum_http_requests_duration_seconds", "endpoint", "status", BOUNDS),
    )
    for job, base, route, status, bounds in shapes:
        for instance in range(INSTANCES):
            yield from (f'{sign}{{instance="{instance}",job="{job}"}}' for sign in ("up", "target_info"))
            for operation in range(OPERATIONS):
                for code in ("200", "500"):
                    labels = f'instance="{instance}",job="{job}",{route}="/{operation}",{status}="{code}"'
                    yield f"{base}_count{{{labels}}}"
                    yield f"{base}_sum{{{labels}}}"
                    yield from (f'{base}_bucket{{{labels},le="{bound}"}}' for bound in bounds)
                    if job == "stock":
                        yield f"axum_http_requests_total{{{labels}}}"


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("spec"), SHOP)


@pytest.fixture(scope="module")
def prometheus(spec: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus with the rules, their past, and native samples that last until the tests are over."""
    folder = tmp_path_factory.mktemp("prometheus")
    pipeline.generate(opened(spec), folder / "out", datetime.date(2026, 11, 21))
    tsdb, rules = folder / "tsdb", folder / "out" / "prometheus" / "rules"
    now = int(time.time()) // 60 * 60

    def rising(series: str, at: int) -> float:
        return 1 if series.startswith(("up", "target_info")) else at - now + HISTORY

    load(tsdb, list(native()), rising, now - HISTORY, now + 900, 15)
    record(tsdb, rule_groups(rules), now - HISTORY + 300, now + 900)
    with serving(tsdb, rules) as server:
        yield server


def test_prediction_is_what_prometheus_counts(spec: Path, prometheus: str) -> None:
    """Rule by rule, for all whose range lies in the hour that there is; series exactly."""
    assumed = Assumptions(INSTANCES, OPERATIONS)
    costs, found = pipeline.cost(opened(spec), assumed)
    assert not found
    measured = [each for each in pipeline.measure(costs, prometheus) if each.longest <= 3600]
    measured = [each for each in measured if "dashgen_drift_" not in each.expr]  # nobody checks for drift here
    assert len(measured) > 50

    def off(each: RuleCost) -> bool:
        assert each.measured
        return abs(each.samples - each.measured.samples) > max(2, WITHIN * each.measured.samples)

    assert not [(each.name, each.samples, each.measured, each.expr) for each in measured if off(each)]
    assert all(each.measured and each.measured.evaluation is not None for each in measured)
    at_times = ("slo:budget_exhaustion:seconds", "slo:events:rate1h", "slo:bad_events:rate1h")  # not at any moment
    recorded = [each for each in measured if not each.alert and each.name not in at_times]
    assert not [(each.name, each.series, each.measured) for each in recorded if each.measured.series != each.series]
    total = sum(each.measured.samples for each in measured if each.measured)
    assert abs(sum(each.samples for each in measured) - total) < WITHIN * total


def test_the_command_measures(spec: Path, prometheus: str, dashgen: Callable[..., Ran]) -> None:
    options = ["--prometheus", prometheus, "--instances", str(INSTANCES), "--operations", str(OPERATIONS)]
    shown = dashgen("cost", str(spec), *options)
    assert shown.code == 0, shown.err
    assert "what its rules cost, measured" in shown.out
    assert "ms as a rule" in shown.out
    made = json.loads(dashgen("cost", str(spec), *options, "--format", "json").out)
    assert len(made["dearest"]) == 10
    assert made["total"]["seconds_per_hour"] > 0
    assert all(rule["measured"]["query_seconds"] > 0 for rule in made["rules"])


class Answer(BaseHTTPRequestHandler):
    """Answers every request with one status and one body."""

    status, body = 401, b"secret"

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("status", "body", "code", "says"),
    [
        (401, b"", 3, "refused who we are (401)"),
        (403, b"", 3, "refused who we are (403)"),
        (302, b"", 4, "did not answer as Prometheus does since 2.35 (302)"),
        (200, b"<html>", 4, "did not answer as Prometheus does since 2.35 (200)"),
        (200, b'{"status": "success", "data": []}', 4, "did not answer as Prometheus does since 2.35 (200)"),
        (200, b'{"status": "success", "data": {}}', 4, "did not answer as Prometheus does since 2.35 (200)"),
    ],
)
def test_a_server_that_refuses_or_is_none(
    status: int, body: bytes, code: int, says: str, spec: Path, dashgen: Callable[..., Ran]
) -> None:
    handler = type("Handler", (Answer,), {"status": status, "body": body})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        ran = dashgen("cost", str(spec), "--prometheus", f"http://me:secret@127.0.0.1:{server.server_port}")
        server.shutdown()
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err
    assert "secret" not in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}", "nonsense", "http://[x", "ftp://127.0.0.1/"])
def test_no_server_at_all(url: str, spec: Path, dashgen: Callable[..., Ran]) -> None:
    ran = dashgen("cost", str(spec), "--prometheus", url.format(port=free_port()))
    assert ran.code == 5, ran.err
    assert "cannot be reached" in ran.err


def test_more_instances_cost_more_only_where_native_series_are_read(spec: Path) -> None:
    project = opened(spec)
    few, many = (pipeline.cost(project, Assumptions(instances))[0] for instances in (1, 100))
    for one, hundred in zip(few, many, strict=True):
        day = 1440 if one.name == "ServiceVanished" else 0  # what it reads of recorded tiles, too
        few_read, many_read = one.samples - day, hundred.samples - day
        assert many_read > 50 * few_read if one.native else many_read >= few_read
    tiles = [(one, hundred) for one, hundred in zip(few, many, strict=True) if one.name.startswith("slo:bad_ratio:3")]
    assert tiles
    assert all(one.samples == hundred.samples for one, hundred in tiles)
    assert predict(project.graph, []) == []


def test_advice_is_about_what_a_rule_reads(tmp_path: Path) -> None:
    """A tile looks back a quarter of an hour and is the advice itself; a day of tiles is no day of native series."""
    costs, _ = pipeline.cost(opened(write(tmp_path, {})), Assumptions())
    advised = {each.name: pipeline.advice(each, Assumptions()) for each in costs}
    assert not [name for name, text in advised.items() if "of native series" in text]
    day = next(each for each in costs if each.name == "ServiceVanished")
    assert "Reads 1d of native series" in pipeline.advice(replace(day, longest_native=day.longest), Assumptions())
