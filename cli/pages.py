"""What the commands print: a topic, an evaluation. A diagnosis is written by `diagnostics/page.py`, for every medium."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..diagnostics.catalogue import listed_probes
from ..diagnostics.page import SOURCES
from ..diagnostics.phrases import line_name
from ..knowledge.text import Lang, Text
from .terminal import Screen

if TYPE_CHECKING:
    from ..knowledge.entry import Entry
    from ..knowledge.evaluation import Evaluation

EXAMINED = Text("Probes that look for it", "哪些探针会检查它")


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


def _items(screen: Screen, heading: str, items: list[str]) -> None:
    if items:
        screen.heading(heading)
        for item in items:
            screen.item(item)


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
