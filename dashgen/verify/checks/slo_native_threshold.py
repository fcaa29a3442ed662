"""The check slo/native-threshold."""

from collections.abc import Iterator
from decimal import Decimal

from dashgen.diagnostics import Severity
from dashgen.model.graph import Graph
from dashgen.model.units import duration
from dashgen.verify.registry import Finding, graph_check


@graph_check("slo/native-threshold", Severity.INFO)
def slo_native_threshold(graph: Graph) -> Iterator[Finding]:
    """A latency threshold lies inside the buckets of a native histogram.

    Its buckets end at fractional powers of two, about a tenth apart, or further when it has to save room. Between two
    ends requests are taken to be spread evenly: where most take just less than the threshold, many of them count as
    slow. A power of two in seconds, as 250ms, 500ms or 1s, is an end at every resolution.

    Passes:
        services:
          web:
            instrumentation: {profile: otelhttp, native: true}
            slos: {latency: {objective: 99, threshold: 250ms}}

    Fails:
        services:
          web:
            instrumentation: {profile: otelhttp, native: true}
            slos: {latency: {objective: 99, threshold: 300ms}}
    """
    for slo in graph.slos:
        native = any(source.duration and source.duration.native for source in slo.sources)
        if native and slo.threshold and not _power_of_two(slo.threshold):
            yield Finding(
                f"{slo.id} counts what takes longer than {duration(slo.threshold)} by a native histogram, in which "
                "that is no end of a bucket: near it, slow and fast are guessed.",
                (*slo.path, "threshold"),
            )


def _power_of_two(number: Decimal) -> bool:
    over, under = number.as_integer_ratio()
    return over.bit_count() == 1 and under.bit_count() == 1
