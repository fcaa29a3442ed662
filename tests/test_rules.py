"""Generated rules against the real promtool: all load, all generated unit tests pass."""

from __future__ import annotations

import datetime
import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml

from dashgen import pipeline, promql
from dashgen.compile import Compilation
from dashgen.model.graph import Edge, Ref
from dashgen.model.telemetry import Histogram, Source
from tests.conftest import ROOT, opened, promtool_passes, tool
from tests.sample import write

EXAMPLES = sorted(
    path
    for path in (ROOT / "services.yaml", *ROOT.glob("examples/*/services.yaml"), *ROOT.glob("examples/*/services"))
    if path.exists()
)

LABELS = ("service", "slo", "env")  # by which the series of an SLO are told from others


def name(path: Path) -> str:
    return path.parent.name if path.parent != ROOT else "shop"


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Path]:
    """Every example, compiled."""
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        for path in EXAMPLES:
            made[path] = tmp_path_factory.mktemp(name(path))
            outcome = pipeline.generate(opened(path), made[path], datetime.date(2026, 11, 21))
            assert not [d for d in outcome.found if d.severity >= 1], outcome.found
    return made


def unit_tests() -> list[tuple[Path, str]]:
    """The generated test files of the examples; of those with the same cases, series and alerts, the first."""
    files: dict[object, tuple[Path, str]] = {}
    for path in EXAMPLES:
        project = opened(path)
        compilation = Compilation(project.graph, project.library)
        for unit in compilation.units():
            intents, _ = compilation.intents(unit)
            assert intents
            rules = {(rule.name, rule.wait) for group in intents.groups for rule in group.rules}
            cases = {(case.name, *(series.partition("{")[0] for series, _ in case.series)) for case in intents.tests}
            if cases:
                files.setdefault((frozenset(rules), frozenset(cases)), (path, unit.owner))
    return list(files.values())


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_promtool_accepts_all_rules(path: Path, compiled: dict[Path, Path]) -> None:
    files = sorted(str(file) for file in (compiled[path] / "prometheus" / "rules").glob("*.yaml"))
    done = subprocess.run([tool("promtool"), "check", "rules", "--lint-fatal", *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert files


@pytest.mark.parametrize(
    ("path", "owner"), unit_tests(), ids=lambda value: value if isinstance(value, str) else name(value)
)
def test_generated_unit_tests_pass(path: Path, owner: str, compiled: dict[Path, Path]) -> None:
    folder = compiled[path] / "prometheus" / "tests"
    command = [tool("promtool"), "test", "rules", f"{owner}.test.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_every_alert_is_tested_and_complete(path: Path, compiled: dict[Path, Path]) -> None:
    """Each alert has a case in which it fires and one in which it is silent, and all of its texts and links."""
    for file in (compiled[path] / "prometheus" / "rules").glob("*.yaml"):
        groups = yaml.safe_load(file.read_text())["groups"]
        cases = file.parent.parent / "tests" / f"{file.stem}.test.yaml"
        tested = yaml.safe_load(cases.read_text())["tests"] if cases.exists() else []
        expectations = [each for case in tested for each in case["promql_expr_test"]]
        for rule in (rule for group in groups for rule in group["rules"] if "alert" in rule):
            assert {"summary", "description", "runbook_url", "dashboard_url"} <= rule["annotations"].keys()
            assert rule["labels"]["severity"] in ("page", "ticket")
            assert "team" in rule["labels"]
            labels = {"alertname": rule["alert"], **rule["labels"]}
            matchers = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
            values = {e["exp_samples"][0]["value"] for e in expectations if f"ALERTS{{{matchers}," in e["expr"]}
            native = "histogram_" in yaml.safe_dump(groups)  # promtool's tests cannot feed native histograms before 3.0
            assert values == {0, 1} or (native and not values), (file.name, labels)


def test_nothing_leads_to_a_grafana_that_nobody_named(tmp_path: Path) -> None:
    pipeline.generate(opened(write(tmp_path, {})), tmp_path / "out", datetime.date(2026, 11, 21))
    pages = [path for path in (tmp_path / "out").rglob("*") if path.suffix in (".md", ".yaml")]
    assert pages
    assert not [path for path in pages if re.search(r"dashboard_url|\]\(/|\]\(\)", path.read_text())]
    assert "1. The dashboard: web.\n" in (tmp_path / "out/runbooks/service-web/ErrorBudgetBurn.md").read_text()


LATENCY = {"slos": {"availability": None, "latency": {"objective": 99, "threshold": "250ms"}}}
TRACED = {"instrumentation": "spanmetrics", "selector": {"job": None, "service_name": "stock"}}


@pytest.mark.parametrize(
    ("page", "has", "hasnt"),
    [
        ("web/ErrorBudgetBurn", r"Slow requests: traces.*\n.*&& duration > 250ms", "status = error"),
        ("web/SloDataMissing", "Logs of", "Slow|Failed"),
        ("web/CallNearTimeout", r"Slow calls: traces.*\n.*&& duration >= 500ms", "status = error"),
        ("web/ServiceVanished", "Failed requests", "Slow"),
        ("web/ServiceVanished", "on the dashboard of web: releases are marked; the runtime's panels", "Slow"),
        ("stock/ErrorBudgetBurn", "Failed requests", "Slow|releases are marked"),
        ("stock/ServiceVanished", "Do its spans arrive", "Status → Targets"),
    ],
)
def test_a_page_tells_to_look_for_what_there_is(page: str, has: str, hasnt: str, tmp_path: Path) -> None:
    spec = {"services": {"web": {**LATENCY, "calls": {"stock": {"timeout": "600ms"}}}, "stock": TRACED}}
    pipeline.generate(opened(write(tmp_path, spec)), tmp_path / "out", datetime.date(2026, 11, 21))
    text = (tmp_path / f"out/runbooks/service-{page}.md").read_text()
    assert re.search(has, text)
    assert not re.search(hasnt, text)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (5400, " At the pace of the last 5m the budget is gone in 1h 30m 0s."),
        (0, " The budget is used up."),
        (None, ""),  # nothing burns
    ],
)
def test_a_page_says_how_long_the_budget_lasts(
    seconds: int | None, said: str, compiled: dict[Path, Path], tmp_path: Path
) -> None:
    path = compiled[ROOT / "services.yaml"] / "prometheus" / "rules" / "service-pricing.yaml"
    alert = _alert(path, "ErrorBudgetBurn")
    labels = ",".join(f'{label}="{alert["labels"][label]}"' for label in LABELS)
    series = {f"slo:budget_exhaustion:seconds{{{labels}}}": str(seconds)} if seconds is not None else {}
    whole = "2% of the requests of the last 1h were bad; the objective of 99.95 % over 30d allows 0.05 %."
    _says({**alert, "expr": "vector(0.02)"}, whole + said, tmp_path, series)


@pytest.mark.parametrize(("burns", "lasts"), [(1, 1296), (0, None)])
def test_the_budget_lasts_at_a_pace_that_is_as_new_as_the_page(
    burns: int, lasts: int | None, compiled: dict[Path, Path], tmp_path: Path
) -> None:
    """In the first minutes of an outage the last hour has seen little of it, and after its end it still shows it."""
    path = compiled[ROOT / "services.yaml"] / "prometheus" / "rules" / "service-pricing.yaml"
    rules = _rules(path)
    lasting = next(rule for rule in rules if rule.get("record") == "slo:budget_exhaustion:seconds")
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [lasting]}]}))
    labels = ",".join(f'{label}="{lasting["labels"][label]}"' for label in LABELS)
    shown = {"slo:budget_remaining:ratio": 1, "slo:bad_ratio:1h": 0.05, "slo:bad_ratio:5m": burns}
    asked = {"expr": f"sum({lasting['record']})", "eval_time": "0m"}
    answer = [{"labels": "{}", "value": lasts}] if lasts is not None else []
    case = {
        "input_series": [{"series": f"{series}{{{labels}}}", "values": value} for series, value in shown.items()],
        "promql_expr_test": [{**asked, "exp_samples": answer}],
    }
    promtool_passes(case, tmp_path / "rules.yaml", tmp_path)


