"""The commented specification that `dashgen init` writes."""

from __future__ import annotations

from pathlib import Path

from dashgen.load.library import BUILTIN
from dashgen.load.spec import spec_files


def write_starter(path: Path) -> Path | None:
    """Write the starter, also into a folder, unless there is a specification; `OSError` when it cannot be written."""
    if path.is_dir():
        if spec_files(path):
            return None
        path /= "services.yaml"
    text = (BUILTIN / "templates" / "starter" / "services.yaml").read_text("utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return None
    return path
