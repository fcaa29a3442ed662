"""An explanation, for people and for machines."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from dashgen.diagnostics import Span
from dashgen.explain import Explanation
from dashgen.views import console, text


def show(each: Explanation, span: Span | None) -> None:
    """Print one explanation."""
    console.say(each.id, console=console.out, style="bold")
    rows = [
        ("is a", each.kind),
        ("written to", f"out/{each.file}"),
        ("because of", str(span) if span and each.path else ""),
        ("by the template", each.origin),
        ("with the profile", ", ".join(each.profiles)),
        ("reads", ", ".join(each.reads)),
    ]
    for label, value in rows:
        if value:
            console.say(f"  {label:<17}{value}", console=console.out)
    for expr, words in each.queries:
        console.out.print()
        for line in expr.split("\n"):
            console.say(f"    {line}", console=console.out, style="cyan")
        if words:
            console.say(f"  in words: {words}", console=console.out)


def others(same: list[Explanation], spec: Path, shown: int = 12) -> None:
    """Say what else the name could have meant."""
    console.say(f"{len(same)} more of this name; give one of these for its details:")
    for each in same[:shown]:
        console.say(f"  {text.typed(f'explain {shlex.quote(each.id)}', spec)}")
    if len(same) > shown:
        console.say("  …")


def data(each: Explanation, span: Span | None) -> dict[str, Any]:
    """An explanation as plain data."""
    return {
        "id": each.id,
        "kind": each.kind,
        "file": each.file,
        "template": each.origin,
        "spec": str(span) if span and each.path else None,
        "labels": dict(each.labels),
        "profiles": list(each.profiles),
        "reads": list(each.reads),
        "queries": [{"expr": expr, "words": words} for expr, words in each.queries],
    }
