"""kerasdoctor in Slack, as people meet it, against a stand-in of Slack's API, on both kinds of database."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from kerasdoctor.service.tables import Chat, Feedback, Job, Message, Upload, now
from sqlalchemy import select, update

from .conftest import _copy_of
from .slack_checks import Json, actions, words
from .slack_stand_in import BOT, StandIn, Workspace
from .slack_world import NAN, OAUTH, SHAPES, UNKNOWN, World, install, served, until

NOTHING = (0, {}, {})


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
    """The service, with two workspaces."""
    with the_world.checked():
        yield the_world


def test_a_mention_is_answered_in_its_thread(world: World) -> None:
    """Slack is told that it was taken before Slack has taken anything itself; the answer comes as blocks."""
    channel = world.channel()
    acknowledged = threading.Event()

    def slow(_: Json) -> None:
        acknowledged.wait(60)

    world.slack.next("chat.postMessage", slow)
    ts = world.one.mention(SHAPES, channel)
    acknowledged.set()
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


def test_each_workspace_has_its_own_token_and_chats(world: World) -> None:
    channel = world.channel(team="T2")
    world.two.mention(SHAPES, channel)
    world.answers(channel)
    unknown = Workspace(world.slack, world.client, "T3")
    jobs = world.count(Job)
    unknown.mention(SHAPES, channel)
    assert "isn't installed" in unknown.command(NAN).json()["text"]
    assert world.count(Job) == jobs
