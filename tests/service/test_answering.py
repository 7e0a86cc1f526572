"""Answers: a message in, events and a reply out, with real files, a real matcher and a real TensorFlow worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kerasdoctor.diagnostics.diagnosis import Diagnosis
from kerasdoctor.diagnostics.doctor import Doctor
from kerasdoctor.diagnostics.progress import Watch
from kerasdoctor.diagnostics.workers import Workers
from kerasdoctor.knowledge.matcher import Matcher
from kerasdoctor.service.answering import Answering, Repairing
from kerasdoctor.service.case import Asked, Case
from kerasdoctor.service.chats import Chats
from kerasdoctor.service.conversation import Conversation, Turn
from kerasdoctor.service.database import Database
from kerasdoctor.service.events import Events, Told
from kerasdoctor.service.feedback import Feedbacks
from kerasdoctor.service.files import FileStore
from kerasdoctor.service.jobs import FAILED, Jobs
from kerasdoctor.service.reply import Reply
from kerasdoctor.service.settings import Settings
from kerasdoctor.service.tables import DiagnosisRow, Job, Message, Owner, Upload
from kerasdoctor.service.uploads import Uploads
from sqlalchemy import select, update

EXAMPLES = Path(__file__).parents[2] / "examples"
PASTE = (EXAMPLES / "error.txt").read_text()
SOON = 60.0


class Slow(Conversation):
    """Takes its time first, and can be made to fail."""

    seconds = 0.0
    fails = False

    def turn(
        self,
        case: Case,
        asked: Asked,
        last: Diagnosis | None,
        files: Mapping[str, Path],
        recognised: Callable[[Diagnosis], None],
        watch: Watch | None = None,
    ) -> Turn:
        ends = time.monotonic() + self.seconds
        while time.monotonic() < ends:
            assert watch is not None
            watch.check()
            time.sleep(0.01)
        if self.fails:
            raise ZeroDivisionError
        return super().turn(case, asked, last, files, recognised, watch)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers() as running:
        yield running


class Clinic:
    """A chat of Ann's and all that answers in it."""

    def __init__(self, database: Database, matcher: Matcher, workers: Workers, tmp_path: Path) -> None:
        settings = Settings(data=tmp_path)
        self.database, self.events = database, Events(database)
        self.uploads = Uploads(database, FileStore(str(tmp_path / "files")), settings)
        self.conversation = Slow(Doctor(matcher, workers), live=True)
        handlers = {
            "answer": Answering(database, self.events, self.uploads, self.conversation),
            "repair": Repairing(database, self.events, self.uploads, workers),
        }
        self.jobs = Jobs(database, self.events, handlers, 2, 60, timedelta(seconds=1), 0.1)
        self.chats = Chats(database, self.events, self.jobs, settings)
        with database.session() as session:
            session.add(Owner(id="ann", kind="local"))
        self.chat = self.chats.begin("ann").id

    def upload(self, name: str) -> str:
        content = (EXAMPLES / name).read_bytes()
        upload = self.uploads.begin("ann", name, len(content))
        with self.uploads.part("ann", upload.id, 0) as part:
            part.write(content)
        return upload.id

    def say(self, **asked: Any) -> Reply:
        message, job = self.chats.say("ann", self.chat, Asked(**asked))
        self.end(job.id)
        return next(reply for answers, reply in self.replies() if answers == message.id)

    def end(self, job: str) -> Job:
        return self.wait(job, "done", "failed", "cancelled")

    def wait(self, job: str, *states: str) -> Job:
        ends = time.monotonic() + SOON
        while True:
            with self.database.reading() as session:
                found = session.get_one(Job, job)
            if found.state in states:
                return found
            assert time.monotonic() < ends, found.state
            time.sleep(0.02)

    def replies(self) -> list[tuple[str | None, Reply]]:
        messages = [each for each in self.chats.get("ann", self.chat).messages if each.role == "answers"]
        return [(each.answers_id, Reply.from_json(each.reply or {})) for each in messages]

    def told(self) -> list[Told]:
        return self.events.after(self.chat, 0)

    def kinds(self) -> list[str]:
        return [told.kind for told in self.told()]


@pytest.fixture
def clinic(database: Database, matcher: Matcher, workers: Workers, tmp_path: Path) -> Iterator[Clinic]:
    with ExitStack() as running:
        opened = Clinic(database, matcher, workers, tmp_path)
        running.callback(opened.jobs.stop, 5)
        opened.jobs.start()
        yield opened


def test_a_paste_is_answered(clinic: Clinic) -> None:
    """What was recognised is told first, then the reply; the diagnosis is kept, and "why?" is answered from it."""
    reply = clinic.say(text=PASTE)
    assert clinic.kinds() == ["message", "started", "recognised", "reply", "done"]
    assert reply.kind == "diagnosis"
    assert reply.diagnosis is not None
    recognised = clinic.told()[2].data
    assert recognised["topic"] == reply.diagnosis.topic is not None
    assert recognised["title"] == reply.diagnosis.title.en  # type: ignore[union-attr]
    with clinic.database.reading() as session:
        row = session.scalars(select(DiagnosisRow)).one()
    assert (row.topic, row.chat_id) == (reply.diagnosis.topic, clinic.chat)
    messages = clinic.chats.get("ann", clinic.chat).messages
    assert [(each.number, each.role, each.diagnosis_id) for each in messages] == [
        (1, "asks", None),
        (2, "answers", row.id),
    ]
    assert clinic.say(text="why?").kind == "why"
    with clinic.database.reading() as session:
        assert len(session.scalars(select(DiagnosisRow)).all()) == 1


