"""Databases of both kinds, applications on them, and clients that ask them as programs and browsers do."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from kerasdoctor.diagnostics.doctor import Doctor
from kerasdoctor.diagnostics.workers import Workers
from kerasdoctor.knowledge.matcher import Matcher
from kerasdoctor.service.app import ROUTERS, create_app
from kerasdoctor.service.database import Database
from kerasdoctor.service.logs import configure_logs
from kerasdoctor.service.serving import connections
from kerasdoctor.service.settings import Settings

from .chatting import Chat
from .slack_stand_in import StandIn, standing_in

BINARIES = Path("/usr/lib/postgresql")
HERE = "http://127.0.0.1"
BROWSER = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html,application/xhtml+xml"}


class Clock:
    """A time that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        """Go on, by what `timedelta` takes."""
        self.at += timedelta(**by)


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Log as the service does; logging is left as it was found."""
    handlers, level = logging.root.handlers, logging.root.level
    configure_logs(Settings(log_level="warning"))
    yield
    logging.root.handlers = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def run_as_nobody(command: list[str]) -> list[str]:
    """PostgreSQL refuses to be root."""
    return (
        ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command] if os.geteuid() == 0 else command
    )


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a real PostgreSQL, without a database's name, and a migrated database `template` in it."""
    binaries = max(BINARIES.glob("*/bin"), default=None)
    if binaries is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs PostgreSQL: apt-get install postgresql")
        pytest.skip("PostgreSQL is not installed")
    folder = Path("/tmp") / f"kerasdoctor-postgresql-{uuid.uuid4().hex[:8]}"  # noqa: S108 - a socket's path must be short
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody", "nogroup")
    try:
        yield from _started(binaries, folder)
    finally:
        shutil.rmtree(folder)


def _started(binaries: Path, folder: Path) -> Iterator[str]:
    data = str(folder / "data")
    # What is lost when the machine stops is lost anyway; connections come through the socket alone.
    options = f"-k {folder} -c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=100"
    initdb = [
        str(binaries / "initdb"),
        "-D",
        data,
        "-U",
        "doctor",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
        "--no-instructions",
    ]
    start = [str(binaries / "pg_ctl"), "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start"]
    stop = [str(binaries / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop"]
    for command in (initdb, start):
        ended = subprocess.run(run_as_nobody(command), cwd="/", capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
    try:
        _query(folder, "CREATE DATABASE template")
        template = Database(f"postgresql://doctor@/template?host={folder}")
        template.migrate()
        template.close()
        yield str(folder)
    finally:
        subprocess.run(run_as_nobody(stop), cwd="/", capture_output=True, check=True)


def _query(folder: str | Path, sql: str) -> None:
    with psycopg.connect(f"postgresql://doctor@/postgres?host={folder}", autocommit=True) as connection:
        connection.execute(sql.encode())


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file."""
    file = tmp_path_factory.mktemp("template") / "template.db"
    database = Database(f"sqlite:///{file}")
    database.migrate()
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
    database.close()
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a migrated, empty database: each test that takes it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
    else:
        with _copy_of(request.getfixturevalue("postgresql"), "template") as url:
            yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any tables, of both kinds."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        with _copy_of(request.getfixturevalue("postgresql"), "template0") as url:
            yield url


@contextmanager
def _copy_of(folder: str, template: str) -> Iterator[str]:
    name = f"t{uuid.uuid4().hex}"
    _query(folder, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield f"postgresql://doctor@/{name}?host={folder}"
    _query(folder, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a migrated, empty SQLite database, for what has nothing to do with the kind of database."""
    shutil.copy(sqlite_template, tmp_path / "test.db")
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated, empty database."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def make_app(sqlite_url: str, tmp_path: Path, clock: Clock) -> Iterator[Callable[..., FastAPI]]:
    """Make the application with these routers and settings, on SQLite unless `database` says otherwise; it ends with the test."""
    with ExitStack() as running:

        def make(*routers: APIRouter, **settings: Any) -> FastAPI:
            defaults = {"database": sqlite_url, "data": tmp_path}
            app = create_app(Settings(**{**defaults, **settings}), clock, routers or ROUTERS, warm=False)
            running.enter_context(TestClient(app))
            return app

        yield make


@pytest.fixture(scope="session")
def program() -> Callable[..., TestClient]:
    """Makes a client as programs are: `program(app, key)`; no headers of a browser."""

    def make(app: FastAPI, key: str = "", host: str = HERE, address: str = "127.0.0.1") -> TestClient:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return TestClient(app, host, headers=headers, client=(address, 50000), raise_server_exceptions=False)

    return make


@pytest.fixture(scope="session")
def browser() -> Callable[..., TestClient]:
    """Makes a client as browsers are, on the service's own pages."""

    def make(app: FastAPI, host: str = HERE, address: str = "127.0.0.1") -> TestClient:
        return TestClient(
            app, host, headers=BROWSER, client=(address, 50000), follow_redirects=False, raise_server_exceptions=False
        )

    return make


Serve = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def serve(database_url: str, tmp_path: Path) -> Serve:
    """Give what serves the application with some settings on a real socket, on both kinds of database."""

    @contextmanager
    def serving(**settings: Any) -> Iterator[str]:
        defaults = {"database": database_url, "data": tmp_path}
        app = create_app(told := Settings(**{**defaults, **settings}), warm=False)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            options: dict[str, Any] = {"http": connections(told), "ws": "none", "timeout_graceful_shutdown": 10}
            server = uvicorn.Server(uvicorn.Config(app, log_config=None, **options))
            thread = threading.Thread(target=server.run, args=([listener],))
            thread.start()
            try:
                while not server.started and thread.is_alive():
                    time.sleep(0.01)
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                app.state.service.stopping.set()
                server.should_exit = True
                thread.join()

    return serving


@pytest.fixture(scope="session")
def digits() -> bytes:
    """A model that is sound but for its softmax."""
    return (Path(__file__).parents[2] / "examples" / "digits.keras").read_bytes()


@pytest.fixture(scope="module")
def slack() -> Iterator[StandIn]:
    """A stand-in of Slack's API."""
    with standing_in() as running:
        yield running


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    """One pool for all chats."""
    with Workers() as pool:
        yield pool


@pytest.fixture(scope="session")
def doctor(matcher: Matcher, workers: Workers) -> Doctor:
    """The doctor as the service has it."""
    return Doctor(matcher, workers)


@pytest.fixture
def chat(doctor: Doctor) -> Chat:
    """A new chat on a service that runs no models."""
    return Chat(doctor)
