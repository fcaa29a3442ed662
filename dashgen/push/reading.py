"""YAML of generated files and of remotes → plain data, safely: plain types only, bounded in size, aliases and depth."""

from __future__ import annotations

import re
from typing import Any

import orjson
import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dashgen.diagnostics import RunError

_SPECIAL = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")
MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 100
MAX_NODES = 5_000_000  # values that a document may have once its aliases are written out


def yaml_data(content: bytes | str, name: str) -> Any:
    """The data of one YAML document; `RunError`, with the `name` in it, where it is none or far too large.

    >>> yaml_data("groups: [{name: a}]", "a.yaml")
    {'groups': [{'name': 'a'}]}
    """
    if len(content) > MAX_BYTES:
        raise RunError(f"{name} is larger than {MAX_BYTES // 1024 // 1024} MiB; it was not read.")
    try:
        data = yaml.load(content, Loader=yaml.CSafeLoader)
        if _size(data, MAX_DEPTH, {}) > MAX_NODES:
            raise RunError(f"{name} grows to more than {MAX_NODES:,} values through its aliases; it was not read.")
    except (yaml.YAMLError, UnicodeError, ValueError) as error:
        raise RunError(f"{name} is not valid YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise RunError(f"{name} is nested too deep; it was not read.") from None
    return data


def yaml_tree(text: str, name: str) -> Node | None:
    """The nodes of one YAML document, each with its place in the text; `RunError` where it is none."""
    yaml_data(text, name)  # bounds first: what follows is slow and trusting
    return yaml.compose(text, Loader=yaml.SafeLoader)


def as_yaml(value: Any) -> bytes:
    """Plain data as JSON that every YAML reader takes for the same; some characters of JSON mean more in YAML.

    >>> as_yaml({"a": "b\\x85\\u2028"})
    b'{"a":"b\\\\u0085\\\\u2028"}'
    """
    return _SPECIAL.sub(lambda match: f"\\u{ord(match[0]):04x}", orjson.dumps(value).decode()).encode()


def _size(value: Any, depth: int, known: dict[int, int]) -> int:
    """How many values there are with aliases written out, although each is looked at once."""
    if not isinstance(value, dict | list):
        return 1
    if depth < 0:
        raise RecursionError
    if id(value) not in known:
        inner = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_size(each, depth - 1, known) for each in inner)
    return known[id(value)]


__all__ = ["MappingNode", "Node", "ScalarNode", "SequenceNode", "as_yaml", "yaml_data", "yaml_tree"]
