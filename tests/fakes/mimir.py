"""A Mimir or Cortex over real HTTP for tests: ruler, evaluated rules and Alertmanager APIs, with faults on demand."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.fakes.mimir_state import Refused, State

PREFIXES = {"mimir": "/prometheus/config/v1/rules", "cortex": "/api/v1/rules", "loki": "/loki/api/v1/rules"}
WRITES = ("POST", "DELETE")
SLOW = 0.6  # seconds that a slow answer takes
FAULTS = ("401", "403", "404", "429", "500", "slow", "cut", "lost", "html")


class FakeMimir(ThreadingHTTPServer):
    """One server. `faults` befall requests in their order, one each; None lets a request pass.

    `cut` breaks the connection before anything happens, `lost` after it did, `html` is the page of a proxy's login.
    With `faults_of_writes` reads pass by the faults. Without `enabled` there is no ruler API, as in a plain Cortex.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, state: State, product: str = "mimir", *, enabled: bool = True):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state, self.prefix, self.enabled = state, PREFIXES[product], enabled
        self.faults: deque[str | None] = deque()
        self.faults_of_writes = False
        self.requests: Counter[str] = Counter()
        self.seen: list[str] = []
        self.counting = threading.Lock()

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fail(self, *faults: str | None, writes: bool = True) -> None:
        """Let these befall the next writes, or the next requests."""
        self.faults, self.faults_of_writes = deque(faults), writes

    def forget(self) -> None:
        """Count requests from here on."""
        self.requests.clear()
        self.seen.clear()

    @property
    def writes(self) -> list[str]:
        """The requests that changed something, in their order."""
        return [each for each in self.seen if each.partition(" ")[0] in WRITES]

    def fault(self, method: str) -> str | None:
        """What befalls this request."""
        with self.counting:
            if not self.faults or (self.faults_of_writes and method not in WRITES):
                return None
            return self.faults.popleft()


class _Handler(BaseHTTPRequestHandler):
    server: FakeMimir
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        with self.server.counting:
            self.server.requests[self.command] += 1
            self.server.seen.append(f"{self.command} {path}")
        fault = self.server.fault(self.command)
        if fault == "cut":
            return self._cut()
        if fault == "html":
            return self._answer(200, b"<html>Log in</html>", "text/html")
        if fault == "slow":
            time.sleep(SLOW)
        elif fault and fault.isdigit():
            return self._answer(int(fault), b"fault on demand", more={"Retry-After": "0"})
        try:
            status, content, kind = self._route(path, body)
        except Refused as refused:
            status, content, kind = refused.status, f"{refused.text}\n".encode(), "text/plain"
        return self._cut() if fault == "lost" else self._answer(status, content, kind)

    def _route(self, path: str, body: bytes) -> tuple[int, bytes, str]:
        tenant = self.headers.get("X-Scope-OrgID")
        if not tenant:
            raise Refused(401, "no org id")
        state, prefix = self.server.state, self.server.prefix
        if path == "/prometheus/api/v1/rules":
            return 200, json.dumps(state.loaded(tenant)).encode(), "application/json"
        if path == "/api/v1/alerts":
            return self._alertmanager(tenant, body)
        if not self.server.enabled or not (path == prefix or path.startswith(f"{prefix}/")):
            raise Refused(404, "404 page not found")
        parts = [unquote(part) for part in path.removeprefix(prefix).split("/")[1:]]
        match self.command, len(parts):
            case "GET", 0 | 1:
                return 200, state.listed(tenant, *parts), "application/yaml"
            case "POST", 1:
                if self.headers.get("Content-Type") != "application/yaml":
                    raise Refused(400, "unexpected content type")
                state.post(tenant, parts[0], body)
            case "DELETE", 1 | 2:
                state.delete(tenant, *parts)
            case _:
                raise Refused(405, "method not allowed")
        return 202, b'{"status":"success","data":null,"errorType":"","error":""}', "application/json"

    def _alertmanager(self, tenant: str, body: bytes) -> tuple[int, bytes, str]:
        state = self.server.state
        if self.command == "GET":
            return 200, state.config(tenant), "application/yaml"
        if self.command == "POST":
            state.post_config(tenant, body)
            return 201, b"", "text/plain"
        state.delete_config(tenant)
        return 200, b"", "text/plain"

    def _answer(
        self, status: int, content: bytes, kind: str = "text/plain", more: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _cut(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def running_mimir(state: State, product: str = "mimir", *, enabled: bool = True) -> Iterator[FakeMimir]:
    """A server that runs until the block ends."""
    server = FakeMimir(state, product, enabled=enabled)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
