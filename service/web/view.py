"""A chat as its page shows it: each message with all that its template asks for, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import PurePath
from typing import Any

from ...diagnostics.catalogue import listed_probes
from ...diagnostics.decoding import decode
from ...diagnostics.diagnosis import Diagnosis
from ...diagnostics.mended_page import MARKS, MORE, NOT_WRITTEN, NOTHING, promise_of, shown_changes
from ...diagnostics.page import (
    OUTCOMES,
    Part,
    advice_text,
    heading_of,
    question_text,
    ran_with,
    shown_findings,
    sure,
)
from ...diagnostics.probe import Finding, SubjectKind
from ...diagnostics.progress import STEPS
from ...errors import NotFoundError
from ...knowledge.text import Lang, Text
from ..case import Act, Asked, Case
from ..events import Told
from ..pages import parts_shown
from ..reply import Reply
from ..service import Service
from ..tables import Chat, Job, Message, Upload
from . import texts
from .pasted import pasted
from .shown import Answer, Asking, Changes, File, Picture, Running, Side, Silent, Step

MODEL_ENDINGS = (".keras", ".h5", ".hdf5")
SAID: dict[Act, Text] = {
    "why": texts.WHY, "fix": texts.SHOW_FIX, "evidence": texts.EVIDENCE, "sources": texts.SOURCES, "helped": texts.HELPED,
    "not_helped": texts.DID_NOT_HELP, "yes": texts.YES, "no": texts.NO,
}  # fmt: skip
CERTAIN, LIKELY = 0.9, 0.6


class View:
    """One chat. `owned` is False for whoever reads it by its public link: without files and without buttons."""

    def __init__(self, service: Service, chat: Chat, lang: Lang, *, owned: bool = True) -> None:
        self._service, self._chat, self._lang, self._owned = service, chat, lang, owned
        self.case = Case.from_json(chat.case)
        self.replies = {m.id: Reply.from_json(m.reply) for m in chat.messages if m.reply is not None}
        self.asked = {m.id: decode(Asked, m.asked or {}, "message") for m in chat.messages if m.role == "asks"}

    @property
    def diagnosis(self) -> Diagnosis | None:
        """The newest diagnosis."""
        return next((r.diagnosis for r in reversed(self.replies.values()) if r.diagnosis is not None), None)

    def messages(self) -> list[Asking | Answer]:
        """All messages, in order."""
        return [self.message(message) for message in self._chat.messages]

    def message(self, message: Message) -> Asking | Answer:
        """One message."""
        return self._asking(message) if message.role == "asks" else self._answer(message)

    def side(self) -> Side:
        """What stands beside the chat."""
        told = self.diagnosis.told if self.diagnosis else None
        versions = (("Keras", told.keras), ("TensorFlow", told.tensorflow), ("Python", told.python)) if told else ()
        made = {reply.copy for reply in self.replies.values() if reply.copy}
        sent = [
            each for asked in self.asked.values() for each in asked.uploads
        ]  # the case has them once they were looked at
        files = [self._file(each) for each in dict.fromkeys([*self.case.uploads, *sent, *sorted(made)])]
        return Side(
            self.case.topic,
            told.exception if told else "",
            tuple(f"{name} {version}" for name, version in versions if version),
            tuple(file for file in files if not file.gone),
        )

    def running(self, jobs: Iterable[Job]) -> list[Running]:
        """The jobs that are under way, with what their events told so far."""
        jobs = list(jobs)
        told = self._told() if jobs else []
        return [_running(job, [each for each in told if each.job == job.id], self._lang) for job in jobs]

    def _told(self) -> list[Told]:
        told: list[Told] = []
        while more := self._service.events.after(self._chat.id, told[-1].number if told else 0):
            told += more
        return told

    def _asking(self, message: Message) -> Asking:
        asked = self.asked[message.id]
        marks = [f"Keras {asked.keras}"] if asked.keras else []
        if asked.live and (message.text or asked.uploads):
            marks.append(texts.RUN_MODEL.say(self._lang))
        label = self._label(asked, message)
        address = f"/chats/{self._chat.id}/messages/{message.id}"
        files = tuple(map(self._file, asked.uploads)) if self._owned else ()
        return Asking(message.id, message.number, address, pasted(message.text), label, files, tuple(marks))

    def _label(self, asked: Asked, message: Message) -> str:
        if asked.act == "choose":
            return texts.CHOSE.say(self._lang).format(self._choice(asked.choice))
        if asked.act:
            return SAID[asked.act].say(self._lang)
        return texts.RUN_TOO.say(self._lang) if asked.live and not message.text and not asked.uploads else ""

    def _choice(self, value: str) -> str:
        """The label of an option that some question offered."""
        questions = [reply.diagnosis.question for reply in self.replies.values() if reply.diagnosis]
        options = [option for question in questions if question for option in question.options]
        return next((option.label.say(self._lang) for option in options if option.value == value), value)

    def _answer(self, message: Message) -> Answer:
        reply = self.replies[message.id]
        answer = Answer(message.id, message.number, self._chat.id, reply, texts.texts(reply.lang))
        if reply.mended is not None:
            answer = self._with_mended(answer, reply)
        if reply.diagnosis is not None:
            answer = self._with_diagnosis(answer, reply.diagnosis)
        newest = message.id == next(reversed(self.replies))
        return self._with_acts(answer) if newest and self._owned else answer

    def _with_diagnosis(self, answer: Answer, diagnosis: Diagnosis) -> Answer:
        lang = diagnosis.lang
        parts = parts_shown(answer.reply)
        seen = shown_findings(diagnosis)
        told = {each.finding.probe for each in seen.findings}
        silent = [f for f in diagnosis.findings if f.outcome == "nothing" and f.probe not in told]
        words, silent_text = _words(diagnosis), seen.silent_text()
        return replace(
            answer,
            parts=parts,
            headings={part: heading_of(diagnosis, part).say(lang) for part in parts},
            advice=tuple(advice_text(each).say(lang) for each in diagnosis.advice),
            ran_with=ran_with(diagnosis.fix).say(lang) if diagnosis.fix else "",
            seen=seen,
            seen_in=_seen_in(diagnosis, parts),
            outcomes={name: text.say(lang) for name, (_, text) in OUTCOMES.items()},
            silent=tuple(Silent(f.probe, _promises()[f.probe].say(lang)) for f in silent if f.probe in _promises()),
            silent_text=silent_text.say(lang) if silent_text else "",
            pictures=self._pictures(diagnosis) if self._owned else (),
            question=question_text(diagnosis.question).say(lang) if diagnosis.question else "",
            percent=round(diagnosis.confidence * 100),
            sure=sure(diagnosis).say(lang),
            sure_words=words.say(lang),
        )

    def _with_mended(self, answer: Answer, reply: Reply) -> Answer:
        lang, mended = reply.lang, reply.mended
        if mended is None:
            return answer
        download = self._file(reply.copy) if reply.copy and self._owned else None
        written = download.name if download else NOT_WRITTEN.say(lang)
        return replace(
            answer,
            mended_title=written if mended.made else NOTHING.say(lang),
            made=tuple(_changes(made, lang) for made in mended.made),
            proof_mark=MARKS[mended.proof.outcome] if mended.proof else "",
            download=download if download and not download.gone else None,
        )

    def _with_acts(self, answer: Answer) -> Answer:
        reply, diagnosis = answer.reply, answer.reply.diagnosis or self.diagnosis
        if diagnosis is None:
            return answer
        shown = set(answer.parts) if reply.diagnosis else set()
        has: tuple[tuple[Act, object, Part], ...] = (
            ("why", diagnosis.why, "why"), ("fix", diagnosis.fix, "fix"), ("evidence", diagnosis.findings, "evidence"),
        )  # fmt: skip
        acts = [(act, answer.w[name]) for (act, there, part), name in zip(has, ("WHY", "SHOW_FIX", "EVIDENCE"), strict=True)
                if there and (part not in shown or (part == "why" and reply.kind == "diagnosis"))]  # fmt: skip
        models = self._models(diagnosis)
        return replace(
            answer,
            asks=bool(self.case.question) and reply.kind == "diagnosis",
            acts=tuple(acts),
            rates=diagnosis.topic is not None,
            can_run=bool(models) and not self.case.live and self._service.settings.live,
            models=models,
        )

    def _models(self, diagnosis: Diagnosis) -> tuple[File, ...]:
        kinds = _kinds(diagnosis)
        return tuple(
            file
            for file in map(self._file, self.case.uploads)
            if not file.gone and (kinds.get(file.name) == "model" or _looks_like_model(file.name, kinds))
        )

    def _pictures(self, diagnosis: Diagnosis) -> tuple[Picture, ...]:
        kinds, lang = _kinds(diagnosis), diagnosis.lang
        words = {"model": texts.PICTURE_MODEL, "log": texts.PICTURE_LOG}
        told = [each.finding for each in shown_findings(diagnosis).findings if each.finding.outcome == "finding"]
        names = dict.fromkeys(f.subject for f in (*told, *diagnosis.findings) if f.outcome in ("finding", "nothing"))
        sent = [file for file in map(self._file, self.case.uploads) if not file.gone and kinds.get(file.name) in words]
        return tuple(
            Picture(f"/uploads/{file.id}/picture.svg?lang={lang}", words[kinds[file.name]].say(lang).format(file.name))
            for name in names
            for file in sent
            if file.name == name
        )

    def _file(self, upload: str) -> File:
        try:
            return file_of(self._service.uploads.get(self._chat.owner_id, upload))
        except NotFoundError:
            return File(upload, "?", gone=True)


def file_of(upload: Upload) -> File:
    """An upload as it is shown."""
    return File(upload.id, upload.name, upload.size, upload.made_from)


def _looks_like_model(name: str, kinds: Mapping[str, SubjectKind]) -> bool:
    return name not in kinds and PurePath(name).suffix.lower() in MODEL_ENDINGS


@cache
def _promises() -> Mapping[str, Text]:
    return {probe.id: probe.promise for probe in listed_probes()}


@cache
def _subjects() -> Mapping[str, SubjectKind]:
    return {probe.id: probe.subject for probe in listed_probes()}


def _kinds(diagnosis: Diagnosis) -> dict[str, SubjectKind]:
    """What the files are, by their names, as the probes that looked at them tell."""
    kinds: dict[str, SubjectKind] = {}
    for finding in diagnosis.findings:
        kind = _subjects().get(finding.probe)
        if kind and kinds.get(finding.subject) != "model":
            kinds[finding.subject] = "model" if kind == "live" else kind
    return kinds


def _words(diagnosis: Diagnosis) -> Text:
    if diagnosis.confidence >= CERTAIN:
        return texts.CERTAIN
    return texts.LIKELY if diagnosis.confidence >= LIKELY else texts.PERHAPS


def _seen_in(diagnosis: Diagnosis, parts: tuple[Part, ...]) -> Finding | None:
    if "evidence" not in parts or "fix" not in parts or parts.index("evidence") < parts.index("fix"):
        return None
    shown = (f for f in diagnosis.findings if f.outcome == "finding" and diagnosis.topic in f.topics and f.evidence)
    return next(shown, None)


def _changes(made: Any, lang: Lang) -> Changes:  # noqa: ANN401 - a Made
    changes, more = shown_changes(made)
    return Changes(made.repair, promise_of(made).say(lang), changes, MORE.say(lang).format(more) if more else "")


def _running(job: Job, told: list[Told], lang: Lang) -> Running:
    words, recognised = step_words(lang), None
    steps: dict[tuple[str, str], Step] = {}
    for each in told:
        if each.kind == "recognised":
            recognised = each.data
        if each.kind == "probes":
            for step in each.data["steps"]:
                key = (step["subject"], step["probe"])
                steps[key] = Step(step["probe"], step["state"], step["outcome"], words.get(step["probe"], ""))
    return Running(job.id, job.state, recognised, tuple(steps.values()))


@cache
def step_words(lang: Lang) -> Mapping[str, str]:
    """What each step does."""
    return {name: text.say(lang) for name, text in STEPS.items()} | {
        name: text.say(lang) for name, text in _promises().items()
    }
