"""Values as a reader wants to see them in one line of a diff, and what counts as nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

_WIDTH = 100
_LEAVES = frozenset((str, int, bool, type(None)))


def bare(value: Any) -> Any:
    """A value without nulls, empty mappings and empty lists, which servers add and drop as they like.

    >>> bare({"a": None, "b": {}, "c": [{"d": None}, 0], "e": ""})
    {'c': [{}, 0], 'e': ''}
    """
    kind = value.__class__
    if kind in _LEAVES:
        return value
    if isinstance(value, dict):
        made = {}
        for key, each in value.items():
            if each.__class__ not in _LEAVES:
                each = bare(each)  # noqa: PLW2901 - most values are leaves; this runs a million times in a large push
                if each == {} or each == []:
                    continue
            if each is not None:
                made[key if key.__class__ is str else str(key)] = each
        return made
    if isinstance(value, list | tuple):
        return [each if each.__class__ in _LEAVES else bare(each) for each in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def shown(value: Any) -> str:
    """A value in one line.

    >>> shown("a  b"), shown(None), shown(True), shown({"b": 1})
    ('a b', 'nothing', 'true', '{"b":1}')
    """
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    text = " ".join(text.split()) or "empty"
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def change(name: str, before: Any, after: Any) -> str:
    """A change of one value; long texts are cut to where they differ.

    >>> change("unit", "reqps", "percentunit")
    'unit reqps → percentunit'
    """
    if isinstance(before, str) and isinstance(after, str):
        before, after = _apart(" ".join(before.split()), " ".join(after.split()))
    return f"{name} {shown(before)} → {shown(after)}"


def changes(before: Any, after: Any, name: str = "") -> Iterator[str]:
    """Every changed value of two plain structures, by its path.

    >>> list(changes({"a": {"b": 1, "c": 2}}, {"a": {"b": 3, "c": 2}, "d": 4}))
    ['a.b 1 → 3', 'd nothing → 4']
    """
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            yield from changes(before.get(key), after.get(key), f"{name}.{key}" if name else str(key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for position, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from changes(old, new, f"{name}[{position}]")
    else:
        yield change(name or "content", before, after)


def _apart(before: str, after: str) -> tuple[str, str]:
    """Two long texts from shortly before the place where they differ."""
    if max(len(before), len(after)) <= _WIDTH:
        return before, after
    same = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    start = max(0, same - 30)
    return tuple(
        f"{'…' if start else ''}{text[start : start + 80]}{'…' if len(text) > start + 80 else ''}"
        for text in (before, after)
    )  # type: ignore[return-value]
