"""The way back: from what a push did, and what stands there now, to what stood there before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from dashgen.model.change import Action
from dashgen.model.plan import Step
from dashgen.model.remote import Found, Key
from dashgen.plan.compare import UNMARKED, by_whom, content
from dashgen.plan.digests import details


def plan_restore(
    done: Iterable[Step],
    parents: Mapping[tuple[str, Key], str],
    found: Mapping[tuple[str, Key], Found],
    *,
    adopt: bool = False,
) -> list[Step]:
    """The steps back. What somebody changed after that push is a conflict; what that push never reached stays.

    `parents` are the folders that objects stood in before, `found` is what stands there now, both by remote and key.
    """
    return [
        _back(step, parents.get((step.remote, step.key), ""), found.get((step.remote, step.key)), adopt)
        for step in done
    ]


def _back(step: Step, parent: str, found: Found | None, adopt: bool) -> Step:
    now = content(found) if found else ""
    back = Step(step.remote, Action.KEEP, step.key, step.title, before=now, after=step.before, parent=parent)
    if now == step.before or (not step.before and step.key.kind in UNMARKED):
        return back
    data, version = (found.data, found.version) if found else (None, "")
    back = replace(back, version=version, found=data, wanted=step.found)
    if now != step.after and not adopt:
        what = f"edited{by_whom(found)}" if found else "removed"
        return replace(back, action=Action.CONFLICT, reason=f"{what} since that push")
    if not step.before:
        return replace(back, action=Action.DELETE, wanted=None, reason="that push created it")
    lines = details(step.key.kind, data, step.found) if found else ()
    return replace(back, action=Action.UPDATE if found else Action.CREATE, details=lines)
