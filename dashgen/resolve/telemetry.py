"""Pass 3: give every service the native series of its implementations."""

from __future__ import annotations

from dataclasses import replace

from dashgen.diagnostics import Diagnostic
from dashgen.model.graph import Implementation
from dashgen.model.spec import Implementation as ImplementationSpec
from dashgen.model.spec import Release
from dashgen.model.spec import Service as ServiceSpec
from dashgen.model.telemetry import Signal, VersionSeries
from dashgen.resolve.draft import Draft, Result
from dashgen.resolve.sources import choose, make_source, matchers


def telemetry(draft: Draft) -> Result:
    """Give every service one implementation, or all those that it lists."""
    found: list[Diagnostic] = []
    implementations: dict[str, tuple[Implementation, ...]] = {}
    for name, service in draft.spec.services.items():
        if problem := _shape(draft, name, service):
            found.append(problem)
            continue
        made = [_implementation(draft, path, inner, each) for inner, path, each in _listed(name, service)]
        found += [problem for _, problems in made for problem in problems]
        if all(each for each, _ in made):
            implementations[name] = tuple(each for each, _ in made if each)
    return replace(draft, implementations=implementations), found


def _shape(draft: Draft, name: str, service: ServiceSpec) -> Diagnostic | None:
    path = ("services", name)
    single = [key for key in ("language", "instrumentation") if getattr(service, key) is not None]
    if service.implementations and single:
        detail = f"`{single[0]}` and `implementations` exclude each other: move it into one of the implementations."
        return draft.error(
            "spec/implementations", "A service is either one program or several", detail, *path, single[0], key=True
        )
    if not service.implementations and len(single) < 2:
        missing = "language" if service.language is None else "instrumentation"
        detail = (
            f"“{name}” has no `{missing}`. Add `language` and `instrumentation`, or, in a migration, `implementations`."
        )
        return draft.error("spec/instrumentation", "A service without telemetry", detail, *path, key=True)
    return None


def _listed(name: str, service: ServiceSpec) -> list[tuple[str, tuple[str, ...], ImplementationSpec]]:
    """The implementations as written; a service without any is its own only one."""
    path = ("services", name)
    if service.implementations:
        return [
            (
                inner,
                (*path, "implementations", inner),
                each.model_copy(update={"selector": {**service.selector, **each.selector}}),
            )
            for inner, each in service.implementations.items()
        ]
    assert service.language
    assert service.instrumentation
    only = ImplementationSpec.model_construct(
        language=service.language,
        instrumentation=service.instrumentation,
        selector=service.selector,
        operations={},
        runtime=service.runtime,
        release=service.release,
    )
    return [(service.language, path, only)]


def _implementation(
    draft: Draft, path: tuple[str, ...], name: str, spec: ImplementationSpec
) -> tuple[Implementation | None, list[Diagnostic]]:
    profile = draft.library.profiles.get(spec.instrumentation.profile)
    if profile is None or not profile.versions:
        return None, []
    variant, problems = choose(draft, profile, spec.instrumentation, (*path, "instrumentation"))
    if variant is None:
        return None, problems
    if variant.server is None:
        detail = (
            f"{profile.title} counts calls on the client's side only. Name the profile of the server's own metrics."
        )
        return None, [
            draft.error("spec/no-server-metric", "The profile has no server metrics", detail, *path, "instrumentation")
        ]
    selector = {**draft.spec.defaults.selector, **spec.selector}
    if not selector:
        detail = "Without a selector the service would match every series of its kind. Add labels such as `{job: …}`."
        return None, [draft.error("spec/selector", "A service without a selector", detail, *path, key=True)]
    source = make_source(name, spec.language, profile, variant.server, spec.instrumentation, matchers(selector))
    runtime = draft.library.profiles.get(spec.runtime or profile.runtime or "")
    signals = (
        tuple(Signal(s.id, s.title, s.description, s.unit, s.query, s.legend) for s in runtime.signals)
        if runtime
        else ()
    )
    release = spec.release or profile.release
    return Implementation(name, spec.language, profile.profile, source, signals, _version(release)), []


def _version(release: Release | None) -> VersionSeries | None:
    return VersionSeries(release.metric, release.label) if release else None
