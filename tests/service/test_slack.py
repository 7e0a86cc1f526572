"""kerasdoctor in Slack, against a stand-in of Slack's API, on both kinds of database."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from kerasdoctor.service.app import create_app
from kerasdoctor.service.database import Database
from kerasdoctor.service.settings import Settings
from kerasdoctor.service.slack.client import Pace
from kerasdoctor.service.tables import Chat, Feedback, Job, Message, SlackSeen, SlackState, Upload, now
from sqlalchemy import func, select, update

from .conftest import _copy_of
from .slack_checks import Json, actions, words
from .slack_stand_in import BOT, CLIENT, FORM, JSON, SECRET, StandIn, Workspace, signed, standing_in

SHAPES = "ValueError: Shapes (None, 1) and (None, 10) are incompatible"
NAN = "why is my loss nan?"
UNKNOWN = "Traceback (most recent call last):\n  File \"a.py\", line 3, in <module>\n    row['Age']\nKeyError: 'Age'"
NOTHING = (0, {}, {})


@dataclass
class World:
    """The service with Slack; each test has its own channels."""

    slack: StandIn
    app: FastAPI
    client: TestClient
    one: Workspace
    two: Workspace
    names: Iterator[int] = field(default_factory=lambda: iter(range(10**6)))

    @property
    def database(self) -> Database:
        found: Database = self.app.state.service.database
        return found

    def channel(self, kind: str = "C", team: str = "T1") -> str:
        """A new channel that the app is in."""
        name = f"{kind}{time.monotonic_ns()}"
        self.slack.channels[name] = team
        return name

    def idle(self) -> None:
        """Wait until nothing is under way."""
        until(lambda: not self.count(Job, Job.state.in_(("queued", "running"))))

    def count(self, table: Any, *where: Any) -> int:
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(table).where(*where)) or 0

    def answers(self, channel: str, number: int = 1) -> list[Json]:
        """What was posted in a channel, once nothing is under way."""
        self.idle()
        posted = self.slack.said(channel)
        assert len(posted) == number, [each["text"] for each in posted]
        return posted


def until(done: Callable[[], object], seconds: float = 15) -> None:
    """Wait for something."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@contextmanager
def served(slack: StandIn, database: str, data: Path, **settings: Any) -> Iterator[World]:
    """The application, with the workspaces of the stand-in."""
    told = {
        "slack_signing_secret": SECRET,
        "slack_api_url": slack.api,
        "slack_max_file_mib": 1,
        "messages_per_minute": 10_000,
        "jobs": 4,
    }
    app = create_app(Settings(database=database, data=data, **(told | settings)), warm=False)
    with TestClient(app, "http://127.0.0.1", follow_redirects=False, raise_server_exceptions=False) as client:
        yield World(slack, app, client, Workspace(slack, client), Workspace(slack, client, "T2"))


ONE = {"slack_bot_token": "xoxb-one"}
OAUTH = {"slack_client_id": CLIENT[0], "slack_client_secret": CLIENT[1], "secret": "a long random text"}


def install(world: World, token: str) -> Any:
    """Go through Slack's pages, and come back."""
    begun = world.client.get("/slack/install")
    assert begun.status_code == 302, begun.text
    state = begun.headers["location"].partition("state=")[2].partition("&")[0]
    code = f"code{time.monotonic_ns()}"
    world.slack.codes[code] = token
    cookie = {"Cookie": begun.headers["set-cookie"].partition(";")[0]}
    world.client.cookies.clear()
    return world.client.get("/slack/oauth_redirect", params={"code": code, "state": state}, headers=cookie)


