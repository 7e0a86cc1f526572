"""A reply as Slack blocks, within Slack's limits by construction.

The limits: 50 blocks a message (https://docs.slack.dev/reference/block-kit/blocks), a header of 150 characters
(…/blocks/header-block), a button's text of 75 and value of 2000 (…/block-elements/button-element), 25 buttons in a row
(…/blocks/actions-block), a text object of 3000 (…/composition-objects/text-object). Not in the documentation: all blocks together
may have some 13,200 characters (https://github.com/slackapi/bolt-js/issues/2509).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ...diagnostics.diagnosis import Diagnosis, Named, Option, Question
from ...diagnostics.page import (
    EVIDENCE,
    Part,
    advice_text,
    answer,
    parts_of,
    question_text,
    shown_findings,
    write_blind,
    write_finding,
    write_part,
)
from ...diagnostics.paper import printable
from ...knowledge.entry import has_entry, load_entry
from ...knowledge.text import Lang, Text
from ..pages import COPY_WRITTEN, MORE_ABOUT, NOTHING, reply_page, topic_address
from ..reply import Reply
from .rich_text import Json, from_markdown, line, link, listed, preformatted, section, words

MAX_BLOCKS = 50
MAX_HEADER = 150
MAX_BUTTON = 75
MAX_VALUE = 200
MAX_TEXT = 3000  # of a text object; kept for a block of rich text too, and for code
MAX_MESSAGE = 12_500  # all blocks as JSON
MAX_FALLBACK = 1000
MAX_OPTIONS = 5
WHY = Text("Why", "为什么")
DETAILS = Text("Details", "详细信息")
HELPED = Text("Helped", "有帮助")
NOT_HELPED = Text("Didn't help", "没有帮助")
NO_MORE = Text("There is nothing more to tell.", "没有更多内容了。")
CUT = Text("Cut here: a message in Slack holds no more.", "已截断：Slack 的一条消息放不下更多内容。")
CUT_CODE = Text("… {} more lines", "… 还有 {} 行")
BRIEF: tuple[Part, ...] = ("fix", "question", "advice")


def reply_blocks(reply: Reply, value: str, *, details: bool = False, base: str = "") -> tuple[str, list[Json]]:
    """The fallback text and the blocks of a reply.

    Args:
        reply: what is said. A diagnosis is told in short, with buttons.
        value: what the buttons carry, at most 200 characters: Slack takes 2000, but all buttons together count.
        details: tell what the short form of a diagnosis left out, without buttons.
        base: the address of the service, for links to topics.

    Raises:
        ValueError: the value is longer.
    """
    if len(value) > MAX_VALUE:
        raise ValueError(f"a button's value of {len(value)} characters, expected at most {MAX_VALUE}")
    paper = SlackPaper(reply.lang, value, base)
    if reply.kind != "diagnosis" or reply.diagnosis is None:
        reply_page(paper, reply)
    elif details:
        _details(paper, reply.diagnosis)
    else:
        if reply.lead:
            paper.plain(reply.lead.say(reply.lang))
        _brief(paper, reply.diagnosis)
        paper.buttons(_buttons(reply.diagnosis))
    return _fallback(reply), paper.message()


def escaped(text: str) -> str:
    """A text in which Slack finds no mention and no link: https://docs.slack.dev/messaging/formatting-message-text#escaping."""
    return printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _fallback(reply: Reply) -> str:
    """What a notification shows."""
    diagnosis, lang = reply.diagnosis, reply.lang
    told = [reply.lead.say(lang)] if reply.lead else []
    if diagnosis and diagnosis.title:
        told.append(diagnosis.title.say(lang))
    if diagnosis and (reply.kind == "diagnosis" or not told):
        told.append(diagnosis.summary.say(lang))
    if reply.mended and reply.mended.proof:
        told.append(reply.mended.proof.text.say(lang))
    return escaped(_cut(" – ".join(told) or "kerasdoctor", MAX_FALLBACK))


def _brief(paper: SlackPaper, diagnosis: Diagnosis) -> None:
    answer(paper, diagnosis)
    for part in parts_of(diagnosis):
        if part == "evidence":
            _faults(paper, diagnosis)
        elif part in BRIEF or (diagnosis.topic is None and part == "reasons"):
            write_part(paper, diagnosis, part)


