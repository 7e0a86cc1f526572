"""Jobs: who works on what, cancelling, leaving, processes that are killed or stopped, databases that are away.

Run as a program it is such a process: `test_jobs.py URL` works on a queue until it is killed or told to stop.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from kerasdoctor.diagnostics.progress import Step, Watch
from kerasdoctor.errors import ConflictError, InputError, NotFoundError, SubjectError
from kerasdoctor.knowledge.text import Text
from kerasdoctor.service.database import Database
from kerasdoctor.service.events import Events
from kerasdoctor.service.jobs import Jobs
from kerasdoctor.service.queue import Queue, Task, add_job
from kerasdoctor.service.tables import Chat, Job, Owner, now
from sqlalchemy import delete, event, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

LEASE = timedelta(seconds=1)
LOOK = 0.1
SOON = 30.0
LONG = timedelta(minutes=10)


class Work:
    """Does what a job's arguments say; tells in the chat how it went."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self.ran: list[str] = []
        self.watches: list[Watch] = []
        self.at_once = self.most = 0
        self.hear = threading.Event()

    def run(self, task: Task, watch: Watch) -> Callable[[Session], None]:
        self.ran.append(task.id)
        self.watches.append(watch)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            return self._do(task, watch)
        finally:
            self.at_once -= 1

    def _do(self, task: Task, watch: Watch) -> Callable[[Session], None]:
        ends = time.monotonic() + task.arguments.get("seconds", 0)
        match task.arguments.get("do"):
            case "crash":
                raise ZeroDivisionError
            case "refuse":
                raise SubjectError("not readable", "无法读取")
            case "away" if self.ran.count(task.id) == 1:
                raise OperationalError("", {}, ConnectionError())
            case "deaf":
                self.hear.wait(SOON)
            case "step":
                for name in ("read", "load"):
                    watch.tell(Step("m.keras", name, "started"))
        while time.monotonic() < ends:
            watch.check()
            time.sleep(0.01)
        return lambda session: self._events.add(session, task.chat or "", "reply", {}, task.id)

    def gave_up(self, session: Session, task: Task, state: str, why: Text) -> None:
        if task.arguments.get("do_at_end") == "crash":
            raise ZeroDivisionError
        if task.chat is not None:
            self._events.add(session, task.chat, "no reply", {"state": state, "why": why.en, "zh": why.zh}, task.id)


class Desk:
    """A queue with its chats, and processes or threads that work on it."""

    def __init__(self, database: Database, url: str, running: ExitStack) -> None:
        self.database, self.url, self._running = database, url, running
        self.events = Events(database)
        self.work = Work(self.events)
        with database.session() as session:
            session.add(Owner(id="ann", kind="local"))
            session.flush()
            session.add_all([Chat(id=f"c{number}", owner_id="ann", case={}) for number in range(6)])

    def open(self, slots: int = 2, leave: float = 60, lease: timedelta = LEASE, look: float = LOOK) -> Jobs:
        jobs = Jobs(self.database, self.events, {"work": self.work}, slots, leave, lease, look)
        jobs.start()
        self._running.callback(jobs.stop, 0)
        return jobs

    def process(self) -> subprocess.Popen[str]:
        process = subprocess.Popen([sys.executable, __file__, self.url], stdout=subprocess.PIPE, text=True)
        self._running.callback(process.stdout.close)  # type: ignore[union-attr]
        self._running.callback(process.wait)
        self._running.callback(process.kill)
        assert process.stdout is not None
        assert process.stdout.readline() == "works\n"
        return process

    def add(self, chat: str | None = "c0", kind: str = "work", **arguments: object) -> str:
        with self.database.session() as session:
            return add_job(session, kind, chat, None, arguments).id

    def job(self, job: str) -> Job:
        with self.database.reading() as session:
            return session.get_one(Job, job)

    def wait(self, job: str, *states: str, tries: int | None = None) -> Job:
        ends = time.monotonic() + SOON
        while (found := self.job(job)).state not in states or tries not in (None, found.tries):
            assert time.monotonic() < ends, f"{found.state} after {found.tries} tries, not {states}"
            time.sleep(0.02)
        return found

    def told(self, chat: str = "c0") -> list[str]:
        return [told.kind for told in self.events.after(chat, 0)]


