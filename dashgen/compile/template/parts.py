"""The parts of a compiled template: constants, makers of values, and the mappings and lists that they make up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError

from dashgen.compile.template.evaluation import Scope
from dashgen.compile.template.faults import TemplateFault, raise_together, sentence
from dashgen.compile.template.leaf import Leaf, LeafFault, written
from dashgen.compile.template.shape import Shape, Value, problems, shown
from dashgen.diagnostics import Span


@dataclass(frozen=True, slots=True)
class Constant:
    """A part of a template that holds no expression: made once and shared by all instances, so nobody may change it."""

    value: Any


Maker = Callable[[list[object], Scope], Any]
Part = Constant | Maker
Items = Callable[[list[object], Scope], Iterable[Any]]  # makes none, one or several items of a list
NOTHING = object()  # what a mapping under a `when` that does not hold leaves behind


def joined(parts: list[tuple[Part, Part, Span]]) -> Part:
    """A mapping from the parts of its keys and values, with their places."""
    fixed = {key.value: getattr(value, "value", None) for key, value, _ in parts if isinstance(key, Constant)}
    if all(isinstance(value, Constant) for _, value, _ in parts) and len(fixed) == len(parts):
        return Constant(fixed)
    if len(fixed) < len(parts):
        return _computed(parts)
    makers = [(str(key.value), value) for key, value, _ in parts if isinstance(key, Constant) and callable(value)]

    def make(values: list[object], scope: Scope) -> dict[str, Any]:
        made = fixed.copy()
        faults = []
        for key, making in makers:
            try:
                value = making(values, scope)
            except TemplateFault as fault:
                faults.append(fault)
                continue
            if value is NOTHING:
                del made[key]
            else:
                made[key] = value
        raise_together(faults)
        return made

    return make


def _computed(parts: list[tuple[Part, Part, Span]]) -> Maker:
    """A mapping of which some keys are computed."""
    makers = [(maker(key), maker(value), span) for key, value, span in parts]

    def make(values: list[object], scope: Scope) -> dict[str, Any]:
        made: dict[str, Any] = {}
        faults = []
        for naming, making, span in makers:
            try:
                name, value = written(naming(values, scope)), making(values, scope)
            except TemplateFault as fault:
                faults.append(fault)
                continue
            if name in made:
                faults.append(TemplateFault(f"The key “{name}” stands twice here; one would be lost.", span))
            elif value is not NOTHING:
                made[name] = value
        raise_together(faults)
        return made

    return make


def listed(items: Sequence[Constant | Items]) -> Part:
    """A list from what makes its items."""
    if all(isinstance(each, Constant) for each in items):
        return Constant([each.value for each in items if isinstance(each, Constant)])
    makers = [single(each) if isinstance(each, Constant) else each for each in items]

    def make(values: list[object], scope: Scope) -> list[Any]:
        made: list[Any] = []
        faults = []
        for making in makers:
            try:
                made += making(values, scope)
            except TemplateFault as fault:
                faults.append(fault)
        raise_together(faults)
        return made

    return make


def computed(leaf: Leaf, shape: Shape, name: str, span: Span) -> Maker:
    """A value that expressions give, or a text around them, which has to fit a shape unless any text does."""
    kind = shape if isinstance(shape, Value) else None
    as_text = kind is not None and kind.text
    fits = None if len(leaf.texts) > 1 and kind and kind.free else shape.fits

    def make(values: list[object], scope: Scope) -> object:  # noqa: ARG001
        try:
            made = leaf.make(values)
        except (LeafFault, TemplateError) as error:
            raise TemplateFault(sentence(error), span) from error
        if fits is None:
            return made
        if not fits(made):
            told = problems(made, shape, name)
            raise_together([TemplateFault(f"{each} It was computed here.", span) for each in told])
        return written(made) if as_text and made.__class__ is not str else made

    return make


def walked(items: object, span: Span) -> Iterable[Any]:
    """What a loop walks."""
    if isinstance(items, str) or not isinstance(items, Iterable):
        raise TemplateFault(f"A loop needs a list, not {shown(items)}.", span)
    try:
        return list(items)
    except Exception as error:  # what a filter promised and could not make
        raise TemplateFault(sentence(error), span) from error


def holds(value: object, span: Span) -> bool:
    """Whether a condition holds."""
    try:
        return bool(value)
    except TemplateError as error:
        raise TemplateFault(sentence(error), span) from error


def maker(part: Part) -> Maker:
    """A part as what makes its value."""
    if isinstance(part, Constant):
        value = part.value
        return lambda values, scope: value
    return part


def single(part: Part) -> Items:
    """A part as what makes one item of a list."""
    make = maker(part)
    return lambda values, scope: (make(values, scope),)
