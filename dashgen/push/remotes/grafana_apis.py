"""Grafana's new API under `/apis`: dashboards and folders as resources with owners and resource versions."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from dashgen import conventions as c
from dashgen.model.remote import Found, Key
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.grafana_objects import absent, accepted, is_uid, rows, table, text, unmarked
from dashgen.push.transport import Transport

GROUPS = ("dashboard.grafana.app", "folder.grafana.app")
VERSIONS = ("v1", "v1beta1")  # both hold a classic dashboard; the first that the server has is taken
PAGE = 100  # whole dashboards of one answer
MANAGER, MANAGER_ID = "kubectl", c.OWNER_MARK  # never with a version: Grafana refuses to change them later
_OWN = "grafana.app/"


class ResourceApi:
    """Reads and writes under `/apis`; dashboards bear the annotations of a manager, folders stay everybody's."""

    def __init__(
        self, transport: Transport, versions: tuple[str, ...], namespace: str, message: str, *, allow_ui_edits: bool
    ):
        self._http, self._message, self._allow = transport, message, allow_ui_edits
        self._versions = dict(zip(GROUPS, versions, strict=True))
        self._paths = {
            "dashboard": f"/apis/{GROUPS[0]}/{versions[0]}/namespaces/{quote(namespace, safe='')}/dashboards",
            "folder": f"/apis/{GROUPS[1]}/{versions[1]}/namespaces/{quote(namespace, safe='')}/folders",
        }

    def dashboards(self, graph: str, uids: Collection[str]) -> list[Found]:
        """All dashboards come in pages, whole, so none is read alone."""
        read = (_dashboard(each) for each in self._listed("dashboard"))
        return [each for each in read if each.key.name in uids or (each.mark and each.mark.graph == graph)]

    def dashboard(self, uid: str) -> Found | None:
        """One dashboard."""
        resource = self._get("dashboard", uid)
        return _dashboard(resource) if resource else None

    def write_dashboard(self, uid: str, data: dict[str, Any], folder: str, version: str) -> None:
        """Create or replace; labels and annotations of others are kept."""
        spec = {key: each for key, each in data.items() if key not in ("id", "uid", "version")}
        annotations = {
            f"{_OWN}folder": folder,
            f"{_OWN}message": self._message,
            f"{_OWN}managedBy": MANAGER,
            f"{_OWN}managerId": MANAGER_ID,
            f"{_OWN}managerAllowsEdits": "true" if self._allow else "false",
        }
        self._write("dashboard", uid, spec, version, annotations)

    def delete_dashboard(self, uid: str, version: str) -> None:
        """Delete what still has this version."""
        resource = self._get("dashboard", uid)
        if resource is None:
            return
        _check("dashboard", uid, resource, version)
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"resourceVersion": version}}
        path = f"{self._paths['dashboard']}/{quote(uid, safe='')}"
        accepted(self._http.call("DELETE", path, json=body, again=False))

    def folder(self, uid: str) -> Found | None:
        """One folder."""
        resource = self._get("folder", uid)
        if resource is None:
            return None
        title = text(table(resource.get("spec")).get("title"))
        return _found(Key("folder", uid), title, {"title": title}, resource)

    def write_folder(self, uid: str, title: str, version: str) -> None:
        """Create or rename; a folder that somebody put into another stays there."""
        self._write("folder", uid, {"title": title}, version, {})

    def _write(self, kind: str, uid: str, spec: dict[str, Any], version: str, annotations: dict[str, str]) -> None:
        metadata: dict[str, Any] = {"name": uid}
        if version:
            resource = self._get(kind, uid)
            if resource is None:
                raise RemoteError(f"The {kind} {uid} was deleted meanwhile; plan again.", status=409, stale=True)
            _check(kind, uid, resource, version)
            before = table(resource.get("metadata"))
            metadata = {key: before[key] for key in ("name", "namespace", "labels", "resourceVersion") if key in before}
            kept = {key: each for key, each in table(before.get("annotations")).items() if _kept(key)}
            spec = {**table(resource.get("spec")), **spec} if kind == "folder" else spec
            annotations = {**kept, **annotations}
        group = GROUPS[0] if kind == "dashboard" else GROUPS[1]
        body = {
            "apiVersion": f"{group}/{self._versions[group]}",
            "kind": kind.capitalize(),
            "metadata": {**metadata, **({"annotations": annotations} if annotations else {})},
            "spec": spec,
        }
        if version:
            accepted(self._http.call("PUT", f"{self._paths[kind]}/{quote(uid, safe='')}", json=body, again=False))
        else:
            accepted(self._http.call("POST", self._paths[kind], json=body, again=False))

    def _get(self, kind: str, uid: str) -> dict[str, Any] | None:
        answer = self._http.call("GET", f"{self._paths[kind]}/{quote(uid, safe='')}", expected=(404,))
        return None if absent(answer) else table(answer.json())

    def _listed(self, kind: str) -> Iterator[dict[str, Any]]:
        """Every resource, page by page."""
        params = {"limit": str(PAGE)}
        while True:
            read = table(self._http.call("GET", self._paths[kind], params=params).json())
            yield from (
                each for each in rows(read.get("items")) if is_uid(text(table(each.get("metadata")).get("name")))
            )
            after = text(table(read.get("metadata")).get("continue"))
            if not after:
                return
            params = {"limit": str(PAGE), "continue": after}


def _dashboard(resource: dict[str, Any]) -> Found:
    uid = text(table(resource.get("metadata")).get("name"))
    conversion = table(table(resource.get("status")).get("conversion"))
    data, mark = unmarked(table(resource.get("spec")), uid)
    found = _found(Key("dashboard", uid), text(data.get("title")), {**data, "uid": uid}, resource)
    parent = text(table(table(resource.get("metadata")).get("annotations")).get(f"{_OWN}folder"))
    if conversion.get("failed"):  # what is read is not what is stored
        stored = text(conversion.get("storedVersion")) or "another version"
        return replace(found, parent=parent, managed_by=found.managed_by or f"Grafana's editor in the format {stored}")
    return replace(found, parent=parent, mark=mark)


def _found(key: Key, title: str, data: dict[str, Any], resource: dict[str, Any]) -> Found:
    metadata = table(resource.get("metadata"))
    notes = table(metadata.get("annotations"))
    manager, id = text(notes.get(f"{_OWN}managedBy")), text(notes.get(f"{_OWN}managerId"))
    return Found(
        key,
        title,
        data,
        None,
        version=text(metadata.get("resourceVersion")),
        edited_by=text(notes.get(f"{_OWN}updatedBy") or notes.get(f"{_OWN}createdBy")),
        edited_at=text(notes.get(f"{_OWN}updatedTimestamp") or metadata.get("creationTimestamp")),
        managed_by="" if (manager, id) in (("", ""), (MANAGER, MANAGER_ID)) else f"{manager} {id}".strip(),
    )


def _check(kind: str, uid: str, resource: dict[str, Any], version: str) -> None:
    if text(table(resource.get("metadata")).get("resourceVersion")) != version:
        raise RemoteError(f"The {kind} {uid} was changed meanwhile; plan again.", status=409, stale=True)


def _kept(annotation: str) -> bool:
    """What others noted, and where a folder stands; the rest of `grafana.app/` the server sets itself."""
    return not annotation.startswith(_OWN) or annotation == f"{_OWN}folder"
