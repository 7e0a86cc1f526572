"""The parser: pasted text in, Symptoms out. Linear in the text, never raises on any string."""

from __future__ import annotations

import re

from .cleaning import Line, clean
from .symptoms import LogLine, Raised, Symptoms
from .tracebacks import read_tracebacks
from .versions import hint_of, versions_in

MAX_PROSE = 4_000
MAX_CODE = 8_000
MAX_LOG = 60

_HAN = re.compile(r"[\u3400-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_LATIN = re.compile(r"(?<![\w.=(/])[A-Za-z]{2,}(?![\w.=(/])")
_HANGUL = re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")
_CODE = re.compile(
    r"\s*(?:>>> |In \[\d*\]:|from [\w.]+ import |import [\w.]+|def \w+\(|class \w+[(:]|return\b|for \w+ in |if .{1,80}:$|"
    r"@[\w.]+|#|print\(|with .{1,80}:$|[\w.\[\]'\", ]{1,60} ?[-+*/]?= ?\S|[\w.]{1,60}\(.{0,200}\)?[,)]?$|[\])}]+[,)]?$)"
)
_RULE = re.compile(r"[-=_*~#\s]{6,}$")


def parse(text: str) -> Symptoms:
    """Parse pasted text (a traceback, a log, a question, in any mixture and cut off anywhere)."""
    lines = clean(text)
    reading = read_tracebacks(lines)
    log = [LogLine(line.level, line.source, line.text) for line in reading.rest if line.level]
    prose, code = _prose_and_code(reading.rest)
    versions = versions_in("\n".join(line.text for line in lines))
    return Symptoms(
        raised=tuple(_only_last_is_final(reading.raised)),
        log=tuple(_distinct(log)[-MAX_LOG:]),
        prose=prose,
        code=code,
        versions=versions,
        line_hint=hint_of(
            (frame.path for raised in reading.raised for frame in raised.frames),
            (raised.message for raised in reading.raised),
        ),
        language=_language(prose, "\n".join(raised.message for raised in reading.raised)),
    )


def _only_last_is_final(raised: list[Raised]) -> list[Raised]:
    """Warnings are not what ended the program while a real exception is there."""
    if all(r.type.endswith("Warning") for r in raised):
        return raised
    return [
        Raised(r.type, r.message, r.frames, final=r.final and bool(r.type) and not r.type.endswith("Warning"))
        for r in raised
    ]


def _distinct(log: list[LogLine]) -> list[LogLine]:
    """Log lines without repetitions, in order."""
    return list({(line.source, line.text[:80]): line for line in log}.values())


def _prose_and_code(rest: list[Line]) -> tuple[str, str]:
    prose: list[str] = []
    code: list[str] = []
    for line in rest:
        text = line.text
        if not text.strip() or line.level or _RULE.match(text):
            continue
        is_code = (line.fenced or _CODE.match(text) is not None) and not _HAN.search(text)
        (code if is_code else prose).append(text.strip())
    return "\n".join(prose)[:MAX_PROSE], "\n".join(code)[:MAX_CODE]


def _language(prose: str, messages: str) -> str:
    """The language that the person writes in: their prose decides, else the messages, else English."""
    for text in (prose, messages):
        if _KANA.search(text):
            return "ja"
        if len(_HANGUL.findall(text)) > 1:
            return "ko"
        han = len(_HAN.findall(text))
        if han > 1 and 2 * han >= len(_LATIN.findall(text)):
            return "zh"
        if text.strip():
            break
    return "en"
