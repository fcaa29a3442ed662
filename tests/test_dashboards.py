"""Generated dashboards against those who will judge them: Grafana's schemas, linter and SDK, our theme, a reader."""

from __future__ import annotations

import copy
import datetime
import importlib
import itertools
import json
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashgen import pipeline
from dashgen.conventions import PANEL_TYPES
from dashgen.model.graph import Service
from dashgen.model.tree import plain
from tests.conftest import ROOT, opened
from tests.oracles import dashboard_linter, grafana_schema

Json = dict[str, Any]

FILES = (ROOT / "services.yaml", *ROOT.glob("examples/*/services.yaml"), *ROOT.glob("examples/*/services"))
EXAMPLES = {"shop" if path.parent == ROOT else path.parent.name: path for path in sorted(FILES) if path.exists()}
GALLERY = """
version: dashgen/v1
graph: gallery
title: 'A "gallery": 100 % {{odd}} $names'
defaults: {scrape_interval: 30s, window: 28d, dimensions: [region]}
teams: {some: {page: pager, ticket: chat}}
services:
  front:
    language: typescript
    team: some
    instrumentation: spanmetrics
    selector: {service_name: front}
    operations: {read: {span_name: GET /read}}
    calls: {a-service-whose-name-is-much-longer-than-any-uid-may-be: {timeout: 1s, instrumentation: servicegraph}}
    slos: {availability: {objective: 99}, latency: {objective: 95, threshold: 200ms, operation: read}}
  a-service-whose-name-is-much-longer-than-any-uid-may-be:
    title: The "middle"
    team: some
    implementations:
      legacy: {language: go, instrumentation: otelhttp, selector: {job: legacy}}
      rewrite: {language: rust, instrumentation: axum-prometheus, selector: {job: rewrite}}
    calls: {back: {protocol: grpc, criticality: soft}}
    slos: {availability: {objective: 99.9}}
  back: {language: cobol, team: some, instrumentation: {profile: otelgrpc, version: 0.69}, selector: {job: back}}
chains:
  read: {path: [front/read, a-service-whose-name-is-much-longer-than-any-uid-may-be, back]}
"""
OVERVIEW = {"title": "Overview", "url": '<< link.inside(uid("overview")) >>'}
GOOD_OR_BAD = [{"color": "<< status.good >>"}, {"color": "<< status.bad >>", "value": 0.5}]
WORDS = [
    {"value": "1", "text": "up", "color": "<< status.good >>"},
    {"to": 0, "text": "none", "color": "<< status.bad >>"},
]
LOOKS: Json = {  # what a template may say about a panel of a type, where another type does not show it
    "logs": {"queries": [{"expr": '{app="front"} |= "a"'}]},
    "stat": {"color": "background", "graph": "area", "thresholds": GOOD_OR_BAD, "mappings": WORDS},
    "table": {
        "columns": [
            {"field": "Value", "title": "Up", "unit": "none", "decimals": 1, "width": 90, "link": OVERVIEW}
            | {"cell": "color-text", "thresholds": GOOD_OR_BAD, "mappings": WORDS},
            {"field": "env", "hidden": True},
        ],
        "transformations": [{"id": "merge", "options": {}}],
    },
    "text": {"text": "**Text**"},
    "timeseries": {
        "colors": {"up": "<< status.good >>", "/5../": "<< status.bad >>"},
        "thresholds": GOOD_OR_BAD,
        "links": [OVERVIEW],
        "interval": "1m",
        "graph": "bars",
        "stack": True,
        "fill": 60,
        "line": 2,
        "legend": "right",
        "show_thresholds": "line",
    },
}
ONE_OF_EACH: Json = {
    "dashboard": "gallery",
    "uid": '<< uid("gallery") >>',
    "title": "One of each",
    "folder": "gallery",
    "variables": [{"use": "metrics-datasource"}, {"use": "logs-datasource"}, {"use": "environment"}],
    "rows": [
        {
            "row": "Of each type",
            "collapsed": True,
            "panels": [
                {"panel": kind, "type": kind, "title": kind, "description": "One of its kind.", "unit": "s"}
                | {"queries": [{"expr": "count(service:info)"}]}
                | LOOKS.get(kind, {})
                for kind in PANEL_TYPES
            ],
        }
    ],
}


