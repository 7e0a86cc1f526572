"""Looking at all that is known of a case, again, and what that changed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..diagnostics.catalogue import listed_probes
from ..diagnostics.depth import Depth
from ..diagnostics.diagnosis import Diagnosis
from ..diagnostics.doctor import Doctor, Subjects
from ..knowledge.entry import load_entry
from ..knowledge.lines import LINES, line_of
from ..knowledge.parser import parse
from ..knowledge.text import Text
from . import leads, version_leads
from .next_step import next_step
from .outputs import without_bars
from .reply import Reply
from .severity import severity
from .talk import Talk
from .version_talk import without_past

if TYPE_CHECKING:
    from ..diagnostics.probe import Finding
    from ..diagnostics.progress import Watch

PASTED = "pasted-log.txt"  # the name under which a pasted log is examined


def diagnosed(talk: Talk, doctor: Doctor, recognised: Callable[[Diagnosis], None], watch: Watch | None) -> Reply:
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
    if diagnosis.topic is None and diagnosis.question and diagnosis.question.kind == "line":
        diagnosis = replace(diagnosis, question=None)  # a fix could be another one, but there is none
    if _unchanged(talk, diagnosis):
        stays = [leads.stays(diagnosis.title), *([] if diagnosis.topic else [next_step(talk, diagnosis)])]
        return Reply("said", talk.lang, leads.together(stays))
    talk.case = replace(case, topic=diagnosis.topic, question=diagnosis.question, diagnosis=None)
    lead = leads.together([*talk.leads, *_outcome(talk, diagnosis)])
    talk.looked = True
    return Reply("diagnosis", talk.lang, lead, diagnosis)


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
        said += [] if now.topic else [next_step(talk, now)]
    elif talk.version_told and last and not talk.fresh:
        said += _version_outcome(talk, last, now)
    elif leads.TOGETHER in talk.leads and last and now.topic != last.topic:
        said.append(leads.CHANGED)
    if "severity" in talk.heard.said:
        said.append(severity(now))
    if not talk.case.texts and all(finding.outcome == "could_not_look" for finding in now.findings):
        said.append(leads.NOT_EXAMINED)
    return said


def _version_outcome(talk: Talk, last: Diagnosis, now: Diagnosis) -> list[Text]:
    """What another version changed."""
    keras = talk.case.keras or ""
    line = line_of(keras, None) or LINES[0]
    if (last.topic, last.fix) == (now.topic, now.fix):
        return [version_leads.noted(keras, line, paste=False)]
    changed = [leads.CHANGED] if last.topic != now.topic else []
    return [version_leads.now_for(keras, line), *changed]
