"""The database: SQLite (WAL) or PostgreSQL behind one URL, brought to the newest version when the service starts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session, sessionmaker

from ..errors import StorageError
from .tables import now

BUSY = 15_000  # milliseconds that a writer waits for another one in SQLite
CONNECTING = 5  # seconds that PostgreSQL has to answer
POOL = {"pool_size": 10, "max_overflow": 40}
MIGRATING = 5_471_620  # the number of the advisory lock: two copies that start together migrate one after the other


class Database:
    """Sessions on one database. Threads may share it; each `session` is one thread's and one transaction."""

    def __init__(self, url: str) -> None:
        """Connect.

        Args:
            url: as SQLAlchemy writes it, `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`.

        Raises:
            StorageError: it is no URL of one of these, or the database does not answer.
        """
        self.engine = _engine(url)
        self._writing = sessionmaker(self.engine, expire_on_commit=False)
        # SQLite has one writer; who waits for it asks again and again, ever less often: threads wait better for each other.
        self._turn = Lock() if self.engine.dialect.name == "sqlite" else nullcontext()
        self._reading = sessionmaker(self.engine.execution_options(reading=True), expire_on_commit=False)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction: committed at the end, rolled back where an exception leaves it."""
        with self._turn, self._writing.begin() as session:
            yield session
        for call, argument in _afterwards(session):
            call(argument)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads, which waits for no writer."""
        with self._reading() as session:
            yield session

    def migrate(self) -> None:
        """Bring the tables to the newest version; copies that start at once take turns."""
        with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": MIGRATING})
            config = _migrations()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def at_head(self) -> bool:
        """Whether the tables are those of this release."""
        with self.engine.execution_options(reading=True).connect() as connection:
            return MigrationContext.configure(connection).get_current_revision() == newest()

    def answers(self) -> bool:
        """Whether the database answers."""
        try:
            with self.reading() as session:
                session.execute(text("SELECT 1"))
        except (DBAPIError, PoolTimeoutError):
            return False
        return True

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def time_of(session: Session) -> datetime:
    """The time by the clock that all copies share: PostgreSQL's own; of SQLite all copies are on one machine."""
    if session.get_bind().dialect.name == "sqlite":
        return now()
    told: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return told


def after_commit(session: Session, call: Callable[[str], None], argument: str) -> None:
    """Have something called once the transaction is committed; the same call is made once."""
    _afterwards(session)[call, argument] = None


def _afterwards(session: Session) -> dict[tuple[Callable[[str], None], str], None]:
    return session.info.setdefault("after_commit", {})  # type: ignore[no-any-return]


@cache
def newest() -> str | None:
    """The id of the newest migration."""
    return ScriptDirectory.from_config(_migrations()).get_current_head()


def _migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    return config


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StorageError("database: expected a URL such as sqlite:///FILE or postgresql://USER@HOST/NAME") from None
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise StorageError(f"database: {parsed.drivername} is not supported; expected sqlite or postgresql")
    try:
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed.database or "")
        timeout = {"connect_timeout": CONNECTING}
        engine = create_engine(parsed, pool_pre_ping=True, connect_args=timeout, hide_parameters=True, **POOL)
        engine.connect().close()
    except (OperationalError, NoSuchModuleError, OSError) as error:
        raise StorageError(f"database {parsed.render_as_string()}: {_first_line(error)}") from None
    return engine


def _sqlite(file: str) -> Engine:
    if not file or file == ":memory:":
        raise StorageError("database: SQLite in memory would be lost; expected sqlite:///FILE")
    try:
        Path(file).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StorageError(f"database: {file} cannot be written: {error.strerror}") from None
    options = {"timeout": BUSY / 1000, "isolation_level": None}
    engine = create_engine(f"sqlite:///{file}", connect_args=options, hide_parameters=True, **POOL)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    engine.connect().close()
    return engine


def _configure(connection: Any, _record: Any) -> None:  # noqa: ANN401 - of the driver
    # What was removed is overwritten, not only forgotten: pastes are gone when they are.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Any) -> None:  # noqa: ANN401 - of SQLAlchemy's event
    """Take the writer's place at once: a reader that becomes a writer in the middle would be refused, not made to wait."""
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
