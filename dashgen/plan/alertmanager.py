"""Alertmanager's configuration: durations and matchers in one form, and a diff by receivers, routes and inhibitions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dashgen.model.units import duration, seconds
from dashgen.plan.texts import bare, changes

_DURATIONS = re.compile(r"(group_wait|group_interval|repeat_interval|resolve_timeout)\Z")
_SETS = ("matchers", "source_matchers", "target_matchers", "equal")
_NAMED = ("receivers", "time_intervals", "mute_time_intervals")


def canonical(data: Any) -> Any:
    """The configuration without what is empty; orders that mean nothing are sorted, that of routes stays.

    >>> canonical({"route": {"group_wait": "60s", "matchers": ['b = "1"', 'a="2"']}, "templates": []})
    {'route': {'group_wait': '1m', 'matchers': ['a="2"', 'b="1"']}}
    """
    return _form("", bare(data))


def details(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """The diff of two canonical forms; receivers and intervals are told apart by their names."""
    yield from changes(_by_name(before), _by_name(after))


def _form(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _form(name, each) for name, each in value.items() if (name, each) != ("continue", False)}
    if isinstance(value, list):
        made = [_form(key, each) for each in value]
        if key in _SETS:
            return sorted(re.sub(r"\s*(=~|!~|!=|=)\s*", r"\1", str(each), count=1) for each in made)
        named = key in _NAMED and all(isinstance(each, dict) for each in made)
        return sorted(made, key=lambda each: str(each.get("name"))) if named else made
    if isinstance(value, str) and _DURATIONS.match(key):
        try:
            return duration(seconds(value))
        except ValueError:
            return value
    return value


def _by_name(data: dict[str, Any]) -> dict[str, Any]:
    made = dict(data)
    for key in _NAMED:
        listed = made.get(key)
        if isinstance(listed, list) and all(isinstance(each, dict) for each in listed):
            made[key] = {str(each.get("name")): each for each in listed}
    return made