def _faults(paper: SlackPaper, diagnosis: Diagnosis) -> None:
    """What was found; where no probe could look at anything, why."""
    seen = shown_findings(diagnosis)
    found = [each for each in seen.findings if each.finding.outcome in ("finding", "crashed")]
    blind = () if found or seen.silent else seen.blind
    if found or blind:
        paper.heading(EVIDENCE.say(diagnosis.lang))
    for each in found:
        write_finding(paper, each, diagnosis.lang)
    for group in blind:
        write_blind(paper, group, diagnosis.lang)


def _left_out(diagnosis: Diagnosis) -> list[Part]:
    said = (*BRIEF, "reasons") if diagnosis.topic is None else BRIEF
    return [part for part in parts_of(diagnosis) if part not in said]


def _details(paper: SlackPaper, diagnosis: Diagnosis) -> None:
    parts = _left_out(diagnosis)
    for part in parts:
        write_part(paper, diagnosis, part)
    if not parts:
        paper.plain(NO_MORE.say(diagnosis.lang))


def _buttons(diagnosis: Diagnosis) -> list[tuple[str, Text]]:
    why = [("kd:why", WHY)] if diagnosis.why else []
    more = [("kd:details", DETAILS)] if _left_out(diagnosis) else []
    helped = [("kd:helped", HELPED), ("kd:not_helped", NOT_HELPED)] if diagnosis.topic else []
    return [*why, *more, *helped]


