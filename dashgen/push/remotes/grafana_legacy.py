"""Grafana's classic API under `/api`: dashboards and folders with numbered versions."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from dashgen import conventions as c
from dashgen.model.remote import Found, Key
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.grafana_objects import absent, accepted, is_uid, rows, table, text, unmarked
from dashgen.push.transport import Transport

PAGE = 1000  # dashboards of one answer of the search


class LegacyApi:
    """Reads and writes under `/api`.

    Grafana deletes without looking at versions here, so the version is checked just before; an edit in the moment
    between is lost.
    """

    def __init__(self, transport: Transport, message: str):
        self._http, self._message = transport, message

    def dashboards(self, graph: str, uids: Collection[str]) -> list[Found]:
        """The search tells tags and uids only, so what may be ours is read one by one; foreign ones are not."""
        prefix = f"{c.slug(graph)}-"
        likely = {
            uid
            for row in self._search()
            if is_uid(uid := text(row.get("uid")))
            and (uid.startswith(prefix) or c.OWNER_MARK in (row.get("tags") or ()))
        }
        asked = sorted(likely | set(uids))
        with ThreadPoolExecutor(self._http.settings.parallel) as pool:
            read = [each for each in pool.map(self.dashboard, asked) if each]
        return [each for each in read if each.key.name in uids or (each.mark and each.mark.graph == graph)]

    def dashboard(self, uid: str) -> Found | None:
        """One dashboard with its metadata; one that stands in a file of the server's is managed by provisioning."""
        answer = self._http.call("GET", f"/api/dashboards/uid/{quote(uid, safe='')}", expected=(404,))
        if absent(answer):
            return None
        read = table(answer.json())
        meta, data = table(read.get("meta")), table(read.get("dashboard"))
        plain, mark = unmarked(data, uid)
        provisioned = f"the file {text(meta.get('provisionedExternalId'))}".strip() if meta.get("provisioned") else ""
        return Found(
            Key("dashboard", uid),
            text(data.get("title")),
            plain,
            mark,
            version=text(data.get("version", meta.get("version"))),
            parent=text(meta.get("folderUid")),
            edited_by=text(meta.get("updatedBy")),
            edited_at=text(meta.get("updated")),
            managed_by=provisioned,
        )

    def write_dashboard(self, uid: str, data: dict[str, Any], folder: str, version: str) -> None:
        """Save under the version that was read; the folder is always named, or the dashboard would move to the root."""
        dashboard = {key: each for key, each in data.items() if key not in ("id", "version")}
        dashboard |= {"uid": uid, "version": int(version)} if version else {"uid": uid}
        body = {"dashboard": dashboard, "folderUid": folder, "message": self._message, "overwrite": False}
        accepted(self._http.call("POST", "/api/dashboards/db", json=body, again=False))

    def delete_dashboard(self, uid: str, version: str) -> None:
        """Delete what still has this version."""
        there = self.dashboard(uid)
        if there is None:
            return
        if there.version != version:
            raise RemoteError(f"The dashboard {uid} was changed meanwhile; plan again.", status=412, stale=True)
        path = f"/api/dashboards/uid/{quote(uid, safe='')}"
        accepted(self._http.call("DELETE", path, again=False))

    def folder(self, uid: str) -> Found | None:
        """One folder."""
        answer = self._http.call("GET", f"/api/folders/{quote(uid, safe='')}", expected=(404,))
        if absent(answer):
            return None
        read = table(answer.json())
        title = text(read.get("title"))
        return Found(
            Key("folder", uid),
            title,
            {"title": title},
            None,
            version=text(read.get("version")),
            edited_by=text(read.get("updatedBy")),
            edited_at=text(read.get("updated")),
            managed_by=text(read.get("managedBy")),
        )

    def write_folder(self, uid: str, title: str, version: str) -> None:
        """Create or rename; older servers want titles to differ, which is no race but has to be decided."""
        if not version:
            new = {"uid": uid, "title": title}
            answer = self._http.call("POST", "/api/folders", json=new, again=False, expected=(409, 412))
            if answer.status >= 300:
                self._refused(uid, title, answer.status)
            accepted(answer)
            return
        body = {"title": title, "version": int(version), "overwrite": False}
        accepted(self._http.call("PUT", f"/api/folders/{quote(uid, safe='')}", json=body, again=False))

    def _refused(self, uid: str, title: str, status: int) -> None:
        if self.folder(uid):
            raise RemoteError(f"The folder {uid} was created meanwhile; plan again.", status=status, stale=True)
        raise RemoteError(f"Another folder bears the title “{title}”. Rename it, or the team.", status=status)

    def _search(self) -> Iterator[dict[str, Any]]:
        page = 1
        while True:
            params = {"type": "dash-db", "limit": str(PAGE), "page": str(page)}
            found = rows(self._http.call("GET", "/api/search", params=params).json())
            yield from found
            if len(found) < PAGE:
                return
            page += 1
