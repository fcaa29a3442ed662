"""Templates, alert packs, burn-rate tables, profiles: the built-in files, each shadowed by the project's own."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from dashgen.diagnostics import Diagnostic, Span, offer
from dashgen.load import yaml
from dashgen.load.shape import validate
from dashgen.model.contract import Contract
from dashgen.model.library import Known, Library, TextFile
from dashgen.model.profile import Profile, WindowTable
from dashgen.model.theme import Theme
from dashgen.model.tree import Document, plain

M = TypeVar("M", bound=BaseModel)
_PACKAGE = Path(__file__).resolve().parent.parent
BUILTIN = _PACKAGE / "builtin" if (_PACKAGE / "builtin").is_dir() else _PACKAGE.parent
_BUILTIN_MARK = "dashgen:"  # before the names of built-in files
_YAML = (".yaml", ".yml")
_KINDS = {
    "templates": ("templates/dashboards/*", "templates/rules/*", "templates/routes/*", "templates/lint/*", "alerts/*"),
    "fragments": ("templates/fragments/*",),
    "theme": ("templates/theme",),
    "runbooks": ("templates/runbooks/*",),
    "profiles": ("contract/profiles/*",),
    "windows": ("alerts/windows/*",),
    "contract": ("contract/telemetry",),
}
_FOLDERS = ("alerts", "contract", "templates")
_STARTER = "templates/starter/services.yaml"  # read by `dashgen init` alone


def catalogue(root: Path) -> list[Known]:
    """Every file that a project at this place is compiled with, by its path, whether it can be read or not."""
    made = []
    for kind, patterns in _KINDS.items():
        builtin = {name: path for name, (path, _) in _layered(BUILTIN, patterns, _suffixes(kind)).items()}
        for name, (path, _) in _layered(root, patterns, _suffixes(kind)).items():
            made.append(Known(name, builtin.get(name), own=path.resolve() != builtin.get(name)))
    return sorted(made, key=lambda each: each.name)


def load_library(root: Path) -> tuple[Library | None, list[Diagnostic]]:
    """Read all knowledge that a project in `root` works with."""
    found: list[Diagnostic] = []
    digest = hashlib.sha256()
    documents: dict[str, dict[str, Document]] = {kind: {} for kind in _KINDS}
    texts: dict[str, TextFile] = {}
    read: set[Path] = set()
    for kind, patterns in _KINDS.items():
        for name, (path, shown) in _layered(root, patterns, _suffixes(kind)).items():
            read.add(path)
            data, problems = yaml.content(path, shown)
            found += problems
            if data is None:
                continue
            digest.update(f"{name}\0".encode() + data)
            if kind == "runbooks":
                text, problems = yaml.decoded(data, shown)
                found += problems
                lines = (text or "").replace("\r\n", "\n")
                texts[path.stem] = TextFile(shown, lines, shown.startswith(_BUILTIN_MARK))
                continue
            document, problems = yaml.document(data, shown)
            found += problems
            if document:
                documents[kind][name] = document
    found += _unread(root, read)
    profiles, problems = _models(Profile, documents["profiles"], "profile")
    windows, more = _models(WindowTable, documents["windows"], "windows")
    found += [*problems, *more, *_unknown(profiles, documents["profiles"])]
    contract, problems = _model(Contract, documents["contract"], "contract")
    _, more = _model(Theme, documents["theme"], "theme")
    found += [*problems, *more]
    if found or contract is None:
        return None, found
    return Library(
        templates=documents["templates"],
        fragments={Path(name).stem: document for name, document in documents["fragments"].items()},
        runbooks=texts,
        profiles=profiles,
        windows=windows,
        own_windows=frozenset(
            Path(name).stem
            for name, document in documents["windows"].items()
            if not document.file.startswith(_BUILTIN_MARK)
        ),
        contract=contract,
        theme=next(iter(documents["theme"].values())),
        fingerprint=digest.hexdigest(),
    ), []


def _suffixes(kind: str) -> tuple[str, ...]:
    return (".md",) if kind == "runbooks" else _YAML


def _layered(root: Path, patterns: tuple[str, ...], suffixes: tuple[str, ...]) -> dict[str, tuple[Path, str]]:
    """Files by their path below the project, with the first of the suffixes; the project's own come last and win."""
    found: dict[str, tuple[Path, str]] = {}
    layers = [(BUILTIN, _BUILTIN_MARK)] if root.resolve() != BUILTIN else []
    for base, mark in [*layers, (root, "")]:
        for pattern in patterns:
            for path in sorted(path for suffix in suffixes for path in base.glob(pattern + suffix)):
                if not path.name.startswith("."):
                    shown = path.relative_to(base)
                    found[shown.with_suffix(suffixes[0]).as_posix()] = (path, mark + shown.as_posix())
    return dict(sorted(found.items()))


