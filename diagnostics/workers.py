"""The pool of warm workers: of each kind up to so many, started when they are first needed and kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Condition
from types import TracebackType
from typing import Any, Self

from ..errors import SandboxError
from .lockdown import Limits
from .progress import Watch
from .sandbox import LIVE, Answer
from .worker import Worker
from .worker_process import Kind

_HEAR = 0.02  # seconds between two looks at whether a job that waits is cancelled
_GRACE = 5.0  # seconds that jobs in flight get to notice that all is over


class Workers:
    """Runs jobs in warm workers. A context manager, for any number of threads. A worker that ended is replaced for the next job."""

    def __init__(self, size: int = 1) -> None:
        """`size` is how many workers there may be of each kind; where all are busy, threads wait."""
        self._size = size
        self._all: dict[Kind, list[Worker]] = defaultdict(list)
        self._free: dict[Kind, list[Worker]] = defaultdict(list)
        self._changed = Condition()
        self._closed = False

    def run(
        self,
        kind: Kind,
        job: str,
        arguments: Mapping[str, Any],
        readable: tuple[Path, ...],
        limits: Limits = LIVE,
        *,
        insist: bool = True,
        output: Path | None = None,
        watch: Watch | None = None,
    ) -> Answer:
        """Run a job in a worker of a kind, when one is free; see `Worker.run`.

        Raises:
            SubjectError, SandboxError, Cancelled: as for `Worker.run`; and SandboxError where the pool is closed.
        """
        with self._taken(kind, watch or Watch()) as worker:
            return worker.run(job, arguments, readable, limits, insist=insist, output=output, watch=watch)

    def warm(self, kind: Kind) -> None:
        """Start a worker of a kind ahead of need, if there is none. It gets ready in the background.

        Raises:
            SandboxError: what it needs is not installed here, or the pool is closed.
        """
        with self._changed:
            self._check()
            if not self._all[kind]:
                self._free[kind].append(self._started(kind))

    def close(self) -> None:
        """End them all. Jobs in flight end with a SandboxError, and none begins any more."""
        with self._changed:
            self._closed = True
            for worker in [each for workers in self._all.values() for each in workers]:
                worker.kill()
            for worker in [each for workers in self._free.values() for each in workers]:
                self._drop(worker)
            self._free.clear()
            self._changed.notify_all()
            self._changed.wait_for(lambda: not any(self._all.values()), _GRACE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @contextmanager
    def _taken(self, kind: Kind, watch: Watch) -> Iterator[Worker]:
        """A worker for one job."""
        with self._changed:
            worker = self._wait(kind, watch)
        try:
            yield worker
        finally:
            with self._changed:
                if worker.ended or self._closed:
                    self._drop(worker)
                else:
                    self._free[kind].append(worker)
                self._changed.notify_all()

    def _wait(self, kind: Kind, watch: Watch) -> Worker:
        while True:
            self._check()
            watch.check()
            while self._free[kind]:
                worker = self._free[kind].pop()
                if not worker.ended:
                    return worker
                self._drop(worker)
            if len(self._all[kind]) < self._size:
                return self._started(kind)
            self._changed.wait(_HEAR)

    def _started(self, kind: Kind) -> Worker:
        worker = Worker(kind)
        self._all[kind].append(worker)
        return worker

    def _drop(self, worker: Worker) -> None:
        self._all[worker.kind].remove(worker)
        worker.close()

    def _check(self) -> None:
        if self._closed:
            raise SandboxError("the workers are closed: nothing is examined any more", "工作进程已全部关闭，不再检查")