def test_a_model_is_examined(clinic: Clinic) -> None:
    """Between what was recognised and the reply the probes are told, each with its start and its end."""
    reply = clinic.say(text=PASTE, uploads=(clinic.upload("digits.keras"),))
    kinds = clinic.kinds()
    assert kinds[:3] == ["message", "started", "recognised"]
    assert kinds[-2:] == ["reply", "done"]
    assert set(kinds[3:-2]) == {"probes"}
    steps = [step for told in clinic.told() if told.kind == "probes" for step in told.data["steps"]]
    assert {step["subject"] for step in steps} == {"digits.keras"}
    started = [step["probe"] for step in steps if step["state"] == "started"]
    assert sorted(started) == sorted(step["probe"] for step in steps if step["state"] == "ended")
    assert reply.diagnosis is not None
    assert {finding.subject for finding in reply.diagnosis.findings} == {"digits.keras"}
    case = Case.from_json(clinic.chats.get("ann", clinic.chat).case)
    assert len(case.uploads) == 1


def test_an_expired_file_is_no_fault(clinic: Clinic) -> None:
    """A later message is answered without it."""
    upload = clinic.upload("digits.keras")
    clinic.say(text=PASTE, uploads=(upload,))
    clinic.uploads.remove("ann", upload)
    assert clinic.say(text="I am on Keras 3.1").kind in ("diagnosis", "said")


@pytest.mark.parametrize(("word", "helped"), [("that helped, thanks", True), ("it didn't help", False)])
def test_words_are_feedback(clinic: Clinic, word: str, helped: bool) -> None:
    """What a person says of the answer is counted for its topic, with their words."""
    topic = clinic.say(text=PASTE).diagnosis.topic  # type: ignore[union-attr]
    clinic.say(text=word)
    figures = next(each for each in Feedbacks(clinic.database).by_topic() if each.topic == topic)
    assert (figures.helped, figures.not_helped) == (int(helped), int(not helped))


def test_a_failure_is_said_in_the_language_of_the_page(clinic: Clinic) -> None:
    """A message of its own, and the next one is answered."""
    clinic.conversation.fails = True
    reply = clinic.say(text="你好", lang="zh")
    assert (reply.kind, reply.lang, reply.lead) == ("failed", "zh", FAILED)
    assert clinic.kinds() == ["message", "started", "reply", "failed"]
    clinic.conversation.fails = False
    assert clinic.say(text=PASTE).kind == "diagnosis"


def test_a_cancelled_answer_is_said(clinic: Clinic) -> None:
    """While it runs; the chat says so and knows no more than before."""
    clinic.conversation.seconds = SOON
    _, job = clinic.chats.say("ann", clinic.chat, Asked(PASTE))
    clinic.wait(job.id, "running")
    clinic.chats.cancel("ann", clinic.chat)
    assert clinic.end(job.id).state == "cancelled"
    assert [reply.kind for _, reply in clinic.replies()] == ["cancelled"]
    assert clinic.chats.get("ann", clinic.chat).case == {}


def test_a_job_that_is_tried_again_gives_one_reply(clinic: Clinic) -> None:
    """Also where both tries come to their end."""
    clinic.conversation.seconds = 1.0
    _, job = clinic.chats.say("ann", clinic.chat, Asked(PASTE))
    clinic.wait(job.id, "running")
    with clinic.database.session() as session:  # as if the process had been taken for dead
        session.execute(update(Job).values(state="queued", holder=None))
    assert clinic.end(job.id).tries == 2
    time.sleep(0.3)
    assert [reply.kind for _, reply in clinic.replies()] == ["diagnosis"]


def test_removing_a_chat_ends_its_answer(clinic: Clinic) -> None:
    """Nothing is written any more."""
    clinic.conversation.seconds = 1.0
    _, job = clinic.chats.say("ann", clinic.chat, Asked(PASTE))
    clinic.wait(job.id, "running")
    clinic.chats.remove("ann", clinic.chat)
    time.sleep(1.2)
    with clinic.database.reading() as session:
        assert session.scalars(select(Message)).all() == []
        assert session.scalars(select(DiagnosisRow)).all() == []


def test_a_model_is_repaired(clinic: Clinic) -> None:
    """A copy is mended in the worker, told step by step, and kept as an upload; what cannot be repaired is said."""
    upload = clinic.upload("churn.h5")
    job = clinic.chats.repair("ann", clinic.chat, upload, "keras3")
    clinic.jobs.nudge()
    assert clinic.end(job.id).state == "done"
    assert clinic.kinds()[:2] == ["queued", "started"]
    assert clinic.kinds()[-2:] == ["reply", "done"]
    assert "probes" in clinic.kinds()
    reply = clinic.replies()[-1][1]
    assert reply.kind == "repair"
    assert reply.mended is not None
    assert reply.mended.proof is not None
    copy = clinic.uploads.get("ann", str(reply.copy))
    assert (copy.name, copy.made_from) == ("churn-keras-3.keras", upload)
    assert next(clinic.uploads.chunks(copy)).startswith(b"PK")
    for missing in ("gone", clinic.upload("training.csv")):
        failed = clinic.chats.repair("ann", clinic.chat, missing, "keras3")
        assert clinic.end(failed.id).state == "failed"
        assert clinic.replies()[-1][1].kind == "failed"
    with clinic.database.reading() as session:
        assert len(session.scalars(select(Upload)).all()) == 3