def _unread(root: Path, read: Collection[Path]) -> Iterator[Diagnostic]:
    """YAML files of the project that stand where nothing reads them; they would be missed without a word."""
    for folder in _FOLDERS:
        patterns = [p for kind, each in _KINDS.items() if kind != "runbooks" for p in each if p.startswith(folder)]
        for path in sorted(path for suffix in _YAML for path in (root / folder).rglob(f"*{suffix}")):
            shown = path.relative_to(root)
            hidden = any(part.startswith(".") for part in shown.parts)
            if path in read or hidden or shown.as_posix() == _STARTER or not os.path.isfile(path):
                continue
            if twin := next((each for each in read if each.with_suffix("") == path.with_suffix("")), None):
                detail = f"{twin.name} beside it has the same name, and only one of the two is read. Remove one."
            else:
                known = ", ".join(f"`{pattern}.yaml`" for pattern in sorted(patterns))
                detail = f"dashgen reads {known} here. Move the file to where it is read, or out of `{folder}/`."
            yield Diagnostic("library/unread", "Nothing reads this file", detail, Span(shown.as_posix(), 1, 1, 2))


def _unknown(profiles: Mapping[str, Profile], documents: Mapping[str, Document]) -> Iterator[Diagnostic]:
    """What profiles name and nothing bears: runtime profiles, and parameters in the names of metrics."""
    broken = {Path(name).stem for name in documents} - set(profiles)
    runtimes = broken | {name for name, profile in profiles.items() if profile.signals or not profile.versions}
    for name, document in documents.items():
        profile = profiles.get(Path(name).stem)
        if profile is None:
            continue
        if profile.runtime and profile.runtime not in runtimes:
            detail = f"There is no runtime profile called “{profile.runtime}”.{offer(profile.runtime, runtimes)}"
            place = document.at(("runtime",))
            yield Diagnostic("profile/unknown-runtime", "Unknown runtime profile", detail, place)
        for path, metric in profile.metrics():
            for parameter in re.findall(r"\$\{(\w+)\}", metric):
                if parameter not in profile.parameters:
                    detail = f"There is no parameter “{parameter}”.{offer(parameter, profile.parameters)}"
                    detail += " Otherwise give its default in `parameters:`."
                    yield Diagnostic("profile/parameter", "Unknown parameter", detail, document.at(path))


def _model(model: type[M], documents: Mapping[str, Document], area: str) -> tuple[M | None, list[Diagnostic]]:
    """Validate the one file of a kind; where it could not be read, that has been said."""
    document = next(iter(documents.values()), None)
    return validate(model, plain(document.root), document.at, area) if document else (None, [])


def _models(model: type[M], documents: dict[str, Document], key: str) -> tuple[dict[str, M], list[Diagnostic]]:
    """Validate one model per file; the file bears the entry's name."""
    made: dict[str, M] = {}
    found: list[Diagnostic] = []
    for name, document in documents.items():
        value, problems = validate(model, plain(document.root), document.at, key)
        found += problems
        if value is None:
            continue
        own = getattr(value, key)
        if own != Path(name).stem:
            detail = f"The file is called {Path(name).name}, but defines “{own}”. Give both the same name."
            found.append(Diagnostic(f"{key}/name", "File and name differ", detail, document.at((key,))))
        made[own] = value
    return made, found