@pytest.fixture(scope="module")
def slack() -> Iterator[StandIn]:
    with standing_in() as slack:
        yield slack


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def the_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database for the tests of this file."""
    if request.param == "postgresql":
        with _copy_of(request.getfixturevalue("postgresql"), "template") as url:
            yield url
    else:
        file = tmp_path_factory.mktemp("slack") / "slack.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        yield f"sqlite:///{file}"


@pytest.fixture(scope="module")
def the_world(slack: StandIn, the_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with served(slack, the_url, tmp_path_factory.mktemp("data"), **OAUTH) as world:
        assert install(world, "xoxb-one").status_code == 200
        assert install(world, "xoxb-two").status_code == 200
        yield world


@pytest.fixture
def world(the_world: World) -> Iterator[World]:
    """The service, with two workspaces; what Slack did not expect fails the test."""
    the_world.slack.responses.clear()
    yield the_world
    the_world.idle()
    assert not the_world.slack.faults
    assert not [left for left in the_world.slack.plan.values() if left]


# Who is heard.


def test_a_mention_is_answered_in_its_thread(world: World) -> None:
    """Slack is told within a moment that it was taken, however slow Slack itself is; the answer comes as blocks."""
    channel = world.channel()
    world.slack.next("chat.postMessage", lambda _: time.sleep(0.5))
    began = time.monotonic()
    ts = world.one.mention(SHAPES, channel)
    assert time.monotonic() - began < 0.5
    (answer,) = world.answers(channel)
    assert answer["thread_ts"] == ts
    assert "shapes" in answer["text"].lower()
    assert {"kd:why", "kd:helped", "kd:not_helped"} <= set(actions(answer["blocks"]))


def test_chinese_is_answered_in_chinese(world: World) -> None:
    channel = world.channel()
    world.one.mention("GPU 用不了，训练很慢", channel)
    assert "怎么" in str(world.answers(channel)[0]["blocks"])


def test_what_slack_sends_again_is_answered_once(world: World) -> None:
    """The same event, the message beside its mention, also to another copy of the service at the same time."""
    channel, ts = world.channel(), world.slack.ts()
    event = {"type": "app_mention", "user": "U1", "text": f"<@{BOT}> {SHAPES}", "ts": ts, "channel": channel}
    message = {**event, "type": "message", "channel_type": "channel"}
    for each in (event, event, message):
        assert world.one.event(each, event_id="Ev1").status_code == 200
    settings = {"data": world.app.state.service.settings.data, **OAUTH}
    with served(world.slack, world.app.state.service.settings.database, **settings) as copy:
        assert copy.one.event(event, event_id="Ev1").status_code == 200
    world.answers(channel)


def test_direct_messages_are_one_talk(world: World) -> None:
    """Answered always, not known or not, below each other; "why?" is about what was said before; after a pause it is a new case."""
    channel = world.channel("D")
    world.one.say(NAN, channel)
    first = world.answers(channel)[0]
    assert "thread_ts" not in first
    world.one.say("why?", channel)
    assert "Why it happens" in words(world.answers(channel, 2)[1]["blocks"])
    chats = world.count(Chat)
    with world.database.session() as session:
        session.execute(update(Chat).values(changed_at=now() - timedelta(hours=2)))
    world.one.say(UNKNOWN, channel)
    assert "not" in world.answers(channel, 3)[2]["text"].lower()
    assert world.count(Chat) == chats + 1


def test_in_channels_only_the_person_whom_it_helps_is_heard(world: World) -> None:
    """Nothing without a mention; in its thread a follow-up of who asked, not of others, not to others."""
    channel = world.channel()
    world.one.say(SHAPES, channel)
    world.one.say(SHAPES, channel, thread_ts="1.2")
    world.answers(channel, 0)
    ts = world.one.mention(NAN, channel)
    world.answers(channel)
    world.one.say("why?", channel, user="U2", thread_ts=ts)
    world.one.say("<@U2> why?", channel, thread_ts=ts)
    world.answers(channel)
    world.one.say("why?", channel, thread_ts=ts)
    assert world.answers(channel, 2)[1]["thread_ts"] == ts
    world.one.mention("why?", channel, user="U2", thread_ts=ts)
    world.answers(channel, 3)
    world.one.say("why?", channel, user="U2", thread_ts=ts)
    world.answers(channel, 4)


def test_what_is_not_known_is_told_only_to_who_asked(world: World) -> None:
    """Mentioned: "not known". In a thread, without a mention: silence."""
    channel = world.channel()
    ts = world.one.mention(UNKNOWN, channel)
    world.answers(channel)
    before = world.count(Message, Message.role == "answers")
    world.one.say("TypeError: foo() got 2 frobs", channel, thread_ts=ts)
    world.one.say("thanks, I will look tomorrow", channel, thread_ts=ts)
    world.answers(channel)
    assert world.count(Message, Message.role == "answers") > before


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


# What is safe.


def test_only_what_slack_signed_is_read(world: World) -> None:
    """Wrong secrets, old signatures, changed bodies, missing and odd headers: 401, the same for all, and nothing is taken."""
    event = {"type": "app_mention", "user": "U1", "text": SHAPES, "ts": "5.5", "channel": "C1"}
    body = json.dumps({"type": "event_callback", "team_id": "T1", "event_id": "E", "event": event}).encode()
    good = signed(body)
    bad = [
        signed(body, "another secret"),
        signed(body, at=time.time() - 301),
        signed(body, at=time.time() + 301),
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


# Files.


def test_a_traceback_in_a_file_is_read_as_text(world: World) -> None:
    """And what is secret in it is masked."""
    channel = world.channel("D")
    file = world.slack.file(
        "error.txt", f'Traceback (most recent call last):\n  File "/home/ann/a.py"\n{SHAPES}'.encode()
    )
    world.one.say("", channel, files=[file], subtype="file_share")
    assert "shapes" in world.answers(channel)[0]["text"].lower()
    with world.database.reading() as session:
        assert not session.scalar(select(Message.id).where(Message.text.contains("ann")))
        assert session.scalar(select(Message.id).where(Message.text.contains("<user>/a.py")))


def test_a_model_file_is_examined(world: World, digits: bytes) -> None:
    """It is fetched with the token of its workspace, kept as an upload, and its fault stands in the answer."""
    channel = world.channel("D")
    world.one.say("my model does not learn", channel, files=[world.slack.file("digits.keras", digits)])
    answer = world.answers(channel)[0]
    assert "digits.keras" in words(answer["blocks"])
    assert world.count(Upload, Upload.name == "digits.keras", Upload.blob.is_not(None)) == 1


@pytest.mark.parametrize(
    ("told", "note"),
    [
        ({"size": 2 << 20}, "larger than 1 MiB"),
        ({"size": None}, "larger than 1 MiB"),
        ({"hidden": True}, "could not be fetched"),
        ({"size": 9}, "could not be fetched"),  # there is more of it, or less, than was said
        ({"size": 100}, "could not be fetched"),
        ({"moved": "http://127.0.0.1:9/secret"}, "could not be fetched"),
        ({"url_private_download": "http://127.0.0.1:9/secret"}, "could not be fetched"),
        ({"url_private_download": "https://slack.com.example.org/x"}, "could not be fetched"),
        ({"url_private_download": "file:///etc/passwd"}, "could not be fetched"),
    ],
)
def test_what_cannot_be_fetched_is_told_and_the_rest_is_answered(world: World, told: Json, note: str) -> None:
    """No other address than Slack's is asked, no redirect followed, and nothing is left of half a file."""
    channel = world.channel("D")
    uploads = world.count(Upload)
    world.one.say(SHAPES, channel, files=[world.slack.file("m.keras", b"0123456789" * 2, **told)])
    answer = world.answers(channel)[0]
    assert note in words(answer["blocks"][:1])
    assert "hapes" in words(answer["blocks"][1:])
    assert world.count(Upload) == uploads


