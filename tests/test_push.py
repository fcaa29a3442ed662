"""A push does exactly its plan, and after any faults one clean push reaches what is wanted; nothing foreign changes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashgen import delivery as stages
from dashgen.delivery import Delivery
from dashgen.diagnostics import RunError
from dashgen.exits import Exit
from dashgen.model.change import Action
from dashgen.model.plan import Plan, Summary
from dashgen.model.remote import Found, Key, Wanted
from dashgen.plan import content, drifted, plan_remote
from dashgen.push import documents
from dashgen.push.audit import AuditLog, read_log
from dashgen.push.engine import Push, exit_code
from dashgen.push.store import Store
from tests.remote import FAULTS, MemoryRemote

FOLDER = Wanted(Key("folder", "shop-folder"), "The shop", {"title": "The shop"}, "graph-shop")
FOREIGN = Found(Key("dashboard", "theirs"), "Theirs", {"title": "Theirs"}, None, "7")


def dashboard(name: str, title: str = "") -> Wanted:
    return Wanted(Key("dashboard", name), title or name, {"uid": name, "title": title or name}, "o", "shop-folder")


def rules(name: str, expr: str = "up == 0") -> Wanted:
    group = {"name": name, "rules": [{"alert": "Down", "expr": expr, "labels": {"severity": "page"}}]}
    return Wanted(Key("rules", name), name, {"groups": [group]}, "o")


def planned(remote: MemoryRemote, *, prune: bool = False, adopt: bool = False) -> Plan:
    found = remote.found("shop", [each.key for each in remote.wants])
    steps = plan_remote(remote.name, "shop", remote.wants, found, prune=prune, adopt=adopt)
    return Plan("dev", "shop", tuple(steps), "c0ffee")


def pushed(remote: MemoryRemote, root: Path, plan: Plan | None = None, parallel: int = 4) -> Summary:
    plan = plan or planned(remote)
    return Push(plan, {remote.name: remote}, {remote.name: parallel}, Store(root), content).run()


def restored(remote: MemoryRemote, root: Path, push: str | None = None, only: tuple[str, ...] = ()) -> Plan:
    return stages.restored(Delivery("dev", {remote.name: remote}, {}, Store(root), ""), push, only)[1]


def test_what_is_wanted_arrives_and_then_there_is_nothing_to_do(tmp_path: Path) -> None:
    remote = MemoryRemote(wants=[FOLDER, dashboard("a"), rules("r")])
    summary = pushed(remote, tmp_path)
    assert [step.key.kind for step in summary.done] == ["folder", "dashboard", "rules"]
    assert exit_code(summary) is Exit.OK
    assert not planned(remote).todo
    assert {each.action for each in planned(remote).steps} == {Action.KEEP}


def test_folders_come_first_deletions_last_and_the_bound_is_kept(tmp_path: Path) -> None:
    remote = MemoryRemote(wants=[FOLDER, *(dashboard(f"d{n}") for n in range(30)), rules("old")])
    pushed(remote, tmp_path)
    remote.wants = [*remote.wants[:-1], rules("new")]
    remote.wants[1] = dashboard("d0", "changed")
    remote.calls.clear()
    pushed(remote, tmp_path, planned(remote, prune=True), parallel=2)
    assert [call for call in remote.calls if call != "found"] == ["~ dashboard d0", "+ rules new", "- rules old"]
    assert 1 <= remote.most_at_once <= 4


def test_a_stale_plan_is_refused_as_a_whole(tmp_path: Path) -> None:
    remote = MemoryRemote(wants=[FOLDER, dashboard("a"), dashboard("b")])
    pushed(remote, tmp_path)
    remote.wants[1:] = [dashboard("a", "A"), dashboard("b", "B")]
    plan = planned(remote)
    remote.edit(Key("dashboard", "b"), {"uid": "b", "title": "mine"})
    before = dict(remote.objects)
    with pytest.raises(RunError, match=r"stale.*\n.*dashboard b in memory"):
        pushed(remote, tmp_path, plan)
    assert remote.objects == before


def test_an_edit_is_a_conflict_that_names_who_and_when_and_adopt_overwrites_it(tmp_path: Path) -> None:
    remote = MemoryRemote(wants=[FOLDER, dashboard("a")])
    pushed(remote, tmp_path)
    remote.edit(Key("dashboard", "a"), {"uid": "a", "title": "Mine"})
    (conflict,) = planned(remote).conflicts
    assert conflict.reason == "edited by ann at 2026-11-24T10:00:00Z since it was pushed"
    assert conflict.details == ("title Mine → a",)
    pushed(remote, tmp_path)
    assert remote.objects[Key("dashboard", "a")].data["title"] == "Mine"
    pushed(remote, tmp_path, planned(remote, adopt=True))
    assert remote.objects[Key("dashboard", "a")].data["title"] == "a"
    pushed(remote, tmp_path, restored(remote, tmp_path))
    assert remote.objects[Key("dashboard", "a")].data["title"] == "Mine"


def test_after_a_failed_folder_what_stands_in_it_is_left(tmp_path: Path) -> None:
    remote = MemoryRemote(wants=[FOLDER, dashboard("a"), rules("r")], faults=iter(["error"]))
    summary = pushed(remote, tmp_path)
    assert [str(each.step.key) for each in summary.failed] == ["folder shop-folder"]
    assert [str(step.key) for step in summary.left] == ["dashboard a"]
    assert [str(step.key) for step in summary.done] == ["rules r"]
    assert exit_code(summary) is Exit.PARTIAL


@pytest.mark.parametrize(("fault", "code"), [("refused", Exit.REFUSED), ("silent", Exit.UNREACHABLE)])
def test_where_nothing_went_the_exit_code_says_why(tmp_path: Path, fault: str, code: Exit) -> None:
    remote = MemoryRemote(wants=[rules(f"r{n}") for n in range(9)], faults=iter([fault] * 9))
    summary = pushed(remote, tmp_path, parallel=1)
    assert exit_code(summary) is code
    assert len(summary.failed) == (3 if fault == "silent" else 9), "a remote that does not answer is left alone"


def test_restore_takes_a_push_back(tmp_path: Path) -> None:
    remote = MemoryRemote(wants=[FOLDER, dashboard("a"), rules("gone")])
    pushed(remote, tmp_path)
    before = {key: (each.data, each.parent) for key, each in remote.objects.items()}
    remote.wants = [FOLDER, dashboard("a", "other"), dashboard("new")]
    pushed(remote, tmp_path, planned(remote, prune=True))
    assert Key("rules", "gone") not in remote.objects
    assert not restored(remote, tmp_path, only=("another",)).steps
    back = restored(remote, tmp_path)
    assert sorted(step.action for step in back.todo) == ["+", "-", "~"]
    pushed(remote, tmp_path, back)
    assert {key: (each.data, each.parent) for key, each in remote.objects.items()} == before


def test_what_was_not_pushed_yet_is_no_drift_as_far_as_the_log_knows(tmp_path: Path) -> None:
    def states(root: Path) -> list[str]:
        pushed = Store(root).pushed("dev", "shop").get("memory", {})
        found = remote.found("shop", [each.key for each in remote.wants])
        return [str(each.state) for each in drifted("memory", "shop", remote.wants, found, pushed)]

    remote = MemoryRemote(wants=[FOLDER, dashboard("a")])
    pushed(remote, tmp_path)
    remote.wants = [replace(FOLDER, title="Shop", data={"title": "Shop"}), dashboard("a", "A"), dashboard("b")]
    assert states(tmp_path) == ["unchanged", "unchanged", "not pushed"]
    assert states(tmp_path / "elsewhere") == ["edited", "unchanged", "missing"]
    editors = Key("permissions", FOLDER.key.name)
    remote.objects[editors] = Found(editors, "", {"editors": []}, None)
    remote.wants.append(Wanted(editors, "", {"editors": ["a"]}, "o"))
    assert states(tmp_path)[1] == "not pushed"
    del remote.wants[3]
    del remote.objects[Key("dashboard", "a")]
    remote.edit(FOLDER.key, {"title": "Mine"})
    assert states(tmp_path) == ["edited", "missing", "not pushed"]
    remote.wants = remote.wants[2:]
    pushed(remote, tmp_path / "elsewhere")
    remote.wants = [dashboard("b"), dashboard("c")]
    assert states(tmp_path) == ["unchanged", "missing"], "a log that does not know all pushes is not believed"


def test_restore_leaves_alone_what_somebody_changed_since(tmp_path: Path) -> None:
    remote = MemoryRemote(wants=[rules("a")])
    pushed(remote, tmp_path)
    remote.edit(Key("rules", "a"), {"groups": []})
    (step,) = restored(remote, tmp_path).steps
    assert step.action is Action.CONFLICT
    assert step.reason.startswith("edited by ann")


def test_without_room_for_the_backup_nothing_is_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    remote = MemoryRemote(wants=[rules("a")])
    monkeypatch.setattr(documents.os, "fsync", full)
    with pytest.raises(RunError, match=r"nothing was pushed.*No space left"):
        pushed(remote, tmp_path)
    assert not remote.objects
    assert not list(tmp_path.rglob("*.json*"))


def test_two_pushes_at_once_are_refused(tmp_path: Path) -> None:
    remote = MemoryRemote(wants=[rules("a")])
    with (
        Store(tmp_path).locked(),
        pytest.raises(RunError, match=rf"running here \(process {os.getpid()}"),
    ):
        pushed(remote, tmp_path)
    assert not remote.objects
    pushed(remote, tmp_path)


def test_a_plan_file_is_read_back_and_an_edited_one_is_refused(tmp_path: Path) -> None:
    remote = MemoryRemote(wants=[FOLDER, dashboard("a")])
    plan, path = planned(remote), tmp_path / "plan.json"
    documents.write_plan(path, plan)
    assert documents.read_plan(path) == plan
    assert list(documents.read_plan(path).steps[1].wanted) == ["uid", "title"], "keys keep their order"
    text = path.read_text()
    spoiled = {
        "was edited": text.replace('"title": "a"', '"title": "b"'),
        "is not JSON": text[:-20],
        "is not a plan": "[]",
        "has the format 2": text.replace('"format": 1', '"format": 2'),
    }
    for why, broken in spoiled.items():
        path.write_text(broken)
        with pytest.raises(RunError, match=why):
            documents.read_plan(path)


def test_the_audit_log_names_the_first_broken_line(tmp_path: Path) -> None:
    remote = MemoryRemote(wants=[rules("a"), rules("b")])
    pushed(remote, tmp_path)
    path = tmp_path / "audit.jsonl"
    entries = [entry for _, entry in read_log(path)]
    assert [entry["event"] for entry in entries] == ["begin", "begin", "done", "done"]
    assert {entry["commit"] for entry in entries} == {"c0ffee"}
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], lines[1].replace(b'"b"', b'"x"'), *lines[2:]]))
    with pytest.raises(RunError, match=r"audit\.jsonl:3: the chain is broken"):
        list(read_log(path))
    path.write_bytes(b"".join([lines[0], *lines[2:]]))
    with pytest.raises(RunError, match=r"audit\.jsonl:2: the chain is broken"):
        list(read_log(path))


def test_a_torn_last_line_is_repaired_by_the_next_append(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    AuditLog(path).append([{"n": 1}, {"n": 2}])
    path.write_bytes(path.read_bytes() + b'{"n":3,"previo')
    assert [entry["n"] for _, entry in read_log(path)] == [1, 2]
    AuditLog(path).append([{"n": 4}])
    assert [entry["n"] for _, entry in read_log(path)] == [1, 2, 4]


def test_a_killed_push_leaves_a_whole_log_and_the_next_one_finishes(tmp_path: Path) -> None:
    log, seen = tmp_path / "audit.jsonl", tmp_path / "seen"
    worker = multiprocessing.get_context("fork").Process(target=_slow_push, args=(tmp_path, seen))
    worker.start()
    deadline = time.monotonic() + 20
    while not (log.exists() and b'"done"' in log.read_bytes()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert worker.pid
    os.kill(worker.pid, signal.SIGKILL)
    worker.join(20)
    events = [entry["event"] for _, entry in read_log(log)]
    assert events.count("begin") == 40
    assert 0 < events.count("done") < 40
    remote = MemoryRemote(wants=[rules(f"r{n}") for n in range(40)])
    assert exit_code(pushed(remote, tmp_path)) is Exit.OK
    assert [entry["event"] for _, entry in read_log(log)].count("begin") == 80


def _slow_push(root: Path, seen: Path) -> None:
    class Slow(MemoryRemote):
        def apply(self, step: Any, mark: Any) -> None:
            time.sleep(0.05)
            super().apply(step, mark)

    pushed(Slow(wants=[rules(f"r{n}") for n in range(40)]), root, parallel=2)


NAMES = st.sampled_from("abcd")
FAULT = st.sampled_from((None, *FAULTS))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_after_any_faults_one_clean_push_reaches_what_is_wanted(data: st.DataObject, tmp_path_factory: Any) -> None:
    root = tmp_path_factory.mktemp("push")
    remote = MemoryRemote(objects={FOREIGN.key: FOREIGN})
    for _ in range(data.draw(st.integers(1, 4), label="pushes")):
        names = data.draw(st.sets(NAMES), label="wanted")
        title = data.draw(st.sampled_from(["one", "two"]))
        remote.wants = [
            FOLDER,
            *(dashboard(n, title) for n in sorted(names)),
            *(rules(n, title) for n in sorted(names)),
        ]
        remote.faults = iter(data.draw(st.lists(FAULT, max_size=12), label="faults"))
        plan = planned(remote, prune=True)
        summary = pushed(remote, root, plan, parallel=1)
        ended = [*summary.done, *(f.step for f in summary.failed), *summary.left]
        assert sorted(map(str, (s.key for s in ended))) == sorted(map(str, (s.key for s in plan.todo)))
    remote.faults = iter(())
    clean = pushed(remote, root, planned(remote, prune=True))
    assert exit_code(clean) is Exit.OK
    assert remote.objects.pop(FOREIGN.key) == FOREIGN
    assert {k: o.data for k, o in remote.objects.items()} == {w.key: w.data for w in remote.wants}
    assert not planned(remote, prune=True).todo
    assert {each.state for each in drifted("memory", "shop", remote.wants, remote.objects.values(), {})} == {
        "unchanged"
    }
    list(read_log(root / "audit.jsonl"))
