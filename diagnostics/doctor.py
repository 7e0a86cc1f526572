"""The doctor: Symptoms and subjects in, a Diagnosis out.

The matcher's probabilities are the suspicion. Each probe's finding then changes the odds of the topics that it speaks
to, and all probabilities, "not known" among them, are brought back to a sum of one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import SubjectError
from ..knowledge.entry import Block, Entry, has_entry, load_entry
from ..knowledge.lines import Line, line_of
from ..knowledge.matcher import Match, Matcher, Ranking
from ..knowledge.parser import parse
from ..knowledge.recorded import seen_on
from ..knowledge.symptoms import Symptoms
from ..knowledge.text import Lang, Text
from . import phrases
from .diagnosis import Diagnosis, Fix, Named, Told
from .environment import Environment, examine_environment
from .model_file import ModelFile, read_model
from .probe import Finding, all_probes, examine

# How much a finding multiplies a topic's odds. A confirmed suspicion counts for much more than one ruled out, because the
# model given need not be the one that failed.
CONFIRMED = 12.0
RULED_OUT = 0.3
# What a fault that the text does not point to starts from, as a share of the probability that the text is not known: a
# paste that is understood is about itself, whatever else is wrong with the model.
FAULT_ALONE = 0.15
SUSPECTED = 0.02


@dataclass(frozen=True)
class Subjects:
    """What is to be examined beside the text: model files, and an interpreter whose environment is looked at."""

    models: tuple[Path, ...] = ()
    python: Path | None = None


class Doctor:
    """Makes diagnoses. Holds the matcher; everything else is looked at anew each time."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher = matcher

    def diagnose(self, text: str, subjects: Subjects = Subjects(), lang: Lang | None = None) -> Diagnosis:
        """Diagnose a pasted text, with the evidence of the subjects.

        Args:
            text: what the person pasted.
            subjects: what is to be examined.
            lang: the reader's language; by default that of the text (Chinese for Chinese, English for any other).
        """
        symptoms = parse(text)
        ranking = self.matcher.match(symptoms)
        suspected = frozenset(match.topic for match in ranking.matches if match.confidence >= SUSPECTED)
        models = [(path.name, _read(path)) for path in subjects.models]
        findings = [f for name, model in models for f in _look_at_model(name, model, suspected)]
        environment = None
        if subjects.python is not None:
            environment, seen = _look_at_environment(subjects.python, suspected)
            findings += seen
        told = _told(symptoms, environment, _line_of_models([model for _, model in models]))
        chances, unknown = weigh(ranking, findings)
        best = max(chances, key=lambda topic: (chances[topic], topic), default=None)
        reader = lang or ("zh" if symptoms.language == "zh" else "en")
        if best is not None and self.matcher.calibration.knows(unknown):
            return _answer(reader, load_entry(best), chances, ranking.matches, findings, told, _names_in(symptoms))
        return _not_known(reader, symptoms, chances, unknown, findings, told)


def weigh(ranking: Ranking, findings: list[Finding]) -> tuple[dict[str, float], float]:
    """The probability of each topic in question, and that it is none, once the findings are counted."""
    odds = {match.topic: match.confidence for match in ranking.matches}
    others = max(0.0, 1.0 - ranking.unknown - sum(odds.values()))
    alone = FAULT_ALONE * ranking.unknown
    for finding in findings:
        for topic in finding.topics:
            if has_entry(topic):
                odds[topic] = max(odds.get(topic, 0.0), alone if finding.fault else 0.0) * CONFIRMED
        for topic in finding.ruled_out:
            if topic in odds:
                odds[topic] *= RULED_OUT
    total = sum(odds.values()) + others + ranking.unknown or 1.0
    return {topic: value / total for topic, value in odds.items()}, ranking.unknown / total


def _read(path: Path) -> ModelFile | SubjectError:
    try:
        return read_model(path)
    except SubjectError as error:
        return error


def _look_at_model(name: str, model: ModelFile | SubjectError, suspected: frozenset[str]) -> list[Finding]:
    probes = [probe for probe in all_probes() if probe.subject == "model"]
    if isinstance(model, SubjectError):
        reason = Text(str(model), str(model))
        return [Finding(probe.id, name, "could_not_look", (), (), (reason,)) for probe in probes]
    return [examine(probe, model, name, suspected) for probe in probes]


def _look_at_environment(python: Path, suspected: frozenset[str]) -> tuple[Environment | None, list[Finding]]:
    probes = [probe for probe in all_probes() if probe.subject == "environment"]
    try:
        environment = examine_environment(python)
    except SubjectError as error:
        reason = Text(str(error), str(error))
        return None, [Finding(probe.id, python.name, "could_not_look", (), (), (reason,)) for probe in probes]
    return environment, [examine(probe, environment, python.name, suspected) for probe in probes]


