"""Rule groups reach a Mimir, Cortex or Loki over real HTTP, and nothing foreign changes whatever breaks on the way."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashgen.delivery import Delivery, restored
from dashgen.exits import Exit
from dashgen.model.artifact import Artifact
from dashgen.model.change import Action
from dashgen.model.plan import Plan, Summary
from dashgen.model.remote import Key, Mark
from dashgen.plan import content, drifted, plan_remote
from dashgen.push.engine import Push, exit_code
from dashgen.push.reading import as_yaml
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.packing import packed
from dashgen.push.remotes.pushed_rule import with_mark
from dashgen.push.remotes.ruler import RulerRemote
from dashgen.push.settings import RemoteSettings
from dashgen.push.store import Store
from tests.conftest import tool
from tests.fakes.mimir import FakeMimir, running_mimir
from tests.fakes.mimir_state import State

pytestmark = pytest.mark.usefixtures("hurried")

FOREIGN: dict[str, Any] = {"name": "theirs/a b", "rules": [{"alert": "Theirs", "expr": "up == 0"}]}
Rules = list[dict[str, Any]]


def group(name: str, *rules: dict[str, Any], interval: str = "1m", **more: Any) -> dict[str, Any]:
    return {"name": name, "interval": interval, **more, "rules": list(rules)}


def record(name: str, expr: str = "up") -> dict[str, Any]:
    return {"record": name, "expr": expr, "labels": {"team": "t"}}


def alert(name: str, **more: Any) -> dict[str, Any]:
    return {"alert": name, "expr": "up == 0", **more}


def artifact(owner: str, *groups: dict[str, Any]) -> Artifact:
    return Artifact(f"prometheus/rules/{owner}.yaml", owner, "rules", b"", {"groups": list(groups)})


class Tenant:
    """A tenant, what is wanted there, and pushes to it."""

    def __init__(self, server: FakeMimir, root: Path, product: str = "mimir", **more: Any):
        self.server, self.root = server, root
        self.remote = RulerRemote(RemoteSettings("ruler", product, server.url, tenant="shop", timeout=5, **more))
        self.remote.patience = 1.0
        self.artifacts: list[Artifact] = []

    def plan(self, **options: bool) -> Plan:
        wanted = self.remote.wanted(self.artifacts)
        found = self.remote.found("shop", [each.key for each in wanted])
        return Plan("dev", "shop", tuple(plan_remote("ruler", "shop", wanted, found, **options)))

    def push(self, plan: Plan | None = None, parallel: int = 4, **options: bool) -> Summary:
        plan = plan or self.plan(**options)
        return Push(plan, {"ruler": self.remote}, {"ruler": parallel}, Store(self.root), content).run()

    def want(self, owner: str, *groups: dict[str, Any]) -> None:
        self.artifacts = [*(each for each in self.artifacts if each.owner != owner), artifact(owner, *groups)]

    @property
    def stored(self) -> dict[str, dict[str, Any]]:
        return self.server.state.namespaces("shop")


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    with running_mimir(State()) as server:
        made = Tenant(server, tmp_path)
        made.stored["theirs/x y"] = {FOREIGN["name"]: copy.deepcopy(FOREIGN)}
        yield made


@pytest.mark.parametrize("product", ["mimir", "cortex", "loki"])
def test_what_is_wanted_is_loaded_and_the_next_plan_finds_nothing_to_do(product: str, tmp_path: Path) -> None:
    with running_mimir(State(empty_is_404=product == "cortex", delay=0.3), product) as server:
        tenant = Tenant(server, tmp_path, product)
        tenant.want("service-web", group("shop/web/a b", record("a:b", "sum( up )")), group("é/ü", alert("Down")))
        assert exit_code(tenant.push()) is Exit.OK
        assert set(tenant.stored) == {"dashgen-shop-service-web"}
        assert [step.action for step in tenant.plan().steps] == [Action.KEEP]
        assert server.state.namespaces("other") == {}


def test_cortex_takes_texts_that_begin_indented(tmp_path: Path) -> None:
    with running_mimir(State(reads_back=True), "cortex") as server:
        tenant = Tenant(server, tmp_path, "cortex")
        text = {"summary": "\n  It is\n  down.\n"}
        tenant.want("web", group("g", record("a:b", "  up\nor\n  down"), alert("Down", annotations=text)))
        assert exit_code(tenant.push()) is Exit.OK
        assert [step.action for step in tenant.plan().steps] == [Action.KEEP]


def test_nothing_to_do_writes_nothing_and_one_change_writes_once(tenant: Tenant) -> None:
    for name in "abc":
        tenant.want(name, group("g", alert("Down")))
    tenant.push()
    tenant.server.forget()
    assert not tenant.push().done
    assert tenant.server.requests == {"GET": 1}
    tenant.want("b", group("g", alert("Down", **{"for": "5m"})))
    tenant.push()
    assert [each for each in tenant.server.seen if "GET" not in each] == [
        "POST /prometheus/config/v1/rules/dashgen-shop-b"
    ]


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"rules": [alert("Down", keep_firing_for="10m")]}, "alert Down: keep_firing_for 0s → 10m"),
        ({"labels": {"a": "b"}}, 'group g: labels nothing → {"a":"b"}'),
        ({"limit": 5}, "group g: limit nothing → 5"),
        ({"query_offset": "1m"}, "group g: query_offset nothing → 1m"),
    ],
)
def test_changes_that_others_overlook_are_seen(tenant: Tenant, changed: dict[str, Any], line: str) -> None:
    tenant.want("a", group("g", alert("Down")))
    tenant.push()
    tenant.want("a", group("g", alert("Down")) | changed)
    (step,) = tenant.plan().todo
    assert step.details == (line,)
    assert exit_code(tenant.push()) is Exit.OK
    assert not tenant.plan().todo


def test_spellings_make_no_difference(tenant: Tenant) -> None:
    tenant.want("a", group("g", alert("Down", labels={}), record("x", "sum(up)\n"), interval="60s"))
    tenant.push()
    tenant.want("a", group("g", alert("Down", labels=None), record("x", "sum( up )"), interval="1m"))
    assert not tenant.plan().todo


def test_an_edit_is_a_conflict_and_adopting_overwrites_it(tenant: Tenant) -> None:
    tenant.want("a", group("g", alert("Down")))
    tenant.push()
    tenant.stored["dashgen-shop-a"]["g"]["rules"].append(alert("Mine"))
    (conflict,) = tenant.plan().conflicts
    assert "edited" in conflict.reason
    assert conflict.details == ("alert Mine: removed",)
    tenant.push(adopt=True)
    assert [rule.get("alert") for rule in tenant.stored["dashgen-shop-a"]["g"]["rules"]] == [None, "Down"]


def test_what_stands_there_without_a_mark_is_foreign(tenant: Tenant) -> None:
    tenant.stored["dashgen-shop-a"] = {"g": group("g", alert("Theirs"))}
    tenant.stored["dashgen-shop-unwanted"] = {"g": group("g", alert("Theirs"))}
    tenant.want("a", group("g", alert("Down")))
    plan = tenant.plan(prune=True)
    assert [(step.action, step.reason) for step in plan.steps] == [(Action.CONFLICT, "not pushed by dashgen")]


def test_a_copied_mark_makes_nothing_ours(tenant: Tenant) -> None:
    tenant.want("a", group("g", alert("Down")))
    tenant.push()
    tenant.stored["copy"] = copy.deepcopy(tenant.stored["dashgen-shop-a"])
    assert [step.key for step in tenant.plan(prune=True).steps] == [Key("rules", "a")]


def test_a_namespace_of_another_graph_with_the_same_name_is_left_alone(tenant: Tenant) -> None:
    tenant.want("a", group("g", alert("Down")))
    tenant.push()
    for rule in tenant.stored["dashgen-shop-a"]["g"]["rules"]:
        if "labels" in rule:
            rule["labels"]["graph"] = "shop-a"
    (step,) = tenant.plan(adopt=True).conflicts
    assert step.reason == "belongs to the graph shop-a"


def test_prune_removes_what_is_ours_and_no_longer_wanted(tenant: Tenant) -> None:
    for name in "ab":
        tenant.want(name, group("g", alert("Down")), group("h", alert("Up"), interval="3m"))
    tenant.push()
    tenant.artifacts.pop()
    assert not tenant.plan().todo
    assert exit_code(tenant.push(prune=True)) is Exit.OK
    assert set(tenant.stored) == {"theirs/x y", "dashgen-shop-a"}
    assert tenant.stored["theirs/x y"] == {FOREIGN["name"]: FOREIGN}


def test_restore_brings_back_what_was_changed_pruned_and_adopted(tenant: Tenant) -> None:
    tenant.stored["dashgen-shop-c"] = {"t": group("t", *(record(f"r{n}") for n in range(20)))}
    for name in "ab":
        tenant.want(name, group("g", alert("Down")), group("h", alert("Up"), interval="3m"))
    tenant.push()
    before = tenant.remote.found("shop", [Key("rules", name) for name in "abc"])
    tenant.artifacts = [artifact("a", group("x", alert("Up"))), artifact("c", group("g", alert("Down")))]
    tenant.push(prune=True, adopt=True)
    assert "dashgen-shop-b" not in tenant.stored
    _, back = restored(Delivery("dev", {"ruler": tenant.remote}, {}, Store(tenant.root), ""), None)
    assert exit_code(tenant.push(back)) is Exit.OK
    after = tenant.remote.found("shop", [Key("rules", name) for name in "abc"])
    assert [(each.key, content(each)) for each in after] == [(each.key, content(each)) for each in before]


def test_somebody_who_was_faster_is_not_overwritten(tenant: Tenant) -> None:
    tenant.want("a", group("g", alert("Down")))
    tenant.push()
    tenant.want("a", group("g", alert("Up")))
    step, held = tenant.plan().todo[0], tenant.stored["dashgen-shop-a"]["g"]
    held["rules"][1]["for"] = "7m"
    with pytest.raises(RemoteError, match="changed meanwhile") as caught:
        tenant.remote.apply(step, _mark(step.after))
    assert caught.value.stale
    assert held["rules"][1]["for"] == "7m"


def test_a_step_done_twice_does_no_more_than_once(tenant: Tenant) -> None:
    tenant.want("a", group("g", alert("Down")), group("h", alert("Up"), interval="3m"))
    (step,) = tenant.plan().todo
    for _ in range(2):
        tenant.remote.apply(step, _mark(step.after))
    assert tenant.server.writes == 3, "unfinished mark, the other group, the mark"


def test_groups_of_one_interval_are_packed_and_keep_their_order() -> None:
    groups = [group(f"g{n}", *(record(f"r{n}_{k}") for k in range(8))) for n in range(4)]
    groups.insert(1, group("days", record("d"), interval="3m"))
    made = packed(groups, 20)
    assert [(each["name"], len(each["rules"])) for each in made] == [("g0", 16), ("days", 1), ("g2", 16)]
    assert [rule["record"] for rule in made[0]["rules"]] == [f"r{n}_{k}" for n in (0, 1) for k in range(8)]
    assert packed(made, 20) == made


NAME = st.sampled_from(["a", "b", "c", "d", "e"])
RULE = st.builds(record, NAME, st.sampled_from(["a + b", "c", "up", '{job="x"}', "e", "|= no promql"]))


@settings(max_examples=200, deadline=None)
@given(
    sizes=st.lists(st.tuples(st.lists(RULE, min_size=1, max_size=6), st.sampled_from(["1m", "3m"])), max_size=10),
    most=st.integers(7, 20),
)
def test_packing_loses_nothing_and_moves_no_rule_before_what_it_reads(sizes: Any, most: int) -> None:
    groups = [group(f"g{n}", *rules, interval=interval) for n, (rules, interval) in enumerate(sizes)]
    for number, rule in enumerate(rule for each in groups for rule in each["rules"]):
        rule["labels"] = {"n": str(number)}
    before = copy.deepcopy(groups)
    made = packed(groups, most)
    assert groups == before
    assert all(len(each["rules"]) <= most for each in made)
    intervals = {each["name"]: each["interval"] for each in groups}
    assert all(each["interval"] == intervals[each["name"]] for each in made)
    order = [rule for each in made for rule in each["rules"]]
    assert sorted(int(rule["labels"]["n"]) for rule in order) == list(range(len(order)))
    for place, rule in enumerate(order):
        reads = {"a + b": "ab", "c": "c", "e": "e", "up": ""}.get(rule["expr"], "abcde")
        for later in order[place + 1 :]:
            if later["record"] in reads:
                assert int(later["labels"]["n"]) > int(rule["labels"]["n"]), "it was later before, too"


def test_the_mark_finds_room_where_every_group_is_full(tenant: Tenant) -> None:
    tenant.want("a", group("g", *(record(f"r{n}") for n in range(20))))
    assert exit_code(tenant.push()) is Exit.OK
    assert {name: len(each["rules"]) for name, each in tenant.stored["dashgen-shop-a"].items()} == {
        "dashgen": 1,
        "g": 20,
    }
    assert not tenant.plan().todo


def test_limits_are_told_when_planning(tenant: Tenant) -> None:
    tenant.want("a", group("g", *(record(f"r{n}") for n in range(23))))
    with pytest.raises(RemoteError, match=r"group g has 23 rules, 3 more than ruler takes \(20\).*max_rules") as caught:
        tenant.plan()
    assert caught.value.code is Exit.USAGE
    tenant.want("a", *(group(f"g{n}", record("r"), interval=f"{n + 1}m") for n in range(70)))
    with pytest.raises(RemoteError, match=r"70 groups of this graph are 1 more than fit .*\(70, of which one stays"):
        tenant.plan()
    tenant.want("a", *(group(f"g{n}", record("r"), interval=f"{n + 1}m") for n in range(69)))
    with pytest.raises(RemoteError, match=r"69 groups of this graph and 1 others of the tenant are 1 more"):
        tenant.plan()
    free = Tenant(tenant.server, tenant.root, max_rules=0, max_groups=0)
    free.want("a", group("g", *(record(f"r{n}") for n in range(23))))
    assert free.plan().todo


def test_a_tenant_with_one_free_place_takes_every_change(tenant: Tenant) -> None:
    """Also one that renames its groups, although the ruler counts a replaced group twice."""
    tenant.server.state.max_groups = 4
    one = Tenant(tenant.server, tenant.root, max_groups=4)
    one.want("a", group("g", record("r")), group("h", record("s"), interval="3m"))
    assert exit_code(one.push()) is Exit.OK
    one.want("a", group("x", record("r")), group("y", record("s"), interval="3m"))
    assert exit_code(one.push()) is Exit.OK
    assert set(one.stored["dashgen-shop-a"]) == {"x", "y"}
    one.artifacts = []
    one.server.state.max_groups = 3
    assert exit_code(one.push(prune=True)) is Exit.OK
    assert set(one.stored) == {"theirs/x y"}


def test_what_the_ruler_does_not_load_or_cannot_evaluate_has_failed(tenant: Tenant) -> None:
    tenant.server.state.delay = 60
    tenant.want("a", group("g", alert("Down")))
    (failure,) = tenant.push().failed
    assert failure.why == "It is stored, but the ruler has not loaded it."
    tenant.server.state.delay, tenant.server.state.broken = 0, ("Broken",)
    tenant.want("b", group("g", alert("Broken")))
    (failure,) = tenant.push().failed
    assert failure.why == "It is stored, but the rule Broken fails: many-to-many matching not allowed."


@pytest.mark.parametrize("key", ["limit", "keep_firing_for"])
def test_what_an_old_ruler_drops_without_a_word_has_failed(tenant: Tenant, key: str) -> None:
    tenant.server.state.forgets = (key,)
    tenant.want("a", group("g", alert("Down", keep_firing_for="5m"), limit=7))
    (failure,) = tenant.push().failed
    assert failure.why == f"It is stored, but this ruler knows no {key} and dropped it from the group g."


def test_what_cannot_be_asked_has_failed(tenant: Tenant) -> None:
    tenant.want("a", group("g", alert("Down")))
    plan = tenant.plan()
    tenant.server.fail(None, None, None, "404")
    (failure,) = tenant.push(plan).failed
    assert "whether it is loaded could not be asked" in failure.why


def test_refusals_say_what_to_do(tenant: Tenant) -> None:
    tenant.want("a", group("g", alert("Down")))
    tenant.server.state.protected = ("dashgen-shop-a",)
    summary = tenant.push()
    assert exit_code(summary) is Exit.REFUSED
    assert "protects this namespace" in summary.failed[0].why
    tenant.server.state.protected, tenant.server.state.max_groups = (), 1
    assert "a full tenant takes no updates" in tenant.push().failed[0].why
    tenant.server.state.max_groups = 70
    tenant.want("a", group("g", {"alert": "Down", "expr": "sum(("}))
    assert "could not parse" in tenant.push().failed[0].why


def test_a_server_without_the_api_is_no_empty_one(tmp_path: Path) -> None:
    with running_mimir(State(), "cortex", enabled=False) as server:
        tenant = Tenant(server, tmp_path, "cortex")
        with pytest.raises(RemoteError, match=r"no ruler API.*-ruler\.enable-api"):
            tenant.plan()


def test_answers_of_another_kind_are_errors(tenant: Tenant) -> None:
    tenant.server.fail("html")
    with pytest.raises(RemoteError, match="something else than rule groups"):
        tenant.plan()
    tenant.server.fail("401")
    with pytest.raises(RemoteError) as caught:
        tenant.plan()
    assert caught.value.code is Exit.REFUSED


def test_hostile_text_arrives_as_it_is(tenant: Tenant) -> None:
    text = 'a"b\\c\n{{ $labels.x }} 🙂 \x1b[31m \x7f\x85\u2028\ufeff: - # \'"'
    tenant.want("ü/%2F ..", group("g/%2F ü?#", alert("Down", annotations={"summary": text})))
    assert exit_code(tenant.push()) is Exit.OK
    held = tenant.stored["dashgen-shop-ü/%2F .."]["g/%2F ü?#"]
    assert held["rules"][1]["annotations"]["summary"] == text
    assert not tenant.plan().todo


def test_a_real_parser_reads_what_is_sent(tmp_path: Path) -> None:
    """Prometheus reads YAML with the library that rulers read it with."""
    text = 'a"b\\c\n🙂 \x1b[31m \x7f\x85\u2028\ufeff: - # \'"'
    groups = [group("g/%2F ü?#", alert("Down", annotations={"summary": text})), group("h", record("r"), interval="3m")]
    file = tmp_path / "rules.yaml"
    file.write_bytes(as_yaml({"groups": with_mark(groups, _mark("0123456789abcdef"), "service-web", 20)}))
    done = subprocess.run([tool("promtool"), "check", "rules", str(file)], capture_output=True, text=True)
    assert "SUCCESS: 3 rules found" in done.stdout, done.stdout + done.stderr


def test_state_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    for todo in (1, 0):
        with running_mimir(State(file)) as server:
            tenant = Tenant(server, tmp_path)
            tenant.want("a", group("g", alert("Down")))
            assert len(tenant.push().done) == todo


FAULT = st.sampled_from((None, None, None, "403", "429", "500", "404", "cut", "lost", "html"))
SHAPES = [
    [group("g", record("a"))],
    [group("g", record("b")), group("h", record("c"), interval="3m")],
    [group("h", record("c"), interval="3m"), group("i", record("a"), interval="2m"), group("g", record("b"))],
    [group("x", *(record(f"r{n}") for n in range(20))), group("h", record("d"))],
]
OWNERS = st.dictionaries(st.sampled_from("abc"), st.sampled_from(SHAPES))
PUSHES = st.lists(st.tuples(OWNERS, st.lists(FAULT, max_size=16)), min_size=1, max_size=3)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pushes=PUSHES)
def test_after_any_faults_one_clean_push_reaches_what_is_wanted(
    tenant: Tenant, pushes: list[tuple[dict[str, Rules], list[str | None]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    tenant.root = tmp_path_factory.mktemp("push")
    tenant.remote.patience = 0.0
    for namespace in [each for each in tenant.stored if each != "theirs/x y"]:
        del tenant.stored[namespace]
    for owners, faults in pushes:
        tenant.artifacts = [artifact(name, *groups) for name, groups in owners.items()]
        plan = tenant.plan(prune=True)
        assert not plan.conflicts
        tenant.server.fail(*faults, writes=True)
        summary = tenant.push(plan, parallel=1)
        ended = [*summary.done, *(f.step for f in summary.failed), *summary.left]
        assert sorted(step.key for step in ended) == sorted(step.key for step in plan.todo)
    tenant.server.fail()
    assert exit_code(tenant.push(prune=True)) is Exit.OK
    assert tenant.stored["theirs/x y"] == {FOREIGN["name"]: FOREIGN}
    assert len(tenant.stored) == 1 + len(tenant.artifacts)
    plan = tenant.plan(prune=True)
    assert {step.action for step in plan.steps} <= {Action.KEEP}
    wanted = tenant.remote.wanted(tenant.artifacts)
    assert {d.state for d in drifted("ruler", "shop", wanted, tenant.remote.found("shop", []), {})} <= {"unchanged"}


def _mark(digest: str) -> Mark:
    return Mark("shop", digest)
