"""Streams on real sockets: what is told, taking up again where it broke, leaving."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import httpx
import pytest
from kerasdoctor.service.database import Database
from kerasdoctor.service.keys import all_keys, new_key, revoke_key
from kerasdoctor.service.limits import MAX_STREAMS

Serve = Callable[..., AbstractContextManager[str]]
PASTE = "ValueError: Shapes (None, 1) and (None, 10) are incompatible"
LEAVE = 1.0
MANY = httpx.Limits(max_connections=None)


@pytest.fixture
def client(serve: Serve) -> Iterator[httpx.Client]:
    """A client of a server on which whoever leaves is missed after a second."""
    with (
        serve(leave_seconds=LEAVE) as address,
        httpx.Client(base_url=f"{address}/api/v1", timeout=60, limits=MANY) as client,
    ):
        yield client


class Stream:
    """Reads server-sent events from lines."""

    def __init__(self, response: httpx.Response) -> None:
        self.lines = response.iter_lines()

    def __iter__(self) -> Iterator[tuple[int, str, Any]]:
        return self

    def __next__(self) -> tuple[int, str, Any]:
        told: dict[str, str] = {}
        while line := next(self.lines) or not told:
            name, _, value = str(line).partition(": ")
            if name and value:
                told[name] = value
        return int(told["id"]), told["event"], json.loads(told["data"])


def begun(client: httpx.Client, digits: bytes, **said: Any) -> tuple[str, dict[str, Any]]:
    """A chat in which a model was sent, and what came back for the message."""
    upload = client.post("/uploads", files={"file": ("digits.keras", digits)}).json()["id"]
    chat = client.post("/chats").json()["id"]
    taken = client.post(f"/chats/{chat}/messages", json={"text": PASTE, "uploads": [upload], **said})
    assert taken.status_code == 202, taken.text
    return chat, taken.json()


def test_an_answer_streams_as_it_is_made(client: httpx.Client, digits: bytes) -> None:
    """What was recognised comes first, then each probe as it starts and ends, then the reply, whole; then the stream ends."""
    chat, taken = begun(client, digits)
    with client.stream("GET", f"/chats/{chat}/events", headers={"Accept-Language": "zh"}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert "no-transform" in response.headers["cache-control"]
        assert response.headers["x-accel-buffering"] == "no"
        told = list(Stream(response))
    kinds = [kind for _, kind, _ in told]
    assert list(dict.fromkeys(kinds)) == ["message", "started", "recognised", "probes", "reply", "done"]
    assert all(before < after for before, after in pairwise(number for number, _, _ in told))
    assert {data["job"] for _, _, data in told} == {taken["job"]["id"]}
    data = {kind: data for _, kind, data in told}
    assert data["recognised"]["topic"] == "target-shape"
    steps = [step for _, kind, data in told if kind == "probes" for step in data["steps"]]
    assert {"started", "ended"} == {step["state"] for step in steps}
    assert {step["text"] for step in steps if step["probe"] == "read"} == {"读取文件"}
    assert data["reply"]["message"]["reply"]["diagnosis"]["lang"] == "zh"
    assert client.get(f"/chats/{chat}/events?after={told[-1][0]}").status_code == 204


def test_a_broken_stream_is_taken_up_again(client: httpx.Client, digits: bytes) -> None:
    """Last-Event-ID gives exactly the rest, also while it goes on; `after` is the same."""
    chat, _ = begun(client, digits)
    with client.stream("GET", f"/chats/{chat}/events") as response:
        first = next(iter(Stream(response)))
    with client.stream("GET", f"/chats/{chat}/events", headers={"Last-Event-ID": str(first[0])}) as response:
        rest = list(Stream(response))
    with client.stream("GET", f"/chats/{chat}/events") as response:
        assert [first, *rest] == list(Stream(response))
    middle = rest[len(rest) // 2][0]
    with client.stream("GET", f"/chats/{chat}/events?after=1", headers={"Last-Event-ID": str(middle)}) as response:
        assert list(Stream(response)) == [each for each in rest if each[0] > middle]
    assert client.get(f"/chats/{chat}/events", headers={"Last-Event-ID": "x"}).status_code == 422


def test_who_leaves_is_missed(client: httpx.Client, digits: bytes) -> None:
    """A job is cancelled some time after the last of those who watched it left; the chat says so."""
    chat, taken = begun(client, digits, live=True)
    with client.stream("GET", f"/chats/{chat}/events") as response:
        next(iter(Stream(response)))
    left = time.monotonic()
    job: dict[str, Any] = {"state": "running"}
    while job["state"] in {"queued", "running"} and time.monotonic() - left < 60:
        time.sleep(0.1)
        job = client.get(f"/jobs/{taken['job']['id']}").json()
    assert job["state"] == "cancelled", job
    assert time.monotonic() - left > LEAVE * 0.7
    assert client.get(f"/chats/{chat}/messages").json()["items"][-1]["reply"]["kind"] == "cancelled"
    assert client.get(f"/jobs/{taken['job']['id']}?lang=zh").json()["error"] != job["error"]


def test_who_stays_is_answered(client: httpx.Client, digits: bytes) -> None:
    """However long it takes: a stream that is open keeps its job, and a live job tells its steps while it runs."""
    chat, taken = begun(client, digits, live=True)
    first: dict[str, int] = {}  # the event that first told of each
    with client.stream("GET", f"/chats/{chat}/events") as response:
        for number, kind, data in Stream(response):
            for step in data["steps"] if kind == "probes" else ():
                first.setdefault(step["probe"], number)
    assert client.get(f"/jobs/{taken['job']['id']}").json()["state"] == "done"
    assert first["read"] < first["load"] < first["forward"]


def test_a_stream_follows(client: httpx.Client) -> None:
    """With `follow` it goes on when all jobs have ended, and tells of what comes later; without, there is nothing to stream."""
    chat = client.post("/chats").json()["id"]
    assert client.get(f"/chats/{chat}/events").status_code == 204
    with client.stream("GET", f"/chats/{chat}/events?follow=true") as response:
        told = Stream(response)
        for text in (PASTE, "why?"):
            client.post(f"/chats/{chat}/messages", json={"text": text})
            for _, kind, data in told:
                if kind == "reply":
                    assert data["message"]["reply"]["kind"] in {"diagnosis", "why"}
                if kind == "done":
                    break


def test_a_stop_ends_streams(serve: Serve) -> None:
    """A stream that would go on for ever does not hold up a stop."""
    with httpx.Client(timeout=60) as client, ExitStack() as streaming:
        with serve() as address:
            chat = client.post(f"{address}/api/v1/chats").json()["id"]
            events = f"{address}/api/v1/chats/{chat}/events?follow=true"
            response = streaming.enter_context(client.stream("GET", events))
            told = response.iter_raw()
            next(told)
            began = time.monotonic()
        assert time.monotonic() - began < 9.5  # after ten seconds the server would break it off


def ends_after(response: httpx.Response) -> float:
    """Read a stream to its end; how long that took."""
    began = time.monotonic()
    for _ in response.iter_bytes():
        assert time.monotonic() - began < 20
    return time.monotonic() - began


def test_a_revoked_key_ends_its_streams(serve: Serve, database_url: str) -> None:
    """Who watches is looked at again: some seconds after a key was revoked, or the chat removed, its streams end."""
    database = Database(database_url)
    keys = {name: {"Authorization": f"Bearer {new_key(database, name)}"} for name in ("kept", "revoked")}
    with (
        serve(keys=True) as address,
        httpx.Client(base_url=f"{address}/api/v1", timeout=60) as client,
        ExitStack() as opened,
    ):
        chats = {name: client.post("/chats", headers=key).json()["id"] for name, key in keys.items()}
        streams = [
            opened.enter_context(client.stream("GET", f"/chats/{chat}/events?follow=true", headers=keys[name]))
            for name, chat in chats.items()
        ]
        assert client.delete(f"/chats/{chats['kept']}", headers=keys["kept"]).status_code == 204
        revoke_key(database, next(key.id for key in all_keys(database) if key.name == "revoked"), datetime.now(UTC))
        assert sum(map(ends_after, streams)) < 18
    database.close()


def test_streams_are_limited(client: httpx.Client) -> None:
    """One owner has so many streams open and no more; one that ends makes room."""
    chat = client.post("/chats").json()["id"]
    asked = client.build_request("GET", f"/chats/{chat}/events?follow=true")
    opened: list[httpx.Response] = []
    kept: list[Iterator[bytes]] = []
    try:
        for _ in range(MAX_STREAMS):
            opened.append(client.send(asked, stream=True))
            kept.append(opened[-1].iter_raw())  # one that is let go closes its response
            assert next(kept[-1])
        assert {response.status_code for response in opened} == {200}
        assert client.get(asked.url).status_code == 429
    finally:
        for response in opened:
            response.close()
    for _ in range(50):
        again = client.send(asked, stream=True)
        again.close()
        if again.status_code == 200:
            return
        time.sleep(0.1)
    pytest.fail("there is no room again")
