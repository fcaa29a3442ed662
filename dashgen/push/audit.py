"""The audit log: lines of JSON that are only ever appended, each chained to the one before by its SHA-256."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from dashgen.diagnostics import RunError

START = "0" * 64


class AuditLog:
    """One writer of the log; whoever holds the lock of the project may have one."""

    def __init__(self, path: Path):
        self._path = path
        self._lock = threading.Lock()
        self._last = ""

    def append(self, entries: Iterable[Mapping[str, Any]], *, durable: bool = True) -> None:
        """Add lines; `RunError` where they cannot be written. A line that a crash cut off is repaired first."""
        with self._lock:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with open(self._path, "ab", opener=_private) as file:
                    if not self._last:
                        self._last = self._repair()
                    file.write(self._chained(entries))
                    file.flush()
                    if durable:
                        os.fsync(file.fileno())
            except OSError as error:
                self._last = ""
                raise RunError(f"{self._path}: {error.strerror}.") from None

    def _chained(self, entries: Iterable[Mapping[str, Any]]) -> bytes:
        lines = []
        for entry in entries:
            line = orjson.dumps({**entry, "previous": self._last})
            self._last = hashlib.sha256(line).hexdigest()
            lines.append(line + b"\n")
        return b"".join(lines)

    def _repair(self) -> str:
        """Cut off a torn last line, if there is one, and give the hash of the last whole line."""
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(self._path, whole)
        before = content[:whole].rstrip(b"\n").rpartition(b"\n")[2]
        return hashlib.sha256(before).hexdigest() if before else START


def read_log(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every whole line with its number; `RunError` names the first line that the chain does not hold."""
    previous = START
    for number, line in enumerate(_lines(path), 1):
        if not line.endswith(b"\n"):
            return  # torn by a crash: it was never reported as written
        try:
            entry = orjson.loads(line)
        except ValueError:
            raise RunError(f"{path}:{number}: the line is not JSON. Somebody edited the log.") from None
        if not isinstance(entry, dict) or entry.get("previous") != previous:
            raise RunError(f"{path}:{number}: the chain is broken here: this line, or the one before, was edited.")
        previous = hashlib.sha256(line[:-1]).hexdigest()
        yield number, entry


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"{path}: {error.strerror}.") from None


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)