@pytest.mark.parametrize("measured", [True, False])
def test_an_implementation_without_its_histogram_is_missed(
    measured: bool, compiled: dict[Path, Path], tmp_path: Path
) -> None:
    """The other one, which still serves, has all its buckets."""
    rules = compiled[ROOT / "examples/migration/services.yaml"] / "prometheus/rules/service-inventory.yaml"
    old = 'job="inventory",namespace="tickets",rpc_method="Reserve",rpc_service="tickets.v1.Inventory"'
    new = 'job="inventory-rs",namespace="tickets",grpc_method="Reserve",grpc_service="tickets.v1.Inventory"'
    series = [
        f"rpc_server_duration_milliseconds_count{{{old}}}",
        f'rpc_server_duration_milliseconds_bucket{{{old},le="50"}}',
        f"grpc_server_handled_total{{{new}}}",
        *([f'grpc_server_handling_seconds_bucket{{{new},le="0.05"}}'] if measured else []),
    ]
    case = {
        "interval": "1m",
        "input_series": [{"series": each, "values": "0+60x60"} for each in series],
        "promql_expr_test": [_firing("SloDataMissing", "40m", not measured, slo="latency")],
    }
    promtool_passes(case, rules, tmp_path)


def test_an_hour_that_nobody_saw_become_full_is_recorded_later(compiled: dict[Path, Path], tmp_path: Path) -> None:
    """Evaluated every seven minutes, so at 56 and 63, with no tile in between, as while a Prometheus starts."""
    path = compiled[ROOT / "services.yaml"] / "prometheus" / "rules" / "service-orders.yaml"
    groups = yaml.safe_load(path.read_text())["groups"]
    for group in groups:
        group["rules"] = [
            rule
            for rule in group["rules"]
            if str(rule.get("record")).endswith((":rate1h", ":hour_to_date", ":bad_ratio:1d"))
        ]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [each for each in groups if each["rules"]]}))
    tiles = next(rule for group in groups for rule in group["rules"])["labels"]
    labels = ",".join(f'{name}="{value}"' for name, value in tiles.items() if name != "part")
    case = {
        "interval": "1m",
        "input_series": [
            {"series": f"slo:{what}:rate1m{{{labels}}}", "values": f"{rate}x56 _x5 {rate}x120"}
            for what, rate in (("events", 60), ("bad_events", 6))
        ],
        "promql_expr_test": [
            {
                "expr": f"round(sum({what}{{{labels}}}), {to})",
                "eval_time": at,
                "exp_samples": [{"labels": "{}", "value": value}],
            }
            for what, to, at, value in (
                ("slo:events:rate1h", 10, "63m", 60),
                ("slo:bad_ratio:1d", 0.001, "63m", 0.1),
                ("slo:bad_ratio:1d", 0.001, "105m", 0.1),
            )
        ],
    }
    promtool_passes(case, tmp_path / "rules.yaml", tmp_path, every="7m")


