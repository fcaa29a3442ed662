"""What differs from what was last pushed: the marks of objects say what that was, so nothing has to be remembered."""

from __future__ import annotations

from collections.abc import Iterable

from dashgen.model.drift import Drifted, State
from dashgen.model.remote import ORDER, Found, Wanted
from dashgen.plan.compare import UNMARKED, content, edited
from dashgen.plan.digests import details, digest


def drifted(remote: str, graph: str, wanted: Iterable[Wanted], found: Iterable[Found]) -> list[Drifted]:
    """Every object that is wanted or ours, with its state. A newer `out/` that was not pushed yet is no drift."""
    there = {each.key: each for each in found}
    made = [_wanted(remote, graph, each, there.pop(each.key, None)) for each in wanted]
    ours = (each for each in there.values() if each.mark and each.mark.graph == graph)
    made += [_seen(remote, State.EDITED if edited(each) else State.UNCHANGED, each) for each in ours]
    return sorted(made, key=lambda each: (ORDER.index(each.key.kind), each.key.name))


def _wanted(remote: str, graph: str, want: Wanted, found: Found | None) -> Drifted:
    if found is None:
        return Drifted(remote, want.key, want.title, State.MISSING)
    after = digest(want.key.kind, want.data, want.parent)
    differs = content(found) != after
    lines = details(want.key.kind, want.data, found.data) if differs else ()
    if found.key.kind in UNMARKED:
        return _seen(remote, State.EDITED if differs else State.UNCHANGED, found, lines)
    if found.mark is None or found.mark.graph != graph:
        return _seen(remote, State.FOREIGN, found)
    if not edited(found) and not (found.unfinished and differs):
        return _seen(remote, State.EDITED if want.lost else State.UNCHANGED, found, want.lost)
    return _seen(remote, State.EDITED, found, (*(lines if found.mark.digest == after else ()), *want.lost))


def _seen(remote: str, state: State, found: Found, lines: tuple[str, ...] = ()) -> Drifted:
    return Drifted(remote, found.key, found.title, state, found.edited_by, found.edited_at, lines)
