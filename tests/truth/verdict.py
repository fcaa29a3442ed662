"""Whether what fired is what should have fired, and by how many minutes the two may be apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tests.truth import observer
from tests.truth.observer import Times
from tests.truth.outage import Key, Outage

BURNS = ("ErrorBudgetBurn", "ChainBudgetBurn", "ErrorBudgetExhausted")  # those that the observer can tell
LATE = {"page": 1, "ticket": 3}  # minutes until an alert has to follow
LINGERS = {"page": 2, "ticket": 3}  # a window holds a tile more than it says
EARLY = {"page": 0, "ticket": 3}  # a page never comes too early; windows of days are up to an hour longer than they say
EDGES = ((0, observer.MINUTE), (observer.MINUTE, 0), (observer.MINUTE, observer.MINUTE))  # of long and short windows


def wrong(outage: Outage, fired: Mapping[Key, Times], slack: int = 0, edges: bool = False) -> list[str]:
    """Where alerts were not those of the perfect observer, or of the file where it cannot tell.

    `slack` is how many minutes more an evaluation may need. With `edges`, what depends on a single minute of a window
    or on being at a threshold may go either way, and only pages that the observer can tell are judged: before 3.0
    promtool may count the newest tile twice for a ticket, as it evaluates groups at one moment and in any order.
    """
    true, stated = observer.truth(outage), outage.stated
    also = [observer.truth(outage, longer) for longer in EDGES] if edges else []
    made: list[str] = []
    for key in sorted(fired.keys() | stated.keys() | true.keys()):
        if edges and (key[0] not in BURNS or key[3] != "page"):
            continue
        wanted, *others = ((t if key[0] in BURNS else stated).get(key, frozenset()) for t in (true, *also))
        limits = LATE[key[3]] + slack, LINGERS[key[3]] + slack, EARLY[key[3]]
        found = fired.get(key, frozenset())
        made += differences("it fired", key, wanted, found, *limits, others)
    return made


def differences(
    who: str, key: Key, wanted: Times, found: Times, late: int, lingers: int, early: int, others: Sequence[Times] = ()
) -> Iterator[str]:
    """Where two courses of an alert differ by more than a few minutes; any of the `others` would do as well."""
    sure, allowed = wanted.intersection(*others), wanted.union(*others)
    missed = {m for m in sure - found if sure.issuperset(range(m - late, m + early + 1))}
    unwanted = {m for m in found - allowed if allowed.isdisjoint(range(m - lingers, m + early + 1))}
    if missed or unwanted:
        yield f"{' '.join(key)}: should fire {_spelled(wanted)}, but {who} {_spelled(found)}"


def _spelled(times: Times) -> str:
    spans = (f"{a // 60}h{a % 60}m-{b // 60}h{b % 60}m" for a, b in observer.intervals(times))
    return ", ".join(spans) or "never"
