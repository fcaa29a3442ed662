"""The check slo/feasible."""

from collections.abc import Iterator
from decimal import Decimal

from dashgen.model.graph import Graph
from dashgen.model.units import number
from dashgen.verify.registry import Finding, graph_check


@graph_check("slo/feasible")
def slo_feasible(graph: Graph) -> Iterator[Finding]:
    """A chain promises more than the services that it needs.

    A request of a chain succeeds only when its entry and everything that the entry cannot do without succeed. If those
    fail independently, the chain's availability is the product of theirs. A promise above that product will be broken
    while every service keeps its own. Lower the chain's objective, raise a dependency's, or make a call `soft`.

    Passes:
        chains: {buy: {path: [web, stock], slos: {availability: {objective: 99.5}}}}
        services:
          web: {slos: {availability: {objective: 99.9}}}
          stock: {slos: {availability: {objective: 99.9}}}

    Fails:
        chains: {buy: {path: [web, stock], slos: {availability: {objective: 99.9}}}}
        services:
          web: {slos: {availability: {objective: 99.9}}}
          stock: {slos: {availability: {objective: 99.9}}}
    """
    for chain in graph.chains:
        product = Decimal(1)
        for _, objective in chain.dependencies:
            product *= objective
        for slo in chain.slos:
            if slo.kind == "availability" and slo.objective > product:
                factors = " × ".join(f"{number(o)} ({name})" for name, o in chain.dependencies if o < 1)
                unknown = [name for name, o in chain.dependencies if o == 1]
                detail = (
                    f"{chain.name} promises {number(slo.objective * 100)} %, but its hard dependencies allow "
                    f"{factors} = {number((product * 100).quantize(Decimal('0.0001')))} %."
                )
                if unknown:
                    detail += f" {', '.join(unknown)} promise{'s' * (len(unknown) == 1)} nothing and counted as 100 %."
                yield Finding(f"{detail} Lower this objective or raise theirs.", (*slo.path, "objective"))
