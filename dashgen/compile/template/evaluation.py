"""How expressions are evaluated: those of a scope together, and loops within bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jinja2.runtime import Context

from dashgen.compile.template.faults import Endless, TemplateFault, sentence
from dashgen.compile.template.sandbox import Sandbox
from dashgen.diagnostics import Span

Scope = dict[str, Any]
MOST = 200_000  # mappings that the loops of one template may make for one unit


@dataclass(slots=True)
class Block:
    """The expressions of one scope, evaluated together: one call of Jinja2 for a whole mapping."""

    environment: Sandbox
    expressions: list[str] = field(default_factory=list)
    compiled: Callable[[Scope], list[object]] | None = None

    def register(self, expression: str) -> int:
        """Add an expression; the same one is evaluated once."""
        if expression not in self.expressions:
            self.expressions.append(expression)
        return self.expressions.index(expression)

    def values(self, scope: Scope) -> list[object]:
        """Evaluate all expressions; one that fails is undefined, and says why where it is used."""
        if not self.expressions:
            return []
        try:
            if self.compiled is None:
                self.compiled = self._compile(f"[{', '.join(f'({e})' for e in self.expressions)}]")
            return self.compiled(scope)
        except Exception:
            return [self._value(expression, scope) for expression in self.expressions]

    def _compile(self, expression: str) -> Callable[[Scope], Any]:
        """A function of a scope. Unlike `compile_expression` it does not copy the scope for every call."""
        environment = self.environment
        template = environment.from_string(f"{{% set value = {expression} %}}")
        render = template.root_render_func

        def evaluate(scope: Scope) -> Any:
            context = Context(environment, scope, None, {})
            for _ in render(context):
                pass
            return context.vars["value"]

        return evaluate

    def _value(self, expression: str, scope: Scope) -> object:
        try:
            return self._compile(expression)(scope)
        except Exception as error:
            return self.environment.undefined(hint=f"`<< {expression} >>`: {sentence(error)}".rstrip("."))


@dataclass(slots=True)
class Budget:
    """How many more mappings the loops of a template may make."""

    left: int = MOST

    def refill(self) -> None:
        """Begin anew."""
        self.left = MOST

    def spend(self, span: Span) -> None:
        """Take one, or raise at the loop that wants one too many."""
        self.left -= 1
        if self.left < 0:
            told = f"The loops of this template make more than {MOST:,} entries. Loop over less."
            raise Endless(TemplateFault(told, span))
