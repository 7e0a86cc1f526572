"""The doctor: Symptoms and subjects in, a Diagnosis out.

The matcher's probabilities are the suspicion. Each probe's finding then changes the odds of the topics that it speaks
to, and all probabilities, "not known" among them, are brought back to a sum of one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from ..knowledge.entry import Block, Entry, has_entry, load_entry
from ..knowledge.lines import Line, line_of
from ..knowledge.matcher import Match, Matcher, Ranking
from ..knowledge.parser import parse
from ..knowledge.recorded import seen_on
from ..knowledge.symptoms import Symptoms
from ..knowledge.text import Lang, Text
from . import phrases
from .catalogue import listed_probes
from .depth import Depth
from .diagnosis import NEITHER, Diagnosis, Fix, Named, Question, Told
from .probe import Finding, SubjectKind
from .question import PERSON, best_question

if TYPE_CHECKING:  # examining imports much, and only where there is something to examine
    from .environment import Environment
    from .examination import Examination
    from .progress import Watch
    from .workers import Workers

# How much a finding multiplies a topic's odds. A confirmed suspicion counts for much more than one ruled out, because the
# model given need not be the one that failed.
CONFIRMED = 12.0
RULED_OUT = 0.3
# What a fault that the text does not point to starts from, as a share of the probability that the text is not known: a
# paste that is understood is about itself, whatever else is wrong with the model.
FAULT_ALONE = 0.15
NO_TEXT = 1.0  # the same where nothing was pasted: a fault is all there is to go by
SUSPECTED = 0.02
# What a topic keeps of its odds, as part of "not known", once its fix did not help: it may still be it, and else it is more
# likely something that is not known than a topic that hardly fitted. Of 859 cases (tests/knowledge/questions.jsonl and real ones)
# those whose first topic was wrong had the right one second in 56 %; of those that LEAST_NAMED then lets through, in 65 %.
DID_NOT_HELP = 0.1
# The least probability of a topic that is named on words alone: of those below it most were wrong.
LEAST_NAMED = 0.3
MAX_VERSION = 40  # characters


@dataclass(frozen=True)
class Subjects:
    """What is to be examined beside the text: files, told apart by their bytes, and an interpreter's environment.

    `files` are model files, weights, training logs, data samples, reports of environments. `depth` says how deep to look; the
    weights of a model are also read where a suspicion asks for it. `ran` are the findings of an earlier run of these models, which
    stand where they are not run again.
    """

    files: tuple[Path, ...] = ()
    ran: tuple[Finding, ...] = ()
    python: Path | None = None
    depth: Depth = field(default_factory=Depth)


@dataclass(frozen=True)
class Said:
    """What the person said beside the text.

    `ruled_out` are topics whose fix did not help, or that the person said it is not: they are not named again, not among the
    alternatives either. `likely` are those that they chose in answer to a question, `asked` the keys of questions that they
    were asked, which are not asked again.
    """

    ruled_out: frozenset[str] = frozenset()
    likely: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()

    def answered(self, key: str, value: str) -> Said:
        """What they have said once they answer a question.

        Args:
            key: the question's key.
            value: the value of the option that they chose. That of a question about the Keras line is no topic and is for
                `Doctor.diagnose`; any text that is no option of a question about topics counts as no answer.
        """
        kind, _, topics = key.partition(":")
        named = frozenset(topics.split("|")) if kind == "topics" else frozenset()
        ruled_out = self.ruled_out | (named if value == NEITHER else frozenset())
        return Said(ruled_out, self.likely | (named & {value}), self.asked | {key})


class Doctor:
    """Makes diagnoses. Holds the matcher; everything else is looked at anew each time."""

    def __init__(self, matcher: Matcher, workers: Workers | None = None) -> None:
        """`workers` are where subjects are examined, as for `examine_file`."""
        self.matcher = matcher
        self.workers = workers

    def diagnose(
        self,
        text: str,
        subjects: Subjects = Subjects(),
        lang: Lang | None = None,
        keras: str | None = None,
        said: Said = Said(),
        watch: Watch | None = None,
    ) -> Diagnosis:
        """Diagnose a pasted text, with the evidence of the subjects.

        Args:
            text: what the person pasted.
            subjects: what is to be examined.
            lang: the reader's language; by default that of the text (Chinese for Chinese, English for any other).
            keras: the version of the reader's Keras, as they told it; by default what the text and the subjects tell.
            said: what they said beside it.
            watch: is told the steps of examining, and ends it when it is cancelled.

        Raises:
            Cancelled: the watch was.
        """
        symptoms = parse(text)
        ranking = self.matcher.match(symptoms)
        matched = frozenset(match.topic for match in ranking.matches if match.confidence >= SUSPECTED)
        suspected = (matched | said.likely) - said.ruled_out
        examined = self._examine(subjects, suspected, watch)
        findings = [*(finding for each in examined for finding in each.findings), *subjects.ran]
        environment = next((each.environment for each in examined if each.environment), None)
        chances, unknown = weigh(ranking, findings, FAULT_ALONE if text.strip() else NO_TEXT, said)
        case = _Case(
            lang=lang or ("zh" if symptoms.language == "zh" else "en"),
            symptoms=symptoms,
            told=_told(symptoms, keras, environment, _line_of_models([each.line for each in examined])),
            matches=ranking.matches,
            findings=tuple(findings),
            chances=chances,
            unknown=unknown,
            missing=_missing(examined, ran=subjects.depth.live or bool(subjects.ran)),
            asked=said.asked,
        )
        best = max(chances, key=lambda topic: (chances[topic], topic), default=None)
        known = self.matcher.calibration.knows(unknown, alone=symptoms.main is None)
        if best is not None and known and (chances[best] >= LEAST_NAMED or _seen(best, findings)):
            return _answer(case, load_entry(best))
        return _not_known(case)

    def _examine(self, subjects: Subjects, suspected: frozenset[str], watch: Watch | None) -> list[Examination]:
        """Look at each subject."""
        if not subjects.files and subjects.python is None:
            return []
        from .examination import examine_files, examine_python  # noqa: PLC0415 - see above

        seen = examine_files(subjects.files, suspected, depth=subjects.depth, workers=self.workers, watch=watch)
        return seen + ([examine_python(subjects.python, suspected, watch=watch)] if subjects.python is not None else [])


@dataclass(frozen=True)
class _Case:
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


def weigh(
    ranking: Ranking, findings: list[Finding], fault: float = FAULT_ALONE, said: Said = Said()
) -> tuple[dict[str, float], float]:
    """The probability of each topic in question, and that it is none, once the findings and what the person said are counted.

    `fault` is what a topic that only a fault points to starts from, as a share of the probability that it is none. Where nothing
    was pasted a warning does as much: it is all there is to go by.
    """
    odds = {match.topic: match.confidence for match in ranking.matches}
    others = max(0.0, 1.0 - ranking.unknown - sum(odds.values()))
    alone = fault * ranking.unknown
    for finding in findings:
        tells = finding.fault or (finding.warning and fault == NO_TEXT)
        for number, topic in enumerate(finding.topics, 1):
            if has_entry(topic):  # the first is what the probe has in mind, the others may come of it
                start = max(alone / number, _explained(topic, odds) if finding.fault else 0.0) if tells else 0.0
                odds[topic] = max(odds.get(topic, 0.0), start) * CONFIRMED
        for topic in finding.ruled_out:
            if topic in odds:
                odds[topic] *= RULED_OUT
    for topic in said.likely:
        if has_entry(topic):
            odds[topic] = max(odds.get(topic, 0.0), alone) * PERSON / (1.0 - PERSON)
    unknown = ranking.unknown + DID_NOT_HELP * sum(odds.get(topic, 0.0) for topic in sorted(said.ruled_out))
    odds = {topic: value for topic, value in odds.items() if topic not in said.ruled_out}
    total = sum(odds.values()) + others + unknown or 1.0
    return {topic: value / total for topic, value in odds.items()}, unknown / total


def _seen(topic: str, findings: list[Finding]) -> bool:
    """Whether a probe saw it."""
    return any(topic in finding.topics for finding in findings)


def _explained(cause: str, odds: dict[str, float]) -> float:
    """The highest odds of a described symptom for which the entries name this cause: a fault that is there explains it."""

    def names(one: str, other: str) -> bool:
        return any(related.id == other for related in load_entry(one).related)

    symptoms = [topic for topic in odds if topic != cause and load_entry(topic).kind == "pitfall"]
    return max((odds[each] for each in symptoms if names(each, cause) or names(cause, each)), default=0.0)


def _missing(examined: list[Examination], *, ran: bool) -> frozenset[SubjectKind]:
    """The kinds of subject that are not there to examine, by what the files turned out to be; `ran`: models were run."""
    given: set[SubjectKind | None] = {each.kind for each in examined}
    if "model" in given:
        given |= {"weights", "live"} if ran else {"weights"}
    return frozenset(kind for kind in get_args(SubjectKind) if kind not in given)


def _line_of_models(written_by: list[Line | None]) -> Line | None:
    """The Keras line that wrote the models, where they agree."""
    lines = {line for line in written_by if line is not None}
    return lines.pop() if len(lines) == 1 else None


def _told(symptoms: Symptoms, asserted: str | None, environment: Environment | None, written_by: Line | None) -> Told:
    """What is known of the failure. An examined environment knows its versions best, then the reader, then the paste."""
    main = symptoms.main
    last = main.frames[-1] if main and main.frames else None
    keras, tensorflow, python = symptoms.versions.keras, symptoms.versions.tensorflow, symptoms.versions.python
    line = symptoms.line or written_by
    if asserted is not None:
        keras, line = asserted, line_of(asserted, None) or line
    if environment is not None:
        keras, tensorflow = _bounded(environment.version_of("keras")), _bounded(environment.version_of("tensorflow"))
        python = _bounded(environment.python_version)
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


def _bounded(version: str | None) -> str | None:
    """A report that someone sent may hold anything for a version."""
    return version[:MAX_VERSION] if version else version


def _answer(case: _Case, entry: Entry) -> Diagnosis:
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


def _not_known(case: _Case) -> Diagnosis:
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


def _summary(case: _Case) -> Text:
    """What is said first where no topic is named: where nothing was pasted, what was examined speaks."""
    outcomes = {finding.outcome for finding in case.findings}
    if case.symptoms.shape != "empty" or not outcomes & {"finding", "nothing"}:
        return phrases.NOT_KNOWN
    if any(finding.fault for finding in case.findings):
        return phrases.FAULT_FOUND
    return phrases.WORTH_KNOWING if "finding" in outcomes else phrases.NOTHING_WRONG
