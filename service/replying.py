"""Answers for which nothing is looked at again: a part of the diagnosis that stands, something about it, or a word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from ..diagnostics.diagnosis import Diagnosis
from ..knowledge.entry import load_entry
from ..knowledge.lines import LINES, line_of
from ..knowledge.text import Text
from . import leads, small_talk, version_leads
from .next_step import leave_out, next_step
from .paste import own_line
from .reply import Reply
from .severity import severity
from .talk import Talk

PARTS: tuple[Literal["evidence", "sources", "fix", "why"], ...] = ("evidence", "sources", "fix", "why")


def replied(talk: Talk) -> Reply:
    """Nothing is looked at again: part of the diagnosis that stands, or a word."""
    told = [] if talk.answers or talk.heard.rest or talk.last is None else [*_about(talk, talk.last)]
    part = None if talk.answers or "done" in talk.heard.said else _part(talk)
    if talk.answers or (told and (part is None or part.kind == "said")):
        reply = _only(talk, None)
    else:
        reply = part or _others(talk) or _in_language(talk) or _small_talk(talk)
    return replace(reply, lead=leads.together([*talk.leads, *told, *([reply.lead] if reply.lead else [])]))


def _about(talk: Talk, last: Diagnosis) -> Iterator[Text]:
    """What was asked about the diagnosis that stands and is no part of it."""
    said = talk.heard.said
    if "done" in said:
        yield small_talk.DONE
    if "simple" in said and last.topic:
        yield leads.in_short(last.summary)
    if "where" in said and last.told.shape != "empty":
        own = own_line("\n\n".join(talk.case.texts))
        yield leads.at_line(*own) if own else leads.NOT_CALLED
    if "ruled_out" in said:
        yield _ruled_out(talk, last)
    if "severity" in said:
        yield severity(last)
    if "was" in said and "version" not in said:
        line = line_of(talk.case.keras, None) or last.told.line
        keras = talk.case.keras or last.told.keras
        yield version_leads.not_that_version(said["was"], keras, line, ask=last.topic is not None)


def _ruled_out(talk: Talk, last: Diagnosis) -> Text:
    told = talk.case.said.ruled_out
    seen = {topic for finding in last.findings for topic in finding.ruled_out} - told
    said, examined = (tuple(load_entry(topic).title for topic in sorted(each)) for each in (told, seen))
    return leads.all_ruled_out(said, examined)


def _part(talk: Talk) -> Reply | None:
    """The part of the diagnosis that stands which was asked for."""
    last = talk.last
    part = next((each for each in PARTS if each in talk.heard.said), None)
    if "simple" in talk.heard.said and not (last and last.topic):
        part = "why"
    if part is None or talk.heard.rest:
        return None
    if last is None:
        return _only(talk, small_talk.NO_DIAGNOSIS)
    there = {"why": last.why, "fix": last.fix, "evidence": last.findings or last.reasons, "sources": last.sources}[part]
    if there:
        return Reply(part, talk.lang, None, replace(last, lang=talk.lang))
    if last.topic:
        return _only(talk, leads.NONE_OF_THAT)
    known = [leads.NO_REASON, *map(leads.sentence, last.reasons[:3])] if part == "why" else [leads.PART_OF_UNKNOWN]
    return _only(talk, leads.together([*known, next_step(talk, last)]))


def _others(talk: Talk) -> Reply | None:
    """What else it could be."""
    if "others" not in talk.heard.said or talk.heard.rest or talk.last is None:
        return None
    titles = tuple(each.title for each in talk.last.alternatives)
    if talk.last.topic:
        return _only(talk, leads.others(titles))
    return _only(talk, leads.together([leads.nearest(titles), next_step(talk, talk.last)]))


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
        return _only(talk, version_leads.noted(keras, line_of(keras, None) or LINES[0], paste=True))
    if talk.heard.rest:
        return _only(talk, _not_understood(talk))
    if talk.heard.nothing and not talk.leads:
        return _only(talk, _idle(talk))
    if "was" in said:
        return _only(talk, version_leads.not_that_version(said["was"], None, None, ask=True))
    if "withheld" in said:
        leave_out(talk)
        if talk.last and not talk.last.topic:
            return _only(talk, leads.together([leads.WITHOUT_IT, next_step(talk, talk.last)]))
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
