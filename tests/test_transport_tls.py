"""Certificates: whom the transport trusts, by whom it is trusted, and what it says when somebody is not."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dashgen.exits import Exit
from dashgen.push import transport
from dashgen.push.remotes import RemoteError
from dashgen.push.settings import RemoteSettings
from dashgen.push.transport import Transport
from tests.conftest import tool


def openssl(*arguments: str) -> None:
    done = subprocess.run([tool("openssl"), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def certificate(folder: Path, name: str, address: str) -> None:
    """A key and a certificate for an address, signed by the authority of the folder."""
    key, request, made = folder / f"{name}.key", folder / f"{name}.csr", folder / f"{name}.crt"
    extensions = folder / f"{name}.ext"
    extensions.write_text(f"subjectAltName=IP:{address}\n")
    elliptic = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-new", *elliptic, "-keyout", str(key), "-out", str(request), "-subj", f"/CN={name}")
    signer = ("-CA", str(folder / "ca.crt"), "-CAkey", str(folder / "ca.key"), "-CAcreateserial")
    openssl("x509", "-req", "-in", str(request), *signer, "-days", "2", "-extfile", str(extensions), "-out", str(made))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, a server with its right address and one with a wrong one, and a client."""
    made = tmp_path_factory.mktemp("tls")
    elliptic = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    authority = ("-keyout", str(made / "ca.key"), "-out", str(made / "ca.crt"), "-days", "2", "-subj", "/CN=ca")
    openssl("req", "-x509", *elliptic, *authority)
    for name, address in (("server", "127.0.0.1"), ("other", "127.0.0.2"), ("client", "127.0.0.1")):
        certificate(made, name, address)
    return made


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(folder: Path, name: str, *, asks: bool = False) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
    if asks:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "ca.crt")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def call(url: str, **settings: Any) -> int:
    return Transport(RemoteSettings(name="r", type="grafana", url=url, **settings)).call("GET", "/").status


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport.time, "sleep", lambda _: None)


def test_an_authority_of_ones_own_has_to_be_named(folder: Path) -> None:
    with serving(folder, "server") as url:
        with pytest.raises(RemoteError, match="certificate is not trusted") as caught:
            call(url)
        assert caught.value.code is Exit.UNREACHABLE
        assert call(url, ca=folder / "ca.crt") == 200


def test_a_certificate_for_somebody_else_is_refused(folder: Path) -> None:
    with serving(folder, "other") as url, pytest.raises(RemoteError, match="certificate"):
        call(url, ca=folder / "ca.crt")


def test_a_server_may_ask_who_we_are(folder: Path) -> None:
    with serving(folder, "server", asks=True) as url:
        with pytest.raises(RemoteError):
            call(url, ca=folder / "ca.crt")
        ours = {"cert": folder / "client.crt", "key": folder / "client.key"}
        assert call(url, ca=folder / "ca.crt", **ours) == 200
