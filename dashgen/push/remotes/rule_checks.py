"""Rule files asked of the product's own tool, where there is one, before anything is written."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

from dashgen import canonical
from dashgen.push.remotes import RemoteError

PATIENCE = 60  # seconds that a tool may take for one file
SHOWN = 1000  # characters of a tool's own words
# promtool speaks for Thanos too, once what only Thanos knows is taken out.
_TOOLS = {
    "prometheus": ("promtool", "check", "rules", "/dev/stdin"),
    "thanos": ("promtool", "check", "rules", "/dev/stdin"),
    "vmalert": ("vmalert", "-dryRun", "-rule=/dev/stdin"),
}
_ONLY_THANOS = "partial_response_strategy"


def check_rules(product: str, name: str, data: Any) -> None:
    """Raise `RemoteError`, with the tool's own words, for rules that the product would refuse.

    A machine without the tool learns it from the reload. The tool may be older than the server and refuse what the
    server knows; then nothing is written either, and the message names the tool.
    """
    if not isinstance(data, dict) or not (tool := shutil.which(_TOOLS[product][0])):
        return
    command = [tool, *_TOOLS[product][1:]]
    content = canonical.yaml_text(_plain(data) if product == "thanos" else data).encode()
    try:
        done = subprocess.run(command, input=content, check=False, capture_output=True, timeout=PATIENCE)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RemoteError(f"{tool} could not check {name} ({type(error).__name__}). It was not written.") from None
    if done.returncode:
        said = _words(product, done.stderr.decode("utf-8", "replace")).replace("/dev/stdin", name)
        raise RemoteError(f"{tool} refuses {name}: {said[:SHOWN].rstrip('.')}. It was not written.")


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    groups = [
        {key: value for key, value in group.items() if key != _ONLY_THANOS} if isinstance(group, dict) else group
        for group in data.get("groups") or ()
    ]
    return {**data, "groups": groups}


def _words(product: str, text: str) -> str:
    """The complaint alone; vmalert logs its settings before, and its complaint last, behind time, level and place."""
    if product == "vmalert":
        lines = [line for line in text.splitlines() if "\tfatal\t" in line or "\terror\t" in line]
        text = lines[-1].split("\t", 3)[-1] if lines else text
    return " ".join(text.split())
