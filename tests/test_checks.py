"""Every check by example: the samples of its documentation, and the cases of `tests/checks/`."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashgen.diagnostics import Severity
from dashgen.verify import CHECKS
from tests.conftest import ROOT
from tests.sample import findings


def samples() -> list[tuple[str, str, dict[str, Any]]]:
    """(check, Passes or Fails, overlay) from the docstrings."""
    found = []
    for check in CHECKS.values():
        for kind, text in re.findall(r"^(Passes|Fails):\n((?:\n|[ ].*\n?)+)", check.text, re.MULTILINE):
            found.append((check.id, kind, yaml.safe_load(textwrap.dedent(text))))
    return found


def cases() -> list[tuple[str, dict[str, Any]]]:
    """(check, case) from the files."""
    files = sorted((ROOT / "tests" / "checks").glob("*.yaml"))
    return [
        (file.stem.replace("_", "/", 1).replace("_", "-"), case)
        for file in files
        for case in yaml.safe_load(file.read_text())
    ]


@pytest.mark.parametrize(
    ("id", "kind", "overlay"), samples(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_documented_samples(id: str, kind: str, overlay: dict[str, Any], tmp_path: Path) -> None:
    ids = [found.id for found in findings(tmp_path, overlay)]
    assert (id in ids) == (kind == "Fails"), ids


def test_every_check_documents_a_failure() -> None:
    assert {id for id, kind, _ in samples() if kind == "Fails"} == set(CHECKS)


@pytest.mark.parametrize(("id", "case"), cases(), ids=lambda value: value if isinstance(value, str) else value["name"])
def test_cases(id: str, case: dict[str, Any], tmp_path: Path) -> None:
    """`finds` lists what the details of the findings must say, one text each; no list means no finding."""
    found = [each for each in findings(tmp_path, {**case.get("spec", {}), **case.get("files", {})}) if each.id == id]
    wanted = case.get("finds", [])
    assert len(found) == len(wanted), [each.detail for each in found]
    for each, text in zip(found, wanted, strict=True):
        assert text in each.detail, each.detail
        assert each.span is not None
        assert str(each.severity) == case.get("severity", str(each.severity))
        if "line" in case:
            assert each.span.text.strip().startswith(case["line"]), each.span


def test_promtool_decides_where_the_parser_is_behind(tmp_path: Path) -> None:
    """Every promtool knows one of the two: the function lost its name in 3.0, `_` came later."""
    alert = "alerts: [{alert: Mine, labels: {team: t}, expr: '%s > 1', summary: Up, description: Up.}]\n"
    odd = {"old": "holt_winters(up[5m], 0.5, 0.5)", "new": "up * 1_000"}
    overlay = {f"alerts/{name}.yaml": alert % expr for name, expr in odd.items()}
    found = [each for each in findings(tmp_path, overlay) if each.id == "promql/syntax"]
    assert {each.severity for each in found} == {Severity.INFO, Severity.ERROR}
    for each in found:
        known = "promtool does" if each.severity is Severity.INFO else "does not parse"
        assert known in each.detail
