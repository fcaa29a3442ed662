"""Grafana's own JSON Schemas, held against a dashboard: its frame, each panel's options and fields, each query."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

Json = dict[str, Any]

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas" / "grafana"


def problems(dashboard: Json) -> list[str]:
    """Everything about a dashboard that Grafana's schemas do not allow."""
    found = list(_against(_dashboard(), dashboard, "dashboard"))
    for panel in _panels(dashboard):
        found += _panel(panel)
    return found


def _panels(dashboard: Json) -> Iterator[Json]:
    """All panels but rows, also those inside collapsed rows."""
    for panel in dashboard.get("panels", []):
        yield from panel.get("panels", []) if panel.get("type") == "row" else [panel]


def _panel(panel: Json) -> Iterator[str]:
    where = f"panel “{panel.get('title', panel.get('id'))}”"
    kind = panel.get("type", "")
    options, custom = _options(kind), _custom(kind)
    if options is None:
        yield f"{where}: there is no schema for panels of type {kind!r}"
        return
    field = panel.get("fieldConfig", {})
    yield from _against(options, panel.get("options", {}), f"{where} options")
    yield from _custom_fields(custom, field.get("defaults", {}).get("custom", {}), f"{where} custom")
    for override in field.get("overrides", []):
        yield from _override(custom, override["properties"], f"{where} override {override['matcher'].get('options')!r}")
    for target in panel.get("targets", []):
        yield from _target(target, f"{where} target {target.get('refId')}")


def _custom_fields(schema: Draft7Validator | None, custom: Json, where: str) -> Iterator[str]:
    if schema is not None:
        yield from _against(schema, custom, where)
    elif custom:
        yield f"{where}: this type has no field options of its own, but {sorted(custom)} are given"


def _override(custom: Draft7Validator | None, properties: list[Json], where: str) -> Iterator[str]:
    """An override sets standard options by name, and those of the panel type by `custom.` and their name."""
    values = {each["id"]: each.get("value") for each in properties}
    own = {key.removeprefix("custom."): value for key, value in values.items() if key.startswith("custom.")}
    standard = {key: value for key, value in values.items() if not key.startswith("custom.")}
    yield from _against(_dashboard("FieldConfig"), standard, where)
    yield from _custom_fields(custom, own, where)


def _target(target: Json, where: str) -> Iterator[str]:
    kind = target.get("datasource", {}).get("type", "")
    if (SCHEMAS / f"{kind}.jsonschema.json").exists():
        yield from _against(_validator(kind), target, where)
    else:
        yield f"{where}: there is no schema for queries of {kind or 'no data source'}"


def _against(schema: Draft7Validator, value: Any, where: str) -> Iterator[str]:
    for error in schema.iter_errors(value):
        yield f"{where}{error.json_path.removeprefix('$')}: {error.message[:300]}"


@cache
def _dashboard(definition: str = "Dashboard") -> Draft7Validator:
    return _validator("dashboard", definition)


def _options(kind: str) -> Draft7Validator | None:
    return _validator(_file(kind), "Options") if (SCHEMAS / f"{_file(kind)}.jsonschema.json").exists() else None


def _custom(kind: str) -> Draft7Validator | None:
    known = _options(kind) is not None and "FieldConfig" in _schema(_file(kind))["definitions"]
    return _validator(_file(kind), "FieldConfig") if known else None


def _file(kind: str) -> str:
    return kind.replace("-", "").lower()


@cache
def _validator(file: str, definition: str = "") -> Draft7Validator:
    schema = _schema(file)
    return Draft7Validator({**schema, "$ref": f"#/definitions/{definition}"} if definition else schema)


@cache
def _schema(file: str) -> Json:
    schema: Json = json.loads((SCHEMAS / f"{file}.jsonschema.json").read_text("utf-8"))
    _tell_variants_apart(schema["definitions"])
    if file == "dashboard":
        _correct_dashboard(schema["definitions"])
    if file == "table":
        # Grafana fills in what a column does not say; an override names one option, never all that are required here.
        del schema["definitions"]["TableFieldOptions"]["required"]
    return schema


def _tell_variants_apart(definitions: Json) -> None:
    """Variants name their `type` as its default only, so that one value fits many of them; it has to be that value."""
    for definition in definitions.values():
        for variant in definition.get("oneOf", ()):
            kind = definitions[variant["$ref"].rpartition("/")[2]]["properties"]["type"]
            kind["const"] = kind["default"]


def _correct_dashboard(definitions: Json) -> None:
    # A matcher's options are whatever the matcher takes: a name for byName, a pattern for byRegexp.
    definitions["MatcherConfig"]["properties"]["options"] = {}
    # The value of an override is as wide as what it overrides; `_override` looks at each.
    definitions["DynamicConfigValue"]["properties"]["value"] = {}
    # Grafana's own definition types gnetId as a number (grafana/grafana#118604); here it is still a string.
    definitions["Dashboard"]["properties"]["gnetId"] = {"type": "integer"}
    # A row is told from a panel by its type, not by trying both: otherwise one mistake condemns the panel as a whole.
    row, panel = {"$ref": "#/definitions/RowPanel"}, {"$ref": "#/definitions/Panel"}
    either = {"if": {"properties": {"type": {"const": "row"}}, "required": ["type"]}, "then": row, "else": panel}
    definitions["Dashboard"]["properties"]["panels"]["items"] = either
