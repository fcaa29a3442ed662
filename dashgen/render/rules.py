"""Rule groups and their tests → Prometheus's YAML, one document per file, expressions in canonical form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashgen import promql
from dashgen.model.intent import Group, Rule, RuleTest


def rules(groups: Sequence[Group]) -> dict[str, Any]:
    """A rule file."""
    return {
        "groups": [{"name": g.name, "interval": g.every, "rules": [_rule(rule) for rule in g.rules]} for g in groups]
    }


def tests(owner: str, every: str, interval: str, cases: Sequence[RuleTest]) -> dict[str, Any]:
    """A promtool test file for a rule file that stands in the folder beside it."""
    # Those of an alert share one mapping.
    asked = {id(labels): labels for case in cases for labels in (*case.firing, *case.silent)}
    alerts = {key: _alerts(labels) for key, labels in asked.items()}
    return {
        "rule_files": [f"../rules/{owner}.yaml"],
        "evaluation_interval": every,
        "tests": [_test(case, interval, alerts) for case in cases],
    }


def expression(text: str) -> str:
    """The canonical form of an expression; as it is where it does not parse, for the checks to report."""
    try:
        return promql.canonical(text)
    except promql.PromqlError:
        return text


def _rule(rule: Rule) -> dict[str, Any]:
    made: dict[str, Any] = {"alert" if rule.alert else "record": rule.name, "expr": expression(rule.expr)}
    if rule.wait:
        made["for"] = rule.wait
    if rule.keep:
        made["keep_firing_for"] = rule.keep
    made["labels"] = dict(sorted(rule.labels.items()))
    if rule.annotations:
        made["annotations"] = dict(sorted(rule.annotations.items()))
    return made


def _test(case: RuleTest, interval: str, alerts: Mapping[int, str]) -> dict[str, Any]:
    return {
        "name": case.name,
        "interval": interval,
        "input_series": [{"series": series, "values": values} for series, values in case.series],
        "promql_expr_test": [
            *(_expectation(alerts[id(labels)], case.at, 1) for labels in case.firing),
            *(_expectation(alerts[id(labels)], case.at, 0) for labels in case.silent),
        ],
    }


def _alerts(labels: Mapping[str, str]) -> str:
    matchers = ",".join(f'{label}="{promql.quoted(value)}"' for label, value in sorted(labels.items()))
    return f'ALERTS{{{matchers},alertstate="firing"}}'


def _expectation(alerts: str, at: str, firing: int) -> dict[str, Any]:
    """Whether an alert is firing, or never was; by `ALERTS`, because promtool compares annotations to the letter."""
    asked = alerts if firing else f"last_over_time({alerts}[{at}])"
    return {
        "expr": f"count({asked}) or vector(0)",
        "eval_time": at,
        "exp_samples": [{"labels": "{}", "value": firing}],
    }
