"""The Diagnosis: the answer as one value, from which terminal text, JSON, HTML and chat blocks are rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ..knowledge.lines import Line
from ..knowledge.symptoms import Owner
from ..knowledge.text import Lang, Text
from .probe import Finding, SubjectKind

SCHEMA = "kerasdoctor.diagnosis/3"


@dataclass(frozen=True)
class Named:
    """A topic that comes into question: id, title, and its probability from 0 to 1 with all evidence counted."""

    topic: str
    title: Text
    confidence: float


@dataclass(frozen=True)
class Fix:
    """What to do. `code` runs in the Keras lines `lines`; `seen_on` names the releases it was run on ("" for none)."""

    steps: Text
    check: Text
    language: str
    code: str
    lines: tuple[Line, ...]
    seen_on: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """What was understood of the paste: the exception, whose code raised it, the versions that are known and how."""

    shape: str
    exception: str
    message: str
    owner: Owner | None
    package: str
    keras: str | None
    tensorflow: str | None
    python: str | None
    line: Line | None
    language: str


QuestionKind = Literal["topics", "line", "probe"]
NEITHER = "neither"  # the value of the option that it is none of the topics asked about


@dataclass(frozen=True)
class Option:
    """An answer that can be given: its label, and the topic or the Keras line that it stands for."""

    label: Text
    value: str


@dataclass(frozen=True)
class Question:
    """What to ask (`topics`: which of two; `line`: which Keras) or which probe to run, and the bits it is worth.

    A `probe` question has no options: it is answered by examining something. `probe` is then the id of the probe and `subject`
    the kind of subject that it needs; `text` says it for a command line, which other channels word for themselves.
    """

    kind: QuestionKind
    text: Text
    options: tuple[Option, ...]
    gain: float
    probe: str | None = None
    subject: SubjectKind | None = None

    @property
    def key(self) -> str:
        """The same for the same question, whatever its wording: "line", "topics:a|b", "probe:id"."""
        if self.kind == "topics":
            return "topics:" + "|".join(sorted(option.value for option in self.options if option.value != NEITHER))
        return f"probe:{self.probe}" if self.kind == "probe" else self.kind

    def as_json(self, lang: Lang) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "key": self.key,
            "kind": self.kind,
            "text": self.text.say(lang),
            "options": [{"label": option.label.say(lang), "value": option.value} for option in self.options],
            "gain": round(self.gain, 2),
            "probe": self.probe,
            "subject": self.subject,
        }


@dataclass(frozen=True)
class Diagnosis:
    """The answer to a paste and its subjects, worded for a reader of `lang`.

    `topic` is None for "not known"; then `summary` says so, `advice` says what would help, and `alternatives` are no more
    than the nearest topics. `alternatives` never hold the topic itself.
    """

    lang: Lang
    topic: str | None
    title: Text | None
    summary: Text
    why: Text | None
    confidence: float
    reasons: tuple[Text, ...]
    findings: tuple[Finding, ...]
    fix: Fix | None
    alternatives: tuple[Named, ...]
    sources: tuple[tuple[str, str], ...]
    advice: tuple[Text, ...]
    question: Question | None
    told: Told

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON, by the schema that `SCHEMA` names."""
        lang = self.lang
        return {
            "schema": SCHEMA,
            "lang": lang,
            "topic": self.topic,
            "title": self.title.say(lang) if self.title else None,
            "summary": self.summary.say(lang),
            "why": self.why.say(lang) if self.why else None,
            "confidence": round(self.confidence, 4),
            "reasons": [reason.say(lang) for reason in self.reasons],
            "findings": [finding_as_json(finding, lang) for finding in self.findings],
            "fix": _fix(self.fix, lang) if self.fix else None,
            "alternatives": [
                {"topic": a.topic, "title": a.title.say(lang), "confidence": round(a.confidence, 4)}
                for a in self.alternatives
            ],
            "sources": [{"title": title, "url": url} for title, url in self.sources],
            "advice": [text.say(lang) for text in self.advice],
            "question": self.question.as_json(lang) if self.question else None,
            "told": vars(self.told),
        }


def finding_as_json(finding: Finding, lang: Lang) -> dict[str, Any]:
    """Plain values of a finding, worded for a reader of `lang`."""
    return {
        "probe": finding.probe,
        "subject": finding.subject,
        "outcome": finding.outcome,
        "fault": finding.fault,
        "warning": finding.warning,
        "topics": list(finding.topics),
        "ruled_out": list(finding.ruled_out),
        "evidence": [text.say(lang) for text in finding.evidence],
        "layers": list(finding.layers),
    }


def _fix(fix: Fix, lang: Lang) -> dict[str, Any]:
    return {
        "steps": fix.steps.say(lang),
        "check": fix.check.say(lang),
        "language": fix.language,
        "code": fix.code,
        "lines": list(fix.lines),
        "seen_on": list(fix.seen_on),
    }
