"""Intents → Artifacts: one module per target, one writer for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dashgen import canonical
from dashgen.model.artifact import Artifact
from dashgen.model.graph import Settings
from dashgen.model.intent import Intents
from dashgen.render.grafana import dashboard
from dashgen.render.rules import rules, tests
from dashgen.render.targets import collected, exported


def artifacts(intents: Intents, settings: Settings) -> Iterator[Artifact]:
    """Every file of one unit."""
    owner = intents.owner
    for each in intents.dashboards:
        data = dashboard(each)
        path = f"grafana/dashboards/{each.folder}/{each.uid}.json"
        yield Artifact(path, owner, "dashboard", canonical.json(data), data)
    if intents.groups:
        made = rules(intents.groups)
        yield Artifact(f"prometheus/rules/{owner}.yaml", owner, "rules", canonical.yaml_text(made).encode(), made)
    if intents.tests:
        cases = tests(owner, settings.slow_every, settings.tile.scrape, intents.tests)
        yield Artifact(
            f"prometheus/tests/{owner}.test.yaml", owner, "tests", canonical.yaml_text(cases).encode(), cases
        )
    if intents.routing is not None:
        text = canonical.yaml_text(intents.routing)
        yield Artifact("alertmanager/alertmanager.yaml", owner, "alertmanager", text.encode(), intents.routing)
    if intents.lint is not None:
        text = canonical.yaml_text(intents.lint)
        yield Artifact("grafana/.lint", owner, "lint", text.encode(), intents.lint)
    for page in intents.runbooks:
        yield Artifact(f"runbooks/{owner}/{page.alert}.md", owner, "runbook", page.text.encode())


def manifest(made: Mapping[str, tuple[str, str, str]], graph: str, version: str, source: str) -> bytes:
    """The list of everything made, from path → (owner, kind, digest), with its graph and a digest of its source."""
    listed = [
        {"kind": kind, "owner": owner, "path": path, "sha256": digest}
        for path, (owner, kind, digest) in sorted(made.items())
    ]
    return canonical.json({"artifacts": listed, "dashgen": version, "graph": graph, "source": source})


__all__ = ["artifacts", "collected", "exported", "manifest"]
