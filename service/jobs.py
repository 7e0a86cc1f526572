"""Jobs: what goes on after a request was answered. The queue is a table, so any copy works on it, and none is lost.

A process that takes a job holds a lease and renews it. Where the lease runs out the process died: the job is tried once
more, then given up, and the chat is told. A job whose watchers all left is cancelled.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..diagnostics.progress import Watch
from ..errors import Cancelled, ConflictError, KerasDoctorError, NotFoundError, SubjectError
from ..knowledge.text import Text
from .database import Database
from .events import Events
from .tables import Chat, Job, new_id, now

LEASE = timedelta(seconds=12)
LOOK = 0.5  # seconds between two looks at the queue and at what was asked of running jobs
MAX_TRIES = 2
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
        """Do it; what is returned writes the result, in the transaction that ends the job."""

    def gave_up(self, session: Session, task: Task, state: str, why: Text) -> None:
        """Write that there is no result: `state` is failed or cancelled."""


def add_job(session: Session, kind: str, chat: str | None, message: str | None, arguments: dict[str, Any]) -> Job:
    """Put a job into the queue, in a transaction."""
    job = Job(id=new_id(), kind=kind, chat_id=chat, message_id=message, arguments=arguments)
    session.add(job)
    return job


class Jobs:
    """Works on the queue with a few threads. `start` before use, `stop` at the end."""

    def __init__(
        self, database: Database, events: Events, handlers: Mapping[str, Handler], slots: int, leave_seconds: float
    ) -> None:
        self._database, self._events, self._handlers = database, events, handlers
        self._slots, self._leave = slots, timedelta(seconds=leave_seconds)
        self._me = new_id()
        self._running: dict[str, Watch] = {}
        self._lock, self._nudged = threading.Lock(), threading.Event()
        self._stopping = False
        self._pool = ThreadPoolExecutor(slots, thread_name_prefix="job")
        self._keeper = threading.Thread(target=self._keep, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._keeper.start()

    def nudge(self) -> None:
        """There is a new job: look at once."""
        self._nudged.set()

    def cancel(self, job: str) -> None:
        """Ask for a job to be cancelled, wherever it runs.

        Raises:
            NotFoundError: there is no such job.
            ConflictError: it has ended.
        """
        with self._database.session() as session:
            found = session.get(Job, job, with_for_update=True)
            if found is None:
                raise NotFoundError(f"there is no job {job[:40]}")
            if found.state not in OPEN_STATES:
                raise ConflictError(f"the job has ended already: it is {found.state}")
            found.cancel = True
            if found.state == "queued":
                self._end(session, found, "cancelled", STOPPED)
        self.nudge()

    def watched(self, chat: str) -> None:
        """Somebody watches the open jobs of a chat now."""
        with self._database.reading() as session:
            late = now() - self._leave / 4
            open_jobs = select(Job.id).where(Job.chat_id == chat, Job.state.in_(OPEN_STATES))
            ids = list(session.scalars(open_jobs.where((Job.watched_at.is_(None)) | (Job.watched_at < late))))
        if ids:
            with self._database.session() as session:
                session.execute(update(Job).where(Job.id.in_(ids)).values(watched_at=now()))

    def stop(self, seconds: float) -> None:
        """Take nothing new, wait for what runs, and put back what does not end in time, for another process."""
        self._stopping = True
        self.nudge()
        deadline = time.monotonic() + seconds
        while self._running and time.monotonic() < deadline:
            time.sleep(0.05)
        for watch in list(self._running.values()):
            watch.cancel()
        self._pool.shutdown(wait=True)
        self._keeper.join()

    def _keep(self) -> None:
        """The keeper's thread: renew leases, pass on cancellations, recover, take jobs."""
        recovered = 0.0
        while not (self._stopping and not self._running):
            self._nudged.wait(LOOK)
            self._nudged.clear()
            try:
                self._look_after_running()
                if time.monotonic() - recovered > LEASE.total_seconds() / 3:
                    recovered = time.monotonic()
                    self._recover()
                while not self._stopping and len(self._running) < self._slots and (task := self._take()):
                    self._begin(*task)
            except Exception:  # noqa: BLE001 - a database that is away for a moment must not end the keeper
                _log.exception("the queue could not be looked at")
                time.sleep(LOOK)

    def _look_after_running(self) -> None:
        """Renew the leases; cancel what was asked to be, or what everybody left."""
        if not self._running:
            return
        with self._database.session() as session:
            mine = (Job.holder == self._me) & (Job.state == "running")
            session.execute(update(Job).where(mine).values(lease_until=now() + LEASE))
            jobs = list(session.scalars(select(Job).where(mine)))
        for job in jobs:
            left = job.watched_at is not None and job.watched_at < now() - self._leave
            if (job.cancel or left) and job.id in self._running:
                self._running[job.id].cancel()

    def _recover(self) -> None:
        """Take care of jobs whose process died."""
        with self._database.session() as session:
            dead = select(Job).where(Job.state == "running", Job.lease_until < now()).with_for_update(skip_locked=True)
            for job in session.scalars(dead):
                _log.warning("a job was left by its process", job=job.id, kind=job.kind, tries=job.tries)
                if job.tries >= MAX_TRIES:
                    self._end(session, job, "failed", DIED)
                else:
                    job.state, job.holder = "queued", None
                    self._tell(session, job, "interrupted")
            left = select(Job).where(Job.state == "queued", Job.watched_at < now() - self._leave)
            for job in session.scalars(left.with_for_update(skip_locked=True)):
                self._end(session, job, "cancelled", LEFT)

    def _take(self) -> tuple[Task, str] | None:
        """The oldest job that no other one of its chat comes before; None where there is none."""
        with self._database.reading() as session:
            if session.scalar(select(Job.id).where(Job.state == "queued").limit(1)) is None:
                return None
        with self._database.session() as session:
            busy = select(Job.chat_id).where(Job.state == "running", Job.chat_id.is_not(None))
            free = (Job.chat_id.is_(None)) | (Job.chat_id.not_in(busy))
            queued = select(Job).where(Job.state == "queued", free).order_by(Job.made_at).limit(1)
            job = session.scalar(queued.with_for_update(skip_locked=True))
            if job is None:
                return None
            if job.chat_id is not None:  # two processes may have come to two jobs of one chat
                session.execute(select(Chat.id).where(Chat.id == job.chat_id).with_for_update())
                if session.scalar(select(Job.id).where(Job.chat_id == job.chat_id, Job.state == "running").limit(1)):
                    return None
            job.state, job.holder, job.tries = "running", self._me, job.tries + 1
            job.lease_until = now() + LEASE
            self._tell(session, job, "started")
            return _task(job), job.kind

    def _begin(self, task: Task, kind: str) -> None:
        watch = Watch()
        with self._lock:
            self._running[task.id] = watch
        self._pool.submit(self._work, task, kind, watch)

    def _work(self, task: Task, kind: str, watch: Watch) -> None:
        """One job, from its handler to its end."""
        try:
            finish = self._handlers[kind].run(task, watch)
            with self._database.session() as session:
                job = self._held(session, task)
                if job is not None:
                    finish(session)
                    self._close(session, job, "done")
        except Cancelled:
            self._cancelled(task)
        except KerasDoctorError as error:
            self._give_up(task, Text(str(error), error.zh if isinstance(error, SubjectError) else str(error)))
        except Exception:  # noqa: BLE001 - the border of a job
            _log.exception("a job failed", job=task.id, kind=kind)
            self._give_up(task, FAILED)
        finally:
            with self._lock:
                del self._running[task.id]
            self.nudge()

    def _held(self, session: Session, task: Task) -> Job | None:
        """The job, if it is still this process's: a lease that was lost went to another one."""
        job = session.get(Job, task.id, with_for_update=True)
        return job if job is not None and (job.holder, job.state) == (self._me, "running") else None

    def _cancelled(self, task: Task) -> None:
        with self._database.session() as session:
            job = self._held(session, task)
            if job is None:
                return
            if self._stopping and not job.cancel:
                job.state, job.holder, job.tries = "queued", None, job.tries - 1
                self._tell(session, job, "interrupted")
            else:
                self._end(session, job, "cancelled", STOPPED if job.cancel else LEFT)

    def _give_up(self, task: Task, why: Text) -> None:
        with self._database.session() as session:
            job = self._held(session, task)
            if job is not None:
                self._end(session, job, "failed", why)

    def _end(self, session: Session, job: Job, state: str, why: Text) -> None:
        """End a job without a result."""
        job.error = {"en": why.en, "zh": why.zh}
        self._handlers[job.kind].gave_up(session, _task(job), state, why)
        self._close(session, job, state)

    def _close(self, session: Session, job: Job, state: str) -> None:
        job.state, job.ended_at, job.holder, job.lease_until = state, now(), None, None
        self._tell(session, job, state)

    def _tell(self, session: Session, job: Job, kind: str) -> None:
        if job.chat_id is not None:
            self._events.add(session, job.chat_id, kind, {"job": job.id, "error": job.error}, job.id)


def _task(job: Job) -> Task:
    return Task(job.id, job.chat_id, job.message_id, dict(job.arguments))
