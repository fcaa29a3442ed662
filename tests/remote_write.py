"""Samples for a running Prometheus, native histograms too: remote write by hand, in protobuf and snappy.

The messages are those of Prometheus's `prompb/types.proto`; snappy is written uncompressed, as its format allows.
"""

from __future__ import annotations

import struct
import urllib.request
from collections.abc import Iterable, Mapping, Sequence

LITERAL = 60  # the longest literal whose length fits into its tag byte


def counters(address: str, labels: Mapping[str, str], samples: Iterable[tuple[float, int]]) -> None:
    """Write samples of a series, as values and times in seconds."""
    made = (_message(2, b"\x09" + struct.pack("<d", value) + _number(2, at * 1000)) for value, at in samples)
    _write(address, labels, b"".join(made))


def histogram(
    address: str, labels: Mapping[str, str], buckets: Mapping[int, int], total: float, now: float, schema: int = 0
) -> None:
    """Write one sample of a histogram: counts by bucket, sum, now.

    A bucket ends at two to the power of its index; a schema higher by one has twice as many.
    """
    _write(address, labels, _message(4, _histogram(buckets, total, int(now * 1000), schema)))


def _write(address: str, labels: Mapping[str, str], samples: bytes) -> None:
    named = b"".join(_message(1, _text(1, name) + _text(2, labels[name])) for name in sorted(labels))
    headers = {
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
    }
    request = urllib.request.Request(f"{address}/api/v1/write", _snappy(_message(1, named + samples)), headers)
    with urllib.request.urlopen(request, timeout=5):
        pass


def _histogram(buckets: Mapping[int, int], total: float, milliseconds: int, schema: int) -> bytes:
    made = _number(1, sum(buckets.values())) + b"\x19" + struct.pack("<d", total) + _number(4, _zigzag(schema))
    last, before, deltas = -1, 0, b""
    for index in sorted(buckets):
        made += _message(11, _number(1, _zigzag(index - last - 1)) + _number(2, 1))
        deltas += _varint(_zigzag(buckets[index] - before))
        last, before = index, buckets[index]
    return made + _message(12, deltas) + _number(15, milliseconds)


def _snappy(body: bytes) -> bytes:
    chunks = (body[at : at + LITERAL] for at in range(0, len(body), LITERAL))
    return _varint(len(body)) + b"".join(bytes([(len(chunk) - 1) << 2]) + chunk for chunk in chunks)


def _message(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _varint(value: int) -> bytes:
    made: Sequence[int] = []
    while True:
        made = [*made, value & 127 | (128 if value > 127 else 0)]
        value >>= 7
        if not value:
            return bytes(made)
