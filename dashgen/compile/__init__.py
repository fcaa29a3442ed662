"""Graph + templates → Intents: the compiled knowledge, instantiated once per unit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any, TypeVar

from dashgen import conventions as c
from dashgen.compile import alerts, dashboards, routes, runbooks
from dashgen.compile.template.engine import Compiler, Template
from dashgen.compile.template.evaluation import Scope
from dashgen.compile.template.faults import TemplateFault, odd, raise_together, sentence
from dashgen.compile.template.grammar import KINDS
from dashgen.compile.units import COLLECTIONS, Unit, fingerprints, units
from dashgen.compile.vocabulary.context import environment
from dashgen.diagnostics import Diagnostic
from dashgen.model.graph import Graph
from dashgen.model.intent import Group, Intents, Rule, RuleTest
from dashgen.model.library import Library
from dashgen.model.units import seconds

Tree = Mapping[str, Any]
T = TypeVar("T")


class Compilation:
    """A library compiled for a graph; `intents` instantiates it for one unit after another."""

    def __init__(self, graph: Graph, library: Library):
        self._graph, self._locate = graph, library.span
        sandbox, self._scope = environment(graph, library.theme)
        self._templates: dict[str, list[Template]] = {}
        compiler = Compiler(sandbox, library.fragments, COLLECTIONS)
        for name, document in library.templates.items():
            kind = str(PurePath(name).parent)
            if template := compiler.template(name, document, KINDS[kind]):
                self._templates.setdefault(kind, []).append(template)
        self._runbooks = runbooks.Pages(sandbox, library.runbooks)
        self.found: list[Diagnostic] = [*compiler.found, *self._runbooks.found]

    def units(self) -> Iterator[Unit]:
        """The units of the graph, in the order in which they are made."""
        return units(self._graph)

    def intents(self, unit: Unit) -> tuple[Intents | None, list[Diagnostic]]:
        """Everything that one unit asks for."""
        scope: Scope = {**self._scope, "subject": unit.subject, "unit": unit}
        if isinstance(unit.subject, Graph):
            scope["graph"] = _Graph(self._graph)
        try:
            return self._make(unit, scope), []
        except TemplateFault as fault:
            return None, list(fault.diagnostics(self._locate))

    def _make(self, unit: Unit, scope: Scope) -> Intents:
        settings = self._graph.settings
        groups: dict[str, tuple[str, str, list[Rule]]] = {}
        faults: list[TemplateFault] = []

        def read(kind: str, read: Callable[[Tree, object], T]) -> list[T]:
            return list(self._read(kind, unit, scope, read, faults))

        def rules(tree: Tree, subject: object) -> None:  # noqa: ARG001
            for each in tree["groups"]:
                every, origin, made = groups.setdefault(str(each["group"]), (each["every"], each["origin"], []))
                if every != each["every"]:
                    told = f"“{each['group']}” is evaluated every {each['every']} here, and every {every} in {origin}."
                    faults.append(
                        odd(each["origin"], f"{told} Give both the same `every`, or this group another name.")
                    )
                made += [_record(rule, each.get("labels", {})) for rule in each["rules"]]

        made: list[alerts.Alert] = []

        def pack(tree: Tree, subject: object) -> None:
            for each in tree["alerts"]:
                try:
                    made.append(alerts.read(each, unit, subject, settings, self._scope["traffic"]))
                except TemplateFault as fault:
                    faults.append(fault)

        read("templates/rules", rules)
        read("alerts", pack)
        for alert in made:
            groups.setdefault(alert.group, (settings.tile.every, "", []))[2].append(alert.rule)
        intents = Intents(
            owner=unit.owner,
            groups=tuple(_packed(settings.name, unit, groups)),
            dashboards=tuple(read("templates/dashboards", lambda tree, _: dashboards.read(tree))),
            runbooks=tuple(self._runbooks.make(made, scope, faults)),
            tests=tuple(_merged(test for alert in made for test in alert.tests)),
            routing=_only(read("templates/routes", lambda tree, _: routes.read(tree["routing"])), faults),
            lint=_only(read("templates/lint", lambda tree, _: tree["lint"]), faults),
        )
        raise_together(faults)
        return intents

    def _read(
        self, kind: str, unit: Unit, scope: Scope, read: Callable[[Tree, object], T], faults: list[TemplateFault]
    ) -> Iterator[T]:
        """Read every instance of every template of a kind that concerns the unit."""
        for template in self._templates.get(kind, ()):
            if template.collection:
                scopes = [({**scope, template.variable: each}, each) for each in unit.collection(template.collection)]
            else:
                scopes = [(scope, None)] if isinstance(unit.subject, Graph) else []
            for here, subject in scopes:
                try:
                    for tree in template.instances(here):
                        yield read(tree, subject)
                except TemplateFault as fault:
                    faults.append(fault)
                except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
                    faults.append(TemplateFault(f"{type(error).__name__}: {sentence(error)}", template.span))


def _only(trees: list[Tree], faults: list[TemplateFault]) -> Tree | None:
    """The one tree of which there can be only one, without the place where it stands."""
    told = "This is already made in {}, and there is one only."
    faults += [odd(each["origin"], told.format(trees[0]["origin"])) for each in trees[1:]]
    return {key: value for key, value in trees[0].items() if key != "origin"} if trees else None


class _Graph:
    """The graph as the graph's own templates see it: its settings, and its parts."""

    def __init__(self, graph: Graph):
        self.services, self.chains, self.teams = graph.services, graph.chains, graph.teams
        self.slos, self.edges = graph.slos, graph.edges
        self._settings = graph.settings

    def __getattr__(self, name: str) -> Any:
        return getattr(self._settings, name)


def _record(tree: Tree, common: Tree) -> Rule:
    labels = {key: alerts.text(value) for key, value in {**common, **tree.get("labels", {})}.items()}
    return Rule(str(tree["record"]), False, str(tree["expr"]).strip(), labels, {}, "", "", tree["origin"])


def _packed(graph: str, unit: Unit, groups: Mapping[str, tuple[str, str, list[Rule]]]) -> Iterator[Group]:
    """Groups with names that are unique in a Prometheus, cut where they exceed the limit of rules."""
    names = set(groups)
    for name, (every, _, rules) in groups.items():
        called, part = name, 1
        for start in range(0, len(rules), c.GROUP_RULES):
            while start and called in names:
                part += 1
                called = f"{name}-{part}"
            names.add(called)
            yield Group(f"{graph}/{unit.owner}/{called}", every, tuple(rules[start : start + c.GROUP_RULES]))


def _merged(tests: Iterable[RuleTest]) -> Iterator[RuleTest]:
    """Tests with the same traffic become one, which promtool runs in the time of one.

    All scopes of an owner stand still, or restart, together: their traffic is joined, and lasts for the last alert.
    """
    merged: dict[tuple[Any, ...], RuleTest] = {}
    for test in tests:
        key = (test.name,) if test.name in (alerts.IDLE, alerts.RESET) else (test.series, test.at)
        other = merged.setdefault(key, test)
        if other is not test:
            series = tuple({**dict(other.series), **dict(test.series)}.items())
            firing, silent = (*other.firing, *test.firing), (*other.silent, *test.silent)
            merged[key] = RuleTest(other.name, series, max(other.at, test.at, key=seconds), firing, silent)
    return iter(merged.values())


__all__ = ["Compilation", "Unit", "fingerprints", "units"]
