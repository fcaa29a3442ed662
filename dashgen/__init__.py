"""dashgen compiles a service graph into dashboards, rules, error budgets, routes and runbooks."""

__version__ = "0.1.0"

__all__ = ["__version__"]
