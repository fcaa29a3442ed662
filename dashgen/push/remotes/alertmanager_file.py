"""Alertmanager by its configuration file: our part is merged into it, it is reloaded, and put back if that fails."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from dashgen.diagnostics import RunError
from dashgen.exits import Exit
from dashgen.model.artifact import Artifact
from dashgen.model.change import Action
from dashgen.model.plan import Failure, Step
from dashgen.model.remote import Found, Key, Mark, Wanted
from dashgen.push.documents import write_whole
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.arrival import wanted_parts
from dashgen.push.remotes.merge import found_part, graphs, merged, removed
from dashgen.push.settings import RemoteSettings
from dashgen.push.transport import Transport


class AlertmanagerFile:
    """One Alertmanager's own configuration file, of which a part is ours; the object's name is the graph's."""

    def __init__(self, settings: RemoteSettings):
        assert settings.config is not None
        self.name = settings.name
        self._file: Path = settings.config
        self._reload = settings.reload and bool(settings.url)
        self._transport = Transport(settings)
        self._former: bytes | None = None

    def wanted(self, artifacts: Iterable[Artifact]) -> list[Wanted]:
        """Our part of the generated configuration."""
        return wanted_parts(artifacts, self._text, str(self._file))

    def found(self, graph: str, keys: Collection[Key]) -> list[Found]:
        """The parts that stand in the file; its version is the digest of the whole file."""
        text = self._text()
        version = _digest(text)
        names = {graph, *(key.name for key in keys)} & set(graphs(text))
        parts = {name: found_part(text, name, str(self._file)) for name in sorted(names)}
        return [
            Found(Key("alertmanager", name), str(self._file), part[0], part[1], version)
            for name, part in parts.items()
            if part
        ]

    def apply(self, step: Step, mark: Mark) -> None:
        """Write the file with our part in it, or without it."""
        text = self._text()
        if step.version and _digest(text) != step.version:
            raise RemoteError(f"{self._file} changed since the plan was made. Plan again.", stale=True)
        name = str(self._file)
        if step.action is Action.DELETE:
            made = removed(text, step.key.name, name)
        else:
            made = merged(text, step.wanted, Mark(step.key.name, mark.digest), name)
        self._check(made)
        self._former = self._former or text.encode()
        self._write(made.encode())

    def finish(self, done: Sequence[Step]) -> list[Failure]:
        """Reload; on a refusal the former file comes back, and the reload that proves it."""
        if not done or not self._reload:
            return []
        try:
            self._transport.call("POST", "/-/reload", again=True)
        except RemoteError as error:
            if self._former is None:
                raise
            self._write(self._former)
            again = ""
            try:
                self._transport.call("POST", "/-/reload", again=True)
            except RemoteError as second:
                again = f" It could not be reloaded after that either: {second}"
            why = f"{error} The former {self._file.name} was put back.{again}"
            return [Failure(step, why, error.status, error.code) for step in done]
        return []

    def _text(self) -> str:
        try:
            return self._file.read_bytes().decode("utf-8")
        except OSError as error:
            raise RemoteError(
                f"{self._file}: {error.strerror}. It has to be there before it can be merged into.", Exit.USAGE
            ) from None
        except UnicodeError:
            raise RemoteError(f"{self._file} is not UTF-8.", Exit.USAGE) from None

    def _write(self, content: bytes) -> None:
        try:
            write_whole(self._file, content)
        except RunError as error:
            raise RemoteError(str(error)) from None

    def _check(self, text: str) -> None:
        """Ask amtool, where there is one, before anything is written."""
        if not (amtool := shutil.which("amtool")):
            return
        with tempfile.NamedTemporaryFile(dir=self._file.parent, prefix=".dashgen-", suffix=".yml") as file:
            file.write(text.encode())
            file.flush()
            done = subprocess.run(
                [amtool, "check-config", file.name], check=False, capture_output=True, text=True, timeout=60
            )
        if done.returncode:
            said = " ".join((done.stderr or done.stdout).replace(file.name, str(self._file)).split())
            raise RemoteError(f"amtool refuses {self._file} with our part in it: {said} Nothing was changed.")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
