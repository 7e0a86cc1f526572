"""The doctor: Symptoms and subjects in, a Diagnosis out.

The matcher's probabilities are the suspicion, which the findings of the probes confirm or weaken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from ..knowledge.entry import load_entry
from ..knowledge.lines import Line, line_of
from ..knowledge.matcher import Matcher
from ..knowledge.parser import parse
from ..knowledge.symptoms import Symptoms
from ..knowledge.text import Lang
from .answer import Case, answer, not_known
from .depth import Depth
from .diagnosis import Diagnosis, Told
from .probe import Finding, SubjectKind
from .said import NOTHING, Said
from .weighing import FAULT_ALONE, LEAST_NAMED, NO_TEXT, SUSPECTED, seen, weigh

if TYPE_CHECKING:  # examining imports much, and only where there is something to examine
    from .environment import Environment
    from .examination import Examination
    from .progress import Watch
    from .workers import Workers

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
        said: Said = NOTHING,
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
        case = Case(
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
        if best is not None and known and (chances[best] >= LEAST_NAMED or seen(best, findings)):
            return answer(case, load_entry(best))
        return not_known(case)

    def _examine(self, subjects: Subjects, suspected: frozenset[str], watch: Watch | None) -> list[Examination]:
        """Look at each subject."""
        if not subjects.files and subjects.python is None:
            return []
        from .examination import examine_files, examine_python  # noqa: PLC0415 - see above

        seen = examine_files(subjects.files, suspected, depth=subjects.depth, workers=self.workers, watch=watch)
        return seen + ([examine_python(subjects.python, suspected, watch=watch)] if subjects.python is not None else [])


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
