"""The way of an alert through the routes of a configuration, as Alertmanager does it.

A route whose matchers all hold takes an alert, hands it to its own routes, and keeps it from the routes behind it
unless it says `continue`. Labels that are not known may be anything, as a Prometheus adds some, so that a route which
asks for one of them is not said to take the alert.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

Route = Mapping[str, Any]
Labels = Mapping[str, str]

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_MATCHER = re.compile(rf'({_QUOTED}|[^\s=!~,{{"]+)\s*(=~|!~|!=|=)\s*({_QUOTED}|[^,"]*?)\s*(?:,|\}}?\s*\Z)')
_NEVER = ("alertname", "=", "")


def samples(routes: Iterable[Route], labels: Labels) -> Iterator[Labels]:
    """An alert for each of some routes, which bears these labels and what the route and those around it ask for."""
    for route in routes:
        mine = {**labels, **{label: value for label, sign, value in matchers(route) if sign == "="}}
        yield mine
        yield from samples(below(route), mine)


def receivers_of(route: Route, labels: Labels, inherited: str = "") -> Iterator[str]:
    """The receivers that an alert ends at which this route has taken."""
    receiver, taken = str(route.get("receiver") or inherited), False
    for each in below(route):
        if _takes(each, labels):
            taken = True
            yield from receivers_of(each, labels, receiver)
            if not each.get("continue"):
                break
    if not taken:
        yield receiver


def taker_of(root: Route, labels: Labels) -> Route:
    """The route that keeps an alert from those behind it; the root where none does."""
    return next((each for each in below(root) if _takes(each, labels) and not each.get("continue")), root)


def asked(routes: Iterable[Route]) -> Iterator[str]:
    """The labels that routes ask for, at any depth."""
    for route in routes:
        yield from (label for label, _, _ in matchers(route))
        yield from asked(below(route))


def _takes(route: Route, labels: Labels) -> bool:
    return all(label in labels and _holds(labels[label], sign, value) for label, sign, value in matchers(route))


def _holds(have: str, sign: str, value: str) -> bool:
    """Whether a matcher holds; a pattern that only Alertmanager understands is taken for one that does not.

    >>> _holds("page", "=~", "page|critical"), _holds("page", "!=", "page"), _holds("page", "!~", "pag(")
    (True, False, False)
    """
    try:
        holds = re.fullmatch(value, have) is not None if "~" in sign else have == value
    except re.error:
        return False
    return holds != sign.startswith("!")


def matchers(route: Route) -> Iterator[tuple[str, str, str]]:
    """Label, sign and value of all matchers in every way to write them; what cannot be read never holds.

    >>> list(matchers({"matchers": ['{a = "1,\\\\"",b!~c}'], "match": {"d": 2}}))
    [('d', '=', '2'), ('a', '=', '1,"'), ('b', '!~', 'c')]
    """
    for key, sign in (("match", "="), ("match_re", "=~")):
        pairs = route.get(key)
        yield from ((str(label), sign, str(value)) for label, value in pairs.items()) if isinstance(pairs, dict) else ()
    lines = route.get("matchers") or []
    for line in lines if isinstance(lines, list) else [lines]:
        yield from _read(str(line)) or [_NEVER]


@lru_cache(maxsize=4096)
def _read(line: str) -> list[tuple[str, str, str]]:
    return [(_plain(label), sign, _plain(value)) for label, sign, value in _MATCHER.findall(line)]


def _plain(text: str) -> str:
    """A label or value without its quotes; a backslash means something before a quote, another one, and `n` only."""
    inside = text[1:-1] if text.startswith('"') else text
    return re.sub(r'\\(["\\n])', lambda escaped: "\n" if escaped[1] == "n" else escaped[1], inside)


def below(route: Route) -> list[Route]:
    """The routes that a route hands its alerts to."""
    return [each for each in route.get("routes") or () if isinstance(each, dict)]
