"""What all tests share: an empty environment, the command line in-process, projects to work on, `--golden`."""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashgen import pipeline
from dashgen.pipeline import Project

ROOT = Path(__file__).resolve().parent.parent
KEPT = ("PATH", "TMPDIR", "LANG", "GOCACHE", "GOMODCACHE", "GOPATH", "GOPROXY", "CARGO_HOME", "RUSTUP_HOME")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="rewrite expected outputs, then run")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the environment of whoever runs it, nor what earlier runs remembered."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith("PYTEST")}
    kept |= {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "cache"), "NO_COLOR": "1", "TZ": "UTC"}
    for name in ("CARGO_HOME", "RUSTUP_HOME", "GOPATH"):  # build tools keep their caches where they are
        default = {"CARGO_HOME": ".cargo", "RUSTUP_HOME": ".rustup", "GOPATH": "go"}[name]
        kept.setdefault(name, str(Path(os.environ.get("HOME", "/root")) / default))
    kept.setdefault("GOCACHE", str(Path(os.environ.get("HOME", "/root")) / ".cache" / "go-build"))
    for name in os.environ:
        monkeypatch.delenv(name)
    for name, value in kept.items():
        monkeypatch.setenv(name, value)


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def dashgen(tmp_path: Path) -> Callable[..., Ran]:
    """Runs the command line as users do, in a folder of its own."""

    def run(*arguments: str, cwd: Path = tmp_path, timeout: float = 60, **env: str) -> Ran:
        command = [sys.executable, "-m", "dashgen", *arguments]
        done = subprocess.run(
            command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, timeout=timeout, check=False
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A copy of the worked example's specification, in a folder of its own."""
    path = tmp_path / "shop" / "services.yaml"
    path.parent.mkdir()
    shutil.copy(ROOT / "services.yaml", path)
    return path


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP is tried again at once, and only once."""
    monkeypatch.setattr("dashgen.push.transport._pauses", lambda: iter((0.001, 0.0)))


def opened(path: Path) -> Project:
    """A project that must be valid."""
    project, found = pipeline.open_project(path)
    assert project is not None, [f"{d.span}: {d.detail}" for d in found]
    return project


def compiled(spec: str, folder: Path) -> Path:
    """The folder of the rules that a specification is compiled into, in a folder of its own."""
    (folder / "services.yaml").write_text(spec)
    pipeline.generate(opened(folder / "services.yaml"), folder / "out", datetime.date(2026, 11, 21))
    return folder / "out/prometheus/rules"


def tool(name: str) -> str:
    """The path of a real tool; `make tools` installs those that are missing."""
    path = shutil.which(name)
    assert path, f"{name} is not installed; run `make tools`"
    return path


def promtool_passes(case: dict[str, Any], rules: Path, folder: Path, every: str = "1m") -> None:
    """A test in promtool's format must hold for a file of rules that are evaluated so often."""
    content = {"rule_files": [str(rules)], "evaluation_interval": every, "tests": [case]}
    (folder / "test.yaml").write_text(yaml.safe_dump(content))
    done = subprocess.run([tool("promtool"), "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
