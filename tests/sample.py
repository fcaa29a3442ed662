"""Small specifications for tests: a base that is sound, and overlays that change what a test is about."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import yaml

from dashgen import pipeline
from dashgen.diagnostics import Diagnostic

TODAY = datetime.date(2026, 11, 21)
BASE = """
version: dashgen/v1
graph: test
defaults: {runbooks: https://runbooks.example.com}
teams: {t: {page: pager, ticket: chat}}
services:
  web:
    language: go
    team: t
    instrumentation: otelhttp
    selector: {job: web}
    calls: {stock: {timeout: 600ms}}
    slos: {availability: {objective: 99.9}}
  stock:
    language: rust
    team: t
    instrumentation: axum-prometheus
    selector: {job: stock}
    slos: {availability: {objective: 99.9}}
"""


def overlay(base: Any, more: Any) -> Any:
    """Lay one tree over another; null removes, and implementations replace a single language and profile."""
    if not isinstance(base, dict) or not isinstance(more, dict):
        return more
    merged = {key: value for key, value in base.items() if more.get(key, value) is not None}
    if "implementations" in more:
        for key in ("language", "instrumentation", "selector"):
            merged.pop(key, None)
    for key, value in more.items():
        if value is not None:
            merged[key] = overlay(merged.get(key), value)
    return merged


def write(folder: Path, more: dict[str, Any]) -> Path:
    """Write the base with an overlay; keys that are file names become files beside it."""
    files = {key: value for key, value in more.items() if "/" in key}
    spec = overlay(yaml.safe_load(BASE), {key: value for key, value in more.items() if "/" not in key})
    path = folder / "services.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False, allow_unicode=True))
    for file, text in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)
    return path


def findings(folder: Path, more: dict[str, Any]) -> list[Diagnostic]:
    """Every finding of `lint` on the base with an overlay, or the errors that keep it from being one."""
    project, found = pipeline.open_project(write(folder, more))
    return found if project is None else pipeline.check(project, TODAY)