@pytest.fixture
def desk(database: Database, database_url: str) -> Iterator[Desk]:
    with ExitStack() as running:
        yield Desk(database, database_url, running)


def test_a_job_is_done_and_the_chat_is_told(desk: Desk) -> None:
    """It starts at once when the keeper is nudged; its result and its end are written together."""
    jobs = desk.open(look=SOON * 4)  # without the nudge it would look after that
    time.sleep(0.2)
    job = desk.add()
    jobs.nudge()
    done = desk.wait(job, "done")
    assert (done.tries, done.holder, done.lease_until, done.error) == (1, None, None, None)
    assert done.ended_at is not None
    assert desk.told() == ["started", "reply", "done"]


def test_one_at_a_time_for_each_chat_in_order(desk: Desk) -> None:
    """Different chats side by side, up to the slots; of one chat the oldest first, also between two processes."""
    ids = [desk.add(f"c{number % 3}", seconds=0.1) for number in range(9)]
    for _ in range(2):
        desk.open(slots=2)
    for job in ids:
        desk.wait(job, "done")
    assert 2 <= desk.work.most <= 3
    for chat in range(3):
        assert [job for job in desk.work.ran if job in ids[chat::3]] == ids[chat::3]
        assert desk.told(f"c{chat}") == ["started", "reply", "done"] * 3


def test_a_busy_chat_holds_up_no_other(desk: Desk) -> None:
    """What waits for its turn in one chat is passed by, without turning in circles."""
    desk.open(slots=2)
    desk.wait(desk.add("c0", seconds=SOON), "running")
    waiting = desk.add("c0")
    desk.wait(desk.add("c1"), "done")
    assert desk.job(waiting).state == "queued"


def test_jobs_without_a_chat_and_of_unknown_kinds(desk: Desk) -> None:
    """The first are done side by side; the second are left to processes that know them, and can be cancelled."""
    ids, strange = [desk.add(None, do="refuse") for _ in range(3)], desk.add("c1", kind="slack")
    jobs = desk.open()
    for job in ids:
        assert desk.wait(job, "failed").error == {"en": "not readable", "zh": "无法读取"}
    assert desk.job(strange).state == "queued"
    jobs.cancel(strange)
    assert desk.job(strange).state == "cancelled"


@pytest.mark.parametrize(
    ("do", "said"), [("crash", "Something went wrong in kerasdoctor itself"), ("refuse", "not readable")]
)
def test_what_goes_wrong_is_told(desk: Desk, do: str, said: str) -> None:
    """A crash of the handler and a fault of the subject end the job, once, with a message in the chat; the next one is done."""
    desk.open()
    failed = desk.wait(desk.add(do=do), "failed")
    assert said in str(failed.error)
    assert failed.tries == 1
    assert desk.told() == ["started", "no reply", "failed"]
    desk.wait(desk.add(), "done")


def test_a_job_ends_whatever_its_handler_makes_of_that(desk: Desk) -> None:
    """A second crash, while the first is told, is logged; the job does not hang."""
    desk.open()
    desk.wait(desk.add(do="crash", do_at_end="crash"), "failed")
    assert desk.told() == ["started", "failed"]


