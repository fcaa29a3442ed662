"""Rule groups: expressions, durations and maps in one form, the order of rules kept, and their diff rule by rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from dashgen import promql
from dashgen.model.units import duration, seconds
from dashgen.plan.texts import bare, change

_DURATIONS = ("interval", "for", "keep_firing_for", "query_offset", "evaluation_delay", "evaluation_interval")


def canonical(data: dict[str, Any]) -> dict[str, Any]:
    """Groups in the order of their names, which is all that servers keep; rules in their own order, which counts.

    >>> rule = {"record": "a", "expr": "sum( b )", "labels": {}}
    >>> canonical({"groups": [{"name": "g", "interval": "60s", "rules": [rule]}]})
    {'groups': [{'name': 'g', 'interval': '1m', 'rules': [{'record': 'a', 'expr': 'sum(b)'}]}]}
    """
    groups = [_group(bare(group)) for group in data.get("groups") or () if isinstance(group, dict)]
    return {**bare(data), "groups": sorted(groups, key=lambda group: str(group.get("name")))}


def details(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """The diff of two canonical forms, group by group and rule by rule."""
    old, new = ({str(group.get("name")): group for group in each["groups"]} for each in (before, after))
    for name in dict.fromkeys([*old, *new]):
        if name not in old or name not in new:
            count = len((old.get(name) or new[name]).get("rules", ()))
            yield f"group {name}: {'new' if name in new else 'removed'}, {count} rule{'s' * (count != 1)}"
        elif old[name] != new[name]:
            yield from _group_details(name, old[name], new[name])


def _group(group: dict[str, Any]) -> dict[str, Any]:
    made = {key: _timed(key, value) for key, value in group.items()}
    rules = [_rule(rule) for rule in group.get("rules", ()) if isinstance(rule, dict)]
    zero = [key for key in ("limit", "query_offset") if made.get(key) in (0, "0s")]
    return {**{key: value for key, value in made.items() if key not in zero}, "rules": rules}


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    made = {key: _timed(key, value) for key, value in rule.items()}
    for key in ("for", "keep_firing_for"):
        if made.get(key) == "0s":
            del made[key]
    for key in ("labels", "annotations"):
        if isinstance(made.get(key), dict):
            made[key] = {name: str(value) for name, value in sorted(made[key].items())}
    if isinstance(made.get("expr"), str | int | float):
        made["expr"] = _expression(str(made["expr"]))
    return made


def _timed(key: str, value: Any) -> Any:
    if key not in _DURATIONS:
        return value
    try:  # a bare number is seconds, as in the answers of APIs
        return duration(seconds(value)) if isinstance(value, str) else duration(value)
    except (ValueError, ArithmeticError):
        return value


def _expression(text: str) -> str:
    try:
        return promql.canonical(text.strip())
    except promql.PromqlError:
        return text.strip()  # LogQL, or an expression of a newer Prometheus


def _group_details(name: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for key in dict.fromkeys([*before, *after]):
        if key != "rules" and before.get(key) != after.get(key):
            yield f"group {name}: {change(key, before.get(key), after.get(key))}"
    old, new = _named(before["rules"]), _named(after["rules"])
    for rule in dict.fromkeys([*old, *new]):
        if rule not in old:
            yield f"{rule}: new"
        elif rule not in new:
            yield f"{rule}: removed"
        elif old[rule] != new[rule]:
            yield f"{rule}: {', '.join(_rule_changes(old[rule], new[rule]))}"
    if list(old) != list(new) and set(old) == set(new):
        yield f"group {name}: its rules stand in another order"


def _rule_changes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if key in ("labels", "annotations"):
            old, new = old or {}, new or {}
            for name in dict.fromkeys([*old, *new]):
                if old.get(name) != new.get(name):
                    yield change(name, old.get(name), new.get(name))
        elif old != new:
            zero = "0s" if key in ("for", "keep_firing_for") else None
            yield change(key, old or zero, new or zero)


def _named(rules: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Rules by a name for people; what tells rules of one name apart is the labels that differ between them."""
    names = [str(rule.get("alert") or rule.get("record")) for rule in rules]
    often = Counter(names)
    made: dict[str, dict[str, Any]] = {}
    for name, rule in zip(names, rules, strict=True):
        alike = [other.get("labels", {}) for other, each in zip(rules, names, strict=True) if each == name]
        labels = rule.get("labels", {})
        telling = [value for key, value in labels.items() if any(other.get(key) != value for other in alike)]
        kind = "alert" if "alert" in rule else "rule"
        shown = f"{kind} {name} ({', '.join(telling)})" if often[name] > 1 and telling else f"{kind} {name}"
        while shown in made:
            shown += " again"
        made[shown] = rule
    return made
