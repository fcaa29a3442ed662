"""What an instrumentation profile file says: the native metrics, labels, buckets and error rules of one library."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from dashgen.model.fields import Duration, LabelName, Line, Model, Name, Pattern, Text, Url, Written, fault, matches
from dashgen.model.spec import Release, Tiers
from dashgen.model.units import duration, number


def _bound(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not 0 < value < math.inf:
        raise fault("bucket", "a bucket bound is a number above 0; leave out +Inf")
    return Decimal(getattr(value, "text", str(value)))


def _ascending(bounds: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    for lower, upper in pairwise(bounds):
        if lower >= upper:
            raise fault("bucket", f"{number(upper)} comes after {number(lower)}; list the bounds in ascending order")
    return bounds


Bound = Annotated[Decimal, BeforeValidator(_bound)]
Metric = Annotated[str, Field(pattern=r"^([a-zA-Z_:]|\$\{\w+\})([a-zA-Z0-9_:]|\$\{\w+\})*$")]


class Match(Model):
    """How one label looks on a failed request; exactly one of `is`, `regex` and `not`."""

    equals: Written | None = Field(None, alias="is", description="The exact value.")
    regex: Pattern | None = Field(None, description="An RE2 pattern for the whole value; an absent label is empty.")
    but: Written | None = Field(None, alias="not", description="Any value but this one; the label must be present.")
    example: Written = Field(description="A value that matches, for generated tests.")

    @model_validator(mode="after")
    def _is_one(self) -> Match:
        given = [value for value in (self.equals, self.regex, self.but) if value is not None]
        if len(given) != 1:
            raise fault(
                "match",
                "give exactly one of `is`, `regex` and `not`, which say how the label of a failed request looks",
            )
        if self.regex is not None:
            fits = matches(self.regex, self.example) is not False
        else:
            fits = (self.example == given[0]) == (self.but is None)
        if not fits:
            raise fault(
                "match",
                f"{self.example!r:.120} is no example of a failed request by the rule beside it; give a value that is",
            )
        return self


class DurationHistogram(Model):
    """The histogram of durations."""

    histogram: Metric = Field(description="The base name, without `_bucket`.")
    unit: Literal["seconds", "milliseconds"] = Field("seconds", description="What one means.")
    buckets: Annotated[tuple[Bound, ...], AfterValidator(_ascending)] = Field(
        min_length=1, description="The upper bounds of the classic buckets, in that unit, without +Inf, ascending."
    )
    exemplars: bool = Field(False, description="Whether observations carry exemplars.")


class Side(Model):
    """What one side of a call counts."""

    requests: Metric = Field(description="A counter of requests; the `_count` of a histogram will do.")
    failed: Metric | None = Field(None, description="A separate counter of failed requests, where labels do not tell.")
    only: dict[LabelName, Written] = Field(
        default_factory=dict, description="Labels that every request of this side has."
    )
    ok: dict[LabelName, Written] = Field(
        default_factory=dict, description="Labels of a good request, for generated tests."
    )
    errors: tuple[dict[LabelName, Match], ...] = Field(
        (), description="Ways to recognise a failed request, where there is no counter of its own."
    )
    duration: DurationHistogram | None = Field(None, description="The histogram, where there is one.")
    operations: dict[Name, LabelName] = Field(
        default_factory=dict, description="Labels that tell operations apart, by a short name such as `route`."
    )
    peer: LabelName | None = Field(None, description="Client side: the label that names the callee.")
    caller: LabelName | None = Field(
        None, description="Client side: the label that names the caller, in trace-made metrics."
    )
    sampled: bool = Field(False, description="Made from traces, so that sampling before it distorts the numbers.")

    @field_validator("errors")
    @classmethod
    def _tells_failures(
        cls, errors: tuple[dict[str, Match], ...], info: ValidationInfo
    ) -> tuple[dict[str, Match], ...]:
        if not errors and info.data.get("failed", "") is None:
            raise fault("errors", "nothing tells failed requests from others; give `errors`, or a counter as `failed`")
        if not all(errors):
            raise fault(
                "errors", "an entry without labels makes a failure of every request; name a label, or remove it"
            )
        return errors


class Variant(Model):
    """The metrics of a range of versions."""

    range: Written | None = Field(None, description="Such as `>=0.65 <0.67`; all versions without one.")
    refused: Text | None = Field(None, description="Why these versions cannot be used.")
    server: Side | None = Field(None, description="What a server counts.")
    client: Side | None = Field(None, description="What a client counts.")


class Signal(Model):
    """One runtime panel."""

    id: Name = Field(description="Part of the panel's id.")
    title: Line = Field(description="The panel's title.")
    description: Text = Field(description="What to read from it.")
    unit: Line = Field(description="A Grafana unit.")
    query: Text = Field(description="PromQL; `${selector}` stands for the service's matchers.")
    legend: Line = Field(description="The legend of a line.")


class Profile(Model):
    """An instrumentation library, or a language runtime."""

    profile: Name = Field(description="The name that specifications use; also the file's name.")
    title: Line = Field(description="The library's own name.")
    source: Url = Field(description="Where the facts come from.")
    notes: Text | None = Field(None, description="Traps worth knowing.")
    protocol: Literal["http", "grpc", "any"] = Field("any", description="The protocol that it watches.")
    parameters: dict[LabelName, Name] = Field(
        default_factory=dict, description="Parts of names that users choose, with defaults."
    )
    runtime: Name | None = Field(None, description="The runtime profile that usually comes with it.")
    release: Release | None = Field(None, description="Where the running version can be read.")
    versions: tuple[Variant, ...] = Field((), description="Shapes by version.")
    signals: tuple[Signal, ...] = Field((), description="Runtime panels.")

    def metrics(self) -> Iterator[tuple[tuple[object, ...], str]]:
        """Every metric name that is made of parameters, with its path in the file."""
        for position, variant in enumerate(self.versions):
            for name, side in (("server", variant.server), ("client", variant.client)):
                path = ("versions", position, name)
                if side:
                    yield (*path, "requests"), side.requests
                    yield (*path, "failed"), side.failed or ""
                if side and side.duration:
                    yield (*path, "duration", "histogram"), side.duration.histogram


class Period(Model):
    """The SLO windows for which a table is meant."""

    at_least: Duration = Field(description="The shortest window.")
    at_most: Duration = Field(description="The longest window.")

    @model_validator(mode="after")
    def _in_order(self) -> Period:
        if self.at_least > self.at_most:
            rule = "no window is at least {} and at most {}; swap the two"
            raise fault("period", rule.format(duration(self.at_least), duration(self.at_most)))
        return self

    @property
    def length(self) -> Decimal:
        """How far apart the two are, in seconds: the shorter, the closer a table is meant for its windows."""
        return self.at_most - self.at_least


class WindowTable(Model):
    """A burn-rate table."""

    windows: Name = Field(description="The name that specifications use; also the file's name.")
    title: Line = Field(description="What it is for.")
    source: Url = Field(description="Where the numbers come from.")
    period: Period = Field(description="The SLO windows for which it is chosen by itself.")
    tiers: Tiers = Field(min_length=1, description="The tiers, most urgent first.")
