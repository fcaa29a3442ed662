"""The kinds of values that a specification is made of: names, texts, labels, durations, percentages."""

from __future__ import annotations

import datetime
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from dashgen.model.tree import Number
from dashgen.model.units import DAY, DURATION_PATTERN, duration, seconds
from dashgen.promql import PromqlError, check_pattern

NAME_PATTERN = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"
LABEL_PATTERN = r"[a-zA-Z_][a-zA-Z0-9_]*"
METRIC_PATTERN = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LONGEST_DURATION = 3650 * DAY
PERCENT_DIGITS = 12
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")


class Model(BaseModel):
    """The settings of every part of a specification: no unknown keys, no silent conversions, no changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


def fault(kind: str, message: str) -> PydanticCustomError:
    """An error whose message is shown to users as it is."""
    return PydanticCustomError(kind, "{message}", {"message": message})


def _written(value: Any) -> Any:
    """Give numbers back as they were written, where a text is wanted."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def matching(pattern: str, kind: str, rule: str) -> AfterValidator:
    """A validator of texts that a whole pattern must match; `rule` says what is wrong with others, and what to do."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise fault(kind, f"{value!r:.120} {rule}")
        return value

    return AfterValidator(check)


def _printable(limit: int, *, lines: bool) -> AfterValidator:
    def check(value: str) -> str:
        if len(value) > limit:
            raise fault("text", f"the text has {len(value)} characters; at most {limit} are allowed here")
        if bad := _CONTROL.search(value):
            raise fault("text", f"the control character {bad[0]!a} is not allowed; remove it")
        if not lines and ("\n" in value or "\t" in value):
            raise fault("text", "a line break or a tab is not allowed here; write one line")
        if not value.strip():
            raise fault("text", "the text is empty; write one or remove the key")
        return value

    return AfterValidator(check)


def _duration(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str):
        raise fault("duration", f"a duration is a text with a unit, like 15s, 250ms or 30d; found {_shown(value)}")
    try:
        length = seconds(value)
    except ValueError as error:
        raise fault("duration", str(error)) from None
    if not 0 < length <= LONGEST_DURATION:
        raise fault(
            "duration", f"{value} is out of range; a duration lies above 0s, up to {duration(LONGEST_DURATION)}"
        )
    return length


def _percent(value: Any) -> Any:
    if isinstance(value, str) and value.endswith("%"):
        value = value[:-1].strip()
    if isinstance(value, Decimal):
        return value
    text = value if isinstance(value, str) else _written(value)
    try:
        number = Decimal(text)
    except (ArithmeticError, TypeError, ValueError):
        raise fault("percent", f"a percentage is a number between 0 and 100; found {_shown(value)}") from None
    if not number.is_finite() or not 0 < number < 100:
        raise fault(
            "percent",
            f"{text} is out of range; a percentage here lies between 0 and 100, both excluded"
            + (" (100 leaves no error budget, so every failure would burn infinitely fast)" if number == 100 else ""),
        )
    if len(number.as_tuple().digits) > PERCENT_DIGITS:
        raise fault("percent", f"{text:.60} has too many digits; at most {PERCENT_DIGITS} are allowed here")
    return number


def _date(value: Any) -> Any:
    if isinstance(value, datetime.date):
        return value
    try:
        return datetime.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise fault("date", f"a date is written like 2027-01-31; found {_shown(value)}") from None


def _pattern(value: str) -> str:
    try:
        check_pattern(value)
    except PromqlError:
        reason = _fault(value) or "RE2 has neither backreferences nor look-around"
        raise fault("regex", f"{value!r:.120} is not a regular expression for Prometheus ({reason})") from None
    return value


def _fault(pattern: str) -> str:
    """What Python, which says more than Prometheus's own parser, finds wrong with a pattern."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError) as error:
        return str(error)
    return ""


