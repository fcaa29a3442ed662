"""From settings to remotes: which class speaks to which product. Classes are imported when they are needed."""

from __future__ import annotations

from dashgen.diagnostics import RunError
from dashgen.push.remotes import Remote
from dashgen.push.settings import RemoteSettings


def make_remote(settings: RemoteSettings) -> Remote:
    """The remote that the settings describe."""
    match settings.type:
        case "grafana":
            from dashgen.push.remotes.grafana import GrafanaRemote

            return GrafanaRemote(settings)
        case "prometheus" | "vmalert" | "thanos":
            from dashgen.push.remotes.rule_files import RuleFiles

            return RuleFiles(settings)
        case "alertmanager":
            from dashgen.push.remotes.alertmanager_file import AlertmanagerFile

            return AlertmanagerFile(settings)
        case "mimir" | "cortex" | "loki":
            from dashgen.push.remotes.ruler import RulerRemote

            return RulerRemote(settings)
        case "mimir-alertmanager" | "cortex-alertmanager":
            from dashgen.push.remotes.alertmanager_api import AlertmanagerApi

            return AlertmanagerApi(settings)
        case _:
            raise RunError(f"{settings.name}: this dashgen cannot push to the type {settings.type}.")
