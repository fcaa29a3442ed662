"""Links from dashboards, alerts and runbooks: to dashboards, to traces and logs in Explore, to runbook pages."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote

import orjson

from dashgen import conventions as c
from dashgen.model.graph import Service, Settings
from dashgen.promql import quoted

VALUE = "${__value.raw}"  # the value of the point that was clicked


class Links:
    """Builds addresses for one graph: relative ones in Grafana, none from outside where its address is not known."""

    def __init__(self, settings: Settings):
        self._settings = settings

    def dashboard(self, uid: str, panel: int | None = None) -> str:
        """A dashboard by its absolute address, for alerts and runbooks."""
        return self._outside(f"/d/{uid}" + (f"?viewPanel={panel}" if panel else ""))

    def inside(self, uid: str) -> str:
        """A dashboard from another one: the same time range and environment."""
        return f"/d/{uid}?${{__url_time_range}}&${{env:queryparam}}"

    def panel(self, uid: str, key: str) -> str:
        """A panel of a dashboard, in full view."""
        return f"{self.inside(uid)}&viewPanel={c.panel_id(key)}"

    def named(self) -> str:
        """The dashboard whose uid stands in the `dashboard` column of the same table row."""
        return self.inside("${__data.fields.dashboard}")

    def runbook(self, owner: str, alert: str) -> str:
        """The page of an alert."""
        return f"{self._settings.runbooks or 'out/runbooks'}/{_encoded(owner)}/{_encoded(alert)}.md"

    def logs_query(self, service: Service) -> str:
        """LogQL that selects a service's logs.

        The labels come from `logs:` in the specification.
        """
        return "{" + ",".join(f'{label}="{quoted(value)}"' for label, value in service.logs) + "}"

    def traces_query(self, service: Service, more: str = "") -> str:
        """TraceQL that selects a service's spans; `more` narrows it."""
        parts = [f'{attribute}="{quoted(value)}"' for attribute, value in service.traces] + ([more] if more else [])
        return "{" + " && ".join(parts) + "}"

    def logs(self, service: Service, *, fixed: bool = False) -> str:
        """Explore with a service's logs; `fixed` for links outside a dashboard."""
        uid = self._settings.logs if fixed else "${loki_datasource}"
        return self._explore(uid, {"expr": self.logs_query(service), "queryType": "range"}, "loki", fixed)

    def traces(self, service: Service, more: str = "", *, fixed: bool = False) -> str:
        """Explore with a service's traces; `fixed` for links outside a dashboard."""
        uid = self._settings.traces if fixed else "${tempo_datasource}"
        query = {"query": self.traces_query(service, more), "queryType": "traceql", "limit": 20, "tableType": "traces"}
        return self._explore(uid, query, "tempo", fixed)

    def _explore(self, uid: str, query: dict[str, object], kind: str, fixed: bool) -> str:
        start, end = ("now-1h", "now") if fixed else ("${__from}", "${__to}")
        target = {"refId": "A", "datasource": {"type": kind, "uid": uid}, **query}
        panes = {"dashgen": {"datasource": uid, "queries": [target], "range": {"from": start, "to": end}}}
        encoded = _encoded(orjson.dumps(panes).decode())
        for variable in () if fixed else (uid, start, end, VALUE):
            encoded = encoded.replace(_encoded(variable), variable)
        address = f"/explore?schemaVersion=1&panes={encoded}"
        return self._outside(address) if fixed else address

    def _outside(self, address: str) -> str:
        return f"{self._settings.grafana}{address}" if self._settings.grafana else ""


@lru_cache(maxsize=256)  # every panel of a service links to the same few places
def _encoded(text: str) -> str:
    return quote(text, safe="")
