"""The commands that deliver, as users type them, against a remote in memory."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dashgen import delivery
from dashgen.cli import app
from dashgen.exits import Exit
from dashgen.model.artifact import Artifact
from dashgen.model.plan import Step
from dashgen.model.remote import Found, Key, Mark, ObjectKind, Wanted
from dashgen.push.documents import write_whole
from dashgen.push.remotes import RemoteError
from tests.remote import MemoryRemote

SETTINGS = '[contexts.dev.grafana]\nurl = "http://localhost:3000"\n'
RULES = Key("rules", "service-gateway")
KINDS: dict[str, ObjectKind] = {"dashboard": "dashboard", "rules": "rules", "alertmanager": "alertmanager"}
Type = Callable[..., Result]


class EverythingRemote(MemoryRemote):
    """Takes whatever was generated."""

    def wanted(self, artifacts: Iterable[Artifact]) -> list[Wanted]:
        wants = []
        for each in artifacts:
            if each.kind == "folders":
                wants += [
                    Wanted(Key("folder", f["uid"]), f["title"], {"title": f["title"]}, each.owner) for f in each.data
                ]
            elif each.kind in KINDS:
                key = Key(KINDS[each.kind], Path(each.path).stem)
                wants.append(Wanted(key, each.data.get("title", key.name), each.data, each.owner))
        return wants


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> MemoryRemote:
    made = EverythingRemote("grafana")
    monkeypatch.setattr(delivery, "make_remote", lambda settings: made)
    return made


@pytest.fixture
def run(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Type:
    """Types a command in the folder of the worked example, which was generated and has settings."""
    monkeypatch.chdir(shop.parent)
    (shop.parent / "dashgen.toml").write_text(SETTINGS)

    def type_(*words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(app, words)
        assert result.exit_code == code, (words, result.output, result.exception)
        return result

    type_("generate")
    return type_


def test_a_whole_life(run: Type, remote: MemoryRemote, shop: Path) -> None:
    assert "+ rules service-gateway" in run("plan", "--out", "plan.json", code=1).stdout
    assert "nobody to ask" in run("push", code=2).stderr
    count = len(json.loads(Path("plan.json").read_text())["steps"])
    assert f"Pushed to dev: {count} created." in run("push", "plan.json").stdout
    assert "There is nothing to push" in run("push", "--yes").stderr
    run("plan")
    assert "unchanged" in run("drift").stdout
    assert "stale" in run("push", "plan.json", code=2).stderr

    remote.edit(RULES, {"groups": []}, who="ann\x1b[31m")
    shown = run("plan", code=1).stdout
    assert "! rules service-gateway  (edited by ann\\x1b[31m at 2026-11-24T10:00:00Z since it was pushed)" in shown
    drift = run("drift", "--textfile", "dashgen.prom", code=1).stdout
    assert "edited rules service-gateway in grafana by ann\\x1b[31m" in drift
    assert 'kind="rules",state="edited"} 1' in (shop.parent / "dashgen.prom").read_text()
    assert "1 conflict left, and nothing else to push." in run("push", "--yes", code=1).stderr
    assert remote.objects[RULES].data == {"groups": []}
    run("push", "--yes", "--adopt")
    assert remote.objects[RULES].data["groups"]
    run("drift")
    run("restore", "--yes")
    assert remote.objects[RULES].data == {"groups": []}
    run("push", "--yes", "--adopt")

    assert "The log is whole" in run("audit", "verify").stdout
    assert RULES.name in run("audit", "log").stdout
    log = shop.parent / ".dashgen" / "audit.jsonl"
    log.write_text(log.read_text().replace('"service-orders"', '"service-0rders"', 1))
    assert "audit.jsonl:" in run("audit", "verify", code=2).stderr


def test_prune_deletes_only_what_is_ours_and_no_longer_wanted(run: Type, remote: MemoryRemote, shop: Path) -> None:
    run("push", "--yes")
    everything = len(remote.objects)
    theirs = Key("dashboard", "theirs")
    remote.objects[theirs] = Found(theirs, "Theirs", {}, None, "1")
    text = shop.read_text()
    shop.write_text(text.replace("chains:\n  checkout:", "chains:\n  purchase:"))
    run("generate")
    assert "no longer wanted; dashgen prune removes it" in run("plan", code=1).stdout
    assert "- rules chain-checkout" in run("prune", "--yes").stdout
    assert theirs in remote.objects
    assert Key("rules", "chain-checkout") not in remote.objects
    assert len(remote.objects) == everything + 1 - 3
    run("push", "--yes")
    run("plan")


def test_another_environment_of_the_same_graph_is_never_replaced(run: Type, remote: MemoryRemote, shop: Path) -> None:
    run("push", "--yes")
    before = dict(remote.objects)
    shop.write_text(shop.read_text().replace("env: prod", "env: staging"))
    run("generate")
    for words in (["plan"], ["push", "--yes", "--adopt"], ["push", "--yes", "--prune"], ["prune", "--yes"]):
        told = run(*words, code=2).stderr
        assert "holds the graph shop of the environment prod, and staging would take its place" in told
        assert "another `graph` name" in told
    assert remote.objects == before
    remote.objects.clear()
    run("push", "--yes")
    run("plan")


def test_output_edited_by_hand_is_refused(run: Type, remote: MemoryRemote, shop: Path) -> None:
    path = shop.parent / "out" / "prometheus" / "rules" / "service-gateway.yaml"
    path.write_text(path.read_text() + "\n")
    assert "service-gateway.yaml was edited after it was generated" in run("plan", code=2).stderr
    path.unlink()
    assert "service-gateway.yaml: No such file" in run("push", "--yes", code=2).stderr
    assert not remote.objects


def test_machines_read_plans_and_pushes(run: Type, remote: MemoryRemote) -> None:
    plan = json.loads(run("plan", "--format", "json", code=1).stdout)
    assert plan["count"]["create"] == len(plan["steps"])
    assert run("plan", "--format", "markdown", code=1).stdout.startswith("### dashgen plan: dev")
    remote.faults = iter(["error"])
    pushed = json.loads(run("push", "--yes", "--format", "json", code=4).stdout)
    assert len(pushed["failed"]) == 1
    assert len(pushed["done"]) == len(plan["steps"]) - 1
    assert json.loads(run("drift", "--format", "json").stdout)[0]["state"] == "not pushed"
    assert "dashgen_drift_last_check_timestamp_seconds" in run("drift", "--format", "prometheus").stdout


def test_how_a_push_goes_on_is_said_as_it_works(run: Type, remote: MemoryRemote) -> None:
    run("push", "--yes")
    remote.edit(RULES, {"groups": []})
    run("plan", "--adopt", "--out", "plan.json", code=1)
    remote.faults = iter(["error"])
    assert "Plan again: dashgen plan --context dev --out plan.json" in run("push", "plan.json", code=4).stderr
    run("push", "--yes", "--adopt")
    remote.faults = iter(["error"])
    on = run("restore", "--yes", code=4).stderr.partition("Go on: dashgen ")[2].split()
    assert remote.objects[RULES].data["groups"]
    run(*on, "--yes")
    assert not remote.objects[RULES].data["groups"]
    remote.edit(RULES, {"groups": []})
    remote.faults = iter(["error"])
    assert "Run the command again" in run("push", "--yes", "--adopt", code=4).stderr


def test_ctrl_c_ends_a_push_in_order(run: Type, remote: MemoryRemote, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(step: Step, mark: Mark) -> None:
        if next(once, False):
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
        apply(step, mark)

    once, apply = iter([True]), remote.apply
    monkeypatch.setattr(remote, "apply", slow)
    ended = run("push", "--yes", code=130)
    count = len(remote.objects)
    assert 0 < count < 10
    assert f"Pushed to dev: {count} created." in ended.stdout
    assert "left: + " in ended.stdout
    assert "not pushed. Run the command again" in ended.stderr
    assert "Take it back: dashgen restore" in ended.stderr
    monkeypatch.setattr(remote, "apply", apply)
    run("push", "--yes")
    run("plan")


def test_what_is_neither_a_plan_nor_a_specification_is_refused(run: Type, remote: MemoryRemote) -> None:
    assert "plan.txt: a plan is a .json file" in run("plan", "--out", "plan.txt", code=2).stderr
    assert "plan.txt is neither a plan" in run("push", "plan.txt", "--yes", code=2).stderr
    for command in ("plan", "push", "drift", "prune", "audit"):
        where = ("verify", "nope.yaml") if command == "audit" else ("nope.yaml",)
        assert "There is no file nope.yaml" in run(command, *where, code=2).stderr
    assert not remote.objects


def test_one_remote_can_be_left_out(
    run: Type, remote: MemoryRemote, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop.parent / "dashgen.toml").write_text(f'{SETTINGS}[contexts.dev.dead]\ntype = "loki"\nurl = "http://l"\n')
    asked = []
    monkeypatch.setattr(delivery, "make_remote", lambda settings: asked.append(settings.name) or remote)
    for command in ("plan", "push", "drift", "prune", "restore"):
        asks = command in ("push", "prune", "restore")
        run(command, "--remote", "grafana", *(["--yes"] if asks else []), code=command == "plan")
    assert set(asked) == {"grafana"}
    assert RULES not in remote.objects
    assert "no remote “grafanna”. Did you mean “grafana”?" in run("plan", "--remote", "grafanna", code=2).stderr


def test_all_remotes_that_do_not_answer_are_named(
    run: Type, remote: MemoryRemote, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dead(MemoryRemote):
        def found(self, graph: str, keys: Collection[Key]) -> list[Found]:
            raise RemoteError("no answer", Exit.UNREACHABLE)

    more = "".join(f'[contexts.dev.{name}]\ntype = "grafana"\nurl = "http://l"\n' for name in ("one", "two"))
    (shop.parent / "dashgen.toml").write_text(f"{SETTINGS}{more}")
    monkeypatch.setattr(delivery, "make_remote", lambda each: remote if each.name == "grafana" else Dead(each.name))
    for command in ("plan", "push", "drift"):
        said = run(command, code=Exit.UNREACHABLE).stderr
        assert "one: no answer\ntwo: no answer\nGive --remote to ask the others alone." in said


def test_another_server_at_the_url_is_no_partial_push(
    run: Type, remote: MemoryRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strange(graph: str, keys: Collection[Key]) -> list[Found]:
        raise RemoteError("grafana: GET / answered 404.", status=404)

    monkeypatch.setattr(remote, "found", strange)
    for command in ("plan", "push", "drift"):
        assert "answered 404" in run(command, code=Exit.UNREACHABLE).stderr


def test_without_settings_or_context_the_answer_says_what_to_do(run: Type, shop: Path) -> None:
    assert "no context “prod”" in run("plan", "-c", "prod", code=2).stderr
    (shop.parent / "dashgen.toml").unlink()
    assert "dashgen init" in run("plan", code=2).stdout
    assert json.loads(run("plan", "--format", "json", code=2).stdout)[0]["id"] == "settings/not-found"
    assert "dashgen.toml: where to push to" in run("init").stderr
    assert "exists already" in run("init", code=2).stderr


def test_what_is_written_stays_a_link_or_a_pipe(tmp_path: Path) -> None:
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(tmp_path / "file")
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR)
    for path in (link, pipe):
        write_whole(path, b"x")
    assert (link.is_symlink(), link.read_bytes()) == (True, b"x")
    assert (pipe.is_fifo(), os.read(reader, 9)) == (True, b"x")
    os.close(reader)
