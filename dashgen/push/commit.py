"""The git commit that a push was made from, read without git."""

from __future__ import annotations

import os
import re
from pathlib import Path


def git_commit(folder: Path) -> str:
    """The commit that is checked out around a folder, as the pipeline or `.git` says; empty if there is none."""
    for name in ("GITHUB_SHA", "CI_COMMIT_SHA"):
        if re.fullmatch("[0-9a-f]{40,64}", os.environ.get(name, "")):
            return os.environ[name]
    folder = folder.resolve()
    git = next((each / ".git" for each in (folder, *folder.parents) if (each / ".git").exists()), None)
    try:
        return _head(git) if git else ""
    except (OSError, UnicodeError):
        return ""


def _head(git: Path) -> str:
    if git.is_file():  # a work tree, or a submodule
        git = git.parent / git.read_text().removeprefix("gitdir:").strip()
    head = (git / "HEAD").read_text().strip()
    if not head.startswith("ref: "):
        return head
    name = head.removeprefix("ref: ")
    shared = git / (git / "commondir").read_text().strip() if (git / "commondir").is_file() else git
    if (shared / name).is_file():
        return (shared / name).read_text().strip()
    packed = (shared / "packed-refs").read_text().splitlines() if (shared / "packed-refs").is_file() else []
    return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "")
