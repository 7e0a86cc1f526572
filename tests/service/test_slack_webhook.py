"""The plain webhook, for setups without an app."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from .slack_checks import actions, check, words
from .slack_stand_in import FORM, JSON, StandIn
from .slack_world import SHAPES, UNKNOWN, served


@pytest.fixture(scope="module")
def plain(slack: StandIn, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service that has a webhook and no app."""
    data = tmp_path_factory.mktemp("webhook")
    shutil.copy(sqlite_template, data / "test.db")
    told = {"slack_signing_secret": "", "slack_webhook_token": "tok"}
    with served(slack, f"sqlite:///{data / 'test.db'}", data, **told) as world:
        yield world.client


def test_the_webhook_answers_in_its_response(plain: TestClient) -> None:
    """A form as Slack sends it, JSON as others do; within Slack's limits, without buttons that nobody would hear."""
    form = {"token": "tok", "text": f"kd: {SHAPES}", "trigger_word": "kd:", "user_name": "ann", "channel_id": "C1"}
    for told in ({"data": form}, {"json": {"token": "tok", "text": SHAPES}}):
        began = time.monotonic()
        answer = plain.post("/slack/webhook", **told)
        assert time.monotonic() - began < 3
        assert "hapes" in answer.json()["text"]
        check(answer.json()["text"], answer.json()["blocks"])
        assert not actions(answer.json()["blocks"])
        assert "What to do" in words(answer.json()["blocks"])


def test_the_webhook_is_silent_where_nobody_asked(plain: TestClient) -> None:
    """Bots, empty texts, and what is not known in a channel of which it hears everything."""
    ours = {"token": "tok", "channel_id": "C1"}
    for told in (
        {"text": UNKNOWN},
        {"text": " "},
        {"text": SHAPES, "user_name": "slackbot"},
        {"text": SHAPES, "bot_id": "B1"},
    ):
        assert plain.post("/slack/webhook", data=ours | told).json() == {}
    assert plain.post("/slack/webhook", data=ours | {"text": "kd " + UNKNOWN, "trigger_word": "kd"}).json()["text"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"text=loss+is+nan", FORM, 401),
        (b"token=no&text=x", FORM, 401),
        ("token=é&text=x".encode(), FORM, 401),
        (b'{"text": "loss is nan"}', JSON, 401),
        (b'{"token": ["tok"], "text": "x"}', JSON, 401),
        (b"[]", JSON, 400),
        (b'{"a":' * 50_000, JSON, 400),
        (b"\xff=1", FORM, 400),
        (b"&a=1" * 100, FORM, 400),
        (b"token=tok", "text/plain", 400),
        (b"token=tok&text=" + b"a" * 1_100_000, FORM, 413),
    ],
)
def test_the_webhook_takes_nothing_else(plain: TestClient, body: bytes, kind: str, status: int) -> None:
    assert plain.post("/slack/webhook", content=body, headers={"Content-Type": kind}).status_code == status
