"""Pushes to the real things: the alert fires and arrives; crashes, refusals, full disks and rivals lose nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Ran, tool
from tests.servers import free_port, running, running_alertmanager, running_prometheus

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


def until(found: Callable[[], Any], seconds: float = 30) -> Any:
    """What is found, once it is; it has to be soon."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.3)
    return value


@contextmanager
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address that receives notifications, and all that came."""
    came: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", came
    finally:
        server.shutdown()
        server.server_close()


def hurried(project: Path) -> None:
    """What was generated, in a hurry: everything each second, no alert waits; and a manifest that agrees."""
    from dashgen.canonical import json as written
    from dashgen.model.artifact import Artifact

    out = project / "out"
    manifest = json.loads((out / "manifest.json").read_text())
    for each in manifest["artifacts"]:
        file = out / each["path"]
        if each["kind"] == "rules":
            file.write_text(OFTEN.sub(r"\1: 1s", file.read_text()))
        if each["kind"] == "alertmanager":
            file.write_text(re.sub(r"group_wait: \w+", "group_wait: 1s", file.read_text()))
        each["sha256"] = Artifact("", "", "rules", file.read_bytes()).sha256
    (out / "manifest.json").write_bytes(written(manifest))


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
    """Start empty, push, the service is gone, somebody is paged; then an edit, a refusal, a restore, and prune."""
    with ExitStack() as stack:
        hook, came = stack.enter_context(webhook())
        am_file = tmp_path / "am.yml"
        am_file.write_text(AM % hook)
        am = stack.enter_context(running_alertmanager(tmp_path, config=am_file))
        (project / "rules" / "theirs.yaml").write_text("groups: []\n")
        targets = f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{am[7:]}']}}]}}]}}\n"
        flags = ("--rules.alert.resend-delay=1s",)  # a reload makes Prometheus look for its Alertmanagers anew
        prometheus = stack.enter_context(running_prometheus(tmp_path, project / "rules", "1s", targets, flags))
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
        paged = until(
            lambda: [a for each in came for a in each["alerts"] if a["labels"]["alertname"] == "ServiceVanished"]
        )
        assert paged[0]["labels"]["team"] == "web"
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


def test_a_file_that_prometheus_refuses_changes_nothing(
    project: Path, tmp_path: Path, dashgen: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no promtool to ask, the reload is refused; the former files are back and still loaded."""
    with running_prometheus(tmp_path, project / "rules", "1s") as prometheus:
        settings(project, prometheus=f'url = "{prometheus}"\nrules = "{project / "rules"}"')
        assert dashgen("push", "--yes", cwd=project).code == 0
        before = {path.name: path.read_text() for path in (project / "rules").iterdir()}
        rules = project / "out" / "prometheus" / "rules" / "service-web.yaml"
        rules.write_text(rules.read_text().replace("expr: vector(1)", "expr: vector(1"))
        hurried(project)
        empty = tmp_path / "empty"
        empty.mkdir()
        ran = dashgen("push", "--yes", cwd=project, PATH=str(empty))
        assert ran.code == 4, ran.out + ran.err
        assert "put back and are loaded" in ran.out + ran.err
        asked = dashgen("push", "--yes", cwd=project)
        assert "promtool refuses" in asked.out + asked.err
        assert {path.name: path.read_text() for path in (project / "rules").iterdir()} == before
        assert get(f"{prometheus}/api/v1/rules")["data"]["groups"]


def test_a_killed_push_leaves_whole_files_and_the_next_one_finishes(project: Path, dashgen: Callable[..., Ran]) -> None:
    """The process is killed before one of its renames, each time a later one, as if the power went."""
    settings(project, prometheus=f'reload = false\nrules = "{project / "rules"}"')
    code = (
        "import os, signal, sys; real = os.replace; left = [int(sys.argv.pop(1))]\n"
        "def replace(*a):\n"
        "    left[0] -= 1\n"
        "    os.kill(os.getpid(), signal.SIGKILL) if left[0] < 0 else real(*a)\n"
        "os.replace = replace\n"
        "from dashgen.cli import main; main()"
    )
    killed = 0
    for renames in range(6):
        done = subprocess.run(
            [sys.executable, "-c", code, str(renames), "push", "--yes"],
            cwd=project,
            capture_output=True,
            env=os.environ,
        )
        killed += done.returncode == -signal.SIGKILL
        for path in (project / "rules").glob("*.yaml"):
            subprocess.run([tool("promtool"), "check", "rules", str(path)], check=True, capture_output=True)
    assert killed
    assert dashgen("push", "--yes", cwd=project).code == 0
    assert dashgen("plan", cwd=project).code == 0
    assert files(project) == ["dashgen-tiny-graph-tiny.yaml", "dashgen-tiny-service-web.yaml"], "nothing is left over"
    assert dashgen("audit", "verify", cwd=project).code == 0


