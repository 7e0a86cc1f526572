"""GitHub-flavoured Markdown: a chat for an issue, an answer for a coding assistant.

What came from a paste or a file makes no markup: it is escaped as CommonMark has it (https://spec.commonmark.org/0.31.2/, 2.4), and
where GitHub looks at the text behind the markup (mentions, issues, addresses:
https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls) a
zero-width space stands between the sign and the name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..diagnostics.diagnosis import Diagnosis, Named, Question
from ..diagnostics.diagnosis_page import diagnosis_page
from ..diagnostics.page import advice_text, question_text
from ..diagnostics.paper import printable, unwrapped
from ..knowledge.entry import has_entry, load_entry
from ..knowledge.text import Lang, Text
from .pages import COPY_WRITTEN, MORE_ABOUT, reply_page, topic_address
from .reply import Reply

PASTE = Text("Pasted text, {} lines", "粘贴的文本，{} 行")
ROLES = {"asks": Text("Question", "提问"), "answers": Text("kerasdoctor", "kerasdoctor")}
SHORT = 300  # characters; a longer message is folded
_CODE = re.compile(r"`([^`]+)`")
_MARKS = re.compile(r"[\\`*\[\]~$#]|(?<![^\W_])_|_(?![^\W_])|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]|(?<=^\d\d\d)[.)]")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_APART = "\N{ZERO WIDTH SPACE}"
# What becomes a mention, a reference or a link though it is escaped: @name, #1, GH-1, https://, www., mailto:
_SIGNS = re.compile(r"(?i)@(?=\w)|#(?=\d)|\bGH(?=-\d)|:(?=//)|\bwww(?=\.)|\b(?:mailto|xmpp)(?=:)")


def inline(text: str) -> str:
    """A text as one line of Markdown that shows it and nothing else, with code where backticks stand around it."""
    pieces = _CODE.split(" ".join(printable(text).split()))
    return "".join(f"`{piece}`" if number % 2 else _escaped(piece) for number, piece in enumerate(pieces))


def _escaped(piece: str) -> str:
    piece = _SIGNS.sub(lambda found: found[0] + _APART, piece)
    piece = _MARKS.sub(lambda found: "\\" + found[0], piece)
    return "".join(_HTML.get(c, c) for c in piece)


def fenced(code: str, language: str) -> str:
    """Code in a fence that is longer than any run of backticks in it."""
    body = printable(code).rstrip("\n")
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", body)), default=0))
    return f"{fence}{language}\n{body}\n{fence}"


class MarkdownPaper:
    """Collects the blocks of a Markdown text: a `Paper`."""

    def __init__(self, base: str = "", level: int = 2) -> None:
        """`base` is the address of the service, for links to topics; `level` that of a title."""
        self.base = base
        self.level = level
        self._text = ""
        self._in_list = False

    def text(self) -> str:
        """The Markdown, with a line break at its end."""
        return f"{self._text}\n" if self._text else ""

    def title(self, text: str) -> None:
        """A heading."""
        self._put(f"{'#' * self.level} {inline(text)}")

    def named(self, topic: str, sure: str) -> None:
        """The topic, linked where there is an address."""
        self._put(f"{self._linked(f'`{topic}`', topic)} · {inline(sure)}")

    def heading(self, text: str) -> None:
        """A heading under the title's."""
        self._put(f"{'#' * (self.level + 1)} {inline(text)}")

    def plain(self, text: str, *, indent: int = 0, bold: bool = False) -> None:
        """A paragraph."""
        del indent
        self._put(f"**{inline(text)}**" if bold else inline(text))

    def note(self, text: str, *, indent: int = 0) -> None:
        """A paragraph in small print; under an item, one more."""
        if indent > 2:  # noqa: PLR2004 - see Paper
            self.item(text, indent=indent)
        else:
            self._put(f"*{inline(text)}*")

    def item(self, text: str, mark: str = "•", *, indent: int = 2) -> None:
        """An item of a list."""
        sign = "" if mark in "•-" else f"{mark} "
        self._item(f"{sign}{inline(text)}", indent)

    def markdown(self, text: str) -> None:
        """An entry's Markdown as it is, each paragraph in a line: GitHub keeps line breaks."""
        self._put(unwrapped(text).strip("\n"))

    def code(self, text: str, language: str = "") -> None:
        """A fence."""
        self._put(fenced(text, language))

    def change(self, before: str, after: str) -> None:
        """A piece before and after, in the colours of a diff, inside the item above."""
        signed = [f"{sign} {' '.join(piece.split())}" for sign, piece in (("-", before), ("+", after)) if piece]
        self._text += "\n" + "".join(f"\n    {line}" for line in fenced("\n".join(signed), "diff").split("\n"))

    def blank(self) -> None:
        """Blocks stand apart anyway."""

    def other(self, named: Named, lang: Lang) -> None:
        """Another topic, linked where there is an address."""
        title = inline(named.title.say(lang))
        self._item(f"{self._linked(title, named.topic)} (`{named.topic}`, {named.confidence:.0%})", 2)

    def more(self, topic: str, lang: Lang) -> None:
        """A topic by its title, linked where there is an address."""
        title = inline(load_entry(topic).title.say(lang)) if has_entry(topic) else ""
        told = f"{self._linked(title, topic)} (`{topic}`)" if title else f"`{topic}`"
        self._item(MORE_ABOUT.say(lang).format(told), 4)

    def source(self, title: str, url: str) -> None:
        """A link."""
        self._item(f"[{inline(title)}](<{url}>)", 2)

    def ask(self, question: Question, lang: Lang) -> None:
        """The question, with its options where it has some."""
        self.plain(question_text(question).say(lang))
        for option in question.options:
            self.item(option.label.say(lang))

    def advise(self, advice: Text, lang: Lang) -> None:
        """What the reader can add."""
        self.item(advice_text(advice).say(lang))

    def written(self, copy: str, lang: Lang) -> None:
        """That there is a copy: by its id nobody else could fetch it."""
        del copy
        self.plain(COPY_WRITTEN.say(lang))

    def _linked(self, text: str, topic: str) -> str:
        address = topic_address(self.base, topic)
        return f"[{text}](<{address}>)" if address else text

    def _item(self, text: str, indent: int) -> None:
        self._put(f"{'  ' if indent > 2 else ''}- {text}", in_list=True)  # noqa: PLR2004 - see Paper

    def _put(self, block: str, *, in_list: bool = False) -> None:
        apart = "\n" if in_list and self._in_list else "\n\n"
        self._text += (apart if self._text else "") + block
        self._in_list = in_list


