"""The plan for a folder of generated files."""

from __future__ import annotations

from collections.abc import Mapping

from dashgen.model.change import Action, Change


def plan_files(wanted: Mapping[str, str], found: Mapping[str, str], ours: Mapping[str, str]) -> list[Change]:
    """Compare digests by path: what is wanted, what is there, and what an earlier run wrote.

    A file that is there but not ours is never touched; one of ours that somebody edited is replaced while it is
    wanted and left alone when it no longer is.

    >>> wanted, found, ours = {"a": "1", "b": "2", "c": "3"}, {"b": "2", "c": "9", "d": "4"}, {"c": "9", "d": "4"}
    >>> [str(change.action) for change in plan_files(wanted, found, ours)]
    ['+', '=', '~', '-']
    """
    changes = []
    for path, digest in sorted(wanted.items()):
        there = found.get(path)
        if there is None:
            changes.append(Change(Action.CREATE, path))
        elif there == digest:
            changes.append(Change(Action.KEEP, path))
        elif path in ours:
            edited = "edited since it was written" if there != ours[path] else ""
            changes.append(Change(Action.UPDATE, path, edited))
        else:
            changes.append(Change(Action.CONFLICT, path, "not written by dashgen; move it away"))
    for path, digest in sorted(ours.items()):
        if path not in wanted and path in found:
            if found[path] == digest:
                changes.append(Change(Action.DELETE, path, "no longer wanted"))
            else:
                changes.append(Change(Action.KEEP, path, "no longer wanted, but edited by hand: left alone"))
    return changes
