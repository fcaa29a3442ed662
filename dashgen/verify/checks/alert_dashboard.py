"""The check alert/dashboard."""

from collections.abc import Iterator

from dashgen.diagnostics import Severity
from dashgen.model.graph import Graph
from dashgen.verify.registry import Finding, graph_check


@graph_check("alert/dashboard", Severity.INFO)
def alert_dashboard(graph: Graph) -> Iterator[Finding]:
    """Alerts and runbooks lead to no dashboard.

    Whoever is woken wants to see, one click away. Without an address of Grafana alerts have no `dashboard_url`, and
    runbooks name dashboards, traces and logs without a link. Write the address into `defaults.grafana`.

    Passes:
        defaults: {grafana: https://grafana.example.com}

    Fails:
        defaults: {grafana: null}
    """
    if not graph.settings.grafana:
        yield Finding("There is no address that they could lead to. Set `defaults.grafana`.", ("defaults",))
