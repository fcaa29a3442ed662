"""What earlier runs made, so that the next need only make what changed. Losing it costs time, nothing else."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

Stamp = tuple[int, int]  # size in bytes, time of change in nanoseconds


class Memory:
    """Remembers, for one folder, the key under which each owner's files were made, and how these files looked."""

    def __init__(self, folder: Path, fingerprint: str):
        self._folder = str(folder)
        self._fingerprint = f"{fingerprint}:{_code()}"
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        self._path = cache / "dashgen" / f"{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:24]}.json"
        self._owners: dict[str, dict[str, Any]] = {}
        try:
            stored = orjson.loads(self._path.read_bytes())
            if stored["fingerprint"] == self._fingerprint:
                self._owners = stored["owners"]
        except (OSError, ValueError, KeyError, TypeError):
            pass  # a memory that cannot be read is no memory

    def recall(self, owner: str, key: str) -> dict[str, Any] | None:
        """What was remembered of an owner, if it was made under this key and nobody touched its files since."""
        entry = self._owners.get(owner)
        if entry is None or entry["key"] != key:
            return None
        intact = all(self._stamp(path) == tuple(stamp) for path, stamp in entry["stamps"].items())
        return entry["result"] if intact else None

    def keep(self, made: Iterable[tuple[str, str, Mapping[str, Any], Iterable[str]]], recalled: Iterable[str]) -> None:
        """Remember (owner, key, result, paths) of what was made, and go on remembering what was recalled."""
        owners = {owner: self._owners[owner] for owner in recalled}
        for owner, key, result, paths in made:
            owners[owner] = {"key": key, "result": result, "stamps": {path: self._stamp(path) for path in paths}}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            staged = self._path.with_suffix(f".{os.getpid()}")
            staged.write_bytes(orjson.dumps({"fingerprint": self._fingerprint, "owners": owners}))
            os.replace(staged, self._path)
        except OSError:
            pass  # a read-only home only makes the next run slower

    def _stamp(self, path: str) -> Stamp | None:
        try:
            found = os.stat(f"{self._folder}/{path}")
        except OSError:
            return None
        return found.st_size, found.st_mtime_ns


def _code() -> str:
    """A fingerprint of dashgen's own code, so that another version starts without memories."""
    files = sorted(Path(__file__).resolve().parents[2].rglob("*.py"))
    stamps = [f"{file}:{found.st_size}:{found.st_mtime_ns}" for file in files for found in (file.stat(),)]
    return hashlib.sha256("\n".join(stamps).encode()).hexdigest()
