"""Graph + templates → Intents: the compiled knowledge, instantiated once per unit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from dashgen.compile import alerts, dashboards, runbooks
from dashgen.compile.context import environment
from dashgen.compile.engine import Compiler, Scope, Template, TemplateFault
from dashgen.compile.grammar import unknown_keys
from dashgen.compile.leaf import Dialect
from dashgen.compile.units import COLLECTIONS, Unit, fingerprints, units
from dashgen.diagnostics import Diagnostic
from dashgen.model.graph import Graph
from dashgen.model.intent import Group, Intents, Rule, RuleTest
from dashgen.model.library import Library

GROUP_RULES = 20  # Mimir's default limit


class Compilation:
    """A library compiled for a graph; `intents` instantiates it for one unit after another."""

    def __init__(self, graph: Graph, library: Library):
        self._graph = graph
        sandbox, self._scope = environment(graph, library.theme)
        self.found: list[Diagnostic] = []
        self._templates: dict[str, list[Template]] = {}
        compiler = Compiler(sandbox, library.fragments, _dialect, frozenset({"record", "alert", "panel", "dashboard"}))
        for name, document in library.templates.items():
            kind = str(PurePath(name).parent)
            self.found += unknown_keys(document, kind)
            try:
                self._templates.setdefault(kind, []).append(compiler.template(name, document))
            except TemplateFault as fault:
                self.found.append(fault.diagnostic)
        self._runbooks = runbooks.Pages(sandbox, library.runbooks)
        self.found += self._runbooks.found

    def units(self) -> Iterator[Unit]:
        """The units of the graph, in the order in which they are made."""
        return units(self._graph)

    def intents(self, unit: Unit) -> tuple[Intents | None, list[Diagnostic]]:
        """Everything that one unit asks for."""
        scope: Scope = {**self._scope, "subject": unit.subject, "unit": unit}
        if isinstance(unit.subject, Graph):
            scope["graph"] = _Whole(self._graph)
        try:
            return self._make(unit, scope), []
        except TemplateFault as fault:
            return None, [fault.diagnostic]

    def _make(self, unit: Unit, scope: Scope) -> Intents:
        settings = self._graph.settings
        groups: dict[str, tuple[str, list[Rule]]] = {}
        for tree, _ in self._instances("templates/rules", unit, scope):
            for each in tree["groups"]:
                _, rules = groups.setdefault(str(each["group"]), (str(each["every"]), []))
                rules += [_record(rule, each.get("labels") or {}) for rule in each["rules"]]
        made = [
            alerts.read(each, unit, subject, settings, self._scope["traffic"])
            for tree, subject in self._instances("alerts", unit, scope)
            for each in tree["alerts"]
        ]
        for alert in made:
            groups.setdefault(alert.group, (settings.tile.every, []))[1].append(alert.rule)
        routing = next((tree["routing"] for tree, _ in self._instances("templates/routes", unit, scope)), None)
        return Intents(
            owner=unit.owner,
            groups=tuple(_packed(settings.name, unit, groups)),
            dashboards=tuple(dashboards.read(t) for t, _ in self._instances("templates/dashboards", unit, scope)),
            runbooks=tuple(self._runbooks.make(made, scope)),
            tests=tuple(_merged(test for alert in made for test in alert.tests)),
            routing=routing,
        )

    def _instances(self, kind: str, unit: Unit, scope: Scope) -> Iterator[tuple[Mapping[str, Any], Any]]:
        """Every instance of every template of a kind that concerns the unit, with what it is about."""
        for template in self._templates.get(kind, ()):
            if template.collection in COLLECTIONS:
                for element in unit.collection(template.collection):
                    here = {**scope, template.variable: element}
                    yield from ((tree, element) for tree in template.instances(here))
            elif isinstance(unit.subject, Graph):
                yield from ((tree, None) for tree in template.instances(scope))


class _Whole:
    """The graph as the graph's own templates see it: its settings, and its parts."""

    def __init__(self, graph: Graph):
        self.services, self.chains, self.teams = graph.services, graph.chains, graph.teams
        self.slos, self.edges = graph.slos, graph.edges
        self._settings = graph.settings

    def __getattr__(self, name: str) -> Any:
        return getattr(self._settings, name)


def _dialect(path: tuple[str, ...]) -> Dialect:
    if path[-1:] == ("expr",):
        return "promql"
    if path[:1] == ("alerts",) and path[1:2] in (("summary",), ("description",), ("annotations",)):
        return "gotemplate"
    return "text"


def _record(tree: Mapping[str, Any], common: Mapping[str, Any]) -> Rule:
    labels = {key: alerts.text(value) for key, value in {**common, **(tree.get("labels") or {})}.items()}
    return Rule(str(tree["record"]), False, str(tree["expr"]).strip(), labels, {}, "", "", str(tree["origin"]))


def _packed(graph: str, unit: Unit, groups: Mapping[str, tuple[str, list[Rule]]]) -> Iterator[Group]:
    """Groups with names that are unique in a Prometheus, cut where they exceed the limit of rules."""
    for name, (every, rules) in groups.items():
        for part, start in enumerate(range(0, len(rules), GROUP_RULES)):
            suffix = f"-{part + 1}" if part else ""
            yield Group(f"{graph}/{unit.owner}/{name}{suffix}", every, tuple(rules[start : start + GROUP_RULES]))


def _merged(tests: Iterable[RuleTest]) -> Iterator[RuleTest]:
    """Tests with the same traffic become one, which promtool runs in the time of one.

    All scopes of an owner stand still, or restart, together: their traffic is joined.
    """
    merged: dict[tuple[Any, ...], RuleTest] = {}
    for test in tests:
        key = (test.name,) if test.name in (alerts.IDLE, alerts.RESET) else (test.series, test.at)
        other = merged.setdefault(key, test)
        if other is not test:
            series = tuple({**dict(other.series), **dict(test.series)}.items())
            firing, silent = (*other.firing, *test.firing), (*other.silent, *test.silent)
            merged[key] = RuleTest(other.name, series, other.at, firing, silent)
    return iter(merged.values())


__all__ = ["Compilation", "Unit", "fingerprints"]
