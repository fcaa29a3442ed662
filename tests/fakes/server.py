"""What every fake server shares: requests are counted, and faults befall them in their order."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar

WRITES = ("POST", "PUT", "DELETE", "PATCH")
SLOW = 0.2  # seconds that a slow answer takes
Answer = tuple[int, bytes, str]  # status, body, content type


class FaultyServer(ThreadingHTTPServer):
    """One server. `faults` befall requests in their order, one each; None lets a request pass.

    A status is answered as such, `cut` breaks the connection before anything happens, `lost` after it did, `slow` takes
    a while, `html` is the page of a proxy's login. With `faults_of_writes` reads pass by the faults.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, handler: type[FaultyHandler]):
        super().__init__(("127.0.0.1", 0), handler)
        self.faults: deque[str | None] = deque()
        self.faults_of_writes = False
        self.pause = 0.0  # seconds before every answer
        self.requests: Counter[str] = Counter()
        self.seen: list[str] = []
        self.at_once = self.most_at_once = 0
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


class FaultyHandler(BaseHTTPRequestHandler):
    """Answers as `route` and `refusal` of a product say, unless a fault befalls the request."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 10
    server: FaultyServer

    def route(self, body: bytes) -> Answer:
        """What the product answers."""
        raise NotImplementedError

    def refusal(self, status: int) -> Answer:
        """The product's form of a fault on demand."""
        raise NotImplementedError

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

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing is printed."""

    def _answer(self, fault: str | None, body: bytes) -> None:
        time.sleep(SLOW if fault == "slow" else self.server.pause)
        if fault == "cut":
            self._cut()
        elif fault == "html":
            self._send(200, b"<html>Please log in</html>", "text/html")
        elif fault == "404":  # a proxy that knows no such path
            self._send(404, b"404 page not found", "text/plain")
        elif fault and fault.isdigit():
            self._send(*self.refusal(int(fault)), {"Retry-After": "0.05"})
        else:
            answer = self.route(body)
            if fault == "lost":
                self._cut()
            else:
                self._send(*answer)

    def _send(self, status: int, body: bytes, kind: str, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _cut(self) -> None:
        """Close so that the other side sees a reset, not an end."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.shutdown(socket.SHUT_RDWR)


Server = TypeVar("Server", bound=FaultyServer)


@contextlib.contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Runs a server until the block ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
