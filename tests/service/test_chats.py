"""Chats: whose they are, what is stored of a message, limits, sharing, pages, removal and sweeping."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from kerasdoctor.errors import ConflictError, NotFoundError, TooLargeError
from kerasdoctor.service.case import Asked
from kerasdoctor.service.chats import MAX_MESSAGES, MAX_OPEN, Chats
from kerasdoctor.service.database import Database
from kerasdoctor.service.events import Events
from kerasdoctor.service.jobs import Jobs
from kerasdoctor.service.settings import Settings
from kerasdoctor.service.tables import Base, Chat, DiagnosisRow, Event, Feedback, Job, Message, Owner, now
from sqlalchemy import func, select, update

PASTE = """Traceback (most recent call last):
  File "/home/ann.smith/train.py", line 3, in <module>
    wandb.login(key="0123456789abcdef0123456789abcdef01234567")
ValueError: Graph disconnected"""


@pytest.fixture
def chats(database: Database, tmp_path: Path) -> Chats:
    with database.session() as session:
        session.add_all([Owner(id="ann", kind="local"), Owner(id="bob", kind="local")])
    return opened(database, tmp_path)


def opened(database: Database, tmp_path: Path, **settings: int) -> Chats:
    events = Events(database)
    return Chats(database, events, Jobs(database, events, {}, 1, 20), Settings(data=tmp_path, **settings))  # type: ignore[arg-type]


def end_jobs(database: Database) -> None:
    with database.session() as session:
        session.execute(update(Job).values(state="done", ended_at=now()))


def count(database: Database, table: type[Base]) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_message_is_masked_before_it_is_stored(chats: Chats, database: Database) -> None:
    """Neither the message nor the title, an event or the job holds the secret or the name of the home folder."""
    chat = chats.begin("ann")
    message, job = chats.say("ann", chat.id, Asked(PASTE, uploads=("u1",), keras="3.1", lang="zh"))
    found = chats.get("ann", chat.id)
    assert [each.id for each in found.messages] == [message.id]
    assert found.title == "ValueError: Graph disconnected"
    assert (message.number, message.role, found.messages[0].asked) == (
        1,
        "asks",
        {"text": "", "uploads": ["u1"], "act": None, "choice": "", "keras": "3.1", "live": False, "lang": "zh"},
    )
    with database.reading() as session:
        stored = [
            repr({column.name: getattr(row, column.key) for column in table.__table__.columns})
            for table in (Chat, Message, Event, Job)
            for row in session.scalars(select(table))
        ]
    assert "0123456789abcdef" not in "".join(stored)
    assert "ann.smith" not in "".join(stored)
    assert [each.id for each in chats.open_jobs(chat.id)] == [job.id]
    assert chats.last_event(chat.id) > 0


def test_others_find_nothing(chats: Chats) -> None:
    """A chat of another owner is not found, whatever is asked of it."""
    chat = chats.begin("ann").id
    for ask in (chats.get, chats.remove, chats.cancel, chats.share):
        with pytest.raises(NotFoundError):
            ask("bob", chat)
    with pytest.raises(NotFoundError):
        chats.say("bob", chat, Asked("hi"))
    with pytest.raises(NotFoundError):
        chats.repair("bob", chat, "u", "keras3")
    with pytest.raises(NotFoundError):
        chats.of("bob", before=chat)
    with pytest.raises(NotFoundError):
        chats.get("ann", "\0")
    assert chats.of("bob") == []


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("  \n\nWhy is my loss NaN?\nIt was fine", "Why is my loss NaN?"),
        ("Traceback (most recent call last):\n  x\nKeyError: 'a'\n\n", "KeyError: 'a'"),
        ("", ""),
        ("x" * 500, "x" * 80),
        ("训练时 loss 为 NaN", "训练时 loss 为 NaN"),
        ("a\0b\x1b[31m\ud800", "a?b\x1b[31m?"),
    ],
)
def test_titles(chats: Chats, text: str, title: str) -> None:
    """The line that says most; it stays with later messages."""
    chat = chats.begin("ann").id
    chats.say("ann", chat, Asked(text))
    assert chats.get("ann", chat).title == title
    if title:
        chats.say("ann", chat, Asked("another"))
        assert chats.get("ann", chat).title == title


def test_limits(chats: Chats, database: Database) -> None:
    """The length of a text in bytes, open answers in a chat, messages of a chat."""
    chat = chats.begin("ann").id
    chats.say("ann", chat, Asked("x" * (1 << 20)))
    with pytest.raises(TooLargeError, match="over 1 MiB"):
        chats.say("ann", chat, Asked("好" * 400_000))
    for _ in range(MAX_OPEN - 1):
        chats.say("ann", chat, Asked("x"))
    for ask in (lambda: chats.say("ann", chat, Asked("x")), lambda: chats.repair("ann", chat, "u", "keras3")):
        with pytest.raises(ConflictError, match=f"{MAX_OPEN} answers"):
            ask()
    end_jobs(database)
    with database.session() as session:
        session.execute(update(Message).where(Message.number == 1).values(number=MAX_MESSAGES))
    with pytest.raises(ConflictError, match=f"{MAX_MESSAGES} messages"):
        chats.say("ann", chat, Asked("x"))
    assert len(chats.get("ann", chat).messages) == MAX_OPEN


def test_messages_at_once_have_numbers_of_their_own(chats: Chats) -> None:
    """Eight at once into one chat are eight messages in order."""
    chat = chats.begin("ann").id
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: chats.say("ann", chat, Asked(str(n))), range(8)))
    assert [message.number for message in chats.get("ann", chat).messages] == list(range(1, 9))


def test_a_chat_is_shared_by_a_link(chats: Chats) -> None:
    """The same link each time, none once it is taken back, another one afterwards."""
    chat = chats.begin("ann").id
    chats.say("ann", chat, Asked("hello"))
    token = chats.share("ann", chat)
    assert token is not None
    assert token != chat
    assert chats.share("ann", chat) == token
    assert [message.text for message in chats.shared(token).messages] == ["hello"]
    assert chats.share("ann", chat, shared=False) is None
    with pytest.raises(NotFoundError, match="taken back"):
        chats.shared(token)
    assert chats.share("ann", chat) not in (None, token)


def test_chats_come_in_pages(chats: Chats, database: Database) -> None:
    """The last changed first, each once, also those that changed in the same moment."""
    ids = [chats.begin("ann").id for _ in range(7)]
    moment = now()
    with database.session() as session:
        session.execute(update(Chat).where(Chat.id.in_(ids[:5])).values(changed_at=moment))
    chats.say("ann", ids[0], Asked("newest"))
    seen: list[str] = []
    while page := chats.of("ann", 2, seen[-1] if seen else None):
        seen += [chat.id for chat in page]
    assert seen[0] == ids[0]
    assert sorted(seen) == sorted(ids)


def test_cancelling_stops_all_that_is_open(chats: Chats) -> None:
    """And is no fault where nothing is."""
    chat = chats.begin("ann").id
    for _ in range(3):
        chats.say("ann", chat, Asked("x"))
    chats.cancel("ann", chat)
    assert chats.open_jobs(chat) == []
    chats.cancel("ann", chat)


def diagnosis(chat: str | None, text: str = "paste") -> DiagnosisRow:
    return DiagnosisRow(owner_id="ann", chat_id=chat, topic="t", confidence=1.0, text=text, body={"text": text})


def test_removing_a_chat_removes_all_of_it(chats: Chats, database: Database) -> None:
    """Messages, jobs, events, diagnoses and what was said of them; other chats stay."""
    chat, other = chats.begin("ann").id, chats.begin("ann").id
    for each in (chat, other):
        chats.say("ann", each, Asked("x"))
        with database.session() as session:
            row = diagnosis(each)
            session.add(row)
            session.flush()
            session.add(Feedback(diagnosis_id=row.id, helped=True))
    chats.remove("ann", chat)
    with pytest.raises(NotFoundError):
        chats.get("ann", chat)
    for table in (Chat, Message, Job, Event, DiagnosisRow, Feedback):
        assert count(database, table) == 1, table
    with pytest.raises(NotFoundError):
        chats.remove("ann", chat)


def test_what_is_over_its_time_is_swept(chats: Chats, database: Database) -> None:
    """Chats after their time, events and ended jobs after a day; of a diagnosis with feedback the topic stays, not the paste."""
    old, young = chats.begin("ann").id, chats.begin("ann").id
    for each in (old, young):
        chats.say("ann", each, Asked("x"))
    with database.session() as session:
        session.execute(update(Chat).where(Chat.id == old).values(changed_at=now() - timedelta(days=31)))
        session.execute(update(Event).values(made_at=now() - timedelta(days=2)))
        session.execute(update(Job).values(state="done", ended_at=now() - timedelta(days=2)))
        rows = [diagnosis(old, "judged"), diagnosis(old, "plain"), diagnosis(None, "alone"), diagnosis(young, "young")]
        session.add_all(rows)
        session.flush()
        session.execute(update(DiagnosisRow).values(made_at=now() - timedelta(days=31)))
        session.add_all([Feedback(diagnosis_id=rows[0].id, helped=False), diagnosis(None, "of today")])
    _, fresh = chats.say("ann", young, Asked("of today"))
    with database.session() as session:
        session.execute(update(Job).where(Job.id == fresh.id).values(state="done", ended_at=now()))
    chats.sweep()
    assert [chat.id for chat in chats.of("ann")] == [young]
    assert count(database, Event) == count(database, Job) == 1
    with database.reading() as session:
        left = {row.text: (row.topic, row.body) for row in session.scalars(select(DiagnosisRow))}
    assert left == {"": ("t", {})} | {text: ("t", {"text": text}) for text in ("young", "of today")}
    _, job = chats.say("ann", young, Asked("y"))
    assert [each.job for each in Events(database).after(young, 0)] == [fresh.id, job.id]


def test_chats_of_an_owner_are_counted(chats: Chats, database: Database, tmp_path: Path) -> None:
    """Also where many begin at once; what to do is told, and it helps. Empty ones go after a day, and others have their own."""
    few = opened(database, tmp_path, max_chats=5)

    def begun(_: int) -> str:
        try:
            return few.begin("ann").id
        except ConflictError as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        told = set(pool.map(begun, range(12)))
    made = [chat.id for chat in few.of("ann")]
    assert len(made) == 5
    (refused,) = told - set(made)
    assert "you have 5 chats here, which is the most; remove some first" in refused
    assert "30 days after its last message, or a day" in refused
    assert few.begin("bob")
    few.remove("ann", made[0])
    assert begun(0) != refused
    few.say("ann", made[1], Asked("x"))
    with database.session() as session:
        session.execute(update(Chat).values(changed_at=now() - timedelta(days=2)))
    fresh = few.begin("bob").id
    chats.sweep()
    assert [chat.id for chat in few.of("ann")] == [made[1]]
    assert [chat.id for chat in few.of("bob")] == [fresh]
