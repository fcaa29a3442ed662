"""Grafana: folders, who may edit them, and dashboards, over whichever of its two APIs the server has."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from dashgen import conventions as c
from dashgen.exits import Exit
from dashgen.model.artifact import Artifact
from dashgen.model.change import Action
from dashgen.model.plan import Failure, Step
from dashgen.model.remote import Found, Key, Mark, Wanted
from dashgen.push.commit import git_commit
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.grafana_access import FolderAccess
from dashgen.push.remotes.grafana_apis import GROUPS, VERSIONS, ResourceApi
from dashgen.push.remotes.grafana_legacy import LegacyApi
from dashgen.push.remotes.grafana_objects import Api, is_uid, marked, rows, table, text
from dashgen.push.remotes.grafana_releases import Releases
from dashgen.push.settings import RemoteSettings
from dashgen.push.transport import Transport

MESSAGE = "Pushed by dashgen"
DASHBOARDS = "grafana/dashboards/"
PAUSES = (0.5, 1.0, 2.0, 0.0)  # seconds after a write whose answer was lost
LONGEST_TITLE = 5000  # characters that Grafana takes


class GrafanaRemote:
    """One organisation of one Grafana. Which API the server has is asked once; a dry run is never asked for."""

    def __init__(self, settings: RemoteSettings):
        self.name, self._settings = settings.name, settings
        self._http = Transport(settings)
        self._access = FolderAccess(self._http)
        self._lock = threading.Lock()
        self._chosen: Api | None = None

    def wanted(self, artifacts: Iterable[Artifact]) -> list[Wanted]:
        """Folders, their editors, and dashboards; editors that others granted are wanted too, so that they stay."""
        made: list[Wanted] = []
        graph = ""
        chosen = [each for each in artifacts if each.kind in ("folders", "dashboard")]
        for artifact in sorted(chosen, key=lambda each: each.kind, reverse=True):
            if artifact.kind == "folders":
                graph = artifact.owner.removeprefix(f"{c.GRAPH}-")
                made += self._folders(artifact)
            elif not graph:
                raise RemoteError("out/ lists no folders. Run `dashgen generate` again.", Exit.USAGE)
            else:
                made.append(self._dashboard(artifact, graph))
        return made

    def found(self, graph: str, keys: Collection[Key]) -> list[Found]:
        """All dashboards of this graph by their marks, and whatever stands at the keys."""
        api = self._api()
        found = api.dashboards(graph, {key.name for key in keys if key.kind == "dashboard"})
        read: dict[str, Callable[[str], Found | None]] = {"folder": api.folder, "permissions": self._access.found}
        with ThreadPoolExecutor(self._settings.parallel) as pool:
            asked = [pool.submit(read[key.kind], key.name) for key in keys if key.kind in read]
            return [*found, *(each for future in asked if (each := future.result()))]

    def apply(self, step: Step, mark: Mark) -> None:
        """Do one step; a write whose answer was lost is looked for before it is done again."""
        api, uid, gone = self._api(), step.key.name, step.action is Action.DELETE
        if step.key.kind == "permissions" and not gone:
            self._access.write(uid, table(step.wanted).get("editors") or ())
        elif step.key.kind == "folder" and not gone:
            title = text(table(step.wanted).get("title"))
            self._once(
                step,
                lambda: api.write_folder(uid, title, step.version),
                lambda: api.folder(uid),
                lambda found: found is not None and found.title == title,
            )
        elif step.key.kind == "dashboard":
            data = table(step.wanted)
            self._once(
                step,
                (lambda: api.delete_dashboard(uid, step.version))
                if gone
                else (lambda: api.write_dashboard(uid, marked(data, uid, mark), step.parent, step.version)),
                lambda: api.dashboard(uid),
                lambda found: found is None if gone else found is not None and found.mark == mark,
            )
        else:
            raise RemoteError(f"dashgen does not {'delete' if gone else 'write'} the {step.key} of Grafana.")

    def finish(self, done: Sequence[Step]) -> list[Failure]:
        """Grafana shows what was written at once; the release is annotated if the settings want that."""
        dashboards = sum(step.key.kind == "dashboard" for step in done)
        commit = git_commit(Path()) if self._settings.annotate and dashboards else ""
        if not commit:
            return []
        try:
            Releases(self._http).note(commit, dashboards)
        except RemoteError as error:
            step = Step(self.name, Action.CREATE, Key("annotation", commit), f"the release of {commit[:12]}")
            return [Failure(step, str(error), error.status, error.code)]
        return []

    def _once(
        self,
        step: Step,
        write: Callable[[], None],
        read: Callable[[], Found | None],
        done: Callable[[Found | None], bool],
    ) -> None:
        """Write; if nobody knows whether that arrived, see what stands there, and write again only if nothing did."""
        for pause in PAUSES:
            try:
                return write()
            except RemoteError as error:
                if not pause or not (error.code is Exit.UNREACHABLE or error.status >= 500):
                    raise
            time.sleep(pause)
            there = read()
            if (there.version if there else "") == step.version:
                continue
            if done(there):
                return None
            raise RemoteError(f"{step.key} was changed meanwhile; plan again.", status=409, stale=True)
        return None

    def _folders(self, artifact: Artifact) -> list[Wanted]:
        """The folders, and the editors of those that name some, with the editors that are there already."""
        listed = [(*_checked(each, artifact), set(map(str, each.get("editors") or ()))) for each in rows(artifact.data)]
        made = [Wanted(Key("folder", uid), title, {"title": title}, artifact.owner) for uid, title, _ in listed]
        shared = [each for each in listed if each[2]]
        with ThreadPoolExecutor(self._settings.parallel) as pool:
            there = pool.map(self._access.found, [uid for uid, _, _ in shared])
            for (uid, title, editors), found in zip(shared, there, strict=True):
                together = sorted(editors | set(found.data["editors"] if found else ()))
                made.append(Wanted(Key("permissions", uid), title, {"editors": together}, artifact.owner))
        return made

    def _dashboard(self, artifact: Artifact, graph: str) -> Wanted:
        data = table(artifact.data)
        uid, title = _checked(data, artifact)
        folder = artifact.path.removeprefix(DASHBOARDS).rpartition("/")[0]
        if self._settings.allow_ui_edits:
            data = {**data, "editable": True}
        parent = c.uid(graph, "folder", folder) if folder else ""
        return Wanted(Key("dashboard", uid), title, data, artifact.owner, parent)

    def _api(self) -> Api:
        with self._lock:
            if self._chosen is None:
                self._chosen = self._choose()
            return self._chosen

    def _choose(self) -> Api:
        """The new API where the server has it for dashboards and for folders, unless the settings say otherwise."""
        if self._settings.api != "legacy":
            versions = tuple(self._version(group) for group in GROUPS)
            if all(versions):
                allow = self._settings.allow_ui_edits
                return ResourceApi(self._http, versions, self._namespace(), MESSAGE, allow_ui_edits=allow)
            if self._settings.api == "apis":
                raise RemoteError(
                    f"{self.name}: this Grafana does not have {' and '.join(GROUPS)} in the versions"
                    f' {" or ".join(VERSIONS)}. Set api = "auto".'
                )
        return LegacyApi(self._http, MESSAGE)

    def _version(self, group: str) -> str:
        """The version of a group of resources to speak; empty where the server has none that we know."""
        answer = self._http.call("GET", f"/apis/{group}", expected=(404,))
        listed: Any = () if answer.status == 404 else table(answer.json()).get("versions")
        there = {text(each.get("version")) for each in rows(listed)}
        return next((each for each in VERSIONS if each in there), "")

    def _namespace(self) -> str:
        """The namespace of the organisation: `stacks-…` is known to the server alone."""
        if self._settings.org:
            return "default" if self._settings.org == 1 else f"org-{self._settings.org}"
        answer = self._http.call("GET", "/api/frontend/settings", expected=(401, 403, 404))
        said = table(answer.json()).get("namespace") if answer.status < 300 else ""
        return text(said) or "default"


def _checked(data: dict[str, Any], artifact: Artifact) -> tuple[str, str]:
    """The uid and the title of an object, if Grafana takes them."""
    uid, title = text(data.get("uid")), text(data.get("title"))
    if not is_uid(uid):
        why = f"the uid “{uid}” is not 1 to 40 letters, digits, dashes and underscores"
    elif not title.strip() or len(title) > LONGEST_TITLE:
        why = f"a title has 1 to {LONGEST_TITLE:,} characters"
    else:
        return uid, title
    raise RemoteError(f"{artifact.path}: {why}.", Exit.USAGE)
