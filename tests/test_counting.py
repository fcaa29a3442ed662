"""How often something happened in a minute, where instances and counters come and go; asked of promtool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import compiled, promtool_passes

SPEC = """
version: dashgen/v1
graph: shop
defaults: {scrape_interval: 15s}
teams: {t: {page: pager, ticket: chat}}
services:
  web:
    language: rust
    team: t
    instrumentation: axum-prometheus
    selector: {job: web}
    slos: {availability: {objective: 99.9}}
"""
WEB = "service-web.yaml"
STEADY = {("a", "200", ""): "100+30x10"}  # half a minute between samples; what is asked is the third minute
CASES = {
    "the first failure of a known instance": (STEADY | {("a", "500", ""): "_x5 1x3"}, 60 + 1, 1),
    "one failure more": (STEADY | {("a", "500", ""): "7x5 8x3"}, 60 + 1, 1),
    "an instance that has counted for months": (STEADY | {("b", "500", ""): "_x5 9000x3"}, 60, 0),
    "a failure of another route": (STEADY | {("a", "500", "/x"): "5x8", ("a", "500", "/y"): "_x5 1x3"}, 60 + 1, 1),
    "series of one instance that move to other labels": (
        {("a", "200", ""): "100+30x4 stale", ("a", "200", "/x"): "_x5 250+30x3"},
        60,
        0,
    ),
    "a target that gets another label": (
        {
            ("a", "up", ""): "1x3 stale",
            ("a", "200", ""): "9000+30x3 stale",
            ("a", "500", ""): "700x3 stale",
            ("a", "up", "/x"): "_x5 1x3",
            ("a", "200", "/x"): "_x5 9150+30x3",
            ("a", "500", "/x"): "_x5 700x3",
        },
        None,
        0,
    ),
    "a target that a second Prometheus finds": (
        STEADY
        | {
            ("a", "up", ""): "1x8",
            ("a", "500", ""): "700x8",
            ("a", "up", "/x"): "_x5 1x3",
            ("a", "200", "/x"): "_x5 9150+30x3",
            ("a", "500", "/x"): "_x5 700x3",
        },
        60 + 60,
        0,
    ),
    "a target that a second Prometheus finds again": (
        STEADY
        | {
            ("a", "up", ""): "1x8",
            ("a", "500", ""): "700x8",
            ("a", "up", "/x"): "1x3 stale 1x3",
            ("a", "200", "/x"): "9000+30x3 stale 9150+30x3",
            ("a", "500", "/x"): "700x3 stale 700x3",
        },
        60 + 60,
        0,
    ),
    "a replica without an instance fails for the first time as another one is found": (
        {
            ("", "up", "", "", "", "one"): "1x8",
            ("", "200", "", "", "", "one"): "100+30x10",
            ("", "500", "", "", "", "one"): "_x5 3x3",
            ("", "up", "", "", "", "two"): "_x5 1x3",
            ("", "200", "", "", "", "two"): "_x5 9000+30x3",
        },
        None,
        3,
    ),
    "series that a collector forgets": (
        STEADY | {("a", "200", "/gone"): "5000x4 stale", ("a", "500", "/gone"): "70x4 stale", ("a", "500", ""): "9x8"},
        None,
        0,
    ),
    "a process that a collector begins to expose": (
        {
            ("collector", "200", "", "a"): "100+30x10",
            ("collector", "200", "", "b"): "_x6 900000+30x3",
            ("collector", "500", "", "b"): "_x6 9000x3",
        },
        60,
        0,
    ),
    "the first failure of a process behind a collector": (
        {("collector", "200", "", "a"): "100+30x10", ("collector", "500", "", "a"): "_x5 1x3"},
        60 + 1,
        1,
    ),
    "a process that fails and dies": (
        STEADY
        | {("b", "200", ""): "50x4 stale", ("b", "500", ""): "7x3 9 stale"},  # a scrape before and one in its end
        60,
        0,
    ),
    "a process that fails, is seen once more, and dies": (
        STEADY | {("b", "200", ""): "50x5 stale", ("b", "500", ""): "7x4 9 stale"},
        60 + 2,
        2,
    ),
    "a process that has just been found was there since the minute began": (
        STEADY | {("b", "200", ""): "_x5 90 100 110", ("b", "500", ""): "_x5 900x2"},
        60 + 10 + 10,
        0,
    ),
    "a process that has just started counts since zero": (
        STEADY | {("b", "200", ""): "_x5 10 20 30", ("b", "500", ""): "_x5 0 4 4"},
        60 + 20 + 4,
        4,
    ),
    "a process that begins again counts what it has counted since": (
        {("a", "200", ""): "100+30x4 15 45", ("a", "500", ""): "7x4 1 3"},
        45 + 3,
        3,
    ),
    "a process that begins again and soon has failed more often than before": (
        {("a", "200", ""): "1000+30x4 15 45", ("a", "500", ""): "3x4 2 4"},
        45 + 4,
        4,
    ),
    "a process that is down when the minute begins, and begins again": (
        {("a", "200", ""): "1000+30x3 stale 15 45", ("a", "500", ""): "3x3 stale 2 4"},
        45 + 4,
        4,
    ),
    "a process that ends without a mark": (STEADY | {("b", "200", ""): "50x3", ("b", "500", ""): "7x3"}, 60, 0),
    "failures that ended with an earlier life": (
        {("a", "200", ""): "1000+30x4 15 45", ("a", "500", ""): "3x4 stale"},
        45,
        0,
    ),
    "failures that ended with an earlier life, without a mark": (
        {("a", "200", ""): "1000+30x4 15 45", ("a", "500", ""): "300x4"},
        45,
        0,
    ),
    "failures that stand where they stood while successes begin again": (
        {("a", "200", ""): "1000+30x4 15 45", ("a", "500", ""): "300x8"},
        None,
        0,
    ),
    "failures that are not exposed for a while, and come back as they were": (
        STEADY | {("a", "500", ""): "300x1 stale _x2 300x2"},
        None,
        0,
    ),
    "successes that ended with an earlier life, without a mark": (
        {("a", "200", ""): "90000+30x4", ("a", "500", ""): "30x4 4 9"},
        9,
        9,
    ),
    "a process that fails for the first time while it is out of reach": (
        STEADY | {("b", "200", ""): "70000x1 stale _x2 70050 70060", ("b", "500", ""): "_x5 4x1"},
        60 + 60 + 4,
        4,
    ),
    "a process that was out of reach for a minute": (
        STEADY | {("b", "200", ""): "70000x1 stale _x2 70050 70060", ("b", "500", ""): "900x1 stale _x2 904x1"},
        60 + 60 + 4,
        4,
    ),
    "instances of one name in two clusters": (
        STEADY | {("a", "200", "", "", "us"): "_x5 70000x1", ("a", "500", "", "", "us"): "_x5 900x1"},
        60,
        0,
    ),
    "replicas without an instance, of which one begins again": (
        {
            ("", "200", "", "", "", "one"): "90000+30x10",
            ("", "500", "", "", "", "one"): "900x10",
            ("", "200", "", "", "", "two"): "90000+30x4 15 45",
            ("", "500", "", "", "", "two"): "900x4 2 4",
        },
        60 + 45 + 4,
        4,
    ),
    "no failure, ever": (STEADY, 60, 0),
    "a process that was reached before anybody asked it": (
        STEADY | {("b", "up", ""): "_x3 1x6", ("b", "200", ""): "_x5 3 9", ("b", "500", ""): "_x5 2x1"},
        60 + 9 + 2,
        2,
    ),
    "a process that was reached, and of which somebody begins to keep the series": (
        STEADY | {("b", "up", ""): "1x9", ("b", "200", ""): "_x6 90000+30x3", ("b", "500", ""): "_x6 1800x3"},
        60,
        0,
    ),
    "a process that fails as it ends, and begins again at once": (
        {("a", "200", ""): "100+30x4 250 15", ("a", "500", ""): "7x4 12 stale"},
        30 + 15,
        5,
    ),
    "a process that fails as it ends, and shows at once that it has not failed since": (
        {("a", "200", ""): "100+30x4 250 15", ("a", "500", ""): "7x4 12 0"},
        30 + 15 + 5,
        5,
    ),
    "a process that begins again at once fails more often than its earlier life did": (
        {("a", "200", ""): "1000+30x4 15 45", ("a", "500", ""): "20x4 21x2"},
        45 + 21,
        21,
    ),
    "successes that come back a minute after the failures of a new life": (
        {("a", "200", ""): "1000+30x2 stale _x2 5", ("a", "500", ""): "_x3 4 9 9 9"},
        5,
        0,
    ),
}


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(SPEC, tmp_path_factory.mktemp("counting")) / WEB


@pytest.mark.parametrize("case", CASES)
def test_counts(case: str, rules: Path, tmp_path: Path) -> None:
    """Requests and failures of the minute before the third; None where only failures can be told."""
    series, requests, failures = CASES[case]
    _counts(series, requests, failures, "3m", rules, tmp_path)


def test_a_process_that_waits_for_long_counts_its_first_request(rules: Path, tmp_path: Path) -> None:
    waiting = {("b", "up", ""): "1x80", ("b", "500", ""): "_x65 1x15"}
    _counts({("a", "200", ""): "100+30x80", **waiting}, 60 + 1, 1, "33m", rules, tmp_path)


def test_count_and_bucket_of_a_latency_begin_again_together(tmp_path: Path) -> None:
    """The bucket shows as much as in the life before, in which one of four was slow."""
    spec = SPEC.replace("availability: {objective: 99.9}", "latency: {objective: 99, threshold: 250ms}")
    histogram = "axum_http_requests_duration_seconds_{}{{job='web',instance='a',status='200'{}}}"
    series = {histogram.format("count", ""): "4x4 3 5", histogram.format("bucket", ",le='0.25'"): "3x5 5"}
    _passes(
        series, [_asked("bad_events", 0, "3m"), _asked("events", 5, "3m")], compiled(spec, tmp_path) / WEB, tmp_path
    )


def _counts(
    series: dict[Any, str], requests: float | None, failures: float, at: str, rules: Path, tmp_path: Path
) -> None:
    asked: list[dict[str, Any]] = [_asked("bad_events", failures, at)]
    if requests is not None:
        asked.append(_asked("events", requests, at))
    _passes({_series(*labels): values for labels, values in series.items()}, asked, rules, tmp_path)


def _passes(series: dict[str, str], asked: list[dict[str, Any]], rules: Path, tmp_path: Path) -> None:
    test = {
        "interval": "30s",
        "input_series": [{"series": each, "values": values} for each, values in series.items()],
        "promql_expr_test": asked,
    }
    promtool_passes(test, rules, tmp_path)


def _series(instance: str, status: str, endpoint: str, behind: str = "", cluster: str = "", replica: str = "") -> str:
    labels = {"job": "web", "instance": instance, "endpoint": endpoint, "replica": replica}
    if status != "up":
        labels |= {"status": status, "exported_instance": behind, "cluster": cluster}
    inside = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{'up' if status == 'up' else 'axum_http_requests_total'}{{{inside}}}"


def _asked(what: str, count: float, at: str) -> dict[str, Any]:
    expr = f"round(sum(slo:{what}:rate1m) * 60, 0.01)"
    return {"expr": expr, "eval_time": at, "exp_samples": [{"labels": "{}", "value": count}]}
