"""Rule files in real servers: pushed, evaluated, fired, edited, refused, killed halfway, out of space, two at once."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashgen.diagnostics import RunError
from dashgen.exits import Exit
from dashgen.model.artifact import Artifact
from dashgen.model.drift import State
from dashgen.model.plan import Plan, Step, Summary
from dashgen.plan import content, drifted, plan_remote
from dashgen.push.engine import Push, exit_code
from dashgen.push.output import read_output
from dashgen.push.remotes.factory import make_remote
from dashgen.push.remotes.rule_files import RuleFiles
from dashgen.push.settings import RemoteSettings
from dashgen.push.store import Store
from tests.conftest import ROOT
from tests.servers import running_alertmanager, running_prometheus, running_victoria, running_vmalert, until, webhook

ALERTMANAGER = """\
route: {{receiver: here, group_wait: 0s, group_interval: 1s}}
receivers: [{{name: here, webhook_configs: [{{url: '{url}/'}}]}}]
"""
FOREIGN = "# Somebody else's.\ngroups: []\n"


def rules(owner: str, *exprs: tuple[str, str], interval: str = "1s") -> Artifact:
    """A generated file with a group of rules: a name in lower case records, any other one alerts."""
    made = [{"record" if name.islower() else "alert": name, "expr": expr} for name, expr in exprs]
    data = {"groups": [{"name": f"shop/{owner}", "interval": interval, "rules": made}]}
    return Artifact(f"prometheus/rules/{owner}.yaml", owner, "rules", b"", data)


def remote(folder: Path, url: str = "", type: str = "prometheus") -> RuleFiles:
    made = make_remote(RemoteSettings(name="p", type=type, url=url, rules=folder))
    assert isinstance(made, RuleFiles)
    return made


def planned(at: RuleFiles, *wants: Artifact, prune: bool = False, adopt: bool = False) -> list[Step]:
    wanted = at.wanted(wants)
    return plan_remote("p", "shop", wanted, at.found("shop", [w.key for w in wanted]), prune=prune, adopt=adopt)


def pushed(at: RuleFiles, store: Path, steps: list[Step]) -> Summary:
    return Push(Plan("dev", "shop", tuple(steps)), {"p": at}, {"p": 4}, Store(store), content).run()


def actions(steps: list[Step]) -> str:
    return "".join(str(step.action) for step in steps)


def get(url: str, **params: str) -> Any:
    with urllib.request.urlopen(f"{url}?{urllib.parse.urlencode(params)}", timeout=10) as answer:
        return json.load(answer)["data"]


def evaluated(url: str) -> dict[str, str]:
    """Name of a rule → its expression."""
    groups = get(f"{url}/api/v1/rules")["groups"] or ()  # vmalert says null for none
    return {rule["name"]: rule["query"] for group in groups for rule in group["rules"]}


def whole(folder: Path) -> list[str]:
    """The rule files of a folder, every one of them whole."""
    files = sorted(folder.glob("*.yaml"))
    assert all(yaml.safe_load(file.read_text())["groups"] is not None for file in files)
    return [file.name for file in files]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "rules"
    made.mkdir()
    (made / "theirs.yaml").write_text(FOREIGN)
    return made


def test_an_alert_fires_and_arrives_and_goes(folder: Path, tmp_path: Path) -> None:
    """From nothing to a notification; then an edit, a hand's edit, and the end."""
    store, config = tmp_path / "store", tmp_path / "am.yml"
    first = rules("service-a", ("a:b", "vector(2)"), ("TooMany", "a:b > 1"))
    second = rules("service-a", ("a:b", "vector(3)"), ("FarTooMany", "a:b > 2"))
    with webhook() as (hook, heard):
        config.write_text(ALERTMANAGER.format(url=hook))
        with running_alertmanager(tmp_path, config) as alertmanager:
            where = alertmanager.removeprefix("http://")
            alerting = f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{where}']}}]}}]}}\n"
            with running_prometheus(tmp_path, folder, config=alerting, flags=("--rules.alert.resend-delay=1s",)) as url:
                at = remote(folder, url)
                assert exit_code(pushed(at, store, planned(at, first))) is Exit.OK
                assert actions(planned(at, first)) == "="
                until(lambda: heard, "the alert arrives at the webhook")
                assert {each["labels"]["alertname"] for each in heard[0]["alerts"]} == {"TooMany"}

                steps = planned(at, second)
                assert actions(steps) == "~"
                assert "alert FarTooMany: new" in steps[0].details
                assert exit_code(pushed(at, store, steps)) is Exit.OK
                assert evaluated(url) == {"a:b": "vector(3)", "FarTooMany": "a:b > 2"}

                file = folder / "dashgen-shop-service-a.yaml"
                file.write_text(file.read_text().replace("vector(3)", "vector(1)"))
                (step,) = planned(at, second)
                assert str(step.action) == "!"
                assert step.reason.startswith(f"edited by {file.owner()} at 20")
                (drift,) = drifted("p", "shop", at.wanted([second]), at.found("shop", [step.key]), {})
                assert drift.state is State.EDITED
                assert drift.details == ("rule a:b: expr vector(3) → vector(1)",)
                assert exit_code(pushed(at, store, planned(at, second, adopt=True))) is Exit.OK

                assert exit_code(pushed(at, store, planned(at, prune=True))) is Exit.OK
                assert evaluated(url) == {}
    assert whole(folder) == ["theirs.yaml"]
    assert (folder / "theirs.yaml").read_text() == FOREIGN


