"""The folder `out/` as a push reads it: the manifest, and every file just as it was generated."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import orjson

from dashgen.diagnostics import RunError
from dashgen.model.artifact import Artifact, Kind
from dashgen.push.reading import yaml_data

_AGAIN = "Run `dashgen generate` again."
PUSHED: tuple[Kind, ...] = ("folders", "dashboard", "rules", "alertmanager")


class Stored(Artifact):
    """An artifact that was read from a file; its data are parsed when somebody first asks for them."""

    __slots__ = ("_parsed",)

    def __init__(self, path: str, owner: str, kind: Kind, content: bytes):
        for name, value in (("path", path), ("owner", owner), ("kind", kind), ("content", content)):
            object.__setattr__(self, name, value)

    @property
    def data(self) -> Any:
        """The content as plain data; `RunError` where it is neither JSON nor YAML."""
        if not hasattr(self, "_parsed"):
            object.__setattr__(self, "_parsed", self._parse())
        return self._parsed  # type: ignore[attr-defined]

    def _parse(self) -> Any:
        if not self.path.endswith(".json"):
            return yaml_data(self.content, self.path)
        try:
            return orjson.loads(self.content)
        except ValueError as error:
            raise RunError(f"{self.path} is not valid JSON: {error}. {_AGAIN}") from None


@dataclass(frozen=True, slots=True)
class Output:
    """What was generated for one graph, and the digest of its source, which is empty where an older dashgen made it."""

    graph: str
    source: str
    artifacts: tuple[Artifact, ...]


def read_output(root: Path, kinds: Iterable[Kind] = PUSHED) -> Output:
    """Read the manifest and the files of these kinds; `RunError` names all that are missing or edited by hand."""
    graph, source, listed = _manifest(root)
    wanted = frozenset(kinds)
    artifacts, problems = [], []
    for path, owner, kind, digest in listed:
        if kind not in wanted:
            continue
        try:
            content = (root / path).read_bytes()
        except OSError as error:
            problems.append(f"{root / path}: {error.strerror}")
            continue
        if hashlib.sha256(content).hexdigest() != digest:
            problems.append(f"{root / path} was edited after it was generated")
        artifacts.append(Stored(path, owner, kind, content))
    if problems:
        shown = "\n  ".join([*problems[:20], *([f"… and {len(problems) - 20:,} more"] if len(problems) > 20 else [])])
        raise RunError(f"{root} is not what dashgen generated. {_AGAIN}\n  {shown}")
    return Output(graph, source, tuple(artifacts))


def _manifest(root: Path) -> tuple[str, str, list[tuple[str, str, Kind, str]]]:
    path = root / "manifest.json"
    try:
        read = orjson.loads(path.read_bytes())
        listed = [tuple(str(each[key]) for key in ("path", "owner", "kind", "sha256")) for each in read["artifacts"]]
        graph, source = read["graph"], str(read.get("source", ""))
    except OSError as error:
        raise RunError(f"{path}: {error.strerror}. Run `dashgen generate` first, or name the folder: --from.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is damaged or of an older dashgen ({error!r}). {_AGAIN}") from None
    outside = [each[0] for each in listed if each[0].startswith("/") or ".." in each[0].split("/")]
    if outside or not isinstance(graph, str) or not graph:
        raise RunError(f"{path} is damaged: {outside[0] if outside else 'it names no graph'}. {_AGAIN}")
    return graph, source, cast("list[tuple[str, str, Kind, str]]", listed)
