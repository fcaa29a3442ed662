"""What to do about a dear rule, in one sentence that names its cause."""

from __future__ import annotations

from dashgen.model.cost import Assumptions, RuleCost
from dashgen.model.units import MINUTE, duration

LONG = 15 * MINUTE  # a range over native series above which tiles are cheaper by far; a tile itself looks back so far


def advice(cost: RuleCost, assumed: Assumptions) -> str:
    """A sentence on the largest cause of a rule's cost, or an empty text where it is as cheap as it can be."""
    if cost.longest_native > LONG:
        return (
            f"Reads {duration(cost.longest_native)} of native series in each evaluation: record a tile of a minute "
            "once, and add tiles over the window."
        )
    if cost.quantiles and cost.native:
        return (
            "Reads every bucket of every instance for one quantile: drop quantiles that nobody looks at "
            "(templates/rules/), drop labels or buckets at the scrape, or move to native histograms."
        )
    if cost.dimensions:
        return (
            f"Writes a series for each value of {' and '.join(cost.dimensions)}: keep out of `dimensions` what has "
            f"more than a handful of values."
        )
    if cost.native and cost.samples > assumed.instances * assumed.operations * 100:
        return (
            "Reads every label of the native counter: drop labels that nobody asks for at the scrape "
            "(`metric_relabel_configs`), above all raw paths."
        )
    if cost.native:
        return "As cheap as a native counter gets: its cost grows with instances and labels only."
    return "Reads tiles only: its cost does not grow with instances or labels."
