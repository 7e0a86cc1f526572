"""The database: transactions on SQLite and PostgreSQL, writers and readers at once, what a URL may be."""

from __future__ import annotations

import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from kerasdoctor.errors import StorageError
from kerasdoctor.service.database import Database, after_commit
from kerasdoctor.service.tables import Base, Chat, Event, Message, Owner
from sqlalchemy import func, select


def count(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Owner)) or 0


def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    """What an exception leaves is rolled back, and what was to be called after the commit is not called."""
    called: list[str] = []
    with database.session() as session:
        session.add(Owner(id="a", kind="local"))
        for argument in ("x", "x", "y"):
            after_commit(session, called.append, argument)
    with pytest.raises(ZeroDivisionError), database.session() as session:  # noqa: PT012 - in the middle of it
        session.add(Owner(id="b", kind="local"))
        after_commit(session, called.append, "z")
        session.flush()
        raise ZeroDivisionError
    assert count(database) == 1
    assert called == ["x", "y"]


def test_eight_writers_wait_for_each_other(database: Database) -> None:
    """Nobody is refused, no addition is lost: who reads before writing has the writer's place already."""
    with database.session() as session:
        session.add(Owner(id="sum", kind="local", name="0"))

    def add(_: int) -> None:
        for _ in range(25):
            with database.session() as session:
                found = session.get_one(Owner, "sum", with_for_update=True)
                found.name = str(int(found.name) + 1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(8)))
    with database.reading() as session:
        assert session.get_one(Owner, "sum").name == "200"


def test_reading_waits_for_no_writer(database: Database) -> None:
    """While one transaction has written, readers see what was there before, at once."""
    written, release = threading.Event(), threading.Event()

    def write() -> None:
        with database.session() as session:
            session.add(Owner(kind="local"))
            session.flush()
            written.set()
            release.wait(10)

    thread = threading.Thread(target=write)
    thread.start()
    assert written.wait(10)
    began = time.monotonic()
    assert count(database) == 0
    assert database.answers()
    assert time.monotonic() - began < 5  # a writer is waited for longer
    release.set()
    thread.join()
    assert count(database) == 1


def test_texts_that_a_database_refuses_are_stored(database: Database) -> None:
    """NUL (PostgreSQL) and half a surrogate pair (both) become question marks, in columns and in what is looked for."""
    with database.session() as session:
        session.add(Owner(id="o", kind="local", name="a\0b\ud800c 你好 \U0001f600"))
        session.flush()
        session.add(Chat(id="c", owner_id="o", case={"text": "a\0b\ud800c"}))
        session.flush()
        session.add(Message(id="m", chat_id="c", number=1, role="asks", text="\0" * 3))
        session.add(Event(chat_id="c", kind="x", data={"name": "\0\udfff"}))
    with database.reading() as session:
        assert session.get_one(Owner, "o").name == "a?b?c 你好 \U0001f600"
        assert session.get_one(Chat, "c").case == {"text": "a\0b\ud800c"}
        assert session.get_one(Message, "m").text == "???"
        assert session.get(Owner, "\0") is None
        assert session.get(Owner, "\udcff") is None


def test_numbers_of_events_are_not_given_again(database: Database) -> None:
    """After the last events were swept the next one has a higher number, so that streams that go on see it."""
    with database.session() as session:
        session.add(Owner(id="o", kind="local"))
        session.flush()
        session.add(Chat(id="c", owner_id="o", case={}))
        session.flush()
        events = [Event(chat_id="c", kind="x", data={}) for _ in range(3)]
        session.add_all(events)
    with database.session() as session:
        for event in events:
            session.delete(event)
    with database.session() as session:
        later = Event(chat_id="c", kind="x", data={})
        session.add(later)
    assert later.id > max(event.id for event in events)


def test_the_migrations_give_the_tables(database: Database) -> None:
    """Nothing is left to migrate: whoever changes a table writes its migration."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    assert database.at_head()


def test_copies_that_start_at_once_take_turns(empty_url: str) -> None:
    """Several processes migrate the same empty database, and all of them find it done."""
    failed: list[BaseException] = []

    def start() -> None:
        database = Database(empty_url)
        try:
            database.migrate()
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=start, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert failed == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "expected a URL"),
        ("mysql://a/b", "expected sqlite or postgresql"),
        ("sqlite://", "would be lost"),
        ("postgresql://doctor:hunter2@127.0.0.1:1/nowhere", "refused"),
        ("sqlite:////proc/nothing/here.db", "cannot be written"),
    ],
)
def test_a_database_that_cannot_be_used_is_told(url: str, told: str) -> None:
    """In one line, without the password."""
    with pytest.raises(StorageError, match=told) as raised:
        Database(url)
    assert "hunter2" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_file_is_the_owners_alone(tmp_path: Path) -> None:
    """Nobody else on the machine reads what was pasted."""
    database = Database(f"sqlite:///{tmp_path / 'deep' / 'test.db'}")
    database.migrate()  # writes test.db-wal beside it
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "deep").iterdir()} == {0o600}


def test_a_database_that_is_gone_does_not_answer(tmp_path: Path, sqlite_url: str) -> None:
    """Readiness is answered with no, not with an exception."""
    database = Database(sqlite_url)
    assert database.answers()
    database.close()
    (tmp_path / "test.db").rename(tmp_path / "moved.db")
    (tmp_path / "test.db").mkdir()
    assert not database.answers()
