"""Real servers for tests: on 127.0.0.1, on free ports, bounded in time, stopped by id whatever happens."""

from __future__ import annotations

import contextlib
import http.server
import json
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.conftest import tool

PATIENCE = 30  # seconds until a server has to be ready


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], ready: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block ends; it has to answer at `ready` first."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        _await(process, ready, log)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _await(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, f"{process.args!r} ended early:\n{log.read_text()}"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"{process.args!r} is not ready after {PATIENCE} s:\n{log.read_text()}")


@contextlib.contextmanager
def running_prometheus(
    folder: Path, rules: Path, evaluation_interval: str = "1m", config: str = "", flags: tuple[str, ...] = ()
) -> Iterator[str]:
    """A Prometheus with a folder of rule files; gives its address. `config` is appended to its configuration."""
    port = free_port()
    settings = folder / "prometheus.yml"
    head = f"global: {{evaluation_interval: {evaluation_interval}}}\nrule_files: ['{rules}/*.yaml']\n"
    settings.write_text(head + config)
    address = f"http://127.0.0.1:{port}"
    command = [
        tool("prometheus"),
        f"--config.file={settings}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-lifecycle",
        *flags,
    ]
    with running(command, f"{address}/-/ready", folder / "prometheus.log"):
        yield address


@contextlib.contextmanager
def running_alertmanager(folder: Path, config: Path) -> Iterator[str]:
    """An Alertmanager; gives its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [
        tool("prometheus-alertmanager"),
        f"--config.file={config}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with running(command, f"{address}/-/ready", folder / "alertmanager.log"):
        yield address


@contextlib.contextmanager
def running_victoria(folder: Path) -> Iterator[str]:
    """A VictoriaMetrics that shows at once what it was sent; gives its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [
        tool("victoria-metrics"),
        f"-storageDataPath={folder / 'victoria'}",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-search.latencyOffset=0s",
        "-search.disableCache",
    ]
    with running(command, f"{address}/health", folder / "victoria.log"):
        yield address


@contextlib.contextmanager
def running_vmalert(folder: Path, rules: Path, storage: str) -> Iterator[str]:
    """A vmalert with a folder of rule files that reads and writes one storage; gives its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [
        tool("vmalert"),
        f"-rule={rules}/*.yaml",
        f"-datasource.url={storage}",
        f"-remoteWrite.url={storage}",
        "-remoteWrite.flushInterval=200ms",
        "-notifier.url=http://127.0.0.1:9",
        f"-httpListenAddr=127.0.0.1:{port}",
    ]
    with running(command, f"{address}/health", folder / "vmalert.log"):
        yield address


class _Listener(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.heard.append(json.loads(body))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A receiver of notifications; gives its address and the list of what arrives."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Listener)
    heard: list[dict[str, Any]] = []
    server.heard = heard  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.1,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Wait until a condition holds; the test fails if it does not in time."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"not within {patience} s: {what}"
        time.sleep(0.1)
