"""Grafana's refusals and broken connections: reported or overcome, nothing is done twice, nothing foreign changes."""

from __future__ import annotations

import contextlib
import copy
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashgen.diagnostics import RunError
from dashgen.exits import Exit
from dashgen.model.remote import Key, Mark
from dashgen.push import transport
from dashgen.push.engine import exit_code
from dashgen.push.remotes import RemoteError, grafana
from tests.fakes.grafana import FAULTS
from tests.grafana import Place, dashboard, fake_place

APIS = ["apis", "legacy"]


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses between tries, shortened; their number stays."""
    monkeypatch.setattr(transport, "_pauses", lambda: iter([0.01] * (transport.TRIES - 1) + [0.0]))
    monkeypatch.setattr(grafana, "PAUSES", tuple(min(pause, 0.01) for pause in grafana.PAUSES))


@pytest.fixture(params=APIS)
def fake(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with fake_place(tmp_path, request.param) as place:
        yield place


@pytest.mark.parametrize("fault", ["429", "500", "503", "cut", "lost", "slow"])
def test_what_passes_is_waited_for_and_done_once(fake: Place, fault: str) -> None:
    """A lost answer to a write is looked for: the retry finds what it wrote, and no version is made twice."""
    assert fake.fake
    plan = fake.plan(fake.out("a", "b", "c"))
    fake.fake.fail(fault, fault, fault, writes=True)
    summary = fake.push(plan)
    assert not summary.failed, [each.why for each in summary.failed]
    held = fake.fake.state.data["dashboards"].values()
    assert [each["version"] for each in held] == [1, 1, 1]
    update = fake.plan(fake.out("a", "b", "c", title="new"))
    fake.fake.fail(fault, fault, writes=True)
    assert not fake.push(update).failed
    assert [each["version"] for each in fake.fake.state.data["dashboards"].values()] == [2, 2, 2]
    prune = fake.plan(fake.out(), prune=True)
    fake.fake.fail(fault, fault, writes=True)
    assert not fake.push(prune).failed
    assert not fake.fake.state.data["dashboards"]


@pytest.mark.parametrize(
    ("fault", "code"), [("403", Exit.REFUSED), ("404", Exit.PARTIAL), ("409", Exit.PARTIAL), ("412", Exit.PARTIAL)]
)
def test_what_does_not_pass_is_reported_for_the_object_alone(fake: Place, fault: str, code: Exit) -> None:
    assert fake.fake
    plan = fake.plan(fake.out("a", "b", "c"))
    fake.fake.fail(None, fault, writes=True)
    summary = fake.push(plan)
    assert [(each.status, each.code) for each in summary.failed] == [(int(fault), code)]
    assert len(summary.done) == 3
    assert exit_code(summary) is Exit.PARTIAL
    assert len(fake.plan(fake.out("a", "b", "c")).todo) == 1


def test_a_wrong_token_is_refused_and_never_shown(fake: Place) -> None:
    fake.token.write_text("glsa_secret_wrong")
    with pytest.raises(RemoteError) as caught:
        fake.plan(fake.out("a"))
    assert caught.value.code is Exit.REFUSED
    assert "glsa" not in str(caught.value)


def test_nobody_there_is_unreachable(tmp_path: Path) -> None:
    with fake_place(tmp_path, "apis") as place:
        out = place.out("a")
    with pytest.raises(RemoteError) as caught:
        place.plan(out)
    assert caught.value.code is Exit.UNREACHABLE


def test_the_page_of_a_login_is_explained(fake: Place) -> None:
    assert fake.fake
    fake.fake.fail(*["html"] * 20)
    with pytest.raises(RemoteError, match="instead of JSON"):
        fake.plan(fake.out("a"), api="legacy")


def test_a_write_that_a_login_page_answered_is_not_done(fake: Place) -> None:
    assert fake.fake
    fake.push(fake.plan(fake.out("a", "b")))
    fake.fake.state.team("SRE")
    for out in (fake.out("a", "b", title="new"), fake.out("a"), fake.out("a", editors=("SRE",))):
        plan = fake.plan(out, prune=True)
        fake.fake.fail(*["html"] * len(plan.todo), writes=True)
        summary = fake.push(plan)
        assert len(summary.failed) == len(plan.todo) > 0
        assert "instead of JSON" in summary.failed[0].why
        fake.push(fake.plan(out, prune=True))


def test_a_server_that_is_too_slow_is_given_up(fake: Place) -> None:
    assert fake.fake
    fake.fake.fail(*["slow"] * 40)
    with pytest.raises(RemoteError) as caught:
        fake.plan(fake.out("a"), timeout=0.05)
    assert caught.value.code is Exit.UNREACHABLE


def test_an_overwriting_that_never_arrived_is_done_again(fake: Place) -> None:
    """The mark of what was edited is the mark of what is wanted, so the mark alone does not tell that it arrived."""
    assert fake.fake
    out = fake.out("a")
    fake.push(fake.plan(out))
    _edit(fake, True)
    plan = fake.plan(out, adopt=True)
    fake.fake.fail("cut", writes=True)
    assert len(fake.push(plan).done) == 1
    assert fake.fake.state.data["dashboards"][fake.uid("a")]["spec"]["title"] == "a"


def test_somebody_who_was_faster_while_an_answer_was_lost_is_not_overwritten(
    fake: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fake.fake
    fake.push(fake.plan(fake.out("a"), allow_ui_edits=True), allow_ui_edits=True)
    step = fake.plan(fake.out("a", title="ours"), allow_ui_edits=True).todo[0]

    def meanwhile(seconds: float) -> None:
        fake.edit(fake.uid("a"), lambda data: data.update(title="Ann's"))

    fake.fake.fail("cut", writes=True)
    monkeypatch.setattr(grafana, "time", SimpleNamespace(sleep=meanwhile))
    with pytest.raises(RemoteError) as caught:
        fake.remote(allow_ui_edits=True).apply(step, Mark(fake.graph, step.after))
    assert caught.value.stale
    assert fake.fake.state.data["dashboards"][fake.uid("a")]["spec"]["title"] == "Ann's"


@pytest.mark.parametrize(("faults", "expected"), [(["lost"], 1), (["500"], 1), (["cut"], 1), (["403"], 0)])
def test_an_annotation_is_made_once_or_reported(
    fake: Place, monkeypatch: pytest.MonkeyPatch, faults: list[str], expected: int
) -> None:
    assert fake.fake
    monkeypatch.setenv("CI_COMMIT_SHA", "a" * 40)
    plan = fake.plan(fake.out("a"))
    fake.fake.fail(None, None, *faults, writes=True)
    summary = fake.push(plan, annotate=True)
    assert len(fake.fake.state.data["annotations"]) == expected
    assert [each.step.key.kind for each in summary.failed] == ["annotation"] * (1 - expected)
    assert len(summary.done) == 2


@pytest.mark.parametrize("shape", [None, [], "text", {"spec": None}, {"dashboard": 7}, {"items": [1, None, {}]}])
def test_answers_of_any_shape_are_survived(fake: Place, shape: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may send what it likes; none of it becomes ours, and none of it ends in a traceback."""
    remote, keys = fake.remote(), [Key("dashboard", "a"), Key("folder", "f"), Key("permissions", "f")]
    remote.found(fake.graph, keys)
    monkeypatch.setattr(transport.Answer, "json", lambda self: copy.deepcopy(shape))
    assert all(each.mark is None for each in remote.found(fake.graph, keys))


