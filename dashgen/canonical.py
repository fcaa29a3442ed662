"""The only writer of JSON and YAML: the same data gives the same bytes, on every machine and every run.

YAML is written here rather than by PyYAML because a large graph is a hundred megabytes of rules and tests, and
PyYAML's C emitter would take most of the time of a run (`bench/writer.py` compares the two). It writes a small part of
YAML 1.2 that readers of YAML 1.1 read alike: block style, plain or double-quoted scalars, literal blocks.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import orjson

_PLAIN = re.compile(r"(?:[A-Za-z_(/][!-~]*(?: [!-~]+)*|(?:[0-9]+(?:ms|[smhdwy]))+)\Z")
_UNSAFE = re.compile(r":(?: |\Z)| #")
_RESERVED = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_LITERAL = re.compile(r"[ -~\u00a1-\u1fff\u2030-\ud7ff\U00010000-\U0001ffff\n]*\Z")


def json(value: Any) -> bytes:
    """JSON with sorted keys, two spaces, and a newline at the end."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def yaml_text(value: Any) -> str:
    r"""YAML in the order of the data, one item a line, texts quoted wherever a reader might misread them.

    >>> yaml_text({"a": ["x", {"b": "no", "c": "5"}], "d": {}, "e": "1\n2"})
    'a:\n- x\n- b: "no"\n  c: "5"\nd: {}\ne: |-\n  1\n  2\n'
    """
    out: list[str] = []
    if isinstance(value, dict) and value:
        _mapping(value, "", out, "")
    elif isinstance(value, list | tuple) and value:
        _sequence(value, "", out)
    else:
        out.append(_scalar(value, "") + "\n")
    return "".join(out)


def _mapping(value: dict[str, Any], indent: str, out: list[str], first: str) -> None:
    lead = first
    deeper = indent + "  "
    for key, each in value.items():
        kind = each.__class__
        if kind is str:
            text = _text(each) if "\n" not in each else _block(each, indent)
            out.append(f"{lead}{_key(key)}: {text}\n")
        elif kind is dict and each:
            out.append(f"{lead}{_key(key)}:\n")
            _mapping(each, deeper, out, deeper)
        elif (kind is list or kind is tuple) and each:
            out.append(f"{lead}{_key(key)}:\n")
            _sequence(each, indent, out)
        else:
            out.append(f"{lead}{_key(key)}: {_scalar(each, indent)}\n")
        lead = indent


def _sequence(value: list[Any] | tuple[Any, ...], indent: str, out: list[str]) -> None:
    for each in value:
        if isinstance(each, dict) and each:
            _mapping(each, indent + "  ", out, indent + "- ")
        elif isinstance(each, list | tuple) and each:
            out.append(f"{indent}-\n")
            _sequence(each, indent + "  ", out)
        else:
            out.append(f"{indent}- {_scalar(each, indent)}\n")


@lru_cache(maxsize=4096)
def _key(key: str) -> str:
    return key if key.isidentifier() and key.isascii() and key.lower() not in _RESERVED else _text(key)


def _scalar(value: Any, indent: str) -> str:
    if isinstance(value, str):
        return _block(value, indent) if "\n" in value else _text(value)
    if isinstance(value, bool | None):
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        mantissa, exponent, power = repr(value).partition("e")
        return f"{mantissa if '.' in mantissa else f'{mantissa}.0'}{exponent}{power}"
    return "{}" if isinstance(value, dict) else "[]"


@lru_cache(maxsize=65536)
def _text(value: str) -> str:
    if _PLAIN.match(value) and not _UNSAFE.search(value) and value.lower() not in _RESERVED:
        return value
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", orjson.dumps(value).decode())


def _block(value: str, indent: str) -> str:
    """Several lines as a literal block, or quoted where a block would not keep them."""
    first, _, _ = value.partition("\n")
    if (
        not first.strip()
        or value.endswith((" ", "\n\n"))
        or " \n" in value  # a block would keep these, but no reader sees them
        or not _LITERAL.match(value)
    ):
        return _text(value)
    chomp, body = ("", value[:-1]) if value.endswith("\n") else ("-", value)
    mark = "2" if first.startswith(" ") else ""
    inside = body.replace("\n", f"\n{indent}  ")
    if "\n\n" in body:
        inside = "\n".join(line if line.strip() else "" for line in inside.split("\n"))
    return f"|{mark}{chomp}\n{indent}  {inside}"
