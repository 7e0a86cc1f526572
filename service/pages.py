"""What is shown of a reply: the lead, then all of the diagnosis or the part that was asked for, or what was mended."""

from __future__ import annotations

from ..diagnostics.diagnosis_page import diagnosis_page, write_part
from ..diagnostics.mended_page import mended_page
from ..diagnostics.page import Part, parts_of
from ..diagnostics.paper import Paper
from ..knowledge.text import Text
from .reply import Reply, ReplyKind

PARTS: dict[ReplyKind, tuple[Part, ...]] = {
    "why": ("why", "reasons"),
    "fix": ("fix", "check"),
    "evidence": ("evidence",),
    "sources": ("sources",),
}
MORE_ABOUT = Text("More: {}", "详见：{}")
COPY_WRITTEN = Text("A mended copy was written; the original is unchanged.", "已写出修复后的副本，原文件没有改动。")
NOTHING = Text("There is nothing to show here.", "这里没有可显示的内容。")


def topic_address(base: str, topic: str) -> str:
    """The address of a topic's page; "" where it is not known how people reach the service."""
    return f"{base.rstrip('/')}/topics/{topic}" if base else ""


def parts_shown(reply: Reply) -> tuple[Part, ...]:
    """The parts of the diagnosis that a reply shows: all of them, or those that were asked for and are there."""
    if reply.diagnosis is None:
        return ()
    parts = parts_of(reply.diagnosis)
    return parts if reply.kind == "diagnosis" else tuple(part for part in PARTS.get(reply.kind, ()) if part in parts)


def reply_page(paper: Paper, reply: Reply) -> None:
    """Write a reply."""
    parts = parts_shown(reply)
    if reply.lead:
        paper.plain(reply.lead.say(reply.lang))
    if reply.kind == "repair" and reply.mended:
        mended_page(paper, reply.mended, "", reply.copy, reply.lang)
    elif reply.kind == "diagnosis" and reply.diagnosis:
        diagnosis_page(paper, reply.diagnosis)
    elif reply.diagnosis:
        for part in parts:
            write_part(paper, reply.diagnosis, part)
    if not (reply.lead or parts or reply.mended):
        paper.plain(NOTHING.say(reply.lang))
