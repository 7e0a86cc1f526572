"""A chat through the real doctor, as a caller of the conversation keeps it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from kerasdoctor.diagnostics.diagnosis import Diagnosis
from kerasdoctor.diagnostics.doctor import Doctor
from kerasdoctor.diagnostics.progress import Watch
from kerasdoctor.knowledge.recorded import traces_of
from kerasdoctor.service.case import Asked, Case
from kerasdoctor.service.conversation import Conversation, Turn
from kerasdoctor.service.reply import Reply

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = {"digits": EXAMPLES / "digits.keras", "churn": EXAMPLES / "churn.h5", "log": EXAMPLES / "training.csv"}
UINT8 = (EXAMPLES / "error.txt").read_text(encoding="utf-8")
DISCONNECTED = traces_of("graph-disconnected")["keras-2.15"][0]
NEGATIVE = traces_of("negative-dimension")["keras-3"][0]


class Chat:
    """A chat as a caller keeps it: the case as JSON, the diagnosis that stands, the files."""

    def __init__(self, doctor: Doctor, *, live: bool = False) -> None:
        self.conversation = Conversation(doctor, live=live)
        self.kept: dict[str, object] = {}
        self.last: Diagnosis | None = None
        self.files = dict(FILES)
        self.recognised: list[str | None] = []
        self.watch: Watch | None = None
        self.turn: Turn

    def say(self, text: str = "", **asked: object) -> Turn:
        before = Case.from_json(self.kept)
        self.recognised.clear()
        message = Asked(text, **asked)  # type: ignore[arg-type]
        self.turn = self.conversation.turn(before, message, self.last, self.files, self._recognise, self.watch)
        if self.turn.looked or self.turn.case.diagnosis is None:
            self.last = self.turn.reply.diagnosis
        case = replace(self.turn.case, diagnosis="an-id") if self.turn.looked else self.turn.case
        self.kept = json.loads(json.dumps(case.as_json()))
        assert Case.from_json(self.kept) == case
        reply = self.turn.reply
        assert Reply.from_json(json.loads(json.dumps(reply.as_json()))) == reply
        return self.turn

    def _recognise(self, diagnosis: Diagnosis) -> None:
        self.recognised.append(diagnosis.topic)

    @property
    def case(self) -> Case:
        return Case.from_json(self.kept)

    @property
    def topic(self) -> str | None:
        return self.turn.reply.diagnosis.topic if self.turn.reply.diagnosis else None

    @property
    def lead(self) -> str:
        reply = self.turn.reply
        return reply.lead.say(reply.lang) if reply.lead else ""
