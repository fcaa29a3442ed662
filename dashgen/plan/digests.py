"""The canonical form of every kind of object, and its digest: what is the same for the product has the same digest."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from dashgen.model.remote import ObjectKind
from dashgen.plan import alertmanager, dashboards, rules
from dashgen.plan.texts import bare

LENGTH = 16  # hexadecimal digits: an accident in 2⁶⁴, and a mark that still fits a label

_SHAPE = (AttributeError, TypeError, ValueError, KeyError)  # what a server holds may have any shape

_CANONICAL = {
    "dashboard": dashboards.canonical,
    "rules": rules.canonical,
    "alertmanager": alertmanager.canonical,
}
_DETAILS = {"dashboard": dashboards.details, "rules": rules.details, "alertmanager": alertmanager.details}


def canonical(kind: ObjectKind, data: Any) -> Any:
    """What counts of an object's data, in one form; data that are not of the kind's shape stay as they are."""
    try:
        return _CANONICAL.get(kind, bare)(data) if isinstance(data, dict) else data
    except _SHAPE:
        return bare(data)


def digest(kind: ObjectKind, data: Any, parent: str = "") -> str:
    """The digest of what counts of an object, and of the folder that it stands in.

    >>> digest("dashboard", {"title": "A", "id": 7, "version": 3}) == digest("dashboard", {"title": "A", "id": None})
    True
    >>> digest("dashboard", {"title": "A"}, "here") == digest("dashboard", {"title": "A"}, "there")
    False
    """
    content = orjson.dumps([canonical(kind, data), parent], option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.sha256(content).hexdigest()[:LENGTH]


def details(kind: ObjectKind, before: Any, after: Any) -> tuple[str, ...]:
    """The lines that say to a reader what changes between two states of an object."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return ("the whole content changes",)
    try:
        return tuple(_DETAILS.get(kind, alertmanager.details)(canonical(kind, before), canonical(kind, after)))
    except _SHAPE:
        return ("the content has another shape",)
