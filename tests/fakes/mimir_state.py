"""What a fake Mimir or Cortex keeps for each tenant, what it refuses, and how it gives it back; survives restarts."""

from __future__ import annotations

import copy
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dashgen import promql

GROUP_KEYS = {"name", "interval", "rules", "limit", "labels", "query_offset", "source_tenants", "evaluation_delay"}
RULE_KEYS = {"record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"}


class Refused(Exception):
    """The server's answer to what it does not do: the status and the text."""

    def __init__(self, status: int, text: str):
        super().__init__(text)
        self.status, self.text = status, text


@dataclass
class State:
    """Rules and Alertmanager configurations by tenant. `delay` is how long a change takes to be loaded, in seconds.

    With `empty_is_404` no groups are 404, as in Cortex. `forgets` are keys that this version does not know and
    drops without a word; `broken` are names of rules that fail when they are evaluated. `reads_back` is what Cortex
    does: it writes each group and reads it once more, and fails where a text of several lines begins indented.
    """

    file: Path | None = None
    max_rules: int = 20
    max_groups: int = 70
    protected: tuple[str, ...] = ()
    empty_is_404: bool = False
    delay: float = 0.0
    forgets: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    reads_back: bool = False
    tenants: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    _loads: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        if self.file and self.file.exists():
            kept = json.loads(self.file.read_text())
            self.tenants, self.configs = kept["tenants"], kept["configs"]
            self._loads = [(0.0, copy.deepcopy(self.tenants))]

    def namespaces(self, tenant: str) -> dict[str, dict[str, Any]]:
        """Namespace → group name → group."""
        return self.tenants.setdefault(tenant, {})

    def listed(self, tenant: str, namespace: str = "") -> bytes:
        """The YAML of what is stored, groups by name, with the fields that servers add."""
        with self._lock:
            held = {
                space: [_rewritten(groups[name]) for name in sorted(groups)]
                for space, groups in sorted(self.namespaces(tenant).items())
                if not namespace or space == namespace
            }
        if not held and (self.empty_is_404 or namespace):
            raise Refused(404, "no rule groups found")
        return yaml.dump(held, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False).encode()

    def post(self, tenant: str, namespace: str, body: bytes) -> None:
        """Create or replace one group."""
        self._guard(namespace)
        try:
            group = yaml.load(body, Loader=yaml.CSafeLoader)
        except yaml.YAMLError:
            raise Refused(400, "unable to decode rule group") from None
        problem = _problem(group)
        if problem:
            raise Refused(400, problem)
        if self.reads_back and any(map(_is_indented, _texts(group))):
            raise Refused(400, "unable to decoded rule group")  # in the words of Cortex 1.21
        with self._lock:
            spaces = self.namespaces(tenant)
            count = sum(map(len, spaces.values()))
            if self.max_rules and len(group["rules"]) > self.max_rules:
                raise Refused(400, f"per-user rules per rule group limit (limit: {self.max_rules}) exceeded")
            if self.max_groups and count + 1 > self.max_groups:  # counts an update as one more, as the real ones do
                raise Refused(
                    400, f"per-user rule groups limit (limit: {self.max_groups} actual: {count + 1}) exceeded"
                )
            rules = [{key: value for key, value in rule.items() if key not in self.forgets} for rule in group["rules"]]
            kept = {key: value for key, value in group.items() if key not in self.forgets} | {"rules": rules}
            spaces.setdefault(namespace, {})[group["name"]] = kept
            self._changed()

    def delete(self, tenant: str, namespace: str, group: str = "") -> None:
        """Remove a group, or a namespace with all its groups."""
        self._guard(namespace)
        with self._lock:
            spaces = self.namespaces(tenant)
            if namespace not in spaces or (group and group not in spaces[namespace]):
                raise Refused(404, "group does not exist")
            if group:
                del spaces[namespace][group]
            if not group or not spaces[namespace]:
                del spaces[namespace]
            self._changed()

    def loaded(self, tenant: str) -> dict[str, Any]:
        """The answer of `/api/v1/rules`: what is evaluated, which may be older than what is stored."""
        with self._lock:
            now = time.monotonic()
            due = [tenants for at, tenants in self._loads if at <= now]
            spaces = due[-1].get(tenant, {}) if due else {}
            groups = [
                {"name": name, "file": space, "rules": [self._evaluated(rule) for rule in group["rules"]]}
                for space, held in spaces.items()
                for name, group in held.items()
            ]
        return {"status": "success", "data": {"groups": groups}}

    def config(self, tenant: str) -> bytes:
        """A tenant's Alertmanager document."""
        if tenant not in self.configs:
            raise Refused(404, "the Alertmanager is not configured")
        return yaml.safe_dump(self.configs[tenant]).encode()

    def post_config(self, tenant: str, body: bytes) -> None:
        """Replace a tenant's Alertmanager document as a whole."""
        try:
            document = yaml.safe_load(body)
            config = yaml.safe_load(document["alertmanager_config"])
            names = {receiver["name"] for receiver in config["receivers"]}
            ok = config["route"]["receiver"] in names and not set(document) - {"alertmanager_config", "template_files"}
        except (yaml.YAMLError, KeyError, TypeError) as error:
            raise Refused(400, f"error validating Alertmanager config: {error}") from None
        if not ok:
            raise Refused(400, "error validating Alertmanager config: undefined receiver used in route")
        with self._lock:
            self.configs[tenant] = document
            self._changed()

    def delete_config(self, tenant: str) -> None:
        """Remove a tenant's Alertmanager document."""
        with self._lock:
            self.configs.pop(tenant, None)
            self._changed()

    def _guard(self, namespace: str) -> None:
        if namespace in self.protected:
            raise Refused(403, f"namespace {namespace} is protected")

    def _changed(self) -> None:
        snapshot = {
            tenant: {space: dict(groups) for space, groups in spaces.items()} for tenant, spaces in self.tenants.items()
        }
        self._loads = [*self._loads[-200:], (time.monotonic() + self.delay, snapshot)]
        if self.file:
            staged = self.file.with_suffix(".new")
            staged.write_text(json.dumps({"tenants": self.tenants, "configs": self.configs}))
            staged.replace(self.file)

    def _evaluated(self, rule: dict[str, Any]) -> dict[str, Any]:
        name = rule.get("record") or rule.get("alert")
        bad = name in self.broken
        return {
            "name": name,
            "query": rule["expr"],
            "labels": rule.get("labels") or {},
            "health": "err" if bad else "ok",
            **({"lastError": "many-to-many matching not allowed"} if bad else {}),
        }