def test_a_full_disk_loses_nothing(project: Path, dashgen: Callable[..., Ran]) -> None:
    """No file may grow past a few kilobytes: the kernel says no, as it does on a full disk."""
    settings(project, prometheus=f'reload = false\nrules = "{project / "rules"}"')
    assert dashgen("push", "--yes", cwd=project).code == 0
    before = {path.name: path.read_text() for path in (project / "rules").iterdir()}
    rules = project / "out" / "prometheus" / "rules" / "service-web.yaml"
    rules.write_text(rules.read_text().replace("has vanished", "is gone"))
    hurried(project)
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))\n"
        "from dashgen.cli import main; main()"
    )
    ran = subprocess.run(
        [sys.executable, "-B", "-c", code, "push", "--yes"], cwd=project, capture_output=True, text=True, env=os.environ
    )
    assert ran.returncode not in (0, 1), ran.stdout + ran.stderr
    assert "File too large" in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    assert {path.name: path.read_text() for path in (project / "rules").iterdir()} == before
    assert dashgen("push", "--yes", cwd=project).code == 0
    assert "is gone" in (project / "rules" / "dashgen-tiny-service-web.yaml").read_text()


def test_two_pushes_at_once(project: Path, dashgen: Callable[..., Ran]) -> None:
    """Each either does its work or is told that another is at it or was faster; the end is what is wanted."""
    settings(project, prometheus=f'reload = false\nrules = "{project / "rules"}"')
    command = [sys.executable, "-m", "dashgen", "push", "--yes"]
    both = [
        subprocess.Popen(
            command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ
        )
        for _ in range(2)
    ]
    said = [each.communicate(timeout=60)[0] for each in both]
    codes = sorted(each.returncode for each in both)
    assert codes[0] == 0, said
    assert not any("Traceback" in text for text in said)
    assert dashgen("plan", cwd=project).code == 0
    assert dashgen("audit", "verify", cwd=project).code == 0


def test_vmalert_runs_what_is_pushed(project: Path, tmp_path: Path, dashgen: Callable[..., Ran]) -> None:
    """Its rules are split into stages; what the first stage records arrives in the second."""
    port, alert_port = free_port(), free_port()
    store, ruler = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{alert_port}"
    database = [tool("victoria-metrics"), f"-httpListenAddr=127.0.0.1:{port}", f"-storageDataPath={tmp_path / 'vm'}"]
    with ExitStack() as stack:
        stack.enter_context(running([*database, "-search.latencyOffset=0s"], f"{store}/health", tmp_path / "vm.log"))
        settings(project, vmalert=f'url = "{ruler}"\nrules = "{project / "rules"}"')
        (project / "rules" / "theirs.yaml").write_text("groups: []\n")
        command = [
            tool("vmalert"),
            f"-rule={project / 'rules'}/*.yaml",
            f"-datasource.url={store}",
            f"-remoteWrite.url={store}",
            f"-httpListenAddr=127.0.0.1:{alert_port}",
            "-notifier.url=http://127.0.0.1:9",
            "-remoteWrite.flushInterval=200ms",
        ]
        stack.enter_context(running(command, f"{ruler}/health", tmp_path / "vmalert.log"))
        pushed = dashgen("push", "--yes", cwd=project)
        assert pushed.code == 0, pushed.out + pushed.err + (tmp_path / "vmalert.log").read_text()
        requests = urllib.parse.urlencode({"query": 'service:info{service="web"}'})
        until(lambda: get(f"{store}/api/v1/query?{requests}")["data"]["result"])
        assert dashgen("plan", cwd=project).code == 0
        groups = get(f"{ruler}/api/v1/rules")["data"]["groups"]
        assert {group["name"] for group in groups if "service-web" in group["file"]}
    assert shutil.which("vmalert")
