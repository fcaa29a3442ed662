"""What a ruler has really loaded and evaluates, from its own `/api/v1/rules`, against what was stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dashgen.model.change import Action
from dashgen.model.plan import Step
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.pushed_rule import ALONE, RECORD

LoadedGroups = Mapping[str, list[dict[str, Any]]]  # by name, the rules of each in order
Loaded = Mapping[str, LoadedGroups]  # by namespace


def read_loaded(answer: Any) -> Loaded:
    """From the answer of `/api/v1/rules`; `RemoteError` where it is something else."""
    made: dict[str, dict[str, list[dict[str, Any]]]] = {}
    try:
        for group in answer["data"]["groups"] or ():  # vmalert says null for none
            made.setdefault(str(group["file"]), {})[str(group["name"])] = [dict(rule) for rule in group["rules"]]
    except (KeyError, TypeError, ValueError) as error:
        raise RemoteError(f"/api/v1/rules answered in another form than Prometheus does ({error!r}).") from None
    return made


def unloaded(step: Step, groups: LoadedGroups) -> str:
    """Why a step has no effect yet on its namespace; empty if it has.

    Rulers load what is stored some time later, maybe on another machine. The digest in the mark tells the new state
    from the former one.
    """
    if step.action is Action.DELETE:
        return "its rules are still evaluated." if groups else ""
    marks = [rule for rules in groups.values() for rule in rules[:1] if rule.get("name") == RECORD]
    labels = [mark.get("labels") or {} for mark in marks]
    if not any(each.get("digest") == step.after and "unfinished" not in each for each in labels):
        return "the ruler has not loaded it."
    wanted = {group["name"]: group["rules"] for group in step.wanted["groups"]}
    for name, rules in wanted.items():
        loaded = [rule for rule in groups.get(name, ()) if rule.get("name") != RECORD]
        if [rule.get("name") for rule in loaded] != [rule.get("record") or rule.get("alert") for rule in rules]:
            return f"the ruler has not loaded the group {name} as it was stored."
        for rule in loaded:
            if rule.get("health") == "err":
                return f"the rule {rule.get('name')} fails: {rule.get('lastError') or 'no reason given'}."
    left = set(groups) - {*wanted, ALONE}
    return f"the ruler still evaluates the group {min(left)}." if left else ""


def dropped(step: Step, stored: Iterable[Mapping[str, Any]]) -> str:
    """What a ruler of another version did not keep of the groups that it took; empty if it kept every key."""
    held = {group["name"]: group for group in stored}
    for group in step.wanted["groups"] if step.action is not Action.DELETE else ():
        there = held.get(group["name"], {})
        rules = [rule for rule in there.get("rules") or () if rule.get("record") != RECORD]
        pairs = [(group, there), *zip(group["rules"], rules, strict=False)]
        if lost := sorted({key for sent, kept in pairs for key, value in sent.items() if value and not kept.get(key)}):
            return f"this ruler knows no {', '.join(lost)} and dropped it from the group {group['name']}."
    return ""
