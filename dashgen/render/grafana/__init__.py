"""Dashboards → classic Grafana JSON. grafanalib lives in this folder alone and can be replaced here."""

from dashgen.render.grafana.layout import dashboard

__all__ = ["dashboard"]
