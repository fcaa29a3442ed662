"""Contexts of remotes, typed. They name secrets (a variable, a file) and never hold them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dashgen.diagnostics import RunError, did_you_mean


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret stands; nobody sees more than that unless they ask for it by `reveal`."""

    env: str = ""
    file: Path | None = None

    def reveal(self) -> str:
        """The secret itself; `RunError` names the variable or the file that is missing or empty."""
        if self.env:
            value = os.environ.get(self.env, "")
            if not value:
                raise RunError(f"The environment variable {self.env} is not set.")
            return value
        assert self.file is not None
        try:
            value = self.file.read_text("utf-8").strip()
        except (OSError, UnicodeError) as error:
            raise RunError(f"{self.file}: {getattr(error, 'strerror', None) or 'not a text'}.") from None
        if not value:
            raise RunError(f"{self.file} is empty.")
        return value

    def __str__(self) -> str:
        return f"<from {self.env or self.file}>"


@dataclass(frozen=True, slots=True)
class RemoteSettings:
    """One remote: where it is, who we are there, and what its product needs. `timeout` is in seconds.

    `max_rules` (of a group) and `max_groups` (of a tenant) are a ruler's limits; 0 is none, None what is usual there.
    """

    name: str
    type: str
    url: str = ""
    token: Secret | None = None
    username: str = ""
    password: Secret | None = None
    tenant: str = ""
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    timeout: float = 30.0
    parallel: int = 4
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    allow_ui_edits: bool = False
    org: int = 0
    api: str = "auto"
    annotate: bool = False
    rules: Path | None = None
    reload: bool = True
    config: Path | None = None
    max_rules: int | None = None
    max_groups: int | None = None

    def secrets(self) -> Iterator[Secret]:
        """Every secret that the remote needs."""
        yield from (each for each in (self.token, self.password, *self.headers.values()) if isinstance(each, Secret))


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the file says."""

    file: Path
    default: str
    contexts: Mapping[str, tuple[RemoteSettings, ...]]

    def context(self, name: str | None, only: Collection[str] = ()) -> tuple[str, tuple[RemoteSettings, ...]]:
        """The remotes of a context, or some of them, whose secrets are all there; `RunError` names all that are not."""
        chosen = name or self.default or (next(iter(self.contexts)) if len(self.contexts) == 1 else "")
        if not chosen:
            raise RunError(f"{self.file} has several contexts. Choose one: --context {' | '.join(self.contexts)}.")
        if chosen not in self.contexts:
            known = f" There {'are' if len(self.contexts) > 1 else 'is'} {', '.join(self.contexts)}."
            raise RunError(f"{self.file} has no context “{chosen}”.{did_you_mean(chosen, self.contexts) or known}")
        names = [remote.name for remote in self.contexts[chosen]]
        for each in only:
            if each not in names:
                near = did_you_mean(each, names) or f" It has {', '.join(names)}."
                raise RunError(f"The context {chosen} has no remote “{each}”.{near}")
        missing, remotes = [], tuple(r for r in self.contexts[chosen] if not only or r.name in only)
        for remote in remotes:
            for secret in remote.secrets():
                try:
                    secret.reveal()
                except RunError as error:
                    missing.append(f"contexts.{chosen}.{remote.name}: {error}")
        if missing:
            raise RunError("\n".join(dict.fromkeys(missing)))
        return chosen, remotes
