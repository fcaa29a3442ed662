"""The commented specification that `dashgen init` writes."""

from __future__ import annotations

from pathlib import Path

from dashgen.load.library import BUILTIN


def write_starter(path: Path) -> bool:
    """Write the starter, unless something stands at the path already; `OSError` when it cannot be written."""
    text = (BUILTIN / "templates" / "starter" / "services.yaml").read_text("utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True
