"""Plans as files: everything that a push needs, sealed by a digest, written whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from dashgen import __version__
from dashgen.diagnostics import RunError
from dashgen.model.change import Action
from dashgen.model.plan import Plan, Step
from dashgen.model.remote import ORDER, Key

FORMAT = 1


def write_plan(path: Path, plan: Plan) -> None:
    """Write a plan; steps that do nothing are kept by key alone."""
    body = {"context": plan.context, "graph": plan.graph, "commit": plan.commit, "steps": list(map(_data, plan.steps))}
    write_sealed(path, "plan", body)


def read_plan(path: Path) -> Plan:
    """Read a plan; `RunError` where the file is none, was edited, or is of another version."""
    body = read_sealed(path, "plan")
    try:
        steps = tuple(map(_step, body["steps"]))
        return Plan(str(body["context"]), str(body["graph"]), steps, str(body["commit"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(f"{path} is not a whole plan ({error!r}). Make it anew: dashgen plan --out {path}.") from None


def write_sealed(path: Path, what: str, body: Mapping[str, Any]) -> None:
    """Write a document whole, durably, keys in their order; `RunError` where the disk does not take it."""
    content = {**body, "what": what, "format": FORMAT, "dashgen": __version__}
    sealed = orjson.dumps({**content, "sha256": _seal(content)}, option=orjson.OPT_INDENT_2)
    write_whole(path, sealed + b"\n", private=True)


def read_sealed(path: Path, what: str) -> dict[str, Any]:
    """The body of a document that nobody edited."""
    again = f"Make it anew: dashgen plan --out {path}." if what == "plan" else "It cannot be used."
    try:
        body = orjson.loads(path.read_bytes())
    except OSError as error:
        raise RunError(f"{path}: {error.strerror}.") from None
    except ValueError as error:
        raise RunError(f"{path} is not JSON ({error}). {again}") from None
    if not isinstance(body, dict) or body.get("what") != what:
        raise RunError(f"{path} is not a {what} of dashgen. {again}")
    if body.get("format") != FORMAT:
        raise RunError(f"{path} has the format {body.get('format')!r}, this dashgen reads {FORMAT}. {again}")
    seal = body.pop("sha256", "")
    if seal != _seal(body):
        raise RunError(f"{path} was edited after it was written. {again}")
    return body


def write_whole(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file so that readers see the old one or the new one; durable when this returns.

    A file that exists keeps its mode and, where we may give it away, its owner. A link stays one, and what is no file,
    such as /dev/stdout, is written to.
    """
    special = path.exists() and not path.is_file()
    path = path if special else Path(os.path.realpath(path))
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if special:
            path.write_bytes(content)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(staged, "wb", opener=lambda name, flags: os.open(name, flags, 0o600 if private else 0o644)) as file:
            _look_like(path, file.fileno()) if not private else None
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(staged, path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            staged.unlink()
        raise RunError(f"{path}: {error.strerror}.") from None


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _look_like(path: Path, descriptor: int) -> None:
    with contextlib.suppress(FileNotFoundError, PermissionError):
        there = path.stat()
        os.fchmod(descriptor, there.st_mode & 0o777)
        os.fchown(descriptor, there.st_uid, there.st_gid)


def _seal(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def steps_data(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """Steps as plain data."""
    return [_data(step) for step in steps]


def steps_of(data: Iterable[Mapping[str, Any]]) -> list[Step]:
    """Steps from plain data."""
    return [_step(each) for each in data]


def _data(step: Step) -> dict[str, Any]:
    made = {name: getattr(step, name) for name in Step.__slots__ if name not in ("key", "action")}
    return {**made, "action": step.action.value, "kind": step.key.kind, "name": step.key.name}


def _step(data: Mapping[str, Any]) -> Step:
    if data["kind"] not in ORDER:
        raise ValueError(f"unknown kind {data['kind']}")
    texts = {name: str(data[name]) for name in ("remote", "title", "before", "after", "version", "parent", "reason")}
    return Step(
        action=Action(data["action"]),
        key=Key(data["kind"], str(data["name"])),
        wanted=data["wanted"],
        found=data["found"],
        details=tuple(map(str, data["details"])),
        **texts,
    )
