"""What a remote holds and what it should hold: objects by key, with the mark that says which of them are ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

ObjectKind = Literal["folder", "permissions", "dashboard", "rules", "alertmanager", "annotation"]

# Folders come before what stands in them; deletions go the other way.
ORDER: tuple[ObjectKind, ...] = ("folder", "permissions", "dashboard", "rules", "alertmanager", "annotation")


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """An object's identity in its remote: a uid, a namespace, a file's stem. Titles may change, keys may not."""

    kind: ObjectKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Mark:
    """What every pushed object carries: which graph it belongs to, and the digest of what was pushed.

    An object without a mark is somebody else's. One whose content no longer has the digest of its mark was edited by
    somebody since; no state has to be kept anywhere to know either.

    >>> Mark.read(str(Mark("shop", "0123456789abcdef")))
    Mark(graph='shop', digest='0123456789abcdef')
    >>> Mark.read("nothing of ours") is None
    True
    """

    graph: str
    digest: str

    def __str__(self) -> str:
        return f"dashgen:{self.graph}:{self.digest}"

    @classmethod
    def read(cls, text: str) -> Mark | None:
        """The mark in a text that consists of nothing else."""
        match = re.fullmatch(r"dashgen:([^\s:]+):([0-9a-f]{16,64})", text)
        return cls(match[1], match[2]) if match else None


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object as it should be; `data` is plain data without a mark, `parent` the key name of its folder.

    `note` is what a plan says beside it where nothing more important is to be said, `refused` why nothing can be
    pushed there, and `lost` what keeps the object from its effect where it stands already.
    """

    key: Key
    title: str
    data: Any
    owner: str
    parent: str = ""
    note: str = ""
    refused: str = ""
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """An object as it stands in the remote, with the mark taken off `data`.

    `version` is whatever the remote needs to notice that somebody was faster (a resource version, a number, a digest).
    `edited_by` and `edited_at` (RFC 3339) say who changed it last, where the remote knows. `managed_by` names another
    tool that owns it. `unfinished` is what a push left behind that was stopped while it wrote this object.
    """

    key: Key
    title: str
    data: Any
    mark: Mark | None
    version: str = ""
    parent: str = ""
    edited_by: str = ""
    edited_at: str = ""
    managed_by: str = ""
    unfinished: bool = False
