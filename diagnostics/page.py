"""What of a Diagnosis is shown, in which order, under which headings: one definition for every medium.

Media with lines are a `Paper`, on which `diagnosis_page.py` writes. A template (HTML) goes through the same decisions: `parts_of`
(the parts in their order), `heading_of`, `shown_findings`, `question_text`, `advice_text`, `sure`, `ran_with`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..knowledge.text import Lang, Text
from .catalogue import listed_probes
from .diagnosis import Diagnosis, Fix, Question
from .phrases import EXAMINE, line_name
from .probe import Finding, Outcome, SubjectKind

REASONS = Text("Why we think so", "判断依据")
FIX = Text("What to do", "怎么办")
FIX_FOR = Text("What to do in {}", "怎么办（{}）")
SEEN = Text("This code was run with {}.", "这段代码已在以下环境实际运行：{}。")
NOT_RUN = Text(
    "Commands like these depend on the machine and were not run here.", "这类命令取决于具体机器，未在此运行。"
)
CHECK = Text("How to check", "如何验证")
WHY = Text("Why it happens", "原因")
EVIDENCE = Text("Evidence", "证据")
OTHERS = Text("What else it could be", "其他可能")
NEAREST = Text("Nearest topics, none of them close enough", "最接近的主题（都不够吻合）")
SOURCES = Text("Sources", "出处")
QUESTION = Text("One question", "还想问一句")
WHAT_IT_TOLD = Text("What the text tells", "文本说明了什么")
TO_ADD = Text("What would help", "补充这些会有帮助")
SILENT = (
    Text("1 probe found nothing wrong", "1 个探针未发现问题"),
    Text("{} probes found nothing wrong", "{} 个探针未发现问题"),
)
PROBES = Text("{} probes", "{} 个探针")
SURE = Text("{:.0%} sure", "把握 {:.0%}")
OUTCOMES: dict[Outcome, tuple[str, Text]] = {
    "finding": ("✗", Text("found", "发现问题")),
    "nothing": ("✓", Text("nothing found", "未发现问题")),
    "could_not_look": ("?", Text("could not look", "无法检查")),
    "crashed": ("!", Text("the probe failed", "探针自身出错")),
}
ADD_FILES = Text(
    "Add the model file (.keras, .h5), the training log, a sample of the data or the report of `environment.py`: each is examined.",
    "也可以上传模型文件（.keras、.h5）、训练日志、数据样本或 `environment.py` 的报告，由程序检查。",
)
_DROP_MODEL = Text("Drop the model file (.keras, .h5) here; it tells {}.", "请上传模型文件（.keras、.h5）：{}。")
TO_DROP: dict[SubjectKind, Text] = {
    "model": _DROP_MODEL,
    "weights": _DROP_MODEL,
    "live": Text(
        "Drop the model file (.keras, .h5) here and let it be run in the sandbox; it tells {}.",
        "请上传模型文件（.keras、.h5）并允许在沙箱中运行：{}。",
    ),
    "log": Text(
        "Drop the training log (CSV, JSON or what was printed) here; it tells {}.",
        "请上传训练日志（CSV、JSON 或打印的内容）：{}。",
    ),
    "data": Text(
        "Drop a sample of the data (.npz, .npy, .csv) here; it tells {}.",
        "请上传一份数据样本（.npz、.npy、.csv）：{}。",
    ),
    "environment": Text(
        "Run `python environment.py > environment.json` (the script is handed out here) with the Python that fails, and drop the "
        "report here; it tells {}.",
        "请用出错的那个 Python 运行 `python environment.py > environment.json`（脚本可在这里下载），再上传报告：{}。",
    ),
}
FEW = 3
SUREST = 0.99  # nothing is certain, whatever rounding says

Part = Literal["reasons", "advice", "fix", "check", "evidence", "why", "others", "question", "sources"]
KNOWN: tuple[Part, ...] = ("reasons", "fix", "check", "evidence", "why", "others", "question", "sources")
# A fault of the files themselves, of another topic, may well be the cause: it comes before general advice.
AT_FAULT: tuple[Part, ...] = ("reasons", "evidence", "fix", "check", "why", "others", "question", "sources")
UNKNOWN: tuple[Part, ...] = ("reasons", "advice", "evidence", "others", "question")
_HEADINGS: dict[Part, Text] = {
    "reasons": REASONS, "advice": TO_ADD, "fix": FIX, "check": CHECK, "evidence": EVIDENCE, "why": WHY, "others": OTHERS,
    "question": QUESTION, "sources": SOURCES,
}  # fmt: skip


@dataclass(frozen=True)
class ShownFinding:
    """A finding that is shown, and the topic to read about where it is a fault of another topic than the one that was named."""

    finding: Finding
    topic: str | None


@dataclass(frozen=True)
class Blind:
    """Why probes could not look at a subject: `reasons`, given once for all of `probes`."""

    subject: str
    reasons: tuple[Text, ...]
    probes: tuple[str, ...]

    def who(self, lang: Lang) -> str:
        """The probes by name, or their number where they are many."""
        return ", ".join(self.probes) if len(self.probes) <= FEW else PROBES.say(lang).format(len(self.probes))


@dataclass(frozen=True)
class ShownFindings:
    """What the probes saw that matters here.

    `findings` are faults, what was suspected, what speaks against a topic in question, and probes that failed; `silent` counts
    the other probes that found nothing wrong; `blind` are those that could not look.
    """

    findings: tuple[ShownFinding, ...]
    silent: int
    blind: tuple[Blind, ...]

    def silent_text(self) -> Text | None:
        """How many probes found nothing wrong; None for none."""
        if not self.silent:
            return None
        text = SILENT[self.silent > 1]
        return Text(text.en.format(self.silent), text.zh.format(self.silent))


def shown_findings(diagnosis: Diagnosis) -> ShownFindings:
    """Which findings are shown, those of the topic first, and what is told of the others."""
    asked = {diagnosis.topic, *(other.topic for other in diagnosis.alternatives)}
    told, silent = [], 0
    for finding in diagnosis.findings:
        if finding.outcome in ("finding", "crashed") or asked.intersection(finding.ruled_out):
            away = finding.fault and finding.topics and diagnosis.topic not in finding.topics
            told.append(ShownFinding(finding, finding.topics[0] if away else None))
        else:
            silent += finding.outcome == "nothing"
    told.sort(key=lambda each: each.finding.outcome != "finding" or diagnosis.topic not in each.finding.topics)
    blind = [finding for finding in diagnosis.findings if finding.outcome == "could_not_look"]
    return ShownFindings(tuple(told), silent, _grouped(blind))


def _grouped(findings: list[Finding]) -> tuple[Blind, ...]:
    kept: dict[tuple[str, tuple[Text, ...]], list[str]] = {}
    for finding in findings:
        kept.setdefault((finding.subject, finding.evidence), []).append(finding.probe)
    return tuple(Blind(subject, reasons, tuple(probes)) for (subject, reasons), probes in kept.items())


def parts_of(diagnosis: Diagnosis) -> tuple[Part, ...]:
    """The parts that this diagnosis has, in the order in which they are shown under its title and summary."""
    if diagnosis.topic is None:
        order = UNKNOWN
    elif any(finding.fault and diagnosis.topic not in finding.topics for finding in diagnosis.findings):
        order = AT_FAULT
    else:
        order = KNOWN
    has: dict[Part, object] = {
        "reasons": diagnosis.reasons,
        "advice": diagnosis.advice,
        "fix": diagnosis.fix,
        "check": diagnosis.fix,
        "evidence": diagnosis.findings,
        "why": diagnosis.why,
        "others": diagnosis.alternatives,
        "question": diagnosis.question,
        "sources": diagnosis.sources,
    }
    return tuple(part for part in order if has[part])


def heading_of(diagnosis: Diagnosis, part: Part) -> Text:
    """The heading of a part."""
    if part == "fix" and diagnosis.fix:
        name = line_name(_line_of(diagnosis, diagnosis.fix))
        return Text(FIX_FOR.en.format(name.en), FIX_FOR.zh.format(name.zh))
    if diagnosis.topic is None:
        return {"reasons": WHAT_IT_TOLD, "others": NEAREST}.get(part, _HEADINGS[part])
    return _HEADINGS[part]


def _line_of(diagnosis: Diagnosis, fix: Fix) -> str:
    line = diagnosis.told.line
    return line if line in fix.lines else fix.lines[0]


def sure(diagnosis: Diagnosis) -> Text:
    """How sure the answer is."""
    chance = min(diagnosis.confidence, SUREST)
    return Text(SURE.en.format(chance), SURE.zh.format(chance))


def ran_with(fix: Fix) -> Text:
    """Where the code of a fix was run."""
    if not fix.seen_on:
        return NOT_RUN
    releases = "; ".join(fix.seen_on)
    return Text(SEEN.en.format(releases), SEEN.zh.format(releases))


def question_text(question: Question) -> Text:
    """A question as it is put where files can be dropped: the one for a probe asks for a file, not for a command."""
    promise = next((probe.promise for probe in listed_probes() if probe.id == question.probe), None)
    if question.subject is None or promise is None:
        return question.text
    text = TO_DROP[question.subject]
    return Text(text.en.format(promise.en), text.zh.format(promise.zh))


def advice_text(advice: Text) -> Text:
    """A piece of advice as it is given where files can be dropped."""
    return ADD_FILES if advice == EXAMINE else advice
