"""The classic API of the Grafana of tests."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.grafana_state import MANAGER, NOW, OWN, Refused, State

Answer = tuple[int, Any]


def search(state: State, who: str, params: dict[str, str], body: Any) -> Answer:
    """Dashboards in the order of titles, page by page, at most 5,000 each."""
    limit, page = min(int(params.get("limit", "1000")), 5000), int(params.get("page", "1"))
    every = sorted(state.data["dashboards"].values(), key=lambda each: (str(each["spec"].get("title")), each["uid"]))
    rows = [{"uid": d["uid"], "title": d["spec"].get("title"), "tags": d["spec"].get("tags", [])} for d in every]
    return 200, rows[limit * (page - 1) : limit * page]


def get_dashboard(state: State, who: str, params: dict[str, str], body: Any, uid: str) -> Answer:
    """A dashboard and its metadata."""
    held = state.data["dashboards"].get(uid)
    if not held:
        raise Refused(404, "Dashboard not found")
    meta = {
        "folderUid": held["folder"],
        "updated": NOW,
        "updatedBy": held["by"],
        "version": held["version"],
        "provisioned": bool(held["provisioned"]),
        "provisionedExternalId": held["provisioned"],
    }
    data = {**held["spec"], "id": held["id"], "uid": uid, "version": held["version"]}
    return 200, {"dashboard": data, "meta": meta}


def save_dashboard(state: State, who: str, params: dict[str, str], body: Any) -> Answer:
    """Create or update; without a folder it moves to the root."""
    data = body["dashboard"]
    uid, title = data.get("uid", ""), data.get("title", "")
    held = state.data["dashboards"].get(uid)
    if not title:
        raise Refused(400, "Dashboard title cannot be empty", "empty-name")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", uid) or len(title) > 5000 or len(body.get("message", "")) > 500:
        raise Refused(400, "uid, title or message is not valid")
    if held and held["provisioned"]:
        raise Refused(400, "Cannot save provisioned dashboard")
    if held and not body.get("overwrite") and data.get("version", 0) != held["version"]:
        raise Refused(412, "The dashboard has been changed by someone else", "version-mismatch")
    new = state.write_dashboard(uid, data, body.get("folderUid", ""), who, {}, held["labels"] if held else {})
    return 200, {"id": new["id"], "uid": uid, "status": "success", "version": new["version"]}


def delete_dashboard(state: State, who: str, params: dict[str, str], body: Any, uid: str) -> Answer:
    """Delete, whatever its version."""
    held = state.data["dashboards"].get(uid)
    if not held:
        raise Refused(404, "Dashboard not found")
    if held["provisioned"]:
        raise Refused(400, "provisioned dashboard cannot be deleted")
    state.remove("dashboards", uid)
    return 200, {"title": held["spec"].get("title"), "message": "Dashboard deleted"}


def get_folder(state: State, who: str, params: dict[str, str], body: Any, uid: str) -> Answer:
    """A folder."""
    held = state.data["folders"].get(uid)
    if not held:
        raise Refused(404, "folder not found")
    shown = {key: held[key] for key in ("uid", "title", "version")}
    return 200, {**shown, "managedBy": held["notes"].get(MANAGER[0], ""), "updatedBy": held["by"], "updated": NOW}


def create_folder(state: State, who: str, params: dict[str, str], body: Any) -> Answer:
    """Create a folder."""
    if body["uid"] in state.data["folders"]:
        raise Refused(409, "a folder with the same uid already exists")
    if state.data["titles differ"] and body["title"] in (each["title"] for each in state.data["folders"].values()):
        raise Refused(
            412, "a folder or dashboard in the general folder with the same name already exists", "name-exists"
        )
    parent = {f"{OWN}folder": body["parentUid"]} if body.get("parentUid") else {}
    state.write_folder(body["uid"], body["title"], parent)
    return get_folder(state, who, params, body, body["uid"])


def update_folder(state: State, who: str, params: dict[str, str], body: Any, uid: str) -> Answer:
    """Rename a folder."""
    held = state.data["folders"].get(uid)
    if not held:
        raise Refused(404, "folder not found")
    if not body.get("overwrite") and body.get("version") != held["version"]:
        raise Refused(412, "The folder has been changed by someone else", "version-mismatch")
    state.write_folder(uid, body["title"], held["notes"])
    return get_folder(state, who, params, body, uid)


def delete_folder(state: State, who: str, params: dict[str, str], body: Any, uid: str) -> Answer:
    """Delete a folder with all that stands in it."""
    for each in [d["uid"] for d in state.data["dashboards"].values() if d["folder"] == uid]:
        state.remove("dashboards", each)
    state.remove("folders", uid)
    return 200, {"message": "Folder deleted"}


def get_permissions(state: State, who: str, params: dict[str, str], body: Any, uid: str) -> Answer:
    """Who may do what in a folder, with names."""
    if uid not in state.data["folders"]:
        raise Refused(404, "folder not found")
    names = {team["id"]: team["name"] for team in state.data["teams"]}
    listed = state.data["permissions"][uid]
    empty = {"id": 0, "teamId": 0, "team": "", "userId": 0, "userLogin": "", "inherited": False}
    return 200, [{**empty, **each, "team": names.get(each.get("teamId"), "")} for each in listed]


def set_permissions(state: State, who: str, params: dict[str, str], body: Any, uid: str) -> Answer:
    """Replace the whole list."""
    if uid not in state.data["folders"]:
        raise Refused(404, "folder not found")
    for item in body["items"]:
        if len(item) != 2 or item["permission"] not in (1, 2, 4) or item.get("inherited"):
            raise Refused(400, "bad permission")
    state.data["permissions"][uid] = body["items"]
    state.keep()
    return 200, {"message": "Folder permissions updated"}


def search_teams(state: State, who: str, params: dict[str, str], body: Any) -> Answer:
    """Teams of just this name."""
    found = [team for team in state.data["teams"] if team["name"] == params.get("name", team["name"])]
    return 200, {"totalCount": len(found), "teams": found}


def get_annotations(state: State, who: str, params: dict[str, str], body: Any) -> Answer:
    """Annotations with a tag."""
    return 200, [each for each in state.data["annotations"] if params.get("tags") in each["tags"]]


def add_annotation(state: State, who: str, params: dict[str, str], body: Any) -> Answer:
    """One more annotation, whatever there is."""
    state.data["annotations"].append({**body, "id": state.number()})
    state.keep()
    return 200, {"message": "Annotation added", "id": state.data["annotations"][-1]["id"]}


def settings(state: State, who: str, params: dict[str, str], body: Any) -> Answer:
    """What the browser is told at its start."""
    return 200, {"namespace": "default"}


ROUTES = (
    ("GET", "/api/search", search),
    ("GET", "/api/dashboards/uid/([^/]+)", get_dashboard),
    ("POST", "/api/dashboards/db", save_dashboard),
    ("DELETE", "/api/dashboards/uid/([^/]+)", delete_dashboard),
    ("POST", "/api/folders", create_folder),
    ("GET", "/api/folders/([^/]+)", get_folder),
    ("PUT", "/api/folders/([^/]+)", update_folder),
    ("DELETE", "/api/folders/([^/]+)", delete_folder),
    ("GET", "/api/folders/([^/]+)/permissions", get_permissions),
    ("POST", "/api/folders/([^/]+)/permissions", set_permissions),
    ("GET", "/api/teams/search", search_teams),
    ("GET", "/api/annotations", get_annotations),
    ("POST", "/api/annotations", add_annotation),
    ("GET", "/api/frontend/settings", settings),
)
