"""Jobs: what goes on after a request was answered. Threads work on the queue, a keeper looks after them.

The queue is a table (`queue.py`), so any copy works on it, and none is lost. A job whose watchers all left is cancelled.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy.exc import OperationalError

from ..diagnostics.progress import Watch
from ..errors import Cancelled, KerasDoctorError, NotFoundError
from ..knowledge.text import Text
from .database import Database
from .events import Events
from .queue import Handler, Queue, Taken
from .steps import Steps

__all__ = ["Handler", "Jobs"]

LEASE = timedelta(seconds=12)
LOOK = 0.5  # seconds between two looks at the queue and at what was asked of running jobs
GRACE = 5.0  # seconds in which cancelled jobs have to end when the process stops
FAILED = Text(
    "Something went wrong in kerasdoctor itself; the details are in its log.",
    "kerasdoctor 自身出错了，详情见服务日志。",
)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Running:
    """An attempt that a thread of this process works on."""

    taken: Taken
    watch: Watch
    steps: Steps


class Jobs:
    """Works on the queue with a few threads. `start` before use, `stop` at the end."""

    def __init__(
        self,
        database: Database,
        events: Events,
        handlers: Mapping[str, Handler],
        slots: int,
        leave_seconds: float,
        lease: timedelta = LEASE,
        look: float = LOOK,
    ) -> None:
        """Make the keeper of a queue.

        Args:
            database: where the queue is.
            events: where chats are told of their jobs.
            handlers: by the kind of job; jobs of other kinds are left to other processes.
            slots: how many jobs it works on at a time.
            leave_seconds: how long after its last watcher was seen a job is cancelled.
            lease: how long after its process died another one takes a job over.
            look: seconds between two looks at the queue.
        """
        self._database, self._events, self._handlers = database, events, handlers
        self._queue = Queue(database, events, handlers, lease)
        self._slots, self._leave, self._lease, self._look = slots, timedelta(seconds=leave_seconds), lease, look
        self._running: dict[str, Running] = {}
        self._watched: dict[str, float] = {}
        self._nudged = threading.Event()
        self._stopping = False
        self._judging_since = self._recovered_at = 0.0
        self._keeper = threading.Thread(target=self._keep, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._keeper.start()

    def nudge(self) -> None:
        """There is a new job: look at once."""
        self._watched.clear()
        self._nudged.set()

    def cancel(self, job: str) -> None:
        """Ask for a job to be cancelled, wherever it runs.

        Raises:
            NotFoundError: there is no such job.
            ConflictError: it has ended.
        """
        self._queue.cancel(job)
        self.nudge()

    def watched(self, chat: str) -> None:
        """Somebody watches the open jobs of a chat now. Cheap enough to be said twice a second."""
        every = self._leave / 4
        if time.monotonic() - self._watched.get(chat, 0.0) >= every.total_seconds():
            self._watched[chat] = time.monotonic()
            self._queue.watched(chat, every)

    def stop(self, seconds: float) -> None:
        """Take nothing new, wait for what runs, and put back what does not end in time, for another process."""
        self._stopping = True
        self._nudged.set()
        if not self._keeper.is_alive():
            return
        self._keeper.join(seconds)
        for each in list(self._running.values()):
            each.watch.cancel()
        self._keeper.join(GRACE)
        for each in list(self._running.values()):  # it does not hear; its result will not be taken any more
            self._queue.put_back(each.taken)

    def _keep(self) -> None:
        """The keeper's thread: renew leases, pass on cancellations, recover, take jobs."""
        self._judging_since = time.monotonic() + self._leave.total_seconds()
        while not (self._stopping and not self._running):
            self._nudged.wait(self._look)
            self._nudged.clear()
            try:
                self._look_after_running()
                self._recover()
                while not self._stopping and len(self._running) < self._slots and (taken := self._queue.take()):
                    self._begin(taken)
            except Exception:  # noqa: BLE001 - a database that is away for a moment must not end the keeper
                _log.exception("the queue could not be looked at")
                # Nobody could be seen to watch in the meantime.
                self._judging_since = time.monotonic() + self._leave.total_seconds()
                time.sleep(self._look)

    def _look_after_running(self) -> None:
        """Cancel what was asked to be, what everybody left and what is not this process's any more."""
        running = dict(self._running)
        going_on = self._queue.going_on(running, self._judged()) if running else set()
        for holder, each in running.items():
            if holder not in going_on:
                each.watch.cancel()
            with suppress(NotFoundError):  # the chat was removed
                each.steps.write()

    def _judged(self) -> timedelta | None:
        """How long watchers may be gone. After a pause they first get the time to come back."""
        return self._leave if time.monotonic() > self._judging_since else None

    def _recover(self) -> None:
        if time.monotonic() - self._recovered_at >= self._lease.total_seconds() / 3:
            self._recovered_at = time.monotonic()
            self._queue.recover(self._judged())

    def _begin(self, taken: Taken) -> None:
        steps = Steps(self._database, self._events, taken.task.id, taken.task.chat)
        self._running[taken.holder] = running = Running(taken, Watch(steps), steps)
        if self._stopping:  # whoever stops may have looked at what runs a moment ago
            del self._running[taken.holder]
            self._queue.put_back(taken)
            return
        threading.Thread(target=self._work, args=(running,), name="job", daemon=True).start()

    def _work(self, running: Running) -> None:
        """The thread of a job. Where its end cannot be written, the lease runs out and the job is recovered."""
        try:
            self._attempt(running)
        except Exception:  # noqa: BLE001 - the border of a job
            _log.exception("a job has to be tried again", job=running.taken.task.id, kind=running.taken.kind)
        finally:
            del self._running[running.taken.holder]
            self._nudged.set()

    def _attempt(self, running: Running) -> None:
        taken = running.taken
        try:
            finish = self._handlers[taken.kind].run(taken.task, running.watch)
            running.watch.check()
            running.steps.write()
            self._queue.done(taken, finish)
        except Cancelled:
            if self._stopping:
                self._queue.put_back(taken)
            else:
                self._queue.cancelled(taken)
        except KerasDoctorError as error:
            self._queue.failed(taken, Text(str(error), error.zh or str(error)))
        except OperationalError:  # the database is away
            raise
        except Exception:  # noqa: BLE001 - the border of a job
            _log.exception("a job failed", job=taken.task.id, kind=taken.kind)
            self._queue.failed(taken, FAILED)