@dataclass(frozen=True)
class Output:
    """A project and what was made of it: the folder, and the dashboards by uid."""

    project: pipeline.Project
    folder: Path
    dashboards: dict[str, Json]

    @property
    def panels(self) -> list[Json]:
        """All panels of all dashboards."""
        return [panel for dashboard in self.dashboards.values() for panel in panels(dashboard)]

    @property
    def exclusions(self) -> Json:
        """The rules of the linter that the output does not keep, with reasons."""
        path = self.folder / "grafana" / ".lint"
        assert path.exists(), "grafana/.lint is not generated"
        return dict(yaml.safe_load(path.read_text("utf-8")))


def panels(dashboard: Json) -> Iterator[Json]:
    """All panels of a dashboard but rows, also those inside collapsed rows."""
    for panel in dashboard["panels"]:
        yield from panel["panels"] if panel["type"] == "row" else [panel]


def write_gallery(folder: Path) -> Path:
    """A project with names that are hard to bear, and a template of its own: one panel of each type."""
    (folder / "templates" / "dashboards").mkdir(parents=True)
    (folder / "templates" / "dashboards" / "gallery.yaml").write_text(yaml.safe_dump(ONE_OF_EACH), "utf-8")
    (folder / "services.yaml").write_text(GALLERY, "utf-8")
    return folder / "services.yaml"


