"""What machines read: findings as JSON, SARIF 2.1.0 or GitHub annotations, changes as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from dashgen import __version__
from dashgen.diagnostics import Diagnostic, Severity
from dashgen.model.change import Action, Change, Outcome

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note", Severity.SILENCED: "note"}


def as_json(value: Any) -> str:
    """Indented JSON."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def findings(found: Sequence[Diagnostic]) -> list[dict[str, Any]]:
    """Findings as plain data."""
    return [
        {
            "id": each.id,
            "severity": str(each.severity),
            "summary": each.summary,
            "detail": each.detail,
            "file": each.span.file if each.span else None,
            "line": each.span.line if each.span else None,
            "column": each.span.column if each.span else None,
            "end_column": each.span.end if each.span else None,
        }
        for each in found
    ]


def changes(planned: Iterable[Change]) -> list[dict[str, str]]:
    """Changes as plain data; what stays is left out."""
    return [
        {"action": change.action.name.lower(), "path": change.path, "reason": change.reason}
        for change in planned
        if change.action is not Action.KEEP or change.reason
    ]


def outcome(run: Outcome) -> dict[str, Any]:
    """A run of `generate` as plain data."""
    return {"made": dict(sorted(run.made.items())), "changes": changes(run.changes), "findings": findings(run.found)}


def sarif(found: Sequence[Diagnostic]) -> dict[str, Any]:
    """Findings as SARIF 2.1.0, for code scanning."""
    rules = {each.id: each.summary for each in found}
    driver = {
        "name": "dashgen",
        "version": __version__,
        "rules": [{"id": id, "shortDescription": {"text": summary}} for id, summary in sorted(rules.items())],
    }
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": [_result(d) for d in found]}
        ],
    }


def _result(each: Diagnostic) -> dict[str, Any]:
    result: dict[str, Any] = {"ruleId": each.id, "level": _LEVELS[each.severity], "message": {"text": each.detail}}
    if each.span:
        region = {"startLine": each.span.line, "startColumn": each.span.column, "endColumn": each.span.end}
        place = {"artifactLocation": {"uri": each.span.file}, "region": region}
        result["locations"] = [{"physicalLocation": place}]
    if each.severity is Severity.SILENCED:
        result["suppressions"] = [{"kind": "inSource"}]
    return result


def github(found: Sequence[Diagnostic]) -> str:
    """Findings as workflow commands, which GitHub shows beside the lines of a pull request."""
    lines = []
    for each in found:
        if each.severity is Severity.SILENCED:
            continue
        level = {"note": "notice"}.get(_LEVELS[each.severity], _LEVELS[each.severity])
        place = f"file={_property(each.span.file)},line={each.span.line},col={each.span.column}," if each.span else ""
        lines.append(f"::{level} {place}title={_property(f'{each.summary} [{each.id}]')}::{_data(each.detail)}")
    return "\n".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
