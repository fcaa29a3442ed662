"""`generate --target`: what operators accept, of bounded size, with the same rules and routes as the plain files."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given, settings

from dashgen import conventions as c
from dashgen import pipeline
from dashgen.diagnostics import RunError
from dashgen.model.artifact import Artifact, Target
from dashgen.model.intent import Group, Rule
from dashgen.render.rules import rules
from dashgen.render.targets import exported
from dashgen.render.targets.alertmanager_config import alertmanager_configs
from tests.conftest import ROOT, Ran, opened, tool
from tests.oracles.grafana_schema import problems as dashboard_problems
from tests.oracles.kubernetes_schema import problems
from tests.sample import TODAY, write
from tests.test_properties import RUNS, compiled, specs
from tests.test_rules import EXAMPLES, name

ALL = tuple(Target)
ANNOTATIONS = 262_144  # bytes that all annotations of an object may have; `kubectl apply` keeps the object in one
RENDERED = 512 * 1024  # bytes of a PrometheusRule that prometheus-operator accepts


@pytest.fixture(scope="module")
def outs(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Path]:
    """Every example for every target."""
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        for path in EXAMPLES:
            made[path] = tmp_path_factory.mktemp(name(path))
            pipeline.generate(opened(path), made[path], TODAY, targets=ALL)
    return made


def loaded(folder: Path) -> dict[Path, Any]:
    """Manifests by their file, read by a YAML 1.1 reader."""
    files = [file for file in sorted(folder.glob("kubernetes/*/*.yaml")) if file.name != "kustomization.yaml"]
    return {file: yaml.load(file.read_text(), Loader=yaml.CSafeLoader) for file in files}


def accepted(out: Path) -> None:
    """What must hold of any output: valid, unique, small enough, complete, and the same as the plain files."""
    manifests = loaded(out)
    for file, manifest in manifests.items():
        assert problems(manifest) == [], file
        assert file.stem == manifest["metadata"]["name"]
    assert len({(m["kind"], m["metadata"]["name"]) for m in manifests.values()}) == len(manifests)
    for manifest in manifests.values():
        if manifest["kind"] == "PrometheusRule":
            assert len(orjson.dumps(manifest)) < ANNOTATIONS
            assert len(yaml.safe_dump(manifest["spec"])) < RENDERED
    for directory in (out / "kubernetes").iterdir():
        listed = yaml.safe_load((directory / "kustomization.yaml").read_text())["resources"]
        files = {file.name for file in directory.glob("*.yaml")} - {"kustomization.yaml"}
        assert {*listed} - {"../dashboards"} == files
    same_rules(out, manifests)
    same_dashboards(out, manifests)


def same_rules(out: Path, manifests: dict[Path, Any]) -> None:
    plain = [g for file in out.glob("prometheus/rules/*.yaml") for g in yaml.safe_load(file.read_text())["groups"]]
    inside = [g for m in manifests.values() if m["kind"] == "PrometheusRule" for g in m["spec"]["groups"]]
    assert sorted(inside, key=lambda g: g["name"]) == sorted(plain, key=lambda g: g["name"])


def same_dashboards(out: Path, manifests: dict[Path, Any]) -> None:
    """Every dashboard is in a ConfigMap, a GrafanaDashboard finds it there, and its folder's object exists."""
    plain = {f.stem: (f.parent.name, f.read_text()) for f in out.glob("grafana/dashboards/*/*.json")}
    maps = {m["metadata"]["name"]: m for m in manifests.values() if m["kind"] == "ConfigMap"}
    grafana_folders = {
        m["metadata"]["name"]: m["spec"]["uid"] for m in manifests.values() if m["kind"] == "GrafanaFolder"
    }
    found = {}
    for manifest in (m for m in manifests.values() if m["kind"] == "GrafanaDashboard"):
        where = manifest["spec"]["configMapRef"]
        holder = maps[where["name"]]
        text = holder["data"][where["key"]]
        folder = holder["metadata"]["annotations"]["k8s-sidecar-target-directory"]
        found[json.loads(text)["uid"]] = (folder, text)
        assert grafana_folders[manifest["spec"]["folderRef"]]
    assert found == plain
    for folder in {folder for folder, _ in plain.values()}:
        metadata = json.loads((out / "git-sync" / folder / "_folder.json").read_text())["metadata"]
        assert metadata["name"] in grafana_folders.values()


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_operators_accept_every_example(path: Path, outs: dict[Path, Path]) -> None:
    accepted(outs[path])


