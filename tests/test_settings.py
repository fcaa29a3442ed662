"""dashgen.toml: every problem at once with its line, and secrets that nobody sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashgen.diagnostics import RunError
from dashgen.push.reading import yaml_data
from dashgen.push.settings import Secret, Settings
from dashgen.push.settings_file import read_settings
from dashgen.push.starter import STARTER

GOOD = """\
default = "dev"
[contexts.dev.grafana]
url = "http://localhost:3000/"
token = {env = "GRAFANA_TOKEN"}
headers = {X-Team = "a", Authorization = {env = "PROXY"}}
[contexts.prod.metrics]
type = "prometheus"
url = "https://prometheus.example.com"
rules = "rules"
password = {file = "secret"}
username = "me"
"""

BAD = """\
default = "staging"
[contexts.dev.grafanna]
url = "http://localhost:3000"
[contexts.dev.grafana]
url = "localhost"
token = "glsa_hunter2"
tokn = {env = "X"}
timeout = "soon"
api = "leagcy"
[contexts.dev.prometheus]
reload = "yes"
[contexts.dev.mimir]
url = "https://me:hunter2@mimir"
cert = "c.pem"
headers = {X-Api-Key = "hunter2"}
"""


def read(folder: Path, text: str) -> tuple[Settings | None, list[str]]:
    path = folder / "dashgen.toml"
    path.write_text(text)
    settings, found = read_settings(path)
    assert "hunter2" not in repr(found) + repr(settings)
    return settings, [f"{each.span.line if each.span else 0} {each.detail}" for each in found]


def test_contexts_are_typed_and_secrets_are_masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, found = read(tmp_path, GOOD)
    assert settings
    assert not found
    with pytest.raises(RunError, match=r"GRAFANA_TOKEN is not set.\n.*PROXY is not set"):
        settings.context(None)
    monkeypatch.setenv("GRAFANA_TOKEN", "hunter2")
    monkeypatch.setenv("PROXY", "hunter2")
    name, (grafana,) = settings.context(None)
    assert (name, grafana.type, grafana.url) == ("dev", "grafana", "http://localhost:3000")
    assert grafana.token
    assert grafana.token.reveal() == "hunter2"
    assert "hunter2" not in f"{grafana!r} {grafana.token} {grafana.headers}"
    (tmp_path / "secret").write_text("hunter3\n")
    _, (prometheus,) = settings.context("prod")
    assert isinstance(prometheus.password, Secret)
    assert prometheus.password.reveal() == "hunter3"
    assert prometheus.rules == tmp_path / "rules"
    with pytest.raises(RunError, match=r"no context “prd”. Did you mean “prod”"):
        settings.context("prd")


def test_every_problem_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    settings, found = read(tmp_path, BAD)
    assert settings is None
    expected = [
        (1, "no context “staging”"),
        (2, "“grafanna” is no type of remote. Did you mean “grafana”?"),
        (5, "url begins with http"),
        (6, "A secret must not stand in this file"),
        (7, "“tokn” is not known here. Did you mean “token”?"),
        (8, "timeout is a number"),
        (9, "Did you mean “legacy”?"),
        (10, "needs rules"),
        (10, "needs a url"),
        (11, "reload is true or false"),
        (13, "url holds a name or a password"),
        (14, "cert needs key"),
        (14, "There is no file"),
        (15, "A secret must not stand in this file"),
    ]
    assert len(found) == len(expected), found
    for line, words in expected:
        assert any(each.startswith(f"{line} ") and words in each for each in found), (line, words, found)


@pytest.mark.parametrize(
    "url",
    ["http://a:abc", "http://a:0", "http://[::1", "http://a b", f"http://{'a' * 64}.b", "ftp://a", "http://", "a"],
)
def test_an_address_that_is_none_is_found_before_anybody_is_asked(url: str, tmp_path: Path) -> None:
    settings, (found,) = read(tmp_path, f'[contexts.dev.grafana]\nurl = "{url}"\n')
    assert settings is None
    assert found.startswith("2 contexts.dev.grafana.url: url ")


def test_a_path_that_is_none_is_found_too(tmp_path: Path) -> None:
    head = '[contexts.dev.grafana]\nurl = "http://a"\n'
    assert "whom nobody knows" in read(tmp_path, f'{head}token = {{file = "~nobody-of-this-name/x"}}')[1][0]
    assert "Wrong form" in read(tmp_path, f'{head}token = {{file = "a\\u0000b"}}')[1][0]


def test_limits_of_rulers_are_whole_numbers_and_nobody_elses(tmp_path: Path) -> None:
    head = "[contexts.a.mimir]\nurl = 'http://m'\n"
    settings, found = read(tmp_path, f"{head}max_rules = 0\nmax_groups = 700")
    assert settings, found
    (mimir,) = settings.contexts["a"]
    assert (mimir.max_rules, mimir.max_groups) == (0, 700)
    assert "0 means that there is no limit" in read(tmp_path, f"{head}max_rules = -1")[1][0]
    assert "0 means that there is no limit" in read(tmp_path, f"{head}max_groups = true")[1][0]
    assert "not known here" in read(tmp_path, head.replace("mimir", "grafana") + "max_rules = 1")[1][0]


@pytest.mark.parametrize("text", ["", "contexts = 1", "[contexts]", "[contexts.a]", "contexts.a.grafana = 1", "a = ["])
def test_other_shapes_are_findings_too(tmp_path: Path, text: str) -> None:
    settings, found = read(tmp_path, text)
    assert settings is None
    assert found


def test_the_starter_is_valid(tmp_path: Path) -> None:
    settings, found = read(tmp_path, STARTER)
    assert settings, found
    assert [remote.type for remote in settings.contexts["dev"]] == ["grafana", "prometheus"]


def test_hostile_yaml_is_refused() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    for text, why in (
        (bomb, "aliases"),
        ("[" * 500, "deep|valid"),
        ("a: [", "not valid"),
        ("!!python/object:os.x {}", "not valid"),
    ):
        with pytest.raises(RunError, match=why):
            yaml_data(text, "f.yaml")
