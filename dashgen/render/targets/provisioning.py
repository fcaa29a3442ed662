"""Folders → a file of dashboard providers for Grafana's own provisioning of the dashboards in `out/grafana/`."""

from __future__ import annotations

from collections.abc import Sequence

from dashgen import canonical
from dashgen import conventions as c
from dashgen.model.artifact import Artifact
from dashgen.model.graph import Settings
from dashgen.render.targets.folders import Folder

MOUNTED = "/var/lib/grafana/dashboards"  # where Grafana's own documentation and images keep provisioned dashboards


def providers(known: Sequence[Folder], settings: Settings) -> Artifact:
    """One provider per folder, so that folders have the uids that `push` gives them, and permissions stay with them."""
    data = {
        "apiVersion": 1,
        "providers": [
            {
                "name": _literal(f"{c.OWNER_MARK}-{settings.name}-{each.name}"),
                "orgId": 1,
                "folder": _literal(each.title),
                "folderUid": each.uid,
                "type": "file",
                "disableDeletion": False,
                "allowUiUpdates": False,
                "updateIntervalSeconds": 30,
                "options": {"path": _literal(f"{MOUNTED}/{settings.name}/{each.name}")},
            }
            for each in known
        ],
    }
    owner = c.owner(c.GRAPH, settings.name)
    path = f"provisioning/dashboards/{c.OWNER_MARK}-{settings.name}.yaml"
    return Artifact(path, owner, "provisioning", canonical.yaml_text(data).encode(), data)


def _literal(text: str) -> str:
    """A text in which Grafana expands no variable.

    >>> _literal("cost in $")
    'cost in $$'
    """
    return text.replace("$", "$$")
