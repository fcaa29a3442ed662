"""A real Prometheus that reads a copy of the folder: what it evaluates counts, not what was written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from dashgen.push.reading import yaml_data
from dashgen.push.remotes.rule_server import RuleServer
from dashgen.push.settings import RemoteSettings
from tests.conftest import ROOT
from tests.servers import running_prometheus

FILE = "dashgen-shop-web.yaml"


def groups(expr: str = "vector(1) > 0", summary: str = "gone") -> list[dict[str, Any]]:
    alert = {"alert": "A", "expr": expr, "labels": {"severity": "page"}, "annotations": {"summary": summary}}
    return [{"name": "g", "interval": "1m", "rules": [alert]}]


def write(folder: Path, expr: str = "vector(1) > 0") -> None:
    (folder / FILE).write_text(
        f"groups:\n- name: g\n  interval: 1m\n  rules:\n  - alert: A\n    expr: '{expr}'\n"
        "    labels: {severity: page}\n    annotations: {summary: gone}\n"
    )


def test_a_server_that_reads_an_older_copy_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its groups have the right names and numbers; their expressions, texts and order tell."""
    monkeypatch.setattr(RuleServer, "patience", 0.5)
    write(tmp_path)
    with running_prometheus(tmp_path, tmp_path, "1m") as url:
        server = RuleServer(RemoteSettings(name="r", type="prometheus", url=url))
        assert server.missing({FILE: groups()}) == {}
        assert server.missing({FILE: groups(" vector( 1 )>0")}) == {}, "another way to write the same"
        for other in (groups("vector(1) > 1"), groups(summary="here"), [*groups(), {"name": "h"}]):
            assert FILE in server.missing({FILE: other})
        write(tmp_path, "vector(1) > 1")
        server.reload()
        assert server.missing({FILE: groups("vector(1) > 1")}) == {}
        assert "other rules" in server.missing({FILE: groups()})[FILE]


def test_what_dashgen_generates_is_recognized_as_a_server_prints_it(tmp_path: Path) -> None:
    wanted = {}
    for path in (ROOT / "out" / "prometheus" / "rules").glob("*.yaml"):
        shutil.copy(path, tmp_path)
        wanted[path.name] = yaml_data(path.read_bytes(), path.name)["groups"]
    with running_prometheus(tmp_path, tmp_path, "1m") as url:
        assert RuleServer(RemoteSettings(name="r", type="prometheus", url=url)).missing(wanted) == {}
