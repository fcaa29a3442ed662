"""Real services, built on the libraries that people use: profiles say what they emit, and Go and Rust look alike."""

from __future__ import annotations

import datetime
import http.client
import json
import os
import re
import select
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashgen import pipeline
from dashgen.diagnostics import has_errors
from dashgen.load import load_library
from dashgen.model.profile import Profile, Side, Variant
from dashgen.model.spec import Instrumentation
from dashgen.model.telemetry import Matcher, Source
from dashgen.resolve.sources import in_range, make_source
from tests.conftest import ROOT, opened, tool

SERVICES = ROOT / "examples" / "services"
ENVIRONMENT = dict(os.environ)  # as it was when the tests were collected: compilers have their caches there
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACED = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
OPEN_METRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}
SLOWNESS = 0.1  # seconds, as in the programs

Build = Callable[[str], Path]


# ---- building and running the programs ----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Compiles `go`, `rust`, or `go-0.64` (the Go programs with another version of their libraries), each once."""
    made: dict[str, Path] = {}

    def compiled(what: str) -> Path:
        if what not in made:
            language, _, version = what.partition("-")
            compiler = {"go": "go", "rust": "cargo"}[language]
            assert shutil.which(compiler), f"{compiler} is not installed: the example services are built with it"
            made[what] = SERVICES / "rust" / "target" / "debug" / "services"
            command = ["cargo", "build", "--locked"]
            if language == "go":
                made[what] = tmp_path_factory.mktemp("bin") / "services"
                other = [f"-modfile=versions/contrib-{version}.mod"] if version else []
                command = ["go", "build", "-buildvcs=false", "-mod=readonly", *other, "-o", str(made[what]), "."]
            folder = SERVICES / language
            env = {**ENVIRONMENT, "CARGO_TARGET_DIR": str(folder / "target")}
            done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=900)
            assert done.returncode == 0, done.stderr
        return made[what]

    return compiled


@dataclass(frozen=True)
class Program:
    """A running program: where it serves, and where it shows metrics and makes calls."""

    service: str
    admin: str

    def call(self, target: str, item: str, *, via: str = "", timeout: str = "5000ms") -> str:
        query = urllib.parse.urlencode({"target": target, "via": via, "item": item, "timeout": timeout})
        return get(self.admin, f"/call?{query}", TRACED)[1]

    def samples(self, name: str, total: float) -> list[Sample]:
        """What it shows once the series of that name add up; some servers count only after they have answered."""
        for _ in range(50):
            samples = parse(get(self.admin, "/metrics", OPEN_METRICS)[1])
            if sum(each.value for each in samples if each.name == name) >= total:
                break
            time.sleep(0.1)
        return samples