def test_what_is_generated_is_loaded(folder: Path, tmp_path: Path) -> None:
    """The example's rules are evaluated every minute, and a push does not wait for that."""
    made = [each for each in read_output(ROOT / "out").artifacts if each.kind == "rules"]
    with running_prometheus(tmp_path, folder) as url:
        at = remote(folder, url)
        assert exit_code(pushed(at, tmp_path / "store", planned(at, *made))) is Exit.OK
        assert len(evaluated(url)) > 20
        assert actions(planned(at, *made)) == "=" * len(made)


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the products' own tools: what is wrong shows only when the server reloads."""
    monkeypatch.setattr("dashgen.push.remotes.rule_files.check_rules", lambda *_: None)


@pytest.mark.usefixtures("unchecked")
def test_a_refused_file_brings_all_former_files_back(folder: Path, tmp_path: Path) -> None:
    with running_prometheus(tmp_path, folder) as url:
        at, store = remote(folder, url), tmp_path / "store"
        pushed(at, store, planned(at, rules("a", ("a:a", "vector(1)"))))
        former = {file: file.read_bytes() for file in folder.iterdir()}
        summary = pushed(at, store, planned(at, rules("a", ("a:a", "vector(2)")), rules("b", ("b:b", "sum("))))
        assert exit_code(summary) is Exit.PARTIAL
        assert not summary.done
        assert {failure.step.key.name for failure in summary.failed} == {"a", "b"}
        assert "failed to reload config" in summary.failed[0].why
        assert "dashgen-shop-b.yaml: " in summary.failed[0].why
        assert '"b:b": could not parse expression: 1:5' in summary.failed[0].why
        assert "put back and are loaded" in summary.failed[0].why
        assert {file: file.read_bytes() for file in folder.iterdir()} == former
        assert evaluated(url) == {"a:a": "vector(1)"}


def test_a_rule_that_fails_is_said_and_stays_unfinished(folder: Path, tmp_path: Path) -> None:
    """It can be parsed, but not evaluated; the next plan has not forgotten it."""
    both = " or ".join(f"label_replace(vector(1), 'a', '{value}', '', '')" for value in "xy")
    fails = rules("a", ("a:x", both), ("a:y", "a:x + on () a:x"))
    with running_prometheus(tmp_path, folder) as url:
        at = remote(folder, url)
        (failure,) = pushed(at, tmp_path / "store", planned(at, fails)).failed
        assert "the rule a:y fails" in failure.why
        assert actions(planned(at, fails)) == "~"


