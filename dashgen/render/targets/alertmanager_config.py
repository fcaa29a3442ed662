"""An Alertmanager configuration → AlertmanagerConfigs: one for every route below the root, and one for inhibitions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dashgen.diagnostics import RunError

Tree = dict[str, Any]

_MATCHER = re.compile(r'\s*"?([^\s"=~!{},]+)"?\s*(=~|!~|!=|=)\s*("(?:\\.|[^"\\])*"|[^\s"{},]*)\s*(?:,|\Z)', re.DOTALL)
_INHERITED = ("group_by", "group_wait", "group_interval", "repeat_interval", "receiver")


def alertmanager_configs(routing: Mapping[str, Any]) -> Iterator[tuple[str, Tree]]:
    """Name and `spec` of each; raises `RunError` for what an AlertmanagerConfig cannot say.

    prometheus-operator puts the route of every AlertmanagerConfig directly below a root of its own. So the root here
    is not handed over, which would claim the alerts of others; what its routes inherit from it they bear themselves.
    """
    if unknown := sorted({*routing} - {"route", "inhibit_rules", "receivers"}):
        raise _impossible(f"`{unknown[0]}`")
    filled = {receiver["name"] for receiver in routing.get("receivers") or () if len(receiver) > 1}
    root = routing["route"]
    inherited = {key: root[key] for key in _INHERITED if key in root}
    used: set[str] = set()
    for position, child in enumerate(root.get("routes") or [root], 1):
        route = {**inherited, **child}
        receivers = sorted(_receivers(route))
        if taken := sorted(filled & {*receivers}):
            raise _impossible(f"the settings of the receiver “{taken[0]}”")
        name = next((m["value"] for m in _matchers(child) if m["matchType"] == "="), str(position))
        name = f"{name}-{position}" if name in used else name
        used.add(name)
        yield f"routes-{name}", {"route": _route(route), "receivers": [{"name": each} for each in receivers]}
    if rules := routing.get("inhibit_rules"):
        yield "inhibitions", {"inhibitRules": [_inhibition(rule) for rule in rules]}


def _route(route: Mapping[str, Any]) -> Tree:
    made = {
        _camel(key): value for key, value in route.items() if key not in ("match", "match_re", "matchers", "routes")
    }
    if matchers := _matchers(route):
        made["matchers"] = matchers
    if route.get("routes"):
        made["routes"] = [_route(each) for each in route["routes"]]
    return made


def _receivers(route: Mapping[str, Any]) -> set[str]:
    below = (name for each in route.get("routes") or () for name in _receivers(each))
    return {*below, *([route["receiver"]] if route.get("receiver") else [])}


def _inhibition(rule: Mapping[str, Any]) -> Tree:
    made: Tree = {"sourceMatch": _matchers(rule, "source_"), "targetMatch": _matchers(rule, "target_")}
    return made | ({"equal": list(rule["equal"])} if rule.get("equal") else {})


def _matchers(tree: Mapping[str, Any], prefix: str = "") -> list[Tree]:
    """Matchers as objects, from texts like `team="edge"` and from the older mappings."""
    made = [each for text in tree.get(f"{prefix}matchers") or () for each in _parsed(text)]
    for key, operator in (("match", "="), ("match_re", "=~")):
        older = tree.get(f"{prefix}{key}") or {}
        made += [{"name": name, "matchType": operator, "value": value} for name, value in older.items()]
    return made


def _parsed(text: str) -> Iterator[Tree]:
    r"""The matchers of one text.

    >>> list(_parsed('service=~"a\\.b|\\"c"'))
    [{'name': 'service', 'matchType': '=~', 'value': 'a\\.b|"c'}]
    """
    inside, position = text.strip().removeprefix("{").removesuffix("}"), 0
    while position < len(inside):
        match = _MATCHER.match(inside, position)
        if match is None:
            raise _impossible(f"the matcher {text!r}")
        value = match[3]
        if value.startswith('"'):
            value = re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1] if m[1] in '"\\' else m[0]), value[1:-1])
        yield {"name": match[1], "matchType": match[2], "value": value}
        position = match.end()


def _camel(key: str) -> str:
    """A key as Kubernetes writes it.

    >>> _camel("group_wait")
    'groupWait'
    """
    head, *rest = key.split("_")
    return head + "".join(word.title() for word in rest)


def _impossible(what: str) -> RunError:
    return RunError(
        f"An AlertmanagerConfig cannot hold {what} of your templates/routes/. Leave it to the operator's own "
        "configuration, or generate without `--target kubernetes`."
    )