def test_queued_and_running_jobs_are_cancelled(desk: Desk) -> None:
    """The running one's watch is cancelled, also from another process; what has ended cannot be cancelled."""
    jobs, other = desk.open(slots=1), Jobs(desk.database, desk.events, {"work": desk.work}, 1, 60)
    running = desk.add(seconds=SOON * 4)
    desk.wait(running, "running")
    queued = desk.add(seconds=SOON * 4)
    other.cancel(queued)
    assert desk.job(queued).state == "cancelled"
    other.cancel(running)
    desk.wait(running, "cancelled")
    assert desk.told() == ["started", "no reply", "cancelled", "no reply", "cancelled"]
    assert "as you asked" in str(desk.job(running).error)
    with pytest.raises(ConflictError, match="cancelled"):
        jobs.cancel(running)
    with pytest.raises(NotFoundError):
        jobs.cancel("nothing")


def test_a_job_that_everybody_left_is_cancelled(desk: Desk) -> None:
    """Running or queued, once its watchers are gone for long enough; one that nobody ever watched is done."""
    jobs = desk.open(slots=2, leave=1.5)
    left, stays, unwatched = desk.add("c0", seconds=SOON), desk.add("c1", seconds=3), desk.add("c2", seconds=0.1)
    queued = desk.add("c0", seconds=SOON)
    jobs.watched("c0")
    ends = time.monotonic() + SOON
    while desk.job(stays).state != "done" and time.monotonic() < ends:
        jobs.watched("c1")
        time.sleep(0.05)
    for job in (left, queued):
        assert "nobody was watching" in str(desk.wait(job, "cancelled").error)
    assert desk.job(stays).state == "done"
    desk.wait(unwatched, "done")


def test_watching_is_cheap(desk: Desk) -> None:
    """Said a hundred times it asks the database once; a new job is marked at once all the same."""
    jobs = desk.open(look=5, leave=20)
    first = desk.add("c0", seconds=SOON)
    statements: list[str] = []
    event.listen(desk.database.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    for _ in range(100):
        jobs.watched("c0")
    assert len([each for each in statements if "FROM jobs" in each]) == 1
    assert desk.job(first).watched_at is not None
    second = desk.add("c0")
    jobs.nudge()
    jobs.watched("c0")
    assert desk.job(second).watched_at is not None


def test_steps_are_told_while_the_job_runs(desk: Desk) -> None:
    """Also the last one before a long silence."""
    desk.open()
    job = desk.add(do="step", seconds=SOON)
    ends = time.monotonic() + SOON
    while len(told := [each for each in desk.events.after("c0", 0) if each.kind == "probes"]) < 2:
        assert time.monotonic() < ends
        time.sleep(0.02)
    assert desk.job(job).state == "running"
    steps = [step for each in told for step in each.data["steps"]]
    assert [(step["probe"], step["state"]) for step in steps] == [("read", "started"), ("load", "started")]
    assert {each.job for each in told} == {job}


def test_the_lease_is_renewed(desk: Desk) -> None:
    """A job that takes longer than a lease stays with its process."""
    desk.open()
    other = desk.open()
    job = desk.add(seconds=LEASE.total_seconds() * 1.4)
    assert desk.wait(job, "done").tries == 1
    assert other is not None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1)])
def test_machines_whose_clocks_differ(desk: Desk, monkeypatch: pytest.MonkeyPatch, ahead: timedelta) -> None:
    """Leases and watchers go by the database's clock: a copy whose own one is wrong takes nobody's job, nor loses its own."""
    job, waits = desk.add(), desk.add("c1")
    here, there = (Queue(desk.database, desk.events, {"work": desk.work}, LONG) for _ in range(2))
    wrong = {f"kerasdoctor.service.{module}.now": lambda: now() + ahead for module in ("queue", "jobs", "database")}

    def past(by: timedelta) -> None:
        """So much time went by since the leases were given."""
        with desk.database.session() as session:
            for each in session.scalars(select(Job)):
                assert each.lease_until is not None
                each.lease_until -= by

    taken = here.take()
    assert taken is not None
    for chat in ("c0", "c1"):
        here.watched(chat, LONG)
    with monkeypatch.context() as patch:
        for name, clock in wrong.items():
            patch.setattr(name, clock, raising=False)
        there.recover(LONG)
        assert there.going_on([taken.holder], LONG) == {taken.holder}
        other = there.take()
        assert other is not None
        for chat in ("c0", "c1"):
            there.watched(chat, timedelta(0))
        past(LONG / 2)
        both = {taken.holder, other.holder}
        assert there.going_on(both, LONG) == both  # and their leases are renewed
        assert abs(desk.job(job).lease_until - now() - LONG) < LONG / 4  # type: ignore[operator]
    here.recover(LONG)
    assert here.going_on(both, LONG) == both
    assert {taken.task.id, other.task.id} == {job, waits}
    past(LONG * 2)
    with monkeypatch.context() as patch:
        for name, clock in wrong.items():
            patch.setattr(name, clock, raising=False)
        there.recover(None)
    here.recover(LONG)
    assert [desk.job(each).state for each in (job, waits)] == ["queued", "queued"]


