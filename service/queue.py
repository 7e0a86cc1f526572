"""The queue: a table of jobs, which any number of processes take from, and the transactions that change them.

Whoever takes a job holds a lease on it. Where the lease runs out the process died: the job is tried once more, then given up.
A chat is told of each change by an event. Leases and watchers go by the database's clock: those of machines may differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..diagnostics.progress import Watch
from ..errors import ConflictError, NotFoundError
from ..knowledge.text import Text
from .database import Database, time_of
from .events import Events, lock_chat
from .tables import Job, new_id, now

MAX_TRIES = 2
OPEN_STATES = ("queued", "running")
DIED = Text(
    "The process that worked on this died, twice; it is not tried again.", "处理这个请求的进程两次中途退出，不再重试。"
)
LEFT = Text("Stopped, because nobody was watching any more.", "已停止：页面关闭后没有人在等结果了。")
STOPPED = Text("Stopped, as you asked.", "已按你的要求停止。")
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
class Taken:
    """An attempt at a job. `holder` is its own: a process may come again to a job that it had lost."""

    holder: str
    kind: str
    task: Task


def add_job(session: Session, kind: str, chat: str | None, message: str | None, arguments: dict[str, Any]) -> Job:
    """Put a job into the queue, in a transaction."""
    job = Job(id=new_id(), kind=kind, chat_id=chat, message_id=message, arguments=arguments)
    session.add(job)
    return job


class Queue:
    """The jobs of all chats, as one process sees them: it takes those that it has a handler for."""

    def __init__(self, database: Database, events: Events, handlers: Mapping[str, Handler], lease: timedelta) -> None:
        self._database, self._events, self._handlers, self._lease = database, events, handlers, lease

    def take(self) -> Taken | None:
        """The oldest job that no other one of its chat comes before; None where there is none."""
        while (job := self._next()) is not None:
            if (taken := self._claim(job)) is not None:
                return taken
        return None

    def going_on(self, holders: Iterable[str], leave: timedelta | None) -> set[str]:
        """Those of the attempts that shall go on: still held, not cancelled, not left by all watchers for so long (if that counts).

        Their leases are renewed in time.
        """
        mine = Job.holder.in_(list(holders)) & (Job.state == "running")
        with self._database.reading() as session:
            jobs, at = list(session.scalars(select(Job).where(mine))), time_of(session)
        if any((job.lease_until or at) < at + self._lease * 2 / 3 for job in jobs):
            with self._database.session() as session:
                session.execute(update(Job).where(mine).values(lease_until=time_of(session) + self._lease))
        left = [job for job in jobs if leave is not None and job.watched_at and job.watched_at < at - leave]
        return {job.holder or "" for job in jobs if not job.cancel and job not in left}

    def recover(self, leave: timedelta | None) -> None:
        """Take care of jobs whose process died, and end those in the queue that all watchers left for so long (if that counts)."""
        with self._database.reading() as session:
            at = time_of(session)
            given_up = (Job.state == "running") & (Job.lease_until < at)
            if leave is not None:
                given_up |= (Job.state == "queued") & (Job.watched_at < at - leave)
            ids = list(session.scalars(select(Job.id).where(given_up, Job.kind.in_(self._handlers))))
        for job in ids:
            self._recover(job)

    def cancel(self, job: str) -> None:
        """Ask for a job to be cancelled, wherever it runs; one that waits ends here.

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

    def watched(self, chat: str, every: timedelta) -> None:
        """Somebody watches the open jobs of a chat now; write it where that was not written for so long."""
        with self._database.reading() as session:
            late = Job.watched_at.is_(None) | (Job.watched_at < time_of(session) - every)
            mine = (Job.chat_id == chat) & Job.state.in_(OPEN_STATES) & late
            ids = list(session.scalars(select(Job.id).where(mine)))
        if ids:
            with self._database.session() as session:
                session.execute(update(Job).where(Job.id.in_(ids)).values(watched_at=time_of(session)))

    def done(self, taken: Taken, finish: Callable[[Session], None]) -> None:
        """End an attempt with its result, unless its lease was lost."""
        with self._database.session() as session:
            if (job := _still(session, taken)) is not None:
                finish(session)
                self._close(session, job, "done")

    def failed(self, taken: Taken, why: Text) -> None:
        """End an attempt without a result."""
        with self._database.session() as session:
            if (job := _still(session, taken)) is not None:
                self._end(session, job, "failed", why)

    def cancelled(self, taken: Taken) -> None:
        """End an attempt that was cancelled, because that was asked for or everybody left."""
        with self._database.session() as session:
            if (job := _still(session, taken)) is not None:
                self._end(session, job, "cancelled", STOPPED if job.cancel else LEFT)

    def put_back(self, taken: Taken) -> None:
        """Let another process try it, unless it is to be cancelled; this attempt does not count."""
        with self._database.session() as session:
            job = _still(session, taken)
            if job is not None and job.cancel:
                self._end(session, job, "cancelled", STOPPED)
            elif job is not None:
                job.tries -= 1
                self._requeue(session, job)

    def _next(self) -> str | None:
        busy = select(Job.chat_id).where(Job.state == "running", Job.chat_id.is_not(None))
        free = Job.chat_id.is_(None) | Job.chat_id.not_in(busy)
        queued = select(Job.id).where(Job.state == "queued", Job.kind.in_(self._handlers), free)
        with self._database.reading() as session:
            return session.scalar(queued.order_by(Job.made_at, Job.id).limit(1))

    def _claim(self, job: str) -> Taken | None:
        """Take a job, unless another process took it, or another one of its chat, in the meantime."""
        with self._database.session() as session:
            found = _lock_job(session, job)
            if found is None or found.state != "queued":
                return None
            beside = select(Job.id).where(Job.chat_id == found.chat_id, Job.state == "running").limit(1)
            if session.scalar(beside) is not None:
                return None
            found.state, found.holder, found.tries = "running", new_id(), found.tries + 1
            found.lease_until = time_of(session) + self._lease
            self._tell(session, found, "started")
            return Taken(found.holder, found.kind, _task(found))

    def _recover(self, job: str) -> None:
        with self._database.session() as session:
            found = _lock_job(session, job)
            if found is None:
                return
            if found.state == "queued":
                self._end(session, found, "cancelled", LEFT)
            elif found.state == "running" and found.lease_until and found.lease_until < time_of(session):
                _log.warning("a job was left by its process", job=found.id, kind=found.kind, tries=found.tries)
                if found.cancel:
                    self._end(session, found, "cancelled", STOPPED)
                elif found.tries >= MAX_TRIES:
                    self._end(session, found, "failed", DIED)
                else:
                    self._requeue(session, found)

    def _requeue(self, session: Session, job: Job) -> None:
        """Put a job back; those who watched it get the time to come back."""
        job.state, job.holder, job.lease_until = "queued", None, None
        job.watched_at = time_of(session) if job.watched_at else None
        self._tell(session, job, "interrupted")

    def _end(self, session: Session, job: Job, state: str, why: Text) -> None:
        """End a job without a result, whatever its handler makes of that."""
        job.error = {"en": why.en, "zh": why.zh}
        try:
            if (handler := self._handlers.get(job.kind)) is not None:
                with session.begin_nested():
                    handler.gave_up(session, _task(job), state, why)
        except Exception:  # noqa: BLE001 - the border of a job
            _log.exception("a job's end could not be told", job=job.id, kind=job.kind)
        self._close(session, job, state)

    def _close(self, session: Session, job: Job, state: str) -> None:
        job.state, job.ended_at, job.holder, job.lease_until = state, now(), None, None
        self._tell(session, job, state)

    def _tell(self, session: Session, job: Job, kind: str) -> None:
        if job.chat_id is not None:
            self._events.add(session, job.chat_id, kind, {"job": job.id, "error": job.error}, job.id)


def _still(session: Session, taken: Taken) -> Job | None:
    """The job, if it is still this attempt's: a lease that was lost went to another one."""
    job = _lock_job(session, taken.task.id)
    return job if job is not None and (job.holder, job.state) == (taken.holder, "running") else None


def _lock_job(session: Session, job: str) -> Job | None:
    """A job that nobody else changes meanwhile. Its chat is locked first, as everywhere: who waits for whom has one order."""
    chat = session.scalar(select(Job.chat_id).where(Job.id == job))
    if chat is not None and not lock_chat(session, chat):
        return None
    return session.get(Job, job, with_for_update=True, populate_existing=True)


def _task(job: Job) -> Task:
    return Task(job.id, job.chat_id, job.message_id, dict(job.arguments))
