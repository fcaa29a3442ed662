"""Who may edit a folder of Grafana's: teams by name, merged into a list that also holds what others granted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from dashgen.model.remote import Found, Key
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.grafana_objects import absent, accepted, rows, table, text
from dashgen.push.transport import Transport

EDIT = 2  # 1 views, 2 edits, 4 administers


class FolderAccess:
    """Reads and writes the permissions of folders; Grafana takes only the whole list, so all of it is sent back."""

    def __init__(self, transport: Transport):
        self._http = transport

    def found(self, folder: str) -> Found | None:
        """The teams that may edit a folder, by name; nothing if there is no folder."""
        listed = self._read(folder)
        if listed is None:
            return None
        return Found(Key("permissions", folder), folder, {"editors": editors(listed)}, None)

    def write(self, folder: str, wanted: Iterable[str]) -> None:
        """Let just these teams edit; users, roles, teams that only view and administrators keep what they have."""
        names = sorted(set(wanted))
        listed = self._read(folder)
        if listed is None:
            raise RemoteError(f"There is no folder {folder} whose permissions could be set.", status=404)
        if editors(listed) == names:
            return
        missing = [name for name in names if name not in editors(listed)]
        ids = {name: self._team(name) for name in missing}
        kept = [_item(each) for each in listed if not _inherited(each) and not self._replaced(each, names, missing)]
        items = [*kept, *({"teamId": id, "permission": EDIT} for id in ids.values())]
        accepted(self._http.call("POST", _path(folder), json={"items": items}, again=True))

    @staticmethod
    def _replaced(entry: dict[str, Any], names: list[str], missing: list[str]) -> bool:
        team = text(entry.get("team"))
        return bool(team) and (team in missing or (entry.get("permission") == EDIT and team not in names))

    def _read(self, folder: str) -> list[dict[str, Any]] | None:
        answer = self._http.call("GET", _path(folder), expected=(404,))
        return None if absent(answer) else rows(answer.json())

    def _team(self, name: str) -> int:
        answer = self._http.call("GET", "/api/teams/search", params={"name": name, "perpage": "100"})
        for team in rows(table(answer.json()).get("teams")):
            if text(team.get("name")) == name and isinstance(team.get("id"), int):
                return int(team["id"])
        raise RemoteError(f"Grafana has no team “{name}”. Create it there, or name another in `editors`.")


def editors(listed: Iterable[dict[str, Any]]) -> list[str]:
    """The teams that may edit or do more, in the order of names.

    >>> editors([{"team": "b", "permission": 2}, {"role": "Editor", "permission": 2}, {"team": "a", "permission": 1}])
    ['b']
    """
    return sorted({text(each.get("team")) for each in listed if each.get("team") and _level(each) >= EDIT})


def _level(entry: dict[str, Any]) -> int:
    level = entry.get("permission")
    return level if isinstance(level, int) else 0


def _inherited(entry: dict[str, Any]) -> bool:
    return entry.get("inherited") is True


def _item(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry as it is written: one subject and its level."""
    for subject in ("teamId", "userId", "role"):
        if entry.get(subject):
            return {subject: entry[subject], "permission": entry.get("permission")}
    raise RemoteError("A permission of the folder names neither a team, a user nor a role; nothing was changed.")


def _path(folder: str) -> str:
    return f"/api/folders/{quote(folder, safe='')}/permissions"
