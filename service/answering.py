"""The jobs of a chat: answer a message, mend a copy of a model. What is found out meanwhile is told as events."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..diagnostics.decoding import decode
from ..diagnostics.diagnosis import Diagnosis
from ..diagnostics.progress import Watch
from ..diagnostics.repair import Target
from ..diagnostics.repairing import repair_file
from ..diagnostics.workers import Workers
from ..errors import ConflictError, NotFoundError
from ..knowledge.text import Text
from .case import Asked, Case
from .conversation import Conversation, Turn
from .counters import count_diagnosis
from .database import Database
from .events import Events
from .feedback import EXCERPT, save_feedback
from .masked import masked
from .queue import Task
from .reply import Reply
from .tables import Chat, DiagnosisRow, Message, new_id, now
from .uploads import Uploads

TARGETS: dict[Target, tuple[str, str]] = {"keras3": ("keras-3", ".keras"), "keras2": ("keras-2", ".h5")}
GONE = Text("The chat or the message is gone.", "这段对话或消息已被删除。")


class Answering:
    """Answers the messages of chats."""

    def __init__(self, database: Database, events: Events, uploads: Uploads, conversation: Conversation) -> None:
        self._database, self._events, self._uploads, self._conversation = database, events, uploads, conversation

    def run(self, task: Task, watch: Watch) -> Callable[[Session], None]:
        """Answer the task's message, with what the chat knows."""
        chat, message, last = self._read(task)
        case, asked = Case.from_json(chat.case), _asked(message)
        with self._uploads.checked_out(chat.owner_id, (*case.uploads, *asked.uploads)) as files:
            turn = self._conversation.turn(case, asked, last, files, lambda d: self._recognised(task, d), watch)
        return lambda session: self._write(session, task, turn, asked.text)

    def gave_up(self, session: Session, task: Task, state: str, why: Text) -> None:
        """Say in the chat why there is no answer."""
        _no_answer(session, self._events, task, state, why)

    def _read(self, task: Task) -> tuple[Chat, Message, Diagnosis | None]:
        with self._database.reading() as session:
            chat, message = session.get(Chat, task.chat), session.get(Message, task.message)
            if chat is None or message is None:
                raise NotFoundError(GONE.en, GONE.zh)
            row = session.get(DiagnosisRow, Case.from_json(chat.case).diagnosis or "")
        return chat, message, decode(Diagnosis, row.body, "diagnosis") if row else None

    def _recognised(self, task: Task, diagnosis: Diagnosis) -> None:
        if task.chat is None:
            return
        with self._database.session() as session:
            self._events.add(session, task.chat, "recognised", recognised(diagnosis), task.id)

    def _write(self, session: Session, task: Task, turn: Turn, said: str) -> None:
        chat = session.get_one(Chat, task.chat, with_for_update=True)
        before, case = Case.from_json(chat.case), turn.case
        if turn.helped is not None and before.diagnosis:
            save_feedback(session, before.diagnosis, helped=turn.helped, reason=said)
        if turn.looked and turn.reply.diagnosis is not None:
            row = store_diagnosis(session, chat.owner_id, turn.reply.diagnosis, "\n".join(case.texts), chat.id)
            case = replace(case, diagnosis=row)
        chat.case, chat.changed_at = case.as_json(), now()
        add_reply(session, self._events, task, turn.reply, case.diagnosis)


class Repairing:
    """Mends copies of the models of a chat."""

    def __init__(self, database: Database, events: Events, uploads: Uploads, workers: Workers) -> None:
        self._database, self._events, self._uploads, self._workers = database, events, uploads, workers

    def run(self, task: Task, watch: Watch) -> Callable[[Session], None]:
        """Mend a copy of the upload that the task names, and keep it as an upload."""
        target: Target = task.arguments["target"]
        mark, ending = TARGETS[target]
        with self._database.reading() as session:
            chat = session.get(Chat, task.chat)
        if chat is None:
            raise NotFoundError(GONE.en, GONE.zh)
        upload = self._uploads.get(chat.owner_id, task.arguments["upload"])
        with (
            tempfile.TemporaryDirectory(prefix="kerasdoctor-mended-") as folder,
            self._uploads.checked_out(chat.owner_id, (upload.id,)) as files,
        ):
            if upload.id not in files:
                raise ConflictError(f"{upload.name} was not received to its end", f"{upload.name} 没有传完")
            copy = Path(folder) / f"{Path(upload.name).stem}-{mark}{ending}"
            mended = masked(repair_file(files[upload.id], copy, target, workers=self._workers, watch=watch))
            kept = self._uploads.stored(chat.owner_id, copy.name, copy, upload.id).id if mended.file else None
        reply = Reply("repair", Case.from_json(chat.case).lang or "en", mended=mended, copy=kept)
        return lambda session: add_reply(session, self._events, task, reply)

    def gave_up(self, session: Session, task: Task, state: str, why: Text) -> None:
        """Say in the chat why there is no copy."""
        _no_answer(session, self._events, task, state, why)


def add_reply(session: Session, events: Events, task: Task, reply: Reply, diagnosis: str | None = None) -> None:
    """Put the doctor's message behind the others of the chat."""
    assert task.chat is not None  # noqa: S101 - these jobs belong to chats
    session.flush()
    last = session.scalar(select(func.max(Message.number)).where(Message.chat_id == task.chat)) or 0
    message = Message(
        id=new_id(),
        chat_id=task.chat,
        number=last + 1,
        role="answers",
        reply=reply.as_json(),
        answers_id=task.message,
        diagnosis_id=diagnosis,
    )
    session.add(message)
    session.flush()
    events.add(session, task.chat, "reply", {"message": message.id, "kind": reply.kind}, task.id)


def _no_answer(session: Session, events: Events, task: Task, state: str, why: Text) -> None:
    chat, message = session.get(Chat, task.chat), session.get(Message, task.message or "")
    if chat is not None:
        lang = (_asked(message).lang if message else None) or Case.from_json(chat.case).lang or "en"
        add_reply(session, events, task, Reply("cancelled" if state == "cancelled" else "failed", lang, why))


def store_diagnosis(session: Session, owner: str, diagnosis: Diagnosis, text: str, chat: str | None = None) -> str:
    """Keep a diagnosis with the masked text that it is for, of which the end tells most; its id."""
    row = DiagnosisRow(
        id=new_id(),
        owner_id=owner,
        chat_id=chat,
        topic=diagnosis.topic,
        confidence=diagnosis.confidence,
        text=text[-EXCERPT:],
        body=asdict(diagnosis),
    )
    session.add(row)
    session.flush()
    count_diagnosis(known=diagnosis.topic is not None)
    return row.id


def recognised(diagnosis: Diagnosis) -> dict[str, Any]:
    """What the event "recognised" tells: what the text is about, before anything was examined."""
    lang = diagnosis.lang
    return {
        "topic": diagnosis.topic,
        "title": diagnosis.title.say(lang) if diagnosis.title else None,
        "confidence": round(diagnosis.confidence, 4),
        "told": vars(diagnosis.told),
        "lang": lang,
    }


def _asked(message: Message) -> Asked:
    asked: Asked = decode(Asked, message.asked or {}, "message")
    return replace(asked, text=message.text)
