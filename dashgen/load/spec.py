"""`services.yaml`, or a folder of such files, → one Spec that still knows where every entry stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dashgen.diagnostics import Diagnostic, Span
from dashgen.load import yaml
from dashgen.load.shape import validate
from dashgen.model.spec import Spec
from dashgen.model.tree import Document, Mapping, Plain, plain

SHARED = ("teams", "services", "chains")  # sections that several files may fill together
_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Sources:
    """The documents of a specification, and which of them holds which entry."""

    documents: dict[str, Document] = field(default_factory=dict)
    owners: dict[tuple[object, ...], str] = field(default_factory=dict)

    def at(self, path: Sequence[object], *, key: bool = False) -> Span:
        """Where something stands: the deepest part of the path that exists."""
        file = self.owners.get(tuple(path[:2])) or self.owners.get(tuple(path[:1])) or next(iter(self.documents))
        return self.documents[file].at(path, key=key)


def project_root(path: Path) -> Path:
    """The folder of a project's own `templates/`, `alerts/`, `contract/`, `dashgen.toml` and `out/`.

    >>> project_root(Path("shop/services.yaml")) == project_root(Path("shop/services")) == Path("shop")
    True
    >>> project_root(Path(".")) == project_root(Path("..")).parent == Path("..")
    True
    """
    return path.parent if path.name not in ("", "..") else path / ".."


def load_spec(path: Path) -> tuple[Spec | None, Sources, list[Diagnostic]]:
    """Read a file, or every YAML file below a folder, and validate the whole."""
    files = spec_files(path)
    sources = Sources()
    if not files:
        detail = f"{path} holds no .yaml file." if path.is_dir() else f"There is no file {path}."
        detail += " Give the path of a specification, or write a first one with `dashgen init`."
        return None, sources, [Diagnostic("spec/not-found", "There is no specification", detail)]
    found: list[Diagnostic] = []
    for file in files:
        document, problems = yaml.read(file, str(file))
        found += problems
        if document is not None:
            sources.documents[str(file)] = document
    if found:
        return None, sources, found
    data, found = _merge(sources)
    if any(diagnostic.id == "spec/not-a-mapping" for diagnostic in found):
        return None, sources, found
    spec, problems = validate(Spec, data, sources.at)
    found += problems
    return (None if found else spec), sources, found


def spec_files(path: Path) -> list[Path]:
    """The files of a specification: itself, or every YAML file below a folder."""
    if not path.is_dir():
        return [path] if path.exists() else []
    candidates = (file for suffix in _SUFFIXES for file in path.rglob(f"*{suffix}"))
    generated = {manifest.parent for manifest in path.rglob("manifest.json")}  # an `out/` inside is no specification
    return sorted(
        f
        for f in candidates
        if f.is_file()
        and not any(p.startswith(".") for p in f.relative_to(path).parts)
        and generated.isdisjoint(f.parents)
    )


def _merge(sources: Sources) -> tuple[dict[str, Plain], list[Diagnostic]]:
    """Join the files' sections; an entry that two files define is an error that names both."""
    data: dict[str, Plain] = {}
    found: list[Diagnostic] = []
    for file, document in sources.documents.items():
        root = document.root
        if not isinstance(root, Mapping):
            detail = "A specification is a mapping that starts with `version: dashgen/v1`. See `dashgen init`."
            found.append(Diagnostic("spec/not-a-mapping", "Not a specification", detail, document.span(root)))
            continue
        for key, value in root.entries:
            if key.text.startswith("x-"):
                continue
            shared = key.text in SHARED and isinstance(value, Mapping)
            entries = value.entries if shared and isinstance(value, Mapping) else ((key, value),)
            prefix = (key.text,) if shared else ()
            for name, _ in entries:
                place = (*prefix, name.text)
                other = sources.owners.setdefault(place, file)
                if other != file and key.text != "version":
                    first = sources.documents[other].at(place, key=True)
                    detail = f"“{name.text}” is also defined in {first}. Keep one of the two."
                    related = (("first defined here", first),)
                    found.append(
                        Diagnostic(
                            "spec/duplicate", "Defined in two files", detail, document.span(name), related=related
                        )
                    )
            if shared:
                merged = data.setdefault(key.text, {})
                assert isinstance(merged, dict)
                merged.update(plain(value))  # type: ignore[arg-type]
                sources.owners.setdefault((key.text,), file)
            else:
                data[key.text] = plain(value)
    return data, found
