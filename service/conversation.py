"""A chat, turn by turn: what is known so far and a message in, what is known afterwards and the reply out.

No web and no database: whoever calls this keeps the case, the files and the diagnoses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..diagnostics.catalogue import listed_probes
from ..diagnostics.depth import Depth
from ..diagnostics.diagnosis import Diagnosis
from ..diagnostics.doctor import Doctor, Subjects
from ..knowledge.lines import LINES, line_of
from ..knowledge.text import Text
from . import leads
from .case import Asked, Case
from .reply import Reply
from .talk import Talk

if TYPE_CHECKING:
    from ..diagnostics.probe import Finding
    from ..diagnostics.progress import Watch

PARTS: tuple[Literal["evidence", "sources", "fix", "why"], ...] = ("evidence", "sources", "fix", "why")


@dataclass(frozen=True)
class Turn:
    """What a message led to.

    `case` is what is known afterwards. `helped` is the person's word on the diagnosis that stood before, None where they gave
    none. `looked` is set where `reply.diagnosis` is a new one, whose id the caller puts into `Case.diagnosis`.
    """

    case: Case
    reply: Reply
    helped: bool | None = None
    looked: bool = False


def _nobody(_diagnosis: Diagnosis) -> None:
    """Where nobody wants to know what was recognised."""


class Conversation:
    """Answers messages. Holds the doctor; what is known of a case comes with each message."""

    def __init__(self, doctor: Doctor, *, live: bool) -> None:
        """`live`: whether models may be run on this service at all."""
        self.doctor = doctor
        self.live = live

    def turn(
        self,
        case: Case,
        asked: Asked,
        last: Diagnosis | None,
        files: Mapping[str, Path],
        recognised: Callable[[Diagnosis], None] = _nobody,
        watch: Watch | None = None,
    ) -> Turn:
        """Answer a message.

        Args:
            case: what is known.
            asked: the message.
            last: the diagnosis that stands, None where there is none.
            files: where the uploads of the case and of the message are, by their ids; one that is missing has expired.
            recognised: is called with the diagnosis of the text alone, before files are examined; without files it is the answer.
            watch: follows the examination of files and can cancel it.

        Raises:
            Cancelled: the watch was cancelled.
        """
        talk = Talk(self.doctor.matcher, case, asked, last)
        talk.take_files(files)
        talk.take_live(allowed=self.live)
        talk.take_version()
        talk.take_answer()
        talk.take_verdict()
        talk.take_text()
        if talk.redo and (talk.case.texts or talk.paths):
            return _diagnosed(talk, self.doctor, recognised, watch)
        return _told(talk)


def _diagnosed(talk: Talk, doctor: Doctor, recognised: Callable[[Diagnosis], None], watch: Watch | None) -> Turn:
    """Look at all that is known, again."""
    if talk.question and not talk.fresh:
        talk.close(talk.question)
    text, case = "\n\n".join(talk.case.texts), talk.case
    diagnosis = None
    if text:
        diagnosis = doctor.diagnose(text, lang=talk.lang, keras=case.keras, said=case.said)
        recognised(diagnosis)
    if talk.paths or diagnosis is None:
        subjects = Subjects(talk.paths, () if talk.live else _ran(talk), depth=Depth(live=talk.live, lang=talk.lang))
        diagnosis = doctor.diagnose(text, subjects, talk.lang, case.keras, case.said, watch)
    talk.case = replace(case, topic=diagnosis.topic, question=diagnosis.question, diagnosis=None)
    lead = leads.together([*talk.leads, *_outcome(talk, diagnosis)])
    return Turn(talk.case, Reply("diagnosis", talk.lang, lead, diagnosis), talk.helped, looked=True)


def _ran(talk: Talk) -> tuple[Finding, ...]:
    """What was seen when the models that are still there were run: running them again would take seconds and tell the same."""
    names = {path.name for path in talk.paths}
    live = {probe.id for probe in listed_probes() if probe.subject == "live"}
    earlier = talk.last.findings if talk.last else ()
    return tuple(each for each in earlier if each.probe in live and each.subject in names)


def _outcome(talk: Talk, now: Diagnosis) -> list[Text]:
    """What changed."""
    said: list[Text] = []
    last = talk.last
    if talk.helped is False and last and last.title and not talk.fresh:
        said.append(leads.ruled_out(last.title, next_one=now.topic is not None))
    elif talk.version_told and last and not talk.fresh:
        said += _version_outcome(talk, last, now)
    elif leads.TOGETHER in talk.leads and last and now.topic != last.topic:
        said.append(leads.CHANGED)
    if not talk.case.texts and all(finding.outcome == "could_not_look" for finding in now.findings):
        said.append(leads.NOT_EXAMINED)
    return said


def _version_outcome(talk: Talk, last: Diagnosis, now: Diagnosis) -> list[Text]:
    """What another version changed."""
    keras = talk.case.keras or ""
    line = line_of(keras, None) or LINES[0]
    if (last.topic, last.fix) == (now.topic, now.fix):
        return [leads.noted(keras, line, paste=False)]
    changed = [leads.CHANGED] if last.topic != now.topic else []
    return [leads.now_for(keras, line), *changed]


def _told(talk: Talk) -> Turn:
    """Nothing is looked at again: part of the diagnosis that stands, or a word."""
    reply = (
        Reply("said", talk.lang)
        if talk.answers
        else _part(talk) or _others(talk) or _in_language(talk) or _small_talk(talk)
    )
    lead = leads.together([*talk.leads, *([reply.lead] if reply.lead else [])])
    return Turn(talk.case, replace(reply, lead=lead), talk.helped)


def _part(talk: Talk) -> Reply | None:
    """The part of the diagnosis that stands which was asked for."""
    part = next((each for each in PARTS if each in talk.heard.said), None)
    if part is None or talk.heard.rest:
        return None
    last = talk.last
    if last is None:
        return _only(talk, leads.NO_DIAGNOSIS)
    there = {"why": last.why, "fix": last.fix, "evidence": last.findings or last.reasons, "sources": last.sources}[part]
    if not there:
        return _only(
            talk, leads.with_advice(leads.PART_OF_UNKNOWN, last.advice) if last.topic is None else leads.NONE_OF_THAT
        )
    return Reply(part, talk.lang, None, replace(last, lang=talk.lang))


def _others(talk: Talk) -> Reply | None:
    """What else it could be."""
    if "others" not in talk.heard.said or talk.heard.rest or talk.last is None:
        return None
    return _only(talk, leads.others(tuple(each.title for each in talk.last.alternatives)))


def _in_language(talk: Talk) -> Reply | None:
    """The same in the language that was asked for."""
    if talk.wished is None:
        return None
    if talk.last is None:
        return _only(talk, leads.IN_THIS_LANGUAGE)
    return Reply("diagnosis", talk.lang, None, replace(talk.last, lang=talk.lang))


def _small_talk(talk: Talk) -> Reply:
    """Everything else that people say."""
    said = talk.heard.said
    if talk.version_told:
        keras = talk.case.keras or ""
        return _only(talk, leads.noted(keras, line_of(keras, None) or LINES[0], paste=True))
    if talk.heard.nothing and not talk.leads:
        return _only(talk, leads.EMPTY if not talk.asked.text.strip() else leads.NOT_UNDERSTOOD)
    if talk.heard.rest:
        return _only(talk, leads.NOT_UNDERSTOOD)
    words = {
        "help": leads.HELP, "here": leads.PASTE_IT, "thanks": leads.WELCOME, "greeting": leads.GREETING,
        "helped": leads.SOLVED_UNKNOWN, "not_helped": leads.NO_DIAGNOSIS,
    }  # fmt: skip
    found = next((words[kind] for kind in words if kind in said), None)
    if found is None and said:
        found = leads.NO_QUESTION if talk.last else leads.NO_DIAGNOSIS
    return Reply("said", talk.lang, found)


def _only(talk: Talk, lead: Text) -> Reply:
    return Reply("said", talk.lang, lead)
