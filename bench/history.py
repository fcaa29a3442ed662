"""Histories for a real Prometheus: native samples and what rules would have recorded from them, as blocks on disk."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from dashgen.model.units import seconds
from tests.conftest import tool
from tests.remote_write import counters
from tests.servers import running_prometheus

BLOCK = 54 * 3600  # seconds; what Prometheus compacts its blocks to when it keeps 30 days
HEAD_STEP = 1800  # seconds; less than the hour that Prometheus accepts samples behind the newest
POINTS = 10_000  # of a range query; Prometheus gives 11,000 at most
DEFAULT_EVERY = "1m"  # of a group that names no interval
FOREVER = (
    "--storage.tsdb.retention.time=100y",
    "--query.timeout=5m",
    "--log.level=error",
    "--web.enable-remote-write-receiver",
)

Sample = Callable[[str, int], float | None]


def load(tsdb: Path, series: Sequence[str], sample: Sample, start: int, end: int, step: int) -> None:
    """Write the samples of some series from `start` to `end`, every `step` seconds, as blocks.

    `sample` gives the value of a series at a time, or None where it has none; it is asked block by block, and series by
    series within a block.
    """
    edge = start
    while edge < end:
        until = min(end, (edge // BLOCK + 1) * BLOCK)
        _write(
            tsdb,
            (
                _lines(each, ((t, sample(each, t)) for t in range(edge + (start - edge) % step, until, step)))
                for each in series
            ),
        )
        edge = until


def record(tsdb: Path, groups: Iterable[dict[str, Any]], start: int, end: int) -> None:
    """Add what the recording rules of some groups would have recorded from `start` to `end`, as blocks.

    Rules are taken in layers, since a rule can only read what a server has loaded; the server is started anew for each.
    This is what `promtool tsdb create-blocks-from rules` does for one layer; but that writes blocks of two hours, some
    thousands for a month, which no running Prometheus would have, and which make every long query slow.
    """
    for layer in layers(groups):
        made: dict[int, list[str]] = {}
        with serving(tsdb) as server:
            for group in layer:
                every = int(seconds(group.get("interval", DEFAULT_EVERY)))
                for edge in range(start + phase(group), end, POINTS * every):
                    for series, values in _recorded(
                        server, group["rules"][0], edge, min(end, edge + POINTS * every), every
                    ):
                        for at, value in values:
                            made.setdefault(at // BLOCK, []).append(f"{series} {value} {at}\n")
        for lines in made.values():
            _write(tsdb, lines)


def append(server: str, native: Iterable[str], sample: Sample, groups: Iterable[dict[str, Any]], span: range) -> None:
    """Write the samples of a span, and what rules record from them, into the head of a server that is running.

    Prometheus keeps the last hours in memory and the rest in blocks; it refuses what is an hour older than the newest.
    """
    whole, rules = list(native), [group for layer in layers(groups) for group in layer]
    for start in range(span.start, span.stop, HEAD_STEP):
        end = min(span.stop, start + HEAD_STEP)
        for each in whole:
            values = ((sample(each, at), at) for at in range(start, end, span.step))
            counters(server, _labels(each), [(value, at) for value, at in values if value is not None])
        for group in rules:
            every = int(seconds(group.get("interval", DEFAULT_EVERY)))
            first = start + (phase(group) - start) % every
            for series, values in _recorded(server, group["rules"][0], first, end, every):
                counters(server, _labels(series), [(float(value), at) for at, value in values])


def _labels(series: str) -> dict[str, str]:
    name, _, inside = series.rstrip("}").partition("{")
    return {"__name__": name, **{k: json.loads(v) for k, v in re.findall(r'(\w+)=("(?:[^"\\]|\\.)*")', inside)}}


def _recorded(server: str, rule: dict[str, Any], start: int, end: int, every: int) -> Iterator[tuple[str, list[Any]]]:
    """What one rule records in a span, `end` excluded: each series as text, and its values."""
    data = query(server, "query_range", query=rule["expr"], start=start, end=end - 1, step=every)
    for each in data["result"]:
        labels = {**each["metric"], **rule.get("labels", {})}
        labels.pop("__name__", None)
        inside = ",".join(f"{name}={json.dumps(value)}" for name, value in sorted(labels.items()))
        yield f"{rule['record']}{{{inside}}}", [(int(at), value) for at, value in each["values"]]


def _lines(series: str, samples: Iterable[tuple[int, float | None]]) -> str:
    return "".join(f"{series} {value:.12g} {at}\n" for at, value in samples if value is not None)


def _write(tsdb: Path, lines: Iterable[str]) -> None:
    file = tsdb.parent / "history.om"
    with file.open("w") as out:
        out.writelines(lines)
        out.write("# EOF\n")
    span = f"--max-block-duration={BLOCK}s"
    command = [tool("promtool"), "tsdb", "create-blocks-from", span, "openmetrics", "--quiet", str(file), str(tsdb)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    if done.returncode:
        raise RuntimeError(f"promtool: {done.stderr[-2000:]}")
    file.unlink()


def phase(group: dict[str, Any]) -> int:
    """Seconds behind the full interval at which a group is evaluated; Prometheus spreads groups by a hash too."""
    return zlib.crc32(group["name"].encode()) % int(seconds(group.get("interval", DEFAULT_EVERY)))


def layers(groups: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Recording rules in layers, as groups: none reads what a rule of its own layer or of a later one records.

    >>> rules = [{"record": "a:c", "expr": "a:b + a:b"}, {"record": "a:b", "expr": "x"}, {"alert": "A", "expr": "a:c"}]
    >>> [[group["rules"][0]["record"] for group in layer] for layer in layers([{"name": "g", "rules": rules}])]
    [['a:b'], ['a:c']]
    """
    left = [(group, rule) for group in groups for rule in group["rules"] if "record" in rule]
    made: list[list[dict[str, Any]]] = []
    while left:
        names = {rule["record"] for _, rule in left}
        ready = [(g, r) for g, r in left if not names & set(re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", r["expr"]))]
        if not ready:
            raise ValueError(f"rules read each other in a circle: {sorted(names)}")
        made.append([{**group, "rules": [rule]} for group, rule in ready])
        left = [each for each in left if each not in ready]
    return made


def serving(tsdb: Path, rules: Path | None = None) -> Any:
    """A Prometheus on these blocks, as a context that gives its address; it scrapes nothing."""
    none = tsdb.parent / "no-rules"
    none.mkdir(exist_ok=True)
    assert tsdb.name == "tsdb"
    return running_prometheus(tsdb.parent, rules or none, flags=FOREVER)


def rule_groups(folder: Path, pattern: str = "*.yaml") -> list[dict[str, Any]]:
    """The groups of a folder of rule files."""
    return [g for file in sorted(folder.glob(pattern)) for g in yaml.safe_load(file.read_text())["groups"]]


def query(server: str, path: str, **parameters: Any) -> Any:
    """What a Prometheus answers: the `data` of `/api/v1/<path>`."""
    url = f"{server}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
    with urllib.request.urlopen(url, timeout=300) as answer:
        return json.load(answer)["data"]


def settle(tsdb: Path, patience: float = 600) -> None:
    """Let a Prometheus compact the blocks, as one that runs for a month has: until no two overlap. Takes a minute."""
    deadline = time.monotonic() + patience
    with serving(tsdb):
        while _overlapping(tsdb):
            if time.monotonic() > deadline:
                raise TimeoutError(f"blocks still overlap after {patience} s")
            time.sleep(1)


def _overlapping(tsdb: Path) -> bool:
    metas = [json.loads(file.read_text()) for file in tsdb.glob("*/meta.json")]
    spans = sorted((meta["minTime"], meta["maxTime"]) for meta in metas)
    return any(later[0] < earlier[1] for earlier, later in pairwise(spans))
