"""The tables. Ids are random texts that cannot be guessed; times are UTC; JSON columns hold plain values."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator


def new_id() -> str:
    """A random id of 22 characters (128 bits)."""
    return secrets.token_urlsafe(16)


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class Utc(TypeDecorator[datetime]):
    """A time with its zone, also from a database that keeps none (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Keep UTC."""
        del dialect
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give UTC."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Plain(TypeDecorator[str]):
    """A text that every database takes: PostgreSQL knows no NUL, and neither of them half a surrogate pair."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Put a question mark in the place of each."""
        del dialect
        return value.replace("\0", "?").encode("utf-8", "replace").decode() if value else value


# SQLite counts by itself only in an INTEGER.
Counted = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """Base of the tables."""

    type_annotation_map = {datetime: Utc, dict[str, Any]: JSON, list[str]: JSON, str: Plain}  # noqa: RUF012 - as SQLAlchemy has it


class Owner(Base):
    """Whom chats and uploads belong to: a browser, a key, a Slack workspace, or everyone on this machine (`local`)."""

    __tablename__ = "owners"
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]  # browser, key, slack, local
    name: Mapped[str] = mapped_column(default="")
    made_at: Mapped[datetime] = mapped_column(default=now)


class Key(Base):
    """A key of the API. Only its SHA-256 is kept: it is as long and random as the hash."""

    __tablename__ = "keys"
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"))
    hash: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(default=now)
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Browser(Base):
    """A cookie of a browser, as its SHA-256."""

    __tablename__ = "browsers"
    hash: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"))
    key_id: Mapped[str | None] = mapped_column(ForeignKey("keys.id", ondelete="CASCADE"))
    made_at: Mapped[datetime] = mapped_column(default=now)
    ends_at: Mapped[datetime]


class Chat(Base):
    """A conversation. `case` is what is known so far (`case.Case` as JSON), `share` the token of its public link."""

    __tablename__ = "chats"
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"), index=True)
    title: Mapped[str] = mapped_column(default="")
    case: Mapped[dict[str, Any]] = mapped_column(default=dict)
    share: Mapped[str | None] = mapped_column(unique=True)
    made_at: Mapped[datetime] = mapped_column(default=now)
    changed_at: Mapped[datetime] = mapped_column(default=now, index=True)
    messages: Mapped[list[Message]] = relationship(
        order_by="Message.number", passive_deletes=True, cascade="all, delete-orphan"
    )


class Message(Base):
    """What a person (`asks`) or the doctor (`answers`) said. Texts are masked.

    `asked` is a person's message beside its text (`conversation.Asked` as JSON), `reply` the doctor's (`reply.Reply`).
    """

    __tablename__ = "messages"
    __table_args__ = (UniqueConstraint("chat_id", "number"),)
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    chat_id: Mapped[str] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"))
    number: Mapped[int]
    role: Mapped[str]  # asks, answers
    text: Mapped[str] = mapped_column(default="")
    asked: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    reply: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    answers_id: Mapped[str | None] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), unique=True)
    diagnosis_id: Mapped[str | None] = mapped_column(ForeignKey("diagnoses.id", ondelete="SET NULL"), index=True)
    made_at: Mapped[datetime] = mapped_column(default=now)


class DiagnosisRow(Base):
    """A diagnosis that was given, for feedback and for the report of what is not known. `text` is the masked paste."""

    __tablename__ = "diagnoses"
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"), index=True)
    chat_id: Mapped[str | None] = mapped_column(ForeignKey("chats.id", ondelete="SET NULL"), index=True)
    topic: Mapped[str | None] = mapped_column(index=True)
    confidence: Mapped[float]
    text: Mapped[str]
    body: Mapped[dict[str, Any]]  # the Diagnosis, in both languages
    made_at: Mapped[datetime] = mapped_column(default=now)


