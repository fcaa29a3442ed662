"""Every label, uid and file name that leaves dashgen, spelled once."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

GRAPH, SERVICE, CHAIN, SLO, OPERATION = "graph", "service", "chain", "slo", "operation"
CLIENT, SERVER, LANGUAGE, TEAM, ENV = "client", "server", "language", "team", "env"
IMPLEMENTATION, SEVERITY, TIER, HOP = "implementation", "severity", "burn", "hop"
PAGE, TICKET = "page", "ticket"

PANEL_TYPES = (
    "bargauge",
    "canvas",
    "gauge",
    "heatmap",
    "logs",
    "stat",
    "state-timeline",
    "table",
    "text",
    "timeseries",
)

OWNER_MARK = "dashgen"
UID_LENGTH = 40
RESOURCE_LENGTH = 63  # of a DNS-1123 label; some operators copy names into labels
GROUP_RULES = 20  # Mimir's default limit of rules in a group


@lru_cache(maxsize=65536)
def slug(text: str) -> str:
    """Lower-case words joined by dashes; a short hash is added when characters had to go.

    >>> slug("checkout"), slug("Check.Out") != slug("check-out")
    ('checkout', True)
    """
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return plain if plain == text else f"{plain}-{_hash(text)}".lstrip("-")


@lru_cache(maxsize=65536)
def uid(graph: str, kind: str, name: str = "") -> str:
    """The uid of a dashboard: stable, readable, at most 40 characters.

    >>> uid("shop", "service", "gateway")
    'shop-service-gateway'
    >>> len(uid("shop", "service", "a" * 63))
    40
    """
    whole = "-".join(slug(part) for part in (graph, kind, name) if part)
    return whole if len(whole) <= UID_LENGTH else f"{whole[: UID_LENGTH - 9].rstrip('-')}-{_hash(whole)}"


def resource(*parts: str) -> str:
    """The name of a Kubernetes object: stable, and valid wherever a DNS-1123 label is.

    >>> resource("dashgen", "shop", "service-gateway")
    'dashgen-shop-service-gateway'
    >>> len(resource("dashgen", "shop", "service-" + "a" * 63))
    63
    """
    whole = "-".join(slug(part) for part in parts)
    return whole if len(whole) <= RESOURCE_LENGTH else f"{whole[: RESOURCE_LENGTH - 9].rstrip('-')}-{_hash(whole)}"


def panel_id(key: str) -> int:
    """A panel id between 1 and 2³¹-1 that depends on the panel's own key alone."""
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) % (2**31 - 1) + 1


def owner(kind: str, name: str) -> str:
    """The id of what a file belongs to, and the first part of its name.

    >>> owner("service", "gateway"), owner("chain", "gateway")
    ('service-gateway', 'chain-gateway')
    """
    return f"{kind}-{name}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
