"""Pushing to Grafana over both of its APIs, and to a real one where GRAFANA_URL and GRAFANA_TOKEN name it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dashgen.delivery import Delivery, restored
from dashgen.exits import Exit
from dashgen.model.artifact import Artifact
from dashgen.model.change import Action
from dashgen.model.remote import Key, Mark
from dashgen.push.remotes import RemoteError, grafana_legacy
from dashgen.push.store import Store
from tests.conftest import Ran
from tests.grafana import Place, dashboard, fake_place, real_place

REAL = (os.environ.get("GRAFANA_URL", ""), os.environ.get("GRAFANA_TOKEN", ""))
PLACES = ["apis", "legacy", *(["real"] if all(REAL) else [])]
HOSTILE = [
    '"; drop',
    "{{ $x }} ${y} \\ back",
    "line\nline",
    "\x1b[31mred\x1b[0m",
    "🦀 ünï",
    "<script>alert(1)</script>",
]


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Every Grafana there is."""
    made = real_place(tmp_path, *REAL) if request.param == "real" else fake_place(tmp_path, request.param)
    with made as place:
        yield place


@pytest.fixture(params=["apis", "legacy"])
def fake(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Those that can be told what to do."""
    with fake_place(tmp_path, request.param) as place:
        yield place


def actions(plan: Any) -> dict[str, str]:
    return {str(step.key): step.action.value for step in plan.steps}


def done(place: Place, out: list[Artifact], **settings: Any) -> None:
    """Push and expect that all of it went, past no conflict."""
    plan = place.plan(out, **settings)
    assert not plan.conflicts
    summary = place.push(plan, **settings)
    assert not summary.failed, [each.why for each in summary.failed]
    assert not summary.left


def test_what_is_wanted_arrives_and_then_nothing_is_written(place: Place) -> None:
    """Server-side defaults, order, nulls and ids are no difference, so a second push writes nothing."""
    out = place.out("a", "b", "c", "d", "e")
    done(place, out)
    for name in "abcde":
        stored = place.stored(place.uid(name))
        assert stored
        assert stored["dashboard"]["title"] == name
        assert stored["meta"]["folderUid"] == place.folder
    assert set(actions(place.plan(out)).values()) == {"="}
    if place.fake:
        place.fake.forget()
        done(place, out)
        assert place.fake.writes == 0


def test_an_update_keeps_the_folder_and_moves_only_as_planned(place: Place) -> None:
    done(place, place.out("a"))
    plan = place.plan(place.out("a", title="A new title"))
    assert [step.details for step in plan.todo] == [("title a → A new title",)]
    place.push(plan)
    stored = place.stored(place.uid("a"))
    assert stored
    assert stored["meta"]["folderUid"] == place.folder
    assert stored["dashboard"]["title"] == "A new title"


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_titles_go_there_and_back(fake: Place, title: str) -> None:
    out = fake.out("a", title=title)
    done(fake, out)
    assert not fake.plan(out).todo
    stored = fake.stored(fake.uid("a"))
    assert stored
    assert stored["dashboard"]["title"] == title


def test_an_edit_in_the_browser_is_a_conflict_with_who_and_when(place: Place) -> None:
    out = place.out("a")
    done(place, out, allow_ui_edits=True)
    place.edit(place.uid("a"), lambda data: data["panels"].pop())
    step = next(step for step in place.plan(out, allow_ui_edits=True).steps if step.key.kind == "dashboard")
    assert step.action is Action.CONFLICT
    assert "panel “Below”: new" in step.details
    if place.fake:
        assert step.reason == "edited by ann at 2026-11-24T10:00:00Z since it was pushed"
    place.push(place.plan(out, adopt=True, allow_ui_edits=True), allow_ui_edits=True)
    assert not place.plan(out, allow_ui_edits=True).todo


def test_a_foreign_dashboard_at_our_uid_is_adopted_only_on_request(place: Place) -> None:
    place.add(place.uid("a"), dashboard("Somebody's"))
    out = place.out("a")
    assert actions(place.plan(out))[f"dashboard {place.uid('a')}"] == "!"
    place.push(place.plan(out))
    stored = place.stored(place.uid("a"))
    assert stored
    assert stored["dashboard"]["title"] == "Somebody's"
    place.push(place.plan(out, adopt=True))
    assert not place.plan(out).todo


def test_prune_takes_what_is_ours_and_no_longer_wanted_and_nothing_else(place: Place) -> None:
    done(place, place.out("a", "b"))
    place.add(f"{place.graph}-service-looks-like-ours", dashboard("Looks like ours"))
    copied = place.stored(place.uid("a"))
    assert copied
    place.add(f"{place.graph}-copy", {**copied["dashboard"], "id": None})
    plan = place.plan(place.out("a"), prune=True)
    assert [(step.action.value, step.key.name) for step in plan.todo] == [("-", place.uid("b"))]
    assert {step.key.name for step in plan.steps} == {place.folder, place.uid("a"), place.uid("b")}
    place.push(plan)
    assert place.stored(place.uid("b")) is None
    assert place.stored(f"{place.graph}-service-looks-like-ours")
    assert place.stored(f"{place.graph}-copy")


def test_a_tag_that_somebody_removed_hides_nothing(fake: Place) -> None:
    done(fake, fake.out("a", "b"), allow_ui_edits=True)
    fake.edit(fake.uid("b"), lambda data: data.update(tags=[]))
    plan = fake.plan(fake.out("a"), prune=True, allow_ui_edits=True)
    assert actions(plan)[f"dashboard {fake.uid('b')}"] == "!"


def test_a_plan_that_somebody_overtook_is_refused(place: Place) -> None:
    out = place.out("a")
    done(place, out, allow_ui_edits=True)
    plan = place.plan(place.out("a", title="B"), allow_ui_edits=True)
    remote = place.remote(allow_ui_edits=True)
    place.edit(place.uid("a"), lambda data: data.update(title="Ann's"))
    with pytest.raises(RemoteError) as caught:
        remote.apply(plan.todo[0], Mark(place.graph, plan.todo[0].after))
    assert caught.value.stale
    stored = place.stored(place.uid("a"))
    assert stored
    assert stored["dashboard"]["title"] == "Ann's"


def test_a_dashboard_in_a_file_of_the_servers_is_left_alone(fake: Place) -> None:
    done(fake, fake.out("a"))
    assert fake.fake
    fake.fake.state.data["dashboards"][fake.uid("a")]["provisioned"] = "team/a.json"
    step = next(
        step for step in fake.plan(fake.out("a", title="new"), adopt=True).steps if step.key.kind == "dashboard"
    )
    assert step.action is Action.CONFLICT
    assert "team/a.json; release it there first" in step.reason


def test_what_another_manager_owns_is_left_alone(tmp_path: Path) -> None:
    """The plan says so; and where it could not know, Grafana's refusal is reported for that object alone."""
    with fake_place(tmp_path, "apis") as place:
        done(place, place.out("a", "b"))
        assert place.fake
        held = place.fake.state.data["dashboards"]
        held[place.uid("a")]["notes"] = {"grafana.app/managedBy": "terraform", "grafana.app/managerId": "tf"}
        plan = place.plan(place.out("a", "b", title="new"), adopt=True)
        step = next(step for step in plan.steps if step.key.name == place.uid("a"))
        assert step.action is Action.CONFLICT
        assert step.reason == "managed by terraform tf; release it there first"
        plan = place.plan(place.out("a", "b", title="new"), adopt=True, api="legacy")
        summary = place.push(plan, api="legacy")
        assert {each.status for each in summary.failed} == {403}
        assert {each.code for each in summary.failed} == {Exit.REFUSED}
        assert "Cannot change resource manager identity" in summary.failed[0].why
        assert held[place.uid("a")]["spec"]["title"] == "a"


def test_the_manager_is_constant_and_its_lock_is_an_option(tmp_path: Path) -> None:
    with fake_place(tmp_path, "apis") as place:
        done(place, place.out("a"))
        assert place.fake
        held = place.fake.state.data["dashboards"][place.uid("a")]
        expected = {"grafana.app/managedBy": "kubectl", "grafana.app/managerId": "dashgen"}
        assert held["notes"] == {**expected, "grafana.app/managerAllowsEdits": "false"}
        assert held["spec"]["editable"] is False
        done(place, place.out("a"), allow_ui_edits=True)
        held = place.fake.state.data["dashboards"][place.uid("a")]
        assert held["notes"] == {**expected, "grafana.app/managerAllowsEdits": "true"}
        assert held["spec"]["editable"] is True


def test_what_others_noted_on_a_resource_stays(tmp_path: Path) -> None:
    with fake_place(tmp_path, "apis") as place:
        done(place, place.out("a"))
        assert place.fake
        held = place.fake.state.data["dashboards"][place.uid("a")]
        held["notes"]["example.org/reviewed"], held["labels"] = "yes", {"team": "x"}
        done(place, place.out("a", title="B"))
        held = place.fake.state.data["dashboards"][place.uid("a")]
        assert held["notes"]["example.org/reviewed"] == "yes"
        assert held["labels"] == {"team": "x"}


def test_what_is_stored_in_the_new_editors_format_is_explained(tmp_path: Path) -> None:
    with fake_place(tmp_path, "apis") as place:
        done(place, place.out("a"))
        assert place.fake
        status = {"conversion": {"failed": True, "storedVersion": "v2"}}
        place.fake.state.data["dashboards"][place.uid("a")]["status"] = status
        step = next(step for step in place.plan(place.out("a")).steps if step.key.kind == "dashboard")
        assert step.reason == "managed by Grafana's editor in the format v2; release it there first"


def test_permissions_are_merged_with_what_others_granted(fake: Place) -> None:
    assert fake.fake
    state = fake.fake.state
    sre, core, guests = state.team("SRE"), state.team("Core"), state.team("Guests")
    done(fake, fake.out("a"))
    foreign = [{"userId": 7, "permission": 4}, {"teamId": guests, "permission": 1}, {"teamId": core, "permission": 2}]
    default = state.data["permissions"][fake.folder]
    inherited = {"role": "Admin", "permission": 4, "inherited": True}  # from a parent; it cannot be granted here
    state.data["permissions"][fake.folder] = [*default, inherited, *foreign]
    out = fake.out("a", editors=("SRE",))
    done(fake, out)
    assert state.data["permissions"][fake.folder] == [*default, *foreign, {"teamId": sre, "permission": 2}]
    fake.fake.forget()
    done(fake, out)
    assert fake.fake.writes == 0


def test_a_viewing_team_becomes_an_editor_and_restore_takes_it_back(fake: Place) -> None:
    assert fake.fake
    state = fake.fake.state
    sre = state.team("SRE")
    done(fake, fake.out("a"))
    state.data["permissions"][fake.folder] = [{"teamId": sre, "permission": 1}]
    done(fake, fake.out("a", editors=("SRE",)))
    assert state.data["permissions"][fake.folder] == [{"teamId": sre, "permission": 2}]
    delivery = Delivery("dev", {"grafana": fake.remote()}, {}, Store(fake.root / ".dashgen"), "")
    assert not fake.push(restored(delivery, None)[1]).failed
    assert state.data["permissions"][fake.folder] == []


def test_an_unknown_team_fails_alone(fake: Place) -> None:
    out = fake.out("a", editors=("Nobody",))
    summary = fake.push(fake.plan(out))
    assert [(each.step.key.kind, each.code) for each in summary.failed] == [("permissions", Exit.PARTIAL)]
    assert "no team “Nobody”" in summary.failed[0].why
    assert {step.key.kind for step in summary.done} == {"folder", "dashboard"}


def test_a_folder_is_renamed_by_uid_and_stays_where_somebody_put_it(tmp_path: Path) -> None:
    with fake_place(tmp_path, "apis") as place:
        done(place, place.out("a"))
        assert place.fake
        state = place.fake.state
        state.write_folder("parent", "All teams", {})
        state.write_folder(place.folder, "Renamed by ann", {"grafana.app/folder": "parent"})
        done(place, place.out("a"))
        held = state.data["folders"][place.folder]
        assert held["title"] == "Team of shop"
        assert held["notes"] == {"grafana.app/folder": "parent"}


def test_the_search_is_read_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grafana_legacy, "PAGE", 2)
    with fake_place(tmp_path, "legacy") as place:
        for number in range(3):
            place.add(f"foreign-{number}", {"title": f"Foreign {number}"})
        done(place, place.out("a", "b", "c"))
        assert place.fake
        place.fake.forget()
        plan = place.plan(place.out("a"))
        assert actions(plan)[f"dashboard {place.uid('c')}"] == "="
        assert sum("/api/search" in each for each in place.fake.seen) == 4
        assert not [each for each in place.fake.seen if "/uid/foreign" in each], "foreign dashboards are not read"