def _line_of_models(models: list[ModelFile | SubjectError]) -> Line | None:
    """The Keras line that wrote the models, where they agree."""
    lines = {model.line for model in models if isinstance(model, ModelFile)}
    return lines.pop() if len(lines) == 1 else None


def _told(symptoms: Symptoms, environment: Environment | None, written_by: Line | None) -> Told:
    main = symptoms.main
    last = main.frames[-1] if main and main.frames else None
    keras, tensorflow, python = symptoms.versions.keras, symptoms.versions.tensorflow, symptoms.versions.python
    line = symptoms.line or written_by
    if environment is not None:
        keras, tensorflow = environment.version_of("keras"), environment.version_of("tensorflow")
        python = environment.python_version
        line = line_of(keras, tensorflow) or line
    return Told(
        shape=symptoms.shape,
        exception=main.type if main else "",
        message=main.message.partition("\n")[0][:300] if main else "",
        owner=last.owner if last else None,
        package=last.package if last else "",
        keras=keras,
        tensorflow=tensorflow,
        python=python,
        line=line,
        language=symptoms.language,
    )


def _answer(
    lang: Lang,
    entry: Entry,
    chances: dict[str, float],
    matches: tuple[Match, ...],
    findings: list[Finding],
    told: Told,
    names: frozenset[str],
) -> Diagnosis:
    match = next((m for m in matches if m.topic == entry.id), None)
    reasons = [phrases.reason(reason) for reason in match.reasons] if match else []
    reasons += [phrases.confirmed(finding) for finding in findings if entry.id in finding.topics]
    block = entry.fix_for(told.line, names)
    return Diagnosis(
        lang=lang,
        topic=entry.id,
        title=entry.title,
        summary=entry.summary,
        why=Text(entry.section("en", 1), entry.section("zh", 1)),
        confidence=chances[entry.id],
        reasons=tuple(reasons),
        findings=tuple(findings),
        fix=_fix(entry, block) if block else None,
        alternatives=_alternatives(chances, entry.id),
        sources=tuple((source.title, source.url) for source in entry.sources),
        advice=(),
        question=_question(entry, chances, told),
        told=told,
    )


def _names_in(symptoms: Symptoms) -> frozenset[str]:
    """The names that stand in the code and the messages of a paste: they tell which of several fixes is nearest."""
    frames = [frame.code for raised in symptoms.raised for frame in raised.frames if frame.owner == "user"]
    texts = [symptoms.code, symptoms.prose, *frames, *(raised.message for raised in symptoms.raised)]
    return frozenset(re.findall(r"[A-Za-z_]\w{2,}", "\n".join(texts)))


def _fix(entry: Entry, block: Block) -> Fix:
    return Fix(
        steps=Text(entry.section("en", 2), entry.section("zh", 2)),
        check=Text(entry.section("en", 3), entry.section("zh", 3)),
        language=block.language,
        code=block.code,
        lines=block.lines,
        seen_on=seen_on(block.lines) if block.language == "python" else (),
    )


def _alternatives(chances: dict[str, float], topic: str | None) -> tuple[Named, ...]:
    others = sorted((t for t in chances if t != topic), key=lambda t: (-chances[t], t))
    return tuple(Named(t, load_entry(t).title, chances[t]) for t in others[:3] if chances[t] >= SUSPECTED)


def _question(entry: Entry, chances: dict[str, float], told: Told) -> Text | None:
    """The one question that would help most: which of two close topics, or else which Keras."""
    close = {t: chance for t, chance in chances.items() if t != entry.id and chance > chances[entry.id] / 3}
    related = [other for other in entry.related if other.id in close]
    if related:
        return max(related, key=lambda other: close[other.id]).differs
    lines: set[Line] = {line for block in entry.blocks if block.role == "fixed" for line in block.lines}
    blocks = [block for block in entry.blocks if block.role == "fixed"]
    return phrases.WHICH_KERAS if told.line is None and len(lines) > 1 and len(blocks) > 1 else None


def _not_known(
    lang: Lang, symptoms: Symptoms, chances: dict[str, float], unknown: float, findings: list[Finding], told: Told
) -> Diagnosis:
    return Diagnosis(
        lang=lang,
        topic=None,
        title=None,
        summary=phrases.NOT_KNOWN,
        why=None,
        confidence=unknown,
        reasons=tuple(phrases.whose(symptoms, told)),
        findings=tuple(findings),
        fix=None,
        alternatives=_alternatives(chances, None),
        sources=(),
        advice=tuple(phrases.missing(symptoms)),
        question=None,
        told=told,
    )
