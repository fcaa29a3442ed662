"""The shapes that a template's values can have, and what is wrong with a value that has another one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from dashgen.compile.template.leaf import Dialect, kind_of
from dashgen.diagnostics import did_you_mean, offer
from dashgen.model.tree import Number

LARGEST = 2**53  # beyond it a number is another one in JSON


@dataclass(frozen=True, slots=True)
class Value:
    """One value: whether it fits, and what is said of one that does not. As a `text` a number stays as it was written.

    A text that is put together from parts fits where it is `free`.
    """

    fits: Callable[[object], bool]
    said: Callable[[object], str]
    dialect: Dialect = "text"
    text: bool = True
    free: bool = False


@dataclass(frozen=True, slots=True)
class Each:
    """A list; of `size` items, where that matters."""

    item: Shape
    size: int = 0

    def fits(self, value: object) -> bool:
        """Whether all of a list is in order; quick, because it is asked of everything that is computed."""
        if not isinstance(value, list | tuple) or (self.size and len(value) != self.size):
            return False
        return all(map(self.item.fits, value))


@dataclass(frozen=True, slots=True)
class Keys:
    """A mapping with `known` keys, of which some are `needed`; others are as `rest` says, or an error.

    What is made of it may be `marked` with the place where it stands; then it has to be written out.
    """

    what: str
    known: Mapping[str, Shape]
    needed: tuple[str, ...] = ()
    marked: bool = False
    rest: Shape | None = None

    def fits(self, value: object) -> bool:
        """Whether all of a mapping is in order."""
        return not any(problems(value, self, ""))


@dataclass(frozen=True, slots=True)
class Names:
    """A mapping from names to values of one shape."""

    name: Value
    item: Shape

    def fits(self, value: object) -> bool:
        """Whether all of a mapping is in order."""
        if not isinstance(value, Mapping):
            return False
        return all(map(self.name.fits, value)) and all(map(self.item.fits, value.values()))


Shape = Value | Each | Keys | Names


def kind(
    wanted: str, fits: Callable[[object], bool], dialect: Dialect = "text", *, text: bool = True, free: bool = False
) -> Value:
    """A value that must be what is `wanted`."""
    return Value(fits, lambda value: f"must be {wanted}, not {shown(value)}", dialect, text, free)


def matching(pattern: str, wanted: str) -> Value:
    """A text that a whole pattern must match."""
    matches = re.compile(pattern).fullmatch
    return kind(wanted, lambda value: is_text(value) and matches(str(value)) is not None)


def choice(*known: str) -> Value:
    """One of some words."""
    words = kind(f"one of {', '.join(known)}", lambda value: value in known)
    return replace(words, said=lambda value: f"{words.said(value)}.{did_you_mean(str(value), known)}")


def number(wanted: str, low: float = -LARGEST, high: float = LARGEST, *, whole: bool = False) -> Value:
    """A number within bounds."""

    def fits(value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            return False
        return bool(low <= value <= high and (not whole or value == int(value)))

    return kind(wanted, fits, text=False)


def is_text(value: object) -> bool:
    """Whether a value can stand as a text: numbers can, what is true or false or nothing cannot."""
    return value.__class__ is str or (isinstance(value, str | int | float | Decimal) and not isinstance(value, bool))


def is_some(value: object) -> bool:
    """Whether a value can stand as a text and is not empty."""
    return value != "" and not value.isspace() if isinstance(value, str) else is_text(value)


def is_plain(value: object) -> bool:
    """Whether a value is data that can be written as JSON and YAML."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and is_plain(each) for key, each in value.items())
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    if isinstance(value, int | float | Decimal):
        return bool(-LARGEST <= value <= LARGEST)
    return value is None or isinstance(value, str)


ANY = kind("plain data: texts, numbers, lists and mappings", is_plain, text=False, free=True)
TEXT = kind("a text", is_text, free=True)


def wanted(shape: Shape) -> str:
    """What kind of collection a shape asks for."""
    return f"a list{f' of {shape.size}' if shape.size else ''}" if isinstance(shape, Each) else "a mapping"


def within(shape: Shape, key: str | None = None) -> Shape | None:
    """The shape of what stands below a key, or of an item of a list; None where there is no such key."""
    if isinstance(shape, Keys):
        return shape.known.get(key or "", shape.rest)
    return shape if isinstance(shape, Value) else shape.item


def problems(value: object, shape: Shape, name: str) -> Iterator[str]:
    """What is wrong with a whole value, in sentences; `name` is what they call it."""
    if isinstance(shape, Value):
        if not shape.fits(value):
            told = shape.said(value)
            yield f"{name} {told}{'' if told.endswith(('?', '.')) else '.'}"
    elif isinstance(shape, Each):
        if not isinstance(value, list | tuple):
            hint = " End the expression with `| list`." if isinstance(value, Iterator) else ""
            yield f"{name} must be {wanted(shape)}, not {shown(value)}.{hint}"
        elif shape.size and len(value) != shape.size:
            yield f"{name} must be {wanted(shape)}, not of {len(value)}."
        else:
            for item in value:
                yield from problems(item, shape.item, item_of(name))
    elif not isinstance(value, Mapping):
        yield f"{name} must be {wanted(shape)}, not {shown(value)}."
    elif isinstance(shape, Keys) and shape.marked:
        yield f"{name}: {shape.what.lower()} has to be written out, not computed; only its parts can be."
    else:
        for key in shape.needed if isinstance(shape, Keys) else ():
            if key not in value:
                yield f"{name}: {missing(shape, key)}"
        for key, each in value.items():
            if isinstance(shape, Names):
                yield from problems(key, shape.name, key_of(name))
            below = within(shape, key)
            yield from [f"{name}: {unknown(shape, key)}"] if below is None else problems(each, below, f"`{key}`")


def key_of(name: str) -> str:
    """How sentences call a key of a mapping."""
    return f"A key of {name}"


def item_of(name: str) -> str:
    """How sentences call an item of a list."""
    return name if name.startswith("An item") else f"An item of {name}"


def missing(shape: Shape, key: str) -> str:
    """A sentence on a key that has to be there."""
    return f"{shape.what if isinstance(shape, Keys) else 'This'} needs `{key}`."


def unknown(shape: Shape, key: str, *more: str) -> str:
    """A sentence on a key that nothing reads; `more` are known besides."""
    known = [*(shape.known if isinstance(shape, Keys) else ()), *more]
    return f"“{key}” is not a key here.{offer(key, known)}"


def shown(value: object) -> str:
    """A value as messages name it."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, str):
        return f"{value!s:.80}".join("“”") if value else "an empty text"
    if is_text(value):
        return f"{value!s:.80}"
    return kind_of(value)
