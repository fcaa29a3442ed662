"""Helper of the passes: the short forms in which services, teams and dashboards refer to each other."""

from __future__ import annotations

from dashgen import conventions as c
from dashgen.model.graph import Implementation, Ref, Team
from dashgen.resolve.draft import Draft


def ref(draft: Draft, name: str) -> Ref:
    """The short form of a service for its neighbours."""
    spec = draft.spec.services[name]
    language = language_of(draft.implementations[name])
    uid = c.uid(draft.settings.name, c.SERVICE, name)
    return Ref(name, spec.title or name, language, spec.team, spec.tier, uid)


def language_of(implementations: tuple[Implementation, ...]) -> str:
    """The language of a service; several are joined by a plus sign, in alphabetical order."""
    return "+".join(sorted({each.language for each in implementations}))


def make_team(draft: Draft, name: str) -> Team:
    """A team as the files of its services need it."""
    spec = draft.spec.teams[name]
    return Team(name, spec.title or name, spec.page, spec.ticket, spec.editors)


def slo_uid(draft: Draft, level: str, name: str) -> str:
    """The uid of the dashboard that shows the SLOs of a service or a chain."""
    return c.uid(draft.settings.name, c.SLO, c.owner(level, name))
