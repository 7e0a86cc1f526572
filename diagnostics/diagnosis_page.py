"""A diagnosis on any paper: the answer, then its parts in the order and under the headings of `page.py`."""

from __future__ import annotations

from collections.abc import Callable

from ..knowledge.text import Lang, Text
from .diagnosis import Diagnosis
from .page import OUTCOMES, Blind, Part, ShownFinding, heading_of, parts_of, ran_with, shown_findings, sure
from .paper import Paper, shown


def diagnosis_page(paper: Paper, diagnosis: Diagnosis) -> None:
    """The answer first; then why, the fix, the evidence, what else it could be, the sources."""
    answer(paper, diagnosis)
    for part in parts_of(diagnosis):
        write_part(paper, diagnosis, part)


def answer(paper: Paper, diagnosis: Diagnosis) -> None:
    """What it is: title, topic, how sure, summary."""
    lang = diagnosis.lang
    if diagnosis.topic is None or diagnosis.title is None:
        paper.title(diagnosis.summary.say(lang))
        return
    paper.title(diagnosis.title.say(lang))
    paper.named(diagnosis.topic, sure(diagnosis).say(lang))
    paper.blank()
    paper.plain(diagnosis.summary.say(lang))


def write_part(paper: Paper, diagnosis: Diagnosis, part: Part) -> None:
    """One part under its heading; nothing where the diagnosis does not have it."""
    if part in parts_of(diagnosis):
        paper.heading(heading_of(diagnosis, part).say(diagnosis.lang))
        _WRITERS[part](paper, diagnosis)


def _reasons(paper: Paper, diagnosis: Diagnosis) -> None:
    for reason in diagnosis.reasons:
        paper.item(reason.say(diagnosis.lang))


def _advice(paper: Paper, diagnosis: Diagnosis) -> None:
    for advice in diagnosis.advice:
        paper.advise(advice, diagnosis.lang)


def _fix(paper: Paper, diagnosis: Diagnosis) -> None:
    if diagnosis.fix:
        paper.markdown(diagnosis.fix.steps.say(diagnosis.lang))
        paper.blank()
        paper.code(diagnosis.fix.code, diagnosis.fix.language)
        paper.blank()
        paper.note(ran_with(diagnosis.fix).say(diagnosis.lang), indent=2)


def _check(paper: Paper, diagnosis: Diagnosis) -> None:
    if diagnosis.fix:
        paper.markdown(diagnosis.fix.check.say(diagnosis.lang))


def _why(paper: Paper, diagnosis: Diagnosis) -> None:
    if diagnosis.why:
        paper.markdown(diagnosis.why.say(diagnosis.lang))


def _evidence(paper: Paper, diagnosis: Diagnosis) -> None:
    seen, lang = shown_findings(diagnosis), diagnosis.lang
    for each in seen.findings:
        write_finding(paper, each, lang)
    if silent := seen.silent_text():
        paper.item(silent.say(lang), OUTCOMES["nothing"][0])
    for blind in seen.blind:
        write_blind(paper, blind, lang)


def write_finding(paper: Paper, told: ShownFinding, lang: Lang) -> None:
    """A finding with its evidence."""
    finding = told.finding
    mark, outcome = OUTCOMES[finding.outcome]
    _saw(paper, f"{finding.probe} ({shown(finding.subject)}): {outcome.say(lang)}", mark, finding.evidence, lang)
    if told.topic:
        paper.more(told.topic, lang)


def write_blind(paper: Paper, blind: Blind, lang: Lang) -> None:
    """Who could not look, and why."""
    mark, outcome = OUTCOMES["could_not_look"]
    _saw(paper, f"{blind.who(lang)} ({shown(blind.subject)}): {outcome.say(lang)}", mark, blind.reasons, lang)


def _saw(paper: Paper, text: str, mark: str, evidence: tuple[Text, ...], lang: Lang) -> None:
    paper.item(text, mark)
    for each in evidence:
        paper.item(each.say(lang), "-", indent=4)


def _others(paper: Paper, diagnosis: Diagnosis) -> None:
    for other in diagnosis.alternatives:
        paper.other(other, diagnosis.lang)


def _question(paper: Paper, diagnosis: Diagnosis) -> None:
    if diagnosis.question:
        paper.ask(diagnosis.question, diagnosis.lang)


def _sources(paper: Paper, diagnosis: Diagnosis) -> None:
    for title, url in diagnosis.sources:
        paper.source(title, url)


_WRITERS: dict[Part, Callable[[Paper, Diagnosis], None]] = {
    "reasons": _reasons, "advice": _advice, "fix": _fix, "check": _check, "evidence": _evidence, "why": _why, "others": _others,
    "question": _question, "sources": _sources,
}  # fmt: skip
