"""Windows, budgets and pages against all events of three days, in a real Prometheus; `make bench` does a month."""

from __future__ import annotations

import pytest

from bench.accuracy import LATE_BAR, RATIO_BAR, Report, measure


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return measure(tmp_path_factory.mktemp("history"), days=3, window="7d")


def test_the_ratio_and_the_budget_are_exact(report: Report) -> None:
    own = report.windows[-1]
    assert own.name == "7d"
    assert own.truth > 0.001
    assert own.error <= RATIO_BAR
    assert own.worst <= 2 * RATIO_BAR  # half an hour of gaps weighs more in three days than in thirty
    true, recorded = report.budget
    assert abs(recorded / true - 1) <= RATIO_BAR


def test_no_window_reports_what_did_not_happen(report: Report) -> None:
    assert [each.name for each in report.windows] == ["5m", "30m", "1h", "2h", "6h", "1d", "3d", "7d"]
    for each in report.windows:
        assert abs(each.recorded - each.truth) < 0.05 * max(each.truth, 0.001), each


def test_pages_come_when_all_events_say_so(report: Report) -> None:
    """Within a minute; where an instance was not reached at the start of a slow burn, within three."""
    assert {page.burn.name for page in report.pages if page.truth} >= {"total outage at noon", "5 % in the evening"}
    for page in report.pages:
        assert (page.rules is None) == (page.truth is None), page
        assert page.late <= (3 * LATE_BAR if page.burn.blind else LATE_BAR), page
