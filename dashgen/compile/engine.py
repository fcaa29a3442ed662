"""The template engine: a YAML tree whose leaves are expressions, compiled once and instantiated many times.

Three control keys: `for_each: slo in service.slos` repeats a mapping, `when: << condition >>` keeps or drops it,
`use: name` starts from a fragment, which the mapping's own keys override.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NoReturn

from jinja2 import StrictUndefined, TemplateError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from dashgen.compile.leaf import Dialect, Leaf, LeafFault, split
from dashgen.diagnostics import Diagnostic, Span, did_you_mean
from dashgen.model import tree

Scope = dict[str, Any]
_LOOP = re.compile(r"([a-z_]+)\s+in\s+(.+)", re.DOTALL)
_MUTATORS = frozenset(
    ("append", "clear", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update", "format")
)
_CONTROL = ("for_each", "when", "use")


class TemplateFault(Exception):
    """A fault in a template, with its place; becomes a diagnostic."""

    def __init__(self, detail: str, span: Span, summary: str = "A template failed"):
        super().__init__(detail)
        self.diagnostic = Diagnostic("template/fault", summary, detail, span)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2 with `<< >>`, strict undefined, exact arithmetic, and no way to build something huge."""

    intercepted_binops = frozenset(("+", "-", "*", "/", "**"))

    def __init__(self) -> None:
        super().__init__(
            variable_start_string="<<",
            variable_end_string=">>",
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002
        """Allow what is public and changes nothing; the general check costs ten times as much on every access."""
        return not attr.startswith("_") and attr not in _MUTATORS

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Calculate with decimals, and refuse powers and repeated sequences: neither belongs into a template."""
        if operator == "**" or (
            operator == "*" and isinstance(left, str | tuple | list) | isinstance(right, str | tuple | list)
        ):
            raise TemplateError(f"`{operator}` is for numbers here, and powers are not allowed")
        left, right = (Decimal(str(side)) if isinstance(side, float) else side for side in (left, right))
        return super().call_binop(context, operator, left, right)


@dataclass(slots=True)
class Block:
    """The expressions of one scope, evaluated together: one call of Jinja2 for a whole mapping."""

    environment: Sandbox
    expressions: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    compiled: Callable[[Scope], list[object]] | None = None

    def register(self, expression: str, span: Span) -> int:
        """Add an expression; the same one is evaluated once."""
        if expression not in self.expressions:
            self.expressions.append(expression)
            self.spans.append(span)
        return self.expressions.index(expression)

    def values(self, scope: Scope) -> list[object]:
        """Evaluate all expressions; a failure names the one that failed."""
        if not self.expressions:
            return []
        try:
            if self.compiled is None:
                self.compiled = self._compile(f"[{', '.join(f'({e})' for e in self.expressions)}]")
            return self.compiled(scope)
        except Exception:
            self._blame(scope)

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

    def _blame(self, scope: Scope) -> NoReturn:
        for expression, span in zip(self.expressions, self.spans, strict=True):
            try:
                self._compile(expression)(scope)
            except Exception as error:
                raise TemplateFault(f"`<< {expression} >>`: {error}.", span) from error
        raise AssertionError("expressions fail together but not alone")


Maker = Callable[[list[object], Scope], Any]


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled file: `variable` and `collection` when it stands for every element of a collection of the graph."""

    name: str
    variable: str
    collection: str
    _make: Callable[[Scope], Iterator[Any]]

    def instances(self, scope: Scope) -> list[Any]:
        """Instantiate the template in a scope; none when its `when` does not hold."""
        return list(self._make(scope))


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles documents that share fragments, an environment, and a rule that tells the dialect of a leaf."""

    environment: Sandbox
    fragments: Mapping[str, tree.Document]
    dialect: Callable[[tuple[str, ...]], Dialect]
    marked: frozenset[str] = frozenset()

    def template(self, name: str, document: tree.Document) -> Template:
        """Compile a document. A top-level `for_each` over the graph is left to the caller."""
        root = document.root
        if not isinstance(root, tree.Mapping):
            raise TemplateFault("A template is a mapping.", document.span(root), "Not a template")
        variable = collection = ""
        loop = root.get("for_each")
        if isinstance(loop, tree.Scalar):
            variable, collection = _loop(loop, document)
            if collection.startswith("graph."):
                entries = tuple(entry for entry in root.entries if entry[0].text != "for_each")
                root = tree.Mapping(entries, root.line, root.column, root.end, root.size)
            else:
                variable = collection = ""
        block = Block(self.environment)
        items = self._items(root, document, block, ())

        def make(scope: Scope) -> Iterator[Any]:
            yield from items(block.values(scope), scope)

        return Template(name, variable, collection.removeprefix("graph."), make)

    def _items(self, node: tree.Node, document: tree.Document, block: Block, path: tuple[str, ...]) -> Maker:
        """A maker that yields the zero or more values for which an element of a list stands."""
        if not isinstance(node, tree.Mapping) or not any(node.get(key) for key in _CONTROL):
            single = self._node(node, document, block, path)
            return lambda values, scope: (single(values, scope),)
        node, document = self._used(node, document)
        loop, condition = node.get("for_each"), node.get("when")
        rest = tuple(entry for entry in node.entries if entry[0].text not in _CONTROL)
        body = tree.Mapping(rest, node.line, node.column, node.end, node.size)
        inner = Block(self.environment)
        make = self._node(body, document, inner, path)
        keep: Callable[[Scope], bool] = lambda scope: True  # noqa: E731
        if isinstance(condition, tree.Scalar):
            test = Block(self.environment)
            whole = split(str(condition.value), "text", _registrar(test, document, condition))
            keep = lambda scope: bool(whole.make(test.values(scope)) if isinstance(whole, Leaf) else condition.value)  # noqa: E731
        if not isinstance(loop, tree.Scalar):
            return lambda values, scope: (make(inner.values(scope), scope),) if keep(scope) else ()
        variable, iterable = _loop(loop, document)
        index = block.register(iterable, document.span(loop))

        def repeat(values: list[object], scope: Scope) -> Iterator[Any]:
            for item in values[index]:  # type: ignore[attr-defined]
                here = {**scope, variable: item}
                if keep(here):
                    yield make(inner.values(here), here)

        return repeat

    def _used(self, node: tree.Mapping, document: tree.Document) -> tuple[tree.Mapping, tree.Document]:
        """Lay a mapping over the fragment that it uses, and that one over its own."""
        name = node.get("use")
        if not isinstance(name, tree.Scalar):
            return node, document
        fragment = self.fragments.get(name.text)
        if fragment is None or not isinstance(fragment.root, tree.Mapping):
            detail = f"There is no fragment “{name.text}”.{did_you_mean(name.text, self.fragments)}"
            raise TemplateFault(detail, document.span(name), "Unknown fragment")
        base, _ = self._used(fragment.root, fragment)
        merged = {key.text: (key, value) for key, value in base.entries} | {k.text: (k, v) for k, v in node.entries}
        return tree.Mapping(tuple(merged.values()), node.line, node.column, node.end, node.size), document

    def _node(self, node: tree.Node, document: tree.Document, block: Block, path: tuple[str, ...]) -> Maker:
        if isinstance(node, tree.Scalar):
            return self._leaf(node, document, block, path)
        if isinstance(node, tree.Items):
            makers = [self._items(item, document, block, path) for item in node.items]
            return lambda values, scope: [made for maker in makers for made in maker(values, scope)]
        if any(node.get(key) for key in _CONTROL):
            items = self._items(node, document, block, path)
            return lambda values, scope: next(iter(items(values, scope)), None)
        entries = [(key.text, self._node(value, document, block, (*path, key.text))) for key, value in node.entries]
        if any(key in self.marked for key, _ in entries):
            origin = str(document.span(node))
            entries.append(("origin", lambda values, scope: origin))
        return lambda values, scope: {key: maker(values, scope) for key, maker in entries}

    def _leaf(self, node: tree.Scalar, document: tree.Document, block: Block, path: tuple[str, ...]) -> Maker:
        value = node.value
        if not isinstance(value, str):
            constant = float(value) if isinstance(value, tree.Number) else value
            return lambda values, scope: constant
        leaf = split(value, self.dialect(path), _registrar(block, document, node))
        if isinstance(leaf, str):
            return lambda values, scope: leaf
        span = document.span(node)

        def make(values: list[object], scope: Scope) -> object:  # noqa: ARG001
            try:
                return leaf.make(values)
            except (LeafFault, TemplateError) as error:
                raise TemplateFault(f"{error}.", span) from error

        return make


def _registrar(block: Block, document: tree.Document, node: tree.Scalar) -> Callable[[str, int], int]:
    span = document.span(node)
    return lambda expression, offset: block.register(expression, span)


def _loop(node: tree.Scalar, document: tree.Document) -> tuple[str, str]:
    match = _LOOP.fullmatch(node.text.strip())
    if not match:
        detail = f"“{node.text}” is no loop. Write `for_each: slo in service.slos`."
        raise TemplateFault(detail, document.span(node), "Not a loop")
    return match[1], match[2]
