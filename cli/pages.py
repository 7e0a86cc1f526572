"""What the commands print: a diagnosis, a topic, an evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..diagnostics.catalogue import listed_probes
from ..diagnostics.phrases import line_name
from ..knowledge.text import Lang, Text
from .terminal import Screen, shown

if TYPE_CHECKING:
    from ..diagnostics.diagnosis import Diagnosis
    from ..diagnostics.probe import Finding
    from ..knowledge.entry import Entry
    from ..knowledge.evaluation import Evaluation

REASONS = Text("Why we think so", "判断依据")
FIX = Text("What to do", "怎么办")
FIX_FOR = Text("What to do in {}", "怎么办（{}）")
SEEN = Text("This code was run with {}.", "这段代码已在以下环境实际运行：{}。")
NOT_RUN = Text(
    "Commands like these depend on the machine and were not run here.", "这类命令取决于具体机器，未在此运行。"
)
CHECK = Text("How to check", "如何验证")
WHY = Text("Why it happens", "原因")
EXAMINED = Text("Probes that look for it", "哪些探针会检查它")
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
MORE = Text("More: kerasdoctor topic {}", "详见：kerasdoctor topic {}")
PROBES = Text("{} probes", "{} 个探针")
FEW = 3
SURE = Text("{:.0%} sure", "把握 {:.0%}")
SUREST = 0.99  # nothing is certain, whatever rounding says
OUTCOMES = {
    "finding": ("✗", Text("found", "发现问题")),
    "nothing": ("✓", Text("nothing found", "未发现问题")),
    "could_not_look": ("?", Text("could not look", "无法检查")),
    "crashed": ("!", Text("the probe failed", "探针自身出错")),
}


def diagnosis_page(screen: Screen, diagnosis: Diagnosis) -> None:
    """The answer first; then why, the fix, the evidence, what else it could be, the sources."""
    lang = diagnosis.lang
    if diagnosis.title is None:
        screen.plain(diagnosis.summary.say(lang), bold=True, fg="yellow")
        _items(screen, WHAT_IT_TOLD.say(lang), [reason.say(lang) for reason in diagnosis.reasons])
        _items(screen, TO_ADD.say(lang), [text.say(lang) for text in diagnosis.advice])
        _findings(screen, diagnosis)
        _alternatives(screen, diagnosis, NEAREST)
        _question(screen, diagnosis)
        return
    screen.plain(diagnosis.title.say(lang), bold=True, fg="yellow")
    screen.plain(f"{diagnosis.topic} · {SURE.say(lang).format(min(diagnosis.confidence, SUREST))}", dim=True)
    screen.blank()
    screen.plain(diagnosis.summary.say(lang))
    _items(screen, REASONS.say(lang), [reason.say(lang) for reason in diagnosis.reasons])
    # A fault of the files themselves, of another topic, may well be the cause: it comes before general advice.
    sections = [_fix, _findings]
    if any(finding.fault and diagnosis.topic not in finding.topics for finding in diagnosis.findings):
        sections.reverse()
    for section in sections:
        section(screen, diagnosis)
    if diagnosis.why:
        screen.heading(WHY.say(lang))
        screen.markdown(diagnosis.why.say(lang))
    _alternatives(screen, diagnosis, OTHERS)
    _question(screen, diagnosis)
    _items(screen, SOURCES.say(lang), [f"{title}: {url}" for title, url in diagnosis.sources])


def _question(screen: Screen, diagnosis: Diagnosis) -> None:
    if diagnosis.question:
        screen.heading(QUESTION.say(diagnosis.lang))
        screen.markdown(diagnosis.question.text.say(diagnosis.lang))


def _fix(screen: Screen, diagnosis: Diagnosis) -> None:
    fix, lang = diagnosis.fix, diagnosis.lang
    if fix is None:
        return
    line = diagnosis.told.line
    for_line = line if line in fix.lines else fix.lines[0]
    screen.heading(FIX_FOR.say(lang).format(line_name(for_line).say(lang)))
    screen.markdown(fix.steps.say(lang))
    screen.blank()
    screen.code(fix.code)
    screen.blank()
    seen = SEEN.say(lang).format("; ".join(fix.seen_on)) if fix.seen_on else NOT_RUN.say(lang)
    screen.plain(seen, indent=2, dim=True)
    screen.heading(CHECK.say(lang))
    screen.markdown(fix.check.say(lang))


def _items(screen: Screen, heading: str, items: list[str]) -> None:
    if items:
        screen.heading(heading)
        for item in items:
            screen.item(item)


def _findings(screen: Screen, diagnosis: Diagnosis) -> None:
    """What the probes saw that matters here: faults and what was suspected, and what speaks against a topic in question."""
    if not diagnosis.findings:
        return
    screen.heading(EVIDENCE.say(diagnosis.lang))
    asked = {diagnosis.topic, *(other.topic for other in diagnosis.alternatives)}
    silent = 0
    for finding in diagnosis.findings:
        if finding.outcome in ("finding", "crashed") or asked.intersection(finding.ruled_out):
            _finding(screen, finding, diagnosis.lang)
            if finding.fault and finding.topics and diagnosis.topic not in finding.topics:
                screen.plain(MORE.say(diagnosis.lang).format(finding.topics[0]), indent=4, dim=True)
        silent += finding.outcome == "nothing" and not asked.intersection(finding.ruled_out)
    if silent:
        screen.item(SILENT[silent > 1].say(diagnosis.lang).format(silent), OUTCOMES["nothing"][0])
    _blind(screen, [finding for finding in diagnosis.findings if finding.outcome == "could_not_look"], diagnosis.lang)


def _finding(screen: Screen, finding: Finding, lang: Lang) -> None:
    mark, outcome = OUTCOMES[finding.outcome]
    screen.item(f"{finding.probe} ({shown(finding.subject)}): {outcome.say(lang)}", mark)
    for text in finding.evidence:
        screen.item(text.say(lang), "-", indent=4)


def _blind(screen: Screen, findings: list[Finding], lang: Lang) -> None:
    """Each reason once, with the probes that it kept from looking, or their number."""
    mark, outcome = OUTCOMES["could_not_look"]
    for subject, evidence in dict.fromkeys((finding.subject, finding.evidence) for finding in findings):
        names = [f.probe for f in findings if (f.subject, f.evidence) == (subject, evidence)]
        who = ", ".join(names) if len(names) <= FEW else PROBES.say(lang).format(len(names))
        screen.item(f"{who} ({shown(subject)}): {outcome.say(lang)}", mark)
        for text in evidence:
            screen.item(text.say(lang), "-", indent=4)


def _alternatives(screen: Screen, diagnosis: Diagnosis, heading: Text) -> None:
    lang = diagnosis.lang
    _items(
        screen,
        heading.say(lang),
        [f"{a.title.say(lang)} ({a.topic}, {a.confidence:.0%})" for a in diagnosis.alternatives],
    )


def topic_page(screen: Screen, entry: Entry, lang: Lang) -> None:
    """Everything that an entry says."""
    screen.plain(entry.title.say(lang), bold=True, fg="yellow")
    screen.plain(f"{entry.id} · {entry.kind}", dim=True)
    screen.blank()
    screen.plain(entry.summary.say(lang))
    for heading, text in entry.sections[lang].items():
        screen.heading(heading)
        screen.markdown(text)
    for block in entry.blocks:
        names = " / ".join(line_name(line).say(lang) for line in block.lines)
        role = {"broken": Text("Fails", "出错的代码"), "fixed": Text("Works", "正确的代码")}[block.role]
        screen.heading(f"{role.say(lang)}: {names}")
        screen.code(block.code)
    speaking = [probe for probe in listed_probes() if entry.id in probe.topics]
    _items(screen, EXAMINED.say(lang), [", ".join(probe.id for probe in speaking)] if speaking else [])
    _items(screen, {"en": "Related", "zh": "相关主题"}[lang], [f"{r.id}: {r.differs.say(lang)}" for r in entry.related])
    _items(screen, SOURCES.say(lang), [f"{source.title}: {source.url}" for source in entry.sources])


def evaluation_page(evaluation: Evaluation, *, misses: bool) -> str:
    """The figures as a table, in percent with 95 % intervals."""
    read = evaluation.as_json()
    rows = [("all", read), *read["by_kind"].items(), *read["by_lang"].items()]
    lines = [f"{'':10} {'right first':>22} {'in first three':>22} {'MRR':>22} {'false alarms':>22}"]
    for name, figures in rows:
        cells = [_cell(figures[key]) for key in ("top1", "top3", "mrr", "false_alarms")]
        lines.append(f"{name:10} " + " ".join(f"{cell:>22}" for cell in cells))
    lines.append(f"{read['left_out']} cases left out: their topics have no entry yet")
    if misses:
        for miss in evaluation.misses():
            named = ", ".join(miss.named[:3]) or "not known"
            expected = ", ".join(sorted(miss.case.expect)) or "not known"
            lines.append(f"{miss.case.id}: {named} ({miss.confidence:.2f}); expected {expected}")
    return "\n".join(lines)


def _cell(figure: dict[str, float | int | None]) -> str:
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None or low is None or high is None:
        return "-"
    return f"{value:.1%} [{low:.0%}, {high:.0%}] {figure['n']}"