class Feedback(Base):
    """Whether a diagnosis helped, and why; one for each diagnosis."""

    __tablename__ = "feedback"
    diagnosis_id: Mapped[str] = mapped_column(ForeignKey("diagnoses.id", ondelete="CASCADE"), primary_key=True)
    helped: Mapped[bool]
    reason: Mapped[str] = mapped_column(default="")
    made_at: Mapped[datetime] = mapped_column(default=now)


class Upload(Base):
    """A file that was or is being uploaded, or that a repair made.

    `parts` are the blobs received; `sha256` and `blob` are set once it is whole. The same content is kept once for each owner:
    several uploads may have one blob.
    """

    __tablename__ = "uploads"
    __table_args__ = (Index("uploads_by_content", "owner_id", "sha256"),)
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"))
    name: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger, default=0)
    parts: Mapped[list[str]] = mapped_column(default=list)
    sha256: Mapped[str | None]
    blob: Mapped[str | None] = mapped_column(index=True)
    made_from: Mapped[str | None] = mapped_column(ForeignKey("uploads.id", ondelete="SET NULL"), index=True)
    made_at: Mapped[datetime] = mapped_column(default=now)
    ends_at: Mapped[datetime] = mapped_column(index=True)

    @property
    def whole(self) -> bool:
        """Whether all of it is there."""
        return self.blob is not None


class Job(Base):
    """Work that goes on after a request: an answer, a repair, a delivery to Slack.

    A process that works on it holds a lease, which it renews; when the lease is over, the process died. `watched_at` is when
    somebody last watched it (None: nobody ever did), `arguments` are the handler's.
    """

    __tablename__ = "jobs"
    __table_args__ = (Index("jobs_by_state", "state", "made_at"),)
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]  # answer, repair, slack, slack_post
    chat_id: Mapped[str | None] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"), index=True)
    message_id: Mapped[str | None] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), index=True)
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(default="queued")  # queued, running, done, failed, cancelled
    tries: Mapped[int] = mapped_column(default=0)
    holder: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    watched_at: Mapped[datetime | None]
    cancel: Mapped[bool] = mapped_column(default=False)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    made_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]


class Event(Base):
    """Something that happened in a chat, in the order in which it is streamed."""

    __tablename__ = "events"
    # Without AUTOINCREMENT SQLite would give the numbers of swept events again.
    __table_args__ = (Index("events_by_chat", "chat_id", "id"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(Counted, primary_key=True, autoincrement=True)
    chat_id: Mapped[str] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"))
    job_id: Mapped[str | None] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    made_at: Mapped[datetime] = mapped_column(default=now)


class Count(Base):
    """How much of a limit is used up in a window of time."""

    __tablename__ = "counts"
    name: Mapped[str] = mapped_column(primary_key=True)
    window: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    used: Mapped[int]


class SlackInstallation(Base):
    """A Slack workspace that the app is installed in. `sealed` is Slack's installation as JSON, encrypted."""

    __tablename__ = "slack_installations"
    team_id: Mapped[str] = mapped_column(primary_key=True)
    enterprise_id: Mapped[str] = mapped_column(primary_key=True, default="")
    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime] = mapped_column(default=now)


class SlackState(Base):
    """A state that an installation was begun with, valid once and for a short time."""

    __tablename__ = "slack_states"
    state: Mapped[str] = mapped_column(primary_key=True)
    ends_at: Mapped[datetime]


class SlackThread(Base):
    """The chat that belongs to a thread in Slack, or (with an empty `thread`) to direct messages; `person` is who is helped there."""

    __tablename__ = "slack_threads"
    team_id: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    thread: Mapped[str] = mapped_column(primary_key=True)
    chat_id: Mapped[str] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"))
    person: Mapped[str] = mapped_column(default="")


class SlackSeen(Base):
    """An event of Slack that was taken: the same one sent again is not answered twice."""

    __tablename__ = "slack_seen"
    id: Mapped[str] = mapped_column(primary_key=True)
    made_at: Mapped[datetime] = mapped_column(default=now, index=True)
