"""Which environment what a remote holds was pushed for: marks name only the graph, rules and routes bear the label."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from dashgen import conventions as c
from dashgen.model.remote import Found, Wanted

_TOLD = ("rules", "alertmanager")  # the kinds that tell; a dashboard shows every environment
_ROUTED = re.compile(rf'{c.ENV}\s*=\s*"?([^"~]*)"?')


def of_another_environment(remote: str, graph: str, wanted: Iterable[Wanted], found: Iterable[Found]) -> str:
    """Why nothing may be pushed to a remote that holds the same graph of another environment; empty if it does not.

    Environments of one name would take each other's place, and neither would be missed.
    """
    here = {name for each in wanted if each.key.kind in _TOLD for name in _environments(each.data)}
    ours = (each for each in found if each.key.kind in _TOLD and each.mark and each.mark.graph == graph)
    there = [set(_environments(each.data)) for each in ours]
    others = sorted({name for names in there if not names & here for name in names})
    if not here or not others:
        return ""
    old, new = ", ".join(others), ", ".join(sorted(here))
    return (
        f"{remote} holds the graph {graph} of the environment {old}, and {new} would take its place. Give each "
        f"environment another `graph` name, or another server. If {new} is to replace {old}, first delete there what "
        f"bears the mark dashgen:{graph} or a name that begins with dashgen-{graph}-. Nothing was changed."
    )


def _environments(data: Any) -> Iterator[str]:
    """The environments that rules belong to, or that routes ask for, at any depth.

    >>> list(_environments({"groups": [{"rules": [{"record": "a", "labels": {"env": "prod"}}]}]}))
    ['prod']
    >>> list(_environments({"routes": [{"matchers": ['team="a"'], "routes": [{"matchers": ['env="dev"']}]}]}))
    ['dev']
    """
    if not isinstance(data, dict):
        return
    for key in ("groups", "rules", "routes"):
        for inner in data[key] if isinstance(data.get(key), list) else ():
            yield from _environments(inner)
    if isinstance(labels := data.get("labels"), dict) and c.ENV in labels:
        yield str(labels[c.ENV])
    asked = data["matchers"] if isinstance(data.get("matchers"), list) else ()
    yield from (match[1] for each in asked if (match := _ROUTED.fullmatch(str(each))))
