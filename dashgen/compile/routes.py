"""An instantiated routing → the Alertmanager configuration, whose routes lead to receivers that it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from dashgen.compile.template.faults import odd, raise_together
from dashgen.diagnostics import offer

Tree = Mapping[str, Any]


def read(tree: Tree) -> Tree:
    """Read one instantiated routing."""
    faults = [odd(tree["origin"], told) for told in _wrong(tree)]
    raise_together(faults)
    return tree


def _wrong(tree: Tree) -> Iterator[str]:
    for word, used in (
        ("receiver", ("receiver",)),
        ("time_interval", ("mute_time_intervals", "active_time_intervals")),
    ):
        names = Counter(str(each["name"]) for each in tree.get(f"{word}s", ()))
        yield from (f"“{name}” stands twice under `{word}s`." for name, count in names.items() if count > 1)
        for route in _routes(tree["route"]):
            for key in used:
                wanted = route.get(key, ())
                for name in (wanted,) if isinstance(wanted, str) else wanted:
                    if name not in names:
                        yield f"A route names “{name}”, which is not under `{word}s`.{offer(name, names)}"
    for rule in tree.get("inhibit_rules", ()):
        for side in ("source", "target"):
            if not any(rule.get(f"{side}_{kind}") for kind in ("matchers", "match", "match_re")):
                yield f"An inhibition has no `{side}_matchers`, so that every alert is its {side}."


def _routes(route: Tree) -> Iterator[Tree]:
    yield route
    for each in route.get("routes", ()):
        yield from _routes(each)