@pytest.fixture(scope="module", params=[*EXAMPLES, "gallery"])
def output(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Output:
    """What is made of the worked example, of each other example, and of the gallery."""
    folder = tmp_path_factory.mktemp(request.param)
    project = opened(EXAMPLES.get(request.param) or write_gallery(folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))  # nothing is recalled, so everything is made
        outcome = pipeline.generate(project, folder / "out", datetime.date(2026, 11, 21))
    files = sorted((folder / "out" / "grafana" / "dashboards").glob("*/*.json"))
    assert files, outcome.found
    dashboards = {path.stem: json.loads(path.read_text("utf-8")) for path in files}
    assert len(dashboards) == len(files), "two folders hold the same uid"
    return Output(project, folder / "out", dashboards)


# What Grafana reads


def test_schemas_accept_all(output: Output) -> None:
    assert [problem for each in output.dashboards.values() for problem in grafana_schema.problems(each)] == []


def test_nothing_is_null(output: Output) -> None:
    assert [path for uid, each in output.dashboards.items() for path in nulls(each, uid)] == []


def nulls(value: Any, path: str) -> Iterator[str]:
    """Where there is a null."""
    if value is None:
        yield path
    elif isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from nulls(each, f"{path}.{key}")


def test_dashboards_bear_the_uid_of_their_file(output: Output) -> None:
    for uid, dashboard in output.dashboards.items():
        assert dashboard["uid"] == uid
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", uid)
        assert dashboard["schemaVersion"] == 42


def test_ids_are_unique_within_a_dashboard(output: Output) -> None:
    for dashboard in output.dashboards.values():
        rows = [panel for panel in dashboard["panels"] if panel["type"] == "row"]
        counted = Counter(panel["id"] for panel in [*rows, *panels(dashboard)])
        assert counted.most_common(1)[0][1] == 1, dashboard["uid"]
        assert all(isinstance(id, int) and 1 <= id < 2**31 for id in counted)


def test_panels_ask_the_chosen_data_source(output: Output) -> None:
    for dashboard in output.dashboards.values():
        chosen = {f"${{{each['name']}}}" for each in dashboard["templating"]["list"] if each["type"] == "datasource"}
        for panel in (panel for panel in panels(dashboard) if "targets" in panel):
            wanted = "${loki_datasource}" if panel["type"] == "logs" else "${prometheus_datasource}"
            asked = {each["datasource"]["uid"] for each in (panel, *panel["targets"])}
            assert asked == {wanted} <= chosen, (dashboard["uid"], panel["title"])


# What the SDK reads


def test_the_sdk_knows_all_that_panels_say(output: Output) -> None:
    """What the SDK's model of a panel type does not know, it forgets on reading."""
    for panel in output.panels:
        options, custom = sdk_models(panel["type"])
        own = panel["fieldConfig"]["defaults"].get("custom", {})
        assert forgotten(panel["options"], read_by(options, panel["options"]), "options") == [], panel["title"]
        assert not own or forgotten(own, read_by(custom, own), "custom") == [], panel["title"]


def test_the_sdk_knows_all_that_dashboards_say(output: Output) -> None:
    model = sdk("models.dashboard").Dashboard
    assert [
        path for uid, each in output.dashboards.items() for path in forgotten(each, read_by(model, each), uid)
    ] == []


def sdk(module: str) -> Any:
    """A module of the SDK, which says while it is imported that it prefers its newer dashboards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return importlib.import_module(f"grafana_foundation_sdk.{module}")


@cache
def sdk_models(kind: str) -> tuple[Any, Any]:
    """The SDK's models of a panel type's options and field options, from a panel that its builder made."""
    name = kind.replace("-", "")
    built = sdk(f"builders.{name}").Panel().build()
    assert built.type_val == kind
    return type(built.options), getattr(sdk(f"models.{name}"), "FieldConfig", None)


def read_by(model: Any, data: Json) -> Any:
    """What is left of data after a model of the SDK read it and wrote it again."""
    assert model is not None, f"no model knows {sorted(data)}"
    return json.loads(json.dumps(model.from_json(copy.deepcopy(data)), cls=sdk("cog.encoder").JSONEncoder))


def forgotten(ours: Any, theirs: Any, path: str) -> list[str]:
    """Where one tree says what the other does not; what the other says besides does not matter."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return [p for key, each in ours.items() for p in forgotten(each, theirs.get(key, KeyError), f"{path}.{key}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [p for index, (a, b) in pairs for p in forgotten(a, b, f"{path}.{index}")]
    return [] if ours == theirs else [path]


def test_the_sdk_forgets_what_it_does_not_know() -> None:
    options, custom = sdk_models("timeseries")
    given = {"legend": {"showLegend": True, "shine": 1}, "speed": 2}
    assert forgotten(given, read_by(options, given), "options") == ["options.legend.shine", "options.speed"]
    assert forgotten({"lineWidht": 1}, read_by(custom, {"lineWidht": 1}), "custom") == ["custom.lineWidht"]


# What people read


def test_panels_say_what_they_show(output: Output) -> None:
    assert [panel for panel in output.panels if not (panel.get("title") and panel.get("description"))] == []
    titles = [panel.get("title", "") for each in output.dashboards.values() for panel in each["panels"]]
    assert [title for title in titles if title != title.strip()] == []


def test_numbers_have_units(output: Output) -> None:
    numbers = [panel for panel in output.panels if panel["type"] not in ("text", "logs", "state-timeline")]
    assert [panel["title"] for panel in numbers if not panel["fieldConfig"]["defaults"].get("unit")] == []


def test_drawings_show_what_they_query(output: Output) -> None:
    """A number on a drawing names the query that it shows, in that query's unit; a line leads to what is drawn."""
    drawings = [panel for panel in output.panels if panel["type"] == "canvas"]
    assert bool(drawings) == bool(output.project.graph.chains)
    for panel in drawings:
        elements = panel["options"]["root"]["elements"]
        texts = [each["config"].get("text", {}) for each in elements]
        fields = {text["field"] for text in texts if text.get("mode") == "field"}
        lines = {line["targetName"] for each in elements for line in each.get("connections", ())}
        legends = {target["legendFormat"]: target["expr"] for target in panel["targets"]}
        assert fields <= legends.keys(), panel["title"]
        assert lines <= {each["name"] for each in elements}
        for field in fields:
            assert ("ratio" in legends[field]) == (unit(panel, field) == "percentunit"), (field, unit(panel, field))


def unit(panel: Json, field: str) -> str:
    """The unit in which a panel shows a field."""
    found = panel["fieldConfig"]["defaults"].get("unit", "")
    for override in panel["fieldConfig"]["overrides"]:
        kind, wanted = override["matcher"]["id"], override["matcher"]["options"]
        if wanted == field if kind == "byName" else re.search(wanted.strip("/"), field):
            found = next((each["value"] for each in override["properties"] if each["id"] == "unit"), found)
    return str(found)


def test_links_lead_somewhere(output: Output) -> None:
    """From dashboards, alerts and runbooks, to a dashboard of this output and, where they say so, to a panel of it."""
    ids = {uid: {str(panel["id"]) for panel in panels(each)} for uid, each in output.dashboards.items()}
    files = [path for path in output.folder.rglob("*") if path.suffix in (".json", ".yaml", ".md")]
    found = {
        (path.name, *link)
        for path in files
        for link in re.findall(r'/d/([\w-]+)(?:\?[^\s")]*?viewPanel=(\d+))?', path.read_text("utf-8"))
    }
    assert found
    assert [link for link in found if link[1] not in ids or (link[2] and link[2] not in ids[link[1]])] == []


def test_table_rows_lead_somewhere(output: Output) -> None:
    """Tables link to the uid that a recorded series has in its label `dashboard`."""
    rules = [yaml.safe_load(path.read_text("utf-8")) for path in output.folder.glob("prometheus/rules/*.yaml")]
    labels = [rule.get("labels", {}) for each in rules for group in each["groups"] for rule in group["rules"]]
    uids = {each["dashboard"] for each in labels if "dashboard" in each}
    assert uids
    assert uids <= output.dashboards.keys()
    linking = [panel for panel in output.panels if "/d/${__data.fields.dashboard}" in json.dumps(panel)]
    assert linking
    assert all(any(re.search(r"\bdashboard\b", t["expr"]) for t in panel["targets"]) for panel in linking)


def test_calls_are_shown_where_somebody_counts_them(output: Output) -> None:
    counted = {(edge.client.name, edge.server.name) for edge in output.project.graph.edges if edge.sources}
    asked = set(re.findall(r'edge:\w+:\w+\{(client|server)=\\"([^"\\]+)', json.dumps(output.panels)))
    assert asked == {pair for edge in counted for pair in zip(("client", "server"), edge, strict=True)}


def test_panels_have_room(output: Output) -> None:
    """Nothing overlaps or leaves the grid of 24 columns; what is in a collapsed row is laid out below that row."""
    for dashboard in output.dashboards.values():
        rows = [panel for panel in dashboard["panels"] if panel["type"] == "row"]
        for group in ([*dashboard["panels"]], *(row["panels"] for row in rows)):
            places = [panel["gridPos"] for panel in group]
            assert all(min(p["x"], p["y"]) >= 0 < min(p["w"], p["h"]) and p["x"] + p["w"] <= 24 for p in places)
            assert not [pair for pair in itertools.combinations(places, 2) if overlap(*pair)], dashboard["uid"]
        assert all(panel["gridPos"]["y"] > row["gridPos"]["y"] for row in rows for panel in row["panels"])


def overlap(a: Json, b: Json) -> bool:
    """Whether two panels share a cell of the grid."""
    return all(a[at] < b[at] + b[size] and b[at] < a[at] + a[size] for at, size in (("x", "w"), ("y", "h")))


# Colours


def test_a_language_has_one_colour(output: Output) -> None:
    """What is named after a language, or after a service or implementation in it, has the theme's colour for it."""
    languages = theme(output)["languages"]
    graph, seen = output.project.graph, set()
    for uid, dashboard in output.dashboards.items():
        wanted = {name: {color} for name, color in languages.items()}
        for name, language in [(each.name, each.language) for each in graph.services] + [
            (each.name, each.language)
            for service in graph.services
            if service.uid == uid
            for each in service.implementations
        ]:
            wanted.setdefault(name, set()).add(color_of(languages, language))
        for name, color in painted(dashboard):
            if name in wanted:
                seen.add(name)
                assert color in wanted[name], (uid, name)
    hops = {hop.service.name for chain in graph.chains for hop in chain.hops}
    assert seen >= hops | languages.keys()


def test_a_service_has_no_other_languages_colour(output: Output) -> None:
    known = theme(output)
    foreign = set(known["languages"].values()) - set(known["status"].values())
    for service in output.project.graph.services:
        own = {color_of(known["languages"], language) for language in spoken(service)}
        shown = output.dashboards[service.uid]
        colors = {panel["fieldConfig"]["defaults"].get("color", {}).get("fixedColor") for panel in panels(shown)}
        colors |= {each["iconColor"] for each in shown["annotations"]["list"]}
        assert colors & own
        assert colors & foreign <= own, service.name


def test_all_colours_are_the_themes(output: Output) -> None:
    known = theme(output)
    allowed = {"#FFFFFF", *known["languages"].values(), *known["status"].values()}  # white is the ink on a colour
    for uid, dashboard in output.dashboards.items():
        assert set(re.findall(r'"(#[0-9A-Fa-f]{3,8})"', json.dumps(dashboard))) <= allowed, uid


def theme(output: Output) -> Json:
    """The project's theme."""
    return dict(plain(output.project.library.theme.root))


def color_of(languages: dict[str, str], language: str) -> str:
    """A language's colour; a service in migration has that of the language to which it moves."""
    return languages.get(language.rpartition("+")[2], languages["other"])


def spoken(service: Service) -> list[str]:
    """The languages in which a service is written."""
    return [service.language, *(each.language for each in service.implementations)]


def painted(dashboard: Json) -> Iterator[tuple[str, str]]:
    """Every name that has a colour on a dashboard: of a series, of a word in a table, of a box on a drawing."""
    for panel in panels(dashboard):
        for override in panel["fieldConfig"]["overrides"]:
            for each in override["properties"]:
                if each["id"] == "color":
                    yield override["matcher"]["options"], each["value"]["fixedColor"]
                for mapping in each["value"] if each["id"] == "mappings" else ():
                    words = mapping["options"].items() if mapping["type"] == "value" else ()
                    yield from ((word, shown["color"]) for word, shown in words)
        for element in panel["options"].get("root", {}).get("elements", ()):
            yield element["name"], element["background"]["color"]["fixed"]


# What the linter says


def test_the_linter_objects_to_nothing_but_exclusions(output: Output) -> None:
    exclusions = output.exclusions
    assert [
        each for dashboard in output.dashboards.values() for each in dashboard_linter.lint(dashboard, exclusions)
    ] == []


def test_exclusions_are_needed_and_explained(output: Output) -> None:
    found = {each.rule for dashboard in output.dashboards.values() for each in dashboard_linter.lint(dashboard, {})}
    excluded = output.exclusions["exclusions"]
    assert excluded.keys() - found == set()
    assert [rule for rule, each in excluded.items() if not str((each or {}).get("reason") or "").strip()] == []


def scrape_variable(name: str) -> Json:
    """A variable as the linter wants it."""
    wanted = {
        "label": name.title(),
        "query": f"label_values(up, {name})",
        "multi": True,
        "allValue": ".+",
        "refresh": 2,
    }
    return {"name": name, "type": "query", "datasource": {"uid": "${prometheus_datasource}"}, **wanted}


SOURCE = {"type": "prometheus", "uid": "${prometheus_datasource}"}
GOOD: Json = {
    "title": "Good",
    "uid": "good",
    "editable": False,
    "schemaVersion": 42,
    "annotations": {"list": []},
    "templating": {
        "list": [
            {
                "name": "prometheus_datasource",
                "type": "datasource",
                "query": "prometheus",
                "label": "Prometheus data source",
            },
            scrape_variable("job"),
            scrape_variable("instance"),
        ]
    },
    "panels": [
        {
            "id": 1,
            "type": "timeseries",
            "title": "Requests",
            "description": "Per second.",
            "datasource": SOURCE,
            "gridPos": {"x": 0, "y": 0, "w": 8, "h": 8},
            "fieldConfig": {"defaults": {"unit": "reqps", "custom": {"lineWidth": 1}}, "overrides": []},
            "options": {
                "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True},
                "tooltip": {"mode": "multi", "sort": "desc"},
            },
            "targets": [
                {
                    "datasource": SOURCE,
                    "expr": 'sum(rate(seen_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))',
                    "refId": "A",
                }
            ],
        }
    ],
}
PANEL, TARGET, VARIABLES = ("panels", 0), ("panels", 0, "targets", 0), ("templating", "list")
PICKED = 'job=~"$job",instance=~"$instance"'
LOKI = {"type": "loki", "uid": "${loki_datasource}"}
BAD_FOR_LINTER = {
    "template-datasource-rule": ((*VARIABLES, 0, "name"), "prom"),
    "template-job-rule": ((*VARIABLES, 1, "multi"), False),
    "template-instance-rule": ((*VARIABLES, 2, "name"), "host"),
    "template-label-promql-rule": ((*VARIABLES, 1, "query"), "label_values(up{, job)"),
    "template-on-time-change-reload-rule": ((*VARIABLES, 1, "refresh"), 1),
    "uneditable-dashboard": (("editable",), True),
    "panel-datasource-rule": ((*PANEL, "datasource", "uid"), "P1809F7CD0C75ACF3"),
    "panel-title-description-rule": ((*PANEL, "description"), ""),
    "panel-units-rule": ((*PANEL, "fieldConfig", "defaults", "unit"), "suffix:req"),
    "panel-no-targets-rule": ((*PANEL, "targets"), None),
    "target-logql-rule": (TARGET, {"datasource": LOKI, "expr": '{app=~"a} |= "b"'}),
    "target-logql-auto-rule": (TARGET, {"datasource": LOKI, "expr": 'sum(rate({app="a"} |= "b" [5m]))'}),
    "target-promql-rule": ((*TARGET, "expr"), f"sum by (job (up{{{PICKED}}})"),
    "target-rate-interval-rule": ((*TARGET, "expr"), f"rate(seen_total{{{PICKED}}}[5m])"),
    "target-job-rule": ((*TARGET, "expr"), 'up{job="$job",instance=~"$instance"}'),
    "target-instance-rule": ((*TARGET, "expr"), f'up{{{PICKED}}} / on (job) up{{job=~"$job"}}'),
    "target-counter-agg-rule": ((*TARGET, "expr"), f"sum(seen_total{{{PICKED}}})"),
}
BAD_FOR_SCHEMA = {
    "a version in words": (("schemaVersion",), "42"),
    "a variable that selects a word": ((*VARIABLES, 0, "current"), "prometheus"),
    "an unknown panel type": ((*PANEL, "type"), "spaceship"),
    "a key of an older model": ((*PANEL, "nullPointMode"), "null"),
    "an unknown option": ((*PANEL, "options", "speed"), 1),
    "an unknown choice": ((*PANEL, "options", "tooltip", "mode"), "some"),
    "a field option of a wrong type": ((*PANEL, "fieldConfig", "defaults", "custom", "lineWidth"), "thick"),
    "an override of what does not exist": (
        (*PANEL, "fieldConfig", "overrides"),
        [{"matcher": {"id": "byName", "options": "a"}, "properties": [{"id": "custom.lineWidht", "value": 2}]}],
    ),
    "an override of a wrong type": (
        (*PANEL, "fieldConfig", "overrides"),
        [{"matcher": {"id": "byName", "options": "a"}, "properties": [{"id": "thresholds", "value": {"steps": ""}}]}],
    ),
    "a query that is instant in words": ((*TARGET, "instant"), "yes"),
}


def changed(path: tuple[str | int, ...], value: Any) -> Json:
    """The good dashboard with one thing about it changed."""
    dashboard = copy.deepcopy(GOOD)
    holder: Any = dashboard
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return dashboard


def test_oracles_object_to_nothing_that_is_good() -> None:
    assert dashboard_linter.lint(GOOD, {}) == []
    assert grafana_schema.problems(GOOD) == []


@pytest.mark.parametrize("rule", dashboard_linter.RULES)
def test_each_rule_of_the_linter_fires(rule: str) -> None:
    bad = changed(*BAD_FOR_LINTER[rule])
    assert rule in {each.rule for each in dashboard_linter.lint(bad, {})}
    assert rule not in {each.rule for each in dashboard_linter.lint(bad, {"exclusions": {rule: {"reason": "Why."}}})}


def test_the_linter_has_all_rules() -> None:
    assert len(set(dashboard_linter.RULES)) == 17
    assert BAD_FOR_LINTER.keys() == set(dashboard_linter.RULES)


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        ({}, 0),
        ({"dashboard": "Good"}, 0),
        ({"panel": "Requests", "targetIdx": "0"}, 0),
        ({"panel": "Other"}, 1),
        ({"targetIdx": 1}, 1),
    ],
)
def test_entries_narrow_an_exclusion(entry: Json, left: int) -> None:
    bad = changed(*BAD_FOR_LINTER["target-counter-agg-rule"])
    assert len(dashboard_linter.lint(bad, {"exclusions": {"target-counter-agg-rule": {"entries": [entry]}}})) == left


@pytest.mark.parametrize("bad", BAD_FOR_SCHEMA)
def test_schemas_refuse(bad: str) -> None:
    assert grafana_schema.problems(changed(*BAD_FOR_SCHEMA[bad])) != []
