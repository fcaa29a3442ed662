"""Durations and percentages: read as people write them, kept exact, written back in one canonical form."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

_UNITS = {"w": 604800_000, "d": 86400_000, "h": 3600_000, "m": 60_000, "s": 1000, "ms": 1}
_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?")
DURATION_PATTERN = r"^(?=.)(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$"

MINUTE, HOUR, DAY = 60, 3600, 86400


@lru_cache(maxsize=4096)
def seconds(text: str) -> Decimal:
    """Read a duration; `ValueError` when it is none.

    >>> seconds("1m15s"), seconds("250ms"), seconds("30d")
    (Decimal('75'), Decimal('0.25'), Decimal('2592000'))
    """
    match = _DURATION.fullmatch(text)
    if not text or match is None or len(text) > 30:
        raise ValueError(f"“{text}” is not a duration; write one like 15s, 1m30s, 250ms, 6h or 30d")
    total = sum(int(digits) * size for digits, size in zip(match.groups(), _UNITS.values(), strict=True) if digits)
    return Decimal(total) / 1000


@lru_cache(maxsize=4096)
def duration(value: Decimal | int | float) -> str:
    """Write seconds as a Prometheus duration, largest unit first (weeks are written as days).

    >>> duration(75), duration(Decimal("0.25")), duration(2592000), duration(0), duration(7776000)
    ('1m15s', '250ms', '30d', '0s', '90d')
    """
    left = int(Decimal(str(value)) * 1000)
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, left = divmod(left, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


@lru_cache(maxsize=4096)
def number(value: Decimal | int | float) -> str:
    """Write a number as PromQL reads it: exact, without exponent or trailing zeros.

    >>> number(Decimal("0.0144000")), number(Decimal("1E+3")), number(0.5)
    ('0.0144', '1000', '0.5')
    """
    text = format(Decimal(str(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
