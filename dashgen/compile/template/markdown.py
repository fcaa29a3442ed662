"""Values in Markdown: escaped, so that a name cannot become a heading, a table cell or a link."""

from __future__ import annotations

import re

from jinja2 import Undefined

from dashgen.compile.template.leaf import Promql, written

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~!\s]")
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~!])")


class Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


def escape(value: object) -> object:
    """Escape a value for Markdown, unless it is Markdown or a piece of PromQL. Only texts and numbers can stand there.

    >>> escape("a|b\\n# c"), escape(3)
    ('a\\\\|b \\\\# c', '3')
    """
    if not isinstance(value, str | Undefined):
        return written(value)
    if isinstance(value, Markdown | Promql | Undefined) or not _SPECIAL.search(value):
        return value
    return Markdown(_MARKS.sub(r"\\\1", re.sub(r"\s+", " ", value)))


def code(value: object) -> Markdown:
    """A value as a code block; a fence longer than any run of backticks inside holds it."""
    text = str(value).strip()
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return Markdown(f"{fence}\n{text}\n{fence}")


def inline(value: object) -> Markdown:
    """A value between backticks: one line, without backticks of its own."""
    return Markdown(" ".join(str(value).split()).replace("`", "'"))


def linked(text: object, address: object) -> Markdown:
    """A text as a link, or on its own where there is no address.

    >>> linked("a*b", "/d/a b"), linked("a", "")
    ('[a\\\\*b](/d/a%20b)', 'a')
    """
    return Markdown(f"[{escape(text)}]({url(address)})" if address else escape(text))


def url(value: object) -> Markdown:
    """An address as the target of a link."""
    return Markdown(str(value).replace("(", "%28").replace(")", "%29").replace(" ", "%20"))
