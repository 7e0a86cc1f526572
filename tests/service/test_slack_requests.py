"""What reaches Slack's addresses: what is signed, what is odd, what comes from elsewhere; and what Slack's API refuses."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from kerasdoctor.service.slack.hearing import spoken
from kerasdoctor.service.slack.pacing import Pace
from kerasdoctor.service.slack.place import is_slacks
from kerasdoctor.service.tables import Job, Message, SlackSeen, Upload
from sqlalchemy import select

from .slack_checks import Json, words
from .slack_stand_in import JSON, StandIn, signed, standing_in
from .slack_world import NAN, OAUTH, ONE, SHAPES, World, install, served


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[StandIn]:
    """Another host, which notes what is asked of it."""
    with standing_in() as elsewhere:
        yield elsewhere


@pytest.fixture(scope="module")
def the_world(slack: StandIn, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    data = tmp_path_factory.mktemp("requests")
    shutil.copy(sqlite_template, data / "test.db")
    with served(slack, f"sqlite:///{data / 'test.db'}", data, **OAUTH) as world:
        assert install(world, "xoxb-one").status_code == 200
        yield world


@pytest.fixture
def world(the_world: World) -> Iterator[World]:
    """The service, with a workspace."""
    with the_world.checked():
        yield the_world


@pytest.mark.parametrize(
    "told",
    [
        {"bot_id": "B7"},
        {"subtype": "bot_message"},
        {"subtype": "message_changed", "message": {"text": SHAPES}},
        {"subtype": "message_deleted"},
        {"subtype": "channel_join"},
        {"edited": {"user": "U1", "ts": "1.1"}},
        {"user": None},
        {"ts": None},
        {"ts": "1" * 100},
        {"channel": {"id": "C1"}},
    ],
)
def test_bots_edits_and_odd_events_are_not_answered(world: World, told: Json) -> None:
    seen = world.count(SlackSeen)
    event = {
        "type": "message",
        "channel_type": "im",
        "user": "U1",
        "text": SHAPES,
        "ts": world.slack.ts(),
        "channel": "D1",
    }
    assert world.one.event(event | told).status_code == 200
    assert world.one.event(event | told | {"type": "app_mention"}).status_code == 200
    assert world.count(SlackSeen) == seen


def test_only_what_slack_signed_is_read(world: World) -> None:
    """Wrong secrets, old signatures, changed bodies, missing and odd headers: 401, the same for all, and nothing is taken."""
    event = {"type": "app_mention", "user": "U1", "text": SHAPES, "ts": "5.5", "channel": "C1"}
    body = json.dumps({"type": "event_callback", "team_id": "T1", "event_id": "E", "event": event}).encode()
    good = signed(body)
    bad = [
        signed(body, "another secret"),
        signed(body, at=time.time() - 301),
        signed(
            body, at=time.time() + 3600
        ),  # far enough: 301 s ahead would come within Slack's five minutes while this runs
        signed(body + b" "),
        {},
        {"X-Slack-Signature": good["X-Slack-Signature"]},
        {"X-Slack-Request-Timestamp": good["X-Slack-Request-Timestamp"]},
        good | {"X-Slack-Request-Timestamp": "soon"},
        good | {"X-Slack-Signature": "v0="},
        good | {"X-Slack-Signature": "v0=é".encode()},
    ]
    seen, jobs = world.count(SlackSeen), world.count(Job)
    for path in ("events", "commands", "interactions"):
        for headers in bad:
            answer = world.client.post(f"/slack/{path}", content=body, headers={"Content-Type": JSON, **headers})
            assert answer.status_code == 401, (path, headers)
            assert answer.headers["content-type"] == "application/problem+json"
    unread = b'{"a":' * 100_000
    assert world.client.post("/slack/events", content=unread, headers={"Content-Type": JSON}).status_code == 401
    assert world.client.post("/slack/events", content=b"\xff", headers=signed(b"x")).status_code == 401
    assert (world.count(SlackSeen), world.count(Job)) == (seen, jobs)


def test_slack_checks_the_address(world: World) -> None:
    """A signed challenge is given back."""
    body = json.dumps({"type": "url_verification", "token": "x", "challenge": "abc"}).encode()
    assert world.one.post("events", body, JSON).json() == {"challenge": "abc"}
    assert world.client.post("/slack/events", content=body, headers={"Content-Type": JSON}).status_code == 401


def test_events_that_nobody_handles_are_taken(world: World) -> None:
    """Slack sends what is not taken again and again; a dialog that is none of ours it does not."""
    assert world.one.event({"type": "team_join", "user": {"id": "U5"}}).status_code == 200
    assert (
        world.one.interact({"type": "view_submission", "view": {"type": "modal", "callback_id": "x"}}).status_code
        == 404
    )


def test_secrets_are_masked_before_anything_is_stored(world: World) -> None:
    """Not in the job, not in the message; markup of Slack is what its writer saw."""
    channel = world.channel()
    key = "sk-" + "a1B2" * 10
    world.one.mention(f"OPENAI_API_KEY={key} &lt;loss&gt; is nan, see <https://e.org/x|the docs>", channel)
    world.answers(channel)
    with world.database.reading() as session:
        told = [*session.scalars(select(Message.text)), *(str(each) for each in session.scalars(select(Job.arguments)))]
    assert not [each for each in told if key in each]
    assert [each for each in told if "<loss> is nan, see the docs" in each]


def test_nothing_of_what_is_said_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    channel = world.channel()
    world.slack.next("chat.postMessage", lambda _: (200, {}, {"ok": False, "error": "msg_too_long"}))
    world.one.mention("frobnicate7 loss is nan", channel)
    world.one.interact({"type": "block_actions", "actions": [{"action_id": "frobnicate7"}]})
    world.answers(channel, 0)
    assert "frobnicate7" not in caplog.text


@pytest.mark.parametrize(
    ("told", "note"),
    [
        ({"size": 2 << 20}, "larger than 1 MiB"),
        ({"size": None}, "larger than 1 MiB"),
        ({"hidden": True}, "could not be fetched"),
        ({"size": 9}, "could not be fetched"),  # there is more of it, or less, than was said
        ({"size": 100}, "could not be fetched"),
        ({"moved": "elsewhere"}, "could not be fetched"),
        ({"url_private_download": "elsewhere"}, "could not be fetched"),
        ({"url_private_download": "https://slack.com.example.org/x"}, "could not be fetched"),
        ({"url_private_download": "file:///etc/passwd"}, "could not be fetched"),
    ],
)
def test_what_cannot_be_fetched_is_told_and_the_rest_is_answered(
    world: World, elsewhere: StandIn, told: Json, note: str
) -> None:
    """No other address than Slack's is asked, no redirect followed, and nothing is left of half a file."""
    channel = world.channel("D")
    there = f"{elsewhere.address}/files-pri/F0/download/m.keras"
    told = {name: there if value == "elsewhere" else value for name, value in told.items()}
    uploads = world.count(Upload)
    world.one.say(SHAPES, channel, files=[world.slack.file("m.keras", b"0123456789" * 2, **told)])
    answer = world.answers(channel)[0]
    assert note in words(answer["blocks"][:1])
    assert "hapes" in words(answer["blocks"][1:])
    assert world.count(Upload) == uploads
    assert not elsewhere.faults


