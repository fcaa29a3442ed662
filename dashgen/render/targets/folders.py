"""The Grafana folders that dashboards stand in, found by the paths of the dashboards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dashgen import conventions as c
from dashgen.model.graph import Graph

DASHBOARDS = "grafana/dashboards/"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder: the name of its directory, the uid that it has in every target, and its title for people."""

    name: str
    uid: str
    title: str


def folders(paths: Iterable[str], graph: Graph) -> list[Folder]:
    """Every folder in the order of names; a team's folder bears the team's title."""
    titles = {c.slug(graph.settings.name): graph.title} | {c.slug(team.name): team.title for team in graph.teams}
    names = {name(path) for path in paths if path.startswith(DASHBOARDS)}
    return [Folder(each, c.uid(graph.settings.name, "folder", each), titles.get(each, each)) for each in sorted(names)]


def name(path: str) -> str:
    """The folder of a dashboard.

    >>> name("grafana/dashboards/commerce/shop-service-orders.json")
    'commerce'
    """
    return path.removeprefix(DASHBOARDS).rpartition("/")[0]
