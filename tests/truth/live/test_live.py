"""Live, an hour in a minute: a chain pages, its hop's ticket keeps quiet, native histograms show what is slow."""

from __future__ import annotations

import json
import math
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests import remote_write
from tests.servers import running_alertmanager, running_prometheus, until
from tests.truth import observer, simulator
from tests.truth.live import hurry
from tests.truth.outage import Outage, load
from tests.truth.simulator import STALE, Sample

SCRAPE = 15 / hurry.SPEED
SLACK = 4  # minutes, which are seconds here: a busy machine scrapes and evaluates late; promtool proves the minute


@dataclass
class World:
    """What the servers around Prometheus know: samples to expose, when it began, what was sent, which tickets fired."""

    samples: dict[str, list[Sample]]
    began: float = math.inf
    sent: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    tickets: list[dict[str, str]] = field(default_factory=list)

    @property
    def minute(self) -> float:
        """Minutes of the outage that have passed; none before it begins."""
        return max(0.0, (time.time() - self.began) * hurry.SPEED / 60)

    def exposition(self) -> str:
        """The metrics as they are now."""
        at = int(self.minute * 4)
        now = ((name, samples[min(at, len(samples) - 1)]) for name, samples in self.samples.items())
        return "".join(f"{name} {value}\n" for name, value in now if value not in (None, STALE))


@contextmanager
def serving(world: World) -> Iterator[str]:
    """A little server: metrics for Prometheus, and a webhook for Alertmanager."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(world.exposition().encode())

        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            for alert in message["alerts"]:
                world.sent.append((world.minute, self.path.strip("/"), alert))
            self._answer(b"")

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def play(outage: Outage, world: World, prometheus: str) -> None:
    """Write native histograms until the outage is over: 20 ms are in bucket -5, two seconds in bucket 1."""
    stream = next(s for s in outage.streams if s.source.duration and s.source.duration.native)
    labels = {"__name__": "http_server_request_duration_seconds", **stream.labels, **dict(stream.source.ok)}
    while (now := int(world.minute * 60)) < outage.length:
        good, slow = stream.counts("good", now), stream.counts("slow", now)
        remote_write.histogram(prometheus, labels, {-5: good, 1: slow}, good * 0.02 + slow * 2, time.time())
        time.sleep(SCRAPE)


def answer(prometheus: str, expr: str) -> list[dict[str, str]]:
    """The labels of the series that an expression gives."""
    with urllib.request.urlopen(f"{prometheus}/api/v1/query?query={urllib.parse.quote(expr)}", timeout=10) as found:
        return [each["metric"] for each in json.load(found)["data"]["result"]]


def reload(prometheus: str) -> None:
    """Let Prometheus read its rule files."""
    with urllib.request.urlopen(urllib.request.Request(f"{prometheus}/-/reload", method="POST"), timeout=10):
        pass


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outage, World]:
    folder = tmp_path_factory.mktemp("live")
    outage = load(Path(__file__).parent / "hop-fails.yaml", folder)
    world = World(simulator.scraped(outage))
    with serving(world) as address:
        routes = hurry.routes(folder / "out/alertmanager/alertmanager.yaml", address, folder / "routes.yaml")
        with running_alertmanager(folder, routes) as alertmanager:
            every, targets = f"{SCRAPE * 1000:.0f}ms", address.removeprefix("http://")
            config = (
                f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager[7:]}']}}]}}]}}\n"
                "scrape_configs:\n"
                f"- {{job_name: all, honor_labels: true, scrape_interval: {every}, scrape_timeout: {every},"
                f" static_configs: [{{targets: ['{targets}']}}]}}\n"
            )
            flags = (
                "--web.enable-remote-write-receiver",
                "--enable-feature=native-histograms",
                "--rules.alert.resend-delay=1s",
            )
            with running_prometheus(folder, folder / "hurried", "1s", config, flags) as prometheus:
                until(lambda: answer(prometheus, "up"), "Prometheus scrapes, five seconds after its start or later")
                hurry.rules(outage.rules, folder / "hurried")
                reload(prometheus)
                world.began = time.time()
                play(outage, world, prometheus)
                world.tickets = answer(prometheus, 'max_over_time(ALERTS{severity="ticket",alertstate="firing"}[5m])')
    return outage, world


def test_pages_arrive_and_are_resolved_and_nothing_else_is_sent(lived: tuple[Outage, World]) -> None:
    """Each page once when it begins and once when it ends; the hop's ticket fires too, but is inhibited."""
    outage, world = lived
    seen = [(who, a["labels"]["alertname"], a["status"]) for _, who, a in world.sent]
    burns = [
        ("pager", name, status) for name in ("ChainBudgetBurn", "ErrorBudgetBurn") for status in ("firing", "resolved")
    ]
    assert sorted(set(seen)) == sorted(burns), world.sent
    for alert, of in (("ChainBudgetBurn", "chain:checkout/availability"), ("ErrorBudgetBurn", "images/latency")):
        true = observer.truth(outage)[alert, of, "page-fast", "page"]
        began = min(when for when, _, a in world.sent if a["labels"]["alertname"] == alert)
        ended = max(
            when for when, _, a in world.sent if a["labels"]["alertname"] == alert and a["status"] == "resolved"
        )
        assert abs(began - min(true)) <= SLACK, "a page waits for its tile and for its group"
        assert max(true) - SLACK <= ended <= max(true) + 10, "the end is told with the group's next interval"


def test_the_ticket_of_the_hop_was_firing(lived: tuple[Outage, World]) -> None:
    """So it was Alertmanager that kept it quiet."""
    assert [alert["service"] for alert in lived[1].tickets] == ["orders"]


def test_the_page_of_the_chain_names_the_hop(lived: tuple[Outage, World]) -> None:
    texts = [
        a["annotations"]["description"] for _, _, a in lived[1].sent if a["labels"]["alertname"] == "ChainBudgetBurn"
    ]
    assert all("Most failures start in orders" in text for text in texts[:1]), texts
