"""One file per product that can hold what dashgen makes, behind one small protocol."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from dashgen.diagnostics import RunError
from dashgen.exits import Exit
from dashgen.model.artifact import Artifact
from dashgen.model.plan import Failure, Step
from dashgen.model.remote import Found, Key, Mark, Wanted


class RemoteError(RunError):
    """A remote did not do what it was asked; `code` is the exit code that this asks for.

    `REFUSED` for 401 and 403, `UNREACHABLE` where no answer came, `PARTIAL` for everything else. `stale` says that
    somebody else was faster (409, 412, or a file that changed since it was read).
    """

    def __init__(self, message: str, code: Exit = Exit.PARTIAL, status: int = 0, stale: bool = False):
        super().__init__(message)
        self.code, self.status, self.stale = code, status, stale


class Remote(Protocol):
    """A product that holds objects of dashgen's.

    Reads and writes one object at a time; the order, the bound on parallelism, backups, the audit log and the report
    are the engine's. All methods may be called from several threads and may raise `RemoteError`.
    """

    name: str

    def wanted(self, artifacts: Iterable[Artifact]) -> list[Wanted]:
        """What of `out/` belongs here; raises `RemoteError` with `USAGE` where a limit of the product is exceeded."""

    def found(self, graph: str, keys: Collection[Key]) -> list[Found]:
        """All that carries a mark of this graph, and whatever stands at `keys`, whoever owns it."""

    def apply(self, step: Step, mark: Mark) -> None:
        """Do one step: create, update or delete. Doing it twice does no more than doing it once.

        Only what still has `step.version` is overwritten or deleted; otherwise `RemoteError` with `stale`.
        """

    def finish(self, done: Sequence[Step]) -> list[Failure]:
        """Make what was applied take effect (a reload) and prove that it did; put the former state back if not."""