def matches(pattern: str, value: str) -> bool | None:
    """Whether a pattern matches a whole value; None where Python reads the pattern differently than RE2.

    >>> matches("5..", "500"), matches("5..", "5000"), matches("[[:digit:]]+", "5")
    (True, False, None)
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return bool(re.fullmatch(pattern, value))
    except (re.error, Warning, OverflowError):
        return None


def _shown(value: object) -> str:
    kinds = {bool: "true or false", dict: "a mapping", tuple: "a list", type(None): "nothing"}
    return kinds.get(type(value), repr(value)[:80])


_NAME_RULE = (
    "is not a name; use letters, digits, `.`, `_` and `-`, at most 63, starting and ending with a letter or digit"
)
Name = Annotated[
    str,
    BeforeValidator(_written),
    matching(NAME_PATTERN, "name", _NAME_RULE),
    WithJsonSchema({"type": "string", "pattern": NAME_PATTERN}),
]
LabelName = Annotated[
    str,
    matching(LABEL_PATTERN, "label", "is not a label name; use letters, digits and `_`"),
    matching(r"(?!__).*", "label", "begins with `__`, as only Prometheus's own labels do; use another label"),
]
MetricName = Annotated[str, matching(METRIC_PATTERN, "metric", "is not a metric name; use letters, digits, `_`, `:`")]
Line = Annotated[str, BeforeValidator(_written), _printable(200, lines=False)]
Text = Annotated[str, _printable(4000, lines=True)]
Written = Annotated[
    str, BeforeValidator(_written), _printable(1000, lines=True), WithJsonSchema({"type": ["string", "number"]})
]
Pattern = Annotated[str, BeforeValidator(_written), _printable(1000, lines=False), AfterValidator(_pattern)]
Url = Annotated[
    str, matching(r"^https?://[^\s\"'<>\\{}`]+$", "url", "is not an address; write one like https://host/path")
]
Duration = Annotated[
    Decimal, BeforeValidator(_duration), WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN})
]
Percent = Annotated[
    Decimal,
    BeforeValidator(_percent),
    WithJsonSchema({"type": ["number", "string"], "exclusiveMinimum": 0, "exclusiveMaximum": 100}),
]
KubernetesName = Annotated[
    str,
    matching(
        r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
        "kubernetes",
        "is not a name in Kubernetes; use lower-case letters, digits and `-`, at most 63",
    ),
]
KubernetesLabel = Annotated[
    str,
    matching(
        r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$",
        "kubernetes",
        "is not the name of a label in Kubernetes; write one like release or example.com/team",
    ),
]
KubernetesValue = Annotated[
    str,
    BeforeValidator(_written),
    matching(
        r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$",
        "kubernetes",
        "is not the value of a label in Kubernetes; use letters, digits, `-`, `_` and `.`, at most 63",
    ),
]
Date = Annotated[datetime.date, BeforeValidator(_date), WithJsonSchema({"type": "string", "format": "date"})]


class Regex(Model):
    """A label value given as a pattern, for `=~`."""

    regex: Pattern = Field(description="An RE2 pattern that the whole label value must match.")
    example: Line | None = Field(None, description="A value that matches, for generated tests.")

    @model_validator(mode="after")
    def _has_example(self) -> Regex:
        matched = matches(self.regex, self.sample)
        if matched is False or (matched is None and self.example is None):
            raise fault("regex", f"add `example:`, a value that {self.regex!r:.120} matches, for the generated tests")
        return self

    @property
    def sample(self) -> str:
        """A value that the pattern matches: the example, or the pattern's first alternative with its gaps filled."""
        return self.example or re.sub(r"\\(.)", r"\1", re.sub(r"\.[*+?]?", "x", self.regex.split("|")[0].strip("^$()")))


LabelValue = Annotated[
    Annotated[Written, Tag("text")] | Annotated[Regex, Tag("pattern")],
    Discriminator(lambda value: "pattern" if isinstance(value, dict | Regex) else "text"),
]
Labels = Mapping[LabelName, LabelValue]


@dataclass(frozen=True)
class Shorthand:
    """Lets a plain text stand for a mapping with one key: `otelhttp` for `{profile: otelhttp}`."""

    key: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._expand, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, handler(schema)]}

    def _expand(self, value: Any) -> Any:
        return {self.key: value} if isinstance(value, str) else value
