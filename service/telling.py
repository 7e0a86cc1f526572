"""What a message tells of the problem: the same again, more of it, or another one."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from . import leads
from .next_step import next_step
from .outputs import Output
from .paste import joined
from .talk import Talk


def take_text(talk: Talk) -> None:
    """What was pasted or told of the problem: the same again, more of it, or a new one."""
    if talk.answered:
        return
    if talk.paste.output:
        _take_output(talk, talk.paste.output)
    elif not (talk.paste.failed or _is_problem(talk)):
        if "anew" in talk.heard.said and talk.case.texts:
            _put_aside(talk)
    elif _is_singled_out(talk):
        _begin_anew(talk)
    elif talk.paste.repeats(talk.case.texts):
        talk.redo = talk.redo or talk.last is None
        talk.say(leads.SAME_STILL if talk.case.said.ruled_out else leads.SAME)
        if talk.case.said.ruled_out and talk.last and not talk.last.topic:
            talk.leads.append(next_step(talk, talk.last))
    elif _is_new(talk):
        _begin_anew(talk)
    else:
        _add_text(talk)
    if talk.redo and talk.paste.failed and talk.paste.several:
        talk.leads.append(leads.SEVERAL)


def _take_output(talk: Talk, output: Output) -> None:
    """What a program printed tells of no problem, at most of the versions."""
    if talk.paste.keras:
        talk.set_keras(talk.paste.keras)
    elif talk.asked.uploads == ():
        talk.say(leads.ONLY[output])


def _add_text(talk: Talk) -> None:
    """More about the problem, or its first text."""
    talk.more = bool(talk.case.texts)
    if talk.more:
        talk.leads.append(leads.TOGETHER)
    talk.case = replace(talk.case, texts=joined(talk.case.texts, talk.paste.text), solved=False)
    _keep_version(talk)
    talk.redo = True


def _put_aside(talk: Talk) -> None:
    """The problem so far is done with, and the new one not told yet."""
    talk.case = talk.case.cleared()
    talk.redo = False
    talk.say(leads.ANEW)


def _is_problem(talk: Talk) -> bool:
    """Whether a text without an exception is a problem of its own, not small talk or something beside a file."""
    if not talk.heard.rest or talk.asked.act:
        return False
    if talk.paste.log:
        return True
    if talk.heard.opens == "helped":  # "fixed it, needed TensorFlow 2.10" is no problem
        return talk.paste.begins
    return talk.paste.known or (talk.paste.telling and not (talk.asked.uploads and not talk.case.texts))


def _is_singled_out(talk: Talk) -> bool:
    """Whether the text is one of several problems that came in one message, and not the one that was answered."""
    answered = {talk.last.topic if talk.last else None, *talk.case.said.ruled_out}
    return talk.paste.is_part_of(talk.case.texts) and talk.paste.known and talk.paste.topic not in answered


def _is_new(talk: Talk) -> bool:
    """Whether the text is about another problem than the one so far."""
    if not talk.case.texts or talk.last is None or "here" in talk.heard.said:
        return False
    said = talk.case.said
    near = {talk.last.topic, *(other.topic for other in talk.last.alternatives), *said.likely, *said.ruled_out}
    if "anew" in talk.heard.said or (talk.case.solved and talk.paste.topic not in near):
        return True
    unknown = talk.last.topic is None and not said.ruled_out
    return talk.paste.is_new(talk.case.texts, cast("set[str]", near - {None}), unknown=unknown)


def _begin_anew(talk: Talk) -> None:
    """Another problem: versions, language and files stay."""
    versions = talk.case.keras or (talk.last.told.keras if talk.last else None)
    kept = versions if talk.version_told or not talk.paste.line else None
    talk.fresh = talk.redo = True
    if not talk.paste.failed and talk.heard.opens not in ("helped", "not_helped"):
        talk.helped = None  # "..., still nothing" was about the new problem
    talk.leads = [leads.NEW_KEPT if kept or talk.paths else leads.NEW]
    talk.case = replace(talk.case.cleared(), texts=joined((), talk.paste.text), keras=kept)


def _keep_version(talk: Talk) -> None:
    """A version in the text itself is the newest word on it."""
    if talk.paste.keras and not talk.version_told:
        talk.case = replace(talk.case, keras=talk.paste.keras)
