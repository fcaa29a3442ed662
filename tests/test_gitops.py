"""What people copy works: commands in pipelines and pages exist, hooks run, secrets are kept apart, images build."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from dashgen.cli import app
from tests.conftest import ROOT, Ran

GITHUB = ROOT / "examples" / "gitops" / "github" / "dashgen.yaml"
GITLAB = ROOT / "examples" / "gitops" / "gitlab" / ".gitlab-ci.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
CONTAINERFILE = ROOT / "Containerfile"
PAGES = sorted(
    path for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "templates/**/*.md") for path in ROOT.glob(pattern)
)


def scripts(node: Any) -> Iterator[str]:
    """Every command line of a pipeline, in GitHub's words or in GitLab's."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("run", "script", "entry"):
                yield from (value if isinstance(value, list) else [value])
            else:
                yield from scripts(value)
    elif isinstance(node, list):
        for each in node:
            yield from scripts(each)


def code(page: str) -> Iterator[str]:
    """Lines of shell in a page, and code between backticks."""
    for block in re.findall(r"^\s*```sh\n(.*?)^\s*```", page, re.DOTALL | re.MULTILINE):
        yield from block.replace("\\\n", " ").splitlines()
    yield from re.findall(r"`(dashgen [^`]+)`", re.sub(r"```.*?```", "", page, flags=re.DOTALL))


def commands(line: str) -> Iterator[list[str]]:
    """The calls of dashgen in a line of shell, without its name, up to where the shell takes over."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for token in [*lexer, ";"]:
        if set(token) <= set("();<>|&"):
            if words[:1] == ["dashgen"] and words[1:] not in ([], ["--help"]):
                yield words[1:]
            words = []
        else:
            words.append(token)


def written() -> list[tuple[str, list[str]]]:
    """Where a command stands, and its words."""
    found = []
    for file in (GITHUB, GITLAB, HOOKS):
        lines = (line for script in scripts(yaml.safe_load(file.read_text())) for line in script.splitlines())
        found += [(file.name, words) for line in lines for words in commands(line)]
    for page in PAGES:
        text = page.read_text("utf-8")
        found += [(str(page.relative_to(ROOT)), words) for line in code(text) for words in commands(line)]
    return [(place, list(words)) for place, words in sorted({(place, tuple(words)) for place, words in found})]


def shown(value: object) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


@pytest.mark.parametrize(("place", "words"), written(), ids=shown)
def test_every_command_that_is_written_down_exists(place: str, words: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    context = command.context_class(command, info_name="dashgen")
    while hasattr(command, "commands") and words:
        name, *words = words
        assert name in command.commands, f"{place}: there is no `dashgen {name}`"
        command = command.commands[name]
    if words:  # a page may mention a command without its arguments
        command.make_context(command.name, words, parent=context)  # raises where an option or a value is unknown


def test_pipelines_keep_secrets_apart() -> None:
    """No job has both a token of a remote and the right to write to the repository; pull requests only see readers."""
    jobs = yaml.safe_load(GITHUB.read_text())["jobs"]
    for name, job in jobs.items():
        secret = "secrets." in yaml.safe_dump(job)
        writes = "write" in job.get("permissions", {}).values()
        assert not (secret and writes), name
        assert not secret or "environment" in job, name
        if "pull_request" in job.get("if", "") and secret:
            assert "EDITOR" not in yaml.safe_dump(job), name
            assert "head.repo.full_name == github.repository" in job["if"], name
    assert yaml.safe_load(GITHUB.read_text())["permissions"] == {"contents": "read"}
    gitlab = yaml.safe_load(GITLAB.read_text())
    environments = {name: job["environment"]["name"] for name, job in gitlab.items() if "environment" in job}
    assert environments.pop("drift") == environments["plan"]
    assert len(set(environments.values())) == len(environments) == 3
    assert "environment" not in gitlab["check"]


def test_nothing_is_pinned_to_what_moves() -> None:
    """Images bear a version, actions one as well, and nothing is called latest."""
    images = re.findall(
        r"^(?:FROM|\s*(?:- )?(?:image|name):) (\S+/\S+)", texts(GITHUB, GITLAB, CONTAINERFILE), re.MULTILINE
    )
    assert len(images) >= 8
    assert all(re.search(r":v?\d+\.\d+\.\d+(-[a-z-]+)?$", image) for image in images), images
    actions = re.findall(r"uses: (\S+)", texts(GITHUB))
    assert actions
    assert all(re.search(r"@v\d+", action) for action in actions)


def texts(*files: Path) -> str:
    return "\n".join(file.read_text() for file in files)


def test_hooks_pass_what_is_sound_and_stop_what_is_not(shop: Path, dashgen: Callable[..., Ran]) -> None:
    """Run as pre-commit runs them: the entry, then `args`, in the top folder of a repository."""
    hooks = yaml.safe_load(HOOKS.read_text())
    assert [hook["id"] for hook in hooks] == ["dashgen-validate", "dashgen-lint", "dashgen-generate-check"]
    assert dashgen("generate", str(shop)).code == 0

    def codes() -> list[int]:
        return [dashgen(*hook["entry"].split()[1:], "services.yaml", cwd=shop.parent).code for hook in hooks]

    assert codes() == [0, 0, 0]
    shop.write_text(shop.read_text().replace("{objective: 99.5}", "{objective: 99.99}"))
    assert codes() == [0, 1, 1]
    shop.write_text(shop.read_text().replace("orders: {protocol", "ordrs: {protocol"))
    assert codes() == [2, 2, 2]
    wanted = {
        "services.yaml": 3,
        "a/services.yaml": 3,
        "services/core.yaml": 3,
        "alerts/x.yaml": 3,
        "out/manifest.json": 1,
    }
    for path, count in {**wanted, "README.md": 0, "myservices.yaml": 0}.items():
        assert sum(bool(re.search(hook["files"], path)) for hook in hooks) == count, path


def test_the_image_has_all_it_needs_and_no_more(tmp_path: Path) -> None:
    """No engine builds it here: what it copies is enough for the wheel that pip makes of it, and it ends as nobody."""
    lines = [line.split() for line in CONTAINERFILE.read_text().splitlines() if line and not line.startswith("#")]
    copied = [line[1:] for line in lines if line[0] == "COPY" and not line[1].startswith("--from")]
    for *sources, target in copied:
        for source in sources:
            origin = ROOT / source
            copy = shutil.copytree if origin.is_dir() else shutil.copy
            copy(origin, tmp_path / (target if origin.is_dir() else source))
    stages = {line[3] for line in lines if line[0] == "FROM" and len(line) > 3}
    assert {line[1].removeprefix("--from=") for line in lines if line[0] == "COPY"} - {
        s for c in copied for s in c
    } == stages
    assert [line[1] for line in lines if line[0] == "USER"] == ["10001:10001"]
    assert lines[-2:] == [["ENTRYPOINT", '["dashgen"]'], ["CMD", '["--help"]']]
    pip = next(line for line in lines if line[0] == "RUN" and "install" in line)
    assert (tmp_path / pip[pip.index("--constraint") + 1]).exists()
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tmp_path / "dist"),
        str(tmp_path),
    ]
    done = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
