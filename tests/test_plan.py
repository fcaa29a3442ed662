"""What counts as a change and what does not, and how a change reads."""

from __future__ import annotations

import copy
from typing import Any

import orjson
import pytest

from dashgen.model.change import Action
from dashgen.model.drift import State
from dashgen.model.plan import Plan
from dashgen.model.remote import Found, Key, Mark, ObjectKind, Wanted
from dashgen.plan import digest, drifted, plan_remote
from dashgen.plan.digests import details
from dashgen.push.output import read_output
from dashgen.views.reports import drift_metrics, markdown
from tests.conftest import ROOT

OUT = read_output(ROOT / "out")
KINDS: dict[str, ObjectKind] = {"dashboard": "dashboard", "rules": "rules", "alertmanager": "alertmanager"}


def one(kind: str) -> Any:
    return copy.deepcopy(next(each.data for each in OUT.artifacts if each.kind == kind))


def stored_dashboard(data: dict[str, Any]) -> dict[str, Any]:
    """What Grafana makes of a dashboard when it stores it."""
    panels = [{**p, "pluginVersion": "12.1.0", "transparent": False, "transformations": []} for p in data["panels"]]
    data = {
        **data,
        "panels": panels[::-1],
        "schemaVersion": 42,
        "version": 7,
        "id": 12,
        "preload": False,
        "weekStart": "",
    }
    return {**data, "gnetId": None, "style": "dark", "hideControls": False, "liveNow": False}


def stored_rules(data: dict[str, Any]) -> dict[str, Any]:
    """What a ruler makes of groups."""
    for group in data["groups"]:
        group.update(interval="60s" if group["interval"] == "1m" else group["interval"], limit=0, query_offset="0s")
        for rule in group["rules"]:
            rule["expr"] = " ".join(rule["expr"].split())
            rule.update(
                {"labels": dict(reversed(rule.get("labels", {}).items())), "annotations": rule.get("annotations", {})}
            )
            rule.setdefault("keep_firing_for", "0s")
    return {"groups": data["groups"][::-1]}


def test_what_servers_add_and_reorder_is_no_change() -> None:
    board, rules = one("dashboard"), one("rules")
    assert digest("dashboard", stored_dashboard(copy.deepcopy(board))) == digest("dashboard", board)
    assert digest("rules", stored_rules(copy.deepcopy(rules))) == digest("rules", rules)


@pytest.mark.parametrize("kind", KINDS)
def test_every_change_of_a_leaf_that_counts_is_seen_and_told(kind: str) -> None:
    """Change texts one by one: the digest differs, and the details say something."""
    before = one(kind)
    changed = 0
    for path, value in list(leaves(before))[::7]:
        after = copy.deepcopy(before)
        *way, last = path
        inner = after
        for step in way:
            inner = inner[step]
        inner[last] = f"{value} or other" if last == "expr" else f"{value}x"
        if digest(KINDS[kind], before) != digest(KINDS[kind], after):
            changed += 1
            assert details(KINDS[kind], before, after), path
        else:  # only what no dashboard is about
            assert kind == "dashboard", path
            assert {"current", "options", "schemaVersion", "list"} & set(path), path
    assert changed > 5


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Any:
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(each, (*path, key))
    elif isinstance(value, str):
        yield path, value


def test_details_speak_of_panels_and_queries() -> None:
    def board(unit: str, expr: str) -> dict[str, Any]:
        target = {"refId": "A", "expr": expr}
        panel = {"id": 1, "title": "Error rate", "fieldConfig": {"defaults": {"unit": unit}}, "targets": [target]}
        return {"title": "B", "panels": [panel]}

    assert details("dashboard", board("reqps", "sum(a)"), board("percentunit", "sum( b )")) == (
        "panel “Error rate”: query A: expr sum(a) → sum(b); unit reqps → percentunit",
    )


