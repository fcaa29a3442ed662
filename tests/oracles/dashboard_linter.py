"""The 17 rules of grafana/dashboard-linter 0.2.0 in our own words: what its `lint --strict` would say of a dashboard.

A rule is one function, named like the rule, that yields what it objects to. Two rules are stricter than the original:
`panel-units-rule` knows the units of services, not those of physics, and `target-counter-agg-rule` also sees counters
that have matchers. LogQL is read for its shape only, because no Python library parses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import promql_parser
from promql_parser import Call, Expr, MatchOp, MatrixSelector, VectorSelector

Json = dict[str, Any]
Messages = Iterator[str]

LOOKED_AT = frozenset(("stat", "singlestat", "graph", "table", "timeseries", "gauge"))
QUERIED = frozenset(("stat", "singlestat", "gauge", "table", "timeseries", "state-timeline"))
UNITS = frozenset(
    "none string short percent percentunit bool bool_yes_no bool_on_off hex hex0x sci locale "
    "bytes decbytes bits decbits kbytes deckbytes mbytes decmbytes gbytes decgbytes tbytes dectbytes pbytes decpbytes "
    "pps Bps binBps bps binbps KiBs KBs MiBs MBs GiBs GBs TiBs TBs Kibits Kbits Mibits Mbits Gibits Gbits "
    "hertz ns µs ms s m h d dtdurationms dtdurations dthms dtdhms timeticks clockms clocks "
    "dateTimeAsIso dateTimeAsIsoNoDateIfToday dateTimeAsLocal dateTimeAsSystem dateTimeFromNow "
    "cps ops reqps rps wps iops cpm opm rpm wpm mps mpm currencyUSD currencyEUR".split()
)
RATE_INTERVAL = timedelta(milliseconds=1_234_567)  # a range that nobody would write by hand
SAMPLES = {"__rate_interval": "1234567ms", "__interval": "7654321ms", "__range": "2345678ms", "__auto": "3456789ms"}
SAMPLES |= {"__interval_ms": "7654321", "__range_ms": "2345678", "__range_s": "2345", "__from": "1594671549254"}
SAMPLES |= {"__to": "1594671549254"}
VARIABLE = re.compile(r"\$(\w+)|\$\{([^}]+)\}|\[\[([^\[\]]+)\]\]")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`')
STREAM = re.compile(r'\{\s*\w+\s*(?:=~|!~|!=|=)\s*""(?:\s*,\s*\w+\s*(?:=~|!~|!=|=)\s*"")*\s*,?\s*\}')


@dataclass(frozen=True)
class Finding:
    """What a rule objects to, and where: the titles of dashboard and panel, the position of the target."""

    rule: str
    dashboard: str
    message: str
    panel: str | None = None
    target: int | None = None


def lint(dashboard: Json, exclusions: Json) -> list[Finding]:
    """Errors and warnings of all rules, but for those that the content of a `.lint` file excludes."""
    excluded = exclusions.get("exclusions") or {}
    return [finding for finding in _findings(dashboard) if not _is_excluded(finding, excluded)]


def _findings(dashboard: Json) -> Iterator[Finding]:
    at = Finding("", dashboard.get("title", ""), "")
    for rule in DASHBOARD_RULES:
        yield from (replace(at, rule=_name(rule), message=message) for message in rule(dashboard))
    for panel in _panels(dashboard.get("panels", [])):
        at = replace(at, panel=panel.get("title", ""), target=None)
        for rule in PANEL_RULES:
            yield from (replace(at, rule=_name(rule), message=message) for message in rule(dashboard, panel))
        for position, target in enumerate(panel.get("targets") or []):
            at = replace(at, target=position)
            for rule in TARGET_RULES:
                messages = rule(dashboard, panel, target)
                yield from (replace(at, rule=_name(rule), message=message) for message in messages)


def _name(rule: Any) -> str:
    return str(rule.__name__.replace("_", "-"))


def _panels(panels: list[Json]) -> Iterator[Json]:
    for panel in panels:
        yield panel
        yield from _panels(panel.get("panels") or [])


def _is_excluded(finding: Finding, exclusions: Json) -> bool:
    """An exclusion without entries covers everything; what an entry leaves open, it does not restrict."""
    if finding.rule not in exclusions:
        return False
    entries = (exclusions[finding.rule] or {}).get("entries") or [{}]
    return any(_matches(entry, finding) for entry in entries)


def _matches(entry: Json, finding: Finding) -> bool:
    wanted = (entry.get("dashboard"), entry.get("panel"), entry.get("targetIdx"))
    found = (finding.dashboard, finding.panel, finding.target)
    return all(w in (None, "") or f is None or str(w) == str(f) for w, f in zip(wanted, found, strict=True))


# The dashboard and its variables


def template_datasource_rule(dashboard: Json) -> Messages:
    """Data sources are chosen by variables, whose names and labels follow from the kind of data source."""
    sources = [each for each in _variables(dashboard) if each.get("type", "").lower() == "datasource"]
    if not sources:
        yield "has no data source variable"
    for source in sources:
        kind = str(source.get("query", ""))
        names, labels = [f"{kind.lower()}_datasource"], [f"{kind.title()} data source"]
        if len(sources) == 1:
            names, labels = [*names, "datasource"], [*labels, "Data source"]
        if source["name"] not in names:
            yield f"the data source variable {source['name']} should be named {' or '.join(names)}"
        if source.get("label") not in labels:
            yield f"the data source variable {source['name']} should be labelled {' or '.join(labels)}"


def template_job_rule(dashboard: Json) -> Messages:
    """There is a variable for the job."""
    yield from _scrape_variable(dashboard, "job")


def template_instance_rule(dashboard: Json) -> Messages:
    """There is a variable for the instance."""
    yield from _scrape_variable(dashboard, "instance")


def _scrape_variable(dashboard: Json, name: str) -> Messages:
    if not _is_prometheus(dashboard):
        return
    variable = next((each for each in _variables(dashboard) if each["name"] == name), None)
    if variable is None:
        yield f"has no variable {name}"
        return
    if _uid(variable) not in _forms("datasource", "prometheus_datasource"):
        yield f"the variable {name} asks {_uid(variable) or 'no data source'}, not the data source variable"
    for key, wanted in {"type": "query", "label": name.title(), "multi": True, "allValue": ".+"}.items():
        if variable.get(key) != wanted:
            yield f"the variable {name} has {key} {variable.get(key)!r}, not {wanted!r}"


def template_label_promql_rule(dashboard: Json) -> Messages:
    """A query variable calls one of Prometheus' query functions; where it takes an expression, that one parses."""
    for variable in _queries(dashboard) if _is_prometheus(dashboard) else ():
        query = variable.get("query", "")
        text = query.get("query", "") if isinstance(query, dict) else query
        call = re.search(r"([a-z_]+)\((.+)\)", text)
        if not call or call[1] not in ("label_names", "label_values", "metrics", "query_result"):
            yield f"the variable {variable['name']} calls no query function: {text!r}"
            continue
        expression = re.sub(r",\s*\w+\s*$", "", call[2])  # without the label, which stands behind the last comma
        if call[1] in ("label_values", "query_result") and (fault := _promql_fault(expression, dashboard)):
            yield f"the variable {variable['name']}: {fault}"


