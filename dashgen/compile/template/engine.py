"""The template engine: a YAML tree whose leaves are expressions, compiled once and instantiated many times.

Three control keys: `for_each: slo in service.slos` repeats a mapping, `when: << condition >>` keeps or drops it,
`use: name` starts from a fragment, which the mapping's own keys override.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from jinja2 import TemplateError
from jinja2.runtime import Context

from dashgen.compile.template.leaf import Dialect, LeafFault, split
from dashgen.compile.template.sandbox import Sandbox
from dashgen.diagnostics import Diagnostic, Span, did_you_mean
from dashgen.model import tree

Scope = dict[str, Any]
_LOOP = re.compile(r"([a-z_]+)\s+in\s+(.+)", re.DOTALL)
_CONTROL = frozenset(("for_each", "when"))


class TemplateFault(Exception):
    """A fault in a template, at a span or at the origin `file:line:column` that an instance remembers."""

    def __init__(self, detail: str, place: Span | str, summary: str = "A template failed"):
        super().__init__(detail)
        self.detail, self.place, self.summary = detail, place, summary

    def diagnostic(self, locate: Callable[[str], Span]) -> Diagnostic:
        """What users are told; `locate` finds the line of an origin."""
        span = locate(self.place) if isinstance(self.place, str) else self.place
        return Diagnostic("template/fault", self.summary, self.detail, span)


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
                raise TemplateFault(f"`<< {expression} >>`: {sentence(error)}", span) from error
        raise AssertionError("expressions fail together but not alone")


@dataclass(frozen=True, slots=True)
class Constant:
    """A part of a template that holds no expression: made once and shared by all instances, so nobody may change it."""

    value: Any


Maker = Callable[[list[object], Scope], Any]
Part = Constant | Maker
Entry = tuple[tree.Scalar, tree.Node, tree.Document]
_NOTHING = object()  # what a mapping under a `when` that does not hold leaves behind


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled file: `variable` and `collection` when it stands for every element of a collection of the graph."""

    name: str
    variable: str
    collection: str
    span: Span
    _make: Callable[[Scope], Iterable[Any]]

    def instances(self, scope: Scope) -> list[Any]:
        """Instantiate the template in a scope; none when its `when` does not hold."""
        return list(self._make(scope))


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles documents that share fragments, an environment, and a rule that tells the dialect of a leaf.

    A mapping with one of the `marked` keys learns its `origin`, the place where it stands.
    """

    environment: Sandbox
    fragments: Mapping[str, tree.Document]
    dialect: Callable[[tuple[str, ...]], Dialect]
    marked: frozenset[str] = frozenset()

    def template(self, name: str, document: tree.Document) -> Template:
        """Compile a document. A top-level `for_each` over the graph is left to the caller."""
        root = document.root
        if not isinstance(root, tree.Mapping):
            raise TemplateFault("A template is a mapping.", document.span(root), "Not a template")
        entries = self._entries(root, document)
        variable = collection = ""
        if loop := _control(entries, "for_each"):
            variable, collection = _loop(*loop)
            if collection.startswith("graph."):
                entries = [entry for entry in entries if entry[0].text != "for_each"]
            else:
                variable = collection = ""
        block = Block(self.environment)
        items = self._items(entries, root, document, block, ())
        span = document.span(root)
        return Template(name, variable, collection.removeprefix("graph."), span, lambda s: items(block.values(s), s))

    def _entries(self, node: tree.Mapping, document: tree.Document) -> list[Entry]:
        """The entries of a mapping, laid over those of the fragment that it uses."""
        own = [(key, value, document) for key, value in node.entries if key.text != "use"]
        name = node.get("use")
        if not isinstance(name, tree.Scalar):
            return own
        fragment = self.fragments.get(name.text)
        if fragment is None or not isinstance(fragment.root, tree.Mapping):
            detail = f"There is no fragment “{name.text}”.{did_you_mean(name.text, self.fragments)}"
            raise TemplateFault(detail, document.span(name), "Unknown fragment")
        base = self._entries(fragment.root, fragment)
        return list({entry[0].text: entry for entry in (*base, *own)}.values())

    def _items(
        self, entries: list[Entry], node: tree.Mapping, document: tree.Document, block: Block, path: tuple[str, ...]
    ) -> Callable[[list[object], Scope], Iterable[Any]]:
        """A maker of the zero or more values for which a mapping with control keys stands."""
        loop, condition = _control(entries, "for_each"), _control(entries, "when")
        inner = Block(self.environment)
        rest = [entry for entry in entries if entry[0].text not in _CONTROL]
        make = _maker(self._mapping(rest, node, document, inner, path))
        keep = self._condition(*condition) if condition else None
        if loop is None:
            return lambda values, scope: (make(inner.values(scope), scope),) if not keep or keep(scope) else ()
        variable, iterable = _loop(*loop)
        index = block.register(iterable, loop[1].span(loop[0]))

        def repeat(values: list[object], scope: Scope) -> Iterator[Any]:
            for item in values[index]:  # type: ignore[attr-defined]
                here = {**scope, variable: item}
                if not keep or keep(here):
                    yield make(inner.values(here), here)

        return repeat

    def _condition(self, node: tree.Scalar, document: tree.Document) -> Callable[[Scope], bool]:
        test = Block(self.environment)
        leaf = split(str(node.value), "text", _registrar(test, document, node))
        if isinstance(leaf, str):
            return lambda scope: bool(node.value)
        return lambda scope: bool(leaf.make(test.values(scope)))

    def _node(self, node: tree.Node, document: tree.Document, block: Block, path: tuple[str, ...]) -> Part:
        if isinstance(node, tree.Scalar):
            return self._leaf(node, document, block, path)
        if isinstance(node, tree.Items):
            return self._sequence(node, document, block, path)
        entries = self._entries(node, document)
        if not any(entry[0].text in _CONTROL for entry in entries):
            return self._mapping(entries, node, document, block, path)
        items = self._items(entries, node, document, block, path)
        return lambda values, scope: next(iter(items(values, scope)), _NOTHING)

    def _mapping(
        self, entries: list[Entry], node: tree.Mapping, document: tree.Document, block: Block, path: tuple[str, ...]
    ) -> Part:
        parts = {key.text: self._node(value, origin, block, (*path, key.text)) for key, value, origin in entries}
        if not self.marked.isdisjoint(parts) and path[-1:] not in (("labels",), ("annotations",)):
            parts["origin"] = Constant(str(document.span(node)))
        base = {key: part.value if isinstance(part, Constant) else None for key, part in parts.items()}
        made_anew = [(key, part) for key, part in parts.items() if not isinstance(part, Constant)]
        if not made_anew:
            return Constant(base)

        def make(values: list[object], scope: Scope) -> dict[str, Any]:
            made = base.copy()
            for key, part in made_anew:
                value = part(values, scope)
                if value is _NOTHING:
                    del made[key]
                else:
                    made[key] = value
            return made

        return make

    def _sequence(self, node: tree.Items, document: tree.Document, block: Block, path: tuple[str, ...]) -> Part:
        makers: list[Callable[[list[object], Scope], Iterable[Any]]] = []
        parts: list[Part] = []
        for item in node.items:
            entries = self._entries(item, document) if isinstance(item, tree.Mapping) else []
            if isinstance(item, tree.Mapping) and any(entry[0].text in _CONTROL for entry in entries):
                makers.append(self._items(entries, item, document, block, path))
                continue
            part = self._node(item, document, block, path)
            parts.append(part)
            makers.append(_single(part))
        if len(parts) == len(makers) and all(isinstance(part, Constant) for part in parts):
            return Constant([part.value for part in parts if isinstance(part, Constant)])
        return lambda values, scope: [made for maker in makers for made in maker(values, scope)]

    def _leaf(self, node: tree.Scalar, document: tree.Document, block: Block, path: tuple[str, ...]) -> Part:
        value = node.value
        if not isinstance(value, str):
            return Constant(float(value) if isinstance(value, tree.Number) else value)
        span = document.span(node)
        try:
            leaf = split(value, self.dialect(path), _registrar(block, document, node))
        except LeafFault as error:
            raise TemplateFault(sentence(error), span) from error
        if isinstance(leaf, str):
            return Constant(leaf)

        def make(values: list[object], scope: Scope) -> object:  # noqa: ARG001
            try:
                return leaf.make(values)
            except (LeafFault, TemplateError) as error:
                raise TemplateFault(sentence(error), span) from error

        return make


def sentence(error: BaseException) -> str:
    """An error's words as a sentence."""
    text = str(error).strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def _maker(part: Part) -> Maker:
    if isinstance(part, Constant):
        value = part.value
        return lambda values, scope: value
    return part


def _single(part: Part) -> Callable[[list[object], Scope], Iterable[Any]]:
    make = _maker(part)
    return lambda values, scope: (make(values, scope),)


def _control(entries: list[Entry], key: str) -> tuple[tree.Scalar, tree.Document] | None:
    """The value of a control key, and the document in which it stands."""
    for name, value, document in entries:
        if name.text == key:
            if not isinstance(value, tree.Scalar):
                raise TemplateFault(
                    f"`{key}` takes one line of text.", document.span(value), "Not a control key's value"
                )
            return value, document
    return None


def _registrar(block: Block, document: tree.Document, node: tree.Scalar) -> Callable[[str, int], int]:
    span = document.span(node)
    return lambda expression, offset: block.register(expression, span)


def _loop(node: tree.Scalar, document: tree.Document) -> tuple[str, str]:
    match = _LOOP.fullmatch(node.text.strip())
    if not match:
        detail = f"“{node.text}” is no loop. Write `for_each: slo in service.slos`."
        raise TemplateFault(detail, document.span(node), "Not a loop")
    return match[1], match[2]
