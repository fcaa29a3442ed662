"""Pass 2: every name that an entry uses must exist, and no two names may collide as files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from dashgen.diagnostics import Diagnostic, did_you_mean
from dashgen.model.spec import Instrumentation
from dashgen.resolve.draft import Draft, Result


def names(draft: Draft) -> Result:
    """Report unknown teams, services, profiles and tables, each with the nearest known name."""
    return draft, [*_teams(draft), *_callees(draft), *_profiles(draft), *_tables(draft), *_collisions(draft)]


def _unknown(draft: Draft, kind: str, name: str, known: Iterable[str], *path: object, key: bool = False) -> Diagnostic:
    known = sorted(known)
    listed = (
        f" Known: {', '.join(known[:8])}{', …' if len(known) > 8 else ''}." if known else f" There is no {kind} yet."
    )
    detail = f"There is no {kind} called “{name}”.{did_you_mean(name, known) or listed}"
    return draft.error(f"spec/unknown-{kind.replace(' ', '-')}", f"Unknown {kind}", detail, *path, key=key)


def _teams(draft: Draft) -> Iterator[Diagnostic]:
    entries = [("services", name, each.team) for name, each in draft.spec.services.items()]
    entries += [("chains", name, each.team) for name, each in draft.spec.chains.items() if each.team]
    for section, name, team in entries:
        if team not in draft.spec.teams:
            yield _unknown(draft, "team", team, draft.spec.teams, section, name, "team")


def _callees(draft: Draft) -> Iterator[Diagnostic]:
    services = draft.spec.services
    for name, service in services.items():
        for callee in service.calls:
            if callee not in services:
                yield _unknown(draft, "service", callee, services, "services", name, "calls", callee, key=True)
    for name, chain in draft.spec.chains.items():
        for position, step in enumerate(chain.path):
            callee, _, operation = step.partition("/")
            path = ("chains", name, "path", position)
            if callee not in services:
                yield _unknown(draft, "service", callee, services, *path)
            elif operation and operation not in services[callee].operations:
                yield _unknown(draft, "operation", operation, services[callee].operations, *path)


def _profiles(draft: Draft) -> Iterator[Diagnostic]:
    profiles = draft.library.profiles
    usable = [name for name, profile in profiles.items() if profile.versions]
    runtimes = [name for name, profile in profiles.items() if profile.signals]

    def used() -> Iterator[tuple[Instrumentation | None, str | None, tuple[object, ...]]]:
        for name, service in draft.spec.services.items():
            yield service.instrumentation, service.runtime, ("services", name)
            for inner, each in service.implementations.items():
                yield each.instrumentation, each.runtime, ("services", name, "implementations", inner)
            for callee, call in service.calls.items():
                yield call.instrumentation, None, ("services", name, "calls", callee)

    for instrumentation, runtime, path in used():
        if instrumentation and instrumentation.profile not in usable:
            yield _unknown(draft, "profile", instrumentation.profile, usable, *path, "instrumentation", "profile")
        if runtime and runtime not in runtimes:
            yield _unknown(draft, "runtime profile", runtime, runtimes, *path, "runtime")


def _tables(draft: Draft) -> Iterator[Diagnostic]:
    tables = draft.library.windows
    sections: tuple[tuple[str, Mapping[str, object]], ...] = (
        ("services", draft.spec.services),
        ("chains", draft.spec.chains),
    )
    for section, entries in sections:
        for name, entry in entries.items():
            for slo_name, slo in entry.slos.items():  # type: ignore[attr-defined]
                table = slo.burn_rates.table
                if table and table not in tables:
                    path = (section, name, "slos", slo_name, "burn_rates", "table")
                    yield _unknown(draft, "burn-rate table", table, tables, *path)


def _collisions(draft: Draft) -> Iterator[Diagnostic]:
    for section, entries in (
        ("services", draft.spec.services),
        ("chains", draft.spec.chains),
        ("teams", draft.spec.teams),
    ):
        seen: dict[str, str] = {}
        for name in entries:
            other = seen.setdefault(name.lower(), name)
            if other != name:
                detail = (
                    f"“{name}” and “{other}” differ in case only; their files would collide on some disks. Rename one."
                )
                yield draft.error("spec/case", "Two names differ in case only", detail, section, name, key=True)
