"""Connections of those who are slow, silent, or never read: each ends, and nobody else notices; what is kept of them is bounded."""

from __future__ import annotations

import gc
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

Serve = Callable[..., AbstractContextManager[str]]
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SILENCE = 0.6
BEFORE_ALL = 4 * SILENCE  # seconds after which all of them are over, also on busy machines
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
    """Where a piece breaks off, all that came of it is there, to the last byte; it goes on from that."""
    with serve(silence_seconds=SILENCE) as address:
        place = httpx.post(
            f"{address}/api/v1/uploads/resumable", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "9000"}
        ).headers["location"]
        head = HEAD.format(f"PATCH {place}") + TUS + "Content-Length: 9000\r\n\r\n"
        with connected(address, head + "x" * 1234) as raw:
            assert b" 408 " in trickled(raw, b"")
        told = httpx.head(address + place, headers={"Tus-Resumable": "1.0.0"})
        assert told.headers["upload-offset"] == "1234"


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
    small = {"text": "loss is nan"}
    with serve(keys=True) as address:
        with ExitStack() as opened:
            raws = [opened.enter_context(connected(address, head)) for _ in range(30)]
            refused = 0
            for raw in raws:
                try:
                    raw.sendall(b" " * (size - 1))
                except OSError:
                    refused += 1
            time.sleep(0.5)
            assert httpx.post(f"{address}/api/v1/diagnoses", json=small).status_code in (401, 429)
            told = []
            for raw in raws:
                raw.settimeout(0.05)
                try:
                    told.append(raw.recv(15))
                except TimeoutError:
                    told.append(b"")
                except OSError:
                    refused += 1
            assert told.count(b"HTTP/1.1 429 To") + refused >= 30 - (64 << 20) // (size - 1)
            assert told.count(b"") >= 15
        for _ in range(100):
            time.sleep(0.02)
            if httpx.post(f"{address}/api/v1/diagnoses", json=small).status_code == httpx.codes.UNAUTHORIZED:
                break
        else:
            raise AssertionError("what went away still counts")


def test_who_only_connects_makes_room(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more connections than a process can have, those that wait longest for their request go: others are answered."""
    monkeypatch.setattr("kerasdoctor.service.serving.MAX_FILES", 40)
    with serve() as address, ExitStack() as opened:
        health = opened.enter_context(httpx.Client(base_url=address))
        raws = []
        for _ in range(60):
            raws.append(opened.enter_context(connected(address, "GET / HT")))
            assert health.get("/api/v1/health/live").status_code == 200
        raws[0].settimeout(20)
        assert rest(raws[0]) == b""
        raws[-1].settimeout(0.2)
        with pytest.raises(TimeoutError):
            raws[-1].recv(1)


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