@settings(RUNS, max_examples=RUNS.max_examples // 2)
@given(specs())
def test_operators_accept_hostile_names_and_texts(spec: dict[str, Any]) -> None:
    out = compiled(spec, targets=ALL)
    if out is not None:
        accepted(out)


def test_names_stay_valid_and_apart(tmp_path: Path) -> None:
    """Names that differ only in what Kubernetes does not allow, that are too long, that look like parts of others."""
    plain = yaml.safe_load((ROOT / "services.yaml").read_text())["services"]["pricing"] | {"team": "t"}
    odd = ["Web3", "web.2", "web-2", "web_2", "a" * 63, "a" * 62 + "b", "5", "No", "x--y"]
    path = write(tmp_path, {"services": dict.fromkeys(odd, plain)})
    pipeline.generate(opened(path), tmp_path / "out", TODAY, targets=ALL)
    accepted(tmp_path / "out")


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_promtool_accepts_rules_inside_manifests(path: Path, outs: dict[Path, Path], tmp_path: Path) -> None:
    files = []
    for file, manifest in loaded(outs[path]).items():
        if manifest["kind"] == "PrometheusRule":
            files.append(str(tmp_path / file.name))
            Path(files[-1]).write_text(yaml.safe_dump(manifest["spec"]))
    done = subprocess.run([tool("promtool"), "check", "rules", "--lint-fatal", *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def merged(out: Path) -> dict[str, Any]:
    """The configuration that prometheus-operator builds with `alertmanagerConfigMatcherStrategy: {type: None}`."""
    config: dict[str, Any] = {"route": {"receiver": "operator", "routes": []}, "receivers": [{"name": "operator"}]}
    config["inhibit_rules"] = []
    for manifest in (m for m in loaded(out).values() if m["kind"] == "AlertmanagerConfig"):
        spec = manifest["spec"]
        if "route" in spec:
            config["route"]["routes"].append({**snake(spec["route"]), "continue": True})
            config["receivers"] += [r for r in spec["receivers"] if r not in config["receivers"]]
        for rule in spec.get("inhibitRules", []):
            made = {f"{side}_matchers": texts(rule[f"{side}Match"]) for side in ("source", "target")}
            config["inhibit_rules"].append(made | {"equal": rule.get("equal", [])})
    return config


def snake(route: dict[str, Any]) -> dict[str, Any]:
    keys = {"groupBy": "group_by", "groupWait": "group_wait", "groupInterval": "group_interval"}
    keys["repeatInterval"] = "repeat_interval"
    made = {keys.get(key, key): value for key, value in route.items()}
    made["matchers"] = texts(route["matchers"])
    if "routes" in route:
        made["routes"] = [snake(each) for each in route["routes"]]
    return made


def texts(matchers: list[dict[str, str]]) -> list[str]:
    return [f"{m['name']}{m['matchType']}{json.dumps(m['value'])}" for m in matchers]


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_routes_are_the_same_tree(path: Path, outs: dict[Path, Path], tmp_path: Path) -> None:
    """Apart from the root, which is the operator's: what its routes inherited they now say themselves."""
    plain = yaml.safe_load((outs[path] / "alertmanager" / "alertmanager.yaml").read_text())
    root = plain["route"]
    inherited = {key: value for key, value in root.items() if key != "routes"}
    built = merged(outs[path])
    order = {tuple(each["matchers"]): {**inherited, **each, "continue": True} for each in root["routes"]}
    assert {tuple(each["matchers"]): each for each in built["route"]["routes"]} == order
    assert built["inhibit_rules"] == plain["inhibit_rules"]
    (tmp_path / "alertmanager.yaml").write_text(yaml.safe_dump(built))
    command = [tool("amtool"), "check-config", str(tmp_path / "alertmanager.yaml")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_patch_of_the_page_fits(outs: dict[Path, Path]) -> None:
    """What docs/targets.md says about filling receivers: the object exists, the path too, and the result is valid."""
    page = (ROOT / "docs" / "targets.md").read_text()
    (text,) = re.findall(r"```yaml\n(apiVersion: kustomize.*?)```", page, re.DOTALL)
    (patch,) = yaml.safe_load(text)["patches"]
    manifests = loaded(outs[ROOT / "services.yaml"]).values()
    (config,) = [m for m in manifests if {"kind": m["kind"], "name": m["metadata"]["name"]} == patch["target"]]
    (step,) = yaml.safe_load(patch["patch"])
    assert step["op"] == "add"
    *path, key = step["path"].strip("/").split("/")
    here: Any = config
    for part in path:
        here = here[int(part) if isinstance(here, list) else part]
    assert here["name"] == "pagerduty-edge"
    here[key] = step["value"]
    assert problems(config) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_git_sync_gets_strict_resources(path: Path, outs: dict[Path, Path]) -> None:
    """V1 envelopes whose `spec` has no identity of its own and passes Grafana's schema; folders have a stable uid."""
    resources = {file: json.loads(file.read_text()) for file in outs[path].glob("git-sync/*/*.json")}
    for file, resource in resources.items():
        assert {*resource} == {"apiVersion", "kind", "metadata", "spec"}
        assert {*resource["metadata"]} == {"name"}
        assert len(resource["metadata"]["name"]) <= 40
        if file.name == "_folder.json":
            assert (resource["apiVersion"], resource["kind"]) == ("folder.grafana.app/v1", "Folder")
            assert {*resource["spec"]} == {"title"}
            continue
        assert (resource["apiVersion"], resource["kind"]) == ("dashboard.grafana.app/v1", "Dashboard")
        assert not {"uid", "id", "version"} & {*resource["spec"]}
        assert dashboard_problems(resource["spec"]) == []
        assert file.with_name("_folder.json") in resources
        plain = outs[path] / "grafana" / "dashboards" / file.parent.name / file.name
        assert json.loads(plain.read_text()) == {**resource["spec"], "uid": file.stem}


def test_folders_bear_the_titles_of_teams(tmp_path: Path) -> None:
    """Also where a team's name is no name of a directory."""
    teams = {"Core.Team": {"title": "The core", "page": "p", "ticket": "k"}, "t": None}
    services = {each: {"team": "Core.Team"} for each in ("web", "stock")}
    path = write(tmp_path, {"title": "All of it", "teams": teams, "services": services})
    pipeline.generate(opened(path), tmp_path / "out", TODAY, targets=ALL)
    files = (tmp_path / "out" / "git-sync").glob("*/_folder.json")
    assert {json.loads(file.read_text())["spec"]["title"] for file in files} == {"The core", "All of it"}
    (file,) = (tmp_path / "out" / "provisioning").glob("*/*.yaml")
    assert {each["folder"] for each in yaml.safe_load(file.read_text())["providers"]} == {"The core", "All of it"}


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_provisioning_names_every_folder(path: Path, outs: dict[Path, Path]) -> None:
    (file,) = outs[path].glob("provisioning/dashboards/*.yaml")
    providers = yaml.safe_load(file.read_text())["providers"]
    graph = opened(path).graph
    folders = {folder.name for folder in outs[path].glob("grafana/dashboards/*")}
    paths = {f"/var/lib/grafana/dashboards/{graph.settings.name}/{folder}" for folder in folders}
    assert {each["options"]["path"] for each in providers} == paths
    uids = {c.uid(graph.settings.name, "folder", folder) for folder in folders}
    assert {each["folderUid"] for each in providers} == uids
    assert len({each["name"] for each in providers}) == len(providers)


def test_targets_are_additions_that_go_again(shop: Path, dashgen: Callable[..., Ran]) -> None:
    """Asked for they come, twice they are the same, no longer asked for they go, and plain files never notice."""
    out = shop.parent / "out"
    assert dashgen("generate", str(shop)).code == 0
    plain = {file: file.read_bytes() for file in out.rglob("*") if file.is_file() and file.name != "manifest.json"}
    with_targets = ("generate", str(shop), "--target", "kubernetes", "--target", "git-sync")
    assert dashgen(*with_targets).code == 0
    first = {file: file.read_bytes() for file in out.rglob("*") if file.is_file()}
    assert plain.items() <= first.items()
    assert {file.relative_to(out).parts[0] for file in first} >= {"kubernetes", "git-sync"}
    assert not (out / "provisioning").exists()
    assert dashgen(*with_targets, "--check").code == 0
    assert dashgen(*with_targets, XDG_CACHE_HOME=str(shop.parent / "elsewhere")).code == 0
    assert {file: file.read_bytes() for file in out.rglob("*") if file.is_file()} == first
    assert dashgen("generate", str(shop), "--check").code == 1
    assert dashgen("generate", str(shop)).code == 0
    left = {file: file.read_bytes() for file in out.rglob("*") if file.is_file() and file.name != "manifest.json"}
    assert left == plain
    assert dashgen("generate", str(shop), "--target", "helm").code == 2


def many(count: int, length: int) -> Artifact:
    rule = Rule("a:b:c", False, f'x{{a="{"1" * length}"}}', {}, {}, "", "", "")
    data = rules([Group(f"g{number}", "1m", (rule,)) for number in range(count)])
    return Artifact("prometheus/rules/service-a.yaml", "service-a", "rules", b"", data)


def test_large_rule_files_are_split_and_what_cannot_be_split_is_refused() -> None:
    plain = opened(ROOT / "services.yaml").graph.settings
    parts = [each.data for each in exported([many(50, 10_000)], plain, [Target.KUBERNETES])]
    names = [part["metadata"]["name"] for part in parts]
    assert names == ["dashgen-shop-service-a", "dashgen-shop-service-a.2", "dashgen-shop-service-a.3"]
    assert [g["name"] for part in parts for g in part["spec"]["groups"]] == [f"g{number}" for number in range(50)]
    assert all(problems(part) == [] and len(orjson.dumps(part)) < ANNOTATIONS for part in parts)
    with pytest.raises(RunError, match="rule group g0 has"):
        list(exported([many(1, 300_000)], plain, [Target.KUBERNETES]))
    board = Artifact("grafana/dashboards/a/b.json", "service-a", "dashboard", b" " * 1_100_000, {"uid": "b"})
    with pytest.raises(RunError, match="dashboard b has"):
        list(exported([board], plain, [Target.KUBERNETES]))


def test_namespace_and_labels_come_from_the_specification(tmp_path: Path) -> None:
    labels = {"release": "prom", "example.com/tier": 1}
    wanted = {"namespace": "monitoring", "labels": labels, "grafana": {"instance": "main"}}
    path = write(tmp_path, {"defaults": {"kubernetes": wanted}})
    pipeline.generate(opened(path), tmp_path / "out", TODAY, targets=[Target.KUBERNETES])
    for manifest in loaded(tmp_path / "out").values():
        assert manifest["metadata"]["namespace"] == "monitoring"
        assert manifest["metadata"]["labels"].items() >= {"release": "prom", "example.com/tier": "1"}.items()
        if "instanceSelector" in manifest.get("spec", {}):
            assert manifest["spec"]["instanceSelector"] == {"matchLabels": {"instance": "main"}}
    for bad in ({"namespace": "No"}, {"labels": {"a b": "c"}}, {"labels": {"a": "b c"}}, {"grafana": {}}):
        project, found = pipeline.open_project(write(tmp_path, {"defaults": {"kubernetes": bad}}))
        assert project is None
        assert found[0].span


def test_matchers_are_read_as_alertmanager_reads_them() -> None:
    """Quoted and unquoted, with braces and commas, and in the older mappings; what is no matcher is refused."""
    route = {
        "receiver": "r",
        "matchers": [r'{a="x,\"}\\", b=~y|z}', "c!=''"],
        "match": {"d": "e"},
        "match_re": {"f": "g.*"},
    }
    ((_, spec),) = alertmanager_configs({"route": {"receiver": "r", "routes": [route]}, "receivers": [{"name": "r"}]})
    found = [(m["name"], m["matchType"], m["value"]) for m in spec["route"]["matchers"]]
    assert found == [("a", "=", 'x,"}\\'), ("b", "=~", "y|z"), ("c", "!=", "''"), ("d", "=", "e"), ("f", "=~", "g.*")]
    with pytest.raises(RunError, match="matcher"):
        list(alertmanager_configs({"route": {"receiver": "r", "routes": [{"matchers": ["a ~ b"]}]}}))
    with pytest.raises(RunError, match="global"):
        list(alertmanager_configs({"route": {"receiver": "r"}, "global": {}}))
    with pytest.raises(RunError, match="receiver “r”"):
        list(alertmanager_configs({"route": {"receiver": "r"}, "receivers": [{"name": "r", "slack_configs": [{}]}]}))