def test_what_waits_ends_once_everybody_left(desk: Desk) -> None:
    """It is not begun first; what nobody ever watched waits on, and so does all while nobody could be seen to watch."""
    queue = Queue(desk.database, desk.events, {"work": desk.work}, LONG)
    left, stays, unwatched = desk.add("c0"), desk.add("c1"), desk.add("c2")
    for chat in ("c0", "c1"):
        queue.watched(chat, LONG)
    with desk.database.session() as session:
        session.execute(update(Job).where(Job.id == left).values(watched_at=now() - LONG * 2))
    queue.recover(None)
    assert desk.job(left).state == "queued"
    queue.recover(LONG)
    assert [desk.job(each).state for each in (left, stays, unwatched)] == ["cancelled", "queued", "queued"]
    assert desk.told() == ["no reply", "cancelled"]


def test_what_died_is_left_to_those_who_know_it(desk: Desk) -> None:
    """Only they can tell the chat what became of it."""
    strange = desk.add("c0", kind="slack")
    with desk.database.session() as session:
        session.execute(update(Job).values(state="running", holder="another", lease_until=now() - LONG))
    Queue(desk.database, desk.events, {"work": desk.work}, LONG).recover(LONG)
    assert desk.job(strange).state == "running"
    Queue(desk.database, desk.events, {"slack": desk.work}, LONG).recover(LONG)
    assert desk.job(strange).state == "queued"


def test_what_was_to_be_cancelled_is_not_tried_again(desk: Desk) -> None:
    """Neither where its process stops nor where it died before it heard."""
    queue = Queue(desk.database, desk.events, {"work": desk.work}, LONG)
    for died in (False, True):
        job = desk.add()
        taken = queue.take()
        assert taken is not None
        queue.cancel(job)
        if died:
            with desk.database.session() as session:
                session.execute(update(Job).where(Job.id == job).values(lease_until=now() - LONG))
            queue.recover(None)
        else:
            queue.put_back(taken)
        assert desk.job(job).state == "cancelled"


def test_what_was_cancelled_has_no_result(desk: Desk) -> None:
    """Also where the work went on to its end, because it did not hear in time."""
    jobs = desk.open()
    job = desk.add(do="deaf")
    desk.wait(job, "running")
    jobs.cancel(job)
    ends = time.monotonic() + SOON
    while not any(watch.cancelled for watch in desk.work.watches):
        assert time.monotonic() < ends
        time.sleep(0.02)
    desk.work.hear.set()
    desk.wait(job, "cancelled")
    assert desk.told() == ["started", "no reply", "cancelled"]


def test_a_killed_process_leaves_its_job_to_another(desk: Desk) -> None:
    """Within a lease it is taken again, and the chat is told; its reply comes once."""
    process = desk.process()
    job = desk.add(seconds=1)
    desk.wait(job, "running")
    process.kill()
    desk.open()
    assert desk.wait(job, "done").tries == 2
    assert desk.told() == ["started", "interrupted", "started", "reply", "done"]


