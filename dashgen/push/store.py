"""`.dashgen/` beside the specification: the lock, the backups and the audit log of everything that was pushed here."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import getpass
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from dashgen.diagnostics import RunError
from dashgen.model.plan import Plan, Step
from dashgen.model.remote import Key
from dashgen.push.audit import AuditLog, read_log
from dashgen.push.documents import read_sealed, steps_data, steps_of, write_sealed

Parents = Mapping[tuple[str, Key], str]


class Store:
    """What pushes leave on this machine."""

    def __init__(self, root: Path):
        self.root = root
        self.audit = AuditLog(root / "audit.jsonl")
        self._backups = root / "backups"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Let nobody else push from here meanwhile; the kernel frees the lock of a process that died."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            ignore = self.root / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
            file = open(self.root / "lock", "a+", encoding="utf-8")  # noqa: SIM115 - held while the block runs
        except OSError as error:
            raise RunError(f"{error.filename or self.root}: {error.strerror}. Nothing was pushed.") from None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.seek(0)
                who = file.read(200).strip()
                raise RunError(f"Another push is running here ({who or 'unknown'}). Wait until it ends.") from None
            with contextlib.suppress(OSError):  # who holds the lock is only a courtesy
                file.truncate(0)
                file.write(f"process {os.getpid()} of {user()} since {now()}")
                file.flush()
            yield

    def back_up(self, push: str, plan: Plan, steps: list[Step], parents: Parents) -> None:
        """Keep what a push is about to overwrite or delete, before it does; `RunError` where the disk is full."""
        found = [{**data, "wanted": None, "details": []} for data in steps_data(steps)]
        before = [parents.get((step.remote, step.key), "") for step in steps]
        body = {"context": plan.context, "graph": plan.graph, "commit": plan.commit, "steps": found, "parents": before}
        try:
            write_sealed(self._backups / f"{push}.json", "backup", body)
        except RunError as error:
            raise RunError(f"The backup could not be written, so nothing was pushed. {error}") from None

    def backup(self, push: str | None) -> tuple[str, Plan, Parents]:
        """What a push did, the latest by default, with what stood there before in `found`."""
        known = sorted((each.stem for each in self._backups.glob("*.json")), reverse=True)
        if not known:
            raise RunError(f"There is no backup in {self._backups}: nothing was pushed from here.")
        chosen = push or known[0]
        if chosen not in known:
            raise RunError(f"There is no push “{chosen}”. The latest are {', '.join(known[:5])}.")
        path = self._backups / f"{chosen}.json"
        body = read_sealed(path, "backup")
        try:
            steps = tuple(steps_of(body["steps"]))
            plan = Plan(str(body["context"]), str(body["graph"]), steps, str(body["commit"]))
            pairs = zip(steps, body["parents"], strict=True)
            return chosen, plan, {(step.remote, step.key): str(parent) for step, parent in pairs}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RunError(f"{path} is not a whole backup ({error!r}).") from None

    def pushed(self, context: str, graph: str) -> dict[str, dict[Key, list[str]]]:
        """Remote → object → the digests of what pushes from here brought; nothing where the log does not hold."""
        made: dict[str, dict[Key, list[str]]] = {}
        try:
            for _, entry in read_log(self.root / "audit.jsonl"):
                if (entry["event"], entry["context"], entry["graph"]) == ("done", context, graph):
                    key = Key(entry["kind"], entry["name"])
                    made.setdefault(entry["remote"], {}).setdefault(key, []).append(entry["after"])
        except (RunError, KeyError):
            return {}
        return made


def push_id() -> str:
    """A name for a push that sorts by time, down to the microsecond, and is never given twice."""
    return f"{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(2)}"


def now() -> str:
    """The time as RFC 3339."""
    return f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


def user() -> str:
    """Who runs this, as the system or the pipeline says."""
    for name in ("GITHUB_ACTOR", "GITLAB_USER_LOGIN"):
        if os.environ.get(name):
            return os.environ[name]
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