def _problem(group: Any) -> str:
    """Why a ruler refuses a group, empty if it does not."""
    if not isinstance(group, dict) or not group.get("name"):
        return "invalid rules config: rule group name must not be empty"
    rules = group.get("rules")
    if not isinstance(rules, list) or not rules:
        return f"invalid rules config: rule group '{group['name']}' has no rules"
    if unknown := set(group) - GROUP_KEYS:
        return f"field {min(unknown)} not found in type rulefmt.RuleGroup"
    for rule in rules:
        if unknown := set(rule) - RULE_KEYS:
            return f"field {min(unknown)} not found in type rulefmt.Rule"
        if ("record" in rule) == ("alert" in rule):
            return "one of 'record' or 'alert' must be set"
        try:
            promql.check(str(rule.get("expr", "")))
        except promql.PromqlError as error:
            return f"could not parse expression: {error}"
    return ""


def _texts(group: dict[str, Any]) -> Iterator[str]:
    for rule in group["rules"]:
        yield from (str(rule["expr"]), *map(str, (rule.get("annotations") or {}).values()))


def _is_indented(text: str) -> bool:
    return "\n" in text and text[0].isspace()


def _rewritten(group: dict[str, Any]) -> dict[str, Any]:
    """A group as a server gives it back: other spellings, nulls and empty maps, keys in its own order."""
    rules = []
    for rule in group["rules"]:
        made = {"expr": f"{rule['expr']}\n", **{key: rule[key] for key in sorted(rule) if key != "expr"}}
        rules.append({**made, "labels": rule.get("labels") or {}, "annotations": rule.get("annotations")})
    return {**group, "source_tenants": [], "limit": group.get("limit", 0), "rules": rules}
