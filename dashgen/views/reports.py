"""Plans, pushes and drift for machines: JSON, Markdown for a merge request, metrics; and drift as text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from dashgen.model.change import Action
from dashgen.model.drift import Drifted, State
from dashgen.model.plan import Plan, Step, Summary
from dashgen.promql import quoted
from dashgen.views import console
from dashgen.views.plans import tally
from dashgen.views.text import printable

COMMENT = 60_000  # characters; GitHub refuses comments of more than 65,536
_LABEL = "dashgen_drift"


def plan_data(plan: Plan) -> dict[str, Any]:
    """A plan as plain data, without the contents of objects."""
    steps = [_step_data(step) for step in plan.steps if step.action is not Action.KEEP or step.reason]
    count = Counter(step.action.name.lower() for step in plan.steps)
    return {"context": plan.context, "graph": plan.graph, "commit": plan.commit, "count": dict(count), "steps": steps}


def summary_data(name: str, summary: Summary) -> dict[str, Any]:
    """The end of a push as plain data."""
    failed = [{**_step_data(f.step), "why": f.why, "status": f.status} for f in summary.failed]
    done, left = ([_step_data(step) for step in each] for each in (summary.done, summary.left))
    return {"push": name, "done": done, "failed": failed, "left": left}


def markdown(plan: Plan) -> str:
    """A plan as a comment on a merge request; objects are folded, and nothing in them is markup."""
    parts = [f"### dashgen plan: {_inline(plan.context)}", "", f"{tally(plan.steps)}.", ""]
    length = 0
    for position, step in enumerate(shown := [each for each in plan.steps if each.action is not Action.KEEP]):
        head = f"`{step.action}` {_inline(str(step.key))} in {_inline(step.remote)}"
        head += f" ({_inline(step.reason)})" if step.reason else ""
        lines = "\n".join(f"- {_inline(line)}" for line in step.details[:50])
        part = f"<details><summary>{_tags(head)}</summary>\n\n{lines}\n\n</details>" if lines else f"{head}\n"
        length += len(part)
        if length > COMMENT:
            parts.append(f"… and {len(shown) - position:,} more.")
            break
        parts.append(part)
    return "\n".join(parts)


def drift_text(found: Sequence[Drifted]) -> None:
    """Print what drifted, and who did it."""
    for each in found:
        if each.state is State.UNCHANGED:
            continue
        by = (f" by {each.edited_by}" if each.edited_by else "") + (f" at {each.edited_at}" if each.edited_at else "")
        line = f"  {each.state} {each.key} in {each.remote}{by}".replace("\n", " ")
        console.say(line, console=console.out, style="bold red" if each.state is State.EDITED else "yellow")
        for detail in each.details[:30]:
            console.say(f"      {detail}".replace("\n", " "), console=console.out, style="dim")
    count = Counter(each.state for each in found)
    listed = ", ".join(f"{count[state]:,} {state}" for state in State if count[state])
    console.say(listed or "Nothing was pushed yet.", console=console.out, style="bold")


def drift_data(found: Sequence[Drifted]) -> list[dict[str, Any]]:
    """What drifted as plain data."""
    return [
        {
            "remote": each.remote,
            "kind": each.key.kind,
            "name": each.key.name,
            "title": each.title,
            "state": str(each.state),
            "edited_by": each.edited_by,
            "edited_at": each.edited_at,
            "details": list(each.details),
        }
        for each in found
        if each.state is not State.UNCHANGED
    ]


def drift_metrics(graph: str, context: str, found: Sequence[Drifted], time: float) -> str:
    """What drifted for Prometheus's textfile collector; states without objects are 0, so that alerts end.

    >>> print(drift_metrics("shop", "dev", [], 1.0), end="")
    # HELP dashgen_drift_objects Objects that differ from what was last pushed.
    # TYPE dashgen_drift_objects gauge
    # HELP dashgen_drift_last_check_timestamp_seconds When drift was last looked for.
    # TYPE dashgen_drift_last_check_timestamp_seconds gauge
    dashgen_drift_last_check_timestamp_seconds{graph="shop",context="dev"} 1
    """
    count = Counter((each.remote, each.key.kind, each.state) for each in found)
    places = sorted({(each.remote, each.key.kind) for each in found})
    whole = f'graph="{quoted(graph)}",context="{quoted(context)}"'
    lines = [
        f"# HELP {_LABEL}_objects Objects that differ from what was last pushed.",
        f"# TYPE {_LABEL}_objects gauge",
    ]
    for remote, kind in places:
        for state in (State.EDITED, State.MISSING, State.FOREIGN):
            labels = f'{whole},remote="{quoted(remote)}",kind="{kind}",state="{state}"'
            lines.append(f"{_LABEL}_objects{{{labels}}} {count[remote, kind, state]}")
    name = f"{_LABEL}_last_check_timestamp_seconds"
    lines += [f"# HELP {name} When drift was last looked for.", f"# TYPE {name} gauge", f"{name}{{{whole}}} {time:.0f}"]
    return "\n".join([*lines, ""])


def _step_data(step: Step) -> dict[str, Any]:
    return {
        "remote": step.remote,
        "action": step.action.name.lower(),
        "kind": step.key.kind,
        "name": step.key.name,
        "title": step.title,
        "reason": step.reason,
        "details": list(step.details),
    }


def _inline(text: str) -> str:
    """A text without anything that Markdown or HTML would read.

    >>> _inline("a *b* <i> @ann")
    'a \\\\*b\\\\* &lt;i&gt; &#64;ann'
    """
    text = printable(text).replace("\n", " ").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~#!])", r"\\\1", text).replace("@", "&#64;")


def _tags(text: str) -> str:
    """A summary is HTML, in which Markdown's marks would stay visible."""
    return re.sub(r"\\([\\`*_\[\]|~#!])", r"\1", re.sub(r"(?<!\\)`([^`]*)`", r"<code>\1</code>", text))
