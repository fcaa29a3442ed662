"""The rules of the house, for the parts that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashgen.exits import Exit
from dashgen.load import load_library
from dashgen.model.tree import Scalar, walk
from dashgen.verify import CHECKS
from docs.generate import file_name, pages
from tests.conftest import ROOT

HOMES = {
    "typer": ["dashgen/cli/"],
    "rich": ["dashgen/views/console.py"],
    "requests": ["dashgen/push/transport.py", "dashgen/push/remotes/prometheus_stats.py"],
    "jinja2": ["dashgen/compile/"],
    "grafanalib": ["dashgen/render/grafana/"],
    "pydantic": ["dashgen/model/", "dashgen/load/shape.py", "dashgen/load/library.py"],
    "pydantic_core": ["dashgen/model/", "dashgen/load/shape.py"],
    "yaml": ["dashgen/load/yaml.py", "dashgen/push/reading.py"],
    "promql_parser": ["dashgen/promql/"],
    "subprocess": ["dashgen/verify/external.py", "dashgen/push/"],
}
CLOCK = {"dashgen/cli/", "dashgen/views/console.py", "dashgen/push/"}


def tracked(pattern: str = "") -> list[Path]:
    """Files that git tracks, or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *([pattern] if pattern else [])]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / line for line in listed.splitlines() if (ROOT / line).is_file()]


PYTHON = [path for path in tracked("*.py") if "cases" not in path.parts]
OWN = [path for path in PYTHON if path.is_relative_to(ROOT / "dashgen")]


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("path", PYTHON, ids=shown)
def test_every_file_starts_with_a_caption(path: Path) -> None:
    caption = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]
    assert path.read_text().startswith(('"""', 'r"""')), "the first line is not a docstring"
    assert 10 <= len(caption) <= 120
    assert caption.rstrip("`").endswith((".", ".`")) or caption.endswith(".")


@pytest.mark.parametrize("path", OWN, ids=shown)
def test_every_library_has_one_home(path: Path) -> None:
    for library in imports(path):
        homes = HOMES.get(library)
        assert homes is None or any(shown(path).startswith(home) for home in homes), f"{library} does not live here"


@pytest.mark.parametrize("path", OWN, ids=shown)
def test_only_few_may_look_at_the_clock(path: Path) -> None:
    text = path.read_text()
    asks = re.search(r"\b(time\.(time|monotonic|sleep)|datetime\.now|date\.today|utcnow)\(", text)
    assert not asks or any(shown(path).startswith(place) for place in CLOCK)


@pytest.mark.parametrize("path", OWN, ids=shown)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 360
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or 0) - node.lineno
            limit = 18 if path.parent.name == "cli" and node.decorator_list else 60
            assert length <= limit, f"{node.name} has {length} lines"


def test_no_folder_holds_one_file_and_no_file_is_called_utils() -> None:
    for folder in {path.parent for path in OWN}:
        assert len([path for path in OWN if path.is_relative_to(folder)]) > 1, folder
    assert not [path for path in OWN if path.stem in ("utils", "util", "helpers", "common", "misc")]


def test_one_name_in_five_places() -> None:
    """A check's id, its module, its cases, its page, and what is printed are the same."""
    names = {file_name(id) for id in CHECKS}
    for folder, suffix in (("dashgen/verify/checks", ".py"), ("tests/checks", ".yaml"), ("docs/checks", ".md")):
        found = {path.stem for path in (ROOT / folder).glob(f"*{suffix}")} - {"__init__", "README"}
        assert found == names, folder
    for id, check in CHECKS.items():
        assert check.run.__name__ == file_name(id)
        assert f'"{id}"' in (ROOT / "dashgen/verify/checks" / f"{file_name(id)}.py").read_text()
        assert len(check.summary) < 80


def test_generated_pages_are_up_to_date() -> None:
    stale = [path for path, text in pages().items() if (ROOT / path).read_text("utf-8") != text]
    assert not stale, "run `make docs`"


def test_templates_name_only_series_of_the_contract() -> None:
    """Every recorded name that a built-in template or alert spells stands in contract/telemetry.yaml."""
    library, _ = load_library(ROOT)
    assert library
    pattern = library.contract.pattern("1m")
    levels = "|".join(sorted({each.name.partition(":")[0] for each in library.contract.series}))
    spelled = re.compile(rf"\b(?:{levels}):[a-z0-9_:<> .]+")
    for document in (*library.templates.values(), *library.fragments.values()):
        for node in walk(document.root):
            if isinstance(node, Scalar) and isinstance(node.value, str):
                for name in spelled.findall(node.value):
                    filled = re.sub(r"<< tile\.name >>", "1m", name)
                    filled = re.sub(r"<< quantile\.name >>", "p95", filled)
                    filled = re.sub(r"<< [a-z_.]+ >>", "5m", filled).rstrip(" :")
                    filled += "1m" if filled.endswith(":rate") else ""
                    assert pattern.match(filled.partition(" ")[0]), f"{document.span(node)}: {name}"


def test_nothing_tells_where_it_was_made() -> None:
    """No path of a machine, no word about how the work was done, nothing left open, no test that does not run."""
    forbidden = [
        r"\.\./sh" + "ared",
        "/wo" + "rk/",
        "/ro" + "ot/",
        r"\bTO" + r"DO\b",
        r"\bFIX" + r"ME\b",
        "pytest" + r"\.skip",
        "mark" + r"\.(skip|xfail)",
    ]
    for path in tracked():
        if path.suffix in (".png", ".lock", ".sum", ".json") or "schemas" in path.parts:
            continue
        text = path.read_text("utf-8", "replace")
        for pattern in forbidden:
            assert not re.search(pattern, text), f"{shown(path)}: {pattern}"


def test_readme_shows_the_two_commands_and_every_exit_code_is_documented() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "make run" in readme
    assert "make test" in readme
    cli = (ROOT / "docs" / "cli.md").read_text()
    assert all(f"| {code.value} | {code.meaning} |" in cli for code in Exit)
