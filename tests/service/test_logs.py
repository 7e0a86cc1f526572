"""Logs: one line for each request, with its id, and nothing of what people send."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from kerasdoctor.service.access import Asker
from kerasdoctor.service.logs import configure_logs
from kerasdoctor.service.settings import Settings
from pydantic import BaseModel
from sqlalchemy import text

MakeApp = Callable[..., FastAPI]
Client = Callable[..., TestClient]
router = APIRouter(prefix="/api/v1")
SECRET = "hunter2-s3cret"  # noqa: S105 - what must not be logged


class Told(BaseModel):
    text: str


@router.post("/chats/{chat}")
def fail(chat: str, told: Told, owner: Asker) -> None:
    """Fail with what was sent in the message, as libraries do, with a cause that quotes it too."""
    structlog.get_logger("kerasdoctor.test").info("at work", kind=owner.kind)
    logging.getLogger("some.library").warning("a library's own line")
    try:
        int(told.text)
    except ValueError as error:
        raise RuntimeError(f"{chat} {told.text}") from error


@router.post("/database")
def database(told: Told, owner: Asker) -> None:
    """Let the database fail on what was sent."""
    del told, owner
    with FAILING[0].session() as session:
        session.execute(text("SELECT * FROM nowhere WHERE a = :a"), {"a": SECRET})


FAILING: list[Any] = []


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_request_is_one_line(make_app: MakeApp, program: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """Id, method, the route's template, status, time, the kind of owner; its own id, if it is a sane one, is taken."""
    client = program(make_app(router))
    configure_logs(Settings(log_json=True))
    client.get("/api/v1/nothing", headers={"X-Request-ID": "abc-12345"})
    answer = client.get("/api/v1/nothing", headers={"X-Request-ID": 'a" b\\c' * 40})
    first, second = lines(capsys)
    assert first.pop("ms") >= 0
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "event": "request",
        "level": "info",
        "request": "abc-12345",
        "method": "GET",
        "route": "-",
        "status": 404,
        "owner": "-",
    }
    assert second["request"] == answer.headers["x-request-id"]
    assert len(second["request"]) == 32


def test_on_a_terminal_it_is_key_value(make_app: MakeApp, program: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """For people: the time, the level and what happened come first."""
    client = program(make_app(router))
    configure_logs(Settings())
    client.get("/api/v1/nothing")
    assert " level=info event=request request=" in capsys.readouterr().err


@pytest.mark.parametrize("as_json", [False, True])
def test_nothing_of_what_is_sent_is_logged(
    make_app: MakeApp, program: Client, browser: Client, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    """Not in a traceback, not of a path, a query, a header, a cookie or a body; what failed and where is there."""
    app = make_app(router)
    FAILING[:] = [app.state.service.database]
    configure_logs(Settings(log_json=as_json, log_level="debug"))
    client = program(app)
    sent = {"text": f"ValueError: {SECRET}"}
    answer = client.post(f"/api/v1/chats/{SECRET}?token={SECRET}", json=sent, headers={"User-Agent": SECRET})
    assert answer.status_code == 500
    assert client.post("/api/v1/database", json=sent).status_code == 503
    assert program(app, f"kd_{SECRET}").get("/api/v1/chats/a").status_code == 405
    assert program(app, f"kd_{SECRET}").post("/api/v1/database", json=sent).status_code == 401
    visitor = browser(app)
    visitor.cookies.set("kerasdoctor", SECRET, domain="127.0.0.1")
    visitor.get(f"/{SECRET}")
    visitor.post("/sign-in", data={"key": SECRET})
    client.post("/api/v1/chats/a", content=SECRET)
    client.get("/api/v1/chats/a", headers={"Host": f"{SECRET}.example"})
    client.request(SECRET.upper(), "/api/v1/chats/a")
    told = capsys.readouterr().err
    assert SECRET not in told
    assert SECRET.upper() not in told
    assert "RuntimeError at" in told
    assert "ValueError at" in told
    assert "test_logs.py:" in told
    assert answer.headers["x-request-id"] in told


def test_all_that_happens_in_a_request_has_its_id(
    make_app: MakeApp, program: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also what a route logs in its thread, and what a library logs."""
    client = program(make_app(router))
    configure_logs(Settings(log_json=True))
    client.post("/api/v1/chats/a", json={"text": "x"}, headers={"X-Request-ID": "abc-12345"})
    told = lines(capsys)
    assert [line["event"] for line in told] == ["at work", "a library's own line", "failed", "request"]
    assert {line["request"] for line in told} == {"abc-12345"}
    assert told[-1]["owner"] == "local"
    assert told[-1]["route"] == "/api/v1/chats/{chat}"
