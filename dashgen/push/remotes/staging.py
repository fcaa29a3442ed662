"""Groups for vmalert, where no rule sees what another one of its group just recorded: split into stages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dashgen import promql

Group = dict[str, Any]


def staged(groups: Iterable[Group]) -> list[Group]:
    """Split every group so that no rule reads what an earlier rule of its own group records.

    vmalert writes results to storage some time after it evaluated them, and evaluates groups independently. A stage
    therefore lags behind the one before by up to one interval. `eval_offset` would fix the moments, but vmalert before
    1.95 refuses files that have it, and in later ones it needs intervals that divide a day; the lag is the safe choice.

    >>> rules = [{"record": "b", "expr": "a"}, {"alert": "C", "expr": "b > 1"}, {"record": "d", "expr": "a"}]
    >>> made = staged([{"name": "g", "interval": "1m", "rules": rules}])
    >>> [(each["name"], [rule["expr"] for rule in each["rules"]]) for each in made]
    [('g', ['a', 'a']), ('g (2)', ['b > 1'])]
    """
    return [part for group in groups for part in _split(group)]


def _split(group: Group) -> list[Group]:
    rules: list[dict[str, Any]] = group.get("rules", [])
    stages: list[int] = []
    for position, rule in enumerate(rules):
        read = _readings(rule)
        before = [stages[i] for i, other in enumerate(rules[:position]) if _feeds(other, read)]
        stages.append(1 + max(before, default=0))
    return [
        {
            **group,
            "name": group["name"] if stage == 1 else f"{group['name']} ({stage})",
            "rules": [rule for rule, its in zip(rules, stages, strict=True) if its == stage],
        }
        for stage in range(1, max(stages, default=0) + 1)
    ]


def _readings(rule: Mapping[str, Any]) -> tuple[promql.Reading, ...] | None:
    """What a rule reads; None, for everything, where its expression is MetricsQL or of a newer Prometheus."""
    try:
        return promql.readings(str(rule.get("expr", "")))
    except promql.PromqlError:
        return None


def _feeds(rule: Mapping[str, Any], readings: tuple[promql.Reading, ...] | None) -> bool:
    """Whether a rule records series that one of the selectors may take; labels that it sets can rule that out."""
    if "record" not in rule:
        return False
    if readings is None:
        return True
    labels = rule.get("labels") or {}
    return any(
        reading.metric in ("", rule["record"])
        and not any(op == "=" and labels.get(label, value) != value for label, op, value in reading.matchers)
        for reading in readings
    )
