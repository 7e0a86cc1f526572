"""What a page is written on: a terminal, Markdown, Slack blocks. `page.py` says what stands on it and in which order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol
from unicodedata import east_asian_width

if TYPE_CHECKING:
    from ..knowledge.text import Lang, Text
    from .diagnosis import Named, Question

_STARTS = re.compile(r"\s*(?:(?:\d{1,2}\.|[-*•]) |\||$)")


class Paper(Protocol):
    """The operations of a page.

    Texts are single lines or paragraphs in which backticks stand around code; anything else in them is shown as it is, for it
    may be of a file or a paste. Only `markdown` takes Markdown: that of our entries. `indent` is in columns of a terminal; more
    than 2 means that it belongs to the item above.
    """

    def title(self, text: str) -> None:
        """The name of the answer."""

    def named(self, topic: str, sure: str) -> None:
        """The topic's id and how sure it is, under the title."""

    def heading(self, text: str) -> None:
        """The heading of a part."""

    def plain(self, text: str, *, indent: int = 0, bold: bool = False) -> None:
        """A paragraph."""

    def note(self, text: str, *, indent: int = 0) -> None:
        """A paragraph in small print."""

    def item(self, text: str, mark: str = "•", *, indent: int = 2) -> None:
        """An item of a list."""

    def markdown(self, text: str) -> None:
        """Paragraphs, lists and tables of an entry's Markdown."""

    def code(self, text: str, language: str = "") -> None:
        """Code to be copied."""

    def change(self, before: str, after: str) -> None:
        """A piece before and after; either may be empty."""

    def blank(self) -> None:
        """A little room, where the medium has lines."""

    def other(self, named: Named, lang: Lang) -> None:
        """Another topic that comes into question, as an item."""

    def more(self, topic: str, lang: Lang) -> None:
        """Where to read about the topic of the item above."""

    def source(self, title: str, url: str) -> None:
        """A source, as an item."""

    def ask(self, question: Question, lang: Lang) -> None:
        """A question, and how it can be answered here."""

    def advise(self, advice: Text, lang: Lang) -> None:
        """What the reader can add, as an item."""

    def written(self, copy: str, lang: Lang) -> None:
        """That a mended copy was written: `copy` is its path, or the id by which it is kept."""


def printable(text: str) -> str:
    """`text` without characters that steer a terminal or turn text around: what was pasted is shown, never obeyed."""
    return "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text.replace("\t", "    ")
    )


def shown(name: str) -> str:
    """A name of a file in one line: it may be any bytes, line breaks and escapes among them."""
    return printable(name.replace("\n", "\N{REPLACEMENT CHARACTER}"))


def joined(lines: list[str]) -> str:
    """Lines of a paragraph as one; between two Chinese characters there is no space."""
    text = lines[0]
    for line in lines[1:]:
        chinese = text and line and east_asian_width(text[-1]) in "WF" and east_asian_width(line[0]) in "WF"
        text += line if chinese else f" {line}"
    return text


def unwrapped(markdown: str) -> str:
    """An entry's Markdown with each paragraph and item in one line: media that keep line breaks would show those of the file."""
    lines: list[str] = []
    for line in markdown.split("\n"):
        if lines and lines[-1].strip() and not lines[-1].lstrip().startswith("|") and not _STARTS.match(line):
            lines[-1] = joined([lines[-1], line.strip()])
        else:
            lines.append(line.rstrip())
    return "\n".join(lines)
