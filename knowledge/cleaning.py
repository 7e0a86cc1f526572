"""From pasted text to plain lines: what terminals, notebooks, mail quoting and log collectors add is taken off.

Everything here is linear in the text and bounded: of a long paste the beginning, the surroundings of tracebacks and
the end are kept, because that is where a failure shows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_CHARS = 96_000
MAX_LINES = 3_000
MAX_LINE = 4_000
_HEAD, _AROUND, _TAIL = 12_000, 12_000, 36_000
_MARKS = ("Traceback (most recent call last)", "Error: ", "---->")

_ANSI = re.compile(
    r"\x1b\[[0-9;:?]*[ -/]?[@-~]"  # colours and cursor movements
    r"|\x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)?"  # window titles and links
    r"|\x1b[@-_]?"
    r"|\[(?:\d{1,3}(?:;\d{1,3}){0,4})m"  # colours whose escape character was lost on the way
)
_BREAKS = re.compile(r"\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]|\x08+")
_CONTROL = dict.fromkeys([*range(9), *range(14, 28), 31, 127, 0xFEFF, 0x200B])

_QUOTE = re.compile(r"(?:\s{0,3}>(?!>> ?\S))+ ?")
_FENCE = re.compile(r"\s{0,3}(?:`{3,}|~{3,})")
_CONTAINER = re.compile(
    r"[\w.\-/]{1,80}\s*\| "  # docker compose: name_1  | ...
    r"|\d{4}-\d\d-\d\dT[\d:.]{8,24}(?:Z|[+-]\d\d:?\d\d)\s(?:std(?:out|err) [FP] )?"  # Kubernetes, GitHub Actions
    r"|\[\d{1,4},\d{1,4}\]<std(?:out|err)>:\s?"  # mpirun
    r"|\([\w .=\-]{1,60}pid=\d{1,8}[^)]{0,40}\)\s"  # ray
    r"|[A-Z][a-z]{2}\s+\d{1,2} \d\d:\d\d:\d\d [\w.\-]{1,60} [\w.\-/]{1,60}(?:\[\d{1,8}\])?: "  # syslog
)
_TIME = r"\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_TENSORFLOW = re.compile(rf"{_TIME}: ([IWEF]) ([\w./\\:\-]{{1,200}}?:\d{{1,6}})\] ?")
_ABSL = re.compile(r"([IWEF])\d{4} \d\d:\d\d:[\d.]{2,24}\s+\d{1,9} ([\w./\\:\-]{1,200}?:\d{1,6})\] ?")
_BARE_TF = re.compile(r"([IWEF]) ((?:tensorflow|external|T:\\src)[\w./\\:\-]{1,200}?:\d{1,6})\] ?")
_LEVEL_WORD = r"(DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL)"
_LOGGING = re.compile(rf"{_LEVEL_WORD}:(?:([\w.]{{1,80}}):| (?=\S))")
_BANNER = re.compile(r"Using (?:TensorFlow|Theano|CNTK) backend\.?$")  # Keras 1 to 2.3, at every start
_STAMP = re.compile(rf"\[?(?:{_TIME}|\d\d:\d\d:\d\d(?:[.,]\d{{1,6}})?)\]?(?:\s+[-|:]|:)?\s")
_AFTER_STAMP = re.compile(rf"(?:[\w.\-]{{1,60}}\s+[-|]?\s?)?\[?{_LEVEL_WORD}\]?(?:\s*[-|:]|\s)\s*")
_PROGRESS = re.compile(r"\s{0,8}\d{1,7}/(?:\d{1,7}|Unknown)\s.{0,3}(?:\[[=>.\s-]{3,80}\]|━)|\s{0,4}\d{1,3}%\|")


@dataclass(frozen=True)
class Line:
    """A line as the program printed it. `level` (I, W, E, F) and `source` are set for a line of a log."""

    text: str
    level: str = ""
    source: str = ""
    fenced: bool = False


def clean(text: str) -> list[Line]:
    """The lines of a paste without colours, quoting, log prefixes and progress bars; at most `MAX_LINES`."""
    lines: list[Line] = []
    fenced = False
    for raw in _split(_ANSI.sub("", _window(text))):
        line = _QUOTE.sub("", raw, count=1) if raw.lstrip()[:1] == ">" and _QUOTE.match(raw) else raw
        if _FENCE.match(line):
            fenced = not fenced
            continue
        lines.extend(Line(part.text, part.level, part.source, fenced) for part in _log_parts(line))
    return lines


def _window(text: str) -> str:
    if len(text) <= MAX_CHARS:
        return text
    kept = [(0, _HEAD), (len(text) - _TAIL, len(text))]
    for mark in _MARKS:
        places = (at for at in (text.find(mark), text.rfind(mark)) if at >= 0)
        kept += [(max(0, at - _AROUND // 4), at + _AROUND) for at in places]
    spans: list[tuple[int, int]] = []
    for start, end in sorted(kept):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return "\n".join(text[start:end] for start, end in spans)[: MAX_CHARS + 1000]


def _split(text: str) -> list[str]:
    lines = _BREAKS.split(text.translate(_CONTROL))
    if len(lines) > MAX_LINES:
        lines = [line for line in lines if line.strip()]
    if len(lines) > MAX_LINES:
        lines = lines[: MAX_LINES // 4] + lines[-(MAX_LINES - MAX_LINES // 4) :]
    return [line.rstrip() if len(line) <= MAX_LINE else line[: MAX_LINE - 800] + " " + line[-800:] for line in lines]


def _log_parts(line: str) -> list[Line]:
    """One line, or two where a progress bar and something else share it; nothing for a bare progress bar."""
    if container := _CONTAINER.match(line):
        line = line[container.end() :]
    if _PROGRESS.match(line):
        return _behind_progress(line)
    return [_log_line(line)]


def _log_line(line: str) -> Line:
    for pattern in (_TENSORFLOW, _ABSL, _BARE_TF):
        if match := pattern.match(line):
            return Line(line[match.end() :], match[1], match[2])
    stamp = _STAMP.match(line)
    if stamp:
        line = line[stamp.end() :]
        if level := _AFTER_STAMP.match(line):
            return Line(line[level.end() :], level[1][0], "log")
    if match := _LOGGING.match(line):
        return Line(line[match.end() :], match[1][0], match[2] or "log")
    return Line(line, "I", "keras") if _BANNER.match(line) else Line(line)


_NOT_A_NUMBER = re.compile(r"[\w]{1,60}: [-+]?(?:nan|inf)\b", re.IGNORECASE)
_GLUED = ("Traceback (most recent", "WARNING:tensorflow:", "tensorflow/core/")


def _behind_progress(line: str) -> list[Line]:
    """A program that dies prints behind its progress bar, on the same line; a figure that is no number tells much."""
    for mark in _GLUED:
        at = line.find(mark)
        if at > 0:
            return [_log_line(line[at:])]
    lost = _NOT_A_NUMBER.search(line)
    return [Line(lost[0])] if lost else []