def test_reads_are_bounded(tmp_path: Path) -> None:
    with fake_place(tmp_path, "legacy") as place:
        names = [f"n{number}" for number in range(40)]
        done(place, place.out(*names))
        assert place.fake
        place.fake.forget()
        place.fake.pause = 0.02
        place.plan(place.out(*names), parallel=3)
        assert place.fake.most_at_once == 3


def test_the_api_that_is_asked_for_must_be_there(tmp_path: Path) -> None:
    with fake_place(tmp_path, "legacy") as place, pytest.raises(RemoteError, match="does not have"):
        place.plan(place.out("a"), api="apis")


@pytest.mark.parametrize(
    ("versions", "path"), [(["v1beta1"], "/apis/dashboard.grafana.app/v1beta1/"), (["v2"], "/api/")]
)
def test_the_version_that_the_server_has_is_spoken(tmp_path: Path, versions: list[str], path: str) -> None:
    """Grafana 12 has v1beta1 alone; where there is none that holds classic dashboards, the classic API is taken."""
    with fake_place(tmp_path, "apis") as place:
        assert place.fake
        place.fake.state.data["versions"] = versions
        done(place, place.out("a"))
        assert not place.plan(place.out("a")).todo
        written = [each for each in place.fake.seen if each.startswith("POST") and "dashboards" in each]
        assert len(written) == 1
        assert path in written[0]