MOST = " Most failures start in pricing: 11.27% of all requests in the last 5m."
GREW = " What grew most in the last hours is pricing: by 11.27% of all requests."


@pytest.mark.parametrize(
    ("gateway", "pricing", "said"),
    [
        ("0.0000001x420", "0x359 0.1127x60", MOST + GREW),
        ("0x359 0.0009x60", "0x59 0.1127x360", MOST),  # it has failed for hours
        ("0x359 0.0000001x60", "0.1127x359 0x60", ""),  # it is well again
    ],
)
def test_a_page_of_a_chain_names_what_is_worth_naming(
    gateway: str, pricing: str, said: str, compiled: dict[Path, Path], tmp_path: Path
) -> None:
    path = compiled[ROOT / "services.yaml"] / "prometheus" / "rules" / "chain-checkout.yaml"
    rules = _rules(path)
    alert = next(rule for rule in rules if rule["labels"].get("burn") and rule["labels"]["slo"] == "availability")
    whole = "2% of the requests of the last 1h were bad from end to end; the objective of 99.5 % allows 0.5 %."
    series = {
        f'chain:hop_errors:ratio5m{{chain="checkout",env="prod",service="{service}"}}': values
        for service, values in (("gateway", gateway), ("pricing", pricing))
    }
    _says({**alert, "expr": "vector(0.02)"}, whole + said, tmp_path, series, "6h")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.75, "; gateway gives up after 800ms. A little more load and these calls become errors."),
        (1, "; gateway gives up after 800ms. A little more load and these calls become errors."),  # between bounds
        (1.5, ". The stated timeout of 800ms does not seem to be in force."),
    ],
)
def test_a_call_that_takes_longer_than_its_timeout_has_none(
    value: float, said: str, compiled: dict[Path, Path], tmp_path: Path
) -> None:
    alert = _alert(
        compiled[ROOT / "services.yaml"] / "prometheus" / "rules" / "service-gateway.yaml", "CallNearTimeout"
    )
    takes = {0.75: "750ms", 1: "1s", 1.5: "1.5s"}[value]
    written = {**alert, "expr": f"vector({value})", "for": "0s"}
    _says(written, f"Every twentieth call takes {takes} or longer{said}", tmp_path)


