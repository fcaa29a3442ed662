"""Alerts of our routes followed through somebody's whole configuration, beside what amtool says of the same alerts."""

from __future__ import annotations

import subprocess
from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dashgen.model.remote import Key, Mark, Wanted
from dashgen.push.output import read_output
from dashgen.push.remotes.alert_labels import alert_labels
from dashgen.push.remotes.arrival import followed
from dashgen.push.remotes.merge import merged, part_of
from dashgen.push.remotes.routing import Labels, receivers_of
from tests.conftest import ROOT, tool

PART = part_of(yaml.safe_load((ROOT / "out" / "alertmanager" / "alertmanager.yaml").read_text()))
ALL = "slack-commerce, pagerduty-commerce, slack-edge, pagerduty-edge"
RECEIVERS = "receivers:\n- name: root\n- name: other\n"


SHOP = Wanted(Key("alertmanager", "shop"), "am.yml", PART, "graph-shop")


@cache
def alerts() -> list[Labels]:
    return alert_labels(read_output(ROOT / "out").artifacts)


def config(*before: str, receivers: str = RECEIVERS) -> str:
    """A configuration with these routes, written as YAML flow mappings."""
    routes = "".join(f"  - {each}\n" for each in before)
    return f"route:\n  receiver: root\n{'  routes:' if before else ''}\n{routes}{receivers}"


def told(*before: str, receivers: str = RECEIVERS) -> Wanted:
    """What is said where these routes stand before ours."""
    return followed(SHOP, config(*before, receivers=receivers), alerts())


@pytest.mark.parametrize(
    ("route", "taker", "lost"),
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
def test_a_route_that_takes_our_alerts_stops_the_plan_and_is_named(route: str, taker: str, lost: str) -> None:
    refused = told(route).refused
    assert "continue: true" in refused
    assert taker in refused
    assert f"takes what is for {lost}." in refused


@pytest.mark.parametrize(
    ("route", "taken"),
    [
        ("{receiver: other, matchers: [service=orders]}", "slack-commerce, pagerduty-commerce: ErrorBudgetBurn, "),
        ("{receiver: other, matchers: ['service=~\".+\"']}", "slack-edge, pagerduty-edge: "),
        ("{receiver: other, matchers: ['slo!=\"\"']}", "ErrorBudgetBurn"),
        ("{receiver: other, matchers: [alertname=ServiceVanished]}", "pagerduty-edge: ServiceVanished"),
        ("{receiver: other, matchers: [chain=checkout, burn=page-fast]}", "for pagerduty-edge: ChainBudgetBurn"),
    ],
)
def test_a_route_that_takes_some_of_our_alerts_is_named_beside_the_object(route: str, taken: str) -> None:
    said = told(route).note
    assert said.startswith("the route to other (")
    assert " takes some of what is for " in said
    assert taken in said


def test_a_route_that_leaves_a_receiver_nothing_stops_the_plan() -> None:
    """Commerce has no chain, so that all its pages bear a service; its tickets are about the graph, too."""
    refused = told("{receiver: other, matchers: ['service!=\"\"']}").refused
    assert "takes what is for pagerduty-commerce." in refused


def test_what_was_pushed_and_is_taken_since_is_lost() -> None:
    pushed = merged(config("{receiver: other, matchers: [a=b]}"), PART, Mark("shop", "0" * 16), "am.yml")
    assert followed(SHOP, pushed, alerts()).lost == ()
    lost = followed(SHOP, pushed.replace("other, matchers: [a=b]", "other"), alerts()).lost
    assert lost == (f"the route to other (no matchers) takes what is for {ALL}",)


@pytest.mark.parametrize(
    "route",
    [
        "{receiver: other, continue: true}",
        "{receiver: other, matchers: [alertname=Watchdog]}",
        "{receiver: other, matchers: [team=edge, app=old]}",
        "{receiver: other, matchers: [cluster!=here]}",
        "{receiver: other, matchers: ['severity=~\"(\"']}",
        "{receiver: other, matchers: ['what is this']}",
        "{receiver: other, matchers: 5}",
    ],
)
def test_a_route_that_lets_our_alerts_pass_or_may_do_so_is_left_alone(route: str) -> None:
    assert (told(route).refused, told(route).note) == ("", told().note)


def test_a_route_of_theirs_to_the_receivers_that_we_name_is_as_good_as_ours() -> None:
    theirs = (
        "{matchers: [team=edge], receiver: slack-edge, routes: [{match: {severity: page}, receiver: pagerduty-edge}]}"
    )
    assert told(theirs).refused == ""


def test_a_graph_whose_team_has_other_receivers_elsewhere_is_told_which() -> None:
    other = {"routes": [{"receiver": "root", "matchers": ['team="edge"', 'env="prod"']}], "inhibit_rules": []}
    theirs = merged(f"route:\n  receiver: root\n{RECEIVERS}", other, Mark("bank", "0" * 16), "am.yml")
    refused = followed(SHOP, theirs, alerts()).refused
    assert "of the graph bank takes what is for slack-edge, pagerduty-edge" in refused


def test_a_push_that_would_take_the_alerts_of_another_graph_is_refused() -> None:
    other = {"routes": [{"receiver": "root", "matchers": ['team="edge"', 'env="prod"']}], "inhibit_rules": []}
    theirs = merged(config(), other, Mark("tiny", "0" * 16), "am.yml")
    refused = followed(SHOP, theirs, alerts()).refused
    route = 'the route to slack-edge (team="edge", env="prod") of the graph shop'
    assert f"With them, {route} takes what is for root of the graph tiny" in refused
    robbed = merged(theirs, PART, Mark("shop", "0" * 16), "am.yml")
    assert followed(SHOP, robbed, alerts()).refused == "", "what is lost already is told to its owner"


def test_receivers_that_notify_nobody_are_told_until_they_are_filled() -> None:
    assert told().note == f"receivers that notify nobody until you fill them: {ALL}"
    filled = [f"- name: {each}\n  webhook_configs: [{{url: 'http://x'}}]\n" for each in ALL.split(", ")]
    assert told(receivers=RECEIVERS + "".join(filled[1:])).note.endswith(": slack-commerce")
    assert told(receivers=RECEIVERS + "".join(filled)).note == ""


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
