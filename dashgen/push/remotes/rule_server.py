"""The server that reads rule files: told to reload, and asked until it evaluates what was written."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from dashgen import promql
from dashgen.model.units import seconds
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.loading import LoadedGroups, read_loaded
from dashgen.push.settings import RemoteSettings
from dashgen.push.transport import Transport

Group = Mapping[str, Any]
PATIENCE = 30.0  # seconds that a server may take to load what it was told to
SOON = 10  # seconds: groups with a longer interval count as loaded before they were first evaluated
SHOWN = 3  # of the reasons why files are refused
QUIET = 2  # seconds after which a reload of vmalert that said nothing is over
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_COUNTERS = re.compile(r"(?m)^vmalert_config_last_reload_(\w+) (\d+)")


class RuleServer:
    """A Prometheus, a Thanos ruler, or a vmalert, which reloads in its own time and tells nobody but its metrics."""

    patience = PATIENCE

    def __init__(self, settings: RemoteSettings):
        self._transport = Transport(settings)
        self._type = settings.type
        self._name = settings.name

    def reload(self) -> None:
        """Return when the server has read its files; `RemoteError` with its own words where it refuses them."""
        lazy = self._type == "vmalert"
        before = self._counters() if lazy else {}
        answer = self._transport.call("POST", "/-/reload", again=True, expected=(500,))
        if answer.status == 500:  # an answer, not an illness: asking again would not help
            said = " ".join(answer.text().split())[:1000]
            raise RemoteError(f"{self._name} refuses to reload: {said}.", status=500)
        start = time.monotonic()
        while lazy and not self._reloaded(before, time.monotonic() - start):
            time.sleep(0.1)

    def _reloaded(self, before: Mapping[str, int], passed: float) -> bool:
        """Whether vmalert is done: it counts a reload first, says later how it went, and nothing if nothing changed."""
        now = self._counters()
        new = {name: value - before.get(name, 0) for name, value in now.items()}
        quiet = new.get("total", 0) > 0 and passed > QUIET
        if new.get("errors_total", 0) > 0 or (quiet and not now.get("successful")):
            raise RemoteError(f"{self._name}: vmalert refuses its rule files; only its log says why.")
        if passed > self.patience:
            raise RemoteError(f"{self._name}: vmalert did not reload within {self.patience:.0f} s.")
        return quiet or new.get("success_timestamp_seconds", 0) > 0

    def reasons(self, files: Iterable[Path]) -> list[str]:
        """What promtool, where there is one, says about files that were refused; Prometheus tells only its log."""
        if self._type != "prometheus" or not (promtool := shutil.which("promtool")):
            return []
        command = [promtool, "check", "rules", *sorted(str(file) for file in files if file.exists())]
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            return []
        named = [line for line in done.stderr.splitlines() if line.startswith(tuple(command[3:]))]
        return [f"{line.rstrip('.')}." for line in named[:SHOWN]]

    def missing(self, wanted: Mapping[str, Sequence[Group]]) -> dict[str, str]:
        """File name → why its groups have no effect, for the wanted files of which that is so."""
        start, pause = time.monotonic(), 0.1
        while True:
            passed = time.monotonic() - start
            try:
                loaded = self._loaded()
            except RemoteError as error:
                return dict.fromkeys(wanted, f"whether it is loaded could not be asked: {error}")
            late = {name: why for name, groups in wanted.items() if (why := _late(groups, loaded.get(name, {})))}
            young = any(_young(groups, loaded.get(name, {})) for name, groups in wanted.items())
            if (not late and not (young and passed < 2 * SOON)) or passed > self.patience:
                break
            time.sleep(pause)
            pause = min(2 * pause, 1.0)
        failing = {name: why for name in wanted if (why := _failing(loaded.get(name, {})))}
        return failing | late

    def _loaded(self) -> dict[str, LoadedGroups]:
        """What the server evaluates, by the names of files; their folders may have other names for the server."""
        answer = read_loaded(self._transport.call("GET", "/api/v1/rules").json())
        made: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for file, groups in answer.items():
            made.setdefault(PurePosixPath(file).name, {}).update(groups)
        return dict(made)

    def _counters(self) -> dict[str, int]:
        text = self._transport.call("GET", "/metrics").text()
        return {name: int(value) for name, value in _COUNTERS.findall(text)}


def _late(groups: Sequence[Group], loaded: LoadedGroups) -> str:
    """How the loaded groups of a file differ from the wanted ones."""
    for group in groups:
        name = str(group.get("name"))
        if name not in loaded:
            return f"the server has no group {name} of it. Does it read this folder?"
        rules = group.get("rules") or ()
        if len(rules) != len(loaded[name]) or not all(map(_same, loaded[name], rules)):
            return f"the server evaluates other rules in the group {name}."
    left = set(loaded) - {str(group.get("name")) for group in groups}
    return f"the server still evaluates the group {min(left)}." if left else ""


def _same(loaded: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a server evaluates a rule as the file has it.

    It may read a copy of the folder that lags behind; then all names are right, and an expression or a text is not.
    """
    name = wanted.get("record") or wanted.get("alert")
    return (
        loaded.get("name") == name
        and _alike(str(loaded.get("query", wanted.get("expr"))), str(wanted.get("expr")))
        and all(_texts(loaded.get(key)) == _texts(wanted.get(key)) for key in ("labels", "annotations"))
    )


def _alike(one: str, other: str) -> bool:
    """Whether two expressions are one, but for the texts in them, of which servers change the escapes.

    >>> _alike('sum( a{b="\\x41"} )', 'sum(a{b="A"})'), _alike("a > 1", "a > 2")
    (True, False)
    """
    try:
        return _TEXT.sub("", promql.canonical(one.strip())) == _TEXT.sub("", promql.canonical(other.strip()))
    except promql.PromqlError:
        return True  # a newer PromQL or MetricsQL, which is not ours to compare


def _texts(values: Mapping[str, Any] | None) -> dict[str, str]:
    return {key: str(value) for key, value in (values or {}).items() if value != ""}


def _young(groups: Iterable[Group], loaded: LoadedGroups) -> bool:
    """Whether a rule that is evaluated often was not evaluated yet."""
    often = [str(group.get("name")) for group in groups if _interval(group) <= SOON]
    return any(rule.get("health") in ("unknown", "") for name in often for rule in loaded.get(name, ()))


def _interval(group: Group) -> float:
    """Seconds between two evaluations, as far as the file says."""
    try:
        return float(seconds(str(group.get("interval", "1m"))))
    except (ValueError, ArithmeticError):
        return math.inf


def _failing(loaded: LoadedGroups) -> str:
    rules = [rule for rules in loaded.values() for rule in rules if rule.get("health") == "err"]
    return f"the rule {rules[0].get('name')} fails: {rules[0].get('lastError') or 'no reason given'}." if rules else ""