@pytest.mark.parametrize(
    ("kind", "number", "said"), [("dashboard", 1, "1 dashboard edited"), ("rules", 2, "2 rule files edited")]
)
def test_drift_is_counted(kind: str, number: int, said: str, compiled: dict[Path, Path], tmp_path: Path) -> None:
    alert = _alert(
        compiled[ROOT / "services.yaml"] / "prometheus" / "rules" / "graph-shop.yaml", "ConfigurationDrifted"
    )
    labels = f'graph="shop",context="prod",remote="grafana",kind="{kind}",state="edited"'
    assert alert["labels"]["graph"] == "shop", "graphs of one environment could not be told apart"
    why = "Somebody changed it by hand, or a push did not reach its end."
    series = {f"dashgen_drift_objects{{{labels}}}": str(number)}
    told = {"context": "prod", "remote": "grafana", "kind": kind, "state": "edited"}
    _says({**alert, "for": "0s"}, f"grafana (prod): {said}. {why}", tmp_path, series, labels=told)


def _rules(path: Path) -> list[dict[str, Any]]:
    """The rules of all groups of a file."""
    return [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


def _alert(path: Path, alert: str) -> dict[str, Any]:
    """The first alert of a name."""
    return next(rule for rule in _rules(path) if rule.get("alert") == alert)


def _says(
    alert: dict[str, Any],
    description: str,
    folder: Path,
    series: Mapping[str, str] = MappingProxyType({}),
    at: str = "0m",
    labels: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """An alert fires alone, with a description and the labels of what it found."""
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [alert]}]}))
    annotations = {**alert["annotations"], "description": description}
    expected = {"exp_labels": {**alert["labels"], **labels}, "exp_annotations": annotations}
    case = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": at, "alertname": alert["alert"], "exp_alerts": [expected]}],
    }
    promtool_passes(case, folder / "rules.yaml", folder)


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_hops_are_recorded_before_the_pages_that_name_them(path: Path, compiled: dict[Path, Path]) -> None:
    """In the same group, which has one moment: promtool has one for all groups, a server has not."""
    for file in (compiled[path] / "prometheus" / "rules").glob("chain-*.yaml"):
        for group in yaml.safe_load(file.read_text())["groups"]:
            recorded: set[str] = set()
            for rule in group["rules"]:
                recorded.add(rule.get("record", ""))
                if rule.get("alert") == "ChainBudgetBurn" and rule["labels"]["severity"] == "page":
                    named = set(re.findall(r"chain:hop_\w+:\w+", rule["annotations"]["description"]))
                    assert named, file.name
                    assert named <= recorded, (file.name, group["name"])


