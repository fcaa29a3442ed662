"""Graph + templates → Intents: the compiled knowledge, instantiated once per unit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any, TypeVar

from dashgen import conventions as c
from dashgen.compile import alerts, dashboards, runbooks
from dashgen.compile.template.engine import Compiler, Scope, Template, TemplateFault, sentence
from dashgen.compile.template.grammar import unknown_keys
from dashgen.compile.template.leaf import Dialect
from dashgen.compile.template.reading import need
from dashgen.compile.units import COLLECTIONS, Unit, fingerprints, units
from dashgen.compile.vocabulary.context import environment
from dashgen.diagnostics import Diagnostic
from dashgen.model.graph import Graph
from dashgen.model.intent import Group, Intents, Rule, RuleTest
from dashgen.model.library import Library

Tree = Mapping[str, Any]
T = TypeVar("T")


class Compilation:
    """A library compiled for a graph; `intents` instantiates it for one unit after another."""

    def __init__(self, graph: Graph, library: Library):
        self._graph, self._locate = graph, library.span
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
                self.found.append(fault.diagnostic(library.span))
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
            return None, [fault.diagnostic(self._locate)]

    def _make(self, unit: Unit, scope: Scope) -> Intents:
        settings = self._graph.settings
        groups: dict[str, tuple[str, list[Rule]]] = {}

        def rules(tree: Tree, subject: object) -> None:  # noqa: ARG001
            for each in tree["groups"]:
                _, made = groups.setdefault(str(each["group"]), (str(each["every"]), []))
                made += [_record(rule, each.get("labels") or {}) for rule in each["rules"]]

        def read(tree: Tree, subject: object) -> list[alerts.Alert]:
            return [alerts.read(each, unit, subject, settings, self._scope["traffic"]) for each in tree["alerts"]]

        list(self._read("templates/rules", unit, scope, rules))
        made = [alert for pack in self._read("alerts", unit, scope, read) for alert in pack]
        for alert in made:
            groups.setdefault(alert.group, (settings.tile.every, []))[1].append(alert.rule)
        return Intents(
            owner=unit.owner,
            groups=tuple(_packed(settings.name, unit, groups)),
            dashboards=tuple(self._read("templates/dashboards", unit, scope, lambda tree, _: dashboards.read(tree))),
            runbooks=tuple(self._runbooks.make(made, scope)),
            tests=tuple(_merged(test for alert in made for test in alert.tests)),
            routing=next(self._read("templates/routes", unit, scope, lambda tree, _: tree["routing"]), None),
            lint=next(self._read("templates/lint", unit, scope, lambda tree, _: tree["lint"]), None),
        )

    def _read(self, kind: str, unit: Unit, scope: Scope, read: Callable[[Tree, object], T]) -> Iterator[T]:
        """Read every instance of every template of a kind that concerns the unit."""
        for template in self._templates.get(kind, ()):
            if template.collection in COLLECTIONS:
                scopes = [({**scope, template.variable: each}, each) for each in unit.collection(template.collection)]
            else:
                scopes = [(scope, None)] if isinstance(unit.subject, Graph) else []
            for here, subject in scopes:
                for tree in template.instances(here):
                    try:
                        yield read(tree, subject)
                    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
                        raise TemplateFault(f"{type(error).__name__}: {sentence(error)}", template.span) from error


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
    expr = need(tree, "expr", "A recording rule").strip()
    return Rule(need(tree, "record", "A rule"), False, expr, labels, {}, "", "", str(tree["origin"]))


def _packed(graph: str, unit: Unit, groups: Mapping[str, tuple[str, list[Rule]]]) -> Iterator[Group]:
    """Groups with names that are unique in a Prometheus, cut where they exceed the limit of rules."""
    for name, (every, rules) in groups.items():
        for part, start in enumerate(range(0, len(rules), c.GROUP_RULES)):
            suffix = f"-{part + 1}" if part else ""
            yield Group(f"{graph}/{unit.owner}/{name}{suffix}", every, tuple(rules[start : start + c.GROUP_RULES]))


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