def test_a_server_error_of_slack_is_tried_again(world: World) -> None:
    channel = world.channel("D")
    world.slack.next("chat.postMessage", lambda _: (503, {}, {"ok": False, "error": "service_unavailable"}))
    world.one.say(SHAPES, channel)
    world.answers(channel)


def test_one_message_a_second_in_each_channel() -> None:
    pace, began = Pace(0.1), time.monotonic()
    for channel in ("C1", "C2", "C1", "C1", "C2"):
        pace.wait(channel)
    assert time.monotonic() - began >= 0.2


def test_no_other_address_is_answered_to(world: World, elsewhere: StandIn) -> None:
    """A response_url that is not Slack's is not asked."""
    world.one.command(NAN, response_url=f"{elsewhere.address}/respond/x")
    world.idle()
    assert not elsewhere.responses
    with world.database.reading() as session:
        assert (
            session.scalar(select(Job.state).where(Job.kind == "slack_post").order_by(Job.made_at.desc()).limit(1))
            == "failed"
        )


def test_where_slack_is_not_set_up_there_is_nothing(
    make_app: Callable[..., FastAPI], program: Callable[..., TestClient]
) -> None:
    client = program(make_app())
    for path in ("events", "commands", "interactions", "webhook"):
        assert client.post(f"/slack/{path}", content=b"{}").status_code == 404
    for path in ("install", "oauth_redirect"):
        assert client.get(f"/slack/{path}").status_code == 404


def test_a_workspace_has_a_limit(slack: StandIn, sqlite_url: str, tmp_path: Path) -> None:
    with served(slack, sqlite_url, tmp_path, **ONE, messages_per_minute=2) as world:
        told = [world.one.command(NAN).text for _ in range(6)]
        assert told[:2] == ["", ""]
        assert "in a minute" in told[-1]


@pytest.mark.parametrize(
    ("address", "slacks"),
    [
        ("https://files.slack.com/files-pri/T1-F1/download/a.h5", True),
        ("https://slack.com/x", True),
        ("https://hooks.slack.com:443/actions/T1/1/x", True),
        ("http://files.slack.com/x", False),
        ("https://files.slack.com:8443/x", False),
        ("https://slack.com.example.org/x", False),
        ("https://notslack.com/x", False),
        ("https://slack.com@example.org/x", False),
        ("https://example.org@slack.com/x", False),
        ("https://example.org/slack.com", False),
        ("file:///etc/passwd", False),
        ("https://[::1/x", False),
        ("https://slack.com:x/", False),
        ("//slack.com/x", False),
        ("", False),
    ],
)
def test_which_addresses_are_slacks(address: str, slacks: bool) -> None:
    assert is_slacks(address, "https://slack.com/api/") is slacks


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("<@UBOT> loss is nan", " loss is nan"),
        ("&lt;module&gt; &amp;amp;", "<module> &amp;"),
        ("<module>", "<module>"),
        ("see <https://e.org/a?b=c|the docs> <https://e.org>", "see the docs https://e.org"),
        ("<#C1|general> <!here> <mailto:a@e.org|a@e.org>", "general !here a@e.org"),
        ("```\nValueError: x\n```", "ValueError: x"),
        ("  \n ", ""),
    ],
)
def test_a_message_is_read_as_its_writer_sees_it(sent: str, read: str) -> None:
    assert spoken(sent, {"UBOT"}).strip() == read.strip()
