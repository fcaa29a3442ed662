"""The real tool, where it is installed: promtool has the last word on PromQL."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

TIMEOUT = 20  # seconds; a single expression takes milliseconds


@cache
def promtool() -> str | None:
    """The path of promtool, if it is installed."""
    return shutil.which("promtool")


@cache
def promtool_accepts(expr: str) -> bool:
    """Whether promtool is installed and accepts an expression."""
    tool = promtool()
    if tool is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.yaml"
        indented = "\n".join(f"      {line}" for line in expr.split("\n"))
        path.write_text(f"groups:\n- name: a\n  rules:\n  - record: a\n    expr: |2\n{indented}\n")
        done = subprocess.run([tool, "check", "rules", str(path)], capture_output=True, timeout=TIMEOUT, check=False)
    return done.returncode == 0
