"""Jobs: what goes on after a request was answered. The queue is a table, so any copy works on it, and none is lost.

A process that takes a job holds a lease and renews it. Where the lease runs out the process died: the job is tried once
more, then given up, and the chat is told. A job whose watchers all left is cancelled.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from ..diagnostics.progress import Watch
from ..errors import Cancelled, ConflictError, KerasDoctorError, NotFoundError, SubjectError
from ..knowledge.text import Text
from .database import Database
from .events import Events, lock_chat
from .steps import Steps
from .tables import Job, new_id, now

LEASE = timedelta(seconds=12)
LOOK = 0.5  # seconds between two looks at the queue and at what was asked of running jobs
MAX_TRIES = 2
GRACE = 5.0  # seconds in which cancelled jobs have to end when the process stops
OPEN_STATES = ("queued", "running")
DIED = Text(
    "The process that worked on this died, twice; it is not tried again.", "处理这个请求的进程两次中途退出，不再重试。"
)
LEFT = Text("Stopped, because nobody was watching any more.", "已停止：页面关闭后没有人在等结果了。")
STOPPED = Text("Stopped, as you asked.", "已按你的要求停止。")
FAILED = Text(
    "Something went wrong in kerasdoctor itself; the details are in its log.",
    "kerasdoctor 自身出错了，详情见服务日志。",
)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Task:
    """A job as its handler sees it."""

    id: str
    chat: str | None
    message: str | None
    arguments: Mapping[str, Any]


class Handler(Protocol):
    """Does one kind of job."""

    def run(self, task: Task, watch: Watch) -> Callable[[Session], None]:
        """Do it; what is returned writes the result, in the transaction that ends the job. Steps told to `watch` are events."""

    def gave_up(self, session: Session, task: Task, state: str, why: Text) -> None:
        """Write that there is no result: `state` is failed or cancelled."""


@dataclass(frozen=True)
class Running:
    """A job that this process works on."""

    kind: str
    task: Task
    watch: Watch
    steps: Steps


def add_job(session: Session, kind: str, chat: str | None, message: str | None, arguments: dict[str, Any]) -> Job:
    """Put a job into the queue, in a transaction."""
    job = Job(id=new_id(), kind=kind, chat_id=chat, message_id=message, arguments=arguments)
    session.add(job)
    return job


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
        self._slots, self._leave, self._lease, self._look = slots, timedelta(seconds=leave_seconds), lease, look
        self._me = new_id()
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
        with self._database.session() as session:
            found = _lock_job(session, job)
            if found is None:
                raise NotFoundError(f"there is no job {job[:40]}")
            if found.state not in OPEN_STATES:
                raise ConflictError(f"the job has ended already: it is {found.state}")
            found.cancel = True
            if found.state == "queued":
                self._end(session, found, "cancelled", STOPPED)
        self.nudge()

    def watched(self, chat: str) -> None:
        """Somebody watches the open jobs of a chat now. Cheap enough to be said twice a second."""
        every = self._leave / 4
        if time.monotonic() - self._watched.get(chat, 0.0) < every.total_seconds():
            return
        self._watched[chat] = time.monotonic()
        late = Job.watched_at.is_(None) | (Job.watched_at < now() - every)
        mine = (Job.chat_id == chat) & Job.state.in_(OPEN_STATES) & late
        with self._database.reading() as session:
            ids = list(session.scalars(select(Job.id).where(mine)))
        if ids:
            with self._database.session() as session:
                session.execute(update(Job).where(Job.id.in_(ids)).values(watched_at=now()))

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
            self._put_back(each.task)

    def _keep(self) -> None:
        """The keeper's thread: renew leases, pass on cancellations, recover, take jobs."""
        self._judging_since = time.monotonic() + self._leave.total_seconds()
        while not (self._stopping and not self._running):
            self._nudged.wait(self._look)
            self._nudged.clear()
            try:
                self._look_after_running()
                self._recover()
                while not self._stopping and len(self._running) < self._slots and (taken := self._take()):
                    self._begin(taken)
            except Exception:  # noqa: BLE001 - a database that is away for a moment must not end the keeper
                _log.exception("the queue could not be looked at")
                # Nobody could be seen to watch in the meantime.
                self._judging_since = time.monotonic() + self._leave.total_seconds()
                time.sleep(self._look)

    def _look_after_running(self) -> None:
        """Cancel what was asked to be, what everybody left and what is not this process's any more; renew the leases."""
        running = dict(self._running)
        if not running:
            return
        mine = Job.id.in_(running) & (Job.holder == self._me) & (Job.state == "running")
        with self._database.reading() as session:
            held = {job.id: job for job in session.scalars(select(Job).where(mine))}
        if any((job.lease_until or now()) < now() + self._lease * 2 / 3 for job in held.values()):
            with self._database.session() as session:
                session.execute(update(Job).where(mine).values(lease_until=now() + self._lease))
        left = self._left_before()
        for each in running.values():
            job = held.get(each.task.id)
            if job is None or job.cancel or (job.watched_at or now()) < left:
                each.watch.cancel()
            with suppress(NotFoundError):  # the chat was removed
                each.steps.write()

    def _left_before(self) -> datetime:
        """Watchers who were last seen before this left. After a pause they first get the time to come back."""
        return now() - self._leave if time.monotonic() > self._judging_since else datetime.min.replace(tzinfo=UTC)

    def _recover(self) -> None:
        """Take care of jobs whose process died, and end those in the queue that everybody left."""
        if time.monotonic() - self._recovered_at < self._lease.total_seconds() / 3:
            return
        self._recovered_at = time.monotonic()
        dead = (Job.state == "running") & (Job.lease_until < now())
        left = (Job.state == "queued") & (Job.watched_at < self._left_before())
        with self._database.reading() as session:
            ids = list(session.scalars(select(Job.id).where(dead | left, Job.kind.in_(self._handlers))))
        for job in ids:
            self._recover_job(job)

    def _recover_job(self, job: str) -> None:
        with self._database.session() as session:
            found = _lock_job(session, job)
            if found is None:
                return
            if found.state == "queued":
                self._end(session, found, "cancelled", LEFT)
            elif found.state == "running" and found.lease_until is not None and found.lease_until < now():
                _log.warning("a job was left by its process", job=found.id, kind=found.kind, tries=found.tries)
                if found.tries >= MAX_TRIES:
                    self._end(session, found, "failed", DIED)
                else:
                    self._requeue(session, found)

    def _take(self) -> Running | None:
        """The oldest job that no other one of its chat comes before; None where there is none."""
        while (job := self._next()) is not None:
            if (taken := self._claim(job)) is not None:
                return taken
        return None

    def _next(self) -> str | None:
        busy = select(Job.chat_id).where(Job.state == "running", Job.chat_id.is_not(None))
        free = Job.chat_id.is_(None) | Job.chat_id.not_in(busy)
        queued = select(Job.id).where(Job.state == "queued", Job.kind.in_(self._handlers), free)
        with self._database.reading() as session:
            return session.scalar(queued.order_by(Job.made_at, Job.id).limit(1))

    def _claim(self, job: str) -> Running | None:
        """Take a job, unless another process took it, or another one of its chat, in the meantime."""
        with self._database.session() as session:
            found = _lock_job(session, job)
            if found is None or found.state != "queued":
                return None
            beside = select(Job.id).where(Job.chat_id == found.chat_id, Job.state == "running").limit(1)
            if session.scalar(beside) is not None:
                return None
            found.state, found.holder, found.tries = "running", self._me, found.tries + 1
            found.lease_until = now() + self._lease
            self._tell(session, found, "started")
            steps = Steps(self._database, self._events, found.id, found.chat_id)
            return Running(found.kind, _task(found), Watch(steps), steps)

    def _begin(self, taken: Running) -> None:
        self._running[taken.task.id] = taken
        threading.Thread(target=self._work, args=(taken,), name="job", daemon=True).start()

    def _work(self, running: Running) -> None:
        """The thread of a job. Where its end cannot be written, the lease runs out and the job is recovered."""
        try:
            self._attempt(running)
        except Exception:  # noqa: BLE001 - the border of a job
            _log.exception("a job has to be tried again", job=running.task.id, kind=running.kind)
        finally:
            del self._running[running.task.id]
            self._nudged.set()

    def _attempt(self, running: Running) -> None:
        task = running.task
        try:
            self._run(running)
        except Cancelled:
            self._cancelled(task)
        except KerasDoctorError as error:
            self._give_up(task, Text(str(error), error.zh if isinstance(error, SubjectError) else str(error)))
        except OperationalError:  # the database is away
            raise
        except Exception:  # noqa: BLE001 - the border of a job
            _log.exception("a job failed", job=task.id, kind=running.kind)
            self._give_up(task, FAILED)

    def _run(self, running: Running) -> None:
        finish = self._handlers[running.kind].run(running.task, running.watch)
        running.watch.check()
        running.steps.write()
        with self._database.session() as session:
            job = self._held(session, running.task)
            if job is not None:
                finish(session)
                self._close(session, job, "done")

    def _held(self, session: Session, task: Task) -> Job | None:
        """The job, if it is still this process's: a lease that was lost went to another one."""
        job = _lock_job(session, task.id)
        return job if job is not None and (job.holder, job.state) == (self._me, "running") else None

    def _cancelled(self, task: Task) -> None:
        with self._database.session() as session:
            job = self._held(session, task)
            if job is None:
                return
            if self._stopping and not job.cancel:
                self._requeue(session, job, died=False)
            else:
                self._end(session, job, "cancelled", STOPPED if job.cancel else LEFT)

    def _put_back(self, task: Task) -> None:
        with self._database.session() as session:
            job = self._held(session, task)
            if job is not None:
                self._requeue(session, job, died=False)

    def _give_up(self, task: Task, why: Text) -> None:
        with self._database.session() as session:
            job = self._held(session, task)
            if job is not None:
                self._end(session, job, "failed", why)

    def _requeue(self, session: Session, job: Job, *, died: bool = True) -> None:
        """Put a job back into the queue; those who watched it get the time to come back."""
        job.state, job.holder, job.lease_until = "queued", None, None
        job.tries -= 0 if died else 1
        job.watched_at = now() if job.watched_at else None
        self._tell(session, job, "interrupted")

    def _end(self, session: Session, job: Job, state: str, why: Text) -> None:
        """End a job without a result, whatever its handler makes of that."""
        job.error = {"en": why.en, "zh": why.zh}
        try:
            with session.begin_nested():
                self._handlers[job.kind].gave_up(session, _task(job), state, why)
        except Exception:  # noqa: BLE001 - the border of a job
            _log.exception("a job's end could not be told", job=job.id, kind=job.kind)
        self._close(session, job, state)

    def _close(self, session: Session, job: Job, state: str) -> None:
        job.state, job.ended_at, job.holder, job.lease_until = state, now(), None, None
        self._tell(session, job, state)

    def _tell(self, session: Session, job: Job, kind: str) -> None:
        if job.chat_id is not None:
            self._events.add(session, job.chat_id, kind, {"job": job.id, "error": job.error}, job.id)


def _lock_job(session: Session, job: str) -> Job | None:
    """A job that nobody else changes meanwhile. Its chat is locked first, as everywhere: who waits for whom has one order."""
    chat = session.scalar(select(Job.chat_id).where(Job.id == job))
    if chat is not None and not lock_chat(session, chat):
        return None
    return session.get(Job, job, with_for_update=True, populate_existing=True)


def _task(job: Job) -> Task:
    return Task(job.id, job.chat_id, job.message_id, dict(job.arguments))
