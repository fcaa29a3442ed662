"""grafanalib's objects as plain data, and how plain data is laid over plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def plain(value: Any) -> Any:
    """Grafanalib's objects as plain data, without the nulls that Grafana would strip."""
    if value is None or isinstance(value, str | int | float):
        return value
    if hasattr(value, "to_json_data"):
        return plain(value.to_json_data())
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items() if each is not None}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def merge(base: Json, more: Mapping[str, Any]) -> Json:
    """Lay one tree over another; mappings are merged, everything else is replaced."""
    merged = dict(base)
    for key, value in more.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge(merged[key], value) if both else value
    return merged
