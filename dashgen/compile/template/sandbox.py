"""Where the expressions of templates are evaluated: Jinja2 that can build nothing huge and change nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from dashgen.diagnostics import did_you_mean

_MUTATORS = frozenset(
    ("append", "clear", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update", "format")
)


class Missing(StrictUndefined):
    """What a template names and nobody has: says what there is instead."""

    @property
    def _undefined_message(self) -> str:
        name = str(self._undefined_name)
        if self._undefined_obj is missing:
            return f"there is no `{name}` here"
        known = [each for each in dir(self._undefined_obj) if not each.startswith("_")]
        return f"a {type(self._undefined_obj).__name__.lower()} has no `{name}`.{did_you_mean(name, known)}".rstrip(".")


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2 with `<< >>`, strict undefined, exact arithmetic, and no way to build something huge."""

    intercepted_binops = frozenset(("+", "-", "*", "/", "**"))

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

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Give access to what is public and changes nothing; the general check costs ten times as much."""
        if attribute[0] == "_" or attribute in _MUTATORS:
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
        """Calculate with decimals, and refuse powers and repeated sequences: neither belongs into a template."""
        if operator == "**" or (
            operator == "*" and isinstance(left, str | tuple | list) | isinstance(right, str | tuple | list)
        ):
            raise TemplateError(f"`{operator}` is for numbers here, and powers are not allowed")
        left, right = (Decimal(str(side)) if isinstance(side, float) else side for side in (left, right))
        return super().call_binop(context, operator, left, right)
