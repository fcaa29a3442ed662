"""A Grafana over real HTTP for tests: both families of its APIs, its refusals, and faults on demand."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes import grafana_apis, grafana_legacy
from tests.fakes.grafana_state import Refused, State

TOKEN = "glsa_fake_0123456789"
WRITES = ("POST", "PUT", "DELETE", "PATCH")
SLOW = 0.2  # seconds that a slow answer takes
FAULTS = ("401", "403", "404", "409", "412", "422", "429", "500", "503", "slow", "cut", "lost", "html")


class FakeGrafana(ThreadingHTTPServer):
    """One server. `faults` befall requests in their order, one each; None lets a request pass.

    `cut` breaks the connection before anything happens, `lost` after it did, `html` is the page of a proxy's login.
    With `faults_of_writes` reads pass by the faults.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, state: State, *, apis: bool):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state, self.apis = state, apis
        self.faults: deque[str | None] = deque()
        self.faults_of_writes = False
        self.pause = 0.0  # seconds before every answer
        self.requests: Counter[str] = Counter()
        self.seen: list[str] = []
        self.at_once = self.most_at_once = 0
        self.user = "service-account:dashgen"
        self.counting = threading.Lock()

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fail(self, *faults: str | None, writes: bool = False) -> None:
        """Let these befall the next requests, or the next writes."""
        self.faults, self.faults_of_writes = deque(faults), writes

    def forget(self) -> None:
        """Count requests from here on."""
        self.requests.clear()
        self.seen.clear()
        self.most_at_once = 0

    @property
    def writes(self) -> int:
        """Requests that could change something."""
        return sum(self.requests[method] for method in WRITES)


@contextlib.contextmanager
def fake_grafana(file: Path, *, apis: bool) -> Iterator[FakeGrafana]:
    """Runs a server until the block ends; its state is read from and kept in a file."""
    server = FakeGrafana(State(file), apis=apis)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


Route = tuple[str, str, Callable[..., tuple[int, Any]]]
ROUTES: Iterable[Route] = (*grafana_legacy.ROUTES, *grafana_apis.ROUTES)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 10
    server: FakeGrafana

    def handle_one_request(self) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError):
            super().handle_one_request()

    def do(self) -> None:
        server = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with server.counting:
            server.requests[self.command] += 1
            server.seen.append(f"{self.command} {self.path}")
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)
            hit = server.faults and (not server.faults_of_writes or self.command in WRITES)
            fault = server.faults.popleft() if hit else None
        try:
            self._answer(fault, body)
        finally:
            with server.counting:
                server.at_once -= 1

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do  # noqa: N815 - the library's names

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is printed."""

    def _answer(self, fault: str | None, body: bytes) -> None:
        time.sleep(SLOW if fault == "slow" else self.server.pause)
        if fault == "cut":
            return self._cut()
        if fault == "html":
            return self._send(200, b"<html>Please log in</html>", "text/html")
        if fault == "404":  # a proxy that knows no such path; Grafana's own 404 is JSON
            return self._send(404, b"404 page not found", "text/plain")
        if fault and fault.isdigit():
            return self._json(int(fault), {"message": f"on demand: {fault}"}, {"Retry-After": "0.05"})
        try:
            status, said = self._route(body)
        except Refused as refused:
            status, said = refused.status, {"message": str(refused), "status": refused.reason}
        if fault == "lost":
            return self._cut()
        return self._json(status, said)

    def _route(self, body: bytes) -> tuple[int, Any]:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise Refused(401, "Invalid API key")
        address = urlsplit(self.path)
        if address.path.startswith("/apis") and not self.server.apis:
            raise Refused(404, "Not found")
        params = {key: values[-1] for key, values in parse_qs(address.query).items()}
        for method, pattern, answer in ROUTES:
            match = re.fullmatch(pattern, address.path)
            if match and method == self.command:
                given = [unquote(each) for each in match.groups()]
                with self.server.state.lock:
                    data = json.loads(body) if body else {}
                    return answer(self.server.state, self.server.user, params, data, *given)
        raise Refused(404, "Not found")

    def _json(self, status: int, said: Any, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(said).encode(), "application/json", headers)

    def _send(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _cut(self) -> None:
        """Close so that the other side sees a reset, not an end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
