"""What both APIs of Grafana share: the protocol that they implement, and the mark inside a dashboard."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Protocol

from dashgen import conventions as c
from dashgen.model.remote import Found, Mark
from dashgen.push.remotes import RemoteError
from dashgen.push.transport import Answer

_UID = re.compile(r"[A-Za-z0-9_-]{1,40}")


class Api(Protocol):
    """One family of Grafana's APIs; an object is read and written whole, under the version that was read."""

    def dashboards(self, graph: str, uids: Collection[str]) -> list[Found]:
        """Every dashboard with a mark of this graph, and whatever stands at these uids."""

    def dashboard(self, uid: str) -> Found | None:
        """One dashboard, if it is there."""

    def write_dashboard(self, uid: str, data: dict[str, Any], folder: str, version: str) -> None:
        """Create (without a version) or replace a dashboard; `RemoteError` with `stale` if somebody was faster."""

    def delete_dashboard(self, uid: str, version: str) -> None:
        """Delete a dashboard that still has this version."""

    def folder(self, uid: str) -> Found | None:
        """One folder, if it is there."""

    def write_folder(self, uid: str, title: str, version: str) -> None:
        """Create (without a version) or rename a folder; where it stands among folders is not touched."""


def marked(data: dict[str, Any], uid: str, mark: Mark) -> dict[str, Any]:
    """A dashboard with the mark in a hidden constant; its label says whose it is, so that a copy is nobody's.

    >>> read, mark = unmarked(marked({"title": "A"}, "a", Mark("shop", "0123456789abcdef")), "a")
    >>> read["title"], str(mark)
    ('A', 'dashgen:shop:0123456789abcdef')
    >>> unmarked(marked({"title": "A"}, "a", mark), "copy-of-a")[1] is None
    True
    """
    text = str(mark)
    constant = {
        "type": "constant",
        "name": c.OWNER_MARK,
        "label": uid,
        "hide": 2,
        "skipUrlSync": True,
        "query": text,
        "current": {"selected": True, "text": text, "value": text},
        "options": [],
    }
    templating = data.get("templating")
    templating = templating if isinstance(templating, dict) else {}
    return {**data, "templating": {**templating, "list": [*_variables(data), constant]}}


def unmarked(data: dict[str, Any], uid: str) -> tuple[dict[str, Any], Mark | None]:
    """A dashboard without our constant, and the mark that was in it."""
    templating = data.get("templating")
    listed = templating.get("list") if isinstance(templating, dict) else None
    if not isinstance(templating, dict) or not isinstance(listed, list):
        return data, None
    own = [each for each in listed if _ours(each)]
    if not own:
        return data, None
    mark = Mark.read(str(own[0].get("query", ""))) if own[0].get("label") == uid else None
    return {**data, "templating": {**templating, "list": [each for each in listed if not _ours(each)]}}, mark


def _variables(data: dict[str, Any]) -> list[Any]:
    templating = data.get("templating")
    listed = templating.get("list") if isinstance(templating, dict) else None
    return [each for each in listed if not _ours(each)] if isinstance(listed, list) else []


def _ours(variable: Any) -> bool:
    return isinstance(variable, dict) and variable.get("name") == c.OWNER_MARK and variable.get("type") == "constant"


def is_uid(uid: str) -> bool:
    """Whether Grafana takes a uid; nothing else becomes part of an address.

    >>> is_uid("shop-service-orders"), is_uid(".."), is_uid("x" * 41)
    (True, False, False)
    """
    return _UID.fullmatch(uid) is not None


def accepted(answer: Answer) -> None:
    """Whether it was Grafana that took a write: a proxy answers with the page of its login, and 200."""
    if not isinstance(answer.json(), dict):
        raise RemoteError(
            f"{answer.asked} answered {answer.status} with something else than an object. {answer.strange}"
        )


def absent(answer: Answer) -> bool:
    """Whether Grafana says that something is not there; a proxy's 404, which is no JSON, is an error."""
    return answer.status == 404 and isinstance(answer.json(), dict)


def text(value: Any) -> str:
    """A text of a server's, whatever it sent."""
    return value if isinstance(value, str) else "" if value is None else str(value)


def table(value: Any) -> dict[str, Any]:
    """A mapping of a server's, whatever it sent."""
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[dict[str, Any]]:
    """The mappings in a list of a server's, whatever it sent."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
