"""PromQL as text: parse it, print it in one canonical form, see what it reads. The only home of promql-parser.

Thousands of expressions differ in nothing but the service that they name. They are parsed once per *shape*: the text
with the values of equality matchers taken out. Syntax cannot depend on such a value, patterns stay in the shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import promql_parser

INDENTED = 12_000  # characters of an expression that is still indented
LONGEST = 16 * 1024  # bytes of an expression that VictoriaMetrics takes: its -search.maxQueryLen
_SPACE = re.compile(r'("(?:[^"\\]|\\.)*")|\s*([-+*/<>=!(),]+)\s*|\s+')  # or a text, which keeps its own
_EQUALITY = re.compile(r'=\s*("[^"\\]*(?:\\.[^"\\]*)*")')  # of `=` and `!=`; begins with what is found fast
_SPECIAL = re.compile(r'["\\\n\t\r]')
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"})
_HOLE = re.compile(r'"@(\d+)@"')
_VARIABLE = re.compile(r"\$\{?(__)?[a-zA-Z_]+(?::[a-z]+)?\}?")


class PromqlError(ValueError):
    """The text is not PromQL; the message is the parser's."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One selector: its metric name, empty if it has none, and its matchers as (label, operator, value)."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]


def canonical(text: str) -> str:
    """The expression in the one form in which dashgen writes it; `PromqlError` if it does not parse.

    A very long one has no space to spare: a third of what VictoriaMetrics takes would be indentation.

    >>> canonical('sum( rate(a{b="c d"}[5m]) )')
    'sum(rate(a{b="c d"}[5m]))'
    """
    shape, values = _shape(text)
    pieces, holes = _pretty(shape)
    made = [pieces[0]]
    for hole, piece in zip(holes, pieces[1:], strict=True):
        made += (values[hole], piece)
    whole = "".join(made)
    return whole if len(whole) <= INDENTED else _SPACE.sub(lambda found: found[1] or found[2] or found[0][0], whole)


def check(text: str) -> None:
    """Raise `PromqlError` unless the text parses; Grafana's variables may stand in it."""
    _pretty(_filled(_shape(text)[0]))


def sampled(text: str) -> bool:
    """Whether an expression gives samples for one moment, as a rule needs it: neither ranges nor a text.

    >>> sampled("rate(up[5m])"), sampled("(up[5m])"), sampled("'up'")
    (True, False, False)
    """
    return _sampled(_filled(_shape(text)[0]))


def check_pattern(pattern: str) -> None:
    """Raise `PromqlError` unless a pattern can stand behind `=~`.

    >>> check_pattern(r"(a)\\1")
    Traceback (most recent call last):
    dashgen.promql.PromqlError: illegal regex for (a)\\1
    """
    _parse(f'x{{x=~"{quoted(pattern)}"}}')


def readings(text: str) -> tuple[Reading, ...]:
    """Every selector of an expression, in order."""
    shape, values = _shape(text)
    return tuple(
        Reading(r.metric, tuple((label, op, _value(value, values)) for label, op, value in r.matchers))
        for r in _read(_filled(shape))
    )


def quoted(value: str) -> str:
    """The inside of a double-quoted PromQL or Go string.

    >>> quoted('a"b\\\\c')
    'a\\\\"b\\\\\\\\c'
    """
    if not _SPECIAL.search(value):
        return value
    return value.translate(_ESCAPES)


def metrics(text: str) -> frozenset[str]:
    """The names of the metrics that an expression reads.

    >>> sorted(metrics("a / on () b{c='d'}"))
    ['a', 'b']
    """
    return _names(_filled(_shape(text)[0]))


def _value(value: str, values: list[str]) -> str:
    hole = _HOLE.fullmatch(f'"{value}"')
    return promql_parser.parse(values[int(hole[1])]).val if hole else value  # type: ignore[attr-defined]


@lru_cache(maxsize=2048)  # the checks of a unit ask again for what its rules just asked for
def _shape(text: str) -> tuple[str, list[str]]:
    """An expression with numbered holes where equality matchers have their values, and these values as written."""
    parts = _EQUALITY.split(text)
    if len(parts) == 1:
        return text, []
    made = [parts[0]]
    for number in range(len(parts) // 2):
        made += (f'="@{number}@"', parts[number * 2 + 2])
    return "".join(made), parts[1::2]


def _filled(text: str) -> str:
    """Put something parseable where Grafana puts a variable's value.

    >>> _filled('rate(a{b=~"$env"}[$__rate_interval])')
    'rate(a{b=~"x"}[5m])'
    """
    return _VARIABLE.sub(lambda match: "5m" if match[1] else "x", text) if "$" in text else text


@lru_cache(maxsize=65536)
def _pretty(shape: str) -> tuple[list[str], list[int]]:
    """The pretty form of a shape, cut at its holes: the pieces between them, and the number of each hole."""
    parts = _HOLE.split(_parse(shape).prettify())
    return parts[::2], [int(number) for number in parts[1::2]]


@lru_cache(maxsize=65536)
def _sampled(shape: str) -> bool:
    node = _parse(shape)
    while isinstance(node, promql_parser.ParenExpr):
        node = node.expr
    return not isinstance(node, promql_parser.MatrixSelector | promql_parser.SubqueryExpr | promql_parser.StringLiteral)


@lru_cache(maxsize=65536)
def _read(shape: str) -> tuple[Reading, ...]:
    return tuple(_selectors(_parse(shape)))


@lru_cache(maxsize=65536)
def _names(shape: str) -> frozenset[str]:
    return frozenset(reading.metric for reading in _read(shape) if reading.metric)


def _parse(text: str) -> promql_parser.Expr:
    try:
        return promql_parser.parse(text)
    except ValueError as error:
        raise PromqlError(str(error)) from None


def _selectors(node: object) -> Iterator[Reading]:
    if isinstance(node, promql_parser.VectorSelector):
        matchers = tuple((m.name, _OPERATORS[str(m.op)], m.value) for m in node.matchers.matchers)
        yield Reading(node.name or "", matchers)
    elif isinstance(node, promql_parser.MatrixSelector):
        yield from _selectors(node.vector_selector)
    else:
        for child in ("expr", "lhs", "rhs", "param"):
            if (inner := getattr(node, child, None)) is not None:
                yield from _selectors(inner)
        for argument in getattr(node, "args", None) or ():
            yield from _selectors(argument)


_OPERATORS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}