def template_on_time_change_reload_rule(dashboard: Json) -> Messages:
    """Query variables are loaded again when the time range changes."""
    for variable in _queries(dashboard):
        if variable.get("refresh") != 2:
            yield f"the variable {variable['name']} has refresh {variable.get('refresh')}, not 2"


def uneditable_dashboard(dashboard: Json) -> Messages:
    """Nobody edits a generated dashboard in the browser."""
    if dashboard.get("editable"):
        yield "is editable"


# Panels


def panel_datasource_rule(dashboard: Json, panel: Json) -> Messages:
    """A panel asks the data source that a variable names."""
    names = [each["name"] for each in _variables(dashboard) if each.get("type", "").lower() == "datasource"]
    if panel.get("type") not in ("singlestat", "graph", "table", "timeseries"):
        return
    if _uid(panel) not in _forms(*names):
        yield f"asks {_uid(panel) or 'no data source'}, which is no data source variable"


def panel_title_description_rule(_: Json, panel: Json) -> Messages:
    """A panel says what it shows."""
    if panel.get("type") in LOOKED_AT and not (panel.get("title") and panel.get("description")):
        yield "has no title or no description"


def panel_units_rule(_: Json, panel: Json) -> Messages:
    """Numbers have a unit that Grafana knows, unless they are mapped to words or come from a chosen field."""
    chosen = (panel.get("options") or {}).get("reduceOptions", {}).get("fields")
    if panel.get("type") not in LOOKED_AT or (panel["type"] == "stat" and chosen):
        return
    field = panel.get("fieldConfig") or {}
    defaults = field.get("defaults") or {}
    set_ = [each for override in field.get("overrides") or [] for each in override.get("properties") or []]
    if defaults.get("mappings") is not None or any(p["id"] == "mappings" and p.get("value") is not None for p in set_):
        return
    unit = ([p["value"] for p in set_ if p["id"] == "unit"] or [""])[-1] or defaults.get("unit", "")
    if unit not in UNITS:
        yield f"has the unit {unit!r}"


