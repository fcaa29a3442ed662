"""The mark of rule groups that are pushed over HTTP: a recording rule `dashgen:pushed:info`, first in its group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dashgen.model.remote import Mark

Group = dict[str, Any]
RECORD = "dashgen:pushed:info"
ALONE = "dashgen"  # the group of the mark where every other group is full


@dataclass(frozen=True, slots=True)
class Marked:
    """The groups of a namespace without the mark, the mark, and whether the push that wrote it came to its end."""

    groups: list[Group]
    mark: Mark | None
    owner: str = ""
    unfinished: bool = False


def with_mark(groups: Sequence[Group], mark: Mark, owner: str, most: int, *, unfinished: bool = False) -> list[Group]:
    """The groups with the group that bears the mark at the front: the first that has room for it (`most` 0: any).

    >>> [first, _] = with_mark([{"name": "a", "rules": []}, {"name": "b", "rules": []}], Mark("shop", "0" * 16), "o", 0)
    >>> first["name"], first["rules"][0]["record"]
    ('a', 'dashgen:pushed:info')
    """
    rule = _rule(mark, owner, unfinished)
    room = (place for place, group in enumerate(groups) if not most or len(group["rules"]) < most)
    place = next(room, None)
    if place is None:
        return [{"name": ALONE, "rules": [rule]}, *groups]
    first = {**groups[place], "rules": [rule, *groups[place]["rules"]]}
    return [first, *groups[:place], *groups[place + 1 :]]


def without_mark(groups: Iterable[Group]) -> Marked:
    """Take the mark off what a ruler holds; an unfinished one counts before others.

    >>> mark = Mark("shop", "0" * 16)
    >>> without_mark(with_mark([{"name": "a", "rules": []}], mark, "o", 20)) == Marked(
    ...     [{"name": "a", "rules": []}], mark, "o"
    ... )
    True
    """
    bare: list[Group] = []
    marks: list[tuple[bool, Mark, str]] = []
    for group in groups:
        rules = group.get("rules") or []
        read = _read(rules[0]) if rules else None
        if read:
            marks.append(read)
        left = {**group, "rules": rules[1:]} if read else group
        if not (read and group.get("name") == ALONE and len(rules) == 1):
            bare.append(left)
    if not marks:
        return Marked(bare, None)
    unfinished, mark, owner = max(marks, key=lambda each: each[0])
    return Marked(bare, mark, owner, unfinished)


def bears_mark(group: Group) -> bool:
    """Whether the mark stands in this group."""
    rules = group.get("rules") or []
    return bool(rules) and _read(rules[0]) is not None


def _rule(mark: Mark, owner: str, unfinished: bool) -> dict[str, Any]:
    state = {"unfinished": "true"} if unfinished else {}
    return {
        "record": RECORD,
        "expr": "vector(1)",
        "labels": {"graph": mark.graph, "owner": owner, "digest": mark.digest, **state},
    }


def _read(rule: Any) -> tuple[bool, Mark, str] | None:
    labels = rule.get("labels") if isinstance(rule, dict) and rule.get("record") == RECORD else None
    if not isinstance(labels, dict):
        return None
    mark = Mark.read(f"dashgen:{labels.get('graph')}:{labels.get('digest')}")
    return (labels.get("unfinished") == "true", mark, str(labels.get("owner", ""))) if mark else None
