"""Rulers over HTTP (Mimir, Cortex, Loki): a namespace per owner, one group per call, the mark completed last."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson

from dashgen.diagnostics import RunError
from dashgen.exits import Exit
from dashgen.model.artifact import Artifact
from dashgen.model.change import Action
from dashgen.model.plan import Failure, Step
from dashgen.model.remote import Found, Key, Mark, Wanted
from dashgen.push.reading import as_yaml, yaml_data
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.loading import dropped, read_loaded, unloaded
from dashgen.push.remotes.packing import Group, Limits
from dashgen.push.remotes.pushed_rule import Marked, bears_mark, with_mark, without_mark
from dashgen.push.settings import RemoteSettings
from dashgen.push.transport import Answer, Transport

# Path of the configuration, and the product's own limits: rules in a group, groups of a tenant (0 is none).
PRODUCTS = {
    "mimir": ("/prometheus/config/v1/rules", 20, 70),
    "cortex": ("/api/v1/rules", 0, 0),
    "loki": ("/loki/api/v1/rules", 0, 0),
}
LOADED = "/prometheus/api/v1/rules"
PATIENCE = 90.0  # seconds that a ruler may take to load what was stored


class RulerRemote:
    """One tenant of a ruler.

    A ruler knows no transactions. A namespace is first marked as unfinished, then its groups are written, those that
    are gone are removed, and the mark is completed; whatever stops that halfway, the next plan sees it and goes on.
    """

    patience = PATIENCE

    def __init__(self, settings: RemoteSettings):
        self.name = settings.name
        self._transport = Transport(settings)
        self._path, rules, groups = PRODUCTS[settings.type]
        self._limits = Limits(
            self.name,
            rules if settings.max_rules is None else settings.max_rules,
            groups if settings.max_groups is None else settings.max_groups,
        )
        self._graph = ""  # of the latest step
        self._planned: dict[str, int] = {}  # owner → groups, of the latest `wanted`

    def wanted(self, artifacts: Iterable[Artifact]) -> list[Wanted]:
        """A namespace per file of rules, packed where the tenant's groups are counted."""
        made = []
        for artifact in artifacts:
            groups = artifact.data.get("groups") if artifact.kind == "rules" else None
            if groups:
                groups = self._limits.packed([_trimmed(group) for group in groups])
                made.append(Wanted(Key("rules", artifact.owner), artifact.owner, {"groups": groups}, artifact.owner))
        self._planned = {each.owner: self._count(each.data["groups"]) for each in made}
        self._limits.check(sum(self._planned.values()), 0)
        return made

    def found(self, graph: str, keys: Collection[Key]) -> list[Found]:
        """One call for all namespaces; those without a mark of this graph are somebody else's and stay unread."""
        asked = {_namespace(graph, key.name): key for key in keys}
        listed, made, others = self._list(self._path), [], 0
        for namespace, groups in listed.items():
            held = without_mark(groups)
            mine = held.mark is not None and held.mark.graph == graph
            ours = mine and namespace == _namespace(graph, held.owner)
            key = asked.get(namespace) or (Key("rules", held.owner) if ours else None)
            if key:
                made.append(_found(key, groups, held, genuine=ours or not mine))
            others += 0 if key else len(groups)
        if keys and {key.name for key in keys} == set(self._planned):
            self._limits.check(sum(self._planned.values()), others)
        return made

    def apply(self, step: Step, mark: Mark) -> None:
        """Write, or remove, a namespace that is still as the plan saw it; one that is as it should be is left alone."""
        self._graph = mark.graph
        namespace = _namespace(mark.graph, step.key.name)
        path = f"{self._path}/{quote(namespace, safe='')}"
        there = self._list(path).get(namespace, [])
        target = [] if step.action is Action.DELETE else self._marked(step, mark)
        if _version(there) == _version(target):
            return
        if _version(there) != step.version:
            raise RemoteError(f"{namespace} in {self.name} was changed meanwhile; plan again.", stale=True)
        if target:
            self._write(path, there, target, self._marked(step, mark, unfinished=True)[0])
        else:
            self._remove(path, there)

    def finish(self, done: Sequence[Step]) -> list[Failure]:
        """Wait until the ruler evaluates just what was stored; what it does not load or cannot evaluate has failed."""
        steps = {step.key: step for step in done if step.key.kind == "rules"}
        if not steps:
            return []
        try:
            reasons = self._unloaded(steps)
            stored = self._list(self._path)
        except RemoteError as error:
            why = f"It is stored, but whether it is loaded could not be asked: {error}"
            return [Failure(step, why, error.status) for step in steps.values()]
        for key, step in steps.items():
            if key not in reasons and (lost := dropped(step, stored.get(_namespace(self._graph, key.name), []))):
                reasons[key] = lost
        return [Failure(steps[key], f"It is stored, but {why}") for key, why in reasons.items()]

    def _unloaded(self, steps: Mapping[Key, Step]) -> dict[Key, str]:
        """Why steps have no effect yet, after as much patience as it takes until they have."""
        deadline, pause = time.monotonic() + self.patience, 0.2
        while True:
            loaded = read_loaded(self._transport.call("GET", LOADED).json())
            told = (
                (key, unloaded(step, loaded.get(_namespace(self._graph, key.name), {}))) for key, step in steps.items()
            )
            reasons = {key: why for key, why in told if why}
            if not reasons or time.monotonic() + pause > deadline:
                return reasons
            time.sleep(pause)
            pause = min(2 * pause, 5.0)

    def _write(self, path: str, there: Sequence[Group], target: Sequence[Group], unfinished: Group) -> None:
        """The mark as unfinished, other groups that changed, removals, the mark; one call if nothing else changes."""
        standing = {group["name"]: _plain(group) for group in there}
        first, *others = target
        changed = [group for group in others if standing.get(group["name"]) != _plain(group)]
        gone = [name for name in standing if name not in {group["name"] for group in target}]
        if (changed or gone) and standing.get(first["name"]) != _plain(unfinished):
            self._post(path, unfinished)
        for group in changed:
            try:
                self._post(path, group)
            except RemoteError as error:
                if error.status != 400 or not gone:
                    raise
                self._delete(path, gone)  # a full tenant has no room for a group beside the one that it replaces
                gone = []
                self._post(path, group)
        self._delete(path, gone)
        self._post(path, first)

    def _remove(self, path: str, there: Sequence[Group]) -> None:
        """The group with the mark goes last, so that what is left of a broken removal is still known as ours."""
        marked = [group for group in there if bears_mark(group)]
        others = [group["name"] for group in there if not bears_mark(group)]
        held = without_mark(there)
        if others and held.mark and not held.unfinished:
            bare = without_mark(marked[:1]).groups
            try:
                self._post(path, with_mark(bare, held.mark, held.owner, 0, unfinished=True)[0])
            except RemoteError as error:
                if error.status != 400:
                    raise
                others = []  # a full tenant takes no update: leave the order to the ruler
        self._delete(path, others)
        self._call("DELETE", path, expected=(404,))

    def _marked(self, step: Step, mark: Mark, *, unfinished: bool = False) -> list[Group]:
        return with_mark(step.wanted["groups"], mark, step.key.name, self._limits.rules, unfinished=unfinished)

    def _post(self, path: str, group: Group) -> None:
        # To create or replace a group twice does no more than doing it once.
        self._call("POST", path, body=as_yaml(group), content_type="application/yaml", again=True)

    def _delete(self, path: str, names: Iterable[str]) -> None:
        for name in names:
            self._call("DELETE", f"{path}/{quote(name, safe='')}", expected=(404,))

    def _call(self, method: str, path: str, **more: Any) -> None:
        try:
            answer = self._transport.call(method, path, **more)
        except RemoteError as error:
            hint = _hint(error)
            raise RemoteError(f"{error} {hint}".strip(), error.code, error.status, error.stale) from None
        if answer.status != 202 and not _absent(answer):  # a proxy's page of a login is 200
            raise RemoteError(f"{answer.asked} answered {answer.status} as no ruler does. Is this the right address?")

    def _list(self, path: str) -> dict[str, list[Group]]:
        """Namespace → groups. That nothing is there is 404 for some rulers and an empty mapping for others."""
        answer = self._transport.call("GET", path, expected=(404,))
        if answer.status == 404:
            if not _absent(answer):
                raise RemoteError(
                    f"{self.name} has no ruler API at {path}. Check the url and the type; Cortex has it only with "
                    "-ruler.enable-api.",
                    Exit.USAGE,
                    404,
                )
            return {}
        try:
            read = yaml_data(answer.body, f"{self.name}: {path}") or {}
        except RunError as error:
            raise RemoteError(str(error), status=answer.status) from None
        if not isinstance(read, dict) or not all(_is_groups(groups) for groups in read.values()):
            raise RemoteError(f"{self.name} answered GET {path} with something else than rule groups.")
        return {str(namespace): groups for namespace, groups in read.items()}

    def _count(self, groups: Sequence[Group]) -> int:
        return len(with_mark(groups, Mark("", ""), "", self._limits.rules))


