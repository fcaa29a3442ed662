"""Generated files in a hurry: sixty times as fast, so that an hour passes in a minute.

Windows of days read the clock and cannot be hurried; they are left out here and proved by promtool.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from dashgen.model.units import duration, seconds

SPEED = 60
_RANGE = re.compile(r"(?<=[\[:])(?:\d+(?:ms|[smhd]))+(?=[\]:])|(?<=offset )(?!1ms)(?:\d+(?:ms|[smhd]))+")
_RATE = re.compile(r"(rate\([^\[]*\[[^\]]*\][\s)]*\*\s*)60\b")


def fast(text: str) -> str:
    """A duration, shortened."""
    return duration(seconds(text) / SPEED)


def rules(files: Iterable[Path], folder: Path) -> Path:
    """Rule files whose ranges, offsets, waits and intervals are shortened."""
    folder.mkdir()
    for file in files:
        groups = [g for g in yaml.safe_load(file.read_text())["groups"] if not g["name"].endswith("-days")]
        for group in groups:
            group["interval"] = fast(group["interval"])
            for rule in group["rules"]:
                rule["expr"] = _RANGE.sub(lambda m: fast(m[0]), _RATE.sub(r"\g<1>1", rule["expr"]))
                if "for" in rule:
                    rule["for"] = fast(rule["for"])
        (folder / file.name).write_text(yaml.safe_dump({"groups": groups}, width=10_000))
    return folder


def routes(file: Path, webhook: str, target: Path) -> Path:
    """An Alertmanager configuration whose waits are shortened and whose receivers are webhooks."""
    config = yaml.safe_load(file.read_text())
    _hurry(config["route"])
    for receiver in config["receivers"]:
        receiver["webhook_configs"] = [{"url": f"{webhook}/{receiver['name']}", "send_resolved": True}]
    target.write_text(yaml.safe_dump(config))
    return target


def _hurry(route: dict[str, Any]) -> None:
    for key in ("group_wait", "group_interval", "repeat_interval"):
        if key in route:
            route[key] = fast(route[key])
    for child in route.get("routes", ()):
        _hurry(child)
