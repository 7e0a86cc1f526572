"""Whole messages of Slack: an answer with what is said beside it."""

from __future__ import annotations

from ...knowledge.text import Lang, Text
from ..reply import Reply
from .blocks import reply_blocks
from .paper import escaped
from .rich_text import Json, line, section

FEEDBACK = ("kd:helped", "kd:not_helped")


def said(text: Text, lang: Lang) -> tuple[str, list[Json]]:
    """A sentence as a message."""
    return escaped(text.say(lang)), [{"type": "rich_text", "elements": [section(line(text.say(lang)))]}]


def noted(blocks: list[Json], notes: list[Text], lang: Lang) -> list[Json]:
    """A message with sentences before it."""
    return [block for note in notes for block in said(note, lang)[1]] + blocks


def thanked(reply: Reply, value: str, thanks: Text, base: str) -> tuple[str, list[Json]]:
    """An answer with a note in the place of the buttons for feedback."""
    text, blocks = reply_blocks(reply, value, base=base)
    kept = [each for each in (_without_feedback(block) for block in blocks) if each]
    note = {"type": "plain_text", "text": thanks.say(reply.lang), "emoji": False}
    return text, [*kept, {"type": "context", "elements": [note]}]


def without_buttons(blocks: list[Json]) -> list[Json]:
    """A message for where no button would work."""
    return [block for block in blocks if block["type"] != "actions"]


def _without_feedback(block: Json) -> Json | None:
    if block["type"] != "actions":
        return block
    kept = [each for each in block["elements"] if each["action_id"] not in FEEDBACK]
    return {**block, "elements": kept} if kept else None