def _namespace(graph: str, owner: str) -> str:
    return f"dashgen-{graph}-{owner}"


def _trimmed(group: Group) -> Group:
    """A group whose expressions and annotations neither begin nor end with white space.

    Cortex writes and reads each group once more before it keeps it, and its YAML library cannot read what it wrote of
    a text of several lines whose first one is indented (gopkg.in/yaml.v3 3.0.1).
    """
    rules = []
    for rule in group["rules"]:
        made = {**rule, "expr": str(rule.get("expr", "")).strip()}
        if texts := rule.get("annotations"):
            made["annotations"] = {name: str(text).strip() for name, text in texts.items()}
        rules.append(made)
    return {**group, "rules": rules}


def _found(key: Key, groups: list[Group], held: Marked, *, genuine: bool) -> Found:
    data = {"groups": held.groups if genuine else groups}
    mark = held.mark if genuine else None
    return Found(key, key.name, data, mark, _version(groups), unfinished=genuine and held.unfinished)


def _version(groups: Iterable[Group]) -> str:
    """A digest of all that a namespace holds, whatever the order of its groups; empty if it holds nothing."""
    plain = sorted((_plain(group) for group in groups), key=lambda group: str(group.get("name")))
    options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    return hashlib.sha256(orjson.dumps(plain, option=options)).hexdigest()[:16] if plain else ""


def _plain(value: Any) -> Any:
    """Without what rulers add and drop: nulls, zeros, what is empty, and the line end of an expression."""
    if isinstance(value, Mapping):
        made = {key: str(each).strip() if key == "expr" else _plain(each) for key, each in value.items()}
        return {key: each for key, each in made.items() if each not in (None, "", {}, [], 0)}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _is_groups(groups: Any) -> bool:
    return isinstance(groups, list) and all(
        isinstance(group, dict) and isinstance(group.get("name"), str) and isinstance(group.get("rules") or [], list)
        for group in groups
    )


def _absent(answer: Answer) -> bool:
    """Whether a ruler says that it has no such groups; a proxy or a server without this API says 404 otherwise."""
    page = "html" in answer.headers.get("content-type", "")
    return answer.status == 404 and not page and "group" in answer.text().lower()


def _hint(error: RemoteError) -> str:
    text = str(error).lower()
    if error.status == 403 and "protected" in text:
        return "The ruler protects this namespace (ruler.protected-namespaces)."
    if error.status == 400 and "limit" in text:
        return "Remove groups (dashgen prune) or raise the limit; a full tenant takes no updates either."
    return ""
