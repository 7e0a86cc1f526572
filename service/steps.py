"""The steps of a job's probes as events of its chat, a few at a time."""

from __future__ import annotations

import time
from dataclasses import asdict
from threading import Lock

from ..diagnostics.progress import Step
from .database import Database
from .events import Events

EVERY = 0.1  # seconds in which steps are collected before they are written


class Steps:
    """Takes the steps of one job. The job's thread tells them; any thread may have them written."""

    def __init__(self, database: Database, events: Events, job: str, chat: str | None) -> None:
        self._database, self._events, self._job, self._chat = database, events, job, chat
        self._steps: list[Step] = []
        self._written = 0.0
        self._lock = Lock()

    def __call__(self, step: Step) -> None:
        """Take a step."""
        self._steps.append(step)
        if time.monotonic() - self._written >= EVERY:
            self.write()

    def write(self) -> None:
        """Write what was collected.

        Raises:
            NotFoundError: the chat was removed.
        """
        with self._lock:
            steps, self._steps = self._steps, []
            self._written = time.monotonic()
            if steps and self._chat is not None:
                with self._database.session() as session:
                    data = {"steps": [asdict(step) for step in steps]}
                    self._events.add(session, self._chat, "probes", data, self._job)
