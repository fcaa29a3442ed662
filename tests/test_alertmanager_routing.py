"""Alerts of our routes followed through somebody's whole configuration, beside what amtool says of the same alerts."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dashgen.exits import Exit
from dashgen.model.remote import Mark
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.merge import merged, part_of
from dashgen.push.remotes.routing import note_on_receivers, receivers_of
from tests.conftest import ROOT, tool

PART = part_of(yaml.safe_load((ROOT / "out" / "alertmanager" / "alertmanager.yaml").read_text()))
ALL = "slack-commerce, pagerduty-commerce, slack-edge, pagerduty-edge"
RECEIVERS = "receivers:\n- name: root\n- name: other\n"


def note(*before: str, receivers: str = RECEIVERS) -> str:
    """What is said where these routes, written as YAML flow mappings, stand before ours."""
    routes = "".join(f"  - {each}\n" for each in before)
    theirs = f"route:\n  receiver: root\n{'  routes:' if before else ''}\n{routes}{receivers}"
    return note_on_receivers(theirs, PART, "shop", "am.yml")


@pytest.mark.parametrize(
    ("route", "told", "lost"),
    [
        ("{receiver: other}", "other (no matchers)", ALL),
        ("{matchers: [alertname!=Watchdog]}", 'root (alertname!="Watchdog")', ALL),
        ("{receiver: other, matchers: ['env=~\"p.*\"']}", 'other (env=~"p.*")', ALL),
        ("{receiver: other, matchers: ['severity = \"page\"']}", "other", "pagerduty-commerce, pagerduty-edge"),
        ("{receiver: other, match: {team: edge}}", "other", "slack-edge, pagerduty-edge"),
        ("{receiver: other, match_re: {severity: page|critical}}", "other", "pagerduty-commerce, pagerduty-edge"),
        ('{receiver: other, matchers: [\'{team="edge",severity!~"warn.*"}\']}', "other", "slack-edge, pagerduty-edge"),
        ("{receiver: other, routes: [{continue: true}]}", "other", ALL),
    ],
)
def test_a_route_that_takes_our_alerts_stops_the_plan_and_is_named(route: str, told: str, lost: str) -> None:
    with pytest.raises(RemoteError, match="continue: true") as caught:
        note(route)
    assert told in str(caught.value)
    assert f"takes what is for {lost}." in str(caught.value)
    assert caught.value.code is Exit.USAGE


@pytest.mark.parametrize(
    "route",
    [
        "{receiver: other, continue: true}",
        "{receiver: other, matchers: [alertname=Watchdog]}",
        "{receiver: other, matchers: [team=edge, app=old]}",
        "{receiver: other, matchers: [cluster!=here]}",
        "{receiver: other, matchers: ['severity=~\"(\"']}",
        "{receiver: other, matchers: ['what is this']}",
    ],
)
def test_a_route_that_lets_our_alerts_pass_or_may_do_so_is_left_alone(route: str) -> None:
    assert note(route)


def test_a_route_of_theirs_to_the_receivers_that_we_name_is_as_good_as_ours() -> None:
    theirs = (
        "{matchers: [team=edge], receiver: slack-edge, routes: [{match: {severity: page}, receiver: pagerduty-edge}]}"
    )
    assert note(theirs)


def test_a_graph_whose_team_has_other_receivers_elsewhere_is_told_which() -> None:
    other = {"routes": [{"receiver": "root", "matchers": ['team="edge"', 'env="prod"']}], "inhibit_rules": []}
    theirs = merged(f"route:\n  receiver: root\n{RECEIVERS}", other, Mark("bank", "0" * 16), "am.yml")
    with pytest.raises(RemoteError, match="of the graph bank takes what is for slack-edge, pagerduty-edge"):
        note_on_receivers(theirs, PART, "shop", "am.yml")


def test_receivers_that_notify_nobody_are_told_until_they_are_filled() -> None:
    assert note() == f"receivers that notify nobody until you fill them: {ALL}"
    filled = [f"- name: {each}\n  webhook_configs: [{{url: 'http://x'}}]\n" for each in ALL.split(", ")]
    assert note(receivers=RECEIVERS + "".join(filled[1:])).endswith(": slack-commerce")
    assert note(receivers=RECEIVERS + "".join(filled)) == ""


matchers = st.sampled_from(
    ['severity="page"', "team=~edge|data", 'env!="prod"', 'a!~"x.*"', '{team="edge", env!=dev}', 'team =~ "\\\\w+"']
)
routes: Any = st.deferred(
    lambda: st.fixed_dictionaries(
        {},
        optional={
            "receiver": st.sampled_from("abc"),
            "matchers": st.lists(matchers, max_size=2),
            "match_re": st.just({"team": "e.*"}),
            "continue": st.booleans(),
            "routes": st.lists(routes, max_size=2),
        },
    )
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(routes, min_size=1, max_size=4))
def test_an_alert_ends_where_amtool_says(tmp_path_factory: pytest.TempPathFactory, listed: list[Any]) -> None:
    labels = {"team": "edge", "env": "prod", "severity": "page", "a": "b"}
    root = {"receiver": "root", "routes": listed}
    file = tmp_path_factory.mktemp("am") / "am.yml"
    file.write_text(yaml.safe_dump({"route": root, "receivers": [{"name": each} for each in ("root", *"abc")]}))
    pairs = [f"{name}={value}" for name, value in labels.items()]
    command = [tool("amtool"), "config", "routes", "test", f"--config.file={file}", *pairs]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip().split(",") == list(receivers_of(root, labels))
