"""Where the expressions of templates are evaluated: Jinja2 that can reach nothing outside and build nothing huge."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from dashgen.compile.template.leaf import kind_of
from dashgen.diagnostics import did_you_mean

_MUTATORS = frozenset(("append", "clear", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update"))
# What leads to the program itself: functions to their globals, generators to their frames, modules to what they use.
_OPAQUE = frozenset(
    (BuiltinFunctionType, CodeType, FrameType, FunctionType, GeneratorType, MethodType, ModuleType, partial, type)
)
# `format` reaches into its arguments past the sandbox, and `center` and its like build texts of any length.
_TEXT = frozenset(
    "capitalize count endswith find isalpha isdigit join lower lstrip partition removeprefix removesuffix replace "
    "rpartition rsplit rstrip split splitlines startswith strip swapcase title upper".split()
)
_FILTERS = frozenset(
    "abs capitalize count d default dictsort first float groupby int items join last length list lower map max min "
    "reject rejectattr replace reverse round select selectattr sort string sum title trim truncate unique upper "
    "urlencode".split()
)
_GLOBALS = frozenset(("range", "dict", "namespace"))


class Missing(StrictUndefined):
    """What a template names and nobody has: says what there is instead."""

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        name, obj = str(self._undefined_name), self._undefined_obj
        if obj is missing:
            return f"there is no `{name}` here"
        known = [each for each in dir(obj) if _allowed(obj, each)]
        return f"{kind_of(obj)} has no `{name}`.{did_you_mean(name, known)}".rstrip(".")


def _allowed(obj: object, attribute: str) -> bool:
    """Whether a template may see an attribute: of a text some, else what is public and changes nothing."""
    if isinstance(obj, str):
        return attribute in _TEXT
    return attribute[0] != "_" and attribute not in _MUTATORS and obj.__class__ not in _OPAQUE


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2 with `<< >>`, strict undefined, exact arithmetic, and a short list of what a template can call."""

    intercepted_binops = frozenset(("+", "-", "*", "/", "**", "%"))

    def __init__(self) -> None:
        super().__init__(
            variable_start_string="<<",
            variable_end_string=">>",
            undefined=Missing,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            optimized=False,  # there is little that Jinja2 could fold, and looking for it is a third of its time
        )
        self.filters = {name: made for name, made in self.filters.items() if name in _FILTERS}
        self.globals = {name: made for name, made in self.globals.items() if name in _GLOBALS}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Give access to what is allowed; Jinja2's own check costs ten times as much."""
        if not _allowed(obj, attribute):
            return self.undefined(obj=obj, name=attribute)
        try:
            return getattr(obj, attribute)
        except AttributeError:
            return self.getitem(obj, attribute)

    def call(self, context: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        """Call a helper. A template can name nothing but helpers, and the methods that `getattr` lets pass."""
        if kwargs:
            kwargs.pop("_loop_vars", None)  # Jinja2's own, for functions that ask for their context
            kwargs.pop("_block_vars", None)
        return function(*args, **kwargs)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Calculate with decimals, and refuse powers, repeated sequences and formats: none belongs into a template."""
        if operator == "**" or (
            operator in ("*", "%") and isinstance(left, str | tuple | list) | isinstance(right, str | tuple | list)
        ):
            raise TemplateError(f"`{operator}` is for numbers here, and powers are not allowed")
        left, right = (Decimal(str(side)) if isinstance(side, float) else side for side in (left, right))
        return super().call_binop(context, operator, left, right)
