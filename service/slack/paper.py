"""Slack's paper: what is written on it becomes the blocks of a message, never more than Slack takes."""

from __future__ import annotations

from collections.abc import Iterable

from ...diagnostics.diagnosis import Named, Option, Question
from ...diagnostics.page import advice_text, question_text
from ...diagnostics.paper import printable
from ...knowledge.entry import has_entry, load_entry
from ...knowledge.text import Lang, Text
from ..pages import COPY_WRITTEN, MORE_ABOUT, NOTHING, topic_address
from .fitting import (
    MAX_BLOCKS,
    MAX_BUTTON,
    MAX_HEADER,
    MAX_MESSAGE,
    MAX_OPTIONS,
    MAX_TEXT,
    clipped,
    context,
    plain_text,
    shortened,
    size_of,
)
from .rich_text import Json, from_markdown, line, link, listed, preformatted, section, words

CUT = Text("Cut here: a message in Slack holds no more.", "已截断：Slack 的一条消息放不下更多内容。")
CUT_CODE = Text("… {} more lines", "… 还有 {} 行")


def escaped(text: str) -> str:
    """A text in which Slack finds no mention and no link: https://docs.slack.dev/messaging/formatting-message-text#escaping."""
    return printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


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
        room = MAX_MESSAGE - sum(size_of(block) for block in self._blocks if block["type"] == "actions") - 300
        kept, cut = list[Json](), False
        for block in self._blocks:
            fits = size_of(block) <= room and len(kept) < MAX_BLOCKS - 3
            if block["type"] == "actions" or (fits and not cut):
                kept.append(block)
                room -= 0 if block["type"] == "actions" else size_of(block)
            elif not cut:
                kept += [*shortened(block, room), context("plain_text", CUT.say(self.lang))]
                cut = True
        return kept or [context("plain_text", NOTHING.say(self.lang))]

    def title(self, text: str) -> None:
        """A header, which shows no markup."""
        self._close()
        plain = clipped(" ".join(printable(text).replace("`", "").split()), MAX_HEADER)
        self._blocks.append({"type": "header", "text": plain_text(plain)})

    def named(self, topic: str, sure: str) -> None:
        """The topic, linked where there is an address."""
        address = topic_address(self.base, topic)
        told = f"<{escaped(address)}|{escaped(topic)}>" if address else escaped(topic)
        self._close()
        self._blocks.append(context("mrkdwn", f"{told} · {escaped(sure)}"))

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
            self._blocks.append(context("plain_text", " ".join(printable(text).split())))

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
                "text": plain_text(clipped(label.say(self.lang), MAX_BUTTON)),
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
            kept = shortened(whole, MAX_MESSAGE)
            self._blocks += kept if kept == [whole] else [*kept, context("plain_text", CUT.say(self.lang))]
        self._rich = []


def _choices(options: tuple[Option, ...]) -> list[tuple[str, Text]]:
    return [(f"kd:choose:{number}", option.label) for number, option in enumerate(options[:MAX_OPTIONS])]
