"""Events: in order within a chat, streamed at once in one process and soon in another, resumed, cheap when nothing happens."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from itertools import pairwise

import pytest
from kerasdoctor.errors import NotFoundError
from kerasdoctor.service.database import Database
from kerasdoctor.service.events import AT_ONCE, LOOK, Events
from kerasdoctor.service.tables import Chat, Event, Owner
from sqlalchemy import delete, event

SOON = 10.0


@pytest.fixture
def events(database: Database) -> Events:
    with database.session() as session:
        session.add(Owner(id="ann", kind="local"))
        session.flush()
        session.add_all([Chat(id=f"c{number}", owner_id="ann", case={}) for number in range(200)])
    return Events(database)


def add(database: Database, events: Events, chat: str, kind: str, **data: int) -> None:
    with database.session() as session:
        events.add(session, chat, kind, data)


def nothing() -> None:
    pass


async def follow(events: Events, chat: str, number: int, until: Callable[[str], bool]) -> list[tuple[int, str, float]]:
    """The events with the times at which they came, up to one that ends it."""
    seen = []
    async with aclosing(events.stream(chat, number, nothing)) as stream:
        async for told in stream:
            if told is not None:
                seen.append((told.number, told.kind, time.monotonic()))
                if until(told.kind):
                    break
    return seen


def count_statements(database: Database) -> list[str]:
    seen: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *told: seen.append(told[2]))
    return seen


def test_events_of_a_chat_are_committed_in_their_order(database: Database, events: Events) -> None:
    """Eight writers on two chats; a reader that goes on behind the last number it saw misses none and sees none twice."""
    done = threading.Event()

    def write(number: int) -> None:
        for each in range(15):
            with database.session() as session:
                events.add(session, f"c{number % 2}", "a", {"by": number, "each": each})
                events.add(session, f"c{number % 2}", "b", {"by": number, "each": each})

    def read() -> list[tuple[int, str, int, int]]:
        seen: list[tuple[int, str, int, int]] = []
        ended = False
        while not ended:
            ended = done.is_set()
            new = events.after("c0", seen[-1][0] if seen else 0)
            seen += [(told.number, told.kind, told.data["by"], told.data["each"]) for told in new]
        return seen

    with ThreadPoolExecutor(9) as pool:
        reading = pool.submit(read)
        list(pool.map(write, range(8)))
        done.set()
        seen = reading.result()
    assert len(seen) == 4 * 15 * 2
    assert all(one[0] < two[0] for one, two in pairwise(seen))
    assert [kind for _, kind, _, _ in seen] == ["a", "b"] * 60
    for writer in (0, 2, 4, 6):
        assert [each for _, kind, by, each in seen if by == writer and kind == "a"] == list(range(15))


def test_a_stream_is_woken_at_once(database: Database, events: Events) -> None:
    """By an event of the same process; long before the next look."""

    async def run() -> float:
        following = asyncio.create_task(follow(events, "c0", 0, lambda kind: kind == "end"))
        await asyncio.sleep(LOOK * 0.2)
        latencies = []
        for kind in ("a", "b", "c", "d", "end"):
            await asyncio.to_thread(add, database, events, "c0", kind)
            latencies.append(time.monotonic())
            await asyncio.sleep(0.03)
        seen = await following
        assert [kind for _, kind, _ in seen] == ["a", "b", "c", "d", "end"]
        return sorted(at - added for (_, _, at), added in zip(seen, latencies, strict=True))[2]

    assert asyncio.run(run()) < 0.1


def test_a_stream_sees_what_another_process_wrote(database_url: str, events: Events) -> None:
    """Within one look."""
    code = """
import sys, time
from kerasdoctor.service.database import Database
from kerasdoctor.service.events import Events
database = Database(sys.argv[1])
events = Events(database)
for number in range(5):
    sys.stdin.readline()
    with database.session() as session:
        events.add(session, "c0", "end" if number == 4 else "x", {})
    print(time.monotonic(), flush=True)
