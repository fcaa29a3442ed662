"""Rule files are asked of promtool and vmalert before they are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dashgen.push.reading import yaml_data
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.rule_checks import check_rules
from tests.conftest import ROOT

PRODUCTS = ("prometheus", "thanos", "vmalert")


def group(**more: Any) -> dict[str, Any]:
    return {"groups": [{"name": "g", "rules": [{"record": "a", "expr": "b"}], **more}]}


@pytest.mark.parametrize("product", PRODUCTS)
def test_what_dashgen_generates_is_accepted(product: str) -> None:
    paths = sorted((ROOT / "out" / "prometheus" / "rules").glob("*.yaml"))
    assert paths
    for path in paths:
        check_rules(product, path.name, yaml_data(path.read_bytes(), path.name))


@pytest.mark.parametrize("product", PRODUCTS)
def test_what_the_server_would_refuse_is_refused_in_words(product: str) -> None:
    broken = group(rules=[{"record": "a", "expr": "sum("}])
    with pytest.raises(RemoteError, match=r"refuses mine\.yaml: .*\"a\".*\. It was not written") as refused:
        check_rules(product, "mine.yaml", broken)
    assert "/dev/stdin" not in str(refused.value)
    assert "flag" not in str(refused.value), "what vmalert logs besides is no part of the complaint"


def test_what_only_one_product_knows() -> None:
    check_rules("thanos", "a.yaml", group(partial_response_strategy="abort"))
    with pytest.raises(RemoteError, match="partial_response_strategy"):
        check_rules("prometheus", "a.yaml", group(partial_response_strategy="abort"))
    check_rules("vmalert", "a.yaml", group(concurrency=2))
    with pytest.raises(RemoteError, match="concurrency"):
        check_rules("prometheus", "a.yaml", group(concurrency=2))


def test_hostile_text_stays_text() -> None:
    """Whatever an annotation says reaches the tool as the same text, and a complaint about it is one line."""
    text = 'a"b\\c\n---\n\x1b[31m{é😀: #'
    alert = {"alert": "A", "expr": "b > 0", "annotations": {"summary": text.replace("{", "")}}
    for product in PRODUCTS:
        check_rules(product, "a.yaml", group(rules=[alert]))
        with pytest.raises(RemoteError) as refused:
            check_rules(product, "a.yaml", group(rules=[{**alert, "expr": text}]))
        assert "\n" not in str(refused.value)


def test_without_the_tool_the_server_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for product in PRODUCTS:
        check_rules(product, "a.yaml", group(rules=[{"record": "a", "expr": "sum("}]))


def test_a_tool_that_cannot_be_run_stops_the_push(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "promtool").write_text("no program")
    (tmp_path / "promtool").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RemoteError, match="could not check a"):
        check_rules("prometheus", "a.yaml", group())
