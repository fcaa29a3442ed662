"""The template engine: a YAML tree whose keys and values are expressions, compiled once and instantiated many times.

Three control keys: `for_each: slo in service.slos` repeats a mapping, `when: << condition >>` keeps or drops it,
`use: name` starts from a fragment, which the mapping's own keys override. What is written is checked against the
template's shape when it is compiled, what is computed when it is instantiated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dashgen.compile.template.evaluation import Block, Budget, Scope
from dashgen.compile.template.faults import Endless, TemplateFault, complaint, raise_together, sentence
from dashgen.compile.template.leaf import EXPRESSION, Leaf, LeafFault, split
from dashgen.compile.template.parts import (
    NOTHING,
    Constant,
    Items,
    Part,
    computed,
    holds,
    joined,
    listed,
    maker,
    single,
    walked,
)
from dashgen.compile.template.sandbox import Sandbox
from dashgen.compile.template.shape import (
    TEXT,
    Each,
    Keys,
    Names,
    Shape,
    Value,
    item_of,
    key_of,
    missing,
    problems,
    unknown,
    wanted,
    within,
)
from dashgen.diagnostics import Diagnostic, Span, offer
from dashgen.model import tree

_LOOP = re.compile(r"([a-z_]+)\s+in\s+(.+)", re.DOTALL)
_REPEATING = frozenset(("for_each", "when"))
_CONTROL = ("for_each", "when", "use")


@dataclass(frozen=True, slots=True)
class Source:
    """The file in which a part of a template stands, and the fragments through which it was reached."""

    document: tree.Document
    fragments: tuple[str, ...] = ()

    def span(self, node: tree.Node) -> Span:
        """Where a node stands."""
        return self.document.span(node)


Entry = tuple[tree.Scalar, tree.Node, Source]


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled file: `variable` and `collection` when it stands for every element of a collection of the graph."""

    name: str
    variable: str
    collection: str
    span: Span
    _budget: Budget
    _make: Callable[[Scope], Iterable[Any]]

    def instances(self, scope: Scope) -> list[Any]:
        """Instantiate the template in a scope; none when its `when` does not hold."""
        self._budget.refill()
        try:
            return list(self._make(scope))
        except Endless as endless:
            raise endless.fault from endless


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles documents that share fragments and an environment; `found` is what is wrong with what is written.

    A document whose `for_each` walks one of the `collections` of the graph is left to the caller to repeat.
    """

    environment: Sandbox
    fragments: Mapping[str, tree.Document]
    collections: Sequence[str]
    found: list[Diagnostic] = field(default_factory=list)
    _budget: Budget = field(default_factory=Budget)

    def template(self, name: str, document: tree.Document, shape: Keys) -> Template | None:
        """Compile a document; None where something in it is wrong."""
        root, source, before = document.root, Source(document), len(self.found)
        if not isinstance(root, tree.Mapping):
            self._complain("wrong-type", "A template is a mapping.", document.span(root))
            return None
        entries = self._entries(root, source)
        variable = collection = ""
        if loop := self._loop(entries):
            variable, iterable, _ = loop
            if iterable.removeprefix("graph.") in self.collections and iterable.startswith("graph."):
                collection = iterable.removeprefix("graph.")
                entries = [entry for entry in entries if entry[0].text != "for_each"]
        block = Block(self.environment)
        items = self._items(entries, root, source, block, shape, shape.what)
        if len(self.found) > before:
            return None
        span = document.span(root)
        return Template(name, variable, collection, span, self._budget, lambda s: items(block.values(s), s))

    def _complain(self, id: str, detail: str, span: Span) -> None:
        """Note what is wrong with something that is written."""
        self.found.append(complaint(id, detail, span))

    def _entries(self, node: tree.Mapping, source: Source) -> list[Entry]:
        """The entries of a mapping, laid over those of the fragment that it uses."""
        own = [(key, value, source) for key, value in node.entries if key.text != "use"]
        used = node.get("use")
        if used is None:
            return own
        name = used.text if isinstance(used, tree.Scalar) else ""
        fragment = self.fragments.get(name)
        if fragment is None:
            told = (
                f"There is no fragment “{name}”.{offer(name, self.fragments)}"
                if name
                else "`use` takes the name of a fragment."
            )
            self._complain("fragment", told, source.span(used))
        elif name in source.fragments:
            path = " → ".join(f"“{each}”" for each in (*source.fragments, name))
            self._complain("fragment", f"A fragment cannot use itself: {path}.", source.span(used))
        elif not isinstance(fragment.root, tree.Mapping):
            self._complain("wrong-type", "A fragment is a mapping.", fragment.span(fragment.root))
        else:
            base = self._entries(fragment.root, Source(fragment, (*source.fragments, name)))
            return list({entry[0].text: entry for entry in (*base, *own)}.values())
        return own

    def _items(
        self, entries: list[Entry], node: tree.Mapping, source: Source, block: Block, shape: Shape, name: str
    ) -> Items:
        """A maker of the zero or more values for which a mapping with control keys stands."""
        loop, keep = self._loop(entries), self._condition(entries)
        inner = Block(self.environment)
        rest = [entry for entry in entries if entry[0].text not in _REPEATING]
        make = maker(self._mapping(rest, node, source, inner, shape, name))
        if loop is None:
            return lambda values, scope: (make(inner.values(scope), scope),) if not keep or keep(scope) else ()
        variable, iterable, span = loop
        index = block.register(iterable)
        budget = self._budget

        def repeat(values: list[object], scope: Scope) -> Iterator[Any]:
            faults = []
            for item in walked(values[index], span):
                budget.spend(span)
                here = {**scope, variable: item}
                try:
                    if not keep or keep(here):
                        yield make(inner.values(here), here)
                except TemplateFault as fault:
                    faults.append(fault)
            raise_together(faults)

        return repeat

    def _loop(self, entries: list[Entry]) -> tuple[str, str, Span] | None:
        """The variable, the expression and the place of a `for_each`."""
        for key, value, source in entries:
            if key.text == "for_each":
                match = _LOOP.fullmatch(value.text.strip()) if isinstance(value, tree.Scalar) else None
                if match:
                    return match[1], match[2], source.span(value)
                found = (
                    f"“{value.text}” is no loop." if isinstance(value, tree.Scalar) else "A loop is one line of text."
                )
                self._complain("loop", f"{found} Write `for_each: slo in service.slos`.", source.span(value))
        return None

    def _condition(self, entries: list[Entry]) -> Callable[[Scope], bool] | None:
        """Whether the `when` of a mapping holds."""
        for key, value, source in entries:
            if key.text == "when":
                if isinstance(value, tree.Scalar) and isinstance(value.value, bool):
                    return lambda scope: bool(value.value)
                if isinstance(value, tree.Scalar) and EXPRESSION.fullmatch(value.text.strip()):
                    test, span = Block(self.environment), source.span(value)
                    test.register(value.text.strip()[2:-2].strip())
                    return lambda scope: holds(test.values(scope)[0], span)
                detail = "`when` takes an expression, like `when: << service.slos >>`, or true or false."
                self._complain("condition", detail, source.span(value))
        return None

    def _node(self, node: tree.Node, source: Source, block: Block, shape: Shape, name: str) -> Part:
        if isinstance(node, tree.Scalar):
            return self._leaf(node, source, block, shape, name)
        if isinstance(node, tree.Items):
            return self._sequence(node, source, block, shape, name)
        entries = self._entries(node, source)
        if not any(entry[0].text in _REPEATING for entry in entries):
            return self._mapping(entries, node, source, block, shape, name)
        for key, _, origin in entries:
            if key.text == "for_each":
                detail = f"`for_each` repeats the items of a list, and {name} is none."
                self._complain("loop", detail, origin.span(key))
        items = self._items(entries, node, source, block, shape, name)
        return lambda values, scope: next(iter(items(values, scope)), NOTHING)

    def _mapping(
        self, entries: list[Entry], node: tree.Mapping, source: Source, block: Block, shape: Shape, name: str
    ) -> Part:
        if isinstance(shape, Each) or (isinstance(shape, Value) and not shape.fits({})):
            told = next(problems({}, shape, name))
            self._complain("wrong-type", told, source.span(node))
            return Constant(None)
        parts: list[tuple[Part, Part, Span]] = []
        for key, value, origin in entries:
            below = within(shape, key.text)
            if below is None:
                self._unknown(key, origin, shape)
                continue
            made = self._node(value, origin, block, below, f"`{key.text}`")
            parts.append((self._key(key, origin, block, shape, name), made, origin.span(key)))
        if isinstance(shape, Keys):
            used = node.get("use")
            have = {key.text for key, _, _ in entries}
            for needed in shape.needed:
                if needed not in have and (used is None or getattr(used, "text", "") in self.fragments):
                    self._complain("missing-key", missing(shape, needed), source.span(node))
            if shape.marked:
                span = source.span(node)
                parts.append((Constant("origin"), Constant(str(span)), span))
        return joined(parts)

    def _key(self, key: tree.Scalar, source: Source, block: Block, shape: Shape, name: str) -> Part:
        """A key, which may be computed where a mapping is free to name things."""
        if isinstance(shape, Keys):
            return Constant(key.text)
        wanted_name = shape.name if isinstance(shape, Names) else TEXT
        return self._leaf(replace(key, value=key.text), source, block, wanted_name, key_of(name))

    def _unknown(self, key: tree.Scalar, source: Source, shape: Shape) -> None:
        detail = unknown(shape, key.text, *_CONTROL)
        if ">>" in key.text or "<<" in key.text:
            detail = f"“{key.text}” is not a key here. "
            detail += "An expression with a comma must be quoted, or stand on a line of its own."
        self._complain("unknown-key", detail, source.span(key))

    def _sequence(self, node: tree.Items, source: Source, block: Block, shape: Shape, name: str) -> Part:
        told = next(problems((), replace(shape, size=0) if isinstance(shape, Each) else shape, name), "")
        if isinstance(shape, Each) and shape.size and len(node.items) != shape.size:
            told = f"{name} must be {wanted(shape)}, not of {len(node.items)}."
        item = within(shape)
        if told or item is None:
            self._complain("wrong-type", told, source.span(node))
            return Constant(None)
        items: list[Constant | Items] = []
        name = item_of(name)
        for each in node.items:
            entries = self._entries(each, source) if isinstance(each, tree.Mapping) else []
            if isinstance(each, tree.Mapping) and any(entry[0].text in _REPEATING for entry in entries):
                items.append(self._items(entries, each, source, block, item, name))
                continue
            part = self._node(each, source, block, item, name)
            items.append(part if isinstance(part, Constant) else single(part))
        return listed(items)

    def _leaf(self, node: tree.Scalar, source: Source, block: Block, shape: Shape, name: str) -> Part:
        span = source.span(node)
        kind = shape if isinstance(shape, Value) else None
        value: Any = node.value
        leaf: Leaf | str | None = None
        if isinstance(value, str):
            try:
                leaf = split(value, kind.dialect if kind else "text", block.register)
            except LeafFault as error:
                self._complain("fault", sentence(error), span)
                return Constant(None)
        elif isinstance(value, int | tree.Number) and not isinstance(value, bool):
            value = node.text if kind and kind.text else float(value) if isinstance(value, tree.Number) else value
        if not isinstance(leaf, Leaf):
            for told in problems(value, shape, name):
                self._complain("wrong-type", told, span)
            return Constant(value)
        if len(leaf.texts) > 1 and kind is None:
            self._complain("wrong-type", f"{name} must be {wanted(shape)}, not a text.", span)
        return computed(leaf, shape, name, span)