def panel_no_targets_rule(_: Json, panel: Json) -> Messages:
    """A panel asks something."""
    if panel.get("type") in LOOKED_AT and panel.get("targets") is None:
        yield "has no targets"


# Targets


def target_logql_rule(dashboard: Json, panel: Json, target: Json) -> Messages:
    """A Loki query is LogQL, or refers to a panel that exists."""
    if not _is_logql(dashboard, panel, target):
        return
    if target.get("expr"):
        yield from _logql_faults(target["expr"])
    elif target.get("panelId") and not _has_panel(dashboard, target["panelId"]):
        yield "refers to a panel that does not exist"


def target_logql_auto_rule(dashboard: Json, panel: Json, target: Json) -> Messages:
    """Ranges in a Loki query follow the time range of the dashboard."""
    if not _is_logql(dashboard, panel, target):
        return
    text = target.get("expr", "")
    yield from _logql_faults(text)
    if re.search(r"\[[^\]]+\]", STRING.sub('""', text)) and "$__auto" not in text:
        yield "has a fixed range, not $__auto"


def target_promql_rule(dashboard: Json, panel: Json, target: Json) -> Messages:
    """A query is PromQL, or refers to a panel that exists."""
    if not _is_prometheus(dashboard) or panel.get("type") not in QUERIED:
        return
    if not target.get("expr") and target.get("panelId"):
        if not _has_panel(dashboard, target["panelId"]):
            yield "refers to a panel that does not exist"
    elif fault := _promql_fault(target.get("expr", ""), dashboard):
        yield fault


def target_rate_interval_rule(dashboard: Json, panel: Json, target: Json) -> Messages:
    """`rate` and `irate` reach back by $__rate_interval, and nothing but functions takes a range."""
    if not _is_prometheus(dashboard) or panel.get("type") not in QUERIED:
        return
    for node, parents in _nodes(target, dashboard):
        if not isinstance(node, MatrixSelector) or not parents or node.range == RATE_INTERVAL:
            continue
        if not isinstance(parents[-1], Call):
            yield "has a range that no function takes"
        elif parents[-1].func.name in ("rate", "irate"):
            yield f"has {parents[-1].func.name} over {node.range}, not over $__rate_interval"


def target_job_rule(dashboard: Json, _: Json, target: Json) -> Messages:
    """Every selector picks the job."""
    yield from _unmatched(dashboard, target, "job")


def target_instance_rule(dashboard: Json, _: Json, target: Json) -> Messages:
    """Every selector picks the instance."""
    yield from _unmatched(dashboard, target, "instance")


def _unmatched(dashboard: Json, target: Json, label: str) -> Messages:
    for node, _ in _nodes(target, dashboard) if _is_prometheus(dashboard) else ():
        if isinstance(node, VectorSelector):
            matchers = [(each.name, each.op, each.value) for each in node.matchers.matchers]
            if (label, MatchOp.Re, f"${label}") not in matchers:
                yield f'{node.name or "a selector"} is not narrowed by {label}=~"${label}"'


def target_counter_agg_rule(dashboard: Json, _: Json, target: Json) -> Messages:
    """A counter is only read through `rate`, `irate` or `increase`."""
    for node, parents in _nodes(target, dashboard):
        if isinstance(node, VectorSelector) and (node.name or "").endswith("_total"):
            call = parents[-2] if len(parents) > 1 and isinstance(parents[-1], MatrixSelector) else None
            if not isinstance(call, Call) or call.func.name not in ("rate", "irate", "increase"):
                yield f"reads the counter {node.name} as it is"


DASHBOARD_RULES = (
    template_datasource_rule,
    template_job_rule,
    template_instance_rule,
    template_label_promql_rule,
    template_on_time_change_reload_rule,
    uneditable_dashboard,
)
PANEL_RULES = (panel_datasource_rule, panel_title_description_rule, panel_units_rule, panel_no_targets_rule)
TARGET_RULES = (
    target_logql_rule,
    target_logql_auto_rule,
    target_promql_rule,
    target_rate_interval_rule,
    target_job_rule,
    target_instance_rule,
    target_counter_agg_rule,
)
RULES = tuple(_name(rule) for rule in (*DASHBOARD_RULES, *PANEL_RULES, *TARGET_RULES))