# Posting.


def test_who_waits_is_told_and_the_answer_takes_its_place(world: World) -> None:
    channel = world.channel()
    world.slack.next("files.info", lambda _: time.sleep(2.4))
    world.one.mention(NAN, channel, files=[world.slack.file("a.txt", SHAPES.encode())])
    until(lambda: world.slack.said(channel))
    assert "Looking" in world.slack.said(channel)[0]["text"]
    (answer,) = world.answers(channel)
    assert answer["edited"]
    assert "kd:helped" in actions(answer["blocks"])


def test_slacks_limit_is_waited_for(world: World) -> None:
    """As long as Slack says; not for an hour."""
    channel = world.channel()
    limited = (429, {"Retry-After": "1"}, {"ok": False, "error": "ratelimited"})
    world.slack.next("chat.postMessage", lambda _: limited)
    world.one.mention(SHAPES, channel)
    world.answers(channel)
    first, second = [
        at for name, told, at in world.slack.calls if name == "chat.postMessage" and told["channel"] == channel
    ]
    assert 1 <= second - first < 5
    world.slack.next(
        "chat.postMessage", lambda _: (429, {"Retry-After": "3600"}, {"ok": False, "error": "ratelimited"})
    )
    world.one.mention(SHAPES, channel)
    world.answers(channel)


def test_an_answer_that_slack_took_is_not_posted_again(world: World) -> None:
    """Not where Slack's reply was lost, not where the process died before it was noted."""
    channel = world.channel()
    world.slack.next("chat.postMessage", lambda _: NOTHING)
    world.one.mention(SHAPES, channel)
    world.answers(channel)
    assert len([t for t in world.slack.called("chat.postMessage") if t["channel"] == channel]) == 1
    with world.database.session() as session:
        job = session.scalars(select(Job).where(Job.kind == "slack_post").order_by(Job.made_at.desc())).first()
        assert job is not None
        job.state, job.tries = "queued", 1
    world.answers(channel)


def test_a_server_error_of_slack_is_tried_again(world: World) -> None:
    channel = world.channel("D")
    world.slack.next("chat.postMessage", lambda _: (503, {}, {"ok": False, "error": "service_unavailable"}))
    world.one.say(SHAPES, channel)
    world.answers(channel)


