"""The whole command line against a real Prometheus and Alertmanager: from nothing to a page, and back to nothing."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from dashgen import canonical
from dashgen.model.artifact import Artifact
from tests import remote_write
from tests.conftest import Ran
from tests.servers import running_alertmanager, running_prometheus, until, webhook

SPEC = """
version: dashgen/v1
graph: tiny
defaults: {scrape_interval: 1s}
teams: {web: {page: pager, ticket: chat}}
services:
  web: {language: go, team: web, tier: 1, instrumentation: promhttp, selector: {job: web}}
"""
AM = """\
# Our own.
route:
  receiver: nobody
receivers:
- name: nobody
- name: pager
  webhook_configs:
  - url: %s
"""
OFTEN = re.compile(r"(?m)^( +interval|    for): \w+$")


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def hurried(project: Path) -> None:
    """What was generated, in a hurry: everything each second, no alert waits; and a manifest that agrees."""
    out = project / "out"
    manifest = json.loads((out / "manifest.json").read_text())
    for each in manifest["artifacts"]:
        file = out / each["path"]
        if each["kind"] == "rules":
            file.write_text(OFTEN.sub(r"\1: 1s", file.read_text()))
        if each["kind"] == "alertmanager":
            file.write_text(re.sub(r"group_wait: \w+", "group_wait: 1s", file.read_text()))
        each["sha256"] = Artifact("", "", "rules", file.read_bytes()).sha256
    (out / "manifest.json").write_bytes(canonical.json(manifest))


@pytest.fixture
def project(tmp_path: Path, dashgen: Callable[..., Ran]) -> Path:
    """A project that was generated, with an empty folder for rules."""
    folder = tmp_path / "project"
    (folder / "rules").mkdir(parents=True)
    (folder / "services.yaml").write_text(SPEC)
    assert dashgen("generate", cwd=folder).code == 0
    hurried(folder)
    return folder


def settings(folder: Path, **remotes: str) -> None:
    lines = [f"[contexts.real.{name}]\n{text}\n" for name, text in remotes.items()]
    (folder / "dashgen.toml").write_text("\n".join(lines))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "rules").iterdir())


def test_from_nothing_to_a_page_and_back(project: Path, tmp_path: Path, dashgen: Callable[..., Ran]) -> None:
    """A service that was seen ten minutes ago: push, somebody is paged; then an edit, a refusal, a restore, prune."""
    with ExitStack() as stack:
        hook, came = stack.enter_context(webhook())
        am_file = tmp_path / "am.yml"
        am_file.write_text(AM % hook)
        am = stack.enter_context(running_alertmanager(tmp_path, config=am_file))
        (project / "rules" / "theirs.yaml").write_text("groups: []\n")
        targets = f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{am[7:]}']}}]}}]}}\n"
        # A reload makes Prometheus look for its Alertmanagers anew.
        flags = ("--rules.alert.resend-delay=1s", "--web.enable-remote-write-receiver")
        prometheus = stack.enter_context(running_prometheus(tmp_path, project / "rules", "1s", targets, flags))
        seen = {"__name__": "service:requests:rate1m", "service": "web", "env": "prod"}
        remote_write.counters(prometheus, seen, [(1, int(time.time()) - 600)])
        settings(
            project,
            prometheus=f'url = "{prometheus}"\nrules = "{project / "rules"}"',
            alertmanager=f'url = "{am}"\nconfig = "{am_file}"',
        )

        plan = dashgen("plan", cwd=project)
        assert plan.code == 1, plan.err
        assert "+ rules service-web" in re.sub(r" +", " ", plan.out), plan.out
        pushed = dashgen("push", "--yes", cwd=project)
        assert pushed.code == 0, pushed.out + pushed.err
        assert "dashgen-tiny-service-web.yaml" in files(project)
        groups = get(f"{prometheus}/api/v1/rules")["data"]["groups"]
        assert any("service-web" in group["file"] for group in groups)
        until(lambda: came, "a page")
        assert {a["labels"]["alertname"] for each in came for a in each["alerts"]} == {"ServiceVanished"}
        assert {a["labels"]["team"] for each in came for a in each["alerts"]} == {"web"}
        assert dashgen("plan", cwd=project).code == 0

        mine = project / "rules" / "dashgen-tiny-service-web.yaml"
        before = mine.read_text()
        mine.write_text(before.replace("has vanished", "is on holiday"))
        drifted = dashgen("drift", cwd=project)
        assert drifted.code == 1
        assert "service-web" in drifted.out
        refused = dashgen("push", "--yes", cwd=project)
        assert refused.code != 0
        assert "holiday" in mine.read_text(), "what somebody edited is not overwritten without being told to"
        assert dashgen("push", "--yes", "--adopt", cwd=project).code == 0
        assert mine.read_text() == before
        assert dashgen("restore", "--yes", cwd=project).code == 0
        assert "holiday" in mine.read_text()
        assert dashgen("push", "--yes", "--adopt", cwd=project).code == 0

        spec = (project / "services.yaml").read_text().replace("  web: {language", "  shop: {language")
        (project / "services.yaml").write_text(spec.replace("{job: web}", "{job: shop}"))
        assert dashgen("generate", cwd=project).code == 0
        hurried(project)
        assert dashgen("push", "--yes", cwd=project).code == 0
        assert mine.exists(), "only prune deletes"
        assert dashgen("prune", "--yes", cwd=project).code == 0
        assert files(project) == ["dashgen-tiny-graph-tiny.yaml", "dashgen-tiny-service-shop.yaml", "theirs.yaml"]
        groups = get(f"{prometheus}/api/v1/rules")["data"]["groups"]
        assert not any("service-web" in group["file"] for group in groups)
        assert dashgen("audit", "verify", cwd=project).code == 0
