"""Alert packs → alert rules, their runbook pages and their tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dashgen import conventions as c
from dashgen.compile.template.faults import odd
from dashgen.compile.units import Unit
from dashgen.compile.vocabulary.links import Links
from dashgen.compile.vocabulary.scopes import labels
from dashgen.compile.vocabulary.traffic import Traffic
from dashgen.model.graph import Edge, Graph, Service, Settings
from dashgen.model.intent import Rule, RuleTest
from dashgen.model.slo import Slo
from dashgen.model.units import number, seconds

DEFAULT_GROUP = "alerts"
IDLE, RESET = "has no traffic", "restarts its counters"
SOON = "25m"  # when a test asks: behind a `for` of a quarter of an hour
LATE = "70m"  # behind one of an hour, and an hour tile


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of one subject: its rule, the group it goes into, its own runbook template if any, and its tests."""

    rule: Rule
    group: str
    runbook: str
    subject: Any
    tests: tuple[RuleTest, ...]


def read(tree: Mapping[str, Any], unit: Unit, subject: Any, settings: Settings, traffic: Traffic) -> Alert:
    """Read one instantiated entry of an alert pack."""
    name = str(tree["alert"])
    base = labels(subject, settings) if subject is not None else {c.ENV: settings.env}
    own = {**base, **_texts(tree.get("labels", {}))}
    if c.SEVERITY in own:
        raise odd(tree["origin"], "Routes go by `severity`, which is a key of an alert and no label of its own.")
    own[c.SEVERITY] = tree.get(c.SEVERITY, c.TICKET)
    if isinstance(unit.subject, Graph):
        teams = [team.name for team in unit.subject.teams]
        if own.get(c.TEAM) not in teams:
            raise odd(
                tree["origin"],
                f"An alert about the whole graph needs `labels: {{team: …}}`, one of {', '.join(teams)}.",
            )
    links = Links(settings)
    annotations = {
        "summary": _line(tree.get("summary", "")),
        "description": _line(tree.get("description", "")),
        "runbook_url": links.runbook(unit.owner, name),
        "dashboard_url": links.dashboard(str(tree.get("dashboard") or _dashboard(unit, settings))),
        **_texts(tree.get("annotations", {})),
    }
    rule = Rule(
        name=name,
        alert=True,
        expr=str(tree["expr"]).strip(),
        labels=own,
        annotations={key: value for key, value in annotations.items() if value},
        wait=tree.get("for", ""),
        keep=tree.get("keep_firing_for", ""),
        origin=tree["origin"],
    )
    identity = {"alertname": name, **own}
    soon = settings.tile.seconds <= 60 and (not rule.wait or seconds(rule.wait) <= 15 * 60)
    tests = tuple(_tests(tree, identity, subject, traffic, SOON if soon else LATE))
    return Alert(rule, str(tree.get("group", DEFAULT_GROUP)), str(tree.get("runbook", "")), subject, tests)


def _dashboard(unit: Unit, settings: Settings) -> str:
    return getattr(unit.subject, "uid", "") or c.uid(settings.name, "overview")


def text(value: object) -> str:
    """A label value."""
    return number(value) if isinstance(value, Decimal) else str(value)


def _texts(tree: Mapping[str, Any]) -> dict[str, str]:
    return {key: text(value) for key, value in tree.items()}


def _line(text: object) -> str:
    return " ".join(str(text).split())


def _tests(
    tree: Mapping[str, Any], identity: Mapping[str, str], subject: Any, traffic: Traffic, at: str
) -> Iterator[RuleTest]:
    """The pack's own cases, then the two that hold for every alert: no traffic, and restarted counters."""
    measured = isinstance(subject, Service | Edge | Slo)
    if measured and not traffic.possible(subject):
        return
    for case in tree.get("tests", ()):
        expected = ((identity,), ()) if case.get("firing", True) else ((), (identity,))
        yield RuleTest(str(case["name"]), tuple(case.get("series", ())), case.get("at", at), *expected)
    if measured:
        yield RuleTest(IDLE, traffic.shaped(subject, "idle"), at, (), (identity,))
        yield RuleTest(RESET, traffic.shaped(subject, "reset"), at, (), (identity,))
