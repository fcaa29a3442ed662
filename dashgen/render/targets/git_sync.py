"""Dashboards and folders → resources in a tree, as Grafana's Git Sync reads them from a repository."""

from __future__ import annotations

from typing import Any, Final

from dashgen import canonical
from dashgen import conventions as c
from dashgen.model.artifact import Artifact
from dashgen.model.graph import Settings
from dashgen.render.targets.folders import DASHBOARDS, Folder

KIND: Final = "git-sync"


def resource(dashboard: Artifact) -> Artifact:
    """A V1 envelope. Its folder is its directory; the uid is its name, and must not stand in `spec` as well."""
    spec = {key: value for key, value in dashboard.data.items() if key not in ("uid", "id", "version")}
    data: dict[str, Any] = {
        "apiVersion": "dashboard.grafana.app/v1",
        "kind": "Dashboard",
        "metadata": {"name": dashboard.data["uid"]},
        "spec": spec,
    }
    path = f"{KIND}/{dashboard.path.removeprefix(DASHBOARDS)}"
    return Artifact(path, dashboard.owner, KIND, canonical.json(data), data)


def folder(each: Folder, settings: Settings) -> Artifact:
    """The file that gives a directory a title and a uid; without it the uid would change with the directory's path."""
    data = {
        "apiVersion": "folder.grafana.app/v1",
        "kind": "Folder",
        "metadata": {"name": each.uid},
        "spec": {"title": each.title},
    }
    owner = c.owner(c.GRAPH, settings.name)
    return Artifact(f"{KIND}/{each.name}/_folder.json", owner, KIND, canonical.json(data), data)
