"""What happens in a chat, as rows in order: streams read them from any copy of the service, also again after a break."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any

from anyio import to_thread
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..errors import NotFoundError
from .database import Database, after_commit
from .tables import Chat, Event

LOOK = 0.5  # seconds between two looks for events that another copy wrote
AT_ONCE = 500
GONE = "the chat was removed"


@dataclass(frozen=True)
class Told:
    """An event: its number, which grows within a chat, its kind, plain values, and the job that it belongs to."""

    number: int
    kind: str
    data: dict[str, Any]
    job: str | None


class Events:
    """The events of all chats."""

    def __init__(self, database: Database, look: float = LOOK) -> None:
        """`look` is how long, in seconds, an event of another copy may stay unseen."""
        self._database, self._look = database, look
        self._waiting: dict[str, set[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = {}
        self._newest: dict[str, int] = {}
        self._tick = -1
        self._lock, self._looking = Lock(), Lock()

    @property
    def streams(self) -> int:
        """How many streams are open in this process."""
        with self._lock:
            return sum(map(len, self._waiting.values()))

    def add(self, session: Session, chat: str, kind: str, data: dict[str, Any], job: str | None = None) -> None:
        """Write an event in a transaction; streams hear of it once that is committed.

        The chat's row is locked first, so that within a chat events are committed in the order of their numbers.

        Raises:
            NotFoundError: the chat was removed.
        """
        if not lock_chat(session, chat):
            raise NotFoundError(GONE)
        session.add(Event(chat_id=chat, kind=kind, data=data, job_id=job))
        session.flush()
        after_commit(session, self._ring, chat)

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
            look: called, in a thread, before each look for events; what it raises ends the stream.
        """
        rung = asyncio.Event()
        mine = (asyncio.get_running_loop(), rung)
        with self._lock:
            self._waiting.setdefault(chat, set()).add(mine)
        try:
            sure = True  # at the beginning and after a ring; else all streams share one look
            while True:
                rung.clear()
                told = await to_thread.run_sync(self._seen, chat, number, look, sure)
                for each in told:
                    number = each.number
                    yield each
                if not told:
                    yield None
                sure = len(told) == AT_ONCE or await self._rings(rung)
        finally:
            with self._lock:
                self._waiting[chat].discard(mine)
                if not self._waiting[chat]:
                    del self._waiting[chat]

    async def _rings(self, rung: asyncio.Event) -> bool:
        """Wait for a ring until the next tick, at which all streams look."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._look - time.monotonic() % self._look):
                await rung.wait()
        return rung.is_set()

    def _seen(self, chat: str, number: int, look: Callable[[], None], sure: bool) -> list[Told]:
        look()
        return self.after(chat, number) if sure or self._newest_of(chat) > number else []

    def _newest_of(self, chat: str) -> int:
        """The number of the last event of a chat: one look at each tick serves all streams of this process."""
        with self._looking:
            tick = int(time.monotonic() / self._look)
            if tick != self._tick or chat not in self._newest:
                with self._lock:
                    chats = [*self._waiting]
                last = select(func.max(Event.id)).where(Event.chat_id == Chat.id).scalar_subquery()
                with self._database.reading() as session:
                    rows = session.execute(select(Chat.id, last).where(Chat.id.in_(chats)))
                    self._newest = dict.fromkeys(chats, 0) | {each: newest or 0 for each, newest in rows}
                self._tick = tick
            return self._newest.get(chat, 0)

    def _ring(self, chat: str) -> None:
        with self._lock:
            waiting = list(self._waiting.get(chat, ()))
        for loop, rung in waiting:
            with suppress(RuntimeError):  # its loop was closed
                loop.call_soon_threadsafe(rung.set)


def lock_chat(session: Session, chat: str) -> bool:
    """Wait for whoever changes a chat; False where there is no such chat. Jobs are locked after their chat, never before."""
    found = select(Chat.id).where(Chat.id == chat).with_for_update(key_share=True)
    return session.scalar(found) is not None
