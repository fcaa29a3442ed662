"""Our part of an Alertmanager configuration in the one document that Mimir and Cortex keep per tenant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashgen.exits import Exit
from dashgen.model.artifact import Artifact
from dashgen.model.change import Action
from dashgen.model.plan import Plan, Summary
from dashgen.model.remote import Mark
from dashgen.plan import content, plan_remote
from dashgen.push.engine import Push, exit_code
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.alertmanager_api import AlertmanagerApi
from dashgen.push.settings import RemoteSettings
from dashgen.push.store import Store
from tests.fakes.mimir import FakeMimir, running_mimir
from tests.fakes.mimir_state import State

pytestmark = pytest.mark.usefixtures("hurried")

SECRET = "xoxb-hunter2"
THEIRS = f"""\
# ours since 2019 🙂
global:
  slack_api_url: "https://hooks.example.com/{SECRET}"
route:
  receiver: 'mine'   # by hand
  routes:
  - matchers: [team="x"]
    receiver: mine
receivers:
- name: mine
- name: slack-edge
  slack_configs: [{{channel: '#a', api_url: 'https://hooks.example.com/{SECRET}'}}]
"""
TEMPLATES = {"a.tmpl": '{{ define "x" }}\u2028\x85é\n{{ end }}'}


def generated(severity: str = "page") -> dict[str, Any]:
    child = {"matchers": ['team="edge"', f'severity="{severity}"'], "receiver": "slack-edge"}
    return {"route": {"receiver": "slack-edge", "group_by": ["env"], "routes": [child]}, "receivers": []}


class Tenant:
    """A tenant with a configuration of somebody's, and pushes to it."""

    def __init__(self, server: FakeMimir, root: Path):
        self.server, self.root = server, root
        server.state.configs["shop"] = {"template_files": dict(TEMPLATES), "alertmanager_config": THEIRS}
        self.remote = AlertmanagerApi(RemoteSettings("am", "mimir-alertmanager", server.url, tenant="shop", timeout=5))
        self.wanted: list[dict[str, Any]] = [generated()]

    @property
    def document(self) -> dict[str, Any]:
        return self.server.state.configs["shop"]

    def plan(self, **options: bool) -> Plan:
        path = "alertmanager/alertmanager.yaml"
        wanted = self.remote.wanted(Artifact(path, "graph-shop", "alertmanager", b"", each) for each in self.wanted)
        found = self.remote.found("shop", [each.key for each in wanted])
        return Plan("dev", "shop", tuple(plan_remote("am", "shop", wanted, found, **options)))

    def push(self, plan: Plan | None = None, **options: bool) -> Summary:
        return Push(plan or self.plan(**options), {"am": self.remote}, {"am": 4}, Store(self.root), content).run()


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    with running_mimir(State()) as server:
        yield Tenant(server, tmp_path)


def test_our_part_comes_changes_and_goes_and_theirs_keeps_every_byte(tenant: Tenant) -> None:
    assert exit_code(tenant.push()) is Exit.OK
    config = yaml.safe_load(tenant.document["alertmanager_config"])
    assert [route["receiver"] for route in config["route"]["routes"]] == ["mine", "slack-edge"]
    assert tenant.document["template_files"] == TEMPLATES
    assert [step.action for step in tenant.plan().steps] == [Action.KEEP]
    tenant.wanted = [generated("ticket")]
    (step,) = tenant.plan().todo
    assert step.action is Action.UPDATE
    assert exit_code(tenant.push()) is Exit.OK
    config = yaml.safe_load(tenant.document["alertmanager_config"])
    assert config["route"]["routes"][-1]["matchers"] == ['team="edge"', 'severity="ticket"']
    tenant.wanted = []
    assert exit_code(tenant.push(prune=True)) is Exit.OK
    assert tenant.document == {"template_files": TEMPLATES, "alertmanager_config": THEIRS}


def test_nothing_to_do_writes_nothing(tenant: Tenant) -> None:
    tenant.push()
    tenant.server.forget()
    assert not tenant.push().done
    assert tenant.server.writes == 0


def test_an_edit_inside_our_part_is_a_conflict(tenant: Tenant) -> None:
    tenant.push()
    before = tenant.document["alertmanager_config"]
    tenant.document["alertmanager_config"] = before.replace("page", "none")
    assert tenant.document["alertmanager_config"] != before
    assert [step.action for step in tenant.plan().steps] == [Action.CONFLICT]


def test_an_edit_outside_it_is_kept_and_makes_a_plan_stale(tenant: Tenant) -> None:
    plan = tenant.plan()
    step = plan.todo[0]
    tenant.push(plan)
    tenant.wanted = [generated("ticket")]
    step = tenant.plan().todo[0]
    edited = tenant.document["alertmanager_config"].replace("since 2019", "since 2020")
    tenant.document["alertmanager_config"] = edited
    with pytest.raises(RemoteError, match="changed since") as caught:
        tenant.remote.apply(step, Mark("shop", step.after))
    assert caught.value.stale
    assert tenant.document["alertmanager_config"] == edited
    assert exit_code(tenant.push()) is Exit.OK
    assert tenant.document["alertmanager_config"].startswith("# ours since 2020")


def test_no_secret_of_the_tenant_leaves_the_remote(tenant: Tenant) -> None:
    plan = tenant.plan()
    tenant.push(plan)
    tenant.document["alertmanager_config"] = tenant.document["alertmanager_config"].replace(
        "receiver: 'mine'", "receiver: 'none'"
    )
    tenant.wanted = [generated("ticket")]
    refused = tenant.push()
    assert "undefined receiver" in refused.failed[0].why
    told = [refused, plan, tenant.plan(), *(path.read_bytes() for path in tenant.root.rglob("*") if path.is_file())]
    assert SECRET not in repr(told)


def test_a_tenant_without_a_configuration_is_told_what_to_do(tenant: Tenant) -> None:
    tenant.server.state.configs.clear()
    with pytest.raises(RemoteError, match="load that first") as caught:
        tenant.plan()
    assert caught.value.code is Exit.USAGE


def test_a_route_of_the_tenant_that_takes_our_alerts_stops_the_plan(tenant: Tenant) -> None:
    taking = THEIRS.replace('matchers: [team="x"]', 'matchers: [team=~"edge|x"]')
    tenant.document["alertmanager_config"] = taking
    rules = b"  - alert: Down\n    labels:\n      severity: page\n      team: edge\n"
    made = [Artifact("", "graph-shop", "alertmanager", b"", generated()), Artifact("", "", "rules", rules)]
    (want,) = tenant.remote.wanted(made)
    assert "takes what is for slack-edge" in want.refused


def test_somebody_who_writes_at_the_same_time_is_noticed(tenant: Tenant) -> None:
    plan = tenant.plan()
    tenant.remote.apply(plan.todo[0], Mark("shop", plan.todo[0].after))
    tenant.document["alertmanager_config"] = THEIRS
    (failure,) = tenant.remote.finish(plan.todo)
    assert "Somebody else wrote" in failure.why


@pytest.mark.parametrize("fault", ["500", "cut", "lost", "429", "403", "html"])
def test_after_a_fault_one_clean_push_reaches_what_is_wanted(tenant: Tenant, fault: str) -> None:
    tenant.server.fail(fault, fault, writes=True)
    tenant.push()
    tenant.server.fail()
    tenant.push()
    assert [step.action for step in tenant.plan().steps] == [Action.KEEP]
    tenant.wanted = []
    tenant.push(prune=True)
    assert tenant.document["alertmanager_config"] == THEIRS
