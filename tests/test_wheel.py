"""A wheel built from the repository works outside of it: templates, alerts and profiles travel inside."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.conftest import ROOT


def test_wheel_compiles_the_starter_elsewhere(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    installed, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
        inside = set(archive.namelist())
    for folder in ("templates", "alerts", "contract"):
        for file in (ROOT / folder).rglob("*.*"):
            assert f"dashgen/builtin/{file.relative_to(ROOT)}" in inside

    # Started so that the wheel's files come before those of the repository.
    path = f"import sys; sys.path.insert(0, {str(installed)!r})"
    start = f"{path}; import dashgen.cli; print(dashgen.__file__); dashgen.cli.main()"
    for command in ("init", "lint", "generate"):
        run = [sys.executable, "-c", start, command]
        done = subprocess.run(run, cwd=elsewhere, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.startswith(str(installed))
    assert (elsewhere / "out" / "manifest.json").exists()
