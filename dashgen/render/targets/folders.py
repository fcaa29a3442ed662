"""The Grafana folders that dashboards stand in, found by the paths of the dashboards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dashgen import canonical
from dashgen import conventions as c
from dashgen.model.artifact import Artifact
from dashgen.model.graph import Graph

PATH = "grafana/folders.json"
DASHBOARDS = "grafana/dashboards/"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder: its directory, the uid that it has in every target, its title, and the Grafana teams that may edit."""

    name: str
    uid: str
    title: str
    editors: tuple[str, ...] = ()


def folders(paths: Iterable[str], graph: Graph) -> list[Folder]:
    """Every folder in the order of names; a team's folder bears the team's title."""
    titles = {c.slug(graph.settings.name): graph.title} | {c.slug(team.name): team.title for team in graph.teams}
    editors = {c.slug(team.name): team.editors for team in graph.teams}
    names = {name(path) for path in paths if path.startswith(DASHBOARDS)}
    return [
        Folder(each, c.uid(graph.settings.name, "folder", each), titles.get(each, each), editors.get(each, ()))
        for each in sorted(names)
    ]


def listed(known: Iterable[Folder], graph: Graph) -> Artifact:
    """The folders as a file, from which `push` knows their titles and who may edit what stands in them."""
    data = [{"editors": list(each.editors), "title": each.title, "uid": each.uid} for each in known]
    return Artifact(PATH, c.owner(c.GRAPH, graph.settings.name), "folders", canonical.json(data), data)


def name(path: str) -> str:
    """The folder of a dashboard.

    >>> name("grafana/dashboards/commerce/shop-service-orders.json")
    'commerce'
    """
    return path.removeprefix(DASHBOARDS).rpartition("/")[0]