def test_one_message_a_second_in_each_channel() -> None:
    pace, began = Pace(0.1), time.monotonic()
    for channel in ("C1", "C2", "C1", "C1", "C2"):
        pace.wait(channel)
    assert 0.2 <= time.monotonic() - began < 0.5


# Buttons, the command, the shortcut.


def asked(world: World, text: str = NAN) -> tuple[str, Json]:
    """A channel with an answer."""
    channel = world.channel()
    world.one.mention(text, channel)
    return channel, world.answers(channel)[0]


def test_why_and_details_are_posted_in_the_thread(world: World) -> None:
    channel, answer = asked(world)
    assert world.one.press(answer, "kd:why", channel).status_code == 200
    why = world.answers(channel, 2)[1]
    assert why["thread_ts"] == answer["thread_ts"]
    assert "Why it happens" in words(why["blocks"])
    world.one.press(answer, "kd:details", channel)
    assert "Sources" in words(world.answers(channel, 3)[2]["blocks"])


@pytest.mark.parametrize("helped", [True, False])
def test_feedback_is_kept_and_thanked_for(world: World, helped: bool) -> None:
    """The buttons give way to a note. What did not help is ruled out, and another answer comes."""
    channel, answer = asked(world)
    before = world.count(Feedback, Feedback.helped.is_(helped))
    world.one.press(answer, "kd:helped" if helped else "kd:not_helped", channel)
    posted = world.answers(channel, 1 if helped else 2)
    (thanks,) = world.slack.responses
    assert thanks["replace_original"] is True
    assert "kd:why" in actions(thanks["blocks"])
    assert "kd:helped" not in actions(thanks["blocks"])
    assert "hank you" in str(thanks["blocks"][-1])
    assert world.count(Feedback, Feedback.helped.is_(helped)) == before + 1
    if not helped:
        assert posted[1]["text"] != answer["text"]


def test_an_option_is_chosen(world: World) -> None:
    channel, answer = asked(world, "GPU 用不了，训练很慢")
    option = next(each for each in actions(answer["blocks"]) if each.startswith("kd:choose"))
    world.one.press(answer, option, channel)
    world.answers(channel, 2)


def test_buttons_of_others_and_of_nobody_do_nothing(world: World) -> None:
    """The id in a button counts only in the workspace whose answer it is."""
    channel, answer = asked(world)
    jobs = world.count(Job)
    assert world.two.press(answer, "kd:why", channel).status_code == 200
    assert world.two.press(answer, "kd:helped", channel).status_code == 200
    for told in (
        {"value": "nobody"},
        {"value": "x" * 3000},
        {"value": None},
        {"action_id": "kd:choose:99"},
        {"action_id": "kd:x"},
    ):
        assert world.one.press(answer, "kd:why", channel, **told).status_code == 200
    world.idle()
    assert world.count(Job) == jobs


def test_no_other_address_is_answered_to(world: World) -> None:
    """A response_url that is not Slack's is not asked."""
    world.one.command(NAN, response_url="http://127.0.0.1:9/x")
    world.idle()
    assert not world.slack.responses
    with world.database.reading() as session:
        assert (
            session.scalar(select(Job.state).where(Job.kind == "slack_post").order_by(Job.made_at.desc()).limit(1))
            == "failed"
        )


def test_the_command_answers_the_one_who_gave_it(world: World) -> None:
    """For their eyes; the buttons of it answer there too. Without a text it tells how it is used."""
    taken = world.one.command(NAN)
    assert (taken.status_code, taken.text) == (200, "")
    world.idle()
    (answer,) = world.slack.responses
    assert answer["response_type"] == "ephemeral"
    button = next(
        e for b in answer["blocks"] if b["type"] == "actions" for e in b["elements"] if e["action_id"] == "kd:why"
    )
    container = {"type": "message", "message_ts": "9.9", "channel_id": "C1", "is_ephemeral": True}
    world.one.interact({"type": "block_actions", "container": container, "actions": [button | {"action_ts": "9.9"}]})
    world.idle()
    assert "Why it happens" in words(world.slack.responses[1]["blocks"])
    helped = world.one.command(" ").json()
    assert "/kerasdoctor" in helped["text"]


def shortcut(world: World, channel: str, **message: Any) -> Any:
    told = {"type": "message", "user": "U5", "ts": world.slack.ts(), "text": NAN, **message}
    return world.one.interact(
        {"type": "message_action", "callback_id": "diagnose", "channel": {"id": channel}, "message": told}
    )


