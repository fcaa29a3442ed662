"""Where a series, an alert or a panel comes from: Intents → Explanation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dashgen import conventions as c
from dashgen import promql
from dashgen.model.graph import Chain, Graph, Path, Service
from dashgen.model.intent import Intents, Panel, Rule
from dashgen.promql.words import words


@dataclass(frozen=True, slots=True)
class Explanation:
    """One rule or panel: its id, the file it is written to, its queries, and all that it was made from."""

    id: str
    kind: str
    file: str
    origin: str
    path: Path
    labels: tuple[tuple[str, str], ...]
    queries: tuple[tuple[str, str], ...]
    profiles: tuple[str, ...]
    reads: tuple[str, ...]


def explanations(graph: Graph, made: Iterable[Intents]) -> Iterator[Explanation]:
    """Everything that can be explained."""
    subjects = {c.owner(c.SERVICE, s.name): s for s in graph.services} | {
        c.owner(c.CHAIN, s.name): s for s in graph.chains
    }
    for intents in made:
        subject = subjects.get(intents.owner)
        for rule in (rule for group in intents.groups for rule in group.rules):
            yield _rule(rule, intents.owner, subject)
        for dashboard in intents.dashboards:
            for panel in (panel for row in dashboard.rows for panel in row.panels):
                yield _panel(
                    panel, dashboard.uid, f"grafana/dashboards/{dashboard.folder}/{dashboard.uid}.json", subject
                )


def find(wanted: str, known: Sequence[Explanation]) -> list[Explanation]:
    """What an id means: one thing by its whole id, or all things of that name."""
    whole = [each for each in known if each.id == wanted]
    named = [
        each for each in known if wanted in (each.id.partition("{")[0], each.id.rpartition("/")[2].partition("{")[0])
    ]
    return whole or named


def _rule(rule: Rule, owner: str, subject: Service | Chain | None) -> Explanation:
    inside = ",".join(f'{name}="{promql.quoted(value)}"' for name, value in sorted(rule.labels.items()))
    return Explanation(
        id=f"{rule.name}{{{inside}}}",
        kind="alert" if rule.alert else "recorded series",
        file=f"prometheus/rules/{owner}.yaml",
        origin=rule.origin,
        path=_path(subject, rule.labels.get(c.SLO), rule.labels.get(c.SERVER)),
        labels=tuple(sorted(rule.labels.items())),
        queries=(_query(rule.expr),),
        profiles=_profiles(subject, [rule.expr]),
        reads=_reads([rule.expr]),
    )


def _panel(panel: Panel, uid: str, file: str, subject: Service | Chain | None) -> Explanation:
    exprs = [query.expr for query in panel.queries if panel.type not in ("logs", "text")]
    return Explanation(
        id=f"{uid}/{panel.key}",
        kind=f"panel “{panel.title}”",
        file=file,
        origin=panel.origin,
        path=_path(subject, None, None),
        labels=(),
        queries=tuple(_query(expr) for expr in exprs),
        profiles=_profiles(subject, exprs),
        reads=_reads(exprs),
    )


def _path(subject: Service | Chain | None, slo: str | None, server: str | None) -> Path:
    if subject is None:
        return ()
    if slo and any(each.name == slo for each in subject.slos):
        return (*subject.path, "slos", slo)
    if server and isinstance(subject, Service):
        return next((edge.path for edge in subject.calls if edge.server.name == server), subject.path)
    return subject.path


def _query(expr: str) -> tuple[str, str]:
    """An expression in canonical form, and in words."""
    try:
        return promql.canonical(expr), words(expr)
    except promql.PromqlError:
        return expr, ""  # a panel's expression may hold Grafana's variables


def _reads(exprs: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reading.metric for expr in exprs for reading in promql.readings(expr) if reading.metric))


def _profiles(subject: Service | Chain | None, exprs: Sequence[str]) -> tuple[str, ...]:
    """The profiles whose native metrics the expressions read."""
    if not isinstance(subject, Service):
        return ()
    read = set(_reads(exprs))
    sources = [*subject.sources, *(source for edge in subject.calls for source in edge.sources)]
    named = {
        source.profile
        for source in sources
        for metric in read
        if metric in (source.requests, source.failed) or (source.duration and metric.startswith(source.duration.base))
    }
    return tuple(sorted(named))
