"""The warm workers: one for each Keras, started when it is first needed and kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Lock as Mutex
from types import TracebackType
from typing import Any, Self

from ..errors import SandboxError
from .sandbox import LIVE, Answer
from .worker import Keras, Worker


class Workers:
    """Live jobs by Keras. A context manager; threads take turns. A worker that ended is started again for the next job."""

    def __init__(self) -> None:
        self._running: dict[Keras, Worker] = {}
        self._turn = Mutex()

    def run(
        self,
        keras: Keras,
        job: str,
        arguments: Mapping[str, Any],
        readable: tuple[Path, ...],
        *,
        insist: bool = True,
        output: Path | None = None,
    ) -> Answer:
        """Run a job in the worker for a Keras; see `Worker.run`."""
        with self._turn:
            worker = self._running.get(keras) or self._running.setdefault(keras, Worker(keras))
            try:
                return worker.run(job, arguments, readable, LIVE, insist=insist, output=output)
            except SandboxError:
                if worker.ended:
                    del self._running[keras]
                    worker.close()
                raise

    def close(self) -> None:
        """End them all."""
        with self._turn:
            for worker in self._running.values():
                worker.close()
            self._running.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
