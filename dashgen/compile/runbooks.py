"""Runbook templates → one Markdown page per alert name of an owner. Values are escaped for Markdown."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import FunctionLoader, Template, TemplateSyntaxError, nodes

from dashgen.compile.alerts import Alert
from dashgen.compile.template.evaluation import Scope
from dashgen.compile.template.faults import TemplateFault, odd, sentence
from dashgen.compile.template.gotemplate import unfilled
from dashgen.compile.template.markdown import code, escape, inline, linked, url
from dashgen.compile.template.sandbox import Sandbox
from dashgen.diagnostics import Diagnostic, Span, offer
from dashgen.model.intent import Rule, Runbook
from dashgen.model.library import TextFile

FALLBACK = "any-alert"
_PASSING = ("severity", "burn", "team", "language")  # labels that do not say what an alert is about


@dataclass(frozen=True, slots=True)
class _Page:
    template: Template
    file: TextFile


class Pages:
    """The compiled runbook templates."""

    def __init__(self, sandbox: Sandbox, files: Mapping[str, TextFile]):
        self.found: list[Diagnostic] = []
        environment = sandbox.overlay(finalize=escape, loader=FunctionLoader(_finder(files)))
        marks = {"code": code, "inline": inline, "linked": linked, "url": url}
        environment.filters = {**sandbox.filters, **marks, "unfilled": unfilled}
        environment.globals = {"silence": silence}
        self._files = {file.file: file for file in files.values()}
        self._pages: dict[str, _Page] = {}
        for name, file in files.items():
            try:
                self._pages[name] = _Page(environment.get_template(name), file)
            except TemplateSyntaxError as error:
                self._complain(_fault(file, error.lineno, sentence(error)))
        for page in self._pages.values():
            if not page.file.builtin:  # which says what it can where a project's own page takes less
                for fault in _unheard(page.file, environment.parse(page.file.text), self._pages):
                    self._complain(fault)

    def _complain(self, fault: TemplateFault) -> None:
        self.found += fault.diagnostics(lambda origin: Span(origin, 1, 1, 2))

    def make(self, alerts: Sequence[Alert], scope: Scope, faults: list[TemplateFault]) -> Iterator[Runbook]:
        """One page per alert name, from the first template that fits: the alert's own or the general one."""
        by_name: dict[str, list[Alert]] = {}
        for alert in alerts:
            by_name.setdefault(alert.rule.name, []).append(alert)
        for name, same in by_name.items():
            own = same[0].runbook
            if own and own not in self._pages:
                told = f"There is no runbook template “{own}”.{offer(own, self._pages)}"
                faults.append(odd(same[0].rule.origin, told))
                continue
            page = self._pages.get(own or _kebab(name)) or self._pages[FALLBACK]
            subjects = list({id(each.subject): each.subject for each in same}.values())
            rules = [each.rule for each in same]
            here = {**scope, "alert": rules[0], "alerts": rules, "about": subjects[0], "subjects": subjects}
            try:
                text = page.template.render(here)
            except Exception as error:
                faults.append(_blame(self._files, page.file, error))
                continue
            if not text.strip():
                faults.append(_fault(page.file, 1, f"The page of {name} is empty. Say what to do when it fires."))
            yield Runbook(name, text, page.file.file)


@cache
def _kebab(name: str) -> str:
    """The name of an alert's runbook template.

    >>> _kebab("ErrorBudgetBurn")
    'error-budget-burn'
    """
    return "".join(f"-{char.lower()}" if char.isupper() else char for char in name).lstrip("-")


def silence(alerts: Sequence[Rule]) -> str:
    """The command that silences an alert for two hours, by the labels that all its instances share."""
    shared = set.intersection(*(set(alert.labels.items()) for alert in alerts)) if alerts else set()
    kept = [f"{name}={shlex.quote(value)}" for name, value in sorted(shared) if name not in _PASSING]
    return f"amtool silence add alertname={alerts[0].name} {' '.join(kept)} --duration=2h --comment='…'"


def _finder(files: Mapping[str, TextFile]) -> Callable[[str], tuple[str, str, Callable[[], bool]] | None]:
    """How Jinja2 finds a page that another one extends, and what it calls it in tracebacks."""
    return lambda name: (files[name].text, files[name].file, lambda: True) if name in files else None


def _unheard(file: TextFile, page: nodes.Template, pages: Mapping[str, _Page]) -> Iterator[TemplateFault]:
    """Blocks of a page that the one that it extends does not have: they would be lost without a word."""
    base = next(page.find_all(nodes.Extends), None)
    if base is None or not isinstance(base.template, nodes.Const):
        return
    if base.template.value not in pages:
        told = f"There is no runbook template “{base.template.value}” to extend."
        yield _fault(file, base.lineno, f"{told}{offer(str(base.template.value), pages)}")
        return
    known = pages[base.template.value].template.blocks
    for block in page.body:
        if isinstance(block, nodes.Block) and block.name not in known:
            told = f"“{base.template.value}” has no block “{block.name}”.{offer(block.name, known)}"
            yield _fault(file, block.lineno, told)


def _blame(files: Mapping[str, TextFile], page: TextFile, error: BaseException) -> TemplateFault:
    """The fault at the line that failed, which may stand in a page that this one extends."""
    file, line, trace = page, 1, error.__traceback__
    while trace:
        name = trace.tb_frame.f_code.co_filename
        if name in files:
            file, line = files[name], trace.tb_lineno
        trace = trace.tb_next
    return _fault(file, line, sentence(error))


def _fault(file: TextFile, line: int, message: str) -> TemplateFault:
    lines: list[Any] = file.text.split("\n")
    text = lines[line - 1] if line <= len(lines) else ""
    return TemplateFault(message, Span(file.file, line, 1, max(2, len(text) + 1), text))
