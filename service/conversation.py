"""A chat, turn by turn: what is known so far and a message in, what is known afterwards and the reply out.

No web and no database: whoever calls this keeps the case, the files and the diagnoses.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..diagnostics.catalogue import listed_probes
from ..diagnostics.depth import Depth
from ..diagnostics.diagnosis import Diagnosis
from ..diagnostics.doctor import Doctor, Subjects
from ..knowledge.entry import load_entry
from ..knowledge.lines import LINES, line_of
from ..knowledge.parser import parse
from ..knowledge.text import Text
from . import leads, small_talk
from .case import Asked, Case
from .outputs import without_bars
from .paste import own_line
from .reply import Reply
from .talk import Talk
from .version_talk import without_past

if TYPE_CHECKING:
    from ..diagnostics.probe import Finding
    from ..diagnostics.progress import Watch

PARTS: tuple[Literal["evidence", "sources", "fix", "why"], ...] = ("evidence", "sources", "fix", "why")
PASTED = "pasted-log.txt"  # the name under which a pasted log is examined


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
    case = talk.case
    text, log = _split(case.texts)
    diagnosis = None
    if text:
        diagnosis = doctor.diagnose(text, lang=talk.lang, keras=case.keras, said=case.said)
        recognised(diagnosis)
    if talk.paths or log or diagnosis is None:
        with tempfile.TemporaryDirectory(prefix="kerasdoctor-log-") as folder:
            files = (*talk.paths, *_kept(log, Path(folder)))
            subjects = Subjects(files, () if talk.live else _ran(talk), depth=Depth(live=talk.live, lang=talk.lang))
            diagnosis = doctor.diagnose(text, subjects, talk.lang, case.keras, case.said, watch)
    if _unchanged(talk, diagnosis):
        stays = [leads.stays(diagnosis.title), *([] if diagnosis.topic else [talk.next_step(diagnosis)])]
        return Turn(talk.case, Reply("said", talk.lang, leads.together(stays)), talk.helped)
    talk.case = replace(case, topic=diagnosis.topic, question=diagnosis.question, diagnosis=None)
    lead = leads.together([*talk.leads, *_outcome(talk, diagnosis)])
    return Turn(talk.case, Reply("diagnosis", talk.lang, lead, diagnosis), talk.helped, looked=True)


def _split(texts: tuple[str, ...]) -> tuple[str, str]:
    """What the texts of a case tell of the program that fails, and what fit printed."""
    joined = without_past("\n\n".join(texts))
    return (joined, "") if parse(joined).shape in ("traceback", "message") else without_bars(joined)


def _kept(log: str, folder: Path) -> tuple[Path, ...]:
    """A pasted log as a file, to be examined like one."""
    if not log:
        return ()
    path = folder / PASTED
    path.write_text(log, encoding="utf-8")
    return (path,)


def _unchanged(talk: Talk, now: Diagnosis) -> bool:
    """Whether words that were added change nothing that is shown."""
    last = talk.last
    if last is None or not talk.more or talk.paste.failed or talk.helped is not None or talk.leads != [leads.TOGETHER]:
        return False
    same = (last.topic, last.fix, last.findings) == (now.topic, now.fix, now.findings)
    return same and (now.question is None or _key(last) == _key(now))


def _key(diagnosis: Diagnosis) -> str:
    return diagnosis.question.key if diagnosis.question else ""


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
        before = sorted(talk.case.said.ruled_out - {last.topic})
        titles = (last.title, *(load_entry(topic).title for topic in before))
        said.append(leads.ruled_out(titles, next_one=now.topic is not None))
        said += [] if now.topic else [talk.next_step(now)]
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
        else _about(talk) or _part(talk) or _others(talk) or _in_language(talk) or _small_talk(talk)
    )
    lead = leads.together([*talk.leads, *([reply.lead] if reply.lead else [])])
    return Turn(talk.case, replace(reply, lead=lead), talk.helped)


def _about(talk: Talk) -> Reply | None:
    """What was asked about the diagnosis that stands and is no part of it: in short, in which line, what now that it is changed."""
    said, last = talk.heard.said, talk.last
    if talk.heard.rest or last is None:
        return None
    if "done" in said:
        return _only(talk, small_talk.DONE)
    if "simple" in said and last.topic:
        return _only(talk, leads.in_short(last.summary))
    if "where" in said and last.told.shape != "empty":
        own = own_line("\n\n".join(talk.case.texts))
        return _only(talk, leads.at_line(*own) if own else leads.NOT_CALLED)
    if "was" in said and "version" not in said:
        line = line_of(talk.case.keras, None) or last.told.line
        return _only(talk, leads.not_that_version(said["was"], talk.case.keras or last.told.keras, line))
    return None


def _part(talk: Talk) -> Reply | None:
    """The part of the diagnosis that stands which was asked for."""
    part = next((each for each in PARTS if each in talk.heard.said), None)
    if "simple" in talk.heard.said:
        part = "why"
    if part is None or talk.heard.rest:
        return None
    last = talk.last
    if last is None:
        return _only(talk, small_talk.NO_DIAGNOSIS)
    there = {"why": last.why, "fix": last.fix, "evidence": last.findings or last.reasons, "sources": last.sources}[part]
    if there:
        return Reply(part, talk.lang, None, replace(last, lang=talk.lang))
    if last.topic:
        return _only(talk, leads.NONE_OF_THAT)
    known = [leads.NO_REASON, *map(leads.sentence, last.reasons[:3])] if part == "why" else [leads.PART_OF_UNKNOWN]
    return _only(talk, leads.together([*known, talk.next_step(last)]))


def _others(talk: Talk) -> Reply | None:
    """What else it could be."""
    if "others" not in talk.heard.said or talk.heard.rest or talk.last is None:
        return None
    titles = tuple(each.title for each in talk.last.alternatives)
    if talk.last.topic:
        return _only(talk, leads.others(titles))
    return _only(talk, leads.together([leads.nearest(titles), talk.next_step(talk.last)]))


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
    if talk.heard.rest:
        return _only(talk, _not_understood(talk))
    if talk.heard.nothing and not talk.leads:
        return _only(talk, _idle(talk))
    if "was" in said:
        return _only(talk, leads.not_that_version(said["was"], None, None))
    found = next((answer for kind, answer in small_talk.ANSWERS.items() if kind in said), None)
    if found is None and said:
        found = small_talk.NO_QUESTION if talk.last else small_talk.NO_DIAGNOSIS
    return Reply("said", talk.lang, found)


def _not_understood(talk: Talk) -> Text | None:
    if talk.last and talk.last.topic:
        return leads.together([small_talk.WHAT, small_talk.YOUR_TURN])
    return leads.together([small_talk.WHAT, small_talk.SAY_WHAT])


def _idle(talk: Talk) -> Text:
    if not talk.asked.text.strip():
        return small_talk.EMPTY
    return small_talk.YOUR_TURN if talk.last else small_talk.GREETING


def _only(talk: Talk, lead: Text | None) -> Reply:
    return Reply("said", talk.lang, lead)
