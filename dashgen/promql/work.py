"""What evaluating an expression takes: how many samples it reads and how many series it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from math import ceil

import promql_parser as p

from dashgen.promql import PromqlError, Reading, readings

DEFAULT_STEP = 60.0  # seconds; what Prometheus takes for the step of a subquery that names none


@dataclass(frozen=True, slots=True)
class Found:
    """What a selector finds: how many series, seconds between their samples, and how many values a label has.

    `native` is what services count themselves.
    """

    series: float
    interval: float
    values: Callable[[str], float] = lambda _: 1
    native: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """One evaluation.

    `samples` is what Prometheus counts (`totalQueryableSamples`); it leaves out what a subquery's inside reads, so
    `passed` counts every sample that stands in the ranges that are walked. `longest` is the longest range, in seconds,
    over which samples are read one by one, `quantiles` whether a histogram's buckets are read. `native` says whether
    native series are read, and `longest_native` over which range.
    """

    series: float = 0
    samples: float = 0
    passed: float = 0
    longest: float = 0
    quantiles: bool = False
    native: bool = False
    longest_native: float = 0


World = Callable[[Reading], Found]


def work(text: str, world: World) -> Work:
    """The work of one instant evaluation, where `world` knows the series; `PromqlError` if the text does not parse.

    >>> five = lambda reading: Found(5, 15)
    >>> one = work('sum(rate(a[5m]))', five)
    >>> one.series, one.samples, one.passed, one.longest
    (1, 100.0, 100.0, 300.0)
    >>> one = work('sum_over_time(a[1h:1m])', five)
    >>> one.series, one.samples, one.passed, one.longest
    (5, 300, 1200.0, 3600.0)
    """
    found = [world(reading) for reading in readings(text)]
    return _Walk(found).work(_parsed(text))


class _Walk:
    """Walks a tree and takes what its selectors find from a list, in the order in which `readings` gives them."""

    def __init__(self, found: list[Found]):
        self._found = found
        self._next = 0
        self._values: Callable[[str], float] = lambda _: 1

    def work(self, node: object) -> Work:
        if isinstance(node, p.VectorSelector):
            found = self._selector()
            return Work(found.series, found.series, found.series, native=found.native)
        if isinstance(node, p.ParenExpr | p.UnaryExpr):
            return self.work(node.expr)
        if isinstance(node, p.AggregateExpr):
            return self._aggregate(node)
        if isinstance(node, p.Call):
            return self._call(node)
        if isinstance(node, p.BinaryExpr):
            return self._binary(node)
        return Work()  # a number or a text

    def _selector(self) -> Found:
        found = self._found[self._next]
        self._next += 1
        self._values = found.values
        return found

    def _ranged(self, node: p.MatrixSelector | p.SubqueryExpr) -> Work:
        length = (node.range or timedelta()).total_seconds()
        if isinstance(node, p.MatrixSelector):
            found = self._selector()
            samples = found.series * length / found.interval
            return _over(length, Work(found.series, samples, samples, native=found.native))
        steps = ceil(length / (node.step.total_seconds() if node.step else DEFAULT_STEP))
        if isinstance(node.expr, p.VectorSelector):
            found = self._selector()
            passed = found.series * max(length / found.interval, steps)
            return _over(length, Work(found.series, found.series * steps, passed, native=found.native))
        inner = self.work(node.expr)
        return _over(length, replace(inner, samples=inner.series * steps, passed=inner.passed * steps))

    def _call(self, node: p.Call) -> Work:
        name = node.func.name
        arguments = [
            self._ranged(each) if isinstance(each, p.MatrixSelector | p.SubqueryExpr) else self.work(each)
            for each in node.args
        ]
        if not arguments:
            return Work(series=1)
        total = _joined(arguments, arguments[-1].series if name == "histogram_quantile" else arguments[0].series)
        if name == "histogram_quantile":
            buckets = max(1.0, self._values("le"))
            return replace(total, series=max(1.0, total.series / buckets), quantiles=True)
        return replace(total, series=1) if name in ("absent", "scalar", "vector") else total

    def _aggregate(self, node: p.AggregateExpr) -> Work:
        inner = self.work(node.expr)
        operation = str(node.op)
        if operation in ("topk", "bottomk"):
            return replace(inner, series=min(inner.series, getattr(node.param, "val", 1)))
        groups = 1.0
        labels = node.modifier.labels if node.modifier else []
        if node.modifier and "without" in str(node.modifier.type).lower():
            return inner
        for label in labels:
            groups *= max(1.0, self._values(label))
        return replace(inner, series=min(inner.series, groups) if labels else min(inner.series, 1))

    def _binary(self, node: p.BinaryExpr) -> Work:
        left, right = self.work(node.lhs), self.work(node.rhs)
        one_sided = str(node.op) in ("and", "unless")
        return _joined([left, right], left.series if one_sided else max(left.series, right.series))


def _joined(parts: list[Work], series: float) -> Work:
    return Work(
        series,
        sum(each.samples for each in parts),
        sum(each.passed for each in parts),
        max(each.longest for each in parts),
        any(each.quantiles for each in parts),
        any(each.native for each in parts),
        max(each.longest_native for each in parts),
    )


def _over(length: float, inner: Work) -> Work:
    return replace(inner, longest=length, longest_native=length if inner.native else 0)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> p.Expr:
    try:
        return p.parse(text)
    except ValueError as error:
        raise PromqlError(str(error)) from None