def test_a_job_that_kills_its_process_is_given_up(desk: Desk) -> None:
    """After two tries the chat is told, and the next job is done."""
    job = desk.add(seconds=SOON)
    for tries in (1, 2):
        process = desk.process()
        desk.wait(job, "running", tries=tries)
        process.kill()
    desk.open()
    failed = desk.wait(job, "failed")
    assert "died, twice" in str(failed.error)
    assert desk.told() == ["started", "interrupted", "started", "no reply", "failed"]
    desk.wait(desk.add(), "done")


def test_a_stopped_process_puts_back_what_runs(desk: Desk) -> None:
    """On SIGTERM it ends soon, the job is queued again at once, and the interruption is no try."""
    process = desk.process()
    job = desk.add(seconds=SOON)
    desk.wait(job, "running")
    Jobs(desk.database, desk.events, {}, 1, 60).watched("c0")
    watched = desk.job(job).watched_at
    process.send_signal(signal.SIGTERM)
    assert process.wait(SOON) == 0
    found = desk.job(job)
    assert (found.state, found.tries, found.holder) == ("queued", 0, None)
    assert found.watched_at is not None
    assert watched is not None
    assert found.watched_at > watched  # its watchers have the time to come back
    assert desk.told() == ["started", "interrupted"]


def test_a_stop_waits_for_what_ends_in_time(desk: Desk) -> None:
    """Nothing new is taken meanwhile. What does not hear is put back, and its late result is not taken."""
    jobs = desk.open(slots=1)
    job, second = desk.add(seconds=0.4), desk.add()
    desk.wait(job, "running")
    jobs.stop(SOON)
    assert desk.job(job).state == "done"
    assert desk.job(second).state == "queued"
    Jobs(desk.database, desk.events, {}, 1, 1).stop(0)  # never started