"""

    async def run() -> None:
        following = asyncio.create_task(follow(events, "c0", 0, lambda kind: kind == "end"))
        command = [sys.executable, "-c", code, database_url]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: ASYNC220 - once
            assert process.stdin is not None
            assert process.stdout is not None
            written = []
            for _ in range(5):
                process.stdin.write("\n")
                process.stdin.flush()
                written.append(float(await asyncio.to_thread(process.stdout.readline)))
                await asyncio.sleep(0.17)
            seen = await following
        assert len(seen) == 5
        assert max(at - wrote for (_, _, at), wrote in zip(seen, written, strict=True)) < LOOK + 3

    asyncio.run(run())


def test_a_stream_goes_on_where_it_broke(database: Database, events: Events) -> None:
    """Behind any number; also more events than are read at once, without waiting in between."""
    with database.session() as session:
        for number in range(AT_ONCE + 20):
            session.add(Event(chat_id="c0", kind=f"e{number}", data={}))
    add(database, events, "c0", "end")
    events = Events(database, look=60)
    began = time.monotonic()
    seen = asyncio.run(follow(events, "c0", 0, lambda kind: kind == "end"))
    assert len(seen) == AT_ONCE + 21
    rest = asyncio.run(follow(events, "c0", seen[100][0], lambda kind: kind == "end"))
    assert [each[:2] for each in rest] == [each[:2] for each in seen[101:]]
    assert time.monotonic() - began < SOON


def test_a_quiet_stream_tells_that_it_lives(events: Events) -> None:
    """None about every look, and what is to be called before each look is called; what that raises ends the stream."""
    called: list[float] = []

    def look() -> None:
        called.append(time.monotonic())
        if len(called) == 4:
            raise NotFoundError("gone")

    async def run() -> list[object]:
        return [told async for told in events.stream("c0", 0, look)]

    with pytest.raises(NotFoundError):
        asyncio.run(run())
    assert called[3] - called[0] < LOOK * 4 + 3
    assert called[3] - called[1] > LOOK * 1.5
    assert events.streams == 0


def test_two_hundred_quiet_streams_share_their_looks(database: Database, events: Events) -> None:
    """In a second they take a few statements together, little time, and nothing is left of those that end."""
    statements = count_statements(database)

    async def run() -> float:
        streams = [asyncio.create_task(follow(events, f"c{number}", 0, lambda _: False)) for number in range(200)]
        spent = 0.0
        for _ in range(20):  # each has its first look, however long a busy machine takes for that
            statements.clear()
            began = time.process_time()
            await asyncio.sleep(1)
            spent = time.process_time() - began
            if events.streams == 200 and len(statements) < 10:
                break
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
        return spent

    spent = asyncio.run(run())
    print(f"200 streams, 1 s: {len(statements)} statements, {spent:.2f} s of CPU")  # noqa: T201 - shown with -s
    assert 0 < len(statements) < 10
    assert spent < 0.5
    assert events.streams == 0


def test_streams_that_are_left_leave_nothing(database: Database, events: Events) -> None:
    """Neither tasks nor entries, also where the stream is dropped in the middle."""
    add(database, events, "c0", "x")

    async def leave() -> None:
        stream = events.stream("c0", 0, nothing)
        assert await anext(stream) is not None
        await stream.aclose()
        dropped = events.stream("c0", 0, nothing)
        assert await anext(dropped) is not None
        del dropped
        gc.collect()
        await asyncio.sleep(0.01)
        assert len(asyncio.all_tasks()) == 1

    for _ in range(3):
        asyncio.run(leave())
    assert events.streams == 0


def test_an_event_of_a_removed_chat_is_refused(database: Database, events: Events) -> None:
    """As not found; nothing is written, and what was rolled back rings nobody."""
    with database.session() as session:
        session.execute(delete(Chat).where(Chat.id == "c0"))
    with pytest.raises(NotFoundError):
        add(database, events, "c0", "x")
    assert events.after("c0", 0) == []
