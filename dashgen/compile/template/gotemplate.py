"""The templates of Go in labels and annotations: what Prometheus would refuse, without asking it, and their form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

from dashgen.diagnostics import did_you_mean, offer

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
    r"""\s+ | /\*.*?\*/ | "(?:[^"\\\n]|\\.)*" | `[^`]*` | '(?:[^'\\]|\\.)+'
    | \$\w*(?:\.\w+)*(?![\w.]) | \.(?:\w+(?:\.\w+)*)?(?![\w.]) | [A-Za-z_]\w* | [+-]?(?:0x)?[0-9][0-9a-fA-F_.eEx]*
    | (?P<open>\() | (?P<close>\)) | :=|=|\||, | (?P<end>(?:(?<=\s)-)?\}\})""",
    re.VERBOSE | re.DOTALL,
)

_ACTION = re.compile(r"""\{\{(?:[^"`}]++|"(?:[^"\\]|\\.)*"|`[^`]*`|\}(?!\}))*\}\}""")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


class _Fault(Exception):
    """What is wrong, in words for users."""


def refused(text: str) -> str:
    """What is wrong with a template, or nothing.

    >>> refused("{{ $value | humanise }}")
    'there is no function `humanise`. Did you mean “humanize” or “humanize1024”?'
    >>> refused("{{ if $value }}yes"), refused("{{ $labels.service ")
    ('`{{ if … }}` needs an `{{ end }}`', '`{{ $labels.service` is not closed by `}}`')
    """
    found = _ACTION.findall(text)
    whole = len(found) == text.count("{{")
    return "" if whole and not _refused(_QUOTED.sub('""', "".join(found))) else _refused(text)


def unfilled(text: str) -> str:
    """A template as a form: “…” where a value will stand, “/” between what only one of will.

    >>> unfilled('{{ $value | humanize }} {{ if gt $value 1.0 }}calls{{ else }}call{{ end }} of {{ "{{a" }}')
    '… calls/call of {{a'
    """
    return _ACTION.sub(lambda match: _standing(next(_actions(match[0]))), text)


def _standing(words: tuple[str, ...]) -> str:
    """What stands in a form for an action."""
    first = words[0]
    if len(words) == 1 and first[0] in '"`':
        return re.sub(r"\\(.)", r"\1", first[1:-1]) if first[0] == '"' else first[1:-1]
    if first == "else":
        return "/"
    return "" if first in _OPENING or first == "end" or first[:2] == "/*" or words[1:2] == (":=",) else "…"


@lru_cache(maxsize=4096)
def _refused(text: str) -> str:
    """The same for a text that may come again, as those do that differ in nothing but what stands in quotes."""
    try:
        _nested(_actions(text))
    except _Fault as fault:
        return str(fault)
    return ""


def _actions(text: str) -> Iterator[tuple[str, ...]]:
    """The actions of a template as their words."""
    position = 0
    while (start := text.find("{{", position)) >= 0:
        words, position = _action(text, start)
        yield words


def _action(text: str, start: int) -> tuple[tuple[str, ...], int]:
    """The words of the action at `start`, and where it ends."""
    words: list[str] = []
    depth, position = 0, start + 2
    if re.match(r"-\s", text[position : position + 2]):
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
        if match[0].strip():
            words.append(match[0])
    if position >= len(text):
        raise _Fault(f"`{_cut(line)}` is not closed by `}}}}`")
    raise _Fault(f"`{text[position : position + 1]}` cannot stand in `{_cut(line)}`")


def _nested(found: Iterable[tuple[str, ...]]) -> None:
    """Raise unless every action is one, and what is opened is closed."""
    known = set(_VARIABLES)
    opened: list[tuple[str, set[str]]] = []  # with the variables that are known around it
    for words in found:
        first = words[0] if words else ""
        around = [name for name, _ in opened]
        if (first in ("end", "else") and not opened) or (first in ("break", "continue") and "range" not in around):
            raise _Fault(f"`{{{{ {first} }}}}` stands in nothing that it could belong to")
        if first in _OPENING:
            opened.append((first, set(known)))
        elif first == "end":
            known = opened.pop()[1]
        known |= {word for word, after in pairwise(words) if word.startswith("$") and after in (":=", ",")}
        for told in _wrong(words[1:] if first in _OPENING else words, first, known):
            raise _Fault(told)
    if opened:
        raise _Fault(f"`{{{{ {opened[-1][0]} … }}}}` needs an `{{{{ end }}}}`")


def _wrong(words: tuple[str, ...], first: str, known: set[str]) -> Iterator[str]:
    if not words:
        yield f"`{{{{ {first}{' ' if first else ''}}}}}` needs a value"
    for before, word, after in zip(("|", *words), words, (*words[1:], "|"), strict=False):
        if word == "|" and (before in ("|", "(") or after in ("|", ")") or not re.match(r"[A-Za-z_($.]", after)):
            yield "`|` stands between a value and a function"
        elif word in (":=", "=") and not before.startswith("$"):
            yield f"`{word}` stands behind a variable"
        elif word == ")" and before == "(":
            yield "`()` holds nothing"
        elif word.startswith("$") and word.partition(".")[0] not in known:
            yield f"there is no variable `{word}`.{offer(word, known)}"
        elif re.fullmatch(r"[A-Za-z_]\w*", word) and word not in _FUNCTIONS | _WORDS:
            yield f"there is no function `{word}`.{did_you_mean(word, _FUNCTIONS)}"


def _cut(line: str) -> str:
    return line if len(line) <= 40 else f"{line[:39]}…"