def test_an_upgrade_of_grafana_changes_nothing(tmp_path: Path) -> None:
    """What was pushed over one API is ours over the other too."""
    for api, expected in (("legacy", 3), ("apis", 0), ("legacy", 0)):
        with fake_place(tmp_path, api) as place:
            plan = place.plan(place.out("a", "b"))
            assert len(plan.todo) == expected
            assert not plan.conflicts
            place.push(plan)


def test_a_dashboard_that_somebody_moved_is_a_conflict(fake: Place) -> None:
    done(fake, fake.out("a"), allow_ui_edits=True)
    assert fake.fake
    held = fake.fake.state.data["dashboards"][fake.uid("a")]
    held["folder"] = ""
    held["version"], held["rv"] = held["version"] + 1, held["rv"] + 100
    step = next(s for s in fake.plan(fake.out("a"), allow_ui_edits=True).steps if s.key.kind == "dashboard")
    assert step.action is Action.CONFLICT
    assert step.details == (f"folder none → {fake.folder}",)


def test_another_folder_of_the_same_title_is_explained_and_left_alone(tmp_path: Path) -> None:
    with fake_place(tmp_path, "legacy") as place:
        assert place.fake
        state = place.fake.state
        state.data["titles differ"] = True
        state.write_folder("theirs", "Team of shop", {})
        summary = place.push(place.plan(place.out("a")))
        assert [each.why for each in summary.failed] == [
            "Another folder bears the title “Team of shop”. Rename it, or the team."
        ]
        assert [step.key.kind for step in summary.left] == ["dashboard"]
        assert set(state.data["folders"]) == {"theirs"}


