"""Everything that an entry says, on any paper."""

from __future__ import annotations

from ..knowledge.entry import Entry
from ..knowledge.text import Lang, Text
from .catalogue import listed_probes
from .page import SOURCES
from .paper import Paper
from .phrases import line_name

ROLES = {"broken": Text("Fails", "出错的代码"), "fixed": Text("Works", "正确的代码")}
EXAMINED = Text("Probes that look for it", "哪些探针会检查它")
RELATED = Text("Related", "相关主题")


def topic_page(paper: Paper, entry: Entry, lang: Lang) -> None:
    """The summary, the sections, the code, the probes that look for it, what is related, the sources."""
    paper.title(entry.title.say(lang))
    paper.named(entry.id, entry.kind)
    paper.blank()
    paper.plain(entry.summary.say(lang))
    for heading, text in entry.sections[lang].items():
        paper.heading(heading)
        paper.markdown(text)
    for block in entry.blocks:
        names = " / ".join(line_name(line).say(lang) for line in block.lines)
        paper.heading(f"{ROLES[block.role].say(lang)}: {names}")
        paper.code(block.code, block.language)
    if probes := [probe.id for probe in listed_probes() if entry.id in probe.topics]:
        paper.heading(EXAMINED.say(lang))
        paper.item(", ".join(probes))
    if entry.related:
        paper.heading(RELATED.say(lang))
    for related in entry.related:
        paper.item(f"{related.id}: {related.differs.say(lang)}")
    if entry.sources:
        paper.heading(SOURCES.say(lang))
    for source in entry.sources:
        paper.source(source.title, source.url)
