"""One function over many items, on all processors where that pays; results come back in order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
FEW = 48  # items below which starting processes costs more than it saves
CHUNK = 8  # items handed to a process at once

_function: Callable[[int], object] | None = None


def spread(function: Callable[[int], T], count: int) -> Iterator[T]:
    """Yield `function(0)` to `function(count - 1)`.

    Processes are forked, so that they see everything that stands in memory, and only results travel. Where there is
    no fork, or one processor, or little to do, everything happens here.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if count < FEW or processors < 2 or not hasattr(os, "fork"):
        yield from (function(index) for index in range(count))
        return
    import multiprocessing  # a small change need not wait for these two
    from concurrent.futures import ProcessPoolExecutor

    global _function  # noqa: PLW0603 - the one way to hand a closure to forked processes
    _function = function
    starts = range(0, count, CHUNK)
    with ProcessPoolExecutor(processors, mp_context=multiprocessing.get_context("fork")) as pool:
        try:
            for results in pool.map(_chunk, starts, [min(start + CHUNK, count) for start in starts]):
                yield from results  # type: ignore[misc]
        finally:
            pool.shutdown(cancel_futures=True)
            _function = None


def _chunk(start: int, stop: int) -> Sequence[object]:
    assert _function is not None
    return [_function(index) for index in range(start, stop)]
