"""Connections of those who are slow, silent, or never read: each ends, and nobody else notices; what is kept of them is bounded."""

from __future__ import annotations

import asyncio
import gc
import json
import select
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Response
from kerasdoctor.service.connections import Connection
from uvicorn.server import ServerState

Serve = Callable[..., AbstractContextManager[str]]
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SILENCE = 0.6
BEFORE_ALL = 10 * SILENCE  # seconds after which all of them are over, also on busy machines
HEAD = "{} HTTP/1.1\r\nHost: localhost\r\n"
TUS = "Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n"


@contextmanager
def connected(address: str, sent: str = "", receives: int = 0) -> Iterator[socket.socket]:
    """A connection on which something was sent; `receives` is the size of its buffer, where it is not the usual one."""
    at = urlsplit(address)
    with socket.socket() as raw:
        if receives:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
        raw.settimeout(20)
        raw.connect((at.hostname, at.port))
        raw.sendall(sent.encode())
        yield raw


def trickled(raw: socket.socket, piece: bytes, every: float = SILENCE / 6) -> bytes:
    """Send a piece again and again, until there is an answer or the connection ends; gives all that came."""
    raw.settimeout(every)
    until, came = time.monotonic() + 20, b""
    while time.monotonic() < until:
        try:
            raw.sendall(piece)
            while data := raw.recv(65536):
                came += data
        except TimeoutError:
            continue
        except OSError:
            pass  # reset
        return came
    raise AssertionError("it goes on for ever")


@pytest.mark.parametrize(
    ("sent", "piece"),
    [("", b""), ("GET / HT", b""), (HEAD.format("GET /"), b"X-More: 1\r\n"), (HEAD.format("GET /"), b"")],
)
def test_headers_must_end(serve: Serve, sent: str, piece: bytes) -> None:
    """A connection that never sends, or whose headers never end, is closed; an honest one beside it is answered."""
    with serve(silence_seconds=SILENCE) as address, connected(address, sent) as raw:
        began = time.monotonic()
        assert trickled(raw, piece) == b""
        assert time.monotonic() - began < BEFORE_ALL
        assert httpx.get(f"{address}/api/v1/health/live").status_code == 200


def test_headers_must_end_in_the_second_request_too(serve: Serve) -> None:
    """Also where a request was answered before, and where its body was not read by anybody."""
    whole = HEAD.format("GET /api/v1/health/live") + "\r\n"
    unread = HEAD.format("POST /api/v1/health/live") + "Content-Length: 100000\r\n\r\n"
    with serve(silence_seconds=SILENCE) as address:
        for first, status in ((whole, b" 200 "), (unread, b" 405 ")):
            with connected(address, first) as raw:
                assert status in trickled(raw, b"X").partition(b"\r\n")[0]


@pytest.mark.parametrize("piece", [b"", b" "])
@pytest.mark.parametrize(
    "request_line", ["POST /api/v1/diagnoses", "POST /chats", "POST /sign-in", "POST /mcp", "POST /slack/webhook"]
)
def test_a_body_must_come(serve: Serve, request_line: str, piece: bytes) -> None:
    """Silence or a trickle ends with 408, which says what to do, and the connection with it."""
    form = (
        "application/x-www-form-urlencoded" if "chats" in request_line or "sign" in request_line else "application/json"
    )
    head = HEAD.format(request_line) + f"Content-Type: {form}\r\nContent-Length: 100000\r\n"
    head += "Accept: application/json, text/event-stream\r\n\r\n{"
    with serve(silence_seconds=SILENCE, slack_webhook_token="t" * 20) as address, connected(address, head) as raw:
        began = time.monotonic()
        told, _, body = trickled(raw, piece).partition(b"\r\n\r\n")
        assert time.monotonic() - began < BEFORE_ALL
        assert b"HTTP/1.1 408" in told
        assert b"connection: close" in told.lower()
        assert "did not come in time" in json.loads(body)["detail"]


