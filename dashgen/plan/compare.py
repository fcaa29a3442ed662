"""One remote: what is wanted against what was found, object by object, with the reason where it is not obvious."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dashgen.model.change import Action
from dashgen.model.plan import Step
from dashgen.model.remote import ORDER, Found, Wanted
from dashgen.plan.digests import details, digest

UNMARKED = ("folder", "permissions", "annotation")  # kinds that carry no mark: known by their key, and never pruned
NO_LONGER = "no longer wanted; dashgen prune removes it"


def plan_remote(
    remote: str,
    graph: str,
    wanted: Iterable[Wanted],
    found: Iterable[Found],
    *,
    prune: bool = False,
    adopt: bool = False,
) -> list[Step]:
    """Every step for one remote, in the order of kinds and keys.

    What carries no mark, or was edited since it was pushed, is a conflict; `adopt` overwrites it. What is ours by its
    mark and no longer wanted is deleted with `prune` and noted without.

    >>> from dashgen.model.remote import Key
    >>> key = Key("rules", "a")
    >>> want, other = Wanted(key, "A", {"groups": []}, "a"), Found(key, "A", {"groups": [{"name": "x"}]}, None)
    >>> [str(plan_remote("r", "shop", [want], found)[0].action) for found in ([], [other])]
    ['+', '!']
    """
    there = {each.key: each for each in found}
    steps = [_step(remote, graph, each, there.pop(each.key, None), adopt) for each in wanted]
    steps += [step for each in there.values() if (step := _unwanted(remote, graph, each, prune, adopt))]
    return sorted(steps, key=lambda step: (ORDER.index(step.key.kind), step.key.name))


def edited(found: Found) -> bool:
    """Whether somebody changed a marked object since it was pushed. What a stopped push left is no edit."""
    return found.mark is not None and not found.unfinished and found.mark.digest != content(found)


def content(found: Found) -> str:
    """The digest of what was found, as it would be marked."""
    return digest(found.key.kind, found.data, found.parent)


def by_whom(found: Found) -> str:
    """Who edited an object and when, as far as the remote tells.

    >>> from dashgen.model.remote import Key
    >>> by_whom(Found(Key("rules", "a"), "", {}, None, edited_by="ann", edited_at="2026-11-24T10:00:00Z"))
    ' by ann at 2026-11-24T10:00:00Z'
    """
    return (f" by {found.edited_by}" if found.edited_by else "") + (f" at {found.edited_at}" if found.edited_at else "")


def _step(remote: str, graph: str, want: Wanted, found: Found | None, adopt: bool) -> Step:
    after = digest(want.key.kind, want.data, want.parent)
    step = Step(
        remote,
        Action.CREATE,
        want.key,
        want.title,
        after=after,
        parent=want.parent,
        wanted=want.data,
        reason=want.note,
    )
    if found is None:
        return step
    before = content(found)
    step = replace(step, action=Action.UPDATE, before=before, version=found.version, found=found.data)
    if before != after:
        step = replace(step, details=_details(found, want))
    blocked, forced = _verdict(graph, found, before, after)
    if blocked:
        return replace(step, action=Action.CONFLICT, reason=blocked)
    if forced:
        action = Action.UPDATE if adopt or (before == after and found.mark) else Action.CONFLICT
        return replace(step, action=action, reason=forced)
    return step if before != after else replace(step, action=Action.KEEP, wanted=None, found=None)


def _verdict(graph: str, found: Found, before: str, after: str) -> tuple[str, str]:
    """Why an object must not be touched at all, or only if somebody says so."""
    if found.managed_by:
        return f"managed by {found.managed_by}; release it there first", ""
    if found.mark is None:
        return "", "" if found.key.kind in UNMARKED else f"not pushed by dashgen; edited{by_whom(found)}".removesuffix(
            "; edited"
        )
    if found.mark.graph != graph:
        return f"belongs to the graph {found.mark.graph}", ""
    if found.mark.digest == before and not found.unfinished:
        return "", ""
    if before == after:
        return "", "holds what is wanted already; its mark is renewed"
    return "", "" if found.unfinished else f"edited{by_whom(found)} since it was pushed"


def _unwanted(remote: str, graph: str, found: Found, prune: bool, adopt: bool) -> Step | None:
    if found.mark is None or found.mark.graph != graph or found.key.kind in UNMARKED:
        return None
    step = Step(remote, Action.KEEP, found.key, found.title, before=content(found), parent=found.parent)
    step = replace(step, version=found.version, reason=NO_LONGER)
    if not prune:
        return step
    step = replace(step, found=found.data)
    if found.managed_by:
        return replace(step, action=Action.CONFLICT, reason=f"no longer wanted, but managed by {found.managed_by}")
    if edited(found) and not adopt:
        return replace(
            step, action=Action.CONFLICT, reason=f"no longer wanted, but edited{by_whom(found)} since it was pushed"
        )
    return replace(step, action=Action.DELETE, reason="no longer wanted")


def _details(found: Found, want: Wanted) -> tuple[str, ...]:
    moved = (f"folder {found.parent or 'none'} → {want.parent or 'none'}",) if found.parent != want.parent else ()
    return (*moved, *details(want.key.kind, found.data, want.data))
