"""Text for a terminal: wrapped to its width (Chinese characters take two columns), styled where that is wanted."""

from __future__ import annotations

import json
import os
import re
import shutil
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

import click

from ..diagnostics.paper import joined, printable
from ..knowledge.text import Lang, Text

if TYPE_CHECKING:
    from ..diagnostics.diagnosis import Named, Question

MAX_WIDTH = 100
_TOKEN = re.compile(r"\s+|[A-Za-z0-9_`'\"(\[{<./\\:@#$%&*+=~^|,;!?)\]}>-]+|.")
_NOT_FIRST = frozenset("，。、；：？！）》」』】”’,.;:?!)]}%")
_NOT_LAST = frozenset("（《「『【“‘([{")
_CODE = re.compile(r"`[^`]+`")
_BAR = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r":?-+:?")
_LIST_ITEM = re.compile(r"(\s*)(\d{1,2}\.|[-*•]) +(.*)")
MORE = Text("More: kerasdoctor topic {}", "详见：kerasdoctor topic {}")
WRITTEN = Text("Written: {}", "已写入：{}")


def use_color() -> bool | None:
    """False where NO_COLOR is set (no-color.org); None lets click decide: colours on a terminal, none in a pipe."""
    return False if os.environ.get("NO_COLOR") else None


def columns(text: str) -> int:
    """How many columns a text takes."""
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def json_text(value: object) -> str:
    """A value as JSON for people and programs. Names of files may be any bytes: those that are no text stand as escapes."""
    return json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace").decode()


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` columns, broken at spaces and between Chinese characters."""
    lines: list[str] = []
    line = ""
    for piece in _unbreakable(text):
        if line and columns(line) + columns(piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
        while columns(line.rstrip()) > width and "://" not in line:  # an address stays whole, to be clicked or copied
            cut = _cut(line, width)
            lines.append(line[:cut])
            line = line[cut:]
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _unbreakable(text: str) -> list[str]:
    """The pieces between which a line may be broken: punctuation stays with what it belongs to."""
    pieces: list[str] = []
    for token in _TOKEN.findall(text):
        glued = pieces and (token[0] in _NOT_FIRST or pieces[-1][-1] in _NOT_LAST)
        if glued and not token.isspace():
            pieces[-1] += token
        else:
            pieces.append(token)
    return pieces


def _cut(line: str, width: int) -> int:
    used = 0
    for at, character in enumerate(line):
        used += columns(character)
        if used > width:
            return max(1, at)
    return len(line)


class Screen:
    """Collects the lines of a page: the terminal's `Paper`."""

    def __init__(self, width: int | None = None) -> None:
        """`width` in columns; by default the terminal's, at most 100."""
        self.width = width or min(MAX_WIDTH, shutil.get_terminal_size().columns)
        self._lines: list[str] = []

    def title(self, text: str) -> None:
        """The name of the answer."""
        self.plain(text, bold=True, fg="yellow")

    def named(self, topic: str, sure: str) -> None:
        """The topic's id, with which `kerasdoctor topic` shows it, and how sure it is."""
        self.note(f"{topic} · {sure}")

    def heading(self, text: str) -> None:
        """A heading, with a blank line above."""
        if self._lines:
            self._lines.append("")
        self._lines.append(click.style(text, bold=True, fg="cyan"))

    def plain(self, text: str, *, indent: int = 0, hang: int = 0, **style: bool | str) -> None:
        """A paragraph; `hang` further columns of indentation from its second line on."""
        lines = wrap(printable(text), max(20, self.width - indent - hang))
        styled = [click.style(line, **style) for line in lines] if style else _inline(lines)  # type: ignore[arg-type]
        for number, line in enumerate(styled):
            self._lines.append(" " * (indent + (hang if number else 0)) + line)

    def note(self, text: str, *, indent: int = 0) -> None:
        """A paragraph in small print."""
        self.plain(text, indent=indent, dim=True)

    def item(self, text: str, mark: str = "•", *, indent: int = 2) -> None:
        """An item of a list."""
        self.plain(f"{mark} {text}", indent=indent, hang=columns(mark) + 1)

    def markdown(self, text: str) -> None:
        """Paragraphs and lists of an entry's Markdown."""
        paragraph: list[str] = []
        for line in [*text.split("\n"), ""]:
            item = _LIST_ITEM.match(line)
            if (item or not line.strip()) and paragraph:
                self._paragraph(paragraph)
                paragraph = []
            if not line.strip():
                self.blank()
            elif line.strip():
                paragraph.append(line)
        while self._lines and not self._lines[-1]:
            self._lines.pop()

    def _paragraph(self, lines: list[str]) -> None:
        if lines[0].lstrip().startswith("|"):
            self._table([_cells(line) for line in lines])
            return
        first = _LIST_ITEM.match(lines[0])
        text = joined(([first[3]] if first else [lines[0].strip()]) + [line.strip() for line in lines[1:]])
        if first:
            self.item(text, first[2], indent=2 + len(first[1]))
        else:
            self.plain(text, indent=2)

    def _table(self, rows: list[list[str]]) -> None:
        """Each row as an item that begins with its first cell: a table seldom fits a terminal."""
        head, body = rows[0], [row for row in rows[1:] if not all(_RULE.fullmatch(cell) for cell in row)]
        for row in body:
            self.item(row[0])
            told = [f"{name}: {cell}" if name else cell for name, cell in zip(head[1:], row[1:], strict=False) if cell]
            self.plain("; ".join(told), indent=6)

    def code(self, text: str, language: str = "") -> None:
        """Code as it is, never wrapped."""
        del language  # all code has one colour here
        for line in printable(text).split("\n"):
            self._lines.append(("    " + click.style(line, fg="green")) if line.strip() else "")

    def change(self, before: str, after: str) -> None:
        """A piece before and after."""
        for sign, piece, colour in (("-", before, "red"), ("+", after, "green")):
            if piece:
                self.plain(f"{sign} {piece}", indent=8, hang=2, fg=colour)

    def other(self, named: Named, lang: Lang) -> None:
        """Another topic that comes into question."""
        self.item(f"{named.title.say(lang)} ({named.topic}, {named.confidence:.0%})")

    def more(self, topic: str, lang: Lang) -> None:
        """The command that shows a topic."""
        self.note(MORE.say(lang).format(topic), indent=4)

    def source(self, title: str, url: str) -> None:
        """A source with its address."""
        self.item(f"{title}: {url}")

    def ask(self, question: Question, lang: Lang) -> None:
        """A question, with commands that answer it."""
        self.markdown(question.text.say(lang))

    def advise(self, advice: Text, lang: Lang) -> None:
        """What the reader can add, with commands."""
        self.item(advice.say(lang))

    def written(self, copy: str, lang: Lang) -> None:
        """The path of a mended copy."""
        self.plain(WRITTEN.say(lang).format(copy), bold=True)

    def blank(self) -> None:
        """One blank line, never two."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def text(self) -> str:
        """The page."""
        return "\n".join(self._lines)


def _cells(row: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in _BAR.split(row.strip().strip("|"))]


def _inline(lines: list[str]) -> list[str]:
    """Colour what stands between backticks, also where it goes over the end of a line."""

    def colored(match: re.Match[str]) -> str:
        return "\n".join(click.style(part, fg="green") for part in match[0].split("\n"))

    return _CODE.sub(colored, "\n".join(lines)).split("\n")
