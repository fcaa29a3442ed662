"""An hour in a minute: the generated rules in a running Prometheus, and what Alertmanager sends."""
