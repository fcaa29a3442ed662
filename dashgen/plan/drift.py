"""What differs from what was last pushed: the marks of objects say what that was.

What bears no mark, or is not there, only the log of pushes knows. Pushes from elsewhere are not in it, so it is
believed where it knows all marks that are found: then what it has never seen was never pushed, and a folder that is as
it says was not edited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dashgen.model.drift import Drifted, State
from dashgen.model.remote import ORDER, Found, Key, Wanted
from dashgen.plan.compare import UNMARKED, content, edited
from dashgen.plan.digests import details, digest

Pushed = Mapping[Key, Sequence[str]]  # the digests of what was pushed, in their order


def drifted(remote: str, graph: str, wanted: Iterable[Wanted], found: Iterable[Found], pushed: Pushed) -> list[Drifted]:
    """Every object that is wanted or ours, with its state."""
    there = {each.key: each for each in found}
    ours = [each for each in there.values() if each.mark and each.mark.graph == graph]
    whole = all(each.unfinished or (each.mark and each.mark.digest in pushed.get(each.key, ())) for each in ours)
    made = [_wanted(remote, graph, each, there.pop(each.key, None), pushed if whole else {}) for each in wanted]
    made += [
        _seen(remote, State.EDITED if edited(each) else State.UNCHANGED, each) for each in ours if each.key in there
    ]
    return sorted(made, key=lambda each: (ORDER.index(each.key.kind), each.key.name))


def _wanted(remote: str, graph: str, want: Wanted, found: Found | None, pushed: Pushed) -> Drifted:
    last = next(reversed(pushed.get(want.key, ())), "")
    new = bool(pushed) and not last
    if found is None:
        return Drifted(remote, want.key, want.title, State.UNPUSHED if new else State.MISSING)
    after = digest(want.key.kind, want.data, want.parent)
    differs = content(found) != after
    lines = details(want.key.kind, want.data, found.data) if differs else ()
    if found.key.kind in UNMARKED:
        if content(found) in (after, last):
            return _seen(remote, State.UNCHANGED, found)
        return _seen(remote, State.UNPUSHED if new else State.EDITED, found, lines)
    if found.mark is None or found.mark.graph != graph:
        return _seen(remote, State.FOREIGN, found)
    if not edited(found) and not (found.unfinished and differs):
        return _seen(remote, State.EDITED if want.lost else State.UNCHANGED, found, want.lost)
    return _seen(remote, State.EDITED, found, (*(lines if found.mark.digest == after else ()), *want.lost))


def _seen(remote: str, state: State, found: Found, lines: tuple[str, ...] = ()) -> Drifted:
    return Drifted(remote, found.key, found.title, state, found.edited_by, found.edited_at, lines)
