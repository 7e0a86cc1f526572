"""A message as the word on the diagnosis that stands: it helped, or it did not."""

from __future__ import annotations

from dataclasses import replace

from ..diagnostics.diagnosis import Diagnosis
from ..knowledge.lines import line_of
from . import leads
from .next_step import next_step
from .small_talk import SOLVED_UNKNOWN
from .talk import Talk


def take_verdict(talk: Talk) -> None:
    """Whether the diagnosis that stands helped."""
    last, said = talk.last, talk.heard.said
    if last is None or talk.answered or "anew" in said:
        return
    if "not_helped" in said or ("no" in said and talk.asked.act is None and not talk.question):
        _rule_out(talk, last)
    elif "helped" in said:
        talk.helped = True if last.topic else None
        talk.case = replace(talk.case, question=None, solved=True)
        talk.say(leads.SOLVED if last.topic else SOLVED_UNKNOWN)


def _rule_out(talk: Talk, last: Diagnosis) -> None:
    """The topic that was named is not it."""
    if talk.version_told and last.told.line != line_of(talk.case.keras, None):
        return  # what did not help was the fix for another Keras
    if last.topic is None or last.title is None:
        stands = [] if talk.case.suggested else [leads.NOT_KNOWN_STANDS]
        talk.say(leads.together([*stands, next_step(talk, last)]))
        return
    talk.helped = False
    said = talk.case.said
    ruled_out, likely = said.ruled_out | {last.topic}, said.likely - {last.topic}
    talk.case = replace(talk.case, said=replace(said, ruled_out=ruled_out, likely=likely), solved=False)
    talk.redo = True
