"""Alertmanager of Mimir or Cortex: one document per tenant, of which a part is ours; all else goes back as it came."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from dashgen.diagnostics import RunError
from dashgen.exits import Exit
from dashgen.model.artifact import Artifact
from dashgen.model.change import Action
from dashgen.model.plan import Failure, Step
from dashgen.model.remote import Found, Key, Mark, Wanted
from dashgen.push.reading import as_yaml, yaml_data
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.arrival import wanted_parts
from dashgen.push.remotes.merge import found_part, graphs, merged, removed
from dashgen.push.settings import RemoteSettings
from dashgen.push.transport import Transport

PATH = "/api/v1/alerts"
_SECRET = re.compile(r"url|key|token|secret|password|credential|auth|webhook", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Document:
    """What a tenant holds: the text of its configuration, which has secrets in it, and everything beside it."""

    text: str
    rest: Mapping[str, Any]

    @property
    def version(self) -> str:
        """A digest of the whole document."""
        return hashlib.sha256(orjson.dumps([self.text, self.rest], option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


class AlertmanagerApi:
    """One tenant's Alertmanager; the object's name is the graph's. The last writer wins, so all is read again first."""

    def __init__(self, settings: RemoteSettings):
        self.name = settings.name
        self._transport = Transport(settings)
        self._title = f"configuration of {settings.tenant or self.name}"

    def wanted(self, artifacts: Iterable[Artifact]) -> list[Wanted]:
        """Our part of the generated configuration."""
        return wanted_parts(artifacts, lambda: self._document().text, self._title)

    def found(self, graph: str, keys: Collection[Key]) -> list[Found]:
        """The parts that stand in the tenant's configuration; nothing else of it leaves this class."""
        document = self._document()
        names = {graph, *(key.name for key in keys)} & set(graphs(document.text))
        parts = ((name, found_part(document.text, name, self._title)) for name in sorted(names))
        return [
            Found(Key("alertmanager", name), self._title, part[0], part[1], document.version)
            for name, part in parts
            if part
        ]

    def apply(self, step: Step, mark: Mark) -> None:
        """Give the document back with our part in it, or without it."""
        document = self._document()
        if step.action is Action.DELETE:
            text = removed(document.text, step.key.name, self._title)
        else:
            text = merged(document.text, step.wanted, Mark(step.key.name, mark.digest), self._title)
        if text == document.text:
            return
        if step.version and document.version != step.version:
            raise RemoteError(f"The {self._title} changed since the plan was made. Plan again.", stale=True)
        body = as_yaml({**document.rest, "alertmanager_config": text})
        try:
            answer = self._transport.call("POST", PATH, body=body, content_type="application/yaml", again=True)
        except RemoteError as error:
            raise RemoteError(_without_secrets(str(error), text), error.code, error.status, error.stale) from None
        if answer.status != 201:  # a proxy's page of a login is 200
            raise RemoteError(f"{answer.asked} answered {answer.status}, not 201. {answer.strange}")

    def finish(self, done: Sequence[Step]) -> list[Failure]:
        """Read what is stored now: somebody who wrote at the same time may have won."""
        steps = [step for step in done if step.key.kind == "alertmanager"]
        text = self._document().text if steps else ""
        lost = []
        for step in steps:
            part = found_part(text, step.key.name, self._title)
            if (part[1].digest if part else "") != ("" if step.action is Action.DELETE else step.after):
                lost.append(Failure(step, f"Somebody else wrote the {self._title} at the same time. Plan again."))
        return lost

    def _document(self) -> Document:
        answer = self._transport.call("GET", PATH, expected=(404,))
        if answer.status == 404:
            raise RemoteError(
                f"{self.name} has no Alertmanager configuration for this tenant (GET {PATH} answered 404). dashgen "
                "adds its part to one of yours, with your receivers: load that first, for example with mimirtool.",
                Exit.USAGE,
                404,
            )
        try:
            data = yaml_data(answer.body, self._title)
        except RunError as error:
            raise RemoteError(str(error), status=answer.status) from None
        text = data.get("alertmanager_config") if isinstance(data, dict) else None
        if not isinstance(text, str):
            raise RemoteError(f"{self.name} answered GET {PATH} with something else than a configuration.")
        return Document(text, {key: value for key, value in data.items() if key != "alertmanager_config"})


def _without_secrets(message: str, text: str) -> str:
    """A server's complaint without what it may quote of a configuration.

    >>> _without_secrets("bad `hunter2` and s3cr3t", "receivers: [{password: s3cr3t}]")
    'bad `…` and …'
    """
    for secret in sorted(_secrets(yaml_data(text, "")), key=len, reverse=True):
        message = message.replace(secret, "…")
    return re.sub(r"`[^`]*`?", "`…`", message)


def _secrets(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _secrets(each, key if _SECRET.search(key) else str(name))
    elif isinstance(value, list):
        for each in value:
            yield from _secrets(each, key)
    elif isinstance(value, str) and value and _SECRET.search(key):
        yield value