def diagnosis_markdown(diagnosis: Diagnosis, base: str = "") -> str:
    """A diagnosis as Markdown; `base` is the address of the service, for links to topics."""
    paper = MarkdownPaper(base)
    diagnosis_page(paper, diagnosis)
    return paper.text()


def chat_markdown(title: str, messages: Sequence[tuple[str, str, Reply | None]], lang: Lang, base: str = "") -> str:
    """A chat as Markdown, for an issue.

    Args:
        title: the chat's title.
        messages: role ("asks" or "answers"), text and reply of each; long texts are folded.
        lang: the language of the headings between them; each reply keeps its own.
        base: the address of the service, for links to topics.
    """
    parts = [f"# {inline(title)}\n"]
    for role, text, reply in messages:
        parts.append(f"## {ROLES[role].say(lang)}\n")
        if text.strip():
            parts.append(_pasted(text, lang))
        if reply:
            paper = MarkdownPaper(base, level=3)
            reply_page(paper, reply)
            parts.append(paper.text())
    return "\n".join(parts)


def _pasted(text: str, lang: Lang) -> str:
    """A message: as a quotation where it is short, else folded."""
    lines = text.strip("\n").split("\n")
    if len(lines) == 1 and len(text) <= SHORT:
        return f"> {inline(text)}\n"
    summary = PASTE.say(lang).format(len(lines))
    return f"<details>\n<summary>{summary}</summary>\n\n{fenced(text, 'text')}\n\n</details>\n"
