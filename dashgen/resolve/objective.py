"""Helper of the passes: one SLO, its threshold, its window and its burn-rate tiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from dashgen.diagnostics import Diagnostic, offer
from dashgen.model.graph import Tile
from dashgen.model.profile import WindowTable
from dashgen.model.slo import LONGEST_WINDOW, SHORTEST_BURN, SHORTEST_WINDOW, BurnTier, Slo
from dashgen.model.spec import Slo as SloSpec
from dashgen.model.telemetry import Source
from dashgen.model.units import DAY, HOUR, duration, number
from dashgen.resolve.draft import Draft


@dataclass(frozen=True, slots=True)
class Subject:
    """Who makes the promise: a service or a chain; `service` is where it is measured."""

    level: Literal["service", "chain"]
    name: str
    service: str
    team: str
    uid: str
    path: tuple[str, ...]


def make(
    draft: Draft,
    name: str,
    spec: SloSpec,
    sources: tuple[Source, ...],
    subject: Subject,
) -> tuple[Slo | None, list[Diagnostic]]:
    """One SLO, or what is wrong with it."""
    path = (*subject.path, "slos", name)
    kind = spec.type or ("latency" if spec.threshold else "availability")
    window = int(spec.window or draft.spec.defaults.window)
    budget = 1 - spec.objective / 100
    found = [*_window(draft, spec, window, path), *_threshold(draft, spec, kind, sources, path)]
    tiers: tuple[BurnTier, ...] = ()
    if not found:
        tiers, found = _tiers(draft, spec, window, budget, path)
    if found:
        return None, found
    title = spec.title or f"{kind.capitalize()} of {subject.name}{f', {spec.operation}' if spec.operation else ''}"
    slo = Slo(
        name=name,
        title=title,
        description=spec.description or "",
        kind=kind,
        objective=spec.objective / 100,
        window=window,
        threshold=spec.threshold if kind == "latency" else None,
        operation=spec.operation or "",
        sources=sources,
        tiers=tiers,
        level=subject.level,
        subject=subject.name,
        service=subject.service,
        team=subject.team,
        env=draft.settings.env,
        uid=subject.uid,
        path=path,
    )
    return slo, found


def _window(draft: Draft, spec: SloSpec, window: int, path: tuple[str, ...]) -> Iterator[Diagnostic]:
    if not SHORTEST_WINDOW <= window <= LONGEST_WINDOW or window % DAY:
        place = (*path, "window") if spec.window else ("defaults", "window")
        detail = f"{duration(window)} is out of range. An SLO window is a whole number of days from 7d to 90d."
        yield draft.error("spec/window", "The SLO window is out of range", detail, *place)


def _threshold(
    draft: Draft, spec: SloSpec, kind: str, sources: tuple[Source, ...], path: tuple[str, ...]
) -> Iterator[Diagnostic]:
    if kind == "availability":
        if spec.threshold:
            detail = "An availability SLO counts failures and has no threshold. Remove it, or make it `type: latency`."
            yield draft.error(
                "spec/threshold", "A threshold without a latency SLO", detail, *path, "threshold", key=True
            )
        return
    if spec.threshold is None:
        detail = "A latency SLO counts requests slower than a threshold. Add one, such as `threshold: 250ms`."
        yield draft.error("spec/threshold", "A latency SLO without a threshold", detail, *path, key=True)
        return
    for source in sources:
        histogram = source.duration
        if histogram is None:
            detail = f"{source.profile} has no histogram of durations, so slow requests cannot be counted."
            yield draft.error("spec/no-histogram", "A latency SLO without a histogram", detail, *path, "threshold")
        elif not histogram.native and spec.threshold not in histogram.seconds:
            bounds = sorted(histogram.seconds)
            near = [b for b in bounds if b < spec.threshold][-1:] + [b for b in bounds if b > spec.threshold][:1]
            detail = (
                f"{duration(spec.threshold)} is no bucket bound of {source.profile}, so requests below it are not "
                f"counted. Use {' or '.join(duration(b) for b in near)}, or add the bucket to the service and to a "
                "profile of your own."
            )
            yield draft.error("spec/bucket", "The threshold is no bucket bound", detail, *path, "threshold")


def _tiers(
    draft: Draft, spec: SloSpec, window: int, budget: Decimal, path: tuple[str, ...]
) -> tuple[tuple[BurnTier, ...], list[Diagnostic]]:
    table, problem = _table(draft, spec, window, path)
    listed = spec.burn_rates.tiers or (table.tiers if table else ())
    found = [problem] if problem else []
    made = []
    names = [tier.name for tier in listed]
    for position, name in enumerate(spec.burn_rates.off):
        if name not in names and listed:
            detail = f"There is no tier “{name}” to switch off.{offer(name, names)}"
            place = (*path, "burn_rates", "off", position)
            found.append(draft.error("spec/unknown-tier", "Unknown burn-rate tier", detail, *place))
    for position, tier in enumerate(listed):
        if tier.name in spec.burn_rates.off:
            continue
        wanted = spec.burn_rates.minimum_bad_events
        minimum = tier.minimum_bad_events if wanted is None else wanted
        long, short, share = int(tier.long), int(tier.short), tier.budget / 100
        burn, problems = _burn(
            tier.name, tier.severity, long, short, share, minimum, window, budget, draft.settings.tile
        )
        place = (*path, "burn_rates", "tiers", position) if spec.burn_rates.tiers else (*path, "objective")
        found += [draft.error(*problem, *place) for problem in problems]
        made += [burn] if not problems else []
    return tuple(made), found


@lru_cache(maxsize=4096)
def _burn(
    name: str,
    severity: Literal["page", "ticket"],
    long: int,
    short: int,
    share: Decimal,
    minimum: int,
    window: int,
    budget: Decimal,
    tile: Tile,
) -> tuple[BurnTier, tuple[tuple[str, str, str], ...]]:
    """One tier and its problems, as id, summary and detail. Most SLOs of a graph share a few tiers."""
    tier = BurnTier(name, severity, long, short, share, minimum, window, budget)
    return tier, (*_sane(tier, tile), *_possible(tier))


def _table(
    draft: Draft, spec: SloSpec, window: int, path: tuple[str, ...]
) -> tuple[WindowTable | None, Diagnostic | None]:
    """The table that the SLO names, or the closest one that is meant for its window; the project's own come first."""
    tables: Mapping[str, WindowTable] = draft.library.windows
    if spec.burn_rates.tiers or spec.burn_rates.table:
        return tables.get(spec.burn_rates.table or ""), None
    fitting = [t for t in tables.values() if t.period.at_least <= window <= t.period.at_most]
    own = [t for t in fitting if t.windows in draft.library.own_windows] or fitting
    closest = [t for t in own if t.period.length == min(each.period.length for each in own)]
    if len(closest) > 1:
        names = " and ".join(f"“{name}”" for name in sorted(t.windows for t in closest))
        detail = (
            f"{names} in `alerts/windows/` are meant for {duration(window)}, and none of them more closely. "
            "Give them different periods, or name one with `burn_rates:`."
        )
        return None, draft.error("spec/table-tie", "Several burn-rate tables fit", detail, *path, key=True)
    if closest:
        return closest[0], None
    detail = f"No table in `alerts/windows/` is meant for {duration(window)}. Name one with `burn_rates:`, or add one."
    return None, draft.error("spec/no-table", "No burn-rate table fits", detail, *path, key=True)


