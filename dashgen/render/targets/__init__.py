"""Artifacts → the same in other products' clothes: Kubernetes manifests, provisioning files, a tree for Git Sync."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from dashgen.model.artifact import Artifact, Target
from dashgen.model.graph import Graph, Settings
from dashgen.render.targets import git_sync, kubernetes, provisioning
from dashgen.render.targets.folders import folders, listed


def exported(made: Iterable[Artifact], settings: Settings, targets: Collection[Target]) -> Iterator[Artifact]:
    """What the artifacts of one unit become in each target; raises `RunError` where a target cannot hold it."""
    for artifact in made if targets else ():
        if Target.KUBERNETES in targets:
            yield from kubernetes.manifests(artifact, settings)
        if Target.GIT_SYNC in targets and artifact.kind == "dashboard":
            yield git_sync.resource(artifact)


def collected(paths: Collection[str], graph: Graph, targets: Collection[Target]) -> Iterator[Artifact]:
    """What is made once for the whole graph, from the paths of everything that was made: folders and lists of files."""
    known = folders(paths, graph)
    if known:
        yield listed(known, graph)
    if Target.KUBERNETES in targets:
        yield from kubernetes.whole(paths, known, graph.settings)
    if Target.PROVISIONING in targets:
        yield provisioning.providers(known, graph.settings)
    if Target.GIT_SYNC in targets:
        yield from (git_sync.folder(each, graph.settings) for each in known)


__all__ = ["collected", "exported"]
