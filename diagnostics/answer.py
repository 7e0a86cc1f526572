"""Puts the answer together: a Diagnosis from all that is known of a case."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..knowledge.entry import Block, Entry, load_entry
from ..knowledge.matcher import Match
from ..knowledge.recorded import seen_on
from ..knowledge.symptoms import Symptoms
from ..knowledge.text import Lang, Text
from . import phrases
from .catalogue import listed_probes
from .diagnosis import Diagnosis, Fix, Named, Question, Told
from .probe import Finding, SubjectKind
from .question import best_question
from .weighing import SUSPECTED


@dataclass(frozen=True)
class Case:
    """All that is known when the answer is put together."""

    lang: Lang
    symptoms: Symptoms
    told: Told
    matches: tuple[Match, ...]
    findings: tuple[Finding, ...]
    chances: dict[str, float]
    unknown: float
    missing: frozenset[SubjectKind]
    asked: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        """The names in the code and the messages of the paste: they tell which of several fixes is nearest."""
        frames = [f.code for raised in self.symptoms.raised for f in raised.frames if f.owner == "user"]
        texts = [self.symptoms.code, self.symptoms.prose, *frames, *(raised.message for raised in self.symptoms.raised)]
        return frozenset(re.findall(r"[A-Za-z_]\w{2,}", "\n".join(texts)))

    @property
    def question(self) -> Question | None:
        """What to ask next."""
        return best_question(
            self.chances, self.unknown, self.told.line, self.names, listed_probes(), self.missing, self.asked
        )


def answer(case: Case, entry: Entry) -> Diagnosis:
    """The answer that names a topic."""
    match = next((m for m in case.matches if m.topic == entry.id), None)
    reasons = [phrases.reason(reason) for reason in match.reasons] if match else []
    reasons += [phrases.confirmed(finding) for finding in case.findings if entry.id in finding.topics]
    block = entry.fix_for(case.told.line, case.names)
    return Diagnosis(
        lang=case.lang,
        topic=entry.id,
        title=entry.title,
        summary=entry.summary,
        why=Text(entry.section("en", 1), entry.section("zh", 1)),
        confidence=case.chances[entry.id],
        reasons=tuple(reasons),
        findings=case.findings,
        fix=_fix(entry, block) if block else None,
        alternatives=_alternatives(case.chances, entry.id),
        sources=tuple((source.title, source.url) for source in entry.sources),
        advice=(),
        question=case.question,
        told=case.told,
    )


def _fix(entry: Entry, block: Block) -> Fix:
    return Fix(
        steps=Text(entry.section("en", 2), entry.section("zh", 2)),
        check=Text(entry.section("en", 3), entry.section("zh", 3)),
        language=block.language,
        code=block.code,
        lines=block.lines,
        seen_on=seen_on(block),
    )


def _alternatives(chances: dict[str, float], topic: str | None) -> tuple[Named, ...]:
    others = sorted((t for t in chances if t != topic), key=lambda t: (-chances[t], t))
    return tuple(Named(t, load_entry(t).title, chances[t]) for t in others[:3] if chances[t] >= SUSPECTED)


def not_known(case: Case) -> Diagnosis:
    """The answer that names none."""
    return Diagnosis(
        lang=case.lang,
        topic=None,
        title=None,
        summary=_summary(case),
        why=None,
        confidence=case.unknown,
        reasons=tuple(phrases.whose(case.symptoms, case.told)),
        findings=case.findings,
        fix=None,
        alternatives=_alternatives(case.chances, None),
        sources=(),
        advice=tuple(phrases.missing(case.symptoms, case.told)),
        question=case.question,
        told=case.told,
    )


def _summary(case: Case) -> Text:
    """What is said first where no topic is named: where nothing was pasted, what was examined speaks."""
    outcomes = {finding.outcome for finding in case.findings}
    if case.symptoms.shape != "empty" or not outcomes & {"finding", "nothing"}:
        return phrases.NOT_KNOWN
    if any(finding.fault for finding in case.findings):
        return phrases.FAULT_FOUND
    return phrases.WORTH_KNOWING if "finding" in outcomes else phrases.NOTHING_WRONG
