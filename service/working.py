"""What goes on beside the requests: jobs, warm workers, and removing what is over its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from anyio import to_thread

from ..errors import KerasDoctorError
from ..knowledge.entry import load_entries
from .access import forget_browsers
from .service import Service
from .slack import installations

SWEEP = 600  # seconds between two looks for what is over its time
_log = structlog.get_logger(__name__)


@asynccontextmanager
async def working(service: Service) -> AsyncIterator[None]:
    """Work until the service stops; jobs get `stop_seconds` to end, others go back into the queue."""
    service.jobs.start()
    beside = asyncio.create_task(_beside(service))
    try:
        yield
    finally:
        beside.cancel()
        with suppress(asyncio.CancelledError):
            await beside
        await to_thread.run_sync(service.jobs.stop, service.settings.stop_seconds)
        await to_thread.run_sync(service.workers.close)


async def _beside(service: Service) -> None:
    if service.warm:
        await to_thread.run_sync(_warm, service)
    while True:
        await asyncio.sleep(SWEEP)
        await to_thread.run_sync(_sweep, service)


def _warm(service: Service) -> None:
    """The first who sends a file, or asks for a topic, shall not wait."""
    try:
        service.workers.warm("reader")
    except KerasDoctorError as error:
        _log.warning("files cannot be examined", why=str(error))
    load_entries()


def _sweep(service: Service) -> None:
    try:
        service.uploads.sweep()
        service.chats.sweep()
        forget_browsers(service.database, service.clock())
        installations.sweep(service.database)
    except Exception:  # noqa: BLE001 - a database that is away for a moment must not end this
        _log.exception("what is over its time could not be removed")
