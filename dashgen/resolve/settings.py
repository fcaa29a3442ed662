"""Pass 1: the graph-wide settings, and the tile in which events are counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from dashgen.diagnostics import Diagnostic
from dashgen.model.graph import Kubernetes, Settings, Tile
from dashgen.model.spec import Spec
from dashgen.model.units import MINUTE, duration
from dashgen.resolve.draft import Draft, Result

SCRAPES_PER_TILE = 2
SLOWEST_GROUP = 3 * MINUTE  # windows of days move slowly; three minutes stay well inside the lookback of five
LONGEST_SCRAPE = MINUTE  # tiles of two minutes, which Prometheus's lookback of five minutes still bridges


def settings(draft: Draft) -> Result:
    """Check the dimensions and the scrape interval, and settle the tile."""
    found = list(_dimensions(draft))
    interval = draft.spec.defaults.scrape_interval
    if not 1 <= interval <= LONGEST_SCRAPE:
        detail = (
            f"{duration(interval)} is out of range. dashgen counts events in tiles of at least {SCRAPES_PER_TILE} "
            "scrapes, and a tile must stay below Prometheus's lookback of 5m; scrape every 1s to 1m."
        )
        found.append(
            draft.error(
                "spec/scrape-interval", "The scrape interval is out of range", detail, "defaults", "scrape_interval"
            )
        )
        return draft, found
    settled = tile(interval)
    slow = duration(max(SLOWEST_GROUP, settled.seconds))
    return replace(draft, settings=replace(draft.settings, tile=settled, slow_every=slow)), found


def _dimensions(draft: Draft) -> Iterator[Diagnostic]:
    taken = draft.library.contract.labels | {"le"}
    for position, label in enumerate(draft.spec.defaults.dimensions):
        if label in taken:
            detail = (
                f"The series have a label “{label}” already, and it means something else. Those that differ in the "
                "native label alone could not be told apart, and rules would fail. Leave it out, or give the native "
                "label another name where it is scraped."
            )
            yield draft.error(
                "spec/dimension", "A dimension takes the place of a label", detail, "defaults", "dimensions", position
            )


def unsettled(spec: Spec) -> Settings:
    """The settings as written, with the tile of the default interval."""
    defaults = spec.defaults
    return Settings(
        name=spec.graph,
        title=spec.title or spec.graph,
        env=defaults.env,
        tile=tile(Decimal(15)),
        slow_every=duration(SLOWEST_GROUP),
        metrics=defaults.datasources.metrics,
        traces=defaults.datasources.traces,
        logs=defaults.datasources.logs,
        runbooks=(defaults.runbooks or "").rstrip("/"),
        grafana=(defaults.grafana or "").rstrip("/"),
        dimensions=defaults.dimensions,
        kubernetes=Kubernetes(
            namespace=defaults.kubernetes.namespace or "",
            labels=tuple(sorted(defaults.kubernetes.labels.items())),
            grafana=tuple(sorted(defaults.kubernetes.grafana.items())),
        ),
    )


def tile(interval: Decimal) -> Tile:
    """The smallest whole number of minutes that holds two scrapes.

    >>> tile(Decimal(15)).name, tile(Decimal(15)).range, tile(Decimal(30)).name, tile(Decimal(60)).range
    ('1m', '1m15s', '1m', '3m')
    """
    minutes = -(-int(interval * SCRAPES_PER_TILE) // MINUTE)
    length = minutes * MINUTE
    return Tile(length, duration(length), duration(length + interval), duration(length), duration(interval))