def test_the_shortcut_answers_in_the_messages_thread(world: World) -> None:
    """Also what a bot wrote, in an attachment; where the app is not in the channel, whoever asked sees it alone."""
    channel = world.channel()
    assert shortcut(world, channel, text="", attachments=[{"fallback": SHAPES}], bot_id="B3").status_code == 200
    assert "shapes" in world.answers(channel)[0]["text"].lower()
    world.slack.next("chat.postMessage", lambda _: (200, {}, {"ok": False, "error": "not_in_channel"}))
    shortcut(world, channel)
    world.answers(channel)
    assert len(world.slack.responses) == 1


# Workspaces.


def test_each_workspace_has_its_own_token_and_chats(world: World) -> None:
    channel = world.channel(team="T2")
    world.two.mention(SHAPES, channel)
    world.answers(channel)
    unknown = Workspace(world.slack, world.client, "T3")
    jobs = world.count(Job)
    unknown.mention(SHAPES, channel)
    assert "isn't installed" in unknown.command(NAN).json()["text"]
    assert world.count(Job) == jobs


def test_a_state_is_valid_once_in_one_browser_for_ten_minutes(world: World) -> None:
    begun = world.client.get("/slack/install")
    assert begun.headers["location"].startswith("https://slack.com/oauth/v2/authorize?")
    state = begun.headers["location"].partition("state=")[2].partition("&")[0]
    cookie = {"Cookie": begun.headers["set-cookie"].partition(";")[0]}
    world.client.cookies.clear()

    def back(headers: Json, **told: str) -> Any:
        return world.client.get("/slack/oauth_redirect", params={"code": "no", "state": state, **told}, headers=headers)

    assert back({}).status_code == 400
    refused = back(cookie, error="<script>")
    assert (refused.status_code, "script" in refused.text) == (400, False)
    assert "invalid_code" in back(cookie).text
    assert "invalid_state" in back(cookie).text
    late = world.client.get("/slack/install")
    with world.database.session() as session:
        session.execute(update(SlackState).values(ends_at=now()))
    state = late.headers["location"].partition("state=")[2].partition("&")[0]
    assert "invalid_state" in back({"Cookie": late.headers["set-cookie"].partition(";")[0]}).text
    world.client.cookies.clear()


def test_tokens_are_encrypted_and_secrets_can_be_replaced(slack: StandIn, sqlite_url: str, tmp_path: Path) -> None:
    """Nothing of a token is in the database. A new secret before the old one opens what the old one closed; without it: told."""
    with served(slack, sqlite_url, tmp_path, **OAUTH) as world:
        assert install(world, "xoxb-one").status_code == 200
    assert not [file for file in tmp_path.glob("test.db*") if b"xoxb-one" in file.read_bytes()]
    for secret, works in (("new, a long random text", True), ("new", False)):
        with served(slack, sqlite_url, tmp_path, **OAUTH | {"secret": secret}) as world:
            channel = world.channel()
            event = {"type": "app_mention", "user": "U1", "text": SHAPES, "ts": world.slack.ts(), "channel": channel}
            assert world.one.event(event).status_code == (200 if works else 500)
            world.answers(channel, 1 if works else 0)


def test_an_uninstalled_app_forgets_its_token(slack: StandIn, sqlite_url: str, tmp_path: Path) -> None:
    """By Slack's event, by that of the bot's token, or when the API says so."""
    with served(slack, sqlite_url, tmp_path, **OAUTH) as world:
        for told in ({"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"bot": ["UBOT"]}}):
            install(world, "xoxb-one")
            world.one.event({"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}})
            assert world.one.command("").json()["text"].startswith("Paste")
            world.one.event(told)
            assert "isn't installed" in world.one.command("").json()["text"]
        install(world, "xoxb-one")
        world.slack.next("chat.postMessage", lambda _: (200, {}, {"ok": False, "error": "token_revoked"}))
        world.one.mention(SHAPES, world.channel())
        world.idle()
        assert "isn't installed" in world.one.command("").json()["text"]


def test_one_workspace_needs_its_token_alone(slack: StandIn, sqlite_url: str, tmp_path: Path) -> None:
    with served(slack, sqlite_url, tmp_path, **ONE) as world:
        channel = world.channel()
        world.one.mention(SHAPES, channel)
        world.answers(channel)
        assert world.client.get("/slack/install").status_code == 404


def test_without_a_secret_nothing_is_installed(slack: StandIn, sqlite_url: str, tmp_path: Path) -> None:
    with served(slack, sqlite_url, tmp_path, **OAUTH | {"secret": ""}) as world:
        for path in ("install", "oauth_redirect"):
            refused = world.client.get(f"/slack/{path}")
            assert refused.status_code == 409
            assert "KERASDOCTOR_SECRET" in refused.json()["detail"]


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


# The plain webhook.


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