def test_a_release_is_annotated_once(fake: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fake.fake
    held = fake.fake.state.data["annotations"]
    done(fake, fake.out("a"))
    assert held == []
    commit = "0123456789abcdef" * 3
    monkeypatch.setenv("GITHUB_SHA", commit[:40])
    for title in ("B", "C"):
        done(fake, fake.out("a", title=title), annotate=True)
    assert [(each["tags"], each["text"]) for each in held] == [
        (["dashgen", "release", f"deploy-id:{commit[:40]}"], "1 dashboard pushed from 0123456789ab")
    ]


def test_dashboards_that_the_strict_validation_refuses_name_the_field(tmp_path: Path) -> None:
    with fake_place(tmp_path, "apis") as place:
        summary = place.push(place.plan(place.out("a", timepicker={"nowDelay": 5})))
        assert [each.status for each in summary.failed] == [422]
        assert "spec.timepicker.nowDelay" in summary.failed[0].why


@pytest.mark.parametrize(("uid", "title"), [("x" * 41, "A"), ("a/b", "A"), ("a", " "), ("a", "x" * 5001)])
def test_what_grafana_cannot_hold_is_refused_before_anything_is_sent(fake: Place, uid: str, title: str) -> None:
    out = fake.out("a")
    data = {**dashboard(title), "uid": uid}
    bad = Artifact("grafana/dashboards/team/bad.json", "service-bad", "dashboard", b"", data)
    with pytest.raises(RemoteError) as caught:
        fake.remote().wanted([*out, bad])
    assert caught.value.code is Exit.USAGE


def test_the_server_is_never_asked_for_a_dry_run_and_its_state_survives_a_restart(tmp_path: Path) -> None:
    with fake_place(tmp_path, "apis") as place:
        done(place, place.out("a"))
        assert place.fake
        assert not [each for each in place.fake.seen if "dryrun" in each.lower()]
        before = json.dumps(place.fake.state.data)
    with fake_place(tmp_path, "apis") as place:
        assert place.fake
        assert json.dumps(place.fake.state.data) == before
        assert not place.plan(place.out("a")).todo


def test_the_worked_example_by_the_command_line(fake: Place, shop: Path, dashgen: Callable[..., Ran]) -> None:
    assert fake.fake
    state, folder = fake.fake.state, shop.parent
    for team in ("commerce-team", "edge-team"):
        state.team(team)
    settings = f'[contexts.dev.grafana]\nurl = "{fake.url}"\ntoken = {{env = "GRAFANA_TOKEN"}}\n'
    (folder / "dashgen.toml").write_text(settings)

    def run(*arguments: str) -> Ran:
        return dashgen(*arguments, cwd=folder, GRAFANA_TOKEN=fake.token.read_text())

    assert run("generate").code == 0
    pushed = run("push", "--yes")
    assert pushed.code == 0, pushed.err
    assert len(state.data["dashboards"]) == len(list(folder.glob("out/grafana/dashboards/*/*.json")))
    fake.fake.forget()
    assert run("plan").code == 0
    assert run("drift").code == 0
    assert fake.fake.writes == 0
    logged = "".join(path.read_text() for path in (folder / ".dashgen").rglob("*") if path.is_file())
    assert fake.token.read_text() not in pushed.out + pushed.err + logged


def test_what_is_for_other_targets_is_not_pushed(tmp_path: Path) -> None:
    """Kinds of other targets in `out/` are not for Grafana's API."""
    with fake_place(tmp_path, "apis") as place:
        other = Artifact("git-sync/team/a.json", "service-a", "git-sync", b"", {"uid": "a"})
        assert {each.key for each in place.remote().wanted([other, *place.out("a")])} == {
            Key("folder", place.folder),
            Key("dashboard", place.uid("a")),
        }