@pytest.mark.parametrize("owner", ["service-pricing", "service-orders", "chain-checkout"])
def test_what_another_team_has_recorded_makes_no_rule_fail(
    owner: str, compiled: dict[Path, Path], tmp_path: Path
) -> None:
    """For some minutes after a service has changed hands both its recorded series are there."""
    out = compiled[ROOT / "services.yaml"] / "prometheus"
    groups = yaml.safe_load((out / "rules" / f"{owner}.yaml").read_text())["groups"]
    recorded = [rule for group in groups for rule in group["rules"] if "record" in rule]
    before = []
    for rule in (rule for rule in recorded if not rule["record"].startswith("service:")):  # nobody was deployed before
        labels = ",".join(f'{name}="{value}"' for name, value in {**rule["labels"], "team": "before"}.items())
        least = -1 if rule["record"] == "slo:budget_remaining:ratio" else 0
        before.append({"series": f"{rule['record']}{{{labels}}}", "values": f"{least}x300"})
    for case in yaml.safe_load((out / "tests" / f"{owner}.test.yaml").read_text())["tests"]:
        case["input_series"] += before
        promtool_passes(case, out / "rules" / f"{owner}.yaml", tmp_path)


def test_an_hour_that_two_teams_have_recorded_counts_once(compiled: dict[Path, Path], tmp_path: Path) -> None:
    """An hour of failures, one without, and some minutes of a third; the first and the last are recorded by both."""
    path = compiled[ROOT / "services.yaml"] / "prometheus" / "rules" / "service-orders.yaml"
    groups = yaml.safe_load(path.read_text())["groups"]
    days = next(group for group in groups if group["name"].endswith("slo-availability-days"))
    days["rules"] = [rule for rule in days["rules"] if "record" in rule]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [days]}))
    labels = ",".join(f'{name}="{value}"' for name, value in days["rules"][-1]["labels"].items() if name in LABELS)
    tiles = {"events": "60x130", "bad_events": "60x59 0x70"}
    hours = {"events": ("_x59 60x2", "_x120 7x10"), "bad_events": ("_x59 60x2", "_x120 0x10")}
    series = {f"slo:{what}:rate1m{{{labels}}}": values for what, values in tiles.items()}
    for what, (whole, to_date) in hours.items():
        series[f'slo:{what}:rate1h{{{labels},team="before"}}'] = whole
        series[f'slo:{what}:hour_to_date{{{labels},team="before",part="hour"}}'] = to_date
    case = {
        "interval": "1m",
        "input_series": [{"series": each, "values": values} for each, values in series.items()],
        "promql_expr_test": [
            {
                "expr": "round(sum(slo:bad_ratio:1d), 0.001)",
                "eval_time": "126m",
                "exp_samples": [{"labels": "{}", "value": 0.472}],  # 60 of 60 + 60 + 7
            }
        ],
    }
    promtool_passes(case, tmp_path / "rules.yaml", tmp_path, every="3m")


@pytest.mark.parametrize("instances", ["ab", "abc"])
def test_a_process_without_the_bucket_is_missed(instances: str, compiled: dict[Path, Path], tmp_path: Path) -> None:
    """`c` runs a version whose buckets are others; a and b, which came and went, have it as long as they count."""
    rules = compiled[ROOT / "services.yaml"] / "prometheus/rules/service-gateway.yaml"
    base = "http_server_request_duration_seconds"
    series = {}
    for instance in instances:
        labels = f'http_request_method="POST",http_route="/checkout",instance="{instance}",job="gateway"'
        values = {"a": "0+60x30 stale", "b": "_x30 0+60x60", "c": "0+60x90"}[instance]
        series[f"{base}_count{{{labels}}}"] = values
        series[f'{base}_bucket{{{labels},le="{"0.3" if instance == "c" else "0.25"}"}}'] = values
    case = {
        "interval": "1m",
        "input_series": [{"series": each, "values": values} for each, values in series.items()],
        "promql_expr_test": [_firing("SloDataMissing", "40m", "c" in instances, slo="latency")],
    }
    promtool_passes(case, rules, tmp_path)


