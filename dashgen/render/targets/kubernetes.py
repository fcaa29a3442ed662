"""Artifacts → Kubernetes manifests for prometheus-operator, grafana-operator and Grafana's dashboard sidecar."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from dashgen import canonical
from dashgen import conventions as c
from dashgen.diagnostics import RunError
from dashgen.model.artifact import Artifact
from dashgen.model.graph import Settings
from dashgen.render.targets import folders
from dashgen.render.targets.alertmanager_config import alertmanager_configs
from dashgen.render.targets.folders import Folder

KIND: Final = "kubernetes"
# `kubectl apply` keeps an object as JSON in an annotation, and all annotations together have 262,144 bytes. That is
# also well below the half mebibyte that prometheus-operator allows a PrometheusRule when it is written as YAML.
RULES_SIZE = 230_000
CONFIG_MAP_SIZE = 1_000_000  # 1 MiB with its keys and labels, by the API server

Tree = dict[str, Any]


def manifests(artifact: Artifact, settings: Settings) -> Iterator[Artifact]:
    """The manifests that one artifact becomes, one object a file, each file called like its object."""
    if artifact.kind == "rules":
        for name, groups in _parts(artifact, settings):
            data = _object("monitoring.coreos.com/v1", "PrometheusRule", name, settings) | {"spec": {"groups": groups}}
            yield _manifest("rules", artifact.owner, data)
    elif artifact.kind == "alertmanager":
        for name, spec in alertmanager_configs(artifact.data):
            data = _object(
                "monitoring.coreos.com/v1alpha1",
                "AlertmanagerConfig",
                c.resource(c.OWNER_MARK, settings.name, name),
                settings,
            )
            yield _manifest("alertmanager", artifact.owner, data | {"spec": spec})
    elif artifact.kind == "dashboard":
        yield from _dashboard(artifact, settings)


def whole(paths: Collection[str], known: Sequence[Folder], settings: Settings) -> Iterator[Artifact]:
    """Grafana's folders, and a kustomization for each directory: `kubectl apply -k`, or the base of one's own."""
    owner = c.owner(c.GRAPH, settings.name)
    made = [_manifest("grafana-operator", owner, _folder(each, settings)) for each in known]
    yield from made
    listed: dict[str, list[str]] = {}
    for path in (*paths, *(each.path for each in made)):
        top, _, rest = path.partition("/")
        if top == KIND:
            directory, _, file = rest.partition("/")
            listed.setdefault(directory, []).append(file)
    for directory, files in sorted(listed.items()):
        shared = ["../dashboards"] if directory == "grafana-operator" and "dashboards" in listed else []
        data = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [*shared, *sorted(files)],
        }
        path = f"{KIND}/{directory}/kustomization.yaml"
        yield Artifact(path, owner, KIND, canonical.yaml_text(data).encode(), data)


def _parts(artifact: Artifact, settings: Settings) -> Iterator[tuple[str, list[Tree]]]:
    """The groups of a rule file under one name, or under several where one object would be too large.

    The number follows a dot, which no slug contains, so that part 2 of `a` is not taken for a service `a-2`.
    """
    parts: list[list[Tree]] = [[]]
    filled = 0
    for group in artifact.data["groups"]:
        size = len(orjson.dumps(group))
        if size > RULES_SIZE:
            raise _too_large(f"The rule group {group['name']}", size, RULES_SIZE, "a PrometheusRule")
        if parts[-1] and filled + size > RULES_SIZE:
            parts.append([])
            filled = 0
        parts[-1].append(group)
        filled += size
    for number, groups in enumerate(parts, 1):
        name = c.resource(c.OWNER_MARK, settings.name, artifact.owner)
        yield (name if number == 1 else f"{name}.{number}"), groups


def _dashboard(artifact: Artifact, settings: Settings) -> Iterator[Artifact]:
    """A ConfigMap with the dashboard, which the sidecar loads, and a GrafanaDashboard that refers to it."""
    uid, folder = artifact.data["uid"], folders.name(artifact.path)
    name = c.resource(c.OWNER_MARK, uid)
    key = f"{name}.json"
    if len(artifact.content) > CONFIG_MAP_SIZE:
        raise _too_large(f"The dashboard {uid}", len(artifact.content), CONFIG_MAP_SIZE, "a ConfigMap")
    data = _object("v1", "ConfigMap", name, settings)
    data["metadata"]["labels"]["grafana_dashboard"] = "1"
    # The sidecar's own name for the annotation, and the one that its charts' documentation sets.
    data["metadata"]["annotations"] = {
        "grafana_folder": folder,
        "k8s-sidecar-target-directory": folder,
        "kustomize.toolkit.fluxcd.io/substitute": "disabled",  # Flux would take Grafana's ${variables} for its own
    }
    yield _manifest("dashboards", artifact.owner, data | {"data": {key: artifact.content.decode()}})
    data = _object("grafana.integreatly.org/v1beta1", "GrafanaDashboard", name, settings)
    spec = {
        "instanceSelector": {"matchLabels": dict(settings.kubernetes.grafana)},
        "folderRef": _folder_name(c.uid(settings.name, "folder", folder)),
        "configMapRef": {"name": name, "key": key},
    }
    yield _manifest("grafana-operator", artifact.owner, data | {"spec": spec})


def _folder(each: Folder, settings: Settings) -> Tree:
    data = _object("grafana.integreatly.org/v1beta1", "GrafanaFolder", _folder_name(each.uid), settings)
    selector = {"matchLabels": dict(settings.kubernetes.grafana)}
    return data | {"spec": {"instanceSelector": selector, "uid": each.uid, "title": each.title}}


def _folder_name(uid: str) -> str:
    """The name of a folder's object; the dot keeps its file apart from those of dashboards."""
    return f"{c.resource(c.OWNER_MARK, uid)}.folder"


def _object(version: str, kind: str, name: str, settings: Settings) -> Tree:
    """The head of an object: a name, labels by which operators choose, and a namespace if one is wanted."""
    wanted = settings.kubernetes
    labels: Mapping[str, str] = {
        "app.kubernetes.io/managed-by": c.OWNER_MARK,
        "app.kubernetes.io/part-of": settings.name,
        **dict(wanted.labels),
    }
    metadata: Tree = {"name": name, **({"namespace": wanted.namespace} if wanted.namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": {**metadata, "labels": dict(sorted(labels.items()))}}


def _manifest(directory: str, owner: str, data: Tree) -> Artifact:
    path = f"{KIND}/{directory}/{data['metadata']['name']}.yaml"
    return Artifact(path, owner, KIND, canonical.yaml_text(data).encode(), data)


def _too_large(what: str, size: int, limit: int, kind: str) -> RunError:
    return RunError(
        f"{what} has {size:,} bytes; {kind} may hold {limit:,}. Make the template shorter. Nothing was changed."
    )