# What rules ask


def _variables(dashboard: Json) -> list[Json]:
    return (dashboard.get("templating") or {}).get("list") or []


def _queries(dashboard: Json) -> list[Json]:
    return [each for each in _variables(dashboard) if each.get("type") == "query"]


def _first_source(dashboard: Json) -> str:
    """What the first data source variable chooses from: `prometheus`, `loki`, …"""
    return next((str(each.get("query")) for each in _variables(dashboard) if each.get("type") == "datasource"), "")


def _is_prometheus(dashboard: Json) -> bool:
    return _first_source(dashboard) == "prometheus"


def _is_logql(dashboard: Json, panel: Json, target: Json) -> bool:
    loki = _first_source(dashboard) == "loki" or _source(target).get("type") == "loki"
    return loki and panel.get("type") in QUERIED and not target.get("hide")


def _has_panel(dashboard: Json, id: int) -> bool:
    return any(panel.get("id") == id for panel in dashboard.get("panels", []))


def _source(holder: Json) -> Json:
    source = holder.get("datasource") or {}
    return {"uid": source} if isinstance(source, str) else source


def _uid(holder: Json) -> str:
    return str(_source(holder).get("uid", ""))


def _forms(*names: str) -> list[str]:
    """The two ways of writing a variable."""
    return [form for name in names for form in (f"${name}", f"${{{name}}}")]


# Reading queries


def _promql_fault(text: str, dashboard: Json) -> str:
    try:
        promql_parser.parse(_expanded(text, _variables(dashboard)))
    except ValueError as fault:
        return f"{text!r} is not PromQL: {fault}"
    return ""


def _nodes(target: Json, dashboard: Json) -> Iterator[tuple[Expr, tuple[Expr, ...]]]:
    """Every node of a target's expression with those above it; none where it does not parse."""
    try:
        root = promql_parser.parse(_expanded(target.get("expr", ""), _variables(dashboard)))
    except ValueError:
        return
    yield from _walk(root, ())


def _walk(node: Expr, parents: tuple[Expr, ...]) -> Iterator[tuple[Expr, tuple[Expr, ...]]]:
    yield node, parents
    below = [getattr(node, name, None) for name in ("lhs", "rhs", "param", "expr", "vector_selector")]
    for child in (*below, *getattr(node, "args", ())):
        if isinstance(child, Expr):
            yield from _walk(child, (*parents, node))


def _expanded(text: str, variables: list[Json]) -> str:
    """Put values where variables stand, but for those inside double quotes."""
    parts = text.split('"')
    parts[::2] = [VARIABLE.sub(lambda found: _value(found, variables), part) for part in parts[::2]]
    return '"'.join(parts)


def _value(found: re.Match[str], variables: list[Json]) -> str:
    """A built-in variable's sample, what a variable selects at first, or just its name; its format does not matter."""
    name = next(each for each in found.groups() if each).partition(":")[0]
    if name in SAMPLES or name.startswith("__auto_interval"):
        return SAMPLES.get(name, "10s")
    others = [each for each in variables if each["name"] != name]
    for variable in variables:
        if variable["name"] == name:
            for choice in (variable.get("current") or {}, *(variable.get("options") or [])[:1]):
                if first := _first(choice.get("value")):
                    return _expanded(first, others)
    return name


def _first(value: Any) -> str:
    return str(next(iter(value), "")) if isinstance(value, list) else str(value or "")


def _logql_faults(text: str) -> Messages:
    """Unless a log query has the shape of one: strings and brackets closed, streams selected by matchers."""
    bare = STRING.sub('""', text)
    if bare.count('"') % 2 or "`" in bare or not _balanced(bare):
        yield f"{text!r} is not LogQL: a string or bracket is not closed"
        return
    streams = re.findall(r"\{[^{}]*\}", bare)
    if not streams or not all(STREAM.fullmatch(each) for each in streams):
        yield f"{text!r} is not LogQL: it selects no streams"


def _balanced(text: str) -> bool:
    awaited: list[str] = []
    for character in text:
        if character in "([{":
            awaited.append({"(": ")", "[": "]", "{": "}"}[character])
        elif character in ")]}" and (not awaited or awaited.pop() != character):
            return False
    return not awaited
