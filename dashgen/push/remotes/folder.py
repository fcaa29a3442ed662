"""The folder `out/`: everything is staged first, then moved into place file by file, the manifest last."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import orjson

from dashgen.diagnostics import RunError
from dashgen.model.artifact import Artifact
from dashgen.model.change import Action, Change

MANIFEST = "manifest.json"
_STAGING = ".dashgen-"


class FolderError(RunError):
    """The folder cannot be read or written; the message says which file and why."""


class Folder:
    """A folder with a manifest of what dashgen wrote into it."""

    def __init__(self, root: Path):
        self.root = root
        self._staging = root / f"{_STAGING}{os.getpid()}"
        self._folders: set[str] = set()

    def ours(self) -> dict[str, str]:
        """Path → digest of every file that an earlier run wrote."""
        try:
            listed = orjson.loads((self.root / MANIFEST).read_bytes())["artifacts"]
            return {str(each["path"]): str(each["sha256"]) for each in listed if _inside(str(each["path"]))}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError) as error:
            raise FolderError(
                f"{self.root / MANIFEST} is damaged ({error}). Restore it, or remove it to start anew."
            ) from None
        except OSError as error:
            raise FolderError(f"{self.root / MANIFEST}: {error.strerror}.") from None

    def digests(self, paths: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
        """Path → digest of those of the files that exist; what is `known` is not read again."""
        found = dict(known)
        for path in paths:
            if path in known:
                continue
            try:
                found[path] = hashlib.sha256((self.root / path).read_bytes()).hexdigest()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise FolderError(f"{self.root / path}: {error.strerror}.") from None
        return found

    def stage(self, artifact: Artifact) -> None:
        """Put an artifact beside its place, unless the same bytes stand there already."""
        target, staged = f"{self.root}/{artifact.path}", f"{self._staging}/{artifact.path}"
        try:
            if _holds(target, artifact.content):
                return
            folder = os.path.dirname(staged)
            if folder not in self._folders:
                os.makedirs(folder, exist_ok=True)
                self._folders.add(folder)
            with open(staged, "wb") as file:
                file.write(artifact.content)
        except OSError as error:
            raise FolderError(f"{target}: {error.strerror}. Nothing was changed.") from None

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Let no other run compare or write meanwhile; the kernel frees the lock of a process that died."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.root, os.O_RDONLY)
        except OSError as error:
            raise FolderError(f"{self.root}: {error.strerror}. Nothing was changed.") from None
        try:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def commit(self, changes: Iterable[Change], manifest: bytes) -> None:
        """Move staged files into place, remove what is no longer wanted, and write the manifest last."""
        changes = list(changes)
        written = [change.path for change in changes if change.action in (Action.CREATE, Action.UPDATE)]
        self._make_room(written)
        staged = self._staging / MANIFEST
        try:
            staged.parent.mkdir(parents=True, exist_ok=True)
            staged.write_bytes(manifest)
        except OSError as error:
            raise FolderError(f"{self.root}: {error.strerror}. Nothing was changed.") from None
        try:
            for path in written:
                os.replace(self._staging / path, self.root / path)
            for change in changes:
                if change.action is Action.DELETE:
                    self._remove(change.path)
            os.replace(staged, self.root / MANIFEST)
        except OSError as error:
            raise FolderError(f"{error.filename}: {error.strerror}. Run the command again to finish.") from None

    def discard(self) -> None:
        """Remove what was staged, by this run and by runs that did not live to do so."""
        shutil.rmtree(self._staging, ignore_errors=True)
        for left in self.root.glob(f"{_STAGING}*"):
            if not alive(left.name.removeprefix(_STAGING)):
                shutil.rmtree(left, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.root.rmdir()  # only if it is empty

    def _make_room(self, paths: Iterable[str]) -> None:
        """Make the folders of some files; nothing is made where a file or a link out of here is in the way of any."""
        real = self.root.resolve()
        folders = {(self.root / path).parent for path in paths}
        for folder in sorted({*folders, *(above for each in folders for above in each.parents)}):
            if folder.exists() and not folder.is_dir():
                raise FolderError(f"{folder} is a file where a folder has to be. Move it away. Nothing was changed.")
            if folder.is_relative_to(self.root) and not folder.resolve().is_relative_to(real):
                raise FolderError(f"{folder} leads out of {self.root}. Remove the link. Nothing was changed.")
        try:
            for folder in folders:
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FolderError(f"{error.filename}: {error.strerror}. Nothing was changed.") from None

    def _remove(self, path: str) -> None:
        target = self.root / path
        target.unlink(missing_ok=True)
        for folder in target.relative_to(self.root).parents:
            with contextlib.suppress(OSError):
                (self.root / folder).rmdir() if folder != Path(".") else None


def _holds(path: str, content: bytes) -> bool:
    """Whether a file exists and holds just these bytes."""
    try:
        if os.stat(path).st_size != len(content):
            return False
        with open(path, "rb") as file:
            return file.read() == content
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False


def _inside(path: str) -> bool:
    return not path.startswith("/") and ".." not in path.split("/")


def alive(pid: str) -> bool:
    """Whether the process that a leftover is named after still runs."""
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