def test_details_speak_of_rules_by_name() -> None:
    def file(wait: str, expr: str) -> dict[str, Any]:
        burn = {"alert": "ErrorBudgetBurn", "expr": "x", "labels": {"burn": "page-slow"}}
        fast = {"alert": "ErrorBudgetBurn", "expr": expr, "for": wait, "labels": {"burn": "page-fast"}}
        return {"groups": [{"name": "g", "rules": [fast, burn]}]}

    assert details("rules", file("0s", "a > 1"), file("2m", "a>2")) == (
        "alert ErrorBudgetBurn (page-fast): expr a > 1 → a > 2, for 0s → 2m",
    )


@pytest.mark.parametrize(
    "hostile",
    [
        [],
        "x",
        {"panels": 3},
        {"panels": [{"targets": 5, "fieldConfig": []}], "templating": 1},
        {"groups": [{"rules": 1}]},
        {"groups": 7},
        {"receivers": [1, None]},
        None,
    ],
)
def test_whatever_shape_a_server_holds_is_compared(hostile: Any) -> None:
    for kind in KINDS.values():
        assert len(digest(kind, hostile)) == 16
        assert digest(kind, hostile) != digest(kind, one(kind))
        assert details(kind, hostile, one(kind))


def test_what_is_not_ours_is_a_conflict_and_adopt_takes_only_what_nobody_manages() -> None:
    key = Key("rules", "a")
    want = Wanted(key, "a", {"groups": [{"name": "g"}]}, "o")
    mark = Mark("shop", digest("rules", want.data))
    for found, plain, adopted in (
        (Found(key, "a", {"groups": []}, None), Action.CONFLICT, Action.UPDATE),
        (Found(key, "a", want.data, None), Action.CONFLICT, Action.UPDATE),
        (Found(key, "a", want.data, Mark("other", mark.digest)), Action.CONFLICT, Action.CONFLICT),
        (Found(key, "a", {}, mark, managed_by="terraform"), Action.CONFLICT, Action.CONFLICT),
        (Found(key, "a", {"groups": []}, mark), Action.CONFLICT, Action.UPDATE),
        (Found(key, "a", want.data, mark), Action.KEEP, Action.KEEP),
        (Found(key, "a", want.data, Mark("shop", "0" * 16)), Action.UPDATE, Action.UPDATE),
    ):
        for adopt, action in ((False, plain), (True, adopted)):
            (step,) = plan_remote("r", "shop", [want], [found], adopt=adopt)
            assert step.action is action, (found, adopt)


def test_drift_tells_edited_missing_and_foreign_apart_and_metrics_fall_to_zero() -> None:
    wants = [Wanted(Key("rules", name), name, {"groups": [{"name": name}]}, "o") for name in "abc"]
    mark = Mark("shop", digest("rules", wants[0].data))
    edited = Found(wants[0].key, "a", {"groups": []}, mark, edited_by="ann")
    seen = drifted("r", "shop", wants, [edited, Found(wants[1].key, "b", {}, None)], {})
    assert [each.state for each in seen] == [State.EDITED, State.FOREIGN, State.MISSING]
    assert seen[0].details == ("group a: removed, 0 rules",)
    text = drift_metrics('s"h', "dev", seen[:1], 5)
    assert 'dashgen_drift_objects{graph="s\\"h",context="dev",remote="r",kind="rules",state="edited"} 1' in text
    assert 'state="missing"} 0' in text


def test_a_comment_holds_no_markup_of_strangers() -> None:
    found = Found(Key("dashboard", "a"), "a", {"title": "</details><img src=x> @ann `x` \x1b[31m"}, None)
    want = Wanted(found.key, "a", {"title": "A"}, "o")
    comment = markdown(Plan("dev", "shop", tuple(plan_remote("r", "shop", [want], [found]))))
    assert "<img" not in comment
    assert "\x1b" not in comment
    assert "@ann" not in comment
    assert comment.count("</details>") == 1
    assert orjson.dumps(comment)
