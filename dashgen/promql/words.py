"""An expression in words, for people who do not read PromQL every day."""

from __future__ import annotations

from datetime import timedelta

import promql_parser as p

from dashgen.promql import PromqlError

_OPERATORS = {
    "+": "plus",
    "-": "minus",
    "*": "times",
    "/": "divided by",
    "%": "modulo",
    "^": "to the power of",
    "==": "where it equals",
    "!=": "where it is not",
    ">": "where it is above",
    "<": "where it is below",
    ">=": "where it is at least",
    "<=": "where it is at most",
    "and": "but only where there is also",
    "or": "or, where that gives nothing,",
    "unless": "unless there is",
}
_MATCHES = {"=": "is", "!=": "is not", "=~": "matches", "!~": "does not match"}
_RANGES = {
    "rate": "the per-second rate over {window} of {what}",
    "irate": "the latest per-second rate of {what}",
    "increase": "the increase over {window} of {what}",
    "sum_over_time": "the sum over {window} of {what}",
    "avg_over_time": "the mean over {window} of {what}",
    "max_over_time": "the highest value over {window} of {what}",
    "min_over_time": "the lowest value over {window} of {what}",
    "count_over_time": "the number of samples over {window} of {what}",
}
_CALLS = {
    "absent": "1 when there is no {0}",
    "clamp_min": "{0}, at least {1}",
    "clamp_max": "{0}, at most {1}",
    "scalar": "{0}",
    "vector": "the number {0}",
    "minute": "the minute of the hour",
    "histogram_quantile": "the {0}-quantile of {1}",
    "histogram_count": "the number of observations in {0}",
    "histogram_sum": "the sum of observations in {0}",
    "histogram_fraction": "the share of observations between {0} and {1} in {2}",
    "label_replace": "{0}",
}
_ROUND = {"1m": "a minute", "1h": "an hour", "1d": "a day", "1w": "a week"}
_PICKED = {
    "topk": "the {0} highest",
    "bottomk": "the {0} lowest",
    "quantile": "the {0}-quantile",
    "count_values": "the number of each value, as {0},",
}
_AGGREGATES = {"sum": "the sum", "max": "the highest", "min": "the lowest", "avg": "the mean", "count": "the number"}


def words(text: str) -> str:
    """An expression as a sentence without its full stop.

    >>> words('sum(rate(http_requests_total{code=~"5.."}[5m])) > 0.1')
    'the sum of the per-second rate over 5m of http_requests_total where code matches 5.., where it is above 0.1'
    >>> words("sum without (pod) (up) - quantile(0.9, up offset 1h)")
    'the sum of up, whatever the pod minus the 0.9-quantile of up an hour ago'
    """
    try:
        return _say(p.parse(text))
    except ValueError as error:
        raise PromqlError(str(error)) from None


def _say(node: object) -> str:
    if isinstance(node, p.ParenExpr):
        return f"({_say(node.expr)})"
    if isinstance(node, p.NumberLiteral):
        return f"{node.val:g}"
    if isinstance(node, p.StringLiteral):
        return f"“{node.val}”"
    if isinstance(node, p.UnaryExpr):
        return f"the negative of {_say(node.expr)}"
    if isinstance(node, p.VectorSelector):
        return _selector(node)
    if isinstance(node, p.MatrixSelector):
        return _selector(node.vector_selector)
    if isinstance(node, p.SubqueryExpr):
        return f"{_say(node.expr)}{_when(node)}"
    if isinstance(node, p.AggregateExpr):
        return _aggregate(node)
    if isinstance(node, p.Call):
        return _call(node)
    if isinstance(node, p.BinaryExpr):
        return _binary(node)
    return str(node.prettify())  # type: ignore[attr-defined]


def _selector(node: p.VectorSelector) -> str:
    parts = []
    for matcher in node.matchers.matchers:
        operator = _MATCHES[
            {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}[str(matcher.op).rpartition(".")[2]]
        ]
        parts.append(f"{matcher.name} {operator} {matcher.value or 'empty'}")
    chosen = f" where {' and '.join(parts)}" if parts else ""
    return f"{node.name or 'any series'}{chosen}{_when(node)}"


def _when(node: p.VectorSelector | p.SubqueryExpr) -> str:
    """The moment that is asked for, where it is not the present."""
    at = f" at the time {str(node.at).removeprefix('@ ')}" if node.at else ""
    if not node.offset:
        return at
    length, side = p.display_duration(abs(node.offset)), "ago" if node.offset > timedelta() else "later"
    return f"{at} {_ROUND.get(length, length)} {side}"


def _aggregate(node: p.AggregateExpr) -> str:
    operation = str(node.op)
    inner, by = _say(node.expr), ""
    if node.modifier and node.modifier.labels:
        groups = "whatever the" if node.modifier.type == p.AggModifierType.Without else "for each"
        by = f", {groups} {' and '.join(node.modifier.labels)}"
    if operation in _PICKED:
        return f"{_PICKED[operation].format(_say(node.param))} of {inner}{by}"
    return f"{_AGGREGATES.get(operation, operation)} of {inner}{by}"


def _call(node: p.Call) -> str:
    name = node.func.name
    if name in _RANGES and node.args and isinstance(node.args[0], p.MatrixSelector | p.SubqueryExpr):
        window = p.display_duration(node.args[0].range or timedelta())
        return _RANGES[name].format(window=window, what=_say(node.args[0]))
    arguments = [_say(argument) for argument in node.args]
    return _CALLS[name].format(*arguments) if name in _CALLS else f"{name} of {', '.join(arguments)}"


def _binary(node: p.BinaryExpr) -> str:
    operator = str(node.op)
    left, right = _say(node.lhs), _say(node.rhs)
    if node.modifier and node.modifier.return_bool:
        return f"1 {_OPERATORS[operator].replace('it', left, 1)} {right}, else 0"
    pause = "," if operator not in ("+", "-", "*", "/", "%", "^") else ""
    return f"{left}{pause} {_OPERATORS.get(operator, operator)} {right}"
