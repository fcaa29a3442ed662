"""Whether alerts arrive at the receivers that our routes name, in somebody's whole configuration.

What stands before our routes may take alerts away, and ours may take those of another graph. So every alert that was
generated is followed, once for all that bear the same of the labels that any route asks for; of other graphs, whose
alerts nobody knows here, one for each of their routes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from dashgen import conventions as c
from dashgen.diagnostics import RunError
from dashgen.model.artifact import Artifact
from dashgen.model.remote import Key, Mark, Wanted
from dashgen.push.reading import yaml_data
from dashgen.push.remotes.alert_labels import alert_labels
from dashgen.push.remotes.merge import found_part, graphs, merged, part_of, receivers_in
from dashgen.push.remotes.routing import Labels, Route, asked, below, matchers, receivers_of, samples, taker_of

_SAMPLE = {"alertname": "of dashgen", c.SEVERITY: c.TICKET}
_SHOWN = 4  # receivers or alerts in a note
_MEND = "a team of two graphs needs the same receivers in both. Nothing was changed."


class _Config(NamedTuple):
    """Somebody's configuration: its root, its receivers, and the routes of every graph that has a part in it."""

    root: Route
    receivers: list[Any]
    parts: Mapping[str, list[Route]]


class _Way(NamedTuple):
    """Alerts that our routes do not tell apart, a receiver of theirs, and the route that keeps them from it, if any."""

    kind: frozenset[tuple[str, str]]
    receiver: str
    taker: str
    alerts: tuple[str, ...]


def wanted_parts(artifacts: Iterable[Artifact], read: Callable[[], str], name: str) -> list[Wanted]:
    """Our part of the generated configuration, with what becomes of our alerts in the whole one that is read."""
    artifacts = list(artifacts)
    return [
        followed(
            Wanted(Key("alertmanager", each.owner.removeprefix("graph-")), name, part_of(each.data), each.owner),
            read(),
            alert_labels(artifacts),
        )
        for each in artifacts
        if each.kind == "alertmanager"
    ]


def followed(want: Wanted, text: str, alerts: Sequence[Labels]) -> Wanted:
    """A part with what a plan says of it, why it cannot be pushed, and what has been taken from its alerts as it is."""
    graph = want.key.name
    try:
        made = merged(text, want.data, Mark(graph, "0" * 16), want.title)
        now, then = _config(text, want.title), _config(made, want.title)
    except RunError as error:
        return replace(want, refused=str(error), lost=(str(error),))
    ways = _ways(then, graph, alerts)
    return replace(
        want,
        note="; ".join(filter(None, [*_less(ways), _silent(then, graph)])),
        refused=_refusal(want.title, _lost(ways), list(_robbed(now, then, graph))),
        lost=tuple(_lost(_ways(now, graph, alerts))),
    )


def _config(text: str, name: str) -> _Config:
    data = yaml_data(text, name)
    parts = {each: found[0]["routes"] for each in graphs(text) if (found := found_part(text, each, name))}
    return _Config(data["route"], data.get("receivers") or [], parts)


def _ways(config: _Config, graph: str, alerts: Iterable[Labels]) -> list[_Way]:
    """The way of every alert to each receiver that the routes of a graph name for it, in the order of the receivers."""
    ours = {"routes": config.parts.get(graph, [])}
    apart = set(asked(below(ours)))
    told = apart.union(asked([config.root]))
    alike: dict[frozenset[tuple[str, str]], dict[str, None]] = {}
    for each in alerts:
        pairs = frozenset((label, value) for label, value in each.items() if label in told)
        alike.setdefault(pairs, {})[each.get("alertname", "")] = None
    made = []
    for pairs, names in alike.items():
        labels, kind = dict(pairs), frozenset(pair for pair in pairs if pair[0] in apart)
        arrived = set(receivers_of(config.root, labels))
        for receiver in {*receivers_of(ours, labels)} - {""}:
            taker = "" if receiver in arrived else _described(taker_of(config.root, labels), config, graph)
            made.append(_Way(kind, receiver, taker, tuple(names)))
    order = [str(each) for each in receivers_in(below(ours))]
    return sorted(made, key=lambda way: order.index(way.receiver))


def _lost(ways: Sequence[_Way]) -> list[str]:
    """What each route takes altogether: no alert of a kind arrives at a receiver."""
    arrived = _arrived(ways)
    lost = _by_taker(way for way in ways if (way.kind, way.receiver) not in arrived)
    return [f"{taker} takes what is for {', '.join(_receivers(taken))}" for taker, taken in lost.items()]


def _less(ways: Sequence[_Way]) -> list[str]:
    """What each route takes some of: other alerts of a kind arrive."""
    arrived = _arrived(ways)
    less = _by_taker(way for way in ways if (way.kind, way.receiver) in arrived)
    return [
        f"{taker} takes some of what is for {_some(_receivers(taken))}: "
        f"{_some(sorted({alert for way in taken for alert in way.alerts}))}"
        for taker, taken in less.items()
    ]


def _arrived(ways: Iterable[_Way]) -> set[tuple[frozenset[tuple[str, str]], str]]:
    """The kinds of which some alert arrives, with its receiver."""
    return {(way.kind, way.receiver) for way in ways if not way.taker}


def _by_taker(ways: Iterable[_Way]) -> dict[str, list[_Way]]:
    made: dict[str, list[_Way]] = {}
    for way in ways:
        if way.taker:
            made.setdefault(way.taker, []).append(way)
    return made


def _receivers(ways: Iterable[_Way]) -> list[str]:
    return list(dict.fromkeys(way.receiver for way in ways))


def _robbed(now: _Config, then: _Config, graph: str) -> Iterator[str]:
    """What our part takes from other graphs that arrives without it."""
    for other in sorted(now.parts.keys() - {graph}):
        before, after = (_ways(each, other, samples(each.parts[other], _SAMPLE)) for each in (now, then))
        arrived = _arrived(before)
        ways = [way for way in after if (way.kind, way.receiver) in arrived]
        yield from (f"{line} of the graph {other}" for line in _lost(ways))


def _silent(config: _Config, graph: str) -> str:
    """Which receivers of a graph notify nobody yet."""
    filled = {
        each.get("name")
        for each in config.receivers
        if isinstance(each, dict) and any(value for key, value in each.items() if key.endswith("_configs"))
    }
    empty = [each for each in dict.fromkeys(receivers_in(config.parts.get(graph, []))) if each not in filled]
    return f"receivers that notify nobody until you fill them: {_some(empty)}" if empty else ""


def _described(route: Route, config: _Config, graph: str) -> str:
    """A route as its owner finds it: its receiver, its matchers, and the graph if it is one of another."""
    told = ", ".join(f'{label}{sign}"{value}"' for label, sign, value in matchers(route)) or "no matchers"
    other = next(
        (f" of the graph {each}" for each, routes in config.parts.items() if each != graph and route in routes), ""
    )
    return f"the route to {route.get('receiver') or config.root.get('receiver')} ({told}){other}"


def _refusal(name: str, lost: list[str], robbed: list[str]) -> str:
    if lost:
        return (
            f"{name} cannot take our routes. Before them, {'; '.join(lost)}. Give such a route `continue: true`, or "
            f"matchers that leave our alerts out; {_MEND}"
        )
    return f"{name} cannot take our routes. With them, {'; '.join(robbed)}; {_MEND}" if robbed else ""


def _some(names: Iterable[str]) -> str:
    """The first few of some names.

    >>> _some("abcdef")
    'a, b, c, d and 2 more'
    """
    names = list(names)
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
