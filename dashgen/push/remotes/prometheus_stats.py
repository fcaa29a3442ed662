"""What a running Prometheus says that rules cost: the statistics of a query, and how long rules took. Reads only."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, TypeVar

import requests
import urllib3

from dashgen.exits import Exit
from dashgen.model.cost import Measured
from dashgen.push.remotes import RemoteError

CONNECT, ANSWER = 5, 60  # seconds for a connection, and for one answer
LARGEST = 64_000_000  # bytes of one answer
T = TypeVar("T")
RuleKey = tuple[str, frozenset[tuple[str, str]]]


class PrometheusStats:
    """One server; a context that closes its connection. All methods raise `RemoteError`."""

    def __init__(self, url: str):
        self._url = url.rstrip("/")
        self._shown = _masked(self._url)
        self._session = requests.Session()
        self._session.trust_env = False

    def __enter__(self) -> PrometheusStats:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def evaluations(self) -> dict[RuleKey, float]:
        """Seconds of the last evaluation of every loaded rule, by its name and labels."""
        return self._get("/api/v1/rules", {}, _evaluations)

    def query(self, expr: str, evaluation: float | None = None) -> Measured:
        """Evaluate an expression now, and say what that took; `evaluation` is handed through."""
        return replace(self._get("/api/v1/query", {"query": expr, "stats": "all"}, _measured), evaluation=evaluation)

    def _get(self, path: str, parameters: Mapping[str, str], read: Callable[[Any], T]) -> T:
        try:
            answer = self._session.get(
                f"{self._url}{path}", params=parameters, timeout=(CONNECT, ANSWER), allow_redirects=False, stream=True
            )
            body = answer.raw.read(LARGEST + 1, decode_content=True)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            detail = f"{self._shown} cannot be reached: {_reason(error)}."
            raise RemoteError(detail, Exit.UNREACHABLE) from None
        if answer.status_code in (401, 403):
            detail = f"{self._shown} refused who we are ({answer.status_code})."
            raise RemoteError(detail, Exit.REFUSED, answer.status_code)
        try:
            return read(json.loads(body)["data"])
        except (ValueError, LookupError, TypeError, AttributeError):
            detail = f"{self._shown}{path} did not answer as Prometheus does since 2.35 ({answer.status_code})."
            raise RemoteError(detail, status=answer.status_code) from None


def _evaluations(data: Any) -> dict[RuleKey, float]:
    return {
        (rule["name"], frozenset(rule.get("labels", {}).items())): float(rule["evaluationTime"])
        for group in data["groups"]
        for rule in group["rules"]
    }


def _measured(data: Any) -> Measured:
    samples = data["stats"]["samples"]
    return Measured(
        samples=int(samples["totalQueryableSamples"]),
        peak=int(samples["peakSamples"]),
        seconds=float(data["stats"]["timings"]["evalTotalTime"]),
        series=len(data["result"]) if data["resultType"] == "vector" else 1,
    )


def _reason(error: Exception) -> str:
    """What went wrong, without the addresses and credentials that a library's message may hold."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, ValueError):
        return "its address should look like http://prometheus:9090"
    return "the connection failed"


def _masked(url: str) -> str:
    """An address without the user and password that may stand in it.

    >>> _masked("http://me:secret@prometheus:9090/path")
    'http://prometheus:9090/path'
    """
    return re.sub(r"//[^/]*@", "//", url)