@contextmanager
def running(binary: Path, *arguments: str) -> Iterator[Program]:
    """A program that says where it listens, and ends with the block whatever happens in it."""
    process = subprocess.Popen([binary, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout
    try:
        line = process.stdout.readline() if select.select([process.stdout], [], [], 20)[0] else "nothing"
        found = re.fullmatch(r"service=(\S+) admin=(\S+)\n", line)
        assert found, f"{binary.name} {' '.join(arguments)} said {line}"
        yield Program(found[1], found[2])
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def get(address: str, path: str, headers: Mapping[str, str] | None = None, wait: float = 20) -> tuple[int, str]:
    with closing(http.client.HTTPConnection(address, timeout=wait)) as connection:
        connection.request("GET", path, headers=dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.read().decode()


def free_address() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


# ---- reading what they show ---------------------------------------------------------------------------------------

_TEXT = r'"((?:[^"\\]|\\.)*)"'
_LABEL = re.compile(rf"(\w+)={_TEXT}")
_SAMPLE = re.compile(rf"([a-zA-Z_:][\w:]*)(?:\{{((?:\w+={_TEXT},?)*)\}})? (\S+)(?: [\d.e+]+)?(?: # \{{(.*)\}} .+)?")


@dataclass(frozen=True)
class Sample:
    """One line of an exposition."""

    name: str
    labels: dict[str, str]
    value: float
    exemplar: dict[str, str]


def parse(text: str) -> list[Sample]:
    """Read the Prometheus text format or OpenMetrics."""
    samples = []
    for line in filter(None, text.splitlines()):
        if not line.startswith("#"):
            found = _SAMPLE.fullmatch(line)
            assert found, line
            name, labels, _, value, exemplar = found.groups()
            pairs = dict(_LABEL.findall(labels or "")), float(value), dict(_LABEL.findall(exemplar or ""))
            samples.append(Sample(name, *pairs))
    return samples


def selects(matcher: Matcher, labels: Mapping[str, str]) -> bool:
    """What Prometheus does with a matcher; an absent label is an empty one."""
    value = labels.get(matcher.label, "")
    found = value == matcher.value if matcher.op in ("=", "!=") else re.fullmatch(matcher.value, value) is not None
    return found != matcher.op.startswith("!")


# ---- the profiles -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A program and the profile that describes it."""

    build: str
    program: str
    profile: str
    version: str
    called: str = ""  # the name by which the client calls, where the library can be made to dial another address
    lacks: tuple[str, ...] = ()  # labels that this version does not have, as the profile's notes say
    noted: Mapping[str, set[str]] = field(default_factory=dict)  # values of a client's other labels in those notes

    def __str__(self) -> str:
        return f"{self.profile}-{self.version}"


NONE = {""}
GO_ERRORS = {"", "net.OpError", "context.deadlineExceededError"}
CASES = (
    Case("go", "otelhttp", "otelhttp", "0.72", called="pricing", noted={"error_type": GO_ERRORS}),
    Case(
        "go-0.64", "otelhttp", "otelhttp", "0.64", called="pricing", lacks=("http_route",), noted={"error_type": NONE}
    ),
    Case("go", "promhttp", "promhttp", "1.25"),
    Case("go", "otelgrpc", "otelgrpc", "0.72", called="tax:50051", noted={"server_address": {"127.0.0.1", ""}}),
    Case("go-0.67", "otelgrpc", "otelgrpc", "0.67", called="tax:50051", noted={"server_address": NONE}),
    Case("go-0.64", "otelgrpc", "otelgrpc", "0.64", called="tax:50051", noted={"server_address": NONE}),
    Case("go", "grpcmiddleware", "go-grpc-middleware", "1.1", called="tax:50051"),
    Case("rust", "axum-prometheus", "axum-prometheus", "0.10"),
    Case("rust", "actix-web-prom", "actix-web-prom", "0.10"),
    Case("rust", "otel-actix-web", "otel-actix-web", "0.25"),
    Case("rust", "otel-tower", "otel-tower", "0.19"),
    Case("rust", "tonic-prometheus", "tonic-prometheus", "0.3"),
    Case("rust", "tonic-prometheus-0.2", "tonic-prometheus", "0.2"),
)
CLIENTS = tuple(case for case in CASES if case.called or "tonic" in case.program)
TRAFFIC = {"good": 5, "failing": 3, "unavailable": 1, "missing": 2, "slow": 2}
REQUESTS = sum(TRAFFIC.values())
SERVER_ERRORS = TRAFFIC["failing"] + TRAFFIC["unavailable"]
CLIENT_ERRORS = SERVER_ERRORS + TRAFFIC["missing"]
ROUTE = "/items/{item}"
SERVICE = "grpc.health.v1.Health"
METHODS = {"GET", "get", "Check", f"{SERVICE}/Check"}


def profile_of(name: str) -> Profile:
    library, found = load_library(ROOT)
    assert library, found
    return library.profiles[name]


def variant_of(profile: Profile, version: str) -> Variant:
    return next(v for v in profile.versions if v.range is None or in_range(version, v.range))


def native_series(case: Case, side: Side) -> Source:
    """The series as dashgen will query them."""
    profile = profile_of(case.profile)
    return make_source("it", "any", profile, side, Instrumentation(profile=case.profile), ())


def drive(case: Case, program: Program) -> None:
    """Send the known traffic: through the program's own client where it has one, so that both sides see it."""
    for item, times in TRAFFIC.items():
        for _ in range(times):
            if case in CLIENTS:
                program.call(case.called or program.service, item, via=program.service if case.called else "")
            else:
                get(program.service, f"/items/{item}", TRACED)


def counted(samples: list[Sample], source: Source) -> list[Sample]:
    """The series that count requests; one that was only announced, with zero, says nothing."""
    found = [each for each in samples if each.name == source.requests and each.value > 0]
    assert found, f"no {source.requests} among {sorted({each.name for each in samples})}"
    return found


def failed(samples: list[Sample], source: Source) -> float:
    """Requests that any alternative of the profile's error rule selects; none is counted twice."""
    alternatives = [
        [each for each in counted(samples, source) if all(selects(m, each.labels) for m in alternative)]
        for alternative in source.errors
    ]
    chosen = {id(each): each.value for alternative in alternatives for each in alternative}
    return sum(chosen.values())


def check_side(case: Case, samples: list[Sample], side: Side, source: Source) -> None:
    """What holds for both sides once the known traffic went through: labels, examples, buckets, unit, exemplars."""
    requests = counted(samples, source)
    good = [each for each in requests if side.ok.items() <= each.labels.items()]
    assert sum(each.value for each in good) == TRAFFIC["good"] + TRAFFIC["slow"]
    for label, match in (pair for alternative in side.errors for pair in alternative.items()):
        assert match.example in {each.labels.get(label) for each in requests}, f"{label} is never {match.example}"
    assert source.duration
    assert side.duration
    base, unit = source.duration.base, 1000 if side.duration.unit == "milliseconds" else 1
    buckets = [each for each in samples if each.name == f"{base}_bucket"]
    bounds = {float(each.labels["le"]) for each in buckets} - {float("inf"), 0.0}  # nothing ever is in a bucket at 0
    assert bounds == {float(bound) for bound in side.duration.buckets}
    counts = sum(each.value for each in samples if each.name == f"{base}_count")
    assert counts == sum(each.value for each in requests)
    least = TRAFFIC["slow"] * SLOWNESS * unit
    assert least <= sum(each.value for each in samples if each.name == f"{base}_sum") < 10 * least
    traces = {each.exemplar.get("trace_id") for each in buckets} - {None}
    assert traces == ({TRACE} if side.duration.exemplars else set())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_server_emits_what_its_profile_says(case: Case, build: Build) -> None:
    side = variant_of(profile_of(case.profile), case.version).server
    assert side
    source = native_series(case, side)
    with running(build(case.build), case.program) as program:
        drive(case, program)
        samples = program.samples(source.requests, REQUESTS)
        assert sum(each.value for each in counted(samples, source)) == REQUESTS
        assert failed(samples, source) == SERVER_ERRORS
        check_side(case, samples, side, source)
        for short, label in side.operations.items():
            values = {each.labels.get(label) for each in counted(samples, source)}
            known = {"method": METHODS, "service": {SERVICE}}.get(short, {ROUTE}) if label not in case.lacks else {None}
            assert len(values) == 1, f"{short}: {label} has the values {values}"
            assert values <= known, f"{short}: {label} is {values}"
        if case not in CLIENTS or case.called == "pricing":  # what no route matches is counted, and is no failure
            assert get(program.service, "/nowhere")[0] == 404
            samples = program.samples(source.requests, REQUESTS + 1)
            assert sum(each.value for each in counted(samples, source)) == REQUESTS + 1
            assert failed(samples, source) == SERVER_ERRORS


@pytest.mark.parametrize("case", CLIENTS, ids=str)
def test_a_client_emits_what_its_profile_says(case: Case, build: Build) -> None:
    side = variant_of(profile_of(case.profile), case.version).client
    assert side
    source = native_series(case, side)
    with running(build(case.build), case.program) as program:
        drive(case, program)
        samples = program.samples(source.requests, REQUESTS)
        assert sum(each.value for each in counted(samples, source)) == REQUESTS
        assert failed(samples, source) == CLIENT_ERRORS
        check_side(case, samples, side, source)
        nobody = free_address()
        program.call("nobody:80" if case.called else nobody, "good", via=nobody if case.called else "")
        program.call(program.service, "slow", timeout="20ms")
        samples = program.samples(source.requests, REQUESTS + 2)
        requests = counted(samples, source)
        assert sum(each.value for each in requests) == REQUESTS + 2
        assert failed(samples, source) == CLIENT_ERRORS + 2, "nobody listened, and nobody waited long enough"
        for label, values in case.noted.items():
            assert {each.labels.get(label, "") for each in requests} == values, label
        if not side.peer:  # then a call needs a selector
            values = {value for each in requests for value in each.labels.values()}
            assert not values & {"tax", "tax:50051", program.service, "nobody", "nobody:80", nobody}
        else:  # the name by which the callee was called, also where nobody listened
            callees = {"pricing": CLIENT_ERRORS, "nobody": 1, "127.0.0.1": 1}
            assert {each.labels.get(side.peer) for each in requests} == callees.keys()
            for callee, errors in callees.items():
                assert failed([each for each in samples if each.labels.get(side.peer) == callee], source) == errors


@pytest.mark.parametrize("case", CASES, ids=str)
def test_some_libraries_never_count_a_request_whose_caller_gave_up(case: Case, build: Build) -> None:
    """Go and actix-web finish it; axum and tonic drop it, so that only the caller's own metrics tell of timeouts."""
    side = variant_of(profile_of(case.profile), case.version).server
    assert side
    name = native_series(case, side).requests
    wanted = 1 if case.profile in ("axum-prometheus", "otel-tower", "tonic-prometheus") else 2
    counted = []
    for _ in range(3):  # on a busy machine the answer may be there before the news that nobody waits for it
        with running(build(case.build), case.program) as program:
            if case in CLIENTS:
                program.call(program.service, "good")  # now there is a connection
                program.call(program.service, "slow", timeout="50ms")
            else:
                get(program.service, "/items/good")
                with suppress(TimeoutError):
                    get(program.service, "/items/slow", wait=0.05)
            time.sleep(2 * SLOWNESS)
            counted.append(sum(each.value for each in program.samples(name, wanted) if each.name == name))
        if counted[-1] == wanted:
            break
    assert wanted in counted, counted


@pytest.mark.parametrize(("version", "seconds"), [("0.65", 1000 * SLOWNESS), ("0.66", SLOWNESS)])
def test_refused_versions_are_as_wrong_as_the_profile_says(version: str, seconds: float, build: Build) -> None:
    variant = variant_of(profile_of("otelgrpc"), version)
    assert variant.refused
    with running(build(f"go-{version}"), "otelgrpc") as program:
        program.call(program.service, "slow")
        samples = program.samples("rpc_server_call_duration_seconds_count", 1)
    values = {f"{each.name} {each.labels.get('le', '')}": each.value for each in samples}
    assert seconds <= values["rpc_server_call_duration_seconds_sum "] < 5 * seconds
    assert values["rpc_server_call_duration_seconds_bucket 10000.0"] == 1, "buckets made for milliseconds"


# ---- the canonical series, by a real Prometheus -------------------------------------------------------------------

PROGRAMS = {
    "gateway": ("go", "otelhttp"),
    "orders": ("go", "promhttp"),
    "pricing": ("rust", "axum-prometheus"),
    "stock": ("rust", "actix-web-prom"),
    "ads": ("rust", "otel-actix-web"),
    "search": ("rust", "otel-tower"),
    "cart": ("go", "otelgrpc"),
    "tax": ("rust", "tonic-prometheus"),
    "mail": ("go", "grpcmiddleware"),
    "ledger": ("go-0.64", "otelgrpc"),
    "coupons": ("rust", "tonic-prometheus-0.2"),
    "front": ("go", "otelhttp", "--native"),
    "catalog": ("go", "promhttp", "--native"),
}
GRAPH = """
version: dashgen/v1
graph: real
defaults: {scrape_interval: 1s, runbooks: https://runbooks.example.com}
teams: {all: {page: pager, ticket: chat}}
x-slos: &slos
  availability: {objective: 99}
  fast: {objective: 99, threshold: 50ms}
  bearable: {objective: 99, threshold: 1s}
x-check: &check {rpc_method: grpc.health.v1.Health/Check}
x-health: &health {grpc_service: grpc.health.v1.Health}
services:
  gateway:
    {team: all, language: go, instrumentation: otelhttp, selector: {job: gateway}, slos: *slos,
     operations: {items: {http_route: "/items/{item}", http_request_method: GET}},
     calls: {orders: {}, pricing: {}, stock: {}, ads: {}, search: {}}}
  orders:
    {team: all, language: go, instrumentation: promhttp, selector: {job: orders}, slos: *slos,
     operations: {items: {handler: "/items/{item}", method: get}}}
  pricing:
    {team: all, language: rust, instrumentation: axum-prometheus, selector: {job: pricing}, slos: *slos,
     operations: {items: {endpoint: "/items/{item}", method: GET}}, runtime: rust-tokio}
  stock:
    {team: all, language: rust, instrumentation: actix-web-prom, selector: {job: stock}, slos: *slos,
     operations: {items: {endpoint: "/items/{item}", method: GET}}}
  ads:
    {team: all, language: rust, instrumentation: otel-actix-web, selector: {job: ads}, slos: *slos,
     operations: {items: {http_route: "/items/{item}", http_request_method: GET}}}
  search:
    {team: all, language: rust, instrumentation: otel-tower, selector: {job: search}, slos: *slos,
     operations: {items: {http_route: "/items/{item}", http_request_method: GET}}}
  cart:
    {team: all, language: go, instrumentation: {profile: otelgrpc, version: 0.72}, selector: {job: cart}, slos: *slos,
     operations: {check: *check}, calls: {mail: {protocol: grpc, selector: *check}}}
  mail:
    {team: all, language: go, instrumentation: go-grpc-middleware, selector: {job: mail}, slos: *slos,
     operations: {check: {grpc_method: Check}}, calls: {tax: {protocol: grpc, selector: *health}}}
  tax:
    {team: all, language: rust, instrumentation: {profile: tonic-prometheus, version: 0.3}, selector: {job: tax},
     slos: *slos, operations: {check: {grpc_method: Check}}, calls: {ledger: {protocol: grpc, selector: *health}}}
  ledger:
    {team: all, language: go, instrumentation: {profile: otelgrpc, version: 0.64}, selector: {job: ledger}, slos: *slos,
     operations: {check: {rpc_method: Check}},
     calls: {coupons: {protocol: grpc, selector: {rpc_service: grpc.health.v1.Health}}}}
  coupons:
    {team: all, language: rust, instrumentation: {profile: tonic-prometheus, version: 0.2}, selector: {job: coupons},
     slos: *slos, calls: {cart: {protocol: grpc, selector: *health, criticality: soft}}}
  front:
    {team: all, language: go, instrumentation: {profile: otelhttp, native: true}, selector: {job: front}, slos: *slos,
     operations: {items: {http_route: "/items/{item}"}}, calls: {catalog: {}}}
  catalog:
    {team: all, language: go, instrumentation: {profile: promhttp, native: true}, selector: {job: catalog},
     slos: *slos}
  http-rewrite:
    team: all
    slos: *slos
    implementations:
      legacy: {language: go, instrumentation: promhttp, selector: {job: orders}}
      rewrite: {language: rust, instrumentation: axum-prometheus, selector: {job: pricing}}
  grpc-rewrite:
    team: all
    slos: *slos
    implementations:
      legacy: {language: go, instrumentation: {profile: otelgrpc, version: 0.64}, selector: {job: ledger}}
      rewrite: {language: rust, instrumentation: {profile: tonic-prometheus, version: 0.3}, selector: {job: tax}}
  native-rewrite:
    team: all
    implementations:
      legacy: {language: go, instrumentation: {profile: promhttp, native: true}, selector: {job: catalog}}
      rewrite: {language: rust, instrumentation: axum-prometheus, selector: {job: pricing}}
"""
SECOND = ("good",) * 4 + ("failing", "unavailable", "missing") + ("slow",) * 3  # what each is sent every second
STEADY = 68  # seconds of traffic before anybody looks; a tile reads the last 61
RATES = {
    "service:requests": 10,
    "service:errors": 2,
    "implementation:requests": 10,
    "implementation:errors": 2,
    "edge:requests": 10,
    "edge:errors": 3,  # what is missing is the caller's error, not the server's
    "slo:events": 10,
}
BAD_EVENTS = {"availability": 2, "fast": 3, "bearable": 0}
DURATIONS = {"mean5m": 3 * SLOWNESS / len(SECOND), "p95_5m": 0.225, "p99_5m": 0.245}  # between the bounds 0.1 and 0.25
NATIVE_DURATIONS = {"p95_5m": SLOWNESS, "p99_5m": SLOWNESS}
NATIVE = ("front", "catalog")


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    address: str

    def api(self, path: str, **parameters: str) -> Any:
        status, text = get(self.address, f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        assert status == 200, f"{path} {parameters}: {text}"
        found = json.loads(text)["data"]
        return found["result"] if isinstance(found, dict) and "result" in found else found

    def value(self, expression: str) -> float:
        """The one number that an expression gives; NaN and several series are errors."""
        found = self.api("query", query=expression)
        assert len(found) == 1, f"{len(found)} series: {expression}"
        return float(found[0]["value"][1])


@contextmanager
def prometheus(folder: Path, programs: Mapping[str, Program], rules: Path) -> Iterator[Prometheus]:
    """Prometheus that scrapes the programs every second and evaluates generated rules."""
    address = free_address()
    jobs = [{"job_name": job, "static_configs": [{"targets": [each.admin]}]} for job, each in programs.items()]
    settings = {"global": {"scrape_interval": "1s"}, "rule_files": [f"{rules}/*.yaml"], "scrape_configs": jobs}
    file = folder / "prometheus.yaml"
    file.write_text(yaml.safe_dump({**settings, "global": {**settings["global"], "scrape_native_histograms": True}}))
    if subprocess.run([tool("promtool"), "check", "config", str(file)], capture_output=True).returncode:
        file.write_text(yaml.safe_dump(settings))  # before 3.8 a flag alone asks for native histograms
    command = [
        tool("prometheus"),
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--enable-feature=exemplar-storage,native-histograms",
        "--log.level=warn",
    ]
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            for _ in range(300):
                with suppress(OSError):
                    if get(address, "/-/ready")[0] == 200:
                        break
                time.sleep(0.1)
            else:
                pytest.fail((folder / "prometheus.log").read_text())
            yield Prometheus(address)
        finally:
            process.kill()
            process.wait()


def send(address: str, paths: list[str], enough: threading.Event) -> None:
    """Send one request for each path every second, until it is enough."""
    with closing(http.client.HTTPConnection(address, timeout=20)) as connection:
        begun, second = time.monotonic(), 0
        while not enough.is_set():
            for path in paths:
                connection.request("GET", path, headers=TRACED)
                connection.getresponse().read()
            second += 1
            enough.wait(max(0.0, begun + second - time.monotonic()))


def streams(programs: Mapping[str, Program], services: Mapping[str, dict]) -> list[tuple[str, list[str]]]:
    """Whom to send what: two services are called from outside, all others by their callers."""
    made = [(programs[name].service, [f"/items/{item}" for item in SECOND]) for name in ("gateway", "front")]
    for caller, callee in ((name, callee) for name, each in services.items() for callee in each.get("calls", {})):
        address = programs[callee].service
        named = {"target": callee if caller in ("gateway", "front") else f"{callee}:50051", "via": address}
        whom = {"target": address} if caller in ("tax", "coupons") else named  # tonic is told the address itself
        queries = [urllib.parse.urlencode({**whom, "item": item}) for item in SECOND]
        made.append((programs[caller].admin, [f"/call?{query}" for query in queries]))
    return made


def expected(record: str, labels: Mapping[str, str]) -> float | None:
    """What a recorded series must say under that traffic, in its own unit; nothing is said about medians."""
    series, _, kind = record.rpartition(":")
    service = labels.get("service", "")
    if kind == "rate1m":
        rate = BAD_EVENTS[labels["slo"]] if series == "slo:bad_events" else RATES.get(series)
        both = service.endswith("-rewrite") and not series.startswith("implementation:")
        return rate * 2 if rate and both else rate
    native = service in NATIVE or labels.get("client") in NATIVE
    native = native or (service == "native-rewrite" and labels.get("implementation") == "legacy")
    durations = {**DURATIONS, **NATIVE_DURATIONS} if native else DURATIONS
    return durations.get(kind) if series.endswith(":duration_seconds") else None


def test_go_and_rust_look_alike_to_a_real_prometheus(tmp_path: Path, build: Build) -> None:
    (tmp_path / "services.yaml").write_text(GRAPH)
    project = opened(tmp_path / "services.yaml")
    outcome = pipeline.generate(project, tmp_path / "out", datetime.date(2026, 11, 21))
    assert not has_errors(outcome.found), outcome.found
    rules = tmp_path / "out" / "prometheus" / "rules"
    groups = [group for path in sorted(rules.glob("*.yaml")) for group in yaml.safe_load(path.read_text())["groups"]]
    differences: list[str] = []
    with ExitStack() as stack:
        programs = {
            job: stack.enter_context(running(build(what), *arguments)) for job, (what, *arguments) in PROGRAMS.items()
        }
        server = stack.enter_context(prometheus(tmp_path, programs, rules))
        traffic = streams(programs, yaml.safe_load(GRAPH)["services"])
        enough = threading.Event()
        pool = stack.enter_context(ThreadPoolExecutor(len(traffic)))
        stack.callback(enough.set)
        sent = [pool.submit(send, *each, enough) for each in traffic]
        enough.wait(STEADY)
        differences += numbers(server, groups)
        differences += surroundings(server, project)
        enough.set()
        for each in sent:
            each.result(timeout=30)
        unhealthy = [
            f"{group['name']}: {rule['name']} is {rule['health']} {rule.get('lastError', '')}"
            for group in server.api("rules")["groups"]
            for rule in group["rules"]
            if rule["health"] != "ok" and (rule["health"] != "unknown" or group["interval"] <= 60)
        ]
    assert not differences, "\n".join(differences)
    assert not unhealthy, "\n".join(unhealthy)


def numbers(server: Prometheus, groups: list[dict]) -> Iterator[str]:
    """Recorded expressions that are not what the traffic was, within 15 %."""
    seen = set()
    for group in groups:
        for rule in (rule for rule in group["rules"] if "record" in rule):
            want = expected(rule["record"], rule["labels"])
            if want is None:
                continue
            seen.add(rule["record"])
            try:
                got = server.value(rule["expr"])
            except AssertionError as problem:
                yield f"{rule['record']} {rule['labels']}: {problem}"
                continue
            spare = 0.01 if want == 0 or rule["record"].endswith("mean5m") else 0  # seconds, on a busy machine
            if got != pytest.approx(want, rel=0.15, abs=spare):
                yield f"{rule['record']} {rule['labels']}: {got}, not {want}"
    for level in ("service", "edge", "implementation"):
        assert {f"{level}:requests:rate1m", f"{level}:errors:rate1m", f"{level}:duration_seconds:p95_5m"} <= seen


def surroundings(server: Prometheus, project: pipeline.Project) -> Iterator[str]:
    """Runtime panels without data, versions that cannot be read, and exemplars where none or some were promised."""
    hour = {"start": str(time.time() - 3600), "end": str(time.time() + 60)}
    single = [service for service in project.graph.services if len(service.implementations) == 1]
    for job, each in ((f'job="{service.name}"', service.implementations[0]) for service in single):
        queries = [
            signal.query.replace("${selector}", job).replace("$__rate_interval", "10s") for signal in each.signals
        ]
        queries += [f'{each.version.metric}{{{job},{each.version.label}!=""}}'] if each.version else []
        yield from (f"{job}: no data for {query}" for query in queries if not server.api("query", query=query))
        histogram = each.source.duration
        if histogram and not histogram.native:
            found = server.api("query_exemplars", query=f"{histogram.base}_bucket{{{job}}}", **hour)
            if bool(found) != histogram.exemplars:
                yield f"{job}: exemplars: {histogram.exemplars}, but Prometheus has {len(found)} series with some"
