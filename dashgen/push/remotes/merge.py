"""The generated part of an Alertmanager configuration, put into somebody's own file and taken out again.

Ours are the routes of the teams, the inhibitions, and the receivers that the file lacks. They stand at the end of their
lists, so that no alert that was routed before changes its course, between comments that name the graph:

    # >>> dashgen:shop:0123456789abcdef routes
    - receiver: slack-edge
    # <<< dashgen:shop

Everything else keeps every byte: the file is not written anew, lines are put into it. What was put in can be taken out
without a trace, and a merge that would change the meaning of anything else is refused. A receiver between our comments
that somebody filled is everything else, too: the next merge leaves it where it is and closes our block behind it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from dashgen import canonical
from dashgen.exits import Exit
from dashgen.model.remote import Mark
from dashgen.push.reading import MappingNode, Node, ScalarNode, SequenceNode, yaml_data, yaml_tree
from dashgen.push.remotes import RemoteError

Part = dict[str, list[Any]]  # "routes", "inhibit_rules", "receivers": the last by name only

_TIMING = ("group_by", "group_wait", "group_interval", "repeat_interval")
_UNCLOSED = " (the last line had no end)"
_BLOCK = re.compile(
    rf"^ *# >>> dashgen:(?P<graph>[^\s:]+):(?P<digest>[0-9a-f]+) (?P<key>\w+)(?P<unclosed>{re.escape(_UNCLOSED)})?\r?\n"
    r"(?P<inside>(?:.*\n)*?) *# <<< dashgen:(?P=graph)\r?(?:\n|\Z)",
    re.MULTILINE,
)
_CLOSING = re.compile(r" *# <<< dashgen:[^\n]*\n")
_NAMED = re.compile(r' *- name: (?:"(?:[^"\\]|\\.)*"|[\w(/](?:(?! #).)*)\r?\n')  # a receiver as we write it


def part_of(generated: Mapping[str, Any]) -> Part:
    """What of a whole generated configuration goes into somebody's own: routes with the grouping of our root.

    >>> part_of({"route": {"receiver": "a", "group_by": ["env"], "routes": [{"receiver": "b"}]}, "receivers": []})
    {'routes': [{'group_by': ['env'], 'receiver': 'b'}], 'inhibit_rules': []}
    """
    root = generated["route"]
    timing = {key: root[key] for key in _TIMING if key in root}
    routes = [{**timing, **child} for child in root.get("routes") or ()]
    return {"routes": routes, "inhibit_rules": list(generated.get("inhibit_rules") or ())}


def graphs(text: str) -> list[str]:
    """The graphs that have a part in a text."""
    return list(dict.fromkeys(block["graph"] for block in _BLOCK.finditer(text)))


def found_part(text: str, graph: str, name: str) -> tuple[Part, Mark] | None:
    """The part of a graph that stands in a text, as it stands there, and its mark."""
    found: Part = {"routes": [], "inhibit_rules": []}
    digests = set()
    for block in (each for each in _BLOCK.finditer(text) if each["graph"] == graph):
        digests.add(block["digest"])
        if block["key"] in found:
            inside = yaml_data(textwrap.dedent(block["inside"]), name)
            listed = inside.get(block["key"]) if isinstance(inside, dict) else inside
            found[block["key"]] += listed if isinstance(listed, list) else []
    if not digests:
        return None
    return found, Mark(graph, digests.pop() if len(digests) == 1 else "0" * 16)  # halves of two pushes are no push


def merged(text: str, part: Part, mark: Mark, name: str) -> str:
    """The text with this part in place of what stood there of the same graph; `RemoteError` says what is in the way."""
    return _with(text, {mark.graph: (part, mark)}, name)


def removed(text: str, graph: str, name: str) -> str:
    """The text as it was before anything of this graph was put into it, and with the receivers that somebody filled."""
    return _with(text, {graph: None}, name)


def _with(text: str, parts: Mapping[str, tuple[Part, Mark] | None], name: str) -> str:
    """The text with these parts, and those of other graphs, put into what is nobody's but its owner's."""
    found = {graph: found_part(text, graph, name) for graph in graphs(text)}
    base = made = _bare(text)
    for _, each in sorted({**found, **parts}.items()):
        if each:
            made = _put(made, *each, name)
    if _bare(made) != base:
        raise _refusal(name, "what dashgen adds could not be taken out again")
    return made


def _bare(text: str) -> str:
    """The text without our blocks, but with what is not ours in them."""
    unclosed = any(block["unclosed"] for block in _BLOCK.finditer(text))
    left = _BLOCK.sub(_theirs, text)
    return left.removesuffix("\n").removesuffix("\r") if unclosed else left


def _theirs(block: re.Match[str]) -> str:
    """The receivers of a block that are more than a name, byte by byte, each with the comments above it and in it."""
    inside = block["inside"]
    first = re.search(r"^ *(?=-\s)", inside, re.MULTILINE)
    if block["key"] != "receivers" or not first:
        return ""
    above = rf"(?: {{0,{len(first[0])}}}(?:#.*)?\r?\n)*"
    starts = [each.start() for each in re.finditer(rf"^{above}{first[0]}-\s", inside, re.MULTILINE)]
    entries = [inside[start:end] for start, end in pairwise([*starts, len(inside)])]
    kept = [each for each in entries if not _NAMED.fullmatch(each)]
    return inside[: starts[0]] + "".join(kept) if kept else ""


def _put(text: str, part: Part, mark: Mark, name: str) -> str:
    before = _checked(text, name)
    part = {**part, "receivers": [{"name": each} for each in _missing_receivers(part["routes"], before)]}
    newline = "\r\n" if "\r\n" in text else "\n"
    made = text if text.endswith("\n") else text + newline
    suffix = "" if made == text else _UNCLOSED
    root = yaml_tree(made, name)
    assert isinstance(root, MappingNode)
    nodes = zip((_value(root, "route"), root, root), part, strict=True)
    places = [(_place(made, node, key, name), key) for node, key in nodes if part[key]]
    for (at, indent, head), key in sorted(places, reverse=True):  # from behind; what is open ends before a key begins
        lines = [
            f"# >>> {mark} {key}{suffix}",
            *head,
            *_lines(part[key], "  " if head else ""),
            f"# <<< dashgen:{mark.graph}",
        ]
        made = made[:at] + "".join(f"{' ' * -indent}{line}{newline}" for line in lines) + made[at:]
    if _without(_checked(made, name), part, before) != before:
        raise _refusal(name, "what dashgen adds would change what stands there")
    return made


def _checked(text: str, name: str) -> dict[str, Any]:
    data = yaml_data(text, name)
    if not isinstance(data, dict) or not isinstance(data.get("route"), dict):
        raise _refusal(name, "it has no `route`; Alertmanager needs one with a receiver of your own")
    return data


def _missing_receivers(routes: list[Any], config: Mapping[str, Any]) -> list[str]:
    """The names that our routes send to and that the file does not define, in their order."""
    have = {each.get("name") for each in _listed(config, "receivers") if isinstance(each, dict)}
    return [each for each in dict.fromkeys(receivers_in(routes)) if each not in have]


def receivers_in(routes: Iterable[Any]) -> Iterator[str]:
    """The receivers that routes name, at any depth."""
    for route in routes:
        yield from [route["receiver"]] if "receiver" in route else []
        yield from receivers_in(route.get("routes") or [])


def _place(text: str, node: Node, key: str, name: str) -> tuple[int, int, list[str]]:
    """Where a block ends the list at `key`: the index, the indent (negative), the line of a key that is missing."""
    if not isinstance(node, MappingNode) or node.flow_style:
        raise _refusal(name, f"the mapping around `{key}` is written in braces; write it as a block")
    value, column = _value(node, key), node.start_mark.column
    if value is None:
        return _line_after(text, _end(node), column), -column, [f"{key}:"]
    if isinstance(value, ScalarNode) and not value.value:
        return _line_after(text, value.end_mark.index, column), -column, []
    if not isinstance(value, SequenceNode) or value.flow_style:
        raise _refusal(
            name, f"`{key}` is not written as a block list, one `- ` a line; rewrite it, or remove it if empty"
        )
    return _line_after(text, _end(value), value.start_mark.column), -value.start_mark.column, []


def _value(node: MappingNode, key: str) -> Any:
    return next((value for name, value in node.value if name.value == key), None)


def _end(node: Node) -> int:
    """The index behind a node's last character that is no comment; an alias ends where it was defined, if not later."""
    if not isinstance(node, MappingNode | SequenceNode) or node.flow_style:
        return int(node.end_mark.index)
    inner = [each for pair in node.value for each in pair] if isinstance(node, MappingNode) else node.value
    return max(int(node.start_mark.index), *(_end(each) for each in inner))


