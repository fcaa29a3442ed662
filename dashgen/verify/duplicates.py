"""Dashboards of one uid, wherever in the graph they are made: Grafana would hold one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dashgen.diagnostics import Diagnostic, Span

NAMED = 3  # owners that a message names


def duplicates(dashboards: Iterable[tuple[str, str, str]], template: Callable[[str], Span]) -> Iterator[Diagnostic]:
    """Findings on (owner, uid, origin) of all dashboards. Where case does not count, "A" and "a" are one file."""
    by_uid: dict[str, list[tuple[str, str]]] = {}
    for owner, uid, origin in dashboards:
        by_uid.setdefault(uid.lower(), []).append((owner, origin))
    for uid, made in by_uid.items():
        if len(made) > 1:
            owners = list(dict.fromkeys(owner for owner, _ in made))
            more = f" and {len(owners) - NAMED} more" if len(owners) > NAMED else ""
            *others, last = dict.fromkeys(origin for _, origin in made)
            yield Diagnostic(
                "dashboard/uid",
                "Two dashboards have the same uid",
                f"“{uid}” is the uid of {len(made)} dashboards, made for {', '.join(owners[:NAMED])}{more}. Grafana "
                'would hold one of them. Give each its own, like `uid: << uid("mine", service.name) >>`.',
                template(last),
                related=tuple(("the same uid is made here", template(origin)) for origin in others),
            )
