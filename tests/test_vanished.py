"""When a service counts as gone: who idles, waits or is scraped badly is there, who starts and dies again is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import compiled, promtool_passes

SPEC = """
version: dashgen/v1
graph: shop
defaults: {scrape_interval: 15s}
teams: {t: {page: pager, ticket: chat}}
services:
  web: {language: rust, team: t, tier: 1, instrumentation: axum-prometheus, selector: {job: web}}
  traced: {language: go, team: t, tier: 1, instrumentation: spanmetrics, selector: {service_name: traced}}
"""
UP = 'up{job="web",instance="a"}'
WEB = 'axum_http_requests_total{job="web",instance="a",status="200"}'
SPANS = 'traces_span_metrics_calls_total{service_name="traced",span_kind="SPAN_KIND_SERVER"}'
HOUR = "0+15x239"  # a sample every fifteen seconds, and a request every second
LOOP = "1x2 0x18 " * 12  # three samples, and five minutes until the next start
SLOWER = "1x9 0x19 " * 9  # two and a half minutes
CASES = {
    "it is down for two minutes, and nobody has called since": ({UP: "1x239 0x7 1x200", WEB: f"{HOUR} stale"}, None),
    "a new instance waits for two minutes until it starts, and nobody calls": (
        {UP: "1x239 stale", WEB: f"{HOUR} stale", UP.replace('"a"', '"b"'): "_x240 0x7 1x200"},
        None,
    ),
    "it is down for four minutes": ({UP: "1x239 0x15 1x200", WEB: f"{HOUR} stale _x15 0+15x200"}, None),
    "it is gone": ({UP: "1x239 0x200", WEB: f"{HOUR} stale"}, 65),
    "every life answers some probes and dies": (
        {UP: f"1x239 {LOOP}", WEB: HOUR + " 3 6 9 stale _x18" * 12},
        66,
    ),
    "every life shows its counters at zero and dies": (
        {UP: f"1x239 {LOOP}", WEB: HOUR + " 0 0 0 stale _x18" * 12},
        66,
    ),
    "every life dies before it answers": ({UP: f"1x239 {SLOWER}", WEB: f"{HOUR} stale"}, 73),
    "most scrapes fail": ({UP: "1x239 " + "1 0x2 " * 60, WEB: HOUR + " 4000 stale _x1" * 60}, None),
    "half of the scrapes fail, and it has begun again": (
        {UP: "1x239 " + "1 0 " * 60, WEB: HOUR + "".join(f" {60 * n} stale" for n in range(60))},
        None,
    ),
    "a collector forgets what nobody had called for an hour": ({SPANS: f"{HOUR} 3600x260 stale _x120"}, None),
    "a collector forgets what has not been called for fifteen minutes": ({SPANS: f"{HOUR} 3600x60 stale _x120"}, 81),
    "a collector forgets what was called to its end": ({SPANS: f"{HOUR} stale _x80"}, 65),
}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(SPEC, tmp_path_factory.mktemp("vanished"))


@pytest.mark.parametrize("case", CASES)
def test_who_has_vanished_after_an_hour(case: str, out: Path, tmp_path: Path) -> None:
    """By a minute, or never."""
    series, minute = CASES[case]
    _vanishes(series, {64: False, minute: True} if minute else {85: False}, out, tmp_path, "15s")


def test_it_was_idle_for_longer_than_a_day(out: Path, tmp_path: Path) -> None:
    """Its counters are gone since it restarted, so nothing was recorded for as long."""
    _vanishes({UP: "1x1800 0x60", WEB: "0+60x59 stale"}, {1800: False, 1810: True}, out, tmp_path, "1m")


def _vanishes(series: dict[str, str], fires: dict[int, bool], out: Path, folder: Path, every: str) -> None:
    """Whether it has been firing until some minutes."""
    service = "traced" if SPANS in series else "web"
    alerts = f'ALERTS{{alertname="ServiceVanished",alertstate="firing",service="{service}"}}'
    case = {
        "interval": every,
        "input_series": [{"series": each, "values": values} for each, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f"max(max_over_time({alerts}[{minute}m]))",
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": "{}", "value": 1}] if fired else [],
            }
            for minute, fired in fires.items()
        ],
    }
    promtool_passes(case, out / f"service-{service}.yaml", folder)
