"""Two copies of the service on one database and one file store, each a process of its own.

Run as a program it is such a copy: `test_api_copies.py PORT`, with settings in the environment. Its leases are short.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

PASTE = "ValueError: Shapes (None, 1) and (None, 10) are incompatible"
LEASE = timedelta(seconds=2)
Start = Callable[[], tuple[httpx.Client, subprocess.Popen[bytes]]]


@pytest.fixture
def start(database_url: str, tmp_path: Path) -> Iterator[Start]:
    """Starts a copy; gives a client of it, and its process."""
    with ExitStack() as running:

        def started() -> tuple[httpx.Client, subprocess.Popen[bytes]]:
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            told = {"KERASDOCTOR_DATABASE": database_url, "KERASDOCTOR_DATA": str(tmp_path)}
            process = subprocess.Popen([sys.executable, __file__, str(port)], env={**os.environ, **told})
            running.callback(process.wait)
            running.callback(process.kill)
            client = running.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=60))
            for _ in range(200):
                try:
                    client.get("/health/live")
                    break
                except httpx.ConnectError:
                    time.sleep(0.1)
            return client, process

        yield started


def told(response: httpx.Response) -> Iterator[tuple[str, Any]]:
    """The kinds and the data of a stream's events."""
    kind = ""
    for line in response.iter_lines():
        name, _, value = line.partition(": ")
        kind = value if name == "event" else kind
        if name == "data":
            yield kind, json.loads(value)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_copies_serve_one_chat(start: Start, digits: bytes) -> None:
    """A file sent to one copy and a message sent to the other are one chat, streamed from either."""
    (one, _), (other, process) = start(), start()
    upload = one.post("/uploads", files={"file": ("digits.keras", digits)}).json()["id"]
    chat = other.post("/chats").json()["id"]
    with one.stream("GET", f"/chats/{chat}/events?follow=true") as response:
        said = other.post(f"/chats/{chat}/messages", json={"text": PASTE, "uploads": [upload]})
        assert said.status_code == 202, said.text
        kinds = []
        for kind, data in told(response):
            kinds.append(kind)
            if kind == "reply":
                assert data["message"]["reply"]["diagnosis"]["findings"]
            if kind == "done":
                break
    assert list(dict.fromkeys(kinds)) == ["message", "started", "recognised", "probes", "reply", "done"]
    assert other.get(f"/uploads/{upload}/content").content == digits
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) in {0, -signal.SIGTERM}
    assert one.get(f"/chats/{chat}/messages").json()["items"][1]["reply"]["diagnosis"]["topic"] == "target-shape"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_killed_copy_loses_nothing(start: Start, digits: bytes) -> None:
    """Killed in the middle of running a model: the other copy tells of it, takes the job over and answers."""
    one, process = start()
    upload = one.post("/uploads", files={"file": ("digits.keras", digits)}).json()["id"]
    chat = one.post("/chats").json()["id"]
    taken = one.post(f"/chats/{chat}/messages", json={"text": PASTE, "uploads": [upload], "live": True}).json()
    with one.stream("GET", f"/chats/{chat}/events") as response:
        next(data for kind, data in told(response) if kind == "probes")
        process.kill()
        process.wait()
    other, _ = start()
    with other.stream("GET", f"/chats/{chat}/events") as response:
        kinds = [kind for kind, _ in told(response)]
    assert kinds.count("started") == 2
    assert kinds.index("interrupted") < len(kinds) - 1
    assert kinds[-2:] == ["reply", "done"]
    assert other.get(f"/jobs/{taken['job']['id']}").json()["state"] == "done"
    assert [each["role"] for each in other.get(f"/chats/{chat}/messages").json()["items"]] == ["asks", "answers"]


def main(port: int) -> None:
    """Be a copy, until a signal ends it."""
    import uvicorn  # noqa: PLC0415 - only the copy needs it
    from kerasdoctor.service import service  # noqa: PLC0415
    from kerasdoctor.service.app import create_app  # noqa: PLC0415
    from kerasdoctor.service.settings import load_settings  # noqa: PLC0415

    service.Jobs = partial(service.Jobs, lease=LEASE)  # type: ignore[assignment,misc]
    uvicorn.run(create_app(load_settings(), warm=False), port=port, log_config=None, timeout_graceful_shutdown=3)


if __name__ == "__main__":
    main(int(sys.argv[1]))
