"""What the rulers that read files want said differently: stages for vmalert, partial responses for Thanos."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Groups = list[dict[str, Any]]

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


def spoken(product: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """A rule file's data as a product wants it."""
    groups: Groups = list(data["groups"])
    if product == "vmalert":
        groups = [stage for group in groups for stage in staged(group)]
    elif product == "thanos":
        groups = [{**group, "partial_response_strategy": "abort"} for group in groups]
    return {**data, "groups": groups}


def staged(group: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The group, split so that no rule reads what another rule of its own group records.

    vmalert writes results to its storage and does not wait until they can be read, so a rule of the same group would
    always see the former round. In a group of its own it sees the latest that has arrived, which lags by no more than
    one interval a stage.

    >>> rules = [{"record": "a", "expr": "up"}, {"record": "b", "expr": "a + 1"}, {"alert": "C", "expr": "b > a"}]
    >>> [(stage["name"], len(stage["rules"])) for stage in staged({"name": "g", "interval": "1m", "rules": rules})]
    [('g', 1), ('g:2', 1), ('g:3', 1)]
    """
    levels: dict[str, int] = {}
    stages: dict[int, list[Any]] = {}
    for rule in group["rules"]:
        read = set(_NAME.findall(str(rule["expr"])))
        level = max((levels[name] + 1 for name in read & levels.keys()), default=1)
        stages.setdefault(level, []).append(rule)
        if "record" in rule:
            levels[rule["record"]] = max(level, levels.get(rule["record"], 1))
    for level, rules in sorted(stages.items()):
        yield {**group, "name": group["name"] if level == 1 else f"{group['name']}:{level}", "rules": rules}
