"""The check slo/pace."""

from collections.abc import Iterator
from decimal import Decimal

from dashgen.model.graph import Graph
from dashgen.model.units import number
from dashgen.verify.registry import Finding, graph_check

SUSTAINABLE = Decimal("0.9")


@graph_check("slo/pace")
def slo_pace(graph: Graph) -> Iterator[Finding]:
    """A burn-rate tier fires at a pace that the objective allows.

    A burn rate of 1 uses the budget up exactly at the end of the window. A tier whose factor lies clearly below 1
    opens tickets for services that keep their promise. The factor is budget share × window / long window, so a share
    made for 30 days is too small for 7. Take a table that is meant for the window, or raise the share.

    Passes:
        services: {web: {slos: {availability: {objective: 99.9, window: 7d}}}}

    Fails:
        services: {web: {slos: {availability: {objective: 99.9, window: 7d, burn_rates: workbook}}}}
    """
    for slo in graph.slos:
        for tier in slo.tiers:
            if tier.factor < SUSTAINABLE:
                yield Finding(
                    f"{tier.name} of {slo.id} fires at {number(tier.factor)}×: {number(tier.share)} × "
                    f"{slo.window_name} / {tier.long_name}. At that pace the budget outlasts its window. Raise "
                    "the tier's share or choose another table.",
                    (*slo.path, "burn_rates"),
                )
