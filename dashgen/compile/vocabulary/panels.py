"""How dashboards tell things apart: which series a panel shows, and the one colour of a language or a status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dashgen import conventions as c
from dashgen.compile.template.leaf import Promql
from dashgen.compile.vocabulary.native import any_of, selector
from dashgen.model.graph import Chain, Service
from dashgen.model.slo import Slo
from dashgen.model.telemetry import Matcher

Colors = dict[str, str]


@dataclass(frozen=True, slots=True)
class View:
    """What a traffic, error or latency panel shows: series of a level, selected, told apart by labels."""

    key: str
    level: str
    where: Promql
    labels: tuple[str, ...]
    suffix: str
    note: str
    colors: Colors = field(default_factory=dict)

    @property
    def by(self) -> Promql:
        """The labels as a PromQL list."""
        return Promql(", ".join(self.labels))

    @property
    def legend(self) -> str:
        """The labels as a legend."""
        return " → ".join(f"{{{{{label}}}}}" for label in self.labels)


def view(
    key: str, level: str, where: Promql, labels: Sequence[str], suffix: str, note: str, colors: Colors | None = None
) -> View:
    """A view, for templates."""
    return View(key, level, where, tuple(labels), suffix, note, colors or {})


def where(*variables: str, **labels: object) -> Promql:
    """Matchers for a panel: the given labels, the variables, and the environment.

    `operation_not=""` asks for any operation.

    >>> where(service="a", operation_not="")
    'service="a",operation!="",env=~"$env"'
    """
    matchers = [
        Matcher(name.removesuffix("_not"), "!=" if name.endswith("_not") else "=", str(value))
        for name, value in labels.items()
    ]
    matchers += [Matcher(name, "=~", f"${name}") for name in (*variables, c.ENV)]
    return Promql(selector("", tuple(matchers))[1:-1])


def slo_where(slo: Slo) -> Promql:
    """Matchers for the series of one SLO."""
    return where(**{slo.level: slo.subject, c.SLO: slo.name})


def chain_where(chain: Chain) -> Promql:
    """Matchers for the calls along a chain; calls beside it between the same services are not told apart."""
    clients = any_of(hop.service.name for hop in chain.hops[:-1])
    servers = any_of(hop.service.name for hop in chain.hops[1:])
    matchers = (Matcher(c.CLIENT, "=~", clients), Matcher(c.SERVER, "=~", servers), Matcher(c.ENV, "=~", "$env"))
    return Promql(selector("", matchers)[1:-1])


@dataclass(frozen=True, slots=True)
class FlowValue:
    """A number on the drawing of a chain: below which hop, in which line; its name is the legend of its query."""

    name: str
    position: int
    line: int


def flow_values(chain: Chain) -> list[FlowValue]:
    """Under every hop its own time and the failures that start there."""
    shown = enumerate(("time", "errors"))
    return [FlowValue(f"{hop.service.name} {what}", hop.position, line) for line, what in shown for hop in chain.hops]


class Palette:
    """The colours of the theme, by language and by who speaks it."""

    def __init__(self, theme: Mapping[str, Any]):
        self._languages: Mapping[str, str] = theme["languages"]

    def language(self, name: str) -> str:
        """The colour of a language; of several, the last one's, which a migration leads to."""
        return self._languages.get(name.rpartition("+")[2], self._languages["other"])

    def implementations(self, service: Service) -> Colors:
        """Implementation → colour."""
        return {each.name: self.language(each.language) for each in service.implementations}

    def callers(self, service: Service) -> Colors:
        """Caller that counts its calls → colour."""
        return {each.name: self.language(each.language) for each in service.counting}

    def callees(self, service: Service) -> Colors:
        """Callee → colour."""
        return {edge.server.name: self.language(edge.server.language) for edge in service.calls}

    def hops(self, chain: Chain) -> Colors:
        """Hop → colour."""
        return {hop.service.name: self.language(hop.service.language) for hop in chain.hops}

    def mappings(self) -> list[dict[str, str]]:
        """Language → its name in its colour, for tables."""
        return [{"value": name, "text": name, "color": color} for name, color in self._languages.items()]
