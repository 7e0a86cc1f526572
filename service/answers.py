"""A message as the answer to the question that is open."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from ..diagnostics.diagnosis import NEITHER, Option, Question
from ..knowledge.entry import load_entry
from ..knowledge.lines import LINES, Line
from ..knowledge.text import Text
from . import leads
from .paste import alike
from .talk import Talk
from .version_talk import RELEASE


def take_answer(talk: Talk) -> None:
    """An answer to the question that was asked."""
    question = talk.question
    if talk.asked.act == "choose" and not _chosen_by_button(talk):
        talk.say(leads.STALE)
    elif question and not talk.answered and not talk.paste.failed and talk.asked.act in (None, "yes", "no"):
        _answer(talk, question)


def _chosen_by_button(talk: Talk) -> bool:
    """Whether the button still belongs to something: an option of the question, or a Keras line."""
    options = talk.question.options if talk.question else ()
    if talk.question and talk.asked.choice in {option.value for option in options}:
        _choose(talk, talk.question, talk.asked.choice)
    elif talk.asked.choice in LINES:
        talk.set_keras(RELEASE[talk.asked.choice])
    else:
        return False
    return True


def _answer(talk: Talk, question: Question) -> None:
    """Understand a text as the answer to a question: an option's words or number, yes, no, "don't know"."""
    said = talk.heard.said
    if (option := _option_of(question, talk.asked.text)) and "not_helped" not in said:
        _choose(talk, question, option.value)
    elif "ordinal" in said and question.options:
        _nth(talk, question, said["ordinal"])
    elif "unsure" in said or ("no" in said and question.kind != "topics"):
        talk.close(question)
        talk.say(leads.WITHOUT if question.kind == "probe" else leads.STANDS)
    elif "no" in said:
        _choose(talk, question, NEITHER)
    elif "yes" in said:
        _confirmed(talk, question)


def _nth(talk: Talk, question: Question, nth: str) -> None:
    """Take the option with a number from 1, or the last of those that name something."""
    named = [option for option in question.options if option.value != NEITHER]
    number = len(named) if nth == "last" else int(nth or "0")
    if 1 <= number <= len(question.options):
        _choose(talk, question, question.options[number - 1].value)
    else:
        talk.say(leads.only_options(len(question.options)))


def _confirmed(talk: Talk, question: Question) -> None:
    """Yes: to a file that is wanted, or to the topic that was named with the question; else it must be asked again."""
    if question.kind == "probe":
        talk.close(question)
        talk.say(leads.DROP[question.subject or "model"])
    elif any(option.value == talk.case.topic for option in question.options):
        _choose(talk, question, talk.case.topic or "")
    else:
        labels = "; ".join(f"{n}. {o.label.en}" for n, o in enumerate(question.options, 1))
        labels_zh = "；".join(f"{n}. {o.label.zh}" for n, o in enumerate(question.options, 1))
        talk.say(Text(f"{leads.WHICH.en} {labels}", f"{leads.WHICH.zh}{labels_zh}"))


def _choose(talk: Talk, question: Question, value: str) -> None:
    """Take an option."""
    talk.answered = talk.redo = True
    if question.kind == "line":
        talk.set_keras(RELEASE[cast("Line", value)])
        return
    talk.case = replace(talk.case, said=talk.case.said.answered(question.key, value))
    talk.leads.append(leads.NEITHER if value == NEITHER else leads.taken_as(load_entry(value).title))


def _option_of(question: Question, text: str) -> Option | None:
    """The one option whose words a text is, in either language."""
    fitting = [o for o in question.options if alike(text, o.label.en) or alike(text, o.label.zh)]
    return fitting[0] if len(fitting) == 1 else None