@pytest.mark.parametrize(
    ("bounds", "timeout", "bound", "past"),
    [
        (("0.1", "0.25", "0.5", "1"), "0.3", "0.25", "0.5"),
        (("0.1", "0.25", "0.5", "1"), "0.25", None, "0.25"),  # who takes as long has failed
        (("0.5", "0.75", "1"), "0.8", "0.75", "1"),
        (("0.5", "0.75"), "0.8", "0.75", "0.8"),
        (("0.5", "1", "2.5"), "2", None, "2.5"),
        ((), "2", "1.6", "2"),  # native
    ],
)
def test_a_timeout_is_near_from_a_bound_of_the_buckets(
    bounds: tuple[str, ...], timeout: str, bound: str | None, past: str
) -> None:
    made = Histogram("h", Decimal(1), tuple(Decimal(each) for each in bounds), not bounds, exemplars=False)
    source = Source("it", "go", "p", "h_count", "", (), made, (), (), (), (), (), sampled=False)
    ends = (Ref(each, each, "go", "t", 1, each) for each in ("client", "server"))
    edge = Edge("it", *ends, "http", "hard", Decimal(timeout), (source,), (), ())
    assert edge.near_timeout == (bound and Decimal(bound))
    assert edge.past_timeout == Decimal(past)
    assert replace(edge, sources=(source, replace(source, duration=None))).near_timeout is None


@pytest.mark.parametrize("interval", ["1m", "2m", "5m"])
def test_samples_further_apart_than_declared_are_told(
    interval: str, compiled: dict[Path, Path], tmp_path: Path
) -> None:
    """With two samples in a tile and a scrape there is a rate, with less there is none."""
    rules = compiled[ROOT / "services.yaml"] / "prometheus/rules/service-gateway.yaml"
    requests = 'http_server_request_duration_seconds_count{http_response_status_code="200",job="gateway"}'
    case = {
        "interval": interval,
        "input_series": [{"series": 'up{job="gateway"}', "values": "1x90"}, {"series": requests, "values": "0+60x90"}],
        "promql_expr_test": [_firing("ServiceTelemetryLost", "90m", interval != "1m")],
    }
    promtool_passes(case, rules, tmp_path)


def _firing(alert: str, at: str, firing: bool, **labels: str) -> dict[str, Any]:
    """A question of promtool's: whether just one such alert is firing, or none."""
    own = ",".join(f'{name}="{value}"' for name, value in {"alertname": alert, **labels}.items())
    expr = f'count(ALERTS{{{own},alertstate="firing"}}) or vector(0)'
    return {"expr": expr, "eval_time": at, "exp_samples": [{"labels": "{}", "value": int(firing)}]}


def test_expressions_are_not_too_long_for_victoriametrics(compiled: dict[Path, Path]) -> None:
    for out in compiled.values():
        for file in (out / "prometheus" / "rules").glob("*.yaml"):
            for group in yaml.safe_load(file.read_text())["groups"]:
                for rule in group["rules"]:
                    assert len(rule["expr"].encode()) <= promql.LONGEST, rule


def test_groups_stay_small_and_ordered(compiled: dict[Path, Path]) -> None:
    """At most twenty rules in a group, names unique, and no rule reads what a later rule of its group records."""
    for out in compiled.values():
        names: set[str] = set()
        for file in (out / "prometheus" / "rules").glob("*.yaml"):
            for group in yaml.safe_load(file.read_text())["groups"]:
                assert group["name"] not in names
                names.add(group["name"])
                assert len(group["rules"]) <= 20
                recorded = [rule.get("record") for rule in group["rules"]]
                for position, rule in enumerate(group["rules"]):
                    later = {record for record in recorded[position + 1 :] if record} - set(recorded[: position + 1])
                    assert not any(f"{record}{{" in rule["expr"] for record in later), rule
