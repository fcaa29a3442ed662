"""Whatever is accepted gives output that the real tools accept; whatever is rejected gives diagnostics."""

from __future__ import annotations

import datetime
import itertools
import os
import string
import subprocess
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashgen import pipeline
from dashgen.canonical import yaml_text
from dashgen.diagnostics import Severity
from dashgen.load.yaml import parse
from dashgen.model.artifact import Target
from tests.conftest import tool
from tests.oracles.grafana_schema import problems
from tests.sample import BASE, overlay

TODAY = datetime.date(2026, 11, 21)
RUNS = settings(
    max_examples=int(os.environ.get("DASHGEN_EXAMPLES", "40")),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

NASTY = st.sampled_from(
    [
        '"',
        "\\",
        "{{",
        "}}",
        "<<",
        ">>",
        "`",
        "'",
        "#",
        "|",
        "$",
        "${env}",
        "{{ $value }}",
        "\n",
        ": ",
        " #",
        "%",
        "🦀",
        "é",
        "*",
        "[x](y)",
        "<b>",
        "\t",
    ]
)
texts = st.lists(st.one_of(NASTY, st.text(string.ascii_letters, min_size=1, max_size=5)), min_size=1, max_size=6).map(
    "".join
)
lines = texts.map(lambda text: " ".join(text.split()) or "x")
names = st.text(string.ascii_letters + string.digits, min_size=1, max_size=8)
labels = st.dictionaries(st.sampled_from(["job", "zone", "_x", "app"]), texts, min_size=1, max_size=3)
PLAIN = "otelhttp promhttp axum-prometheus actix-web-prom otel-tower otel-actix-web go-grpc-middleware"
servers: st.SearchStrategy[Any] = st.sampled_from(
    [
        *PLAIN.split(),
        "spanmetrics",
        {"profile": "otelgrpc", "version": "0.60"},
        {"profile": "otelgrpc", "version": 0.69},
        {"profile": "tonic-prometheus", "version": "0.2.1"},
        {"profile": "tonic-prometheus", "version": 0.3},
        {"profile": "otelhttp", "native": True},
    ]
)
objectives = st.sampled_from([95, 99, 99.9, 99.95, 99.999, "99.5%"])
windows = st.sampled_from(["7d", "10d", "14d", "28d", "30d", "90d"])


@st.composite
def slos(draw: st.DrawFn) -> dict[str, Any]:
    slo: dict[str, Any] = {"objective": draw(objectives), "window": draw(windows)}
    if draw(st.booleans()):
        slo["threshold"] = draw(st.sampled_from(["100ms", "250ms", "1s", "50ms", "10s"]))
    if draw(st.booleans()):
        slo["title"], slo["description"] = draw(lines), draw(texts)
    return slo


@st.composite
def services(draw: st.DrawFn) -> dict[str, Any]:
    service: dict[str, Any] = {
        "team": "t",
        "tier": draw(st.integers(1, 4)),
        "title": draw(lines),
        "description": draw(texts),
    }
    if draw(st.integers(0, 3)):
        service |= {
            "language": draw(st.sampled_from(["go", "rust", "zig"])),
            "instrumentation": draw(servers),
            "selector": draw(labels),
        }
    else:
        one = st.fixed_dictionaries(
            {"language": st.sampled_from(["go", "rust"]), "instrumentation": servers, "selector": labels}
        )
        service["implementations"] = {"old": draw(one), "new": draw(one)}
    service["slos"] = draw(st.dictionaries(names, slos(), max_size=2))
    service["logs"] = {"app": draw(texts)}
    return service


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    made = draw(st.dictionaries(names, services(), min_size=1, max_size=4))
    listed = sorted(made)
    for caller, callee in itertools.pairwise(listed):
        call = {"timeout": draw(st.sampled_from(["100ms", "1s"])), "instrumentation": "servicegraph"}
        made[caller]["calls"] = {callee: call}
    chains = {"c": {"title": draw(lines), "path": listed, "slos": {"a": draw(slos())}}} if len(listed) > 1 else {}
    return {
        "version": "dashgen/v1",
        "graph": draw(names),
        "title": draw(lines),
        "defaults": {
            "scrape_interval": draw(st.sampled_from(["1s", "15s", "30s", "1m"])),
            "dimensions": draw(st.sampled_from([[], ["region"], ["region", "az"]])),
            "selector": draw(st.one_of(st.just({}), st.fixed_dictionaries({"ns": texts}))),
        },
        "teams": {"t": {"page": draw(lines), "ticket": draw(lines), "title": draw(lines)}},
        "services": made,
        "chains": chains,
    }


def compiled(spec: Any, targets: Collection[Target] = ()) -> Path | None:
    """Compile a specification; None when it is rejected, with diagnostics that have a place and a text."""
    folder = Path(tempfile.mkdtemp())
    path = folder / "services.yaml"
    path.write_text(yaml.safe_dump(spec, allow_unicode=True) if not isinstance(spec, str) else spec)
    project, found = pipeline.open_project(path)
    if project is None:
        assert found
        assert all(each.span and each.detail and each.severity is Severity.ERROR for each in found)
        return None
    outcome = pipeline.generate(project, folder / "out", TODAY, targets=targets)
    assert not [each for each in outcome.found if each.severity is Severity.ERROR], outcome.found
    return folder / "out"


@RUNS
@given(specs())
def test_accepted_specifications_give_accepted_output(spec: dict[str, Any]) -> None:
    out = compiled(spec)
    if out is None:
        return
    rules = sorted(str(file) for file in (out / "prometheus" / "rules").glob("*.yaml"))
    checked = subprocess.run(
        [tool("promtool"), "check", "rules", "--lint-fatal", *rules], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    config = str(out / "alertmanager" / "alertmanager.yaml")
    checked = subprocess.run([tool("amtool"), "check-config", config], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    for file in out.glob("grafana/dashboards/*/*.json"):
        assert problems(yaml.safe_load(file.read_text())) == []


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
    st.text(max_size=5),
)
branches = st.one_of(st.lists(leaves, max_size=3), st.dictionaries(st.one_of(names, texts), leaves, max_size=3))
ANYTHING = st.one_of(leaves, branches, st.lists(branches, max_size=2), st.dictionaries(names, branches, max_size=2))


@st.composite
def broken(draw: st.DrawFn) -> Any:
    """A sound specification in which one value somewhere is replaced by anything."""
    spec = yaml.safe_load(BASE)
    spec = overlay(spec, {"chains": {"c": {"path": ["web", "stock"], "slos": {"a": {"objective": 99}}}}})
    node: Any = spec
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = draw(st.sampled_from(keys))
        inner = node[key]
        if not isinstance(inner, dict | list) or not inner or draw(st.booleans()):
            node[key] = draw(ANYTHING)
            return spec
        node = inner


@settings(RUNS, max_examples=int(os.environ.get("DASHGEN_EXAMPLES", "40")) * 8)
@given(broken())
def test_broken_specifications_give_diagnostics(spec: Any) -> None:
    compiled(spec)


@settings(RUNS, max_examples=400)
@given(
    st.text(
        alphabet=st.one_of(st.sampled_from("a:-[]{}&*!|>'\"%@`#,?\n \t0x<="), st.characters(codec="utf-8")), max_size=60
    )
)
def test_any_text_is_yaml_or_a_diagnostic(text: str) -> None:
    document, found = parse(text, "f.yaml")
    assert (document is None) == bool(found)
    assert all(each.span for each in found)


@settings(RUNS, max_examples=400)
@given(ANYTHING)
def test_yaml_that_is_written_reads_back(value: Any) -> None:
    text = yaml_text(value)
    assert yaml.safe_load(text) == value
    assert yaml.load(text, Loader=yaml.CSafeLoader) == value
