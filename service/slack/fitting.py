"""What a block and a message may hold: Slack's limits, and cutting to them.

50 blocks a message (https://docs.slack.dev/reference/block-kit/blocks), a header of 150 characters (…/blocks/header-block), a
button's text of 75 and value of 2000 (…/block-elements/button-element), 25 buttons in a row (…/blocks/actions-block), a text
object of 3000 (…/composition-objects/text-object). Not in the documentation: all blocks together may have some 13,200 characters
(https://github.com/slackapi/bolt-js/issues/2509).
"""

from __future__ import annotations

import json
from typing import Any

from .rich_text import Json

MAX_BLOCKS = 50
MAX_HEADER = 150
MAX_BUTTON = 75
MAX_VALUE = 200
MAX_TEXT = 3000  # of a text object; kept for a block of rich text too, and for code
MAX_MESSAGE = 12_500  # all blocks as JSON
MAX_FALLBACK = 1000
MAX_OPTIONS = 5


def clipped(text: str, most: int) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def plain_text(text: str) -> Json:
    """A text object without markup; Slack refuses an empty one."""
    return {"type": "plain_text", "text": text or " ", "emoji": False}


def context(kind: str, text: str) -> Json:
    """A block of small print, "plain_text" or "mrkdwn"."""
    told = (
        plain_text(clipped(text, MAX_TEXT)) if kind == "plain_text" else {"type": kind, "text": text, "verbatim": True}
    )
    return {"type": "context", "elements": [told]}


def size_of(value: Any) -> int:  # noqa: ANN401 - a block or a part of one
    """How many characters of JSON it takes."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def shortened(block: Json, room: int) -> list[Json]:
    """A block of rich text with as much of it as there is room for; nothing of another that does not fit."""
    if block["type"] != "rich_text":
        return []
    kept = _within(block["elements"], _Room(MAX_TEXT, room))
    return [{**block, "elements": kept}] if kept else []


class _Room:
    """How much more may be said: characters of text, and characters of JSON."""

    def __init__(self, text: int, size: int) -> None:
        self.text, self.size = text, size - 100


def _within(elements: list[Json], room: _Room) -> list[Json]:
    kept = []
    for element in elements:
        told = {**element, "elements": []} if "elements" in element else {**element, "text": ""}
        most = min(room.text, room.size - size_of(told) - 10)
        if most <= 0:
            break
        room.size -= size_of(told) + 2
        if "elements" in element:
            told["elements"] = _within(element["elements"], room)
            if not told["elements"]:
                break
        else:
            told["text"] = clipped(element["text"], most)
            room.text -= len(told["text"])
            room.size -= size_of(told["text"])
        kept.append(told)
    return kept
