"""What a running Prometheus says that rules cost: the statistics of a query, and how long rules took. Reads only."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import requests
import urllib3

from dashgen.exits import Exit
from dashgen.model.cost import Measured
from dashgen.push.remotes import RemoteError

CONNECT, ANSWER = 5, 60  # seconds for a connection, and for one answer
LARGEST = 64_000_000  # bytes of one answer
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
        groups = self._get("/api/v1/rules", {})["groups"]
        return {
            (rule["name"], frozenset(rule.get("labels", {}).items())): float(rule["evaluationTime"])
            for group in groups
            for rule in group["rules"]
        }

    def query(self, expr: str, evaluation: float | None = None) -> Measured:
        """Evaluate an expression now, and say what that took; `evaluation` is handed through."""
        started = time.monotonic()
        data = self._get("/api/v1/query", {"query": expr, "stats": "all"})
        wall = time.monotonic() - started
        stats = data.get("stats", {})
        samples, timings = stats.get("samples"), stats.get("timings", {})
        if samples is None:
            raise RemoteError(f"{self._shown} gives no statistics of queries; Prometheus does since 2.35.")
        return Measured(
            samples=int(samples["totalQueryableSamples"]),
            peak=int(samples["peakSamples"]),
            seconds=float(timings.get("evalTotalTime", wall)),
            series=len(data["result"]) if data["resultType"] == "vector" else 1,
            evaluation=evaluation,
        )

    def _get(self, path: str, parameters: Mapping[str, str]) -> Any:
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
            made = json.loads(body) if len(body) <= LARGEST else {}
        except ValueError:
            made = {}
        if not isinstance(made, dict) or made.get("status") != "success" or not isinstance(made.get("data"), dict):
            raise RemoteError(f"{self._shown}{path} did not answer as Prometheus does ({answer.status_code}).")
        return made["data"]


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
