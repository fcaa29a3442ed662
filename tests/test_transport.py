"""HTTP under bad conditions: busy, cut, endless, misleading or hostile servers, and secrets that stay secret."""

from __future__ import annotations

import base64
import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from dashgen.exits import Exit
from dashgen.push import transport
from dashgen.push.remotes import RemoteError
from dashgen.push.settings import RemoteSettings, Secret
from dashgen.push.transport import Transport
from tests.servers import free_port

Reply = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Server:
    """Answers request after request with the replies it was given; the last one goes on."""

    replies: list[Reply]
    url: str = ""
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def serving(*replies: Reply) -> Iterator[Server]:
    server = Server(list(replies))

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            server.asked.append((self.command, self.path, dict(self.headers)))
            (server.replies.pop(0) if len(server.replies) > 1 else server.replies[0])(self)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    server.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()


def said(status: int, body: Any = None, **headers: str) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return reply


def cut(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.close()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that would have been made."""
    made: list[float] = []
    monkeypatch.setattr(transport.time, "sleep", made.append)
    return made


def to(server: Server, **more: Any) -> Transport:
    return Transport(RemoteSettings(name="r", type="grafana", url=server.url, **more))


def test_a_busy_server_is_asked_again_after_the_pause_it_wants(waits: list[float]) -> None:
    with serving(said(429, {}, Retry_After="7"), said(503, {}), said(200, {"a": 1})) as server:
        assert to(server).call("GET", "/x").json() == {"a": 1}
    assert waits[0] == 7
    assert 0.7 < waits[1] < 1.3


def test_pauses_have_a_bound_and_tries_an_end(waits: list[float]) -> None:
    with serving(said(429, {}, Retry_After="86400")) as server:
        with pytest.raises(RemoteError, match="answered 429"):
            to(server).call("PUT", "/x", json={})
        assert len(server.asked) == transport.TRIES
    assert max(waits) == transport.LONGEST_WAIT


def test_what_must_not_happen_twice_is_repeated_only_where_it_did_not_happen() -> None:
    with serving(said(500, {"message": "no"}), said(200, {})) as server:
        with pytest.raises(RemoteError, match="answered 500: no"):
            to(server).call("POST", "/x", json={})
        assert len(server.asked) == 1
    with serving(said(429, {}), said(200, {})) as server:
        to(server).call("POST", "/x", json={})
        assert len(server.asked) == 2
    with serving(cut, said(200, {})) as server:
        with pytest.raises(RemoteError) as caught:
            to(server).call("POST", "/x", json={})
        assert caught.value.code is Exit.UNREACHABLE
    with serving(cut, said(200, {})) as server:
        to(server).call("POST", "/x", json={}, again=True)
        assert len(server.asked) == 2


def test_nobody_listens() -> None:
    dead = Server([], f"http://127.0.0.1:{free_port()}")
    with pytest.raises(RemoteError, match="nobody listens there") as caught:
        to(dead).call("GET", "/x")
    assert caught.value.code is Exit.UNREACHABLE


@pytest.mark.parametrize(
    ("status", "code", "stale"), [(401, 3, False), (403, 3, False), (409, 4, True), (412, 4, True), (404, 4, False)]
)
def test_statuses_mean_what_they_say(status: int, code: int, stale: bool) -> None:
    with serving(said(status, {"message": "because"})) as server:
        with pytest.raises(RemoteError, match="because") as caught:
            to(server).call("GET", "/x")
        assert (caught.value.code, caught.value.stale, caught.value.status) == (code, stale, status)
        assert to(server).call("GET", "/x", expected=(status,)).status == status


def test_secrets_reach_the_server_and_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "glsa_very-secret")
    settings = {"token": Secret(env="TOKEN"), "tenant": "t1", "headers": {"X-More": Secret(env="TOKEN")}}
    with serving(said(500, {"message": "token glsa_very-secret is odd"})) as server:
        at = to(server, **settings)
        with pytest.raises(RemoteError) as caught:
            at.call("POST", "/x", json={})
        sent = server.asked[0][2]
    assert sent["Authorization"] == "Bearer glsa_very-secret"
    assert sent["X-Scope-OrgID"] == "t1"
    assert "very-secret" not in str(caught.value) + repr(caught.value) + repr(at.settings)


def test_redirects_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    with serving(said(200, {})) as other, serving(said(302, {}, Location=f"{other.url}/steal")) as server:
        with pytest.raises(RemoteError, match="does not follow"):
            to(server, token=Secret(env="TOKEN")).call("GET", "/x")
        assert other.asked == []


def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LARGEST", 1_000_000)

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(10_000):
            handler.wfile.write(b"x" * 100_000)

    with serving(endless) as server, pytest.raises(RemoteError, match="too large") as caught:
        to(server).call("GET", "/x")
    assert "1," in str(caught.value)


def test_a_bomb_in_gzip_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LARGEST", 1_000_000)
    bomb = gzip.compress(b"\0" * 50_000_000)
    with serving(said(200, bomb, Content_Encoding="gzip")) as server, pytest.raises(RemoteError, match="too large"):
        to(server).call("GET", "/x")


def test_a_server_that_dawdles_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def dawdling(handler: BaseHTTPRequestHandler) -> None:
        released.wait(5)

    monkeypatch.setattr(transport, "TRIES", 1)
    with serving(dawdling) as server:
        started = time.monotonic()
        with pytest.raises(RemoteError, match="no answer in time"):
            to(server, timeout=0.3).call("GET", "/x")
        assert time.monotonic() - started < 4
        released.set()


def test_a_page_of_a_login_is_no_answer() -> None:
    page = b"<html><title>Log in</title></html>"
    with (
        serving(said(200, page, Content_Type="text/html")) as server,
        pytest.raises(RemoteError, match=r"instead of JSON\. What answers at http://\S+ does not look like grafana\."),
    ):
        to(server).call("GET", "/x").json()
    with (
        serving(said(404, page, Content_Type="text/html")) as server,
        pytest.raises(RemoteError, match="a page of HTML"),
    ):
        to(server).call("GET", "/x")


@pytest.mark.parametrize("asked", ["nan", "-1", "inf", "soon", "Tue, 24 Nov 2026 11:00:00 GMT"])
def test_any_pause_that_a_server_asks_for_is_survived(asked: str, waits: list[float]) -> None:
    with serving(said(429, {}, Retry_After=asked), said(200, {})) as server:
        assert to(server).call("GET", "/x").status == 200
    assert 0 <= waits[0] <= transport.LONGEST_WAIT


def test_no_part_of_a_secret_is_shown_in_any_coding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORD", "glsa_very-secret-word")
    with serving(said(400, {"message": "x" * (transport.SHOWN - 10) + "glsa_very-secret-word"})) as server:
        with pytest.raises(RemoteError, match="xxx") as caught:
            to(server, token=Secret(env="WORD")).call("GET", "/x")
        assert "glsa" not in str(caught.value)
    coded = base64.b64encode(b"me:glsa_very-secret-word").decode()
    with serving(said(400, {"message": f"bad {coded}"})) as server:
        with pytest.raises(RemoteError, match="bad …") as caught:
            to(server, username="me", password=Secret(env="WORD")).call("GET", "/x")
        assert server.asked[0][2]["Authorization"] == f"Basic {coded}"


@pytest.mark.parametrize("word", ["glsa_→x", "glsa_a\nb"])
def test_a_token_that_no_header_can_carry_is_explained(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORD", word)
    with serving(said(200, {})) as server:
        with pytest.raises(RemoteError, match="cannot carry") as caught:
            to(server, token=Secret(env="WORD")).call("GET", "/x")
        assert word not in str(caught.value)
        assert to(server, username="me", password=Secret(env="WORD")).call("GET", "/x").status == 200


def test_a_redirection_to_nonsense_is_refused() -> None:
    with (
        serving(said(302, {}, Location="http://[bad")) as server,
        pytest.raises(RemoteError, match="no valid address"),
    ):
        to(server).call("GET", "/x")


def test_the_body_of_a_redirection_is_not_read() -> None:
    sent = [0]

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "/y")
        handler.end_headers()
        for _ in range(1_000):
            sent[0] += handler.wfile.write(b"x" * 100_000)

    with serving(endless) as server, pytest.raises(RemoteError, match="does not follow"):
        to(server).call("GET", "/x")
    assert sent[0] < 50_000_000
