"""Chats and their messages: what a person says is a row, and its answer a job."""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, selectinload

from ..errors import ConflictError, NotFoundError, TooLargeError
from ..knowledge.text import Text
from .case import Asked
from .database import Database
from .events import Events, lock_chat
from .holdings import check_number, lock_owner
from .jobs import Jobs
from .masking import mask
from .queue import OPEN_STATES, add_job
from .settings import MIB, Settings
from .tables import Chat, DiagnosisRow, Event, Feedback, Job, Message, now

MAX_MESSAGES = 400
MAX_OPEN = 10
TITLE = 80
_RAISED = re.compile(r"[A-Za-z_][\w.]{0,80}(?:Error|Exception|Interrupt|Warning|Exit): ")


class Chats:
    """The chats of all owners. What belongs to another owner is "not found"."""

    def __init__(self, database: Database, events: Events, jobs: Jobs, settings: Settings) -> None:
        self._database, self._events, self._jobs, self._settings = database, events, jobs, settings

    def begin(self, owner: str) -> Chat:
        """A new, empty chat.

        Raises:
            ConflictError: the owner has too many.
        """
        chat, days = Chat(owner_id=owner, case={}), f"{self._settings.keep_chats_days:g}"
        told = Text(
            f"remove some first; one goes by itself {days} days after its last message, or a day after it was begun without any",
            f"请先移除一些；对话在最后一条消息 {days} 天后自行删除，没有消息的在一天后删除",
        )
        with self._database.session() as session:
            lock_owner(session, owner)
            check_number(session, Chat, Chat.owner_id == owner, self._settings.max_chats, told)
            session.add(chat)
        return self.get(owner, chat.id)

    def get(self, owner: str, chat: str) -> Chat:
        """A chat of this owner, with its messages in order.

        Raises:
            NotFoundError: there is none.
        """
        with self._database.reading() as session:
            found = session.get(Chat, chat, options=[selectinload(Chat.messages)])
        return _mine(found, owner, chat)

    def has(self, owner: str, chat: str) -> bool:
        """Whether this owner has such a chat."""
        with self._database.reading() as session:
            return session.scalar(select(Chat.id).where(Chat.id == chat, Chat.owner_id == owner)) is not None

    def shared(self, token: str) -> Chat:
        """The chat that a public link leads to.

        Raises:
            NotFoundError: there is none, or it is not shared any more.
        """
        with self._database.reading() as session:
            found = session.scalar(select(Chat).where(Chat.share == token).options(selectinload(Chat.messages)))
        if found is None:
            raise NotFoundError(
                "this link leads to no chat: it was taken back, or the chat was removed",
                "这个链接已撤回，或对话已被删除",
            )
        return found

    def of(self, owner: str, limit: int = 50, before: str | None = None) -> list[Chat]:
        """The chats of an owner, the last changed first, without their messages; `before` is the id of the last one seen."""
        mine = select(Chat).where(Chat.owner_id == owner)
        with self._database.reading() as session:
            if before is not None:
                last = _mine(session.get(Chat, before), owner, before)
                earlier = and_(Chat.changed_at == last.changed_at, Chat.id > last.id)
                mine = mine.where(or_(Chat.changed_at < last.changed_at, earlier))
            return list(session.scalars(mine.order_by(Chat.changed_at.desc(), Chat.id).limit(limit)))

    def say(self, owner: str, chat: str, asked: Asked) -> tuple[Message, Job]:
        """Take a person's message; its text is masked before it is stored. The job answers it.

        Raises:
            NotFoundError: there is no such chat.
            TooLargeError: the text is too long.
            ConflictError: the chat is full, or too many answers are under way.
        """
        limit = self._settings.max_text_mib
        if len(asked.text.encode("utf-8", "replace")) > limit * MIB:
            raise TooLargeError(
                f"the text is over {limit} MiB; send its last part, or the log as a file",
                f"文本超过 {limit} MiB，请只发送最后部分，或把日志作为文件上传",
            )
        asked = replace(asked, text=mask(asked.text), choice=mask(asked.choice))
        with self._database.session() as session:
            message, job = add_message(session, self._events, owner, chat, asked)
        self._jobs.nudge()
        return message, job

    def repair(self, owner: str, chat: str, upload: str, target: str) -> Job:
        """Have a copy of an uploaded model mended; the answer is a message of the chat.

        Raises:
            NotFoundError: there is no such chat.
            ConflictError: no models are run here, the chat is full, or too many answers are under way.
        """
        if not self._settings.live:
            raise ConflictError(
                "models are neither run nor repaired on this service: it has no TensorFlow, or no leave to",
                "这个服务不运行也不修复模型：没有安装 TensorFlow，或未获允许",
            )
        with self._database.session() as session:
            _held(session, owner, chat)
            number = session.scalar(select(func.max(Message.number)).where(Message.chat_id == chat)) or 0
            _room(session, chat, number + 1)
            job = add_job(session, "repair", chat, None, {"upload": upload, "target": target})
            session.flush()
            self._events.add(session, chat, "queued", {"job": job.id}, job.id)
        self._jobs.nudge()
        return job

    def open_jobs(self, chat: str) -> list[Job]:
        """The jobs of a chat that have not ended, the oldest first."""
        with self._database.reading() as session:
            under_way = select(Job).where(Job.chat_id == chat, Job.state.in_(OPEN_STATES)).order_by(Job.made_at)
            return list(session.scalars(under_way))

    def job(self, owner: str, job: str) -> Job:
        """A job in a chat of this owner.

        Raises:
            NotFoundError: there is none.
        """
        of_owner = select(Job).join(Chat, Chat.id == Job.chat_id).where(Job.id == job, Chat.owner_id == owner)
        with self._database.reading() as session:
            found = session.scalar(of_owner)
        if found is None:
            raise NotFoundError(f"there is no job {job[:40]}")
        return found

    def message(self, chat: str, message: str) -> Message | None:
        """A message of a chat; None where it was removed."""
        with self._database.reading() as session:
            found = session.get(Message, message)
        return found if found is not None and found.chat_id == chat else None

    def last_event(self, chat: str) -> int:
        """The number of the last event of a chat; 0 where there was none."""
        with self._database.reading() as session:
            return session.scalar(select(func.max(Event.id)).where(Event.chat_id == chat)) or 0

    def cancel(self, owner: str, chat: str) -> None:
        """Stop what is under way in a chat."""
        self.get(owner, chat)
        for job in self.open_jobs(chat):
            with suppress(ConflictError, NotFoundError):  # it ended in the meantime
                self._jobs.cancel(job.id)

    def share(self, owner: str, chat: str, *, shared: bool = True) -> str | None:
        """Give a chat a public link, or take it back; its token. A second time gives the same link."""
        with self._database.session() as session:
            found = _held(session, owner, chat)
            found.share = (found.share or secrets.token_urlsafe(16)) if shared else None
            return found.share

    def remove(self, owner: str, chat: str) -> None:
        """Remove a chat with all that belongs to it; what is under way is cancelled."""
        with self._database.session() as session:
            found = _held(session, owner, chat)
            session.execute(delete(DiagnosisRow).where(DiagnosisRow.chat_id == chat))
            session.delete(found)

    def sweep(self) -> None:
        """Remove the chats that are over their time or stayed empty, what was pasted in them, and what nobody will ask for again.

        Of a diagnosis on which there is feedback its topic stays.
        """
        over, yesterday = now() - timedelta(days=self._settings.keep_chats_days), now() - timedelta(days=1)
        said = exists().where(Message.chat_id == Chat.id)
        judged = exists().where(Feedback.diagnosis_id == DiagnosisRow.id)
        old = (DiagnosisRow.made_at < over) & DiagnosisRow.chat_id.is_(None)
        with self._database.session() as session:
            session.execute(delete(Chat).where(Chat.changed_at < over))
            session.execute(delete(Chat).where(Chat.changed_at < yesterday, ~said))
            session.execute(delete(DiagnosisRow).where(old, ~judged))
            session.execute(update(DiagnosisRow).where(old, judged).values(text="", body={}))
            session.execute(delete(Event).where(Event.made_at < yesterday))
            session.execute(delete(Job).where(Job.ended_at < yesterday))


