"""A place to push to, for tests: a fake Grafana with one API or the other, or a real one; and what is pushed there."""

from __future__ import annotations

import contextlib
import copy
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashgen import conventions as c
from dashgen.model.artifact import Artifact
from dashgen.model.plan import Plan, Summary
from dashgen.plan import content, plan_remote
from dashgen.push.engine import Push
from dashgen.push.remotes.grafana import GrafanaRemote
from dashgen.push.settings import RemoteSettings, Secret
from dashgen.push.store import Store
from tests.fakes.grafana import FakeGrafana, fake_grafana


@dataclass
class Place:
    """One Grafana, the graph that is pushed to it, and the files of that graph by the uid of the dashboard."""

    url: str
    token: Path
    api: str
    fake: FakeGrafana | None
    root: Path
    graph: str = "shop"

    def remote(self, **settings: Any) -> GrafanaRemote:
        """A remote as a new process would make it."""
        given = {"url": self.url, "token": Secret(file=self.token), "api": self.api, "timeout": 5.0, **settings}
        return GrafanaRemote(RemoteSettings("grafana", "grafana", **given))

    def uid(self, name: str) -> str:
        """The uid of a dashboard of ours."""
        return c.uid(self.graph, "service", name)

    @property
    def folder(self) -> str:
        """The uid of the folder that all of them stand in."""
        return c.uid(self.graph, "folder", "team")

    def out(self, *names: str, title: str = "", editors: tuple[str, ...] = (), **extra: Any) -> list[Artifact]:
        """What `out/` holds: a folder, and a dashboard for every name."""
        folders = [{"uid": self.folder, "title": f"Team of {self.graph}", "editors": list(editors)}]
        made = [Artifact("grafana/folders.json", f"graph-{self.graph}", "folders", b"", folders)]
        for name in names:
            data = {**dashboard(title or name), "uid": self.uid(name), **extra}
            path = f"grafana/dashboards/team/{self.uid(name)}.json"
            made.append(Artifact(path, f"service-{name}", "dashboard", b"", data))
        return made

    def plan(self, out: list[Artifact], *, prune: bool = False, adopt: bool = False, **settings: Any) -> Plan:
        """Compare, with a remote of its own."""
        remote = self.remote(**settings)
        wanted = remote.wanted(out)
        found = remote.found(self.graph, [each.key for each in wanted])
        steps = plan_remote("grafana", self.graph, wanted, found, prune=prune, adopt=adopt)
        return Plan("dev", self.graph, tuple(steps))

    def push(self, plan: Plan, **settings: Any) -> Summary:
        """Do a plan, with a remote of its own."""
        remote = self.remote(**settings)
        return Push(plan, {"grafana": remote}, {"grafana": 4}, Store(self.root / ".dashgen"), content).run()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What a person or another tool does, past everything that dashgen knows."""
        headers = {"Authorization": f"Bearer {self.token.read_text()}", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        asked = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return json.loads(answer.read())

    def edit(self, uid: str, change: Callable[[dict[str, Any]], Any]) -> None:
        """Edit a dashboard as in a browser."""
        read = self.ask("GET", f"/api/dashboards/uid/{uid}")
        change(read["dashboard"])
        body = {"dashboard": read["dashboard"], "folderUid": read["meta"]["folderUid"], "overwrite": True}
        with self._as("ann"):
            self.ask("POST", "/api/dashboards/db", body)

    def add(self, uid: str, data: dict[str, Any]) -> None:
        """Somebody's own dashboard, in the root."""
        with self._as("bob"):
            self.ask("POST", "/api/dashboards/db", {"dashboard": {**data, "uid": uid}, "overwrite": True})

    def stored(self, uid: str) -> dict[str, Any] | None:
        """The dashboard and its metadata as Grafana tells them."""
        try:
            return self.ask("GET", f"/api/dashboards/uid/{uid}")  # type: ignore[no-any-return]
        except urllib.error.HTTPError as error:
            with error:
                if error.code != 404:
                    raise
            return None

    @contextlib.contextmanager
    def _as(self, who: str) -> Iterator[None]:
        if self.fake is None:
            yield
            return
        before, self.fake.user = self.fake.user, who
        yield
        self.fake.user = before


@contextlib.contextmanager
def fake_place(root: Path, api: str) -> Iterator[Place]:
    """A fake that has only the classic API, or both."""
    token = root / "token"
    token.write_text("glsa_fake_0123456789")
    with fake_grafana(root / "grafana.json", apis=api == "apis") as server:
        yield Place(server.url, token, "auto", server, root)


@contextlib.contextmanager
def real_place(root: Path, url: str, token: str) -> Iterator[Place]:
    """A real Grafana, which is left as it was."""
    file = root / "token"
    file.write_text(token)
    place = Place(url.rstrip("/"), file, "auto", None, root, f"dg-{secrets.token_hex(3)}")
    try:
        yield place
    finally:
        for row in place.ask("GET", "/api/search?type=dash-db&limit=5000"):
            if row["uid"].startswith(place.graph):
                place.ask("DELETE", f"/api/dashboards/uid/{row['uid']}")
        with contextlib.suppress(urllib.error.HTTPError):
            place.ask("DELETE", f"/api/folders/{place.folder}")


def dashboard(title: str) -> dict[str, Any]:
    """A dashboard with panels that the server will sort, nulls that it will drop, and a variable."""
    panels = [
        {"id": 2, "type": "stat", "title": "Below", "gridPos": {"x": 0, "y": 8, "w": 12, "h": 8}, "options": {}},
        {"id": 1, "type": "timeseries", "title": "Above", "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8}, "links": None},
    ]
    steps = [{"color": "green", "value": None}, {"color": "red", "value": 0.5}]
    panels[0]["fieldConfig"] = {"defaults": {"thresholds": {"mode": "absolute", "steps": steps}}, "overrides": []}
    panels[1]["targets"] = [{"refId": "A", "expr": "sum(rate(x_total[5m]))"}]
    variable = {"name": "env", "type": "query", "query": "label_values(env)", "hide": 0}
    made = {"title": title, "tags": ["dashgen"], "schemaVersion": 42, "editable": False, "panels": panels}
    return copy.deepcopy({**made, "templating": {"list": [variable]}, "time": {"from": "now-6h", "to": "now"}})
