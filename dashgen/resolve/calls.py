"""Pass 5: calls between services, the client metric of each, and the cycles that cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dashgen.diagnostics import Diagnostic
from dashgen.model.graph import Edge, Implementation
from dashgen.model.profile import Side
from dashgen.model.spec import Call
from dashgen.model.telemetry import Matchers, Source
from dashgen.resolve.draft import Draft, Result
from dashgen.resolve.refs import ref
from dashgen.resolve.sources import choose, make_source, matchers


def calls(draft: Draft) -> Result:
    """Make an edge of every call whose two ends are sound."""
    found = list(_cycles(draft))
    edges: dict[tuple[str, str], Edge] = {}
    for name in draft.implementations:
        for callee, call in draft.spec.services[name].calls.items():
            if callee not in draft.implementations:
                continue
            path = ("services", name, "calls", callee)
            sources, uncounted, problems = _sources(draft, name, callee, call, path)
            found += problems
            edges[name, callee] = Edge(
                name=f"{name}→{callee}",
                client=ref(draft, name),
                server=ref(draft, callee),
                protocol=call.protocol,
                criticality=call.criticality,
                timeout=call.timeout,
                sources=sources,
                uncounted=uncounted,
                path=path,
            )
    return replace(draft, edges=edges), found


def _sources(
    draft: Draft, name: str, callee: str, call: Call, path: tuple[str, ...]
) -> tuple[tuple[Source, ...], tuple[str, ...], list[Diagnostic]]:
    found: list[Diagnostic] = []
    sources: list[Source] = []
    uncounted = [each.name for each in draft.implementations[name]]
    for each in draft.implementations[name]:
        own = draft.spec.services[name].implementations.get(each.name)
        used = call.instrumentation or (own.instrumentation if own else draft.spec.services[name].instrumentation)
        profile = draft.library.profiles.get(used.profile) if used else None
        if (
            profile is None
            or used is None
            or (not call.instrumentation and profile.protocol not in ("any", call.protocol))
        ):
            continue
        variant, problems = choose(draft, profile, used, (*path, "instrumentation"))
        found += problems if call.instrumentation else []
        side = variant.client if variant else None
        if side is None and variant and call.instrumentation:
            detail = f"{profile.title} has no client metric, so it cannot count this call. Name another profile."
            found.append(
                draft.error(
                    "spec/no-client-metric", "The profile has no client metrics", detail, *path, "instrumentation"
                )
            )
        if side is None or variant is None:
            continue
        chosen = _select(draft, name, callee, call, side, each, path)
        if isinstance(chosen, Diagnostic):
            found.append(chosen)
        else:
            sources.append(make_source(each.name, each.language, profile, side, used, chosen))
            uncounted.remove(each.name)
        if side.caller:  # a trace-made metric counts the service, not the implementation
            uncounted.clear()
            break
    return tuple(sources), tuple(uncounted), list(dict.fromkeys(found))


def _select(
    draft: Draft, name: str, callee: str, call: Call, side: Side, each: Implementation, path: tuple[str, ...]
) -> Matchers | Diagnostic:
    named = {
        **({side.caller: name} if side.caller else {}),
        **({side.peer: callee} if side.peer else {}),
        **call.selector,
    }
    if not side.peer and not call.selector:
        detail = (
            f"The client metric of {each.profile} has no label that names the callee. "
            f"Add `selector:` with labels that only calls to “{callee}” carry, such as a gRPC service name."
        )
        return draft.error("spec/callee-selector", "A call cannot be told from others", detail, *path, key=True)
    return (() if side.caller else each.source.matchers) + matchers(named)


def _cycles(draft: Draft) -> Iterator[Diagnostic]:
    """Every cycle of hard calls, once, at its alphabetically first service."""
    hard = {
        name: [callee for callee, call in service.calls.items() if call.criticality == "hard"]
        for name, service in draft.spec.services.items()
    }
    done: set[str] = set()
    for start in sorted(hard):
        trail: list[str] = []
        stack = [(start, iter(hard[start]))] if start not in done else []
        trail += [start] if stack else []
        while stack:
            name, rest = stack[-1]
            callee = next(rest, None)
            if callee is None:
                done.add(name)
                stack.pop()
                trail.pop()
            elif callee in trail:
                yield _cycle(draft, [*trail[trail.index(callee) :], callee])
            elif callee in hard and callee not in done:
                stack.append((callee, iter(hard[callee])))
                trail.append(callee)


def _cycle(draft: Draft, trail: list[str]) -> Diagnostic:
    detail = (
        f"{' → '.join(trail)} is a cycle of hard calls: each of them would be down because it is down. "
        "Make one of the calls `criticality: soft`, or remove it."
    )
    return draft.error(
        "spec/cycle", "Hard calls form a cycle", detail, "services", trail[0], "calls", trail[1], key=True
    )
