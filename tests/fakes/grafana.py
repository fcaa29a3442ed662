"""A Grafana over real HTTP for tests: both families of its APIs, its refusals, and faults on demand."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes import grafana_apis, grafana_legacy
from tests.fakes.grafana_state import Refused, State
from tests.fakes.server import Answer, FaultyHandler, FaultyServer, serving

TOKEN = "glsa_fake_0123456789"
FAULTS = ("401", "403", "404", "409", "412", "422", "429", "500", "503", "slow", "cut", "lost", "html")


class FakeGrafana(FaultyServer):
    """One Grafana; without `apis` an older one, which has the legacy API only."""

    def __init__(self, state: State, *, apis: bool):
        super().__init__(_Handler)
        self.state, self.apis = state, apis
        self.user = "service-account:dashgen"


@contextlib.contextmanager
def fake_grafana(file: Path, *, apis: bool) -> Iterator[FakeGrafana]:
    """Runs a server until the block ends; its state is read from and kept in a file."""
    with serving(FakeGrafana(State(file), apis=apis)) as server:
        yield server


Route = tuple[str, str, Callable[..., tuple[int, Any]]]
ROUTES: Iterable[Route] = (*grafana_legacy.ROUTES, *grafana_apis.ROUTES)


class _Handler(FaultyHandler):
    server: FakeGrafana

    def route(self, body: bytes) -> Answer:
        try:
            status, said = self._called(body)
        except Refused as refused:
            status, said = refused.status, {"message": str(refused), "status": refused.reason}
        return status, json.dumps(said).encode(), "application/json"

    def refusal(self, status: int) -> Answer:
        return status, json.dumps({"message": f"on demand: {status}"}).encode(), "application/json"

    def _called(self, body: bytes) -> tuple[int, Any]:
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
