"""The stages in order, and nothing else: load → resolve → compile → render → verify → plan → push."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dashgen import __version__
from dashgen.compile import Compilation, Unit, fingerprints, units
from dashgen.cost import advice, predict
from dashgen.diagnostics import Diagnostic, Span, has_errors, in_order
from dashgen.explain import Explanation, explanations, find
from dashgen.load import Sources, catalogue, load_library, load_spec, project_root, write_starter
from dashgen.model.artifact import Target
from dashgen.model.change import Action, Outcome
from dashgen.model.cost import Assumptions, RuleCost
from dashgen.model.graph import Graph
from dashgen.model.intent import Intents
from dashgen.model.library import Library
from dashgen.plan import plan_files
from dashgen.push.remotes.folder import Folder
from dashgen.push.remotes.memory import Memory
from dashgen.render import artifacts, collected, exported, manifest
from dashgen.resolve import resolve
from dashgen.verify import Made, Verifier
from dashgen.workers import spread

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Project:
    """A specification that could be read and resolved, with the knowledge around it."""

    path: Path
    graph: Graph
    library: Library
    sources: Sources

    def digest(self, keys: Mapping[str, str]) -> str:
        """A digest of everything that the project's files are made of, besides dashgen itself."""
        return hashlib.sha256("\n".join((self.library.fingerprint, *keys.values())).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Result:
    """What was made for one unit: path → (kind, digest), how much of what, uids with origins, and what was found."""

    owner: str
    files: Mapping[str, tuple[str, str]]
    made: Counter[str]
    dashboards: tuple[tuple[str, str], ...] = ()
    found: tuple[Diagnostic, ...] = ()

    def data(self) -> dict[str, Any]:
        """The result as plain data, for the memory; it is kept only where nothing was found."""
        return {"owner": self.owner, "files": self.files, "made": dict(self.made), "dashboards": self.dashboards}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Result:
        """The result from plain data."""
        files = {path: (kind, digest) for path, (kind, digest) in data["files"].items()}
        return cls(data["owner"], files, Counter(data["made"]), tuple((uid, at) for uid, at in data["dashboards"]))


class Work:
    """Compile, render and verify, unit by unit; with a folder, stage what is made there."""

    def __init__(
        self,
        project: Project,
        today: datetime.date,
        folder: Folder | None = None,
        targets: Collection[Target] = (),
    ):
        self._project, self._folder, self._targets = project, folder, targets
        self._compilation = Compilation(project.graph, project.library)
        self._verifier = Verifier(project.graph, project.sources.at, project.library.span, today)
        self._canonical = project.library.contract.pattern(project.graph.settings.tile.name)
        self.units = list(self._compilation.units())
        self.found = [*self._compilation.found, *self._verifier.of_graph()]

    def __call__(self, unit: Unit) -> Result:
        """Make one unit."""
        settings = self._project.graph.settings
        intents, found = self._compilation.intents(unit)
        if intents is None:
            return Result(unit.owner, {}, Counter(), found=tuple(found))
        made = Made(settings, self._canonical, intents, tuple(artifacts(intents, settings)))
        exports = tuple(exported(made.artifacts, settings, self._targets))
        every = (*made.artifacts, *exports)
        if self._folder:
            for artifact in every:
                self._folder.stage(artifact)
        files = {artifact.path: (artifact.kind, artifact.sha256) for artifact in every}
        count = _count(made) + Counter(artifact.kind for artifact in exports)
        dashboards = tuple((each.uid, each.origin) for each in intents.dashboards)
        return Result(unit.owner, files, count, dashboards, tuple(self._verifier.of_unit(made)))

    def of(self, results: Sequence[Result]) -> list[Diagnostic]:
        """What was found in the results, and between them. What fails in one place is told for the first that fails."""
        first: dict[Span | None, str] = {}
        found = [
            each
            for result in results
            for each in result.found
            if each.id != "template/fault" or first.setdefault(each.span, result.owner) == result.owner
        ]
        dashboards = ((each.owner, uid, origin) for each in results for uid, origin in each.dashboards)
        return [*found, *self._verifier.of_dashboards(dashboards)]


def _count(made: Made) -> Counter[str]:
    rules = [rule for group in made.intents.groups for rule in group.rules]
    counter = Counter(str(artifact.kind) for artifact in made.artifacts)
    counter["recording rules"] = sum(not rule.alert for rule in rules)
    counter["alerts"] = sum(rule.alert for rule in rules)
    return counter


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


def check(project: Project, today: datetime.date, progress: Progress | None = None) -> list[Diagnostic]:
    """All findings on a project."""
    work = Work(project, today)
    found = [*work.found]
    if not has_errors(found):
        made = spread(lambda index: work(work.units[index]), len(work.units))
        found += work.of(list(_counted(made, len(work.units), progress)))
    return in_order(found)


def explain(project: Project) -> tuple[list[Explanation], list[Diagnostic]]:
    """Everything that the project makes, explained."""
    made, found = _intents(project)
    return list(explanations(project.graph, made)), found


def cost(project: Project, assumed: Assumptions) -> tuple[list[RuleCost], list[Diagnostic]]:
    """What every rule will cost, without a server."""
    made, found = _intents(project)
    return predict(project.graph, made, assumed), found


def measure(costs: Sequence[RuleCost], url: str, progress: Progress | None = None) -> list[RuleCost]:
    """The same rules with what a Prometheus says of each; raises `RunError`."""
    made = []
    from dashgen.push.remotes.prometheus_stats import PrometheusStats  # an HTTP client that no other command waits for

    with PrometheusStats(url) as server:
        loaded = server.evaluations()
        for position, each in enumerate(costs):
            made.append(
                replace(each, measured=server.query(each.expr, loaded.get((each.name, frozenset(each.labels)))))
            )
            if progress:
                progress(position + 1, len(costs))
    return made


def _intents(project: Project) -> tuple[list[Intents], list[Diagnostic]]:
    compilation = Compilation(project.graph, project.library)
    made, found = [], list(compilation.found)
    for unit in compilation.units():
        intents, problems = compilation.intents(unit)
        made += [intents] if intents else []
        found += problems
    return made, in_order(found)


def source(path: Path) -> str | None:
    """The digest of what `generate` would make files of now; none where it would make none."""
    project, _ = open_project(path)
    return project.digest(fingerprints(project.graph, list(units(project.graph)))) if project else None


def generate(
    project: Project,
    out: Path,
    today: datetime.date,
    *,
    targets: Collection[Target] = (),
    dry: bool = False,
    progress: Progress | None = None,
) -> Outcome:
    """Bring a folder to the wanted state, or with `dry` only say what would change. Nothing is changed on an error."""
    folder = Folder(out)
    memory = Memory(out, ":".join((project.library.fingerprint, *sorted(targets))))
    work = Work(project, today, None if dry else folder, targets)
    outcome = Outcome(found=[*work.found])
    try:
        keys = fingerprints(project.graph, work.units)
        recalled = {u.owner: Result.of(entry) for u in work.units if (entry := memory.recall(u.owner, keys[u.owner]))}
        todo = [unit for unit in work.units if unit.owner not in recalled] if not has_errors(work.found) else []
        made = {r.owner: r for r in _counted(spread(lambda index: work(todo[index]), len(todo)), len(todo), progress)}
        results = [made.get(unit.owner) or recalled[unit.owner] for unit in work.units if unit.owner in made | recalled]
        wanted = {path: (r.owner, kind, digest) for r in results for path, (kind, digest) in r.files.items()}
        outcome.found = in_order([*outcome.found, *work.of(results)])
        outcome.made = sum((r.made for r in results), Counter())
        for artifact in collected(tuple(wanted), project.graph, targets):
            wanted[artifact.path] = (artifact.owner, artifact.kind, artifact.sha256)
            outcome.made[artifact.kind] += 1
            if not dry:
                folder.stage(artifact)
        digests = {path: digest for path, (_, _, digest) in wanted.items()}
        known = {path: digest for r in recalled.values() for path, (_, digest) in r.files.items()}
        with contextlib.nullcontext() if dry else folder.alone():
            ours = folder.ours()
            outcome.changes = plan_files(digests, folder.digests({*digests, *ours}, known), ours)
            blocked = has_errors(outcome.found) or any(c.action is Action.CONFLICT for c in outcome.changes)
            if not dry and not blocked:
                folder.commit(
                    outcome.changes, manifest(wanted, project.graph.settings.name, __version__, project.digest(keys))
                )
                fresh = (result for result in made.values() if not result.found)
                memory.keep(((r.owner, keys[r.owner], r.data(), r.files) for r in fresh), recalled)
    finally:
        folder.discard()
    return outcome


def _counted(results: Iterator[Result], total: int, progress: Progress | None) -> Iterator[Result]:
    for position, result in enumerate(results):
        if progress:
            progress(position + 1, total)
        yield result


__all__ = [
    "Project",
    "advice",
    "catalogue",
    "check",
    "cost",
    "explain",
    "find",
    "generate",
    "measure",
    "open_project",
    "project_root",
    "source",
    "write_starter",
]
