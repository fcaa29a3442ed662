"""Prometheus, vmalert and Thanos by rule files: written whole, reloaded, proved, and put back if they are refused."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashgen.diagnostics import RunError
from dashgen.exits import Exit
from dashgen.model.artifact import Artifact
from dashgen.model.change import Action
from dashgen.model.plan import Failure, Step
from dashgen.model.remote import Found, Key, Mark, Wanted
from dashgen.push.documents import write_whole
from dashgen.push.reading import yaml_data
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.folder import alive
from dashgen.push.remotes.marked_file import finished, marked, read_mark
from dashgen.push.remotes.rule_checks import check_rules
from dashgen.push.remotes.rule_server import RuleServer
from dashgen.push.settings import RemoteSettings


@dataclass(frozen=True, slots=True)
class _Written:
    """A file before and after it was written; None is no file."""

    path: Path
    before: bytes | None
    after: bytes | None


class RuleFiles:
    """A folder of rule files, one of ours per owner, and the server that reads it, if we may tell it to.

    A file is written as unfinished, and completed when the server has loaded it; one that is to go is emptied first
    and removed when its rules are unloaded. So a push that was killed halfway is seen by the next plan.
    """

    def __init__(self, settings: RemoteSettings):
        assert settings.rules is not None
        self.name = settings.name
        self._folder: Path = settings.rules
        self._type = settings.type
        self._server = RuleServer(settings) if settings.reload and settings.url else None
        self._written: dict[Key, _Written] = {}
        self._swept = False

    def wanted(self, artifacts: Iterable[Artifact]) -> list[Wanted]:
        """A file per owner, in the form that the product needs."""
        return [
            Wanted(Key("rules", each.owner), each.owner, {"groups": self._form(each.data["groups"])}, each.owner)
            for each in artifacts
            if each.kind == "rules"
        ]

    def found(self, graph: str, keys: Collection[Key]) -> list[Found]:
        """Our files, and whatever stands in the places of the keys."""
        prefix, suffix = f"dashgen-{graph}-", ".yaml"
        asked = {key.name for key in keys}
        made = []
        try:
            names = sorted(each for each in os.listdir(self._folder) if each.startswith(prefix))
        except FileNotFoundError:
            names = []
        except OSError as error:
            raise RemoteError(f"{self._folder}: {error.strerror}.", Exit.USAGE) from None
        for name in names:
            owner = name.removeprefix(prefix).removesuffix(suffix)
            if not name.endswith(suffix):
                continue
            content = self._read(self._folder / name)
            mark = read_mark(content)[0] if content is not None else None
            if content is not None and (owner in asked or (mark and mark.graph == graph)):
                made.append(self._found(Key("rules", owner), self._folder / name, content))
        return made

    def apply(self, step: Step, mark: Mark) -> None:
        """Write one file, or empty it where it is to go; one that is as it should be already is left alone."""
        path = self._path(mark.graph, step.key)
        target = self._target(step, mark)
        if step.action is not Action.DELETE:
            check_rules(self._type, path.name, step.wanted)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RemoteError(f"{self._folder}: {error.strerror}.") from None
        with _alone(self._folder):
            self._sweep()
            there = self._read(path)
            if there != target and _version(there) != step.version:
                raise RemoteError(f"{path} changed since the plan was made. Plan again.", stale=True)
            self._write(path, target)
        self._written.setdefault(step.key, _Written(path, there, target))

    def finish(self, done: Sequence[Step]) -> list[Failure]:
        """Reload, wait until all is loaded, complete the marks; what the server refuses goes back to what it was."""
        written, self._written = self._written, {}
        if not done or not self._server:
            return []
        try:
            self._server.reload()
        except RemoteError as error:
            said = self._server.reasons([file.path for file in written.values()])
            why = " ".join([str(error), *said, self._put_back(written.values())])
            return [Failure(step, why, error.status, error.code) for step in done]
        files = {written[step.key].path.name: _groups(step) for step in done}
        missing = self._server.missing(files)
        failures = []
        for step in done:
            file = written[step.key]
            if late := missing.get(file.path.name):
                failures.append(Failure(step, f"{file.path} is written, but {late}"))
            else:
                failures += self._complete(step, file)
        return failures

    def _target(self, step: Step, mark: Mark) -> bytes | None:
        """What the file shall hold until the server has proved that it took it."""
        if step.action is not Action.DELETE:
            return marked(mark, step.wanted, unfinished=self._server is not None)
        return marked(Mark(mark.graph, step.before), {"groups": []}, unfinished=True) if self._server else None

    def _complete(self, step: Step, file: _Written) -> list[Failure]:
        """Take the word `unfinished` off, or the emptied file away, unless somebody else was here."""
        with _alone(self._folder):
            if file.after is None or self._read(file.path) != file.after:
                return []
            try:
                self._write(file.path, None if step.action is Action.DELETE else finished(file.after))
            except RemoteError as error:
                return [Failure(step, f"It is loaded, but could not be marked as finished. {error}")]
        return []

    def _put_back(self, written: Iterable[_Written]) -> str:
        """Write what stood there before, reload, and say how that went."""
        assert self._server
        problems = []
        with _alone(self._folder):
            for file in written:
                try:
                    if self._read(file.path) == file.after:
                        self._write(file.path, file.before)
                except RemoteError as error:
                    problems.append(str(error))
        if problems:
            return f"Not all former files could be put back: {' '.join(problems)}"
        try:
            self._server.reload()
        except RemoteError as error:
            return f"The former files were put back, but they could not be loaded either: {error}"
        return "The former files were put back and are loaded."

    def _form(self, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self._type == "thanos":
            return [{**group, "partial_response_strategy": "abort"} for group in groups]
        return groups

    def _found(self, key: Key, path: Path, content: bytes) -> Found:
        mark, unfinished = read_mark(content)
        try:
            data = yaml_data(content, str(path))
        except RunError:
            data = content.decode("utf-8", "replace")  # no YAML: somebody's edit, and kept as it is
        who, when = _edited(path)
        return Found(
            key, str(path), data, mark, _version(content), edited_by=who, edited_at=when, unfinished=unfinished
        )

    def _path(self, graph: str, key: Key) -> Path:
        name = f"dashgen-{graph}-{key.name}.yaml"
        if "/" in name or "\0" in name:
            raise RemoteError(f"{key} cannot be the name of a file.", Exit.USAGE)
        return self._folder / name

    def _read(self, path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RemoteError(f"{path}: {error.strerror}.", Exit.USAGE) from None

    def _write(self, path: Path, content: bytes | None) -> None:
        try:
            if content is None:
                path.unlink(missing_ok=True)
            elif content != self._read(path):
                write_whole(path, content)
        except RemoteError:
            raise
        except RunError as error:
            raise RemoteError(str(error)) from None
        except OSError as error:
            raise RemoteError(f"{path}: {error.strerror}.") from None

    def _sweep(self) -> None:
        """Remove what processes left that died while they wrote one of our files."""
        if self._swept:
            return
        self._swept = True
        for each in self._folder.glob(".dashgen-*.yaml.*"):
            process = each.suffix.removeprefix(".")
            if process.isdigit() and not alive(process):
                each.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other pushes on this machine out of the folder meanwhile, where its file system can do that."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _groups(step: Step) -> list[dict[str, Any]]:
    """The groups that a step leaves in its file; what is restored may be anything that once stood there."""
    groups = step.wanted.get("groups") if isinstance(step.wanted, dict) and step.action is not Action.DELETE else None
    return [each for each in groups if isinstance(each, dict)] if isinstance(groups, list) else []


def _version(content: bytes | None) -> str:
    return "" if content is None else hashlib.sha256(content).hexdigest()


def _edited(path: Path) -> tuple[str, str]:
    """Who owns a file and when it was changed (RFC 3339)."""
    try:
        changed = datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.UTC)
        return path.owner(), f"{changed:%Y-%m-%dT%H:%M:%SZ}"
    except (OSError, KeyError):
        return "", ""