def test_a_deaf_job_does_not_keep_a_process(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is put back when the process stops, and its late result is not taken."""
    monkeypatch.setattr("kerasdoctor.service.jobs.GRACE", 0.3)
    jobs = desk.open()
    job = desk.add(do="deaf")
    desk.wait(job, "running")
    begun = time.monotonic()
    jobs.stop(0.1)
    assert time.monotonic() - begun < SOON - 3
    assert desk.job(job).state == "queued"
    desk.work.hear.set()
    time.sleep(0.2)
    assert desk.job(job).state == "queued"
    assert "reply" not in desk.told()


def test_a_job_that_lost_its_lease_is_not_written(desk: Desk) -> None:
    """Another process has it; what this one made of it is thrown away, and its work is ended."""
    desk.open()
    job = desk.add(seconds=SOON)
    desk.wait(job, "running")
    with desk.database.session() as session:
        session.execute(update(Job).values(holder="another", lease_until=Job.lease_until))
    ends = time.monotonic() + SOON
    while desk.work.at_once:
        assert time.monotonic() < ends
        time.sleep(0.02)
    time.sleep(0.1)
    assert desk.job(job).holder == "another"
    assert desk.told() == ["started"]


def test_a_removed_chat_ends_its_jobs(desk: Desk) -> None:
    """The work is ended, nothing fails."""
    desk.open()
    job = desk.add(seconds=SOON)
    desk.wait(job, "running")
    with desk.database.session() as session:
        session.execute(delete(Chat).where(Chat.id == "c0"))
    ends = time.monotonic() + SOON
    while desk.work.at_once:
        assert time.monotonic() < ends
        time.sleep(0.02)
    desk.wait(desk.add("c1"), "done")


def test_after_a_restart_watchers_have_time_to_come_back(desk: Desk) -> None:
    """A job whose watchers could not be seen while the service was down is not cancelled for that."""
    job = desk.add(seconds=0.3)
    with desk.database.session() as session:
        session.execute(update(Job).values(watched_at=Job.made_at))
        found = session.get_one(Job, job)
        found.watched_at = found.made_at - timedelta(hours=1)
    desk.open(leave=SOON)
    desk.wait(job, "done")


def test_locks_are_taken_in_one_order(desk: Desk) -> None:
    """Cancelling, ending and removing at once: no deadlock, nothing hangs."""
    jobs = desk.open(slots=4)
    desk.open(slots=4)

    def cancel(ids: list[str]) -> None:
        for job in ids:
            try:
                jobs.cancel(job)
            except InputError:
                continue

    for number in range(6):
        ids = [desk.add(f"c{number}", seconds=0.01) for _ in range(8)]
        jobs.nudge()
        threads = [threading.Thread(target=cancel, args=(ids[::2],)) for _ in range(2)]
        for thread in threads:
            thread.start()
        if number % 2:
            with desk.database.session() as session:
                session.delete(session.get_one(Chat, f"c{number}", with_for_update=True))
        for thread in threads:
            thread.join(SOON)
            assert not thread.is_alive()
    ends = time.monotonic() + SOON
    with desk.database.reading() as session:
        while session.scalars(select(Job).where(Job.state.in_(("queued", "running")))).first() is not None:
            assert time.monotonic() < ends
            session.rollback()
            time.sleep(0.05)


def test_a_database_that_is_away_for_a_moment(postgresql: str) -> None:
    """PostgreSQL is stopped and started: what was under way is tried again, and the keeper goes on."""
    data = Path(postgresql) / "data"
    control = max(Path("/usr/lib/postgresql").glob("*/bin")) / "pg_ctl"
    as_nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    name = f"away{uuid.uuid4().hex}"
    with psycopg.connect(f"postgresql://doctor@/postgres?host={postgresql}", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template".encode())
    url = f"postgresql://doctor@/{name}?host={postgresql}"
    with ExitStack() as running:
        database = Database(url)
        running.callback(database.close)
        desk = Desk(database, url, running)
        desk.open()
        job = desk.add(seconds=0.6)
        desk.wait(job, "running")
        options = (data / "postmaster.opts").read_text().partition(" ")[2].replace('"', "").strip()
        called = [*as_nobody, control, "-D", data, "-w", "-l", f"{postgresql}/log"]
        subprocess.run([*called, "-m", "immediate", "stop"], cwd="/", capture_output=True, check=True)
        assert not database.answers()
        time.sleep(0.8)
        subprocess.run([*called, "-o", options, "start"], cwd="/", capture_output=True, check=True)
        assert desk.wait(job, "done").tries == 2
        assert desk.told() == ["started", "interrupted", "started", "reply", "done"]
        desk.wait(desk.add("c1"), "done")


def test_a_job_that_loses_the_database_is_tried_again(desk: Desk) -> None:
    """Its lease runs out, and nobody is told of a fault that is over."""
    desk.open()
    assert desk.wait(desk.add(do="away"), "done").tries == 2
    assert desk.told() == ["started", "interrupted", "started", "reply", "done"]


def test_an_idle_keeper_asks_little(desk: Desk) -> None:
    """Two looks a second with the default; the figure is shown with -s."""
    statements: list[str] = []
    event.listen(desk.database.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    desk.open(look=0.5, lease=timedelta(seconds=12))
    time.sleep(0.6)
    statements.clear()
    began, spent = time.monotonic(), time.process_time()
    time.sleep(2)
    seconds, spent = time.monotonic() - began, time.process_time() - spent
    asked = len([each for each in statements if not each.startswith("BEGIN")]) / seconds
    print(f"{desk.database.engine.dialect.name}: {asked:.1f} queries/s, {spent / seconds:.1%} of a core")  # noqa: T201
    assert asked <= 4
    assert spent / seconds < 0.2


def main(url: str) -> None:
    """Work on a queue."""
    database = Database(url)
    events = Events(database)
    jobs = Jobs(database, events, {"work": Work(events)}, 2, 60, LEASE, LOOK)
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    jobs.start()
    print("works", flush=True)  # noqa: T201
    told.wait()
    jobs.stop(0.2)
    database.close()


if __name__ == "__main__":
    main(sys.argv[1])
