"""Whole runs as stories: each folder of `tests/cases/` holds input, commands and the transcript that is expected.

Lines of `commands` run in a copy of the folder: `dashgen …` as users type it, and, to set the scene or look at the
result, `cat FILE`, `ls FOLDER`, `rm FILE`, `put FILE: text` and `replace FILE: old => new`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, Ran

CASES = sorted(path.parent for path in (ROOT / "tests" / "cases").glob("*/commands"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_story(case: Path, tmp_path: Path, dashgen: Callable[..., Ran], request: pytest.FixtureRequest) -> None:
    folder = tmp_path / "work"
    shutil.copytree(case, folder, ignore=shutil.ignore_patterns("commands", "expected.txt"))
    transcript = "".join(
        f"$ {line}\n{play(line, folder, dashgen)}"
        for line in (case / "commands").read_text().splitlines()
        if line and not line.startswith("#")
    )
    expected = case / "expected.txt"
    if request.config.getoption("--golden"):
        expected.write_text(transcript)
    assert transcript == expected.read_text()


def play(line: str, folder: Path, dashgen: Callable[..., Ran]) -> str:
    """Run one line and give what a terminal would show, and the exit code where it is not 0."""
    verb, _, rest = line.partition(" ")
    if verb == "dashgen":
        ran = dashgen(*shlex.split(rest), cwd=folder)
        assert "Traceback" not in ran.err, ran.err
        return ran.out + ran.err + (f"exit {ran.code}\n" if ran.code else "")
    if verb == "cat":
        return (folder / rest).read_text()
    if verb == "ls":
        files = sorted(p.relative_to(folder / rest).as_posix() for p in (folder / rest).rglob("*") if p.is_file())
        return "".join(f"{file}\n" for file in files)
    if verb == "rm":
        (folder / rest).unlink()
        return ""
    file, _, text = rest.partition(": ")
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    if verb == "put":
        (folder / file).write_text(text.encode().decode("unicode_escape") + "\n")
        return ""
    assert verb == "replace", f"unknown command {verb}"
    old, _, new = text.partition(" => ")
    before = (folder / file).read_text()
    assert old in before, f"{old!r} is not in {file}"
    (folder / file).write_text(before.replace(old, new, 1))
    return ""


@pytest.mark.parametrize("command", ["graph", "cost", "--help"])
def test_an_output_that_cannot_be_written_is_no_finding(command: str, shop: Path) -> None:
    """1 says “findings” to a pipeline; a reader that has seen enough is no failure."""
    asked = [sys.executable, "-m", "dashgen", command, *([str(shop)] if command != "--help" else [])]
    reading, pipe = os.pipe()
    os.close(reading)
    unwritable = os.open(os.devnull, os.O_RDONLY)
    for stdout, code, said in ((pipe, 0, ""), (unwritable, 2, "dashgen: the output: Bad file descriptor.\n")):
        done = subprocess.run(asked, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (code, said)
        os.close(stdout)
