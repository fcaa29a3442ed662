"""Manifests held against the operators' CustomResourceDefinitions, as strictly as an API server that rejects typos."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

Json = dict[str, Any]

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas" / "kubernetes"
SUBDOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")


class _Loader(yaml.CSafeLoader):
    """YAML 1.1 in which `=` is a text, as the definitions use it."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: loader.construct_scalar(node))


def problems(manifest: Json) -> list[str]:
    """Everything about a manifest that Kubernetes, or the definition of its kind, does not allow."""
    found = list(_metadata(manifest["metadata"]))
    if manifest["kind"] == "ConfigMap":
        return found + list(_config_map(manifest))
    schema = _definitions()[manifest["apiVersion"], manifest["kind"]]
    found += _against(schema, manifest)
    if manifest["kind"] == "AlertmanagerConfig" and (route := manifest["spec"].get("route")):
        found += _routes(schema["properties"]["spec"]["properties"]["route"], route)
    return found


def _metadata(metadata: Json) -> Iterator[str]:
    if {*metadata} - {"name", "namespace", "labels", "annotations"}:
        yield f"unknown metadata: {sorted(metadata)}"
    if not SUBDOMAIN.fullmatch(metadata["name"]):
        yield f"{metadata['name']!r} is no DNS-1123 subdomain"
    for key, value in metadata["labels"].items():
        if not LABEL.fullmatch(key) or not VALUE.fullmatch(value):
            yield f"{key}={value!r} is no label"
    for key, value in metadata.get("annotations", {}).items():
        if not LABEL.fullmatch(key) or not isinstance(value, str):
            yield f"{key}: {value!r} is no annotation"


def _config_map(manifest: Json) -> Iterator[str]:
    if {*manifest} != {"apiVersion", "kind", "metadata", "data"}:
        yield f"unknown keys: {sorted(manifest)}"
    for key, value in manifest["data"].items():
        if not CONFIG_KEY.fullmatch(key) or not isinstance(value, str):
            yield f"{key!r} is no key of a ConfigMap, or holds no text"


def _routes(schema: Json, route: Json) -> Iterator[str]:
    """Routes below the first, which the definition leaves open and the operator reads as strictly as the first."""
    for below in route.get("routes", []):
        yield from _against(schema, below)
        yield from _routes(schema, below)


def _against(schema: Json, value: Any) -> Iterator[str]:
    for error in Draft202012Validator(schema).iter_errors(value):
        yield f"{error.json_path}: {error.message[:200]}"


@cache
def _definitions() -> dict[tuple[str, str], Json]:
    """apiVersion and kind → schema, with unknown fields forbidden."""
    made = {}
    for file in SCHEMAS.glob("*.yaml"):
        definition = yaml.load(file.read_text(), Loader=_Loader)["spec"]
        for version in definition["versions"]:
            key = (f"{definition['group']}/{version['name']}", definition["names"]["kind"])
            made[key] = _closed(version["schema"]["openAPIV3Schema"])
    return made


def _closed(schema: Any) -> Any:
    """A schema that allows no keys but its own, and no value twice in a set."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        made.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-list-type") == "set":
        made["uniqueItems"] = True
    return made
