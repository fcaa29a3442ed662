"""The stages in order, and nothing else: load → resolve → compile → render → verify → plan → push."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dashgen import __version__
from dashgen.compile import Compilation
from dashgen.diagnostics import Diagnostic, has_errors, in_order
from dashgen.explain import Explanation, explanations
from dashgen.load import Sources, load_library, load_spec, project_root, write_starter
from dashgen.model.change import Action, Outcome
from dashgen.model.graph import Graph
from dashgen.model.library import Library
from dashgen.plan import plan_files
from dashgen.push.remotes.folder import Folder
from dashgen.render import artifacts, manifest
from dashgen.resolve import resolve
from dashgen.verify import Made, Verifier

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Project:
    """A specification that could be read and resolved, with the knowledge around it."""

    path: Path
    graph: Graph
    library: Library
    sources: Sources


def open_project(path: Path) -> tuple[Project | None, list[Diagnostic]]:
    """Load and resolve a specification; there is no project where there is an error."""
    library, found = load_library(project_root(path))
    spec, sources, problems = load_spec(path)
    found += problems
    if library is None or spec is None:
        return None, in_order(found)
    graph, problems = resolve(spec, library, sources.at)
    found += problems
    if graph is None or has_errors(found):
        return None, in_order(found)
    return Project(path, graph, library, sources), in_order(found)


def make(
    project: Project, today: datetime.date, progress: Progress | None = None
) -> Iterator[tuple[Made | None, list[Diagnostic]]]:
    """Compile, render and verify one unit after another; findings on the graph itself come first."""
    compilation = Compilation(project.graph, project.library)
    verifier = Verifier(project.graph, project.sources.at, today)
    yield None, [*compilation.found, *verifier.of_graph()]
    if has_errors(compilation.found):
        return
    canonical = project.library.contract.pattern(project.graph.settings.tile.name)
    units = list(compilation.units())
    for position, unit in enumerate(units):
        intents, found = compilation.intents(unit)
        if intents is None:
            yield None, found
            continue
        made = Made(project.graph.settings, canonical, intents, tuple(artifacts(intents, project.graph.settings)))
        yield made, verifier.of_unit(made)
        if progress:
            progress(position + 1, len(units))


def check(project: Project, today: datetime.date, progress: Progress | None = None) -> list[Diagnostic]:
    """All findings on a project."""
    return in_order(d for _, found in make(project, today, progress) for d in found)


def explain(project: Project) -> tuple[list[Explanation], list[Diagnostic]]:
    """Everything that the project makes, explained."""
    compilation = Compilation(project.graph, project.library)
    made, found = [], list(compilation.found)
    for unit in compilation.units():
        intents, problems = compilation.intents(unit)
        made += [intents] if intents else []
        found += problems
    return list(explanations(project.graph, made)), in_order(found)


def generate(
    project: Project, out: Path, today: datetime.date, *, dry: bool = False, progress: Progress | None = None
) -> Outcome:
    """Bring a folder to the wanted state, or with `dry` only say what would change. Nothing is changed on an error."""
    outcome = Outcome()
    folder = Folder(out)
    wanted: dict[str, tuple[str, str, str]] = {}
    try:
        ours = folder.ours()
        for made, found in make(project, today, progress):
            outcome.found += found
            if made is None:
                continue
            _count(outcome.made, made)
            for artifact in made.artifacts:
                wanted[artifact.path] = (artifact.owner, artifact.kind, artifact.sha256)
                if not dry:
                    folder.stage(artifact)
        outcome.found = in_order(outcome.found)
        digests = {path: digest for path, (_, _, digest) in wanted.items()}
        outcome.changes = plan_files(digests, folder.digests({*digests, *ours}), ours)
        blocked = has_errors(outcome.found) or any(c.action is Action.CONFLICT for c in outcome.changes)
        if not dry and not blocked:
            folder.commit(outcome.changes, manifest(wanted, __version__))
    finally:
        folder.discard()
    return outcome


def _count(counter: Counter[str], made: Made) -> None:
    counter.update(artifact.kind for artifact in made.artifacts)
    rules = [rule for group in made.intents.groups for rule in group.rules]
    counter["recording rules"] += sum(not rule.alert for rule in rules)
    counter["alerts"] += sum(rule.alert for rule in rules)


__all__ = ["Project", "check", "explain", "generate", "make", "open_project", "write_starter"]