def test_a_server_that_reads_another_folder_is_noticed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashgen.push.remotes.rule_server.RuleServer.patience", 1.0)
    with running_prometheus(tmp_path, tmp_path / "elsewhere") as url:
        at = remote(folder, url)
        (failure,) = pushed(at, tmp_path / "store", planned(at, rules("a", ("a:a", "vector(1)")))).failed
        assert "Does it read this folder?" in failure.why


CHILD = """
import os, signal, sys
from pathlib import Path
from tests import test_push_real as t
folder, store, url, when = sys.argv[1:]
at = t.remote(Path(folder), url)
if when == "finish":
    at.finish = lambda done: os.kill(os.getpid(), signal.SIGKILL)
t.pushed(at, Path(store), t.planned(at, *t.MANY, prune=True))
"""
MANY = [rules(f"s{number:03}", ("a:b", "vector(1)"), ("C", "a:b > 2"), interval="30s") for number in range(150)]


def child(folder: Path, store: Path, url: str, when: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CHILD, str(folder), str(store), url, when], cwd=ROOT)


def test_killed_while_it_writes(folder: Path, tmp_path: Path) -> None:
    with running_prometheus(tmp_path, folder) as url:
        process = child(folder, tmp_path / "store", url, "now")
        until(lambda: len(list(folder.glob("dashgen-*"))) > 20, "some files are written")
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert len(whole(folder)) < len(MANY), "it was killed too late to prove anything"
        left = folder / f".dashgen-shop-s000.yaml.{process.pid}"
        left.write_text("gro")
        at = remote(folder, url)
        assert exit_code(pushed(at, tmp_path / "store", planned(at, *MANY))) is Exit.OK
        assert not left.exists()
        assert actions(planned(at, *MANY)) == "=" * len(MANY)
        assert len(get(f"{url}/api/v1/rules")["groups"]) == len(MANY)


def test_killed_before_the_reload(folder: Path, tmp_path: Path) -> None:
    """All is written or emptied, but the server does not know; the next plan sees that."""
    with running_prometheus(tmp_path, folder) as url:
        at, store = remote(folder, url), tmp_path / "store"
        pushed(at, store, planned(at, rules("old", ("o:o", "vector(1)"))))
        assert child(folder, store, url, "finish").wait() == -signal.SIGKILL
        assert evaluated(url) == {"o:o": "vector(1)"}
        steps = planned(at, *MANY, prune=True)
        assert sorted(actions(steps)) == ["-", *"~" * len(MANY)]
        assert exit_code(pushed(at, store, steps)) is Exit.OK
        assert set(evaluated(url)) == {"a:b", "C"}
        assert not (folder / "dashgen-shop-old.yaml").exists()


@contextlib.contextmanager
def little_space(folder: Path) -> Iterator[None]:
    """A folder of 32 KiB where we may mount one, else a bound on the size of files."""
    command = ["mount", "-t", "tmpfs", "-o", "size=32k", "none", str(folder)]
    if os.getuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0:
        try:
            yield
        finally:
            subprocess.run(["umount", str(folder)], check=True)
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_old_file(folder: Path, tmp_path: Path) -> None:
    large = rules("a", *((f"a:a{number}", "vector(1)") for number in range(2000)))
    store = tmp_path / "store"
    with little_space(folder):
        at = remote(folder)
        pushed(at, store, planned(at, rules("a", ("a:a", "vector(1)"))))
        former = {file.name: file.read_bytes() for file in folder.iterdir()}
        (failure,) = pushed(at, store, planned(at, large)).failed
        assert any(word in failure.why for word in ("No space left", "File too large"))
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == former
        assert actions(planned(at, large)) == "~"


