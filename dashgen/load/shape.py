"""A tree → a validated model; what pydantic finds becomes diagnostics that point into the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dashgen.diagnostics import Diagnostic, Span, did_you_mean
from dashgen.model.tree import Plain

M = TypeVar("M", bound=BaseModel)
_LONG_INT = re.compile(r"[-+]?\d{18,}")  # what is read as a text, because it is no number that JSON can hold
_KINDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "literal_error": "one of the known values",
}
_LIMITS = {"greater_than_equal": ("least", "ge"), "less_than_equal": ("most", "le")}


def validate(
    model: type[M], data: Plain, at: Callable[..., Span], area: str = "spec"
) -> tuple[M | None, list[Diagnostic]]:
    """Validate plain data against a model and translate every error."""
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        found = [each for each in error.errors(include_url=False) if not _follows(each)]
        return None, [_diagnostic(model, each, at, area) for each in found]


def _follows(error: ErrorDetails) -> bool:
    """Whether a list is too short only because entries of it are wrong, which is told on its own."""
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def _diagnostic(model: type[BaseModel], error: ErrorDetails, at: Callable[..., Span], area: str) -> Diagnostic:
    path, kind, found = error["loc"], error["type"], error["input"]
    name = path[-1] if path else ""
    if kind == "extra_forbidden":
        known = sorted(_keys(model, path[:-1]))
        listed = f" Known: {', '.join(known)}."
        detail = f"“{name}” is not a key here.{did_you_mean(str(name), known) or listed}"
        return Diagnostic(f"{area}/unknown-key", "Unknown key", detail, at(path, key=True))
    if kind == "missing":
        detail = f"`{name}` is missing. {_described(model, path)}"
        return Diagnostic(f"{area}/missing-key", "A key is missing", detail.strip(), at(path[:-1], key=True))
    if kind == "int_type" and isinstance(found, str) and _LONG_INT.fullmatch(found):
        detail = f"`{_shown_key(path)}`: {found:.60} is out of range; a whole number has at most 17 digits."
        return Diagnostic(f"{area}/value", "A value cannot be used", detail, at(path))
    if kind in _KINDS:
        wanted = error["ctx"]["expected"].replace("'", "") if kind == "literal_error" else _KINDS[kind]
        guess = did_you_mean(found, wanted.replace(" or ", ", ").split(", ")) if isinstance(found, str) else ""
        detail = f"`{_shown_key(path)}` must be {wanted}, not {_found(found)}.{guess}"
        return Diagnostic(f"{area}/wrong-type", "Wrong kind of value", detail, at(path))
    if kind in _LIMITS or kind == "string_pattern_mismatch":
        word, bound = _LIMITS.get(kind, ("", ""))
        wanted = f"must be at {word} {error['ctx'][bound]}, not" if bound else "cannot be"
        detail = f"`{_shown_key(path)}` {wanted} {_found(found)}. {_described(model, path)}"
        return Diagnostic(f"{area}/value", "A value cannot be used", detail.strip(), at(path))
    if kind in ("too_short", "too_long") and error["ctx"]["field_type"] in ("Tuple", "Dictionary"):
        word, bound = ("least", "min_length") if kind == "too_short" else ("most", "max_length")
        entries = f"{error['ctx'][bound]} {'entry' if error['ctx'][bound] == 1 else 'entries'}"
        detail = f"`{_shown_key(path)}` takes at {word} {entries}, not {error['ctx']['actual_length']}."
        return Diagnostic(f"{area}/value", "A value cannot be used", detail, at(path))
    in_key = path[-1:] == ("[key]",)
    where = path[:-1] if in_key else path
    message = error["msg"]
    detail = f"{message[:1].upper()}{message[1:]}." if in_key else f"`{_shown_key(where)}`: {message}."
    return Diagnostic(f"{area}/value", "A value cannot be used", detail, at(where, key=in_key))


def _shown_key(path: Sequence[object]) -> str:
    return str(
        next((step for step in reversed(path) if isinstance(step, str) and step not in ("text", "pattern")), "document")
    )


def _found(value: object) -> str:
    kinds = {dict: "a mapping", tuple: "a list", type(None): "nothing", bool: str(value).lower()}
    return kinds.get(
        type(value), f"{value!r:.80}" if not isinstance(value, float) else getattr(value, "text", str(value))
    )


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model that an annotation mentions, however deeply it is wrapped."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _at(model: type[BaseModel], path: Sequence[object]) -> type[BaseModel] | None:
    """The model that stands at a path; steps that are names of entries pass through their mapping."""
    here: type[BaseModel] | None = model
    for step in path:
        field = here.model_fields.get(str(step)) if here else None
        if field is not None:
            here = next(_models(field.annotation), None)
    return here


def _keys(model: type[BaseModel], path: Sequence[object]) -> list[str]:
    here = _at(model, path)
    return [field.alias or name for name, field in here.model_fields.items()] if here else []


def _described(model: type[BaseModel], path: Sequence[object]) -> str:
    while path and isinstance(path[-1], int):  # an entry of a list is described with it
        path = path[:-1]
    here = _at(model, path[:-1])
    field = here.model_fields.get(str(path[-1])) if here else None
    return field.description or "" if field else ""
