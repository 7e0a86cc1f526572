"""Chats, messages, replies and jobs as JSON, worded for one reader."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from ...diagnostics.decoding import decode
from ...knowledge.text import Lang, Text
from ..case import Act, Case
from ..reply import Reply, ReplyKind
from ..tables import Chat, Job, Message
from .schemas import DiagnosisJson
from .values import AN_ID, Output

JobKind = Literal["answer", "repair", "slack"]
JobState = Literal["queued", "running", "done", "failed", "cancelled"]


class ChangeOut(Output):
    """One change."""

    text: str
    where: str = Field(description="the path of a layer, `compile` or `file`")
    before: str = Field(description="the piece before; empty where there was none")
    after: str


class MadeOut(Output):
    """A repair that was made."""

    repair: str = Field(description="its id, as in /repairs", examples=["from-logits"])
    changes: list[ChangeOut]


class ProofOut(Output):
    """How the copy was checked."""

    outcome: Literal["same", "other", "runs", "differs"] = Field(
        description="`same`: it gives the outputs of the original; `other`: a repair was meant to change them; `runs`: the "
        "original does not run, so nothing could be compared; `differs`: the outputs differ though they should not"
    )
    before: str = Field(description="the Keras in which the original ran")
    after: str = Field(description="the Keras in which the copy ran")
    difference: float | None = Field(description="of the outputs, relative to the largest")
    text: str


class MendedOut(Output):
    """What was changed in the copy of a model."""

    made: list[MadeOut]
    proof: ProofOut | None
    notes: list[str]
    written: str | None = Field(description="the name of the copy; null where none was written")


class ReplyOut(Output):
    """What the doctor says."""

    kind: ReplyKind = Field(
        description="`diagnosis` is all of it; `why`, `fix`, `evidence` and `sources` are about that part of the diagnosis; "
        "`said` is the lead alone; `repair` tells what was mended; `failed` and `cancelled` tell why there is no answer"
    )
    lang: Lang
    lead: str | None = Field(description="what is said first")
    diagnosis: DiagnosisJson | None
    mended: MendedOut | None
    copy_id: str | None = Field(description="the upload that holds the mended copy", examples=[AN_ID])


class MessageOut(Output):
    """What a person asked or the doctor answered."""

    id: str = Field(examples=[AN_ID])
    number: int = Field(description="from 1, in the order of the chat")
    role: Literal["asks", "answers"]
    text: str = Field(description="what the person wrote, with secrets masked; empty for an answer")
    uploads: list[str] = Field(description="ids of the uploads that came with it")
    act: Act | None = Field(description="the button that was pressed")
    reply: ReplyOut | None = Field(description="the doctor's answer")
    answers: str | None = Field(description="the id of the message that this one answers")
    diagnosis: str | None = Field(description="the id of the diagnosis that it is about, for feedback")
    made_at: datetime


class JobOut(Output):
    """Work that goes on after a request."""

    id: str = Field(examples=[AN_ID])
    kind: JobKind
    state: JobState
    chat: str | None
    message: str | None = Field(description="the message that it answers")
    error: str | None = Field(description="why there is no result")
    made_at: datetime
    ended_at: datetime | None


class ChatOut(Output):
    """A conversation, and what is known of its case."""

    id: str = Field(examples=[AN_ID])
    title: str = Field(description="the line that says most of its first message")
    topic: str | None = Field(description="the topic that was last named")
    diagnosis: str | None = Field(description="the id of that diagnosis")
    keras: str | None = Field(description="the version of Keras that the person told")
    lang: Lang | None = Field(description="the person's language")
    uploads: list[str] = Field(description="ids of the uploads that belong to the case")
    shared: str | None = Field(description="the address of its public page")
    made_at: datetime
    changed_at: datetime


def chat_out(chat: Chat) -> ChatOut:
    """A chat without its messages."""
    case = Case.from_json(chat.case)
    return ChatOut(
        id=chat.id,
        title=chat.title,
        topic=case.topic,
        diagnosis=case.diagnosis,
        keras=case.keras,
        lang=case.lang,
        uploads=list(case.uploads),
        shared=f"/shared/{chat.share}" if chat.share else None,
        made_at=chat.made_at,
        changed_at=chat.changed_at,
    )


def message_out(message: Message, reader: Lang | None) -> MessageOut:
    """A message, its answer in the reader's language; by default in the one that it was given in."""
    asked = message.asked or {}
    return MessageOut(
        id=message.id,
        number=message.number,
        role="asks" if message.role == "asks" else "answers",
        text=message.text,
        uploads=list(asked.get("uploads", ())),
        act=asked.get("act"),
        reply=_reply_out(Reply.from_json(message.reply), reader) if message.reply else None,
        answers=message.answers_id,
        diagnosis=message.diagnosis_id,
        made_at=message.made_at,
    )


def job_out(job: Job, reader: Lang | None) -> JobOut:
    """A job."""
    return JobOut(
        id=job.id,
        kind=decode(JobKind, job.kind, "kind"),
        state=decode(JobState, job.state, "state"),
        chat=job.chat_id,
        message=job.message_id,
        error=said(job.error, reader),
        made_at=job.made_at,
        ended_at=job.ended_at,
    )


def said(error: dict[str, Any] | None, reader: Lang | None) -> str | None:
    """The reason that a job ended for, in words."""
    return Text(error["en"], error["zh"]).say(reader or "en") if error else None


def _reply_out(reply: Reply, reader: Lang | None) -> ReplyOut:
    lang = reader or reply.lang
    diagnosis = replace(reply.diagnosis, lang=lang) if reply.diagnosis else None
    return ReplyOut(
        kind=reply.kind,
        lang=lang,
        lead=reply.lead.say(lang) if reply.lead else None,
        diagnosis=DiagnosisJson(diagnosis.as_json()) if diagnosis else None,
        mended=MendedOut.model_validate(reply.mended.as_json(lang)) if reply.mended else None,
        copy_id=reply.copy,
    )
