"""What a template can name: the graph's settings, the helpers that build expressions, links and test traffic."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from typing import Any

from dashgen import conventions as c
from dashgen.compile.template.evaluation import Scope
from dashgen.compile.template.markdown import escape
from dashgen.compile.template.sandbox import Sandbox
from dashgen.compile.vocabulary import native
from dashgen.compile.vocabulary.hops import Hops
from dashgen.compile.vocabulary.links import Links
from dashgen.compile.vocabulary.panels import Palette, chain_where, flow_values, slo_where, view, where
from dashgen.compile.vocabulary.scopes import hop_labels, labels, scopes
from dashgen.compile.vocabulary.sli import Sli, match
from dashgen.compile.vocabulary.traffic import Traffic
from dashgen.model.graph import Graph, Service
from dashgen.model.telemetry import Signal
from dashgen.model.tree import Document, plain
from dashgen.model.units import duration, number


@dataclass(frozen=True, slots=True)
class Quantile:
    """A latency quantile: its name in series and its rank from 0 to 1."""

    name: str
    rank: Decimal


QUANTILES = (Quantile("p50", Decimal("0.5")), Quantile("p95", Decimal("0.95")), Quantile("p99", Decimal("0.99")))


_NATIVE = "errors events failures mean presence quantile reached released shown signal steady".split()


def environment(graph: Graph, theme: Document) -> tuple[Sandbox, Scope]:
    """Jinja2 with the helpers, and the scope that every unit shares."""
    settings = graph.settings
    colors: Any = plain(theme.root)
    sandbox = Sandbox()
    helpers: Scope = {
        "native": SimpleNamespace(**{name: getattr(native, name) for name in _NATIVE}),
        "sli": Sli(settings.tile, settings.dimensions),
        "hops": Hops(settings.env),
        "link": Links(settings),
        "traffic": Traffic(settings.tile),
        "labels": lambda subject, **more: labels(subject, settings) | more,
        "hop_labels": hop_labels,
        "match": match,
        "scopes": lambda service: scopes(service, settings),
        "timed": native.timed,
        "uid": partial(c.uid, settings.name),
        "quantiles": QUANTILES,
        "slow_every": settings.slow_every,
        "tile": settings.tile,
        "theme": colors,
        "status": colors["status"],
        "palette": Palette(colors),
        "view": view,
        "where": where,
        "slo_where": slo_where,
        "chain_where": chain_where,
        "signals": signals,
        "flow_values": flow_values,
        "receivers": lambda teams: sorted({name for team in teams for name in (team.page, team.ticket)}),
    }
    sandbox.filters |= {
        "duration": duration,
        "number": number,
        "percent": percent,
        "any_of": native.any_of,
        "md": escape,
    }
    return sandbox, helpers | {"graph": settings}


def signals(service: Service) -> list[tuple[str, Signal]]:
    """The runtime panels of all implementations, with the implementation's name."""
    return [(each.name, signal) for each in service.implementations for signal in each.signals]


def percent(ratio: Decimal) -> str:
    """A ratio as a percentage.

    >>> percent(Decimal("0.9995"))
    '99.95 %'
    """
    return f"{number(ratio * 100)} %"
