"""Templates reach nothing outside: neither the environment nor files, by no way that Jinja2 or Python offers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sample import findings

SECRET = "s3cr3t-of-the-pipeline"
WAYS_OUT = (
    "'{a.func.__wrapped__.__globals__[re].enum.sys.modules[os].environ[TOKEN]}'.format_map({'a': uid})",
    "'{0.__class__}'.format(uid)",
    "uid.func",
    "uid['func'].__globals__",
    "uid | attr('func')",
    "native.re.enum.sys.modules['os'].environ['TOKEN']",
    "sli.events.__globals__",
    "timed.__code__",
    "(service.slos | map('upper')).gi_frame.f_globals",
    "(service.slos | map('upper'))['gi_frame']",
    "service.__class__.__mro__",
    "''['__class__']",
    "''.join.__self__",
    "lipsum.__globals__['os'].environ['TOKEN']",
    "cycler('a').__init__",
    "self.__init__",
)
HUGE = (
    "'%999999999d' | format(1)",
    "'%999999999d' % 1",
    "'x' * 999999999",
    "'x'.center(999999999)",
    "'x'.zfill(999999999)",
    "'x' | center(999999999)",
    "'x' | indent(999999999)",
    "[1] | batch(999999999, 1)",
    "lipsum(999999999)",
    "range(999999999) | list",
    "9 ** 9 ** 9",
)


@pytest.mark.parametrize("expression", [*WAYS_OUT, *HUGE])
def test_no_way_out(expression: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", SECRET)
    pack = f"""
for_each: service in graph.services
alerts:
  - alert: Mine
    expr: up == 0
    summary: Down
    description: |
      << {expression} >>
"""
    faults = [each for each in findings(tmp_path, {"alerts/mine.yaml": pack}) if each.id == "template/fault"]
    assert faults, "it was evaluated"
    assert all(SECRET not in each.detail for each in faults)


def test_loops_end(tmp_path: Path) -> None:
    """Loops within loops could take the memory of a machine; whoever wrote the one too many learns where it is."""
    many = [0] * 500
    pack = f"""
uid: g-endless
title: Endless
folder: t
rows:
  - for_each: one in {many}
    panels:
      - for_each: other in {many}
        panel: p
        type: stat
"""
    found = findings(tmp_path, {"templates/dashboards/endless.yaml": pack})
    (fault,) = (each for each in found if each.id == "template/fault")
    assert (fault.span and fault.span.line) == 8
    assert "more than 200,000 entries" in fault.detail