def test_what_is_too_large_is_refused_from_its_headers(serve: Serve) -> None:
    """Who asks before sending, as curl does, is not told to go on with a body that will not be taken."""
    with serve(silence_seconds=20) as address:
        head = HEAD.format("POST /api/v1/diagnoses") + f"Content-Length: {100 << 20}\r\nExpect: 100-continue\r\n\r\n"
        with connected(address, head) as raw:
            raw.settimeout(15)
            assert raw.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_form_for_which_there_is_no_room_is_not_read(serve: Serve) -> None:
    """A file may be as large, but its owner has no room for it: who asks before sending is told so."""
    with serve(max_upload_mib=9, max_stored_mib=1) as address:
        form = "Content-Type: multipart/form-data; boundary=b\r\nExpect: 100-continue\r\n"
        with connected(address, HEAD.format("POST /chats") + f"{form}Content-Length: {5 << 20}\r\n\r\n") as raw:
            assert raw.recv(100).startswith(b"HTTP/1.1 413 ")


def test_no_other_protocol_is_spoken(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """Who asks for WebSockets gets a plain answer, and no line in the log."""
    asked = HEAD.format("GET /api/v1/health/live") + "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    with serve() as address, connected(address, asked + "Sec-WebSocket-Version: 13\r\n\r\n") as raw:
        assert raw.recv(100).startswith(b"HTTP/1.1 200 ")
    assert [each for each in caplog.records if each.levelname == "WARNING"] == []


def test_an_answer_may_take_longer_than_the_silence(serve: Serve) -> None:
    """Also one that was asked for together with another one, which filled what the connection holds."""
    with serve(silence_seconds=SILENCE) as address:
        kept = httpx.post(f"{address}/api/v1/uploads", files={"file": ("a", bytes(8_000_000))}).json()["id"]
        chat = httpx.post(f"{address}/api/v1/chats").json()["id"]
        asked = (f"GET /api/v1/uploads/{kept}/content", f"GET /api/v1/chats/{chat}/events?follow=true")
        with connected(address, "".join(HEAD.format(each) + "\r\n" for each in asked), 4096) as raw:
            came = b""
            while b": hello" not in came:
                data = raw.recv(1 << 16)
                assert data
                came = came[-1000:] + data
            until = time.monotonic() + 4 * SILENCE
            while (left := until - time.monotonic()) > 0:
                raw.settimeout(left)
                with suppress(TimeoutError):
                    assert raw.recv(1000)


def test_a_body_that_stops_below_a_stream_is_no_failure(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """The stream has begun, so nothing can be told any more: it ends, and the log has no more than the server's own line."""
    with serve(silence_seconds=SILENCE) as address:
        chat = httpx.post(f"{address}/api/v1/chats").json()["id"]
        head = HEAD.format(f"GET /api/v1/chats/{chat}/events?follow=true") + "Content-Length: 5\r\n\r\n"
        with connected(address, head) as raw:
            assert b": hello" in rest(raw)
    (logged,) = (each.getMessage() for each in caplog.records if each.levelname == "ERROR")
    assert "without completing response" in logged


def test_a_slow_line_that_goes_on_is_waited_for(serve: Serve) -> None:
    """Twice the least rate, for much longer than the silence, is a slow mobile and no attack."""
    body = b'{"text": "loss is nan after some batches"' + b" " * 6000 + b"}"
    head = (
        HEAD.format("POST /api/v1/diagnoses") + f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with serve(silence_seconds=SILENCE) as address, connected(address, head) as raw:
        for start in range(0, len(body), 400):
            raw.sendall(body[start : start + 400])
            time.sleep(0.2)
        assert raw.recv(100).startswith(b"HTTP/1.1 200")


def test_what_came_of_an_upload_is_kept(serve: Serve) -> None:
    """Where a piece breaks off, all that came of it is there, to the last byte; that much came fast saves nobody."""
    with serve(silence_seconds=SILENCE) as address:
        place = httpx.post(
            f"{address}/api/v1/uploads/resumable", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "300000"}
        ).headers["location"]
        head = HEAD.format(f"PATCH {place}") + TUS + "Content-Length: 300000\r\n\r\n"
        with connected(address, head + "x" * 200_001) as raw:
            assert b" 408 " in trickled(raw, b"")
        told = httpx.head(address + place, headers={"Tus-Resumable": "1.0.0"})
        assert told.headers["upload-offset"] == "200001"


def test_a_form_upload_that_stops_leaves_nothing(serve: Serve) -> None:
    """A file that comes at once is whole or not there."""
    head = (
        HEAD.format("POST /api/v1/uploads")
        + "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000\r\n\r\n"
    )
    part = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx'
    with serve(silence_seconds=SILENCE) as address:
        with connected(address, head + part) as raw:
            assert b" 408 " in trickled(raw, b"")
        assert httpx.get(f"{address}/api/v1/uploads").json()["items"] == []


def test_large_bodies_at_once_are_bounded(serve: Serve) -> None:
    """They are in memory before it is known who asks: what one address has under way is limited, and given back."""
    size, each = 3_000_000, "POST /api/v1/diagnoses"
    head = HEAD.format(each) + f"Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    least = 30 - (64 << 20) // (size - 1)
    with serve(keys=True) as address:
        with ExitStack() as opened:
            raws = [opened.enter_context(connected(address, head)) for _ in range(30)]
            ended: list[bytes] = []
            for raw in raws:
                try:
                    raw.sendall(b" " * (size - 1))
                except OSError:
                    ended.append(b"")  # refused while it was sent
            until = time.monotonic() + 20
            while len(ended) < least and time.monotonic() < until:
                readable = select.select([raw for raw in raws if raw.fileno() >= 0], [], [], 1)[0]
                for raw in readable:
                    ended.append(rest(raw))
                    raw.close()
            assert least <= len(ended) <= 15
            whole = [each.partition(b"\r\n\r\n")[0].lower().split(b"\r\n") for each in ended if each]
            assert whole
            for status, *headers in whole:
                assert status == b"http/1.1 429 too many requests"
                assert {b"retry-after: 10", b"connection: close"} <= set(headers)
        small = {"text": "loss is nan"}
        for _ in range(100):
            time.sleep(0.02)
            if httpx.post(f"{address}/api/v1/diagnoses", json=small).status_code == httpx.codes.UNAUTHORIZED:
                break
        else:
            raise AssertionError("what went away still counts")


def test_who_only_connects_makes_room(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more connections than a process can have, those that wait longest for their request go: others are answered, and go on."""
    monkeypatch.setattr("kerasdoctor.service.serving.MAX_FILES", 40)
    with serve() as address, ExitStack() as opened:
        health = opened.enter_context(httpx.Client(base_url=address))
        chat = health.post("/api/v1/chats").json()["id"]
        stream = opened.enter_context(
            connected(address, HEAD.format(f"GET /api/v1/chats/{chat}/events?follow=true") + "\r\n")
        )
        assert stream.recv(1000)
        raws = []
        for _ in range(60):
            raws.append(opened.enter_context(connected(address, "GET / HT")))
            assert health.get("/api/v1/health/live").status_code == 200
        raws[0].settimeout(20)
        assert rest(raws[0]) == b""
        for open_still in (raws[-1], stream):
            open_still.settimeout(0.2)
            with suppress(TimeoutError):
                while True:
                    assert open_still.recv(10_000)


@asynccontextmanager
async def bare(size: int = 0, silence: float = SILENCE, most: int = 20) -> AsyncIterator[tuple[Any, ServerState]]:
    """A server in this thread that answers with so many bytes, which waits while its readers do; its address, and what it has open."""
    loop, state, app = asyncio.get_running_loop(), ServerState(), FastAPI()

    @app.get("/")
    async def answer() -> Response:
        return Response(bytes(size))

    config = uvicorn.Config(app, log_config=None)
    config.load()
    made = partial(Connection, config=config, server_state=state, app_state={}, _loop=loop, silence=silence, most=most)
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        server = await loop.create_server(made, sock=listener)
        try:
            async with asyncio.timeout(30):
                yield listener.getsockname(), state
        finally:
            for each in list(state.connections):
                each.transport.abort()
            server.close()


def asked_for(place: Any, more: str = "") -> socket.socket:
    """A connection with a small buffer, on which the answer was asked for."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(place)
    raw.sendall(f"{HEAD.format('GET /')}{more}\r\n".encode())
    raw.setblocking(False)
    return raw


def unsent(state: ServerState) -> int:
    """The bytes that wait in this process for their reader."""
    return sum(each.transport.get_write_buffer_size() for each in state.connections)


@pytest.mark.usefixtures("database_url")
def test_of_many_at_once_each_that_is_too_many_goes() -> None:
    """Sixty that come in one moment, on a process for twenty: forty go, the oldest first."""

    async def ended(raw: socket.socket) -> int:
        try:
            return len(await asyncio.get_running_loop().sock_recv(raw, 1))
        except ConnectionResetError:
            return 0

    async def burst(opened: ExitStack) -> None:
        async with bare(silence=60) as (place, state):
            raws = [opened.enter_context(socket.create_connection(place)) for _ in range(60)]
            for raw in raws:
                raw.setblocking(False)
            assert await asyncio.gather(*map(ended, raws[:40])) == [0] * 40
            assert len(state.connections) == 20

    with ExitStack() as opened:
        asyncio.run(burst(opened))


@pytest.mark.usefixtures("database_url")
@pytest.mark.parametrize(
    ("size", "more", "left"),
    [(2_000_000, "", 1_500_000), (200_000, "Connection: close\r\n", 15_000), (50_000, "", 40_000)],
    ids=["much", "the rest", "little"],
)
def test_who_stops_reading_is_given_up(size: int, more: str, left: int) -> None:
    """Wherever that is: also behind the answer's end, with less left than fills what a connection holds."""

    async def stopping() -> None:
        async with bare(size) as (place, state):
            with asked_for(place, more) as raw:
                while not unsent(state):  # noqa: ASYNC110 - nothing tells of it
                    await asyncio.sleep(0.01)
                while unsent(state) > left:
                    await asyncio.get_running_loop().sock_recv(raw, 2000)
                assert unsent(state)
                while state.connections:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    asyncio.run(stopping())


@pytest.mark.usefixtures("database_url")
def test_who_stops_reading_late_is_given_up_too() -> None:
    """Nothing more was asked for, so that the connection shall close: it does, though what is left fills nothing any more."""

    async def stopping() -> None:
        loop = asyncio.get_running_loop()
        async with bare(3_000_000) as (place, state):
            with asked_for(place) as raw:
                while not any(each.transport.is_closing() for each in state.connections):
                    await loop.sock_recv(raw, 2000)
                    await asyncio.sleep(0.02)
                while unsent(state) > 15_000:
                    await loop.sock_recv(raw, 20_000)
                assert unsent(state)
                while state.connections:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    asyncio.run(stopping())


@pytest.mark.usefixtures("database_url")
def test_who_reads_slowly_is_waited_for() -> None:
    """For several times as long as the silence, at some times the least rate."""

    async def reading() -> None:
        async with bare(2_000_000, silence=1) as (place, state):
            with asked_for(place) as raw:
                for _ in range(60):
                    assert await asyncio.get_running_loop().sock_recv(raw, 5000)
                    await asyncio.sleep(0.05)
                assert state.connections

    asyncio.run(reading())


def resident() -> int:
    """The memory of this process, in MiB."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) // 256


def test_who_does_not_read_is_given_up(serve: Serve) -> None:
    """Twenty who ask for a large file and never read it take little memory, and are closed; one who reads slowly gets it all."""
    size, readers = 24_000_000, 20
    with serve(silence_seconds=SILENCE) as address:
        kept = httpx.post(f"{address}/api/v1/uploads", files={"file": ("a", bytes(size))}).json()["id"]
        ask = HEAD.format(f"GET /api/v1/uploads/{kept}/content") + "\r\n"
        gc.collect()
        before = resident()
        with ExitStack() as opened:
            raws = [opened.enter_context(connected(address, ask, 4096)) for _ in range(readers)]
            slow = opened.enter_context(connected(address, ask, 1 << 20))
            time.sleep(SILENCE / 2)
            grown = resident() - before
            came = 0
            while came < size and (data := slow.recv(400_000)):
                came += len(data)
                time.sleep(0.02)
            assert came >= size
            time.sleep(SILENCE)
            told = [rest(raw) for raw in raws]
        assert all(each.startswith(b"HTTP/1.1 200") for each in told)
        assert max(map(len, told)) < size
        assert grown < readers


def rest(raw: socket.socket) -> bytes:
    """What was on its way when the connection ended."""
    came = b""
    try:
        while data := raw.recv(1 << 20):
            came += data
    except ConnectionResetError:
        pass
    return came
