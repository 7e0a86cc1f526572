"""What happens in a chat, as rows in order: streams read them from any copy of the service, also again after a break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any

from anyio import to_thread
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from .database import Database
from .tables import Chat, Event

LOOK = 0.5  # seconds between two looks for events that another copy wrote
AT_ONCE = 500


@dataclass(frozen=True)
class Told:
    """An event: its number, which grows within a chat, its kind, plain values, and the job that it belongs to."""

    number: int
    kind: str
    data: dict[str, Any]
    job: str | None


class Events:
    """The events of all chats."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[str, set[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = {}
        self._lock = Lock()

    def add(self, session: Session, chat: str, kind: str, data: dict[str, Any], job: str | None = None) -> None:
        """Write an event in a transaction; streams hear of it once that is committed.

        The chat's row is locked first, so that within a chat events are committed in the order of their numbers.
        """
        session.execute(select(Chat.id).where(Chat.id == chat).with_for_update())
        session.add(Event(chat_id=chat, kind=kind, data=data, job_id=job))
        event.listen(session, "after_commit", lambda _: self._ring(chat), once=True)

    def after(self, chat: str, number: int) -> list[Told]:
        """The events of a chat behind a number, in order."""
        with self._database.reading() as session:
            rows = session.scalars(
                select(Event).where(Event.chat_id == chat, Event.id > number).order_by(Event.id).limit(AT_ONCE)
            )
            return [Told(row.id, row.kind, row.data, row.job_id) for row in rows]

    async def stream(self, chat: str, number: int, look: Callable[[], None]) -> AsyncIterator[Told | None]:
        """The events behind a number and those to come; None every `LOOK` seconds in which there was none.

        Args:
            chat: its id.
            number: the last event that is known.
            look: called, in a thread, before each look into the database.
        """
        mine = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._waiting.setdefault(chat, set()).add(mine)
        try:
            while True:
                mine[1].clear()
                await to_thread.run_sync(look)
                told = await to_thread.run_sync(self.after, chat, number)
                for each in told:
                    number = each.number
                    yield each
                if not told:
                    yield None
                with suppress(TimeoutError):
                    await asyncio.wait_for(mine[1].wait(), LOOK)
        finally:
            with self._lock:
                self._waiting[chat].discard(mine)
                if not self._waiting[chat]:
                    del self._waiting[chat]

    def _ring(self, chat: str) -> None:
        with self._lock:
            waiting = list(self._waiting.get(chat, ()))
        for loop, rung in waiting:
            with suppress(RuntimeError):  # its loop was closed
                loop.call_soon_threadsafe(rung.set)