def test_two_pushes_at_once(folder: Path, tmp_path: Path) -> None:
    """From one checkout the second is refused; from two, every file is one of the two, and one more push settles it."""
    ways = [[rules(f"s{i}", ("a:b", f"vector({value})"), interval="30s") for i in range(20)] for value in (1, 2)]
    with running_prometheus(tmp_path, folder) as url:
        with Store(tmp_path / "0").locked(), pytest.raises(RunError, match="Another push is running"):
            pushed(remote(folder, url), tmp_path / "0", planned(remote(folder, url), *ways[0]))
        ends: list[Summary | RunError] = []

        def push(number: int, at: RuleFiles, steps: list[Step]) -> None:
            try:
                ends.append(pushed(at, tmp_path / str(number), steps))
            except RunError as error:
                ends.append(error)

        both = [(number, at := remote(folder, url), planned(at, *ways[number])) for number in (0, 1)]
        threads = [threading.Thread(target=push, args=each) for each in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(ends) == 2
        failures = [failure for end in ends if isinstance(end, Summary) for failure in end.failed]
        assert all("Plan again" in failure.why or "evaluates other" in failure.why for failure in failures)
        assert len(whole(folder)) == 21
        at = remote(folder, url)
        assert exit_code(pushed(at, tmp_path / "0", planned(at, *ways[0]))) is Exit.OK
        assert actions(planned(at, *ways[0])) == "=" * 20
        assert evaluated(url) == {"a:b": "vector(1)"}


def test_foreign_and_broken_files_are_conflicts(folder: Path, tmp_path: Path) -> None:
    want = rules("a", ("a:a", "vector(1)"))
    file = folder / "dashgen-shop-a.yaml"
    at = remote(folder)
    for text, reason in ((FOREIGN, "not pushed by dashgen"), (f"# dashgen:shop:{'0' * 16}\ngroups: [", "edited by")):
        file.write_text(text)
        (step,) = planned(at, want)
        assert str(step.action) == "!"
        assert step.reason.startswith(reason)
        assert not pushed(at, tmp_path / "store", [step]).done
        assert file.read_text() == text
    assert exit_code(pushed(at, tmp_path / "store", planned(at, want, adopt=True))) is Exit.OK
    assert actions(planned(at, want)) == "="
    assert exit_code(pushed(at, tmp_path / "store", planned(at, prune=True))) is Exit.OK
    assert whole(folder) == ["theirs.yaml"]


def test_nobody_listens(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashgen.push.transport.TRIES", 1)
    at = remote(folder, "http://127.0.0.1:9")
    summary = pushed(at, tmp_path / "store", planned(at, rules("a", ("a:a", "vector(1)"))))
    assert exit_code(summary) is Exit.UNREACHABLE
    assert whole(folder) == ["theirs.yaml"]


def test_thanos_aborts_on_partial_answers(folder: Path) -> None:
    (want,) = remote(folder, type="thanos").wanted([rules("a", ("a:a", "vector(1)"))])
    assert [group["partial_response_strategy"] for group in want.data["groups"]] == ["abort"]


@pytest.mark.usefixtures("unchecked")
def test_vmalert_chains_and_refuses(folder: Path, tmp_path: Path) -> None:
    """A result, one made of it that arrives in storage, an alert on that; what vmalert refuses is put back."""
    chain = rules("a", ("a:one", "vector(1)"), ("a:two", "a:one + 1"), ("High", "a:two > 1"))
    with running_victoria(tmp_path) as storage, running_vmalert(tmp_path, folder, storage) as url:
        at, store = remote(folder, url, "vmalert"), tmp_path / "store"
        assert exit_code(pushed(at, store, planned(at, chain))) is Exit.OK
        assert actions(planned(at, chain)) == "="
        groups = {group["name"]: len(group["rules"]) for group in get(f"{url}/api/v1/rules")["groups"]}
        assert groups == {"shop/a": 3}

        def result() -> list[str]:
            return [each["value"][1] for each in get(f"{storage}/api/v1/query", query="a:two")["result"]]

        until(lambda: result() == ["2"], "what reads a result arrives in storage")
        until(lambda: get(f"{url}/api/v1/alerts")["alerts"], "the alert on it fires")
        former = {file: file.read_bytes() for file in folder.iterdir()}
        (failure,) = pushed(at, store, planned(at, rules("a", ("a:one", "sum(")))).failed
        assert "vmalert refuses its rule files" in failure.why
        assert "put back and are loaded" in failure.why
        assert {file: file.read_bytes() for file in folder.iterdir()} == former
        assert exit_code(pushed(at, store, planned(at, prune=True))) is Exit.OK
        assert evaluated(url) == {}
    assert whole(folder) == ["theirs.yaml"]
