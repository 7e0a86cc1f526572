"""Limits: how much an owner and an address may ask in a minute, counted in the database for all copies together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from ..errors import TooManyError
from .database import Database
from .service import Service
from .tables import Count
from .visit import Room, Visit

WINDOW = 60  # seconds
NAMES = {"requests": "次请求", "messages": "条消息", "sign-ins": "次登录"}  # of what is counted, for a Chinese reader
MAX_STREAMS = 100  # of one owner or address in one process; each is a connection that stays


class Streams:
    """The streams that are open in this process, by owner and by address."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._lock = Lock()

    def check(self, *holders: str) -> None:
        """See that each holder may have one more.

        Raises:
            TooManyError: one of them has too many.
        """
        with self._lock:
            if any(self._open[each] >= MAX_STREAMS for each in holders):
                raise TooManyError(
                    f"{MAX_STREAMS} streams are open already; close some, or wait for their end.", WINDOW
                )

    @contextmanager
    def holding(self, *holders: str) -> Iterator[None]:
        """Count one for each holder while it is open."""
        with self._lock:
            self._open.update(holders)
        try:
            yield
        finally:
            with self._lock:
                self._open -= Counter(holders)


def spend(service: Service, visit: Visit, name: str, limit: int) -> None:
    """Count one use for the address of a visit, and for its owner where one is known.

    Raises:
        TooManyError: one of them has used up `limit` in this minute.
    """
    window, spent = divmod(int(service.clock().timestamp()), WINDOW)
    holders = [f"address {visit.address}"] + ([f"owner {visit.owner.id}"] if visit.owner else [])
    used = _count(service.database, sorted(f"{name} {holder}" for holder in holders), window)
    room = Room(name, limit, max(0, limit - used), WINDOW - spent)
    if visit.room is None or room.left * visit.room.limit <= visit.room.left * room.limit:
        visit.room = room
    if used > limit:
        raise _too_many(name, limit, room.ends_in)


def spend_of(service: Service, owner: str, name: str, limit: int) -> None:
    """Count one use for an owner who comes without a visit: a Slack workspace.

    Raises:
        TooManyError: the limit is used up.
    """
    window, spent = divmod(int(service.clock().timestamp()), WINDOW)
    if _count(service.database, [f"{name} owner {owner}"], window) > limit:
        raise _too_many(name, limit, WINDOW - spent)


def _too_many(name: str, limit: int, after: int) -> TooManyError:
    return TooManyError(
        f"More than {limit} {name} in a minute; try again in {after} s.",
        after,
        f"一分钟内超过 {limit} {NAMES.get(name, '次')}，请 {after} 秒后再试。",
    )


def _count(database: Database, names: list[str], window: int) -> int:
    """Count one more for each name, in an order that all copies keep; gives the most that one of them has.

    The first of a minute clears up the old rows.
    """
    insert = sqlite.insert if database.engine.dialect.name == "sqlite" else postgresql.insert
    counted = insert(Count).on_conflict_do_update(
        index_elements=[Count.name, Count.window], set_={"used": Count.used + 1}
    )
    rows = [{"name": name, "window": window, "used": 1} for name in names]
    with database.session() as session:
        used = session.scalars(counted.values(rows).returning(Count.used)).all()
        if 1 in used:
            session.execute(delete(Count).where(Count.window < window))
    return max(used)
