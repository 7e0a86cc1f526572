"""Limits: requests and messages a minute, and how many bytes of a request are taken."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.testclient import TestClient
from kerasdoctor.service.access import Asker, count_message
from kerasdoctor.service.bodies import takes_files
from kerasdoctor.service.database import Database
from kerasdoctor.service.keys import new_key
from kerasdoctor.service.limits import spend
from kerasdoctor.service.service import Service
from kerasdoctor.service.settings import Settings
from kerasdoctor.service.tables import Count
from kerasdoctor.service.visit import Owner, Visit, network
from pydantic import BaseModel
from sqlalchemy import func, select

MIB = 1 << 20
MakeApp = Callable[..., FastAPI]
Client = Callable[..., TestClient]
router = APIRouter(prefix="/api/v1")


class Told(BaseModel):
    text: str


@router.get("/look")
def look(owner: Asker) -> str:
    """Look."""
    return owner.kind


@router.post("/say", dependencies=[Depends(count_message)])
def say(told: Told) -> int:
    """Say something."""
    return len(told.text)


@router.post("/file", dependencies=[Depends(takes_files)])
async def file(request: Request) -> int:
    """Read all of it."""
    return sum([len(part) async for part in request.stream()])


def test_requests_are_limited(make_app: MakeApp, database_url: str, clock: Any, program: Client) -> None:
    """The answer tells what is left, and when there is room again; the next minute is a new one."""
    client = program(make_app(router, requests_per_minute=3, database=database_url))
    answers = [client.get("/api/v1/look") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["RateLimit"] == '"requests";r=2;t=50'
    assert answers[0].headers["RateLimit-Policy"] == '"requests";q=3;w=60'
    assert answers[3].headers["Retry-After"] == "50"
    assert answers[3].headers["content-type"] == "application/problem+json"
    clock.move(seconds=50)
    assert client.get("/api/v1/look").status_code == 200


def test_an_address_is_limited_and_so_is_an_owner(make_app: MakeApp, program: Client) -> None:
    """A key from many addresses is one; one address with many keys is one too; IPv6 counts by /64."""
    app = make_app(router, requests_per_minute=2, keys=True)
    keys = [new_key(app.state.service.database, name) for name in "abc"]

    def asked(key: str, address: str) -> int:
        return program(app, key, address=address).get("/api/v1/look").status_code

    assert [asked(keys[0], f"10.0.0.{n}") for n in range(3)] == [200, 200, 429]
    assert [asked(key, "10.1.0.1") for key in (keys[1], keys[1], keys[2])] == [200, 200, 429]
    assert [asked("kd_wrong", f"2001:db8::{n}") for n in range(3)] == [401, 401, 429]
    assert asked("kd_wrong", "2001:db8:0:1::1") == 401


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("testclient", "unknown"),
        ("", "unknown"),
    ],
)
def test_what_counts_as_an_address(address: str, counted: str) -> None:
    """One customer has a /64 of IPv6."""
    assert network(address) == counted


def test_messages_have_a_limit_of_their_own(make_app: MakeApp, program: Client) -> None:
    """Work costs more than looking."""
    client = program(make_app(router, messages_per_minute=2))
    answers = [client.post("/api/v1/say", json={"text": "a"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[1].headers["RateLimit"].startswith('"messages";r=0')
    assert client.get("/api/v1/look").status_code == 200


@pytest.mark.parametrize(
    ("requests", "messages", "told"),
    [(2, 30, '"requests";r=1'), (600, 30, '"messages";r=29'), (30, 30, '"messages";r=29')],
)
def test_the_limit_that_ends_first_is_told(
    make_app: MakeApp, program: Client, requests: int, messages: int, told: str
) -> None:
    """A message is a request too: of both limits the answer tells the one of which the smaller part is left."""
    client = program(make_app(router, requests_per_minute=requests, messages_per_minute=messages))
    assert client.post("/api/v1/say", json={"text": "a"}).headers["RateLimit"].startswith(told)


def test_a_browser_cannot_shed_its_cookie_to_get_more(make_app: MakeApp, browser: Client) -> None:
    """New owners from one address share its limit."""
    app = make_app(router, messages_per_minute=2)
    assert [browser(app).post("/api/v1/say", json={"text": "a"}).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(
            ("GET", path)
            for path in ("/sign-in", "/sitemap.xml", "/robots.txt", "/favicon.ico", "/static/1/no.js", "/metrics")
        ),
        *(("POST", path) for path in ("/choices", "/sign-out", "/slack/webhook")),
    ],
)
def test_what_answers_everyone_counts_by_address(make_app: MakeApp, program: Client, method: str, path: str) -> None:
    """Without a key, and also where it is refused for something else; other addresses are not concerned."""
    app = make_app(requests_per_minute=2, keys=True, slack_webhook_token="t" * 20)
    client = program(app, address="10.0.0.1")
    answers = [client.request(method, path, follow_redirects=False) for _ in range(3)]
    assert [answer.status_code == 429 for answer in answers] == [False, False, True]
    assert answers[2].headers["Retry-After"] == "50"
    assert program(app, address="10.0.0.2").request(method, path, follow_redirects=False).status_code != 429


def test_health_is_never_refused(make_app: MakeApp, program: Client) -> None:
    """Who runs the service asks for it every few seconds, and a copy that is asked too often is not sick."""
    client = program(make_app(requests_per_minute=1))
    for path in ("live", "ready") * 3:
        answer = client.get(f"/api/v1/health/{path}")
        assert answer.status_code == 200
        assert "RateLimit" not in answer.headers


def test_old_counts_are_cleared_up(make_app: MakeApp, database_url: str, clock: Any, program: Client) -> None:
    """The first request of a minute deletes what earlier ones counted."""
    app = make_app(router, database=database_url)
    client = program(app)
    for _ in range(3):
        client.get("/api/v1/look")
        clock.move(minutes=1)
    client.get("/api/v1/look")
    with app.state.service.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Count)) == 2


def test_copies_count_together(database_url: str, clock: Any) -> None:
    """Two copies on one database, at once: nothing is lost, and nobody waits for the other forever."""
    copies = [Service(Settings(), Database(database_url), clock) for _ in range(2)]
    visit = Visit("id", "10.0.0.1", 0, Owner("o", "key"))

    def ask(service: Service) -> None:
        for _ in range(25):
            spend(service, visit, "requests", 1000)

    threads = [threading.Thread(target=ask, args=(copies[n % 2],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with copies[0].database.reading() as session:
        assert set(session.scalars(select(Count.used))) == {100}
    for copy in copies:
        copy.database.close()


def test_a_body_that_says_it_is_too_large_is_not_read(make_app: MakeApp, program: Client) -> None:
    """413 as a problem, from the header alone."""
    client = program(make_app(router))
    answer = client.post("/api/v1/say", content=b"{}", headers={"Content-Length": str(100 * MIB)})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_without_an_end_is_not_read_to_the_end(make_app: MakeApp, program: Client) -> None:
    """A body whose length was not told is counted as it comes."""
    sent = 0

    def forever() -> Iterator[bytes]:
        nonlocal sent
        while sent < 64 * MIB:
            sent += MIB
            yield b" " * MIB

    answer = program(make_app(router)).post("/api/v1/say", content=forever())
    assert answer.status_code == 413


def test_a_long_text_is_taken(make_app: MakeApp, program: Client) -> None:
    """A text of the largest size fits, however JSON writes it."""
    client = program(make_app(router))
    text = "错" * (MIB // 3)
    assert client.post("/api/v1/say", json={"text": text}).json() == len(text)


def test_a_route_for_files_takes_more(make_app: MakeApp, program: Client) -> None:
    """As much as a file may have, and not more."""
    client = program(make_app(router, max_upload_mib=8))
    assert client.post("/api/v1/file", content=b"0" * (8 * MIB)).json() == 8 * MIB
    assert client.post("/api/v1/file", content=b"0" * (10 * MIB)).status_code == 413
