"""A real Alertmanager with a file of its own: our part comes, changes, is refused, and goes; theirs stays as it was."""

from __future__ import annotations

import json
import os
import urllib.request
from pathlib import Path

import pytest

from dashgen.delivery import Delivery, find_drift, make_plan
from dashgen.diagnostics import RunError
from dashgen.exits import Exit
from dashgen.model.artifact import Artifact
from dashgen.model.drift import State
from dashgen.model.plan import Plan, Summary
from dashgen.plan import content, of_another_environment, plan_remote
from dashgen.push.engine import Push, exit_code
from dashgen.push.output import read_output
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.alertmanager_file import AlertmanagerFile
from dashgen.push.settings import RemoteSettings
from dashgen.push.store import Store
from tests.conftest import ROOT
from tests.servers import running_alertmanager

THEIRS = """\
# The company's own file.
route:
  receiver: everything   # nobody reads it
receivers:
- name: everything
  webhook_configs:
  - url: http://127.0.0.1:9/secret-in-here
"""


def remote(file: Path, url: str = "") -> AlertmanagerFile:
    return AlertmanagerFile(RemoteSettings(name="am", type="alertmanager", url=url, config=file))


def artifacts() -> tuple[Artifact, ...]:
    return read_output(ROOT / "out").artifacts


def push(at: AlertmanagerFile, store: Path, wants: tuple[Artifact, ...], prune: bool = False) -> Summary:
    wanted = at.wanted(wants)
    steps = plan_remote("am", "shop", wanted, at.found("shop", [each.key for each in wanted]), prune=prune)
    return Push(Plan("dev", "shop", tuple(steps)), {"am": at}, {"am": 4}, Store(store), content).run()


def loaded(url: str) -> str:
    with urllib.request.urlopen(f"{url}/api/v2/status", timeout=10) as answer:
        return str(json.load(answer)["config"]["original"])


def test_our_part_comes_and_goes(tmp_path: Path) -> None:
    file = tmp_path / "am.yml"
    file.write_text(THEIRS)
    file.chmod(0o640)
    with running_alertmanager(tmp_path, config=file) as url:
        at = remote(file, url)
        assert exit_code(push(at, tmp_path / "store", artifacts())) is Exit.OK
        assert "pagerduty-edge" in loaded(url)
        assert os.stat(file).st_mode & 0o777 == 0o640
        wanted = at.wanted(artifacts())
        again = plan_remote("am", "shop", wanted, at.found("shop", [each.key for each in wanted]))
        assert [str(step.action) for step in again] == ["="]
        assert exit_code(push(at, tmp_path / "store", (), prune=True)) is Exit.OK
        assert "pagerduty-edge" not in loaded(url)
    assert file.read_text() == THEIRS


def test_a_refused_reload_brings_the_former_file_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Amtool is not asked, and the receiver that our routes name is one that Alertmanager cannot build."""
    file = tmp_path / "am.yml"
    file.write_text(THEIRS)
    with running_alertmanager(tmp_path, config=file) as url:
        at = remote(file, url)
        monkeypatch.setattr("shutil.which", lambda _: None)
        (want,) = at.wanted(artifacts())
        broken = Artifact(
            "a", want.owner, "alertmanager", b"", {"route": {"routes": [{"receiver": "x", "group_wait": "soon"}]}}
        )
        summary = push(at, tmp_path / "store", (broken,))
        assert [failure.step.key.name for failure in summary.failed] == ["shop"]
        assert "was put back" in summary.failed[0].why
        assert "could not be reloaded" not in summary.failed[0].why
        assert "everything" in loaded(url)
    assert file.read_text() == THEIRS


def test_amtool_refuses_before_anything_is_written(tmp_path: Path) -> None:
    file = tmp_path / "am.yml"
    file.write_text(THEIRS)
    broken = Artifact(
        "a", "graph-shop", "alertmanager", b"", {"route": {"routes": [{"receiver": "x", "group_wait": "soon"}]}}
    )
    summary = push(remote(file), tmp_path / "store", (broken,))
    assert "amtool refuses" in summary.failed[0].why
    assert file.read_text() == THEIRS
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".dashgen-")] == []


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="has to be there"):
        remote(tmp_path / "none.yml").found("shop", [])


def test_a_file_that_cannot_take_our_part_stops_the_plan(tmp_path: Path) -> None:
    file = tmp_path / "am.yml"
    file.write_text("route: {receiver: a}\nreceivers:\n- name: a\n")
    assert "braces" in remote(file).wanted(artifacts())[0].refused
    file.write_text("route:\n  receiver: a\n  routes:\n  - receiver: a\nreceivers:\n- name: a\n")
    assert (
        "the route to a (no matchers) takes what is for slack-commerce" in remote(file).wanted(artifacts())[0].refused
    )


def test_a_route_that_somebody_puts_above_ours_is_drift_and_stops_the_plan(tmp_path: Path) -> None:
    file = tmp_path / "am.yml"
    file.write_text(THEIRS.replace("receivers:", "  routes:\n  - matchers: [a=b]\nreceivers:", 1))
    at = remote(file)
    push(at, tmp_path / "store", artifacts())
    file.write_text(file.read_text().replace("  routes:\n", "  routes:\n  - continue: false\n", 1))
    delivery = Delivery("dev", {"am": at}, {}, Store(tmp_path / "store"), "")
    (found,) = find_drift(delivery, read_output(ROOT / "out"))[1]
    assert found.state is State.EDITED
    assert found.details[0].startswith("the route to everything (no matchers) takes what is for slack-commerce, ")
    with pytest.raises(RunError, match="cannot take our routes"):
        make_plan(delivery, read_output(ROOT / "out"))


def test_a_plan_says_which_receivers_notify_nobody_before_and_after_a_push(tmp_path: Path) -> None:
    file = tmp_path / "am.yml"
    file.write_text(THEIRS)
    at = remote(file)
    for symbol in "+=":
        wanted = at.wanted(artifacts())
        (step,) = plan_remote("am", "shop", wanted, at.found("shop", []))
        assert (str(step.action), step.reason.partition(":")[0]) == (
            symbol,
            "receivers that notify nobody until you fill them",
        )
        push(at, tmp_path / "store", artifacts())


def test_a_file_with_the_routes_of_another_environment_tells_which(tmp_path: Path) -> None:
    file = tmp_path / "am.yml"
    file.write_text(THEIRS)
    at = remote(file)
    push(at, tmp_path / "store", artifacts())
    wanted = at.wanted(artifacts())
    assert of_another_environment("am", "shop", wanted, at.found("shop", [])) == ""
    file.write_text(file.read_text().replace('env="prod"', 'env="dev"'))
    told = of_another_environment("am", "shop", wanted, at.found("shop", []))
    assert told.startswith("am holds the graph shop of the environment dev, and prod would take its place.")


def test_somebody_else_was_faster(tmp_path: Path) -> None:
    file = tmp_path / "am.yml"
    file.write_text(THEIRS)
    at = remote(file)
    push(at, tmp_path / "store", artifacts())
    file.write_text(file.read_text().replace("everything", "something"))
    wanted = at.wanted(artifacts())
    assert [str(s.action) for s in plan_remote("am", "shop", wanted, at.found("shop", []))] == ["="], (
        "ours is untouched"
    )