def add_message(
    session: Session,
    events: Events,
    owner: str,
    chat: str,
    asked: Asked,
    kind: str = "answer",
    arguments: dict[str, Any] | None = None,
) -> tuple[Message, Job]:
    """Put a person's message, whose text is masked, behind the others of a chat, with the job (of this kind) that answers it.

    Raises:
        NotFoundError: there is no such chat.
        ConflictError: the chat is full, or too many answers are under way.
    """
    found = _held(session, owner, chat)
    number = (session.scalar(select(func.max(Message.number)).where(Message.chat_id == chat)) or 0) + 1
    _room(session, chat, number)
    message = Message(chat_id=chat, number=number, role="asks", text=asked.text, asked=asdict(asked) | {"text": ""})
    session.add(message)
    session.flush()
    job = add_job(session, kind, chat, message.id, arguments or {})
    found.title, found.changed_at = found.title or _title(asked.text), now()
    session.flush()
    events.add(session, chat, "message", {"message": message.id, "job": job.id}, job.id)
    return message, job


def _held(session: Session, owner: str, chat: str) -> Chat:
    """A chat of this owner, locked; see `events.lock_chat`."""
    lock_chat(session, chat)
    return _mine(session.get(Chat, chat), owner, chat)


def _mine(found: Chat | None, owner: str, chat: str) -> Chat:
    if found is None or found.owner_id != owner:
        raise NotFoundError(
            f"there is no chat {chat[:40]}: it was removed, or its time was over", "没有这段对话，可能已被删除或过期"
        )
    return found


def _room(session: Session, chat: str, number: int) -> None:
    if number > MAX_MESSAGES:
        raise ConflictError(
            f"this chat has {MAX_MESSAGES} messages, which is the most; begin a new one",
            f"这段对话已有 {MAX_MESSAGES} 条消息，达到上限，请开始新的对话",
        )
    under_way = select(func.count()).select_from(Job).where(Job.chat_id == chat, Job.state.in_(OPEN_STATES))
    if (session.scalar(under_way) or 0) >= MAX_OPEN:
        raise ConflictError(
            f"{MAX_OPEN} answers are under way in this chat; wait for one of them",
            f"这段对话已有 {MAX_OPEN} 个回答正在进行，请等其中一个完成",
        )


def _title(text: str) -> str:
    """The line that says most: the one that names the exception, else the first."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    raised = [line for line in lines if _RAISED.match(line)]
    return (raised[-1] if raised else lines[0])[:TITLE]
