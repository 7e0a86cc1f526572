"""The jobs that answer in Slack: one looks at what was said and writes the answer, one posts it.

They are two because an answer that is written is not looked for again where posting it takes another try.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Timer

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...diagnostics.progress import Watch
from ...errors import Cancelled, KerasDoctorError
from ...knowledge.text import Lang, Text
from ..answering import Answering
from ..case import Case
from ..database import Database
from ..events import lock_chat
from ..queue import Task
from ..reply import Reply
from ..tables import Chat, Job, Message
from . import sayings
from .attachments import Attachments
from .client import Slack
from .intake import add_post
from .messages import said
from .place import Place

LOOKING_AFTER = 2.0  # seconds without an answer
_log = structlog.get_logger(__name__)


class SlackAnswering:
    """Answers what was said in Slack, as `Answering` answers in any chat."""

    def __init__(self, database: Database, answering: Answering, attachments: Attachments, slack: Slack) -> None:
        self._database, self._answering, self._attachments, self._slack = database, answering, attachments, slack

    def run(self, task: Task, watch: Watch) -> Callable[[Session], None]:
        """Fetch the message's files, answer, and have the answer posted unless it is one that nobody asked for."""
        place = Place.from_json(task.arguments["place"])
        with self._looking(task, place, watch):
            notes = self._fetch(task, place, watch)
            finish = self._answering.run(task, watch)

        def write(session: Session) -> None:
            finish(session)
            self._have_posted(session, task, notes)

        return write

    def gave_up(self, session: Session, task: Task, state: str, why: Text) -> None:
        """Say why there is no answer."""
        self._answering.gave_up(session, task, state, why)
        session.flush()
        self._have_posted(session, task, [])

    def _have_posted(self, session: Session, task: Task, notes: list[Text]) -> None:
        answer = session.scalar(select(Message).where(Message.answers_id == task.message))
        if answer is None or task.chat is None or not (task.arguments["direct"] or _is_news(answer)):
            return
        job = session.get_one(Job, task.id)
        place = Place.from_json(task.arguments["place"])
        told = [{"en": note.en, "zh": note.zh} for note in notes]
        add_post(session, task.chat, place, answer.id, notes=told, looking=job.arguments.get("looking", ""))

    def _fetch(self, task: Task, place: Place, watch: Watch) -> list[Text]:
        """Put the files into the message; what to say of those that were not fetched."""
        files = task.arguments["files"]
        if not files:
            return []
        with self._database.reading() as session:
            owner = session.get_one(Chat, task.chat).owner_id
        fetched = self._attachments.fetch(place, owner, files, watch)
        with self._database.session() as session:
            lock_chat(session, task.chat or "")
            message = session.get_one(Message, task.message)
            new = [text for text in fetched.texts if text not in message.text]  # not those of an earlier try
            message.text = "\n\n".join([each for each in (message.text, *new) if each])
            message.asked = (message.asked or {}) | {"uploads": fetched.uploads}
        more = [sayings.TOO_MANY_FILES] if task.arguments["more"] else []
        return [*fetched.notes, *(Text(m.en.format(len(files)), m.zh.format(len(files))) for m in more)]

    @contextmanager
    def _looking(self, task: Task, place: Place, watch: Watch) -> Iterator[None]:
        """Say that it is being looked at, where it takes a while; only where people asked."""
        wanted = task.arguments["direct"] and place.channel and not task.arguments.get("looking")
        timer = Timer(LOOKING_AFTER, self._say_looking, (task, place, watch))
        timer.daemon = True
        if wanted:
            timer.start()
        try:
            yield
        finally:
            timer.cancel()
            if wanted:
                timer.join()

    def _say_looking(self, task: Task, place: Place, watch: Watch) -> None:
        try:
            with self._database.reading() as session:
                lang = _language(session, task)
            ts = self._slack.post(
                replace(place, response_url=""), *said(sayings.LOOKING, lang), f"looking {task.id}", watch
            )
            with self._database.session() as session:
                lock_chat(session, task.chat or "")
                job = session.get_one(Job, task.id)
                job.arguments = job.arguments | {"looking": ts}
        except (KerasDoctorError, Cancelled) as error:
            _log.warning("could not say that it is looked at", why=type(error).__name__)
        except Exception:  # noqa: BLE001 - the border of a thread beside a job
            _log.exception("could not say that it is looked at")


def _language(session: Session, task: Task) -> Lang:
    chat, message = session.get(Chat, task.chat), session.get(Message, task.message)
    text = message.text if message else ""
    spoken: Lang = "zh" if any("\u4e00" <= each <= "\u9fff" for each in text) else "en"
    return (Case.from_json(chat.case).lang if chat else None) or spoken


def _is_news(answer: Message) -> bool:
    """Whether an answer is worth saying to people who did not ask for it: something is known, or was asked for in words."""
    reply = Reply.from_json(answer.reply or {})
    if reply.kind == "diagnosis":
        return reply.diagnosis is not None and reply.diagnosis.topic is not None
    return reply.kind in ("why", "fix", "evidence", "sources")
