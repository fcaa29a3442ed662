"""Text that comes from outside, made safe to print, and commands, made safe to type."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

SPEC = Path("services.yaml")  # the specification where a command names none

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def printable(text: str) -> str:
    """A text without anything that a terminal would obey.

    >>> printable("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    """
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def typed(command: str, path: Path) -> str:
    """A command as it has to be typed for a specification.

    >>> typed("lint", SPEC), typed("lint", Path("my services"))
    ('dashgen lint', "dashgen lint 'my services'")
    """
    return f"dashgen {command}" if path == SPEC else f"dashgen {command} {shlex.quote(str(path))}"


def counted(number: int, noun: str) -> str:
    """A number and its noun.

    >>> counted(1, "file"), counted(2, "file"), counted(3, "recording rule"), counted(2, "query")
    ('1 file', '2 files', '3 recording rules', '2 queries')
    """
    if number != 1:
        noun = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun}"
