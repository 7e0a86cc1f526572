"""Serves the application: one process or several, from one socket, until a signal says to stop."""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import os
import resource
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.process import BaseProcess
from typing import cast

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from ..errors import InputError
from .connections import Connection
from .database import Database
from .keys import has_keys
from .settings import Settings

BACKLOG = 2048
MAX_FILES = 1 << 16  # also where the system has no limit (it says -1)
SHARED_METRICS = "PROMETHEUS_MULTIPROC_DIR"  # read when prometheus-client is imported, which is in the workers
NO_KEY = (
    "{where} is reached from outside, which needs a key, and there is none. Make one with `kerasdoctor keys new NAME`, or let "
    "everyone in with --open"
)


def serve(settings: Settings, tell: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; what is under way then has `settings.stop_seconds` to end.

    Args:
        settings: the settings.
        tell: is given the address, once connections are taken.

    Raises:
        InputError: the address cannot be listened on, or it needs keys and there are none.
        StorageError: the database does not answer.
    """
    _check(settings)
    with _listening(settings) as listener, _stopped_by_signals():
        tell(address_of(settings, listener))
        if settings.workers == 1:
            uvicorn.Server(_config(settings)).run([listener])
            return
        with _shared_metrics():
            Multiprocess(_config(settings), [listener]).run()


def address_of(settings: Settings, listener: socket.socket) -> str:
    """The address to open."""
    host, port = listener.getsockname()[:2]
    return settings.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}"


def make_worker(settings: Settings) -> FastAPI:
    """The application in a process that serves."""
    from .app import create_app  # noqa: PLC0415 - prometheus-client looks at its import whether there are several processes
    from .logs import configure_logs  # noqa: PLC0415

    configure_logs(settings)
    _end_with_parent()
    return create_app(settings)


def _end_with_parent() -> None:
    """Let a worker stop when the process that started it was killed; it would hold the port, and nobody would end it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_stop_after, args=(parent,), daemon=True).start()


def _stop_after(parent: BaseProcess) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _check(settings: Settings) -> None:
    """Migrate before workers start, so that what is wrong is told once and clearly."""
    database = Database(settings.database)
    try:
        database.migrate()
        if settings.needs_keys and not has_keys(database):
            raise InputError(NO_KEY.format(where=settings.public_url or settings.host))
    finally:
        database.close()


def _config(settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        partial(make_worker, settings),
        factory=True,
        http=connections(settings),
        ws="none",
        workers=settings.workers,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=settings.proxies,
        timeout_graceful_shutdown=math.ceil(settings.stop_seconds),
    )


def connections(settings: Settings) -> type[asyncio.Protocol]:
    """What makes a connection; uvicorn calls it, and hands it to workers. Half of the files that a process may open are for these."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    most = (min(files, MAX_FILES) if files > 0 else MAX_FILES) // 2
    return cast("type[asyncio.Protocol]", partial(Connection, silence=settings.silence_seconds, most=most))


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    host = "127.0.0.1" if settings.host == "localhost" else settings.host.strip("[]")
    try:
        family = socket.getaddrinfo(host, settings.port, type=socket.SOCK_STREAM)[0][0]
        both = host == "::" and socket.has_dualstack_ipv6()
        listener = socket.create_server((host, settings.port), family=family, backlog=BACKLOG, dualstack_ipv6=both)
    except OSError as error:
        why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise InputError(
            f"{settings.host}, port {settings.port}: {why}; choose others with --host and --port"
        ) from None
    with listener:
        # Connections inherit it. asyncio turns Nagle's algorithm off only for sockets that say that they are TCP, which those of
        # `create_server` do not: each answer on a kept connection would wait 40 ms for the client's delayed acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield listener


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """End with 0 after a stop that was asked for: uvicorn raises the signal again when it is done."""
    before = {number: signal.signal(number, lambda *_: sys.exit(0)) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _shared_metrics() -> Iterator[None]:
    folder = tempfile.mkdtemp(prefix="kerasdoctor-metrics-")
    os.environ[SHARED_METRICS] = folder
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        del os.environ[SHARED_METRICS]
