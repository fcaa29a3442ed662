"""Annotations in Grafana that say when dashboards of a commit were pushed: one for a commit, however often it is."""

from __future__ import annotations

import time
from collections.abc import Callable

from dashgen import conventions as c
from dashgen.exits import Exit
from dashgen.push.remotes import RemoteError
from dashgen.push.remotes.grafana_objects import accepted
from dashgen.push.transport import Transport

TRIES = 3


class Releases:
    """Annotations have no id that a client could choose, so a tag with the commit tells whether there is one."""

    def __init__(self, transport: Transport, clock: Callable[[], float] = time.time):
        self._http, self._clock = transport, clock

    def note(self, commit: str, dashboards: int) -> None:
        """Annotate a commit, unless somebody did; the whole organisation sees it."""
        tags = [c.OWNER_MARK, "release", f"deploy-id:{commit}"]
        text = f"{dashboards} dashboard{'s' * (dashboards != 1)} pushed from {commit[:12]}"
        body = {"time": int(self._clock() * 1000), "tags": tags, "text": text}  # milliseconds
        for last in (*[False] * (TRIES - 1), True):
            if self._http.call("GET", "/api/annotations", params={"tags": tags[-1], "limit": "1"}).json():
                return
            try:
                accepted(self._http.call("POST", "/api/annotations", json=body, again=False))
                return
            except RemoteError as error:  # whether it arrived, the next look tells
                if last or not (error.code is Exit.UNREACHABLE or error.status >= 500):
                    raise
