"""Whether the alerts that our routes are for arrive at their receivers in somebody's whole configuration.

What stands before our routes may take their alerts away. So an alert for each of them is followed through the tree as
Alertmanager does it: a route whose matchers all hold takes it, hands it to its own routes, and keeps it from the routes
behind it unless it says `continue`. The alert bears what our routes ask for with `=`, and a severity; its other labels
may be anything, as a Prometheus adds some, so that a route which asks for one of them is not said to take it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dashgen import conventions as c
from dashgen.exits import Exit
from dashgen.model.remote import Mark
from dashgen.push.reading import yaml_data
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.merge import Part, found_part, graphs, merged

Route = Mapping[str, Any]
Labels = Mapping[str, str]

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_MATCHER = re.compile(rf'({_QUOTED}|[^\s=!~,{{"]+)\s*(=~|!~|!=|=)\s*({_QUOTED}|[^,"]*?)\s*(?:,|\}}?\s*\Z)')
_SAMPLE = {"alertname": "of dashgen", c.SEVERITY: c.TICKET}
_NEVER = ("alertname", "=", "")
_SHOWN = 4  # receivers in a note


def note_on_receivers(text: str, part: Part, graph: str, name: str) -> str:
    """What a plan says of receivers that notify nobody yet, with a graph's part in somebody's configuration.

    `RemoteError` where the configuration could not take the part, or where alerts of the graph do not arrive.
    """
    text = merged(text, part, Mark(graph, "0" * 16), name)
    root = yaml_data(text, name)
    parts = {each: found[0]["routes"] for each in graphs(text) if (found := found_part(text, each, name))}
    ours = parts.pop(graph, [])
    arrived: dict[str, None] = {}
    lost: dict[str, dict[str, None]] = {}
    for labels in _samples(ours, _SAMPLE):
        wanted = dict.fromkeys(each for each in receivers_of({"routes": ours}, labels) if each)
        if missed := wanted.keys() - set(receivers_of(root["route"], labels)):
            taker = _described(_taker(root["route"], labels), root["route"], parts)
            lost.setdefault(taker, {}).update(dict.fromkeys(each for each in wanted if each in missed))
        arrived |= wanted
    if lost:
        raise _refusal(name, lost)
    empty = [each for each in arrived if each in set(_silent(root.get("receivers")))]
    more = f" and {len(empty) - _SHOWN} more" if len(empty) > _SHOWN else ""
    return f"receivers that notify nobody until you fill them: {', '.join(empty[:_SHOWN])}{more}" if empty else ""


def _samples(routes: Iterable[Route], labels: Labels) -> Iterator[Labels]:
    for route in routes:
        mine = {**labels, **{label: value for label, sign, value in _matchers(route) if sign == "="}}
        yield mine
        yield from _samples(_routes(route), mine)


def receivers_of(route: Route, labels: Labels, inherited: str = "") -> Iterator[str]:
    """The receivers that an alert ends at which this route has taken."""
    receiver, taken = str(route.get("receiver") or inherited), False
    for each in _routes(route):
        if _takes(each, labels):
            taken = True
            yield from receivers_of(each, labels, receiver)
            if not each.get("continue"):
                break
    if not taken:
        yield receiver


def _taker(root: Route, labels: Labels) -> Route:
    """The route that keeps an alert from those behind it."""
    return next(each for each in _routes(root) if _takes(each, labels) and not each.get("continue"))


def _takes(route: Route, labels: Labels) -> bool:
    return all(label in labels and _holds(labels[label], sign, value) for label, sign, value in _matchers(route))


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


def _matchers(route: Route) -> Iterator[tuple[str, str, str]]:
    """Label, sign and value of all matchers in every way to write them; what cannot be read never holds.

    >>> list(_matchers({"matchers": ['{a = "1,\\\\"",b!~c}'], "match": {"d": 2}}))
    [('d', '=', '2'), ('a', '=', '1,"'), ('b', '!~', 'c')]
    """
    for key, sign in (("match", "="), ("match_re", "=~")):
        pairs = route.get(key)
        yield from ((str(label), sign, str(value)) for label, value in pairs.items()) if isinstance(pairs, dict) else ()
    for line in route.get("matchers") or ():
        read = [(_plain(label), sign, _plain(value)) for label, sign, value in _MATCHER.findall(str(line))]
        yield from read or [_NEVER]


def _plain(text: str) -> str:
    """A label or value without its quotes; a backslash means something before a quote, another one, and `n` only."""
    inside = text[1:-1] if text.startswith('"') else text
    return re.sub(r'\\(["\\n])', lambda escaped: "\n" if escaped[1] == "n" else escaped[1], inside)


def _routes(route: Route) -> list[Route]:
    return [each for each in route.get("routes") or () if isinstance(each, dict)]


def _silent(receivers: Any) -> Iterator[str]:
    """The names of receivers without anything to notify."""
    for each in receivers or ():
        if isinstance(each, dict) and not any(value for key, value in each.items() if key.endswith("_configs")):
            yield str(each.get("name"))


def _described(route: Route, root: Route, others: Mapping[str, list[Any]]) -> str:
    """A route as its owner finds it: its receiver, its matchers, and the graph if it is one of dashgen's."""
    asked = ", ".join(f'{label}{sign}"{value}"' for label, sign, value in _matchers(route)) or "no matchers"
    graph = next((f" of the graph {each}" for each, routes in others.items() if route in routes), "")
    return f"the route to {route.get('receiver') or root.get('receiver')} ({asked}){graph}"


def _refusal(name: str, lost: Mapping[str, Iterable[str]]) -> RemoteError:
    taken = "; ".join(f"{taker} takes what is for {', '.join(receivers)}" for taker, receivers in lost.items())
    return RemoteError(
        f"{name} cannot take our routes. Before them, {taken}. Give such a route `continue: true`, or matchers that "
        "leave our alerts out; a team of two graphs needs the same receivers in both. Nothing was changed.",
        Exit.USAGE,
    )
