"""A Mimir or Cortex over real HTTP for tests: ruler, evaluated rules and Alertmanager APIs, with faults on demand."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from tests.fakes.mimir_state import Refused, State
from tests.fakes.server import Answer, FaultyHandler, FaultyServer, serving

PREFIXES = {"mimir": "/prometheus/config/v1/rules", "cortex": "/api/v1/rules", "loki": "/loki/api/v1/rules"}


class FakeMimir(FaultyServer):
    """One server of a product. Without `enabled` it has no ruler API, as a plain Cortex has none."""

    def __init__(self, state: State, product: str = "mimir", *, enabled: bool = True):
        super().__init__(_Handler)
        self.state, self.prefix, self.enabled = state, PREFIXES[product], enabled


@contextlib.contextmanager
def running_mimir(state: State, product: str = "mimir", *, enabled: bool = True) -> Iterator[FakeMimir]:
    """A server that runs until the block ends."""
    with serving(FakeMimir(state, product, enabled=enabled)) as server:
        yield server


class _Handler(FaultyHandler):
    server: FakeMimir

    def route(self, body: bytes) -> Answer:
        try:
            return self._called(urlsplit(self.path).path, body)
        except Refused as refused:
            return refused.status, f"{refused.text}\n".encode(), "text/plain"

    def refusal(self, status: int) -> Answer:
        return status, b"fault on demand", "text/plain"

    def _called(self, path: str, body: bytes) -> Answer:
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

    def _alertmanager(self, tenant: str, body: bytes) -> Answer:
        state = self.server.state
        if self.command == "GET":
            return 200, state.config(tenant), "application/yaml"
        if self.command == "POST":
            state.post_config(tenant, body)
            return 201, b"", "text/plain"
        state.delete_config(tenant)
        return 200, b"", "text/plain"
