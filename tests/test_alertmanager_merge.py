"""Our part of an Alertmanager configuration in somebody's own file: put in, found again, taken out without a trace."""

from __future__ import annotations

import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dashgen.model.remote import Mark
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.merge import found_part, merged, part_of, removed
from tests.conftest import ROOT, tool

GENERATED = yaml.safe_load((ROOT / "out" / "alertmanager" / "alertmanager.yaml").read_text())
PART = part_of(GENERATED)
MARK = Mark("shop", "0123456789abcdef")
THEIRS = """\
# Ours since 2019.  Do not sort.
global:
  slack_api_url: 'https://hooks.example.com/secret'   # a secret

route:
    receiver: everything
    group_by: ['alertname']
    routes:
    - receiver: "slack-edge"     # the team's own alerts
      matchers: [ 'team="edge"', 'app="old"' ]
    # the last word

receivers:
  - name: everything
  - name: slack-edge
    webhook_configs: [{url: 'https://hooks.example.com/x'}]
# the end
"""


def accepted(text: str, folder: Path) -> None:
    """Amtool loads it."""
    file = folder / "alertmanager.yml"
    file.write_bytes(text.encode())
    done = subprocess.run([tool("amtool"), "check-config", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_everything_of_theirs_keeps_every_byte(tmp_path: Path) -> None:
    made = merged(THEIRS, PART, MARK, "am.yml")
    accepted(made, tmp_path)
    assert removed(made, "shop", "am.yml") == THEIRS
    left = [line for line in made.splitlines() if line in THEIRS.splitlines()]
    assert left == THEIRS.splitlines()
    assert made.count("hooks.example.com/x") == 1


def test_our_routes_come_last_and_their_receivers_are_used(tmp_path: Path) -> None:
    made = yaml.safe_load(merged(THEIRS, PART, MARK, "am.yml"))
    assert [route["receiver"] for route in made["route"]["routes"]] == ["slack-edge", "slack-commerce", "slack-edge"]
    assert [each["name"] for each in made["receivers"]] == [
        "everything",
        "slack-edge",
        "slack-commerce",
        "pagerduty-commerce",
        "pagerduty-edge",
    ]
    assert made["receivers"][1]["webhook_configs"]
    assert made["inhibit_rules"] == GENERATED["inhibit_rules"]
    assert made["route"]["receiver"] == "everything"
    file = tmp_path / "am.yml"
    file.write_text(merged(THEIRS, PART, MARK, "am.yml"))
    for labels, receiver in (
        ({"team": "edge", "env": "prod", "severity": "page"}, "pagerduty-edge"),
        ({"team": "edge", "app": "old", "env": "prod", "severity": "page"}, "slack-edge"),
        ({"team": "nobody"}, "everything"),
    ):
        pairs = [f"{name}={value}" for name, value in labels.items()]
        command = [
            tool("amtool"),
            "config",
            "routes",
            "test",
            f"--config.file={file}",
            f"--verify.receivers={receiver}",
        ]
        done = subprocess.run([*command, *pairs], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_our_part_is_found_as_it_was_put_in() -> None:
    assert found_part(THEIRS, "shop", "am.yml") is None
    made = merged(THEIRS, PART, MARK, "am.yml")
    assert found_part(made, "shop", "am.yml") == (PART, MARK)
    edited = made.replace("group_wait: 15s", "group_wait: 16s", 1)
    part, mark = found_part(edited, "shop", "am.yml") or ({}, None)
    assert mark == MARK
    assert part != PART


def test_a_second_merge_replaces_the_first_and_graphs_do_not_meet() -> None:
    once = merged(THEIRS, PART, MARK, "am.yml")
    assert merged(once, PART, MARK, "am.yml") == once
    other = {**PART, "routes": [{"receiver": "x", "matchers": ['team="x"']}]}
    both = merged(once, other, Mark("bank", "f" * 16), "am.yml")
    assert found_part(both, "shop", "am.yml") == (PART, MARK)
    assert removed(both, "bank", "am.yml") == once
    assert removed(removed(both, "shop", "am.yml"), "bank", "am.yml") == THEIRS
    assert removed(merged(once, {"routes": [], "inhibit_rules": []}, MARK, "am.yml"), "shop", "am.yml") == THEIRS


FILLED = """\
# whoever is on call this week
- name: pagerduty-edge  # theirs
  pagerduty_configs:
  - routing_key: 's3cr3t'
  # and by telephone, one day
"""


def filled(text: str) -> str:
    """The file after its owner filled the receiver where dashgen put it."""
    return text.replace("  - name: pagerduty-edge\n", textwrap.indent(FILLED, "  "))


def test_a_receiver_that_was_filled_in_our_block_keeps_every_byte(tmp_path: Path) -> None:
    once = filled(merged(THEIRS, PART, MARK, "am.yml"))
    another = {**PART, "routes": [*PART["routes"], {"receiver": "slack-data", "matchers": ['team="data"']}]}
    made = merged(once, another, Mark("shop", "f" * 16), "am.yml")
    accepted(made, tmp_path)
    assert textwrap.indent(FILLED, "  ") in made
    receivers = yaml.safe_load(made)["receivers"]
    assert {each["name"]: set(each) for each in receivers} == {
        "everything": {"name"},
        "slack-edge": {"name", "webhook_configs"},
        "pagerduty-edge": {"name", "pagerduty_configs"},
        "slack-commerce": {"name"},
        "pagerduty-commerce": {"name"},
        "slack-data": {"name"},
    }
    assert merged(made, another, Mark("shop", "f" * 16), "am.yml") == made
    assert removed(made, "shop", "am.yml") == removed(once, "shop", "am.yml")


def test_a_bare_receiver_that_nobody_needs_goes_and_a_filled_one_stays() -> None:
    once = filled(merged(THEIRS, PART, MARK, "am.yml"))
    made = removed(once, "shop", "am.yml")
    assert made.replace(textwrap.indent(FILLED, "  "), "") == THEIRS
    assert made != THEIRS
    other = {"routes": [{"receiver": "slack-commerce"}], "inhibit_rules": []}
    left = yaml.safe_load(merged(once, other, MARK, "am.yml"))["receivers"]
    assert [each["name"] for each in left] == ["everything", "slack-edge", "pagerduty-edge", "slack-commerce"]


def test_a_receiver_that_was_filled_in_a_list_of_our_own_keeps_its_list() -> None:
    theirs = "route:\n  receiver: slack-commerce\n"
    made = filled(merged(theirs, PART, MARK, "am.yml"))
    again = merged(made, PART, MARK, "am.yml")
    assert yaml.safe_load(again)["receivers"][0]["pagerduty_configs"]
    assert merged(again, PART, MARK, "am.yml") == again
    assert again.count("receivers:") == 1


def test_a_receiver_that_was_filled_in_the_block_of_one_graph_serves_another() -> None:
    other = Mark("bank", "f" * 16)
    both = filled(merged(merged(THEIRS, PART, MARK, "am.yml"), PART, other, "am.yml"))
    made = removed(merged(both, PART, MARK, "am.yml"), "bank", "am.yml")
    assert made.count("name: pagerduty-edge") == 1
    assert textwrap.indent(FILLED, "  ") in made
    assert found_part(made, "shop", "am.yml") == (PART, MARK)


def test_a_file_that_ends_with_its_route_takes_our_part(tmp_path: Path) -> None:
    theirs = "receivers:\n- name: everything\nroute:\n  receiver: everything\n"
    made = merged(theirs, PART, MARK, "am.yml")
    accepted(made, tmp_path)
    assert removed(made, "shop", "am.yml") == theirs


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no `route`"),
        ("global: {}\n", "no `route`"),
        ("route: {receiver: a}\nreceivers:\n- name: a\n", "braces"),
        ("route:\n  receiver: a\n  routes: []\nreceivers:\n- name: a\n", "block list"),
        ("route:\n  receiver: a\nreceivers: [{name: a}]\n", "block list"),
    ],
)
def test_what_cannot_be_merged_is_said(text: str, why: str) -> None:
    with pytest.raises(RemoteError, match=why):
        merged(text, PART, MARK, "am.yml")


def test_text_that_is_no_yaml_is_said() -> None:
    with pytest.raises(Exception, match=r"am\.yml is not valid YAML"):
        merged("route: [", PART, MARK, "am.yml")


comments = st.sampled_from(["", "  # why", " # >>> not ours"])
names = st.sampled_from(["a", "slack-edge", "'quoted: x'", '"\\u00e9 \\" }"', "pagerduty-commerce"])


@st.composite
def configurations(draw: st.DrawFn) -> str:
    """Files as people write them: any order, any indent, comments, lists that are missing or empty, no last newline."""
    step = " " * draw(st.integers(1, 5))
    dash = draw(st.sampled_from(["", step]))
    routes = "".join(
        f"{step}{dash}- receiver: {draw(names)}{draw(comments)}\n{step}{dash}  matchers: ['x=\"{number}\"']\n"
        for number in range(draw(st.integers(0, 3)))
    )
    head = draw(st.sampled_from(["", f"{step}routes:\n"])) if not routes else f"{step}routes:{draw(comments)}\n"
    route = f"route:{draw(comments)}\n{step}receiver: a\n{head}{routes}"
    receivers = "receivers:\n" + "".join(
        f"{dash}- name: {each}{draw(comments)}\n"
        for each in ("a", "slack-edge", "'quoted: x'", '"\\u00e9 \\" }"', "pagerduty-commerce")
    )
    inhibit = draw(
        st.sampled_from(
            ["", "inhibit_rules:\n", f"inhibit_rules:\n{dash}- source_matchers: [a=b]\n{dash}  equal: [x]\n"]
        )
    )
    other = draw(st.sampled_from(["", "global:\n  resolve_timeout: 5m\n\n", "templates: []\n", "# only words\n"]))
    text = "".join(draw(st.permutations([route, receivers, inhibit, other])))
    text = draw(st.sampled_from([text, text + "# end\n", text + "\n\n", text.rstrip("\n"), "---\n" + text]))
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


@settings(max_examples=150, deadline=None, derandomize=True)
@given(configurations())
def test_whatever_people_write_stays(text: str) -> None:
    made = merged(text, PART, MARK, "am.yml")
    assert removed(made, "shop", "am.yml") == text
    assert found_part(made, "shop", "am.yml") == (PART, MARK)
    before: Any = yaml.safe_load(text)
    after = yaml.safe_load(made)
    assert after["route"]["routes"] == [*(before["route"].get("routes") or []), *PART["routes"]]
    assert after["inhibit_rules"] == [*(before.get("inhibit_rules") or []), *PART["inhibit_rules"]]
    assert after["receivers"][: len(before["receivers"])] == before["receivers"]
    assert merged(made, PART, MARK, "am.yml") == made
