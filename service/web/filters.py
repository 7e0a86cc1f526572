"""What templates do to values: texts that others wrote are shown as text, whatever is in them."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from ...knowledge.text import Lang

# Joiners hold emoji and words of Persian or Hindi together, and turn nothing around.
_KEPT = frozenset("\n\t\u200c\u200d")
# Colours and cursor movements of terminals (ECMA-48), which pasted output is full of.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[@-Z\\-_])")
_TICKS = re.compile(r"(`+)(.+?)\1")
_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")


def safe_text(text: str) -> str:
    """Text of several lines without what steers a terminal or turns text around; such characters show as their numbers."""
    kept = _ANSI.sub("", text.replace("\r\n", "\n"))
    return kept if kept.isprintable() else "".join(map(_shown, kept))


def safe_line(text: str) -> str:
    """The same in one line."""
    return " ".join(safe_text(text).split())


def _shown(character: str) -> str:
    if character in _KEPT or character.isprintable() or unicodedata.category(character) == "Zs":
        return character
    number = ord(character)
    if 0xD800 <= number <= 0xDFFF:  # noqa: PLR2004 - half a character, which UTF-8 cannot hold
        return "\N{REPLACEMENT CHARACTER}"
    return chr(0x2400 + number) if number < 0x20 else f"⟨U+{number:04X}⟩"  # noqa: PLR2004 - the control pictures


def ticks(text: str) -> Markup:
    """A sentence in which backticks stand around code."""
    parts: list[Markup] = []
    end = 0
    safe = safe_text(text)
    for match in _TICKS.finditer(safe):
        parts += [escape(safe[end : match.start()]), Markup("<code>{}</code>").format(match[2].strip())]
        end = match.end()
    return Markup("").join([*parts, escape(safe[end:])])


def markdown(text: str) -> Markup:
    """Markdown of an entry as HTML; HTML in it stays text."""
    return Markup(_MARKDOWN.render(text).replace("<pre>", '<pre tabindex="0">'))  # noqa: S704 - its own HTML is off


def web(url: str) -> str:
    """An address of the web; anything else leads nowhere."""
    return url if url.startswith(("https://", "http://")) else "#"


def size(number: int) -> str:
    """A number of bytes for people."""
    value, unit = float(number), 0
    while value >= 1000 and unit < len(_UNITS) - 1:  # noqa: PLR2004 - SI units
        value, unit = value / 1000, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 or value >= 10 else f"{value:.1f} {_UNITS[unit]}"  # noqa: PLR2004


def percent(share: float) -> str:
    """A share of one; a small one is not shown as none."""
    return "<1 %" if share < 0.01 else f"{min(share, 0.99):.0%}".replace("%", " %")  # noqa: PLR2004


def day(moment: datetime, lang: Lang) -> str:
    """A date, with the time in UTC."""
    if lang == "zh":
        return f"{moment.month} 月 {moment.day} 日 {moment:%H:%M} UTC"
    return f"{moment.day} {moment:%b, %H:%M} UTC"


def fill(text: str, *values: object) -> str:
    """A text with its gaps filled."""
    return text.format(*values)


FILTERS = {
    "safe_text": safe_text, "safe_line": safe_line, "ticks": ticks, "md": markdown, "web": web, "bytes": size,
    "percent": percent, "day": day, "iso": datetime.isoformat, "fill": fill,
}  # fmt: skip
