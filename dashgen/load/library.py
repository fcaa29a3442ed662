"""Templates, alert packs, burn-rate tables, profiles: the built-in files, each shadowed by the project's own."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from dashgen.diagnostics import Diagnostic
from dashgen.load import yaml
from dashgen.load.shape import validate
from dashgen.model.contract import Contract
from dashgen.model.library import Library, TextFile
from dashgen.model.profile import Profile, WindowTable
from dashgen.model.tree import Document, plain

M = TypeVar("M", bound=BaseModel)
_PACKAGE = Path(__file__).resolve().parent.parent
BUILTIN = _PACKAGE / "builtin" if (_PACKAGE / "builtin").is_dir() else _PACKAGE.parent
_KINDS = {
    "templates": ("templates/dashboards", "templates/rules", "templates/routes", "templates/lint", "alerts"),
    "fragments": ("templates/fragments",),
    "theme": ("templates",),
    "runbooks": ("templates/runbooks",),
    "profiles": ("contract/profiles",),
    "windows": ("alerts/windows",),
    "contract": ("contract",),
}


def load_library(root: Path) -> tuple[Library | None, list[Diagnostic]]:
    """Read all knowledge that a project in `root` works with."""
    found: list[Diagnostic] = []
    digest = hashlib.sha256()
    documents: dict[str, dict[str, Document]] = {kind: {} for kind in _KINDS}
    texts: dict[str, TextFile] = {}
    for kind, folders in _KINDS.items():
        for name, (path, shown) in _layered(root, folders, ".md" if kind == "runbooks" else ".yaml").items():
            digest.update(f"{name}\0".encode() + path.read_bytes())
            if kind == "runbooks":
                texts[path.stem] = TextFile(shown, path.read_text("utf-8", "replace"))
                continue
            document, problems = yaml.read(path, shown)
            found += problems
            if document:
                documents[kind][name] = document
    profiles, problems = _models(Profile, documents["profiles"], "profile")
    windows, more = _models(WindowTable, documents["windows"], "windows")
    found += [*problems, *more]
    document = documents["contract"].get("contract/telemetry.yaml")
    contract, last = validate(Contract, plain(document.root), document.at, "contract") if document else (None, [])
    found += last
    if found or contract is None:
        return None, found
    fragments = {Path(name).stem: document for name, document in documents["fragments"].items()}
    theme = documents["theme"]["templates/theme.yaml"]
    return Library(documents["templates"], fragments, texts, profiles, windows, contract, theme, digest.hexdigest()), []


def _layered(root: Path, folders: tuple[str, ...], suffix: str) -> dict[str, tuple[Path, str]]:
    """Files by their path below the project; the project's own come last and win."""
    found: dict[str, tuple[Path, str]] = {}
    layers = [(BUILTIN, "dashgen:")] if root.resolve() != BUILTIN else []
    for base, mark in [*layers, (root, "")]:
        for folder in folders:
            for path in sorted((base / folder).glob(f"*{suffix}")):
                name = f"{folder}/{path.name}"
                found[name] = (path, mark + name)
    return dict(sorted(found.items()))


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
