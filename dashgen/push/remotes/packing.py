"""Rule groups of one owner packed into few larger ones, for rulers that count groups and the rules in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashgen import promql
from dashgen.exits import Exit
from dashgen.push.remotes import RemoteError

Group = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """How many rules a group and how many groups a tenant of a ruler may have; 0 is any number."""

    remote: str
    rules: int
    groups: int

    def packed(self, groups: Sequence[Group]) -> Sequence[Group]:
        """The groups of one owner, packed where groups are counted; `RemoteError` where one is too large."""
        largest = max(groups, key=lambda group: len(group["rules"]))
        count = len(largest["rules"])
        if self.rules and count > self.rules:
            raise RemoteError(
                f"The group {largest['name']} has {count} rules, {count - self.rules} more than {self.remote} takes "
                f"({self.rules}). Raise the ruler's limit of rules per group and set max_rules to it.",
                Exit.USAGE,
            )
        return packed(groups, self.rules) if self.groups else groups

    def check(self, ours: int, others: int) -> None:
        """Whether all groups fit. Rulers ask for room for one more even where a group is only replaced."""
        over = ours + others + 1 - self.groups
        if self.groups and over > 0:
            raise RemoteError(
                f"{ours} groups of this graph{f' and {others} others of the tenant' if others else ''} are {over} more "
                f"than fit into {self.remote} ({self.groups}, of which one stays free for updates). Raise the ruler's "
                "limit of groups per tenant and set max_groups to it, or push to another tenant.",
                Exit.USAGE,
            )


def packed(groups: Iterable[Group], most: int) -> list[Group]:
    """Merge groups that differ in nothing but their rules, in order, up to `most` (0: any) in each.

    One place stays free in the first. No rule moves before one whose result it reads: a group joins none that stands
    before what it reads. A merged group has the name of its first. Groups that are too large stay as they are.

    >>> groups = [{"name": n, "interval": "1m", "rules": [{"record": n, "expr": e}]} for n, e in ("ax", "bx", "ca")]
    >>> [(each["name"], len(each["rules"])) for each in packed(groups, 3)]
    [('a', 2), ('c', 1)]
    """
    made: list[Group] = []
    recorded: dict[str, int] = {}  # name of a series → the last place in `made` that records it
    for group in groups:
        rules = list(group.get("rules", ()))
        start = _earliest(rules, recorded)
        place = next((i for i in range(start, len(made)) if _fits(made, i, group, most)), len(made))
        if place == len(made):
            made.append({**group, "rules": rules})
        else:
            made[place]["rules"] += rules
        for rule in rules:
            if name := rule.get("record"):
                recorded[name] = max(place, recorded.get(name, 0))
    return made


def _fits(made: list[Group], place: int, group: Group, most: int) -> bool:
    rules = (place == 0) + len(made[place]["rules"]) + len(group.get("rules", ()))
    return (not most or rules <= most) and _frame(made[place]) == _frame(group)


def _frame(group: Group) -> Group:
    return {key: value for key, value in group.items() if key not in ("name", "rules")}


def _earliest(rules: Iterable[Mapping[str, Any]], recorded: Mapping[str, int]) -> int:
    """The first place at which all that the rules read has been recorded."""
    earliest = 0
    for rule in rules:
        try:
            names = {reading.metric for reading in promql.readings(str(rule.get("expr", "")))}
        except promql.PromqlError:  # LogQL, or an expression of a newer Prometheus: it may read anything
            names = {""}
        read = recorded if "" in names else names
        earliest = max([earliest, *(recorded[name] for name in read if name in recorded)])
    return earliest
