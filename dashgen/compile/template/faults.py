"""What is wrong with a template: complaints about what is written, faults where it is instantiated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from jinja2 import TemplateNotFound

from dashgen.diagnostics import Diagnostic, Span

_SUMMARIES = {
    "condition": "Not a condition",
    "fault": "A template failed",
    "fragment": "Not a fragment that can be used",
    "loop": "Not a loop",
    "missing-key": "A key is missing in a template",
    "unknown-key": "Unknown key in a template",
    "wrong-type": "Wrong kind of value in a template",
}


def complaint(id: str, detail: str, span: Span) -> Diagnostic:
    """What users are told about something that is written."""
    return Diagnostic(f"template/{id}", _SUMMARIES[id], detail, span)


class TemplateFault(Exception):
    """A fault in a template, at a span or at the origin `file:line:column` that an instance remembers.

    `others` are faults that were found with it.
    """

    def __init__(
        self, detail: str, place: Span | str, summary: str = "A template failed", others: Sequence[TemplateFault] = ()
    ):
        super().__init__(detail)
        self.detail, self.place, self.summary, self.others = detail, place, summary, tuple(others)

    def diagnostics(self, locate: Callable[[str], Span]) -> Iterator[Diagnostic]:
        """What users are told; `locate` finds the line of an origin."""
        span = locate(self.place) if isinstance(self.place, str) else self.place
        yield Diagnostic("template/fault", self.summary, self.detail, span)
        for other in self.others:
            yield from other.diagnostics(locate)


class Endless(Exception):
    """A fault after which it is not worth going on to look for others."""

    def __init__(self, fault: TemplateFault):
        super().__init__(fault.detail)
        self.fault = fault


def raise_together(faults: Sequence[TemplateFault]) -> None:
    """Raise faults as one, each of them told once; nothing happens where there are none."""
    if faults:
        flat = {(each.detail, str(each.place)): each for fault in faults for each in (fault, *fault.others)}
        first, *others = flat.values()
        raise TemplateFault(first.detail, first.place, first.summary, others)


def odd(origin: str, detail: str) -> TemplateFault:
    """A fault of what was made at an origin: each of its values fits, but they do not fit together."""
    return TemplateFault(detail, origin, "A template asks for something odd")


def sentence(error: BaseException) -> str:
    """An error's words as a sentence."""
    if isinstance(error, RecursionError):
        return "It uses itself, and would do so forever."
    if isinstance(error, TemplateNotFound):
        return f"There is no template “{error.name}”."
    text = str(error).strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('?') else '.'}"