@dataclass(frozen=True)
class Round:
    """A push of some dashboards, after an edit of the first that is there, and what befalls its requests."""

    names: list[str]
    title: str
    edited: bool
    faults: list[str | None]
    only_writes: bool


NAMES = st.lists(st.sampled_from("abcdef"), unique=True, max_size=6)
FAULT = st.sampled_from([None, *(each for each in FAULTS if each != "slow")])
ROUND = st.builds(
    Round, NAMES, st.sampled_from(["one", "two"]), st.booleans(), st.lists(FAULT, max_size=14), st.booleans()
)


@pytest.mark.parametrize("api", APIS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=st.lists(ROUND, max_size=4), names=NAMES)
def test_after_any_faults_one_clean_push_reaches_what_is_wanted(
    api: str, rounds: list[Round], names: list[str]
) -> None:
    """Whatever befell the pushes before, and nothing foreign has changed by any of them."""
    with tempfile.TemporaryDirectory() as folder, fake_place(Path(folder), api) as place:
        assert place.fake
        state = place.fake.state
        place.add("shop-foreign", dashboard("Foreign"))
        state.write_folder("foreign", "Foreign", {})
        foreign = copy.deepcopy({kind: state.data[kind] for kind in ("dashboards", "folders", "permissions")})
        team = state.team("SRE")
        for each in rounds:
            _edit(place, each.edited)
            place.fake.fail(*each.faults, writes=each.only_writes)
            with contextlib.suppress(RunError):
                out = place.out(*each.names, title=each.title, editors=("SRE",))
                summary = place.push(place.plan(out, prune=True, adopt=True))
                place.fake.fail()
                if not summary.failed and not summary.left:
                    assert not place.plan(out, prune=True).todo, "what is called done is done"
        place.fake.fail()
        out = place.out(*names, title="one", editors=("SRE",))
        plan = place.plan(out, prune=True, adopt=True)
        assert not plan.conflicts
        summary = place.push(plan)
        assert not summary.failed, [failure.why for failure in summary.failed]
        assert set(state.data["dashboards"]) == {"shop-foreign", *map(place.uid, names)}
        assert {"teamId": team, "permission": 2} in state.data["permissions"][place.folder]
        place.fake.forget()
        assert not place.plan(out, prune=True).todo
        assert place.fake.writes == 0
        for kind, before in foreign.items():
            assert {uid: state.data[kind][uid] for uid in before} == before


def _edit(place: Place, wanted: bool) -> None:
    """Somebody changes the first dashboard of ours in the browser."""
    assert place.fake
    state = place.fake.state
    ours = sorted(uid for uid in state.data["dashboards"] if uid.startswith("shop-service-"))
    if wanted and ours:
        held = state.data["dashboards"][ours[0]]
        held["spec"]["title"] = "Edited"
        held["version"], held["rv"] = held["version"] + 1, state.number()
