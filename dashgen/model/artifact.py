"""What is written: a file with its bytes, its owner, and its digest; and the targets that it can be written for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

Kind = Literal[
    "dashboard",
    "folders",
    "rules",
    "tests",
    "alertmanager",
    "runbook",
    "lint",
    "manifest",
    "kubernetes",
    "provisioning",
    "git-sync",
]


class Target(StrEnum):
    """What artifacts are written for, besides the plain files that are always made; the value is a folder of `out/`."""

    KUBERNETES = "kubernetes"
    PROVISIONING = "provisioning"
    GIT_SYNC = "git-sync"


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file of `out/`: `path` is relative, with slashes; `data` is what `content` was written from."""

    path: str
    owner: str
    kind: Kind
    content: bytes
    data: Any = None

    @property
    def sha256(self) -> str:
        """The digest of the content."""
        return hashlib.sha256(self.content).hexdigest()
