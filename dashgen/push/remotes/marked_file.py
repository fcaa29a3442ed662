"""A rule file with our mark in its first line, and whether the push of it ever ended."""

from __future__ import annotations

import re
from typing import Any

from dashgen.canonical import yaml_text
from dashgen.model.remote import Mark

_HEAD = re.compile(rb"# (dashgen:\S+)( unfinished)?\r?\n")
_UNFINISHED = " unfinished"


def marked(mark: Mark, data: Any, *, unfinished: bool) -> bytes:
    """The file; `unfinished` until its server has proved that it took it. A text is kept as it is.

    >>> marked(Mark("shop", "0123456789abcdef"), {"groups": []}, unfinished=True)
    b'# dashgen:shop:0123456789abcdef unfinished\\ngroups: []\\n'
    """
    body = data if isinstance(data, str) else yaml_text(data)
    return f"# {mark}{_UNFINISHED if unfinished else ''}\n{body}".encode()


def read_mark(content: bytes | None) -> tuple[Mark | None, bool]:
    """The mark, and whether the push of the file never ended.

    >>> read_mark(b"# dashgen:shop:0123456789abcdef unfinished\\ngroups: []\\n")
    (Mark(graph='shop', digest='0123456789abcdef'), True)
    >>> read_mark(b"groups: []")
    (None, False)
    """
    head = _HEAD.match(content or b"")
    return (Mark.read(head[1].decode("utf-8", "replace")), bool(head[2])) if head else (None, False)


def finished(content: bytes) -> bytes:
    """The same file, its push ended."""
    head, newline, rest = content.partition(b"\n")
    return head.removesuffix(_UNFINISHED.encode()) + newline + rest
