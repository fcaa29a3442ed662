"""The templates of Go in labels and annotations: what Prometheus would refuse, without asking it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from dashgen.diagnostics import did_you_mean

_FUNCTIONS = frozenset(
    (  # Go's own, and those of Prometheus
        "and call eq ge gt html index js le len lt ne not or print printf println slice urlquery args externalURL "
        "first graphLink humanize humanize1024 humanizeDuration humanizePercentage humanizeTimestamp label match "
        "now parseDuration pathPrefix query reReplaceAll safeHtml sortByLabel stripDomain stripPort strvalue tableLink "
        "title tmpl toDuration toLower toTime toUpper urlQueryEscape value"
    ).split()
)
_OPENING = frozenset(("if", "range", "with", "define", "block"))
_WORDS = frozenset(("true", "false", "nil", "else", "end", "template", "break", "continue", "if", "with"))
_VARIABLES = frozenset(("$", "$labels", "$value", "$externalLabels", "$externalURL"))
_WORD = re.compile(
    r"""\s+ | (?P<comment>/\*.*?\*/) | "(?:[^"\\\n]|\\.)*" | `[^`]*` | '(?:[^'\\]|\\.)+'
    | (?P<variable>\$\w*) | (?P<field>\.\w*(?=\W|$)) | (?P<word>[A-Za-z_]\w*) | [+-]?(?:0x)?[0-9][0-9a-fA-F_.eEx]*
    | (?P<open>\() | (?P<close>\)) | (?P<other>:=|=|\||,) | (?P<end>-?\}\})""",
    re.VERBOSE | re.DOTALL,
)


class _Fault(Exception):
    """What is wrong, in words for users."""


@lru_cache(maxsize=4096)
def actions(text: str) -> tuple[tuple[str, ...], ...]:
    """The actions of a template as their words.

    >>> actions("a {{ $value | humanize }} b")
    (('$value', '|', 'humanize'),)
    """
    made, position = [], 0
    while (start := text.find("{{", position)) >= 0:
        words, position = _action(text, start)
        made.append(words)
    return tuple(made)


@lru_cache(maxsize=4096)
def refused(text: str) -> str:
    """What is wrong with a template, or nothing.

    >>> refused("{{ $value | humanise }}")
    'there is no function `humanise`. Did you mean “humanize”?'
    >>> refused("{{ if $value }}yes"), refused("{{ $labels.service ")
    ('`{{ if … }}` needs an `{{ end }}`', '`{{ $labels.service` is not closed by `}}`')
    """
    try:
        _nested(actions(text))
    except _Fault as fault:
        return str(fault)
    return ""


def _action(text: str, start: int) -> tuple[tuple[str, ...], int]:
    """The words of the action at `start`, and where it ends."""
    words: list[str] = []
    depth, position = 0, start + 2
    if text[position : position + 1] == "-":
        position += 1
    line = " ".join(text[start:].split())
    while match := _WORD.match(text, position):
        position = match.end()
        depth += (match.lastgroup == "open") - (match.lastgroup == "close")
        if depth < 0:
            break
        if match.lastgroup == "end":
            if depth:
                raise _Fault(f"a `(` is not closed in `{_cut(line)}`")
            return tuple(words), position
        if match[0].strip() and match.lastgroup != "comment":
            words.append(match[0])
    if position >= len(text):
        raise _Fault(f"`{_cut(line)}` is not closed by `}}}}`")
    raise _Fault(f"`{text[position : position + 1]}` cannot stand in `{_cut(line)}`")


def _nested(found: tuple[tuple[str, ...], ...]) -> None:
    """Raise unless every action is one, and what is opened is closed."""
    known, opened = set(_VARIABLES), list[str]()
    for words in found:
        first = words[0] if words else ""
        if first in ("end", "else") and not opened:
            raise _Fault(f"`{{{{ {first} }}}}` closes nothing")
        if first in _OPENING:
            opened.append(first)
        elif first == "end":
            opened.pop()
        known |= {word for word, after in pairwise(words) if word.startswith("$") and after in (":=", ",")}
        for told in _wrong(words[1:] if first in _OPENING else words, first, known):
            raise _Fault(told)
    if opened:
        raise _Fault(f"`{{{{ {opened[-1]} … }}}}` needs an `{{{{ end }}}}`")


def _wrong(words: tuple[str, ...], first: str, known: set[str]) -> Iterator[str]:
    if not words:
        yield f"`{{{{ {first}{' ' if first else ''}}}}}` needs a value"
    for before, word, after in zip(("|", *words), words, (*words[1:], "|"), strict=False):
        if word == "|" == before or word == "|" == after:
            yield "`|` stands between a value and a function"
        elif word.startswith("$") and word not in known:
            yield f"there is no variable `{word}`.{did_you_mean(word, known)} Known: {', '.join(sorted(known))}"
        elif re.fullmatch(r"[A-Za-z_]\w*", word) and word not in _FUNCTIONS | _WORDS:
            yield f"there is no function `{word}`.{did_you_mean(word, _FUNCTIONS)}"


def _cut(line: str) -> str:
    return line if len(line) <= 40 else f"{line[:39]}…"
