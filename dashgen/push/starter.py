"""The commented `dashgen.toml` that `dashgen init` writes."""

from __future__ import annotations

from pathlib import Path

from dashgen.diagnostics import RunError
from dashgen.push.settings_file import FILE

STARTER = """\
# Where dashgen pushes to. Secrets do not stand here: name an environment variable or a file.
default = "dev"

[contexts.dev.grafana]
url = "http://localhost:3000"
token = {env = "GRAFANA_TOKEN"}

[contexts.dev.prometheus]
url = "http://localhost:9090"
rules = "rules"  # a folder that Prometheus reads: rule_files: [rules/*.yaml]

# [contexts.prod.grafana]
# url = "https://grafana.example.com"
# token = {file = "/run/secrets/grafana"}
# allow_ui_edits = false
#
# [contexts.prod.mimir]
# url = "https://mimir.example.com"
# tenant = "shop"
# token = {env = "MIMIR_TOKEN"}
"""


def write_settings(folder: Path) -> Path | None:
    """Write the starter, unless there are settings already; `RunError` when they cannot be written."""
    path = folder / FILE
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(STARTER)
    except FileExistsError:
        return None
    except OSError as error:
        raise RunError(f"{path}: {error.strerror}.") from None
    return path