def _sane(tier: BurnTier, tile: Tile) -> Iterator[tuple[str, str, str]]:
    windows = (tier.long, tier.short)
    rules = (
        (tier.short < tier.long, "the short window must be shorter than the long one"),
        (tier.long <= tier.period, "the long window must not exceed the SLO's own"),
        (tier.short >= SHORTEST_BURN, "the short window must be at least 5m"),
        (all(w % tile.seconds == 0 or w == SHORTEST_BURN for w in windows), "a window must be whole tiles"),
        (all(w % HOUR == 0 for w in windows if w >= DAY), "a window of days must be whole hours"),
    )
    for holds, rule in rules:
        if not holds:
            detail = f"{tier.name} ({tier.long_name} and {tier.short_name}): {rule}."
            yield "spec/tier", "A burn-rate tier makes no sense", detail


def _possible(tier: BurnTier) -> Iterator[tuple[str, str, str]]:
    if tier.threshold >= 1:
        limit = (1 - 1 / tier.factor) * 100
        detail = (
            f"{tier.name} fires when {number(tier.factor)} × {number(tier.budget)} = {number(tier.threshold)} of all "
            "events are bad, which is more than all of them. At this window it needs an objective above "
            f"{number(limit.quantize(Decimal('0.01')))}. Raise the objective, switch the tier off with "
            f"`burn_rates: {{off: [{tier.name}]}}`, or give tiers of your own."
        )
        yield "spec/tier-impossible", "A burn-rate tier can never fire", detail