def _line_after(text: str, index: int, column: int) -> int:
    """The start of the line after the one that an index is in or right behind, and after the end of a block there.

    It is also after the comments there that are indented further than the `column` that the block stands in: they are
    about what is before them.
    """
    start = index if index and text[index - 1] == "\n" else text.index("\n", index) + 1
    after = re.compile(rf"(?: {{{column + 1},}}#(?! <<< dashgen:).*\n)*(?:{_CLOSING.pattern})?").match(text, start)
    return after.end() if after else start


def _lines(value: list[Any], indent: str) -> list[str]:
    return [indent + line for line in canonical.yaml_text(value).split("\n") if line]


def _without(data: dict[str, Any], part: Part, before: Mapping[str, Any]) -> dict[str, Any]:
    """The data without what was added at the end of the lists."""
    route = _less(data["route"], "routes", part["routes"], before["route"])
    made = {**data, "route": route}
    for key in ("inhibit_rules", "receivers"):
        made = _less(made, key, part[key], before)
    return made


def _less(data: Mapping[str, Any], key: str, ours: list[Any], before: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(data)
    if ours and data.get(key) and data[key][-len(ours) :] == ours:
        made[key] = data[key][: -len(ours)] or before.get(key)
        if key not in before:
            del made[key]
    return made


def _listed(data: Any, key: str) -> list[Any]:
    found = data.get(key) if isinstance(data, dict) else None
    return found if isinstance(found, list) else []


def _refusal(name: str, why: str) -> RemoteError:
    return RemoteError(f"{name} cannot be merged: {why}. Nothing was changed.", Exit.USAGE)
