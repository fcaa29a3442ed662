"""What the Grafana of tests stores: objects in a JSON file that survives restarts, rewritten as the real one does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OWN = "grafana.app/"
MANAGER = (f"{OWN}managedBy", f"{OWN}managerId")
NOW = "2026-11-24T10:00:00Z"


class Refused(Exception):
    """An answer other than success."""

    def __init__(self, status: int, message: str, reason: str = ""):
        super().__init__(message)
        self.status, self.message, self.reason = status, message, reason


class State:
    """Dashboards, folders, permissions and teams. Every write is in the file before it is answered."""

    def __init__(self, file: Path):
        self.file, self.lock = file, threading.RLock()
        empty = {"dashboards": {}, "folders": {}, "permissions": {}, "teams": [], "annotations": [], "next": 1}
        empty |= {"versions": ["v2", "v1", "v1beta1"], "titles differ": False}
        self.data: dict[str, Any] = json.loads(file.read_text()) if file.exists() else empty

    def keep(self) -> None:
        """Write the file whole, or not at all."""
        staged = self.file.with_suffix(".new")
        staged.write_text(json.dumps(self.data))
        staged.replace(self.file)

    def number(self) -> int:
        """A number that is given once."""
        self.data["next"] += 1
        return int(self.data["next"])

    def team(self, name: str) -> int:
        """Add a team; gives its id."""
        with self.lock:
            id = self.number()
            self.data["teams"].append({"id": id, "name": name})
            self.keep()
            return id

    def write_dashboard(
        self, uid: str, spec: dict[str, Any], folder: str, who: str, notes: dict[str, str], labels: dict[str, str]
    ) -> dict[str, Any]:
        """Store a dashboard under a new version, if its manager may be this one and its folder exists."""
        old = self.data["dashboards"].get(uid)
        if folder and folder not in self.data["folders"]:
            raise Refused(404, "folder not found")
        if old:
            held, asked = ([each.get(key, "") for key in MANAGER] for each in (old["notes"], notes))
            if held[0] and held != asked and (asked[0] or old["notes"].get(f"{OWN}managerAllowsEdits") != "true"):
                raise Refused(403, "Cannot change resource manager identity; remove the existing manager first")
            if held[0] and not asked[0]:  # an edit in the browser leaves the manager
                notes = {**{key: each for key, each in old["notes"].items() if "manage" in key}, **notes}
        new = {
            "uid": uid,
            "id": old["id"] if old else self.number(),
            "spec": rewritten(spec),
            "folder": folder,
            "version": old["version"] + 1 if old else 1,
            "rv": self.number(),
            "notes": notes,
            "labels": labels,
            "by": who,
            "provisioned": "",
        }
        self.data["dashboards"][uid] = new
        self.keep()
        return new

    def write_folder(self, uid: str, title: str, notes: dict[str, str]) -> dict[str, Any]:
        """Store a folder; a new one grants what Grafana grants by default."""
        old = self.data["folders"].get(uid)
        new = {"uid": uid, "title": title, "version": old["version"] + 1 if old else 1, "rv": self.number()}
        self.data["folders"][uid] = {**new, "notes": notes, "by": "service-account:dashgen"}
        default = [{"role": "Viewer", "permission": 1}, {"role": "Editor", "permission": 2}]
        self.data["permissions"].setdefault(uid, default)
        self.keep()
        return self.data["folders"][uid]  # type: ignore[no-any-return]

    def remove(self, kind: str, uid: str) -> None:
        """Delete an object."""
        del self.data[kind][uid]
        self.keep()


def rewritten(spec: dict[str, Any]) -> dict[str, Any]:
    """A dashboard as Grafana's migrations leave it: without nulls, panels sorted by place, with its defaults."""
    made: dict[str, Any] = _bare({key: each for key, each in spec.items() if key not in ("id", "uid", "version")})
    made = {"style": "dark", "hideControls": False, "preload": False, **made}
    panels = made.get("panels")
    if isinstance(panels, list) and all(isinstance(each, dict) for each in panels):
        made["panels"] = [{"transformations": [], **each} for each in sorted(panels, key=_place)]
    return made


def conflicts(spec: dict[str, Any]) -> Iterator[str]:
    """Where the types of a dashboard contradict the schema, as the strict validation of `/apis` finds."""
    for key, kind in (("title", str), ("panels", list), ("tags", list), ("templating", dict), ("schemaVersion", int)):
        if key in spec and not isinstance(spec[key], kind):
            yield f"spec.{key}: conflicting values"
    if not isinstance(spec.get("timepicker", {}).get("nowDelay", ""), str):
        yield "spec.timepicker.nowDelay: conflicting values null and string"
    for position, panel in enumerate(spec["panels"] if isinstance(spec.get("panels"), list) else ()):
        if not isinstance(panel.get("options", {}), dict):
            yield f"spec.panels[{position}].options: conflicting values"
        steps = panel.get("fieldConfig", {}).get("defaults", {}).get("thresholds", {}).get("steps", [])
        if not isinstance(steps, list):
            yield f"spec.panels[{position}].fieldConfig.defaults.thresholds.steps: conflicting values"


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _bare(each) for key, each in value.items() if each is not None}
    return [_bare(each) for each in value] if isinstance(value, list) else value


def _place(panel: dict[str, Any]) -> tuple[int, int]:
    place = panel.get("gridPos", {})
    return int(place.get("y", 0)), int(place.get("x", 0))
