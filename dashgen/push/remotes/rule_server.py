"""The server that reads rule files: told to reload, and asked until it evaluates what was written."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from dashgen.model.units import seconds
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.loading import LoadedGroups, read_loaded
from dashgen.push.settings import RemoteSettings
from dashgen.push.transport import Transport

Group = Mapping[str, Any]
PATIENCE = 30.0  # seconds that a server may take to load what it was told to
SOON = 10  # seconds: groups with a longer interval count as loaded before they were first evaluated
QUIET = 2  # seconds after which a reload of vmalert that said nothing is over
_COUNTERS = re.compile(r"(?m)^vmalert_config_last_reload_(\w+) (\d+)")


class RuleServer:
    """A Prometheus, a Thanos ruler, or a vmalert, which reloads in its own time and tells nobody but its metrics."""

    patience = PATIENCE

    def __init__(self, settings: RemoteSettings):
        self._transport = Transport(settings)
        self._lazy = settings.type == "vmalert"
        self._name = settings.name

    def reload(self) -> None:
        """Return when the server has read its files; `RemoteError` with its own words where it refuses them."""
        before = self._counters() if self._lazy else {}
        answer = self._transport.call("POST", "/-/reload", again=True, expected=(500,))
        if answer.status == 500:  # an answer, not an illness: asking again would not help
            said = " ".join(answer.text().split())[:1000]
            raise RemoteError(f"{self._name} refuses to reload: {said}.", status=500)
        start = time.monotonic()
        while self._lazy and not self._reloaded(before, time.monotonic() - start):
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
        if list(map(_shape, loaded[name])) != list(map(_shape, group.get("rules") or ())):
            return f"the server evaluates other rules in the group {name}."
    left = set(loaded) - {str(group.get("name")) for group in groups}
    return f"the server still evaluates the group {min(left)}." if left else ""


def _shape(rule: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    name = rule.get("name") or rule.get("record") or rule.get("alert")
    return str(name), {key: str(value) for key, value in (rule.get("labels") or {}).items() if value != ""}


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
