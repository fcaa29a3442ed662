"""The rules that Sloth and Pyrra make for the same promise, for benchmarks that run them beside dashgen's.

Sloth is built from its released module and run. Pyrra has no module that `go install` accepts, so its rules are
written here in the shapes of its v0.10.1 (`slo/rules.go`): windows, factors and waits from `Windows()`, names and
labels from `Burnrates()`.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

SLOTH = "github.com/slok/sloth@v0.16.0"
MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True)
class Promise:
    """One SLO over native series; `total` and `part` are vector selectors, `objective` is in percent, `window` in days.

    `part` selects the bad events, or with `good` those that are fast enough.

    >>> Promise("web", "availability", Decimal("99.9"), 'x_total{job="web"}', 'x_total{code=~"5..",job="web"}').budget
    Decimal('0.001')
    """

    service: str
    name: str
    objective: Decimal
    total: str
    part: str
    good: bool = False
    window: int = 30

    @property
    def budget(self) -> Decimal:
        """The share of events that may be bad, from 0 to 1."""
        return 1 - self.objective / 100


def sloth() -> str:
    """The path of Sloth."""
    return built(SLOTH, "./cmd/sloth")


def built(module: str, package: str) -> str:
    """The path of a Go program, built into the user's cache when it is not there yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "dashgen-bench"
    program = cache / f"{Path(package).name}-{module.partition('@')[2]}"
    if not program.exists():
        cache.mkdir(parents=True, exist_ok=True)
        found = subprocess.run(["go", "mod", "download", "-json", module], capture_output=True, check=True, cwd=cache)
        source = json.loads(found.stdout)["Dir"]
        subprocess.run(["go", "build", "-mod=mod", "-o", program, package], check=True, cwd=source)
    return str(program)


def sloth_rules(promises: list[Promise], folder: Path) -> Path:
    """Sloth's rules for promises that share one window, in one file of rule groups."""
    folder.mkdir(parents=True, exist_ok=True)
    groups = []
    for service in sorted({each.service for each in promises}):
        own = [each for each in promises if each.service == service]
        spec, made = folder / f"{service}.sloth.yaml", folder / f"{service}.rules.yaml"
        slos = [_sloth_slo(each) for each in own]
        spec.write_text(yaml.safe_dump({"version": "prometheus/v1", "service": service, "slos": slos}))
        window = {each.window for each in own}
        if not window <= {28, 30}:
            raise ValueError(f"Sloth has no burn-rate table for {window} days")
        period = ["--default-slo-period", f"{window.pop()}d"]
        command = [sloth(), "generate", "--input", str(spec), "--out", str(made), *period]
        subprocess.run(command, check=True, capture_output=True)
        groups += yaml.safe_load(made.read_text())["groups"]
    path = folder / "sloth.yaml"
    path.write_text(yaml.safe_dump({"groups": groups}, sort_keys=False, width=1000))
    return path


def _sloth_slo(promise: Promise) -> dict[str, Any]:
    total, part = (f"sum(rate({each}[{{{{.window}}}}]))" for each in (promise.total, promise.part))
    return {
        "name": promise.name,
        "objective": float(promise.objective),
        "sli": {"events": {"error_query": f"{total} - {part}" if promise.good else part, "total_query": total}},
        "alerting": {
            "name": "SlothBurn",
            "page_alert": {"labels": {"severity": "page"}},
            "ticket_alert": {"labels": {"severity": "ticket"}},
        },
    }


@dataclass(frozen=True)
class PyrraTier:
    """One of Pyrra's four alerts; times in seconds."""

    severity: str
    long: int
    short: int
    wait: int
    factor: int


def pyrra_tiers(window: int) -> list[PyrraTier]:
    """The four alerts of a window in days: those of 28 days, stretched, to the minute.

    >>> [span(tier.long) for tier in pyrra_tiers(30)]
    ['1h4m', '6h26m', '1d1h43m', '4d6h51m']
    """

    def stretched(seconds: int) -> int:
        return int(Decimal(seconds * window) / 28 / MINUTE + Decimal("0.5")) * MINUTE

    listed = (
        ("critical", HOUR, 5 * MINUTE, 2 * MINUTE, 14),
        ("critical", 6 * HOUR, 30 * MINUTE, 15 * MINUTE, 7),
        ("warning", DAY, 2 * HOUR, HOUR, 2),
        ("warning", 4 * DAY, 6 * HOUR, 3 * HOUR, 1),
    )
    return [PyrraTier(severity, *map(stretched, times), factor) for severity, *times, factor in listed]


def pyrra_rules(promise: Promise) -> dict[str, Any]:
    """Pyrra's rule file for a promise, as plain data; its alerts are `critical` (a page) and `warning`."""
    tiers, name = pyrra_tiers(promise.window), f"{promise.service}-{promise.name}"
    metrics = list(dict.fromkeys([promise.total, promise.part] if promise.good else [promise.total]))
    base = promise.total.partition("{")[0].removesuffix("_total").removesuffix("_count")
    increases = [
        {
            "record": f"{metric.partition('{')[0].removesuffix('_total')}:increase{span(promise.window * DAY)}",
            "expr": f"sum(increase({metric}[{promise.window}d]))",
            "labels": {"slo": name},
        }
        for metric in metrics
    ]
    absent = [
        {
            "alert": "SLOMetricAbsent",
            "expr": f"absent({metric}) == 1",
            "for": "3m",
            "labels": {"severity": "critical", "slo": name},
        }
        for metric in metrics
    ]
    windows = sorted({tier.long for tier in tiers} | {tier.short for tier in tiers})
    burnrates = [
        {"record": f"{base}:burnrate{span(w)}", "expr": _burnrate(promise, span(w)), "labels": {"slo": name}}
        for w in windows
    ]
    limit = f"(1-{promise.objective / 100})"
    alerts = [
        {
            "alert": "ErrorBudgetBurn",
            "expr": f'{base}:burnrate{span(t.short)}{{slo="{name}"}} > ({t.factor} * {limit})'
            f' and {base}:burnrate{span(t.long)}{{slo="{name}"}} > ({t.factor} * {limit})',
            "for": span(t.wait),
            "labels": {"severity": t.severity, "short": span(t.short), "long": span(t.long), "slo": name},
        }
        for t in tiers
    ]
    every = f"{round(promise.window * DAY / 17280)}s"
    return {
        "groups": [
            {"name": f"{name}-increase", "interval": every, "rules": [*increases, *absent]},
            {"name": name, "interval": "30s", "rules": [*burnrates, *alerts]},
        ]
    }


def _burnrate(promise: Promise, window: str) -> str:
    total, part = (f"sum(rate({each}[{window}]))" for each in (promise.total, promise.part))
    return f"({total} - {part}) / {total}" if promise.good else f"{part} / {total}"


def span(seconds: int) -> str:
    """A duration as Prometheus writes it.

    >>> span(92580), span(300)
    ('1d1h43m', '5m')
    """
    made = ""
    for unit, size in (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", 1)):
        count, seconds = divmod(seconds, size)
        made += f"{count}{unit}" if count else ""
    return made