class SlackPaper:
    """Collects the blocks of a message: a `Paper`."""

    def __init__(self, lang: Lang, value: str, base: str = "") -> None:
        """`value` is what buttons carry, `base` the address of the service."""
        self.lang, self.value, self.base = lang, value, base
        self._blocks: list[Json] = []
        self._rich: list[Json] = []  # the elements of the rich text that is being written

    def message(self) -> list[Json]:
        """The blocks; where there are too many, or too much in them, buttons stay and the rest is cut with a note."""
        self._close()
        room = MAX_MESSAGE - sum(_size(block) for block in self._blocks if block["type"] == "actions") - 300
        kept, cut = list[Json](), False
        for block in self._blocks:
            fits = _size(block) <= room and len(kept) < MAX_BLOCKS - 3
            if block["type"] == "actions" or (fits and not cut):
                kept.append(block)
                room -= 0 if block["type"] == "actions" else _size(block)
            elif not cut:
                kept += [*_shortened(block, room), _context("plain_text", CUT.say(self.lang))]
                cut = True
        return kept or [_context("plain_text", NOTHING.say(self.lang))]

    def title(self, text: str) -> None:
        """A header, which shows no markup."""
        self._close()
        plain = _cut(" ".join(printable(text).replace("`", "").split()), MAX_HEADER)
        self._blocks.append({"type": "header", "text": _plain(plain)})

    def named(self, topic: str, sure: str) -> None:
        """The topic, linked where there is an address."""
        address = topic_address(self.base, topic)
        told = f"<{escaped(address)}|{escaped(topic)}>" if address else escaped(topic)
        self._close()
        self._blocks.append(_context("mrkdwn", f"{told} · {escaped(sure)}"))

    def heading(self, text: str) -> None:
        """The first line of a block."""
        self._close()
        self._paragraph(line(text, "bold"))

    def plain(self, text: str, *, indent: int = 0, bold: bool = False) -> None:
        """A paragraph."""
        del indent
        self._paragraph(line(text, *(["bold"] if bold else [])))

    def note(self, text: str, *, indent: int = 0) -> None:
        """Small print; under an item, one more."""
        if indent > 2:  # noqa: PLR2004 - see Paper
            self.item(text, indent=indent)
        else:
            self._close()
            self._blocks.append(_context("plain_text", " ".join(printable(text).split())))

    def item(self, text: str, mark: str = "•", *, indent: int = 2) -> None:
        """An item of a list."""
        self._item([*words("" if mark in "•-" else f"{mark} "), *line(text)], indent)

    def markdown(self, text: str) -> None:
        """An entry's Markdown."""
        for element in from_markdown(text):
            if element["type"] == "rich_text_section":
                self._paragraph(element["elements"])
            else:
                self._rich.append(element)

    def code(self, text: str, language: str = "") -> None:
        """Code, cut with a note where it is very long."""
        del language  # Slack colours no code
        kept, used = [], 0
        lines = text.split("\n")
        for each in lines:
            used += len(each) + 1
            if used > MAX_TEXT - 100:
                break
            kept.append(each)
        if len(kept) < len(lines):
            kept.append(CUT_CODE.say(self.lang).format(len(lines) - len(kept)))
        self._close()  # steps and code each have the room of a block
        self._rich.append(preformatted("\n".join(kept)))
        self._close()

    def change(self, before: str, after: str) -> None:
        """A piece before and after."""
        signed = [f"{sign} {' '.join(piece.split())}" for sign, piece in (("-", before), ("+", after)) if piece]
        self._rich.append(preformatted("\n".join(signed)))

    def blank(self) -> None:
        """Blocks stand apart anyway."""

    def other(self, named: Named, lang: Lang) -> None:
        """Another topic, linked where there is an address."""
        title = link(named.title.say(lang), topic_address(self.base, named.topic))
        self._item([*title, *words(f" ({named.topic}, {named.confidence:.0%})")], 2)

    def more(self, topic: str, lang: Lang) -> None:
        """A topic by its title, linked where there is an address."""
        title = load_entry(topic).title.say(lang) if has_entry(topic) else topic
        before, _, after = MORE_ABOUT.say(lang).partition("{}")
        self._item([*words(before), *link(title, topic_address(self.base, topic)), *words(after)], 4)

    def source(self, title: str, url: str) -> None:
        """A link."""
        self._item(link(title, url), 2)

    def ask(self, question: Question, lang: Lang) -> None:
        """The question, with a button for each option."""
        self.plain(question_text(question).say(lang))
        self.buttons(_choices(question.options), block="kd:question")

    def advise(self, advice: Text, lang: Lang) -> None:
        """What the reader can add."""
        self.item(advice_text(advice).say(lang))

    def written(self, copy: str, lang: Lang) -> None:
        """That there is a copy: the file itself is another message."""
        del copy
        self.plain(COPY_WRITTEN.say(lang))

    def buttons(self, labels: Iterable[tuple[str, Text]], block: str = "kd:actions") -> None:
        """A row of buttons, each an action id and its label."""
        elements = [
            {
                "type": "button",
                "text": _plain(_cut(label.say(self.lang), MAX_BUTTON)),
                "action_id": action,
                "value": self.value,
            }
            for action, label in labels
        ]
        if elements:
            self._close()
            self._blocks.append({"type": "actions", "block_id": block, "elements": elements})

    def _item(self, runs: list[Json], indent: int) -> None:
        if not runs:
            return
        level = 1 if indent > 2 else 0  # noqa: PLR2004 - see Paper
        last = self._rich[-1] if self._rich else {}
        if last.get("style") == "bullet" and last.get("indent", 0) == level:
            last["elements"].append(section(runs))
        else:
            self._rich.append(listed([runs], indent=level))

    def _paragraph(self, runs: list[Json]) -> None:
        """Paragraphs that follow each other are one element, with an empty line between them."""
        if not runs:
            return
        if self._rich and self._rich[-1]["type"] == "rich_text_section":
            self._rich[-1]["elements"] += [*words("\n"), *runs]
        else:
            self._rich.append(section(runs))

    def _close(self) -> None:
        """End the rich text that is being written."""
        if self._rich:
            whole = {"type": "rich_text", "elements": self._rich}
            kept = _shortened(whole, MAX_MESSAGE)
            self._blocks += kept if kept == [whole] else [*kept, _context("plain_text", CUT.say(self.lang))]
        self._rich = []


def _choices(options: tuple[Option, ...]) -> list[tuple[str, Text]]:
    return [(f"kd:choose:{number}", option.label) for number, option in enumerate(options[:MAX_OPTIONS])]


def _plain(text: str) -> Json:
    return {"type": "plain_text", "text": text or " ", "emoji": False}


def _context(kind: str, text: str) -> Json:
    told = _plain(_cut(text, MAX_TEXT)) if kind == "plain_text" else {"type": kind, "text": text, "verbatim": True}
    return {"type": "context", "elements": [told]}


def _size(value: Any) -> int:  # noqa: ANN401 - a block or a part of one
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _shortened(block: Json, room: int) -> list[Json]:
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
        most = min(room.text, room.size - _size(told) - 10)
        if most <= 0:
            break
        room.size -= _size(told) + 2
        if "elements" in element:
            told["elements"] = _within(element["elements"], room)
            if not told["elements"]:
                break
        else:
            told["text"] = _cut(element["text"], most)
            room.text -= len(told["text"])
            room.size -= _size(told["text"])
        kept.append(told)
    return kept
