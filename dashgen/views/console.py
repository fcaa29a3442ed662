"""What people see: findings with the line and carets under it, what changed, and what to type next."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from types import TracebackType

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from dashgen.diagnostics import Diagnostic, Severity, Span
from dashgen.model.change import Action, Change
from dashgen.views.text import counted, printable

_STYLES = {
    Severity.ERROR: "bold red",
    Severity.WARNING: "bold yellow",
    Severity.INFO: "bold blue",
    Severity.SILENCED: "dim",
}
_ACTIONS = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.DELETE: "red",
    Action.KEEP: "dim",
    Action.CONFLICT: "bold red",
}
_WIDTH = 140  # columns of a source line that are shown around the fault

out = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
err = Console(soft_wrap=True, highlight=False, markup=False, emoji=False, stderr=True)


def say(*parts: str, console: Console = err, style: str = "") -> None:
    """Print one line of plain text."""
    console.print(Text(printable(" ".join(parts)), style=style))


def findings(found: Sequence[Diagnostic], console: Console = out) -> None:
    """Print findings one below the other, what was silenced in a line each and last, and count them."""
    for each in sorted(found, key=lambda each: each.severity is Severity.SILENCED):
        _finding(each, console)
    count = {severity: sum(d.severity is severity for d in found) for severity in reversed(Severity)}
    words = {
        Severity.ERROR: "error",
        Severity.WARNING: "warning",
        Severity.INFO: "note",
        Severity.SILENCED: "silenced finding",
    }
    listed = [counted(number, words[severity]) for severity, number in count.items() if number]
    if listed:
        say(", ".join(listed), console=console, style="bold")


def changes(planned: Iterable[Change], console: Console = out, *, keep: bool = False) -> None:
    """Print what happens to each file; what stays is left out."""
    for change in planned:
        if change.action is Action.KEEP and not keep and not change.reason:
            continue
        marked(change.action, change.path, change.reason, console)


def marked(action: Action, what: str, reason: str = "", console: Console = out) -> None:
    """Print one line with the symbol of an action, and why, where that is not obvious."""
    line = Text(f"  {action.value} ", style=_ACTIONS[action])
    line.append(printable(what))
    line.append(f"  ({printable(reason)})" if reason else "", style="dim")
    console.print(line)


def _finding(each: Diagnostic, console: Console) -> None:
    head = Text(f"{printable(str(each.span))}: " if each.span else "", style="bold")
    head.append(f"{each.severity}: ", style=_STYLES[each.severity])
    head.append(printable(each.summary), style="bold")
    head.append(f"  [{each.id}]", style="dim")
    console.print(head)
    if each.severity is Severity.SILENCED:
        return  # it was settled, and the reason stands in the specification; other formats give it
    if each.span:
        _source(each.span, console, _STYLES[each.severity])
    for line in printable(each.detail).split("\n"):
        console.print(Text(f"    {line}"))
    for label, span in each.related:
        console.print(Text(f"    {label}: {printable(str(span))}", style="dim"))
        _source(span, console, "dim")
    console.print()


def _source(span: Span, console: Console, style: str) -> None:
    """The source line, cut to what fits, with carets under the stretch that is meant."""
    if not span.text.strip():
        return
    start = max(0, span.column - 1 - _WIDTH // 2) if span.column > _WIDTH else 0
    before = printable(span.text[start : span.column - 1].expandtabs(1))
    marked = printable(span.text[span.column - 1 : span.end - 1].expandtabs(1))[:_WIDTH]
    after = printable(span.text[span.end - 1 : start + _WIDTH * 2].expandtabs(1))[:_WIDTH]
    number = str(span.line)
    console.print(Text(f"  {number} | {before}{marked}{after}"))
    carets = "^" * max(1, cell_len(marked))
    console.print(Text(f"  {' ' * len(number)} | {' ' * cell_len(before)}") + Text(carets, style=style))


class Steps:
    """A progress bar on stderr, for people only, and only where the work takes longer than a second."""

    def __init__(self, what: str):
        self._what = what
        self._started = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> Steps:
        return self

    def __call__(self, done: int, total: int) -> None:
        """Report that `done` of `total` steps are behind."""
        if self._bar is None:
            if not sys.stderr.isatty() or time.monotonic() - self._started < 1:
                return
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            self._bar = Progress(*columns, console=err, transient=True)
            self._bar.add_task(self._what, total=total)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=done)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
