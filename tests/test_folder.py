"""The folder `out/`: two runs at once, and one that cannot begin."""

from __future__ import annotations

import datetime
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dashgen import pipeline
from dashgen.model.change import Action
from dashgen.push.remotes.folder import Folder, FolderError
from tests.conftest import opened


def test_what_another_run_wrote_meanwhile_is_no_conflict(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*arguments: Any) -> Any:
        shop.write_text(shop.read_text().replace("objective: 99.9", "objective: 99.8"))
        subprocess.run([sys.executable, "-m", "dashgen", "generate"], cwd=shop.parent, check=True, capture_output=True)
        return collected(*arguments)

    collected = pipeline.collected
    monkeypatch.setattr(pipeline, "collected", late)
    outcome = pipeline.generate(opened(shop), shop.parent / "out", datetime.date(2026, 11, 21))
    assert {change.action for change in outcome.changes} == {Action.KEEP, Action.UPDATE}


def test_a_folder_in_which_nothing_can_be_staged_is_said_to_be_as_it_was(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder._staging.write_text("")
    with pytest.raises(FolderError, match=r"File exists\. Nothing was changed\."):
        folder.commit([], b"{}")
