"""Outages as data: who serves how much, how badly, through which instances; and what should be firing when."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from dashgen import pipeline
from dashgen.model.telemetry import Source
from dashgen.model.units import seconds
from dashgen.pipeline import Project
from tests.conftest import opened

TODAY = datetime.date(2026, 11, 21)
HEAD: dict[str, Any] = {
    "version": "dashgen/v1",
    "graph": "truth",
    "defaults": {"runbooks": "https://runbooks.example.com"},
    "teams": {"t": {"page": "pager", "ticket": "chat"}},
}
Key = tuple[str, str, str, str]  # alert, whom it is about, tier, severity
KINDS = ("good", "slow", "bad")  # a request is answered well, well but late, or not


@dataclass(frozen=True)
class Phase:
    """A stretch of even traffic; times in seconds, requests per second, shares from 0 to 1.

    `instances` serve it in turn. `restart` starts all their counters again, `scraped` is the share of scrapes that
    succeed.
    """

    start: int
    end: int
    rates: Mapping[str, Fraction]
    takes: Mapping[str, Fraction]
    instances: tuple[str, ...]
    restart: bool
    scraped: Fraction


@dataclass(frozen=True)
class Stream:
    """The traffic of one service, implementation, operation or call, in the native series of its profile.

    With `zeros`, counters exist before their first event. Who is `pushed` has no `up`, but tells its release.
    """

    source: Source
    labels: Mapping[str, str]
    zeros: bool
    pushed: bool
    phases: tuple[Phase, ...]

    def counts(self, kind: str, time: int) -> int:
        """How many requests of a kind there were until a time in seconds."""
        done = sum((p.rates[kind] * (min(time, p.end) - p.start) for p in self.phases if time > p.start), Fraction())
        return int(done)

    def serves(self, source: Source) -> bool:
        """Whether a source counts this stream."""
        tests = {
            "=": lambda a, b: a == b,
            "!=": lambda a, b: a != b,
            "=~": lambda a, b: re.fullmatch(b, a) is not None,
            "!~": lambda a, b: re.fullmatch(b, a) is None,
        }
        own = source.requests == self.source.requests and source.duration == self.source.duration
        return own and all(tests[m.op](self.labels.get(m.label, ""), m.value) for m in source.matchers)


@dataclass(frozen=True)
class Text:
    """What the description of an alert must say at a minute."""

    alert: str
    at: int
    text: str


@dataclass(frozen=True)
class Outage:
    """A scenario, its compiled project and the files that came out."""

    name: str
    length: int
    project: Project
    rules: tuple[Path, ...]
    streams: tuple[Stream, ...]
    firing: Mapping[Key, tuple[tuple[int, int], ...]]  # first and last minute
    says: tuple[Text, ...]
    scrape: int

    @property
    def stated(self) -> dict[Key, frozenset[int]]:
        """The minutes at which alerts fire, as the file says."""
        return {key: frozenset(m for a, b in spans for m in range(a, b + 1)) for key, spans in self.firing.items()}


def load(path: Path, folder: Path) -> Outage:
    """Read an outage and compile its specification into a folder."""
    data = yaml.safe_load(path.read_text())
    spec = {**HEAD, **{key: data[key] for key in ("services", "chains") if key in data}}
    spec["defaults"] = {**spec["defaults"], **data.get("defaults", {})}
    for service in spec["services"].values():
        service.setdefault("team", "t")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "services.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
    project = opened(folder / "services.yaml")
    outcome = pipeline.generate(project, folder / "out", TODAY)
    errors = [d for d in outcome.found if d.severity >= 2]
    assert not errors, errors
    length = time(data["length"])
    return Outage(
        path.stem,
        length,
        project,
        tuple(sorted((folder / "out/prometheus/rules").glob("*.yaml"))),
        tuple(_stream(project, each, length) for each in data["traffic"]),
        dict(_firing(data.get("firing") or {}, length)),
        tuple(Text(each["alert"], time(each["at"]) // 60, each["text"]) for each in data.get("says") or ()),
        int(seconds(project.graph.settings.tile.scrape)),
    )


def time(text: str) -> int:
    """A duration in whole seconds."""
    return int(seconds(str(text)))


def _stream(project: Project, data: Mapping[str, Any], length: int) -> Stream:
    service = next(each for each in project.graph.services if each.name == data["service"])
    sources = service.sources
    if "operation" in data:
        sources = next(each.sources for each in service.operations if each.name == data["operation"])
    if "call" in data:
        sources = next(each.sources for each in service.calls if each.server.name == data["call"])
    source = next(s for s in sources if s.implementation == data.get("implementation", s.implementation))
    labels = {m.label: m.example or m.value for m in source.matchers} | data.get("labels", {})
    return Stream(source, labels, data.get("zeros", False), data.get("pushed", False), tuple(_phases(data, length)))


def _phases(data: Mapping[str, Any], length: int) -> Iterator[Phase]:
    start, settings = 0, {"rate": 0, "instances": ["a"], "takes": "20ms", "slow_takes": "2s"}
    for each in data["phases"]:
        settings |= {key: value for key, value in each.items() if key in settings}
        end = time(each["until"]) if "until" in each else length
        bad, slow = share(each.get("bad", 0)), share(each.get("slow", 0))
        per_second = rate(settings["rate"])
        fast, late = (Fraction(seconds(str(settings[key]))) for key in ("takes", "slow_takes"))
        yield Phase(
            start,
            end,
            {"good": per_second * (1 - bad - slow), "slow": per_second * slow, "bad": per_second * bad},
            {"good": fast, "slow": late, "bad": fast},
            tuple(settings["instances"]),
            bool(each.get("restart")),
            share(each.get("scraped", 1)),
        )
        start = end
    assert start == length, f"the phases of {data['service']} end at {start} s, the outage at {length} s"


def share(value: object) -> Fraction:
    """A share such as `2%`, or a number from 0 to 1.

    >>> share("2%"), share(1)
    (Fraction(1, 50), Fraction(1, 1))
    """
    text = str(value)
    return Fraction(text[:-1]) / 100 if text.endswith("%") else Fraction(text)


def rate(value: object) -> Fraction:
    """Requests per second, from `20`, `20/s`, `60/m` or `6/h`.

    >>> rate("6/h"), rate(20)
    (Fraction(1, 600), Fraction(20, 1))
    """
    count, _, unit = str(value).partition("/")
    return Fraction(count) / {"": 1, "s": 1, "m": 60, "h": 3600}[unit]


def _firing(data: Mapping[str, Any], length: int) -> Iterator[tuple[Key, tuple[tuple[int, int], ...]]]:
    """Read `page-fast: page 2h1m-2h24m`: a tier of a burn-rate table or the name of an alert, its severity, when."""
    for of, alerts in data.items():
        burn = "ChainBudgetBurn" if of.startswith("chain:") else "ErrorBudgetBurn"
        for name, said in alerts.items():
            severity, _, times = said.partition(" ")
            stretches = (each.partition("-") for each in times.split(", "))
            spans = tuple((time(a) // 60, (time(b) if b else length) // 60) for a, _, b in stretches)
            yield (name if name[0].isupper() else burn, of, "" if name[0].isupper() else name, severity), spans
