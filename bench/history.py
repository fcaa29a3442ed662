"""Histories for a real Prometheus: native samples and what rules would have recorded from them, as blocks on disk."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import tool
from tests.servers import running_prometheus

BLOCK = 7200  # seconds; what promtool puts into one block
FEW = 40_000  # samples of a file that promtool may read several times over
FOREVER = ("--storage.tsdb.retention.time=100y", "--query.timeout=5m", "--log.level=error")

Sample = Callable[[str, int], float | None]


def load(tsdb: Path, series: Sequence[str], sample: Sample, start: int, end: int, step: int) -> None:
    """Write the samples of some series from `start` to `end` (seconds, multiples of `step`) as blocks.

    `sample` gives the value of a series at a time, or None where it has none. It is asked series by series within a
    file, and file after file. promtool reads a file once per block in it, so large files hold one block.
    """
    blocks = 12 if len(series) * 12 * BLOCK // step < FEW * 12 else 1
    edge = start
    while edge < end:
        until = min(end, (edge // BLOCK + blocks) * BLOCK)
        file = tsdb.parent / "history.om"
        with file.open("w") as out:
            for each in series:
                for time in range(edge, until, step):
                    value = sample(each, time)
                    if value is not None:
                        out.write(f"{each} {value:.12g} {time}\n")
            out.write("# EOF\n")
        _promtool("tsdb", "create-blocks-from", "openmetrics", "--quiet", str(file), str(tsdb))
        file.unlink()
        edge = until


def record(tsdb: Path, groups: Iterable[dict[str, Any]], start: int, end: int) -> None:
    """Add what the recording rules of some groups would have recorded, as blocks.

    promtool evaluates each rule by itself against a server, so a rule that reads another has to wait until the other's
    blocks are loaded: rules are taken in layers, and the server is started anew for each.
    """
    work = tsdb.parent / "record"
    work.mkdir(exist_ok=True)
    for number, layer in enumerate(layers(groups)):
        file = work / f"layer-{number}.yaml"
        file.write_text(json.dumps({"groups": layer}))
        with serving(tsdb) as server:
            span = ("--start", str(start), "--end", str(end))
            _promtool(
                "tsdb", "create-blocks-from", "rules", "--url", server, *span, "--output-dir", str(tsdb), str(file)
            )


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
        made.append([{**group, "name": f"{n}", "rules": [rule]} for n, (group, rule) in enumerate(ready)])
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


def _promtool(*arguments: str) -> None:
    done = subprocess.run([tool("promtool"), *arguments], capture_output=True, text=True, timeout=1800, check=False)
    if done.returncode:
        raise RuntimeError(f"promtool {arguments[:3]}: {done.stderr[-2000:]}")
