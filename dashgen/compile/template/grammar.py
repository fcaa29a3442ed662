"""The keys that templates may use, so that a typo is found before anything is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dashgen.compile.template.leaf import EXPRESSION
from dashgen.diagnostics import Diagnostic, did_you_mean
from dashgen.model import tree

_QUERY = dict.fromkeys(("expr", "legend", "instant", "table", "exemplar", "ref"))
_PANEL = {
    **dict.fromkeys(("panel", "type", "title", "description", "unit", "decimals", "min", "max", "width", "height")),
    **dict.fromkeys(
        ("legend", "stack", "fill", "line", "thresholds", "colors", "color", "mappings", "text", "options")
    ),
    **dict.fromkeys(("links", "columns", "transformations", "orientation", "graph", "show_thresholds", "canvas")),
    "interval": None,
    "queries": [_QUERY],
}
_DASHBOARD = {
    **dict.fromkeys(("dashboard", "uid", "title", "description", "folder", "tags", "time", "refresh")),
    **dict.fromkeys(("variables", "annotations", "links")),
    "rows": [{"row": None, "collapsed": None, "panels": [_PANEL]}],
}
_RULE = dict.fromkeys(("record", "expr", "labels"))
_RULES = {"groups": [{"group": None, "every": None, "labels": None, "rules": [_RULE]}]}
_TEST = dict.fromkeys(("name", "series", "firing", "at"))
_ALERT = {
    **dict.fromkeys(("alert", "group", "severity", "labels", "expr", "for", "keep_firing_for", "annotations")),
    **dict.fromkeys(("summary", "description", "dashboard", "runbook")),
    "tests": [_TEST],
}
_ROUTES = {"routing": None}
_LINT = {"lint": None}
_CONTROL = ("for_each", "when", "use")

Grammar = Mapping[str, Any]
KINDS: Mapping[str, Grammar] = {
    "templates/dashboards": _DASHBOARD,
    "templates/rules": _RULES,
    "templates/routes": _ROUTES,
    "templates/lint": _LINT,
    "alerts": {"alerts": [_ALERT]},
}


def unknown_keys(document: tree.Document, kind: str) -> Iterator[Diagnostic]:
    """Every key of a template that nothing reads, and the one without which there is nothing to make."""
    main = next(key for key in ("alerts", "groups", "rows", "routing", "lint") if key in KINDS[kind])
    root = document.root
    if isinstance(root, tree.Mapping) and not root.get(main) and not root.get("use"):
        detail = f"A file in `{kind}/` needs `{main}`."
        yield Diagnostic("template/missing-key", "A template makes nothing", detail, document.span(root))
    yield from _walk(document, document.root, KINDS[kind])


def _walk(document: tree.Document, node: tree.Node, grammar: Any) -> Iterator[Diagnostic]:
    if grammar is None or (isinstance(node, tree.Scalar) and EXPRESSION.fullmatch(node.text.strip())):
        return
    wanted: type[tree.Items | tree.Mapping] = tree.Items if isinstance(grammar, list) else tree.Mapping
    if not isinstance(node, wanted):
        detail = f"{'A list' if wanted is tree.Items else 'A mapping'} is expected here."
        yield Diagnostic("template/wrong-type", "Wrong kind of value in a template", detail, document.span(node))
    elif isinstance(node, tree.Items):
        for item in node.items:
            yield from _walk(document, item, grammar[0])
    else:
        for key, value in node.entries:
            if key.text in grammar:
                yield from _walk(document, value, grammar[key.text])
            elif key.text not in _CONTROL:
                known = [*grammar, *_CONTROL]
                listed = f" Known: {', '.join(sorted(known))}."
                if ">>" in key.text or "<<" in key.text:
                    listed = " An expression with a comma must be quoted, or stand on a line of its own."
                detail = f"“{key.text}” is not a key here.{did_you_mean(key.text, known) or listed}"
                yield Diagnostic("template/unknown-key", "Unknown key in a template", detail, document.span(key))
