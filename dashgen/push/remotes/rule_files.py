"""Rulers that read files (Prometheus, vmalert, Thanos): files, a reload, proof that every group runs, a way back."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dashgen import canonical
from dashgen.diagnostics import RunError
from dashgen.exits import Exit
from dashgen.model.artifact import Artifact
from dashgen.model.change import Action
from dashgen.model.plan import Failure, Step
from dashgen.model.remote import Found, Key, Mark, Wanted
from dashgen.push.documents import write_whole
from dashgen.push.reading import yaml_data
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.dialects import spoken
from dashgen.push.settings import RemoteSettings
from dashgen.push.transport import Transport

PAUSE = 0.5  # seconds between two looks at what is loaded
_ILL = frozenset(("err", "error", "bad"))


class RuleFiles:
    """A folder of rule files, `dashgen-<graph>-<owner>.yaml`, that begin with their marks, and what reads it."""

    def __init__(self, settings: RemoteSettings):
        assert settings.rules is not None
        self.name, self._product, self._folder = settings.name, settings.type, settings.rules
        self._url = settings.url if settings.reload else ""
        self._patience = settings.timeout
        self._transport = Transport(settings)
        self._former: dict[Path, bytes | None] = {}
        self._graph = ""
        self._changing = threading.Lock()

    def wanted(self, artifacts: Iterable[Artifact]) -> list[Wanted]:
        """Every generated rule file, in the product's dialect."""
        return [
            Wanted(Key("rules", each.owner), each.owner, spoken(self._product, each.data), each.owner)
            for each in artifacts
            if each.kind == "rules"
        ]

    def found(self, graph: str, keys: Collection[Key]) -> list[Found]:
        """Our files in the folder and what else stands in their places; leftovers of killed runs are swept out."""
        self._sweep(graph)
        prefix = f"dashgen-{graph}-"
        try:
            there = {path.stem.removeprefix(prefix): path for path in self._folder.glob(f"{prefix}*.yaml")}
        except OSError as error:
            raise _unreadable(self._folder, error) from None
        places = {key.name: self._path(graph, key.name) for key in keys} | there
        return [found for name, path in sorted(places.items()) if (found := _read(name, path))]

    def apply(self, step: Step, mark: Mark) -> None:
        """Write one file, or remove it; the former content is kept until the reload has worked."""
        self._graph = mark.graph
        path = self._path(mark.graph, step.key.name)
        before = _content(path)
        if _version(before) != step.version:
            raise RemoteError(f"{path} changed since the plan was made. Plan again.", stale=True)
        try:
            if step.action is Action.DELETE:
                self._keep(path, before)
                path.unlink(missing_ok=True)
                return
            content = f"# {mark}\n{canonical.yaml_text(step.wanted)}".encode()
            self._check(path, content)
            self._keep(path, before)
            write_whole(path, content)
        except OSError as error:
            raise _unreadable(path, error) from None
        except RemoteError:
            raise
        except RunError as error:
            raise RemoteError(str(error)) from None

    def finish(self, done: Sequence[Step]) -> list[Failure]:
        """Reload and wait until every group is there; after a refusal the former files come back and are loaded."""
        former, self._former = self._former, {}
        if not done or not self._url:
            return []
        try:
            self._transport.call("POST", "/-/reload", again=True)
        except RemoteError as error:
            back = self._put_back(former)
            return [Failure(step, f"{error} {back}", error.status, error.code) for step in done]
        return list(self._missing(done))

    def _put_back(self, former: dict[Path, bytes | None]) -> str:
        for path, content in former.items():
            path.unlink(missing_ok=True) if content is None else write_whole(path, content)
        try:
            self._transport.call("POST", "/-/reload", again=True)
        except RemoteError as error:
            return f"The former files were put back, but they could not be loaded either: {error}"
        return "The former files were put back and are loaded."

    def _missing(self, done: Sequence[Step]) -> Iterator[Failure]:
        """The steps whose groups are not loaded as they should be, or whose rules are ill, when patience ends.

        A group whose interval is longer than our patience may not have been evaluated yet; being there is enough.
        """
        deadline = time.monotonic() + self._patience
        while True:
            loaded = self._loaded()
            late = {step.key: why for step in done if (why := self._wrong(step, loaded))}
            if not late or time.monotonic() > deadline or any(why.startswith("ill") for why in late.values()):
                break
            time.sleep(PAUSE)
        for step in done:
            if step.key in late:
                yield Failure(step, f"The file was written and loaded, but {late[step.key]}.")

    def _loaded(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The groups that the ruler runs, by the owner of their file and their name."""
        data = self._transport.call("GET", "/api/v1/rules").json()
        groups = (data["data"] or {}).get("groups", []) if isinstance(data, dict) and "data" in data else ""
        if not isinstance(groups, list | None):  # null, as long as there are none
            raise RemoteError(f"{self.name}: /api/v1/rules has no groups. Is this the address of a ruler?")
        return {(Path(str(each.get("file", ""))).stem, str(each.get("name", ""))): each for each in groups or ()}

    def _wrong(self, step: Step, loaded: dict[tuple[str, str], dict[str, Any]]) -> str:
        """What is wrong with a step's groups, in a few words; nothing if they run."""
        own = self._path(self._graph, step.key.name).stem
        mine = {name: group for (stem, name), group in loaded.items() if stem == own}
        if step.action is Action.DELETE:
            return f"{len(mine)} of its groups still run" if mine else ""
        for group in step.wanted["groups"]:
            there = mine.get(group["name"])
            if there is None or len(there.get("rules") or ()) != len(group["rules"]):
                return f"the group {group['name']} is not there"
            for rule in there["rules"]:
                if rule.get("health") in _ILL:
                    return f"ill: the rule {rule.get('name')} says {rule.get('lastError') or 'nothing'}"
                if rule.get("health") == "unknown" and float(there.get("interval") or 0) <= self._patience / 2:
                    return f"the group {group['name']} was not evaluated in time"
        return ""

    def _path(self, graph: str, owner: str) -> Path:
        return self._folder / f"dashgen-{graph}-{owner}.yaml"

    def _keep(self, path: Path, content: bytes | None) -> None:
        with self._changing:
            self._former.setdefault(path, content)

    def _check(self, path: Path, content: bytes) -> None:
        """Ask promtool before a file takes its place; other products' dialects it does not know."""
        if self._product != "prometheus" or not (promtool := shutil.which("promtool")):
            return
        command = [promtool, "check", "rules", "/dev/stdin"]
        done = subprocess.run(command, input=content, check=False, capture_output=True, timeout=60)
        if done.returncode:
            said = " ".join(done.stderr.decode("utf-8", "replace").replace("/dev/stdin", path.name).split())
            raise RemoteError(f"promtool refuses {path.name}: {said} It was not written.")

    def _sweep(self, graph: str) -> None:
        for left in self._folder.glob(f".dashgen-{graph}-*.yaml.*"):
            pid = left.name.rpartition(".")[2]
            with contextlib.suppress(OSError):
                if pid.isdigit() and not Path(f"/proc/{pid}").exists() and not _alive(int(pid)):
                    left.unlink()


def _read(name: str, path: Path) -> Found | None:
    content = _content(path)
    if content is None:
        return None
    first, _, rest = content.partition(b"\n")
    mark = Mark.read(first.decode("utf-8", "replace").removeprefix("# ").strip())
    try:
        data = yaml_data(rest if mark else content, str(path))
    except RunError as error:
        data = {"unreadable": str(error)}
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    return Found(Key("rules", name), name, data, mark, _version(content), edited_at=changed.replace("+00:00", "Z"))


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from None


def _version(content: bytes | None) -> str:
    return "" if content is None else hashlib.sha256(content).hexdigest()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _unreadable(path: Path, error: OSError) -> RemoteError:
    return RemoteError(f"{path}: {error.strerror}.", Exit.PARTIAL)
