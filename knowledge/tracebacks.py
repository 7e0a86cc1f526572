"""Reads exceptions and call stacks out of cleaned lines: CPython's and IPython's ways of printing them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from .cleaning import Line
from .symptoms import Frame, Owner, Raised

MAX_MESSAGE_LINES = 60
MAX_MESSAGE = 4_000
MAX_RAISED = 40
MAX_FRAMES = 400

_EDGE = r"[\s|+*\"'`>(-]{0,16}"  # exception groups, lists, quotes and emphasis around a line
_HEADER = re.compile(r"Traceback \((?:most recent call last|innermost last)\):?\s?")
_CHAIN = re.compile(
    rf"{_EDGE}(?:During handling of the above exception, another|The above exception was the direct cause of)"
)
_FRAME = re.compile(rf"{_EDGE}File \"([^\"\n]{{1,400}})\", line (\d{{1,7}})(?:, in ([^\s(]{{1,200}}))?")
_CELL = re.compile(r"\s*(?:Cell|Input) In ?\[(\d{1,6})\](?:, line (\d{1,7}))?(?:, in (\S{1,120}))?")
_FILE = re.compile(r"\s*File ([^\s\"][^\"\n]{0,300}?):(\d{1,7}), in ([^\s(]{1,200})")
_OLD = re.compile(
    r"\s*\[?(<ipython-input-[\w-]{1,60}>|[^\s\"'\[][^\"'\n\]]{0,300}?\.py[cx]?)\]?(?:\(https?:[^)\s]{0,200}\))?"
    r" in ([\w.<>]{1,200})(?:\(|:| line|$)"
)
_ARROW = re.compile(r"\s{0,4}-{1,6}>\s{0,6}(\d{1,7})\s?(.{0,300})")
_NUMBERED = re.compile(r"\s{0,10}\d{1,7}(?:\s|$)")
_CARETS = re.compile(r"[\s|~^]+$")
_SUFFIX = r"(?:Error|Exception|Warning|Interrupt|Exit|Iteration|ExceptionGroup|Fault|OpError)"
_ASIDE = r"(?: \(see above for traceback\))?"
_EXCEPTION = re.compile(rf"{_EDGE}((?:[A-Za-z_]\w{{0,80}}\.){{0,12}}[A-Za-z]\w{{0,80}}){_ASIDE}\s?(?:: ?(.*)|)$")
_NAMED = re.compile(rf"(?:\w{{0,80}}{_SUFFIX}|error|timeout)$")
_MENTION = re.compile(
    r"(?<![A-Za-z0-9.])_{0,3}((?:[A-Za-z_]\w{0,60}\.){0,8}[A-Za-z]\w{0,60}(?:Error|Exception|Warning))[`'\"*]{0,3}"
    rf"{_ASIDE}\s?: ?(\S.*)"
)
_CODE_BEFORE = re.compile(r"(?:except|raise|assertRaises\w*|import|class)\b[^:]*$|#\s*$")
_GOES_ON = re.compile(
    r"\s*(?:Call arguments|Arguments received|[•*] |\[\[|Node:|Detected at|Original stack trace|Errors may have|"
    r"Negative dimension|Input |If this |Possible|The op is created|Inputs? to |Matrix size|Incompatible|Could not|"
    r"Failed|First error|Root error|Found|Expected|Received|\(\d\) |Make sure|\d+ root error|<stack traces|[lL]ogits|indices)"
)
_OPEN_ENDED = ("exception encountered when calling", "detected at node", "graph execution error", "root error(s) found")
_NODE_STACK = "defined at (most recent call last)"
_REPEATED = "[Previous line repeated"


@dataclass
class Reading:
    """What was read: exceptions in the order of the text, and the lines that belong to none."""

    raised: list[Raised] = field(default_factory=list)
    rest: list[Line] = field(default_factory=list)


def read_tracebacks(lines: list[Line]) -> Reading:
    """All exceptions of cleaned lines, whole or cut off at either end."""
    reader = _Reader(lines)
    reader.read()
    return reader.reading


class _Reader:
    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self.at = 0
        self.frames: list[Frame] = []
        self.inside = False  # behind a header or a frame, with no exception read yet
        self.notebook = False
        self.reading = Reading()

    def read(self) -> None:
        while self.at < len(self.lines):
            line = self.lines[self.at]
            self.at += 1
            self._line(line)
        self._flush()

    def _line(self, line: Line) -> None:
        text = line.text
        if "Traceback (" in text and (header := _HEADER.search(text)):
            self._start(header, text)
        elif "bove exception" in text and _CHAIN.match(text):
            self._follow_chain()
        elif frame := _frame(text):
            self._add_frame(frame)
        elif self.inside and self._inside_stack(text):
            pass
        elif exception := self._exception(line):
            self._raise(*exception)
        else:
            self.reading.rest.append(line)

    def _start(self, header: re.Match[str], text: str) -> None:
        self._flush()
        self.inside = True
        self.notebook = bool(text[: header.start()].strip())
        if behind := text[header.end() :].strip():
            self._line(Line(behind))

    def _follow_chain(self) -> None:
        self._flush()
        if self.reading.raised:
            self.reading.raised[-1] = replace(self.reading.raised[-1], final=False)

    def _add_frame(self, frame: Frame) -> None:
        self.inside = True
        self.notebook |= frame.line is None or "ipython-input" in frame.path or frame.path.startswith("Cell")
        if len(self.frames) < MAX_FRAMES:
            self.frames.append(frame)

    def _inside_stack(self, text: str) -> bool:
        """Consume a line that belongs to the stack being read; False when it doesn't."""
        if not text.strip() or _CARETS.match(text) or _REPEATED in text:
            return bool(text.strip()) or self.notebook or bool(self.frames)
        if ("->" in text) and (arrow := _ARROW.match(text)):
            self._code(arrow[2].strip(), int(arrow[1]))
            self.notebook = True
            return True
        if self.notebook and _NUMBERED.match(text):
            return True
        if text.startswith(("  ", "\t")) and self.frames and not self.frames[-1].code:
            self._code(text.strip(), None)
            return True
        return False

    def _code(self, code: str, number: int | None) -> None:
        if self.frames:
            last = self.frames[-1]
            self.frames[-1] = replace(last, code=code, line=last.line if number is None else number)

    def _exception(self, line: Line) -> tuple[str, str] | None:
        """Type and first line of the message, if this is where an exception is told; words before it are kept."""
        text = line.text
        if (match := _EXCEPTION.match(text)) and _is_exception(match, inside=self.inside):
            return match[1], match[2] or ""
        if ": " in text or "Error:" in text:
            mention = _MENTION.search(text)
            if mention and not _CODE_BEFORE.search(text[max(0, mention.start() - 80) : mention.start()]):
                if before := text[: mention.start()].strip("`*\"' "):
                    self.reading.rest.append(replace(line, text=before))
                return mention[1], mention[2].rstrip("`*\"' ")
        return None

    def _raise(self, name: str, message: str) -> None:
        message = "\n".join([message, *self._continuation(message)]).strip()[:MAX_MESSAGE]
        if len(self.reading.raised) < MAX_RAISED:
            self.reading.raised.append(Raised(name.rpartition(".")[2], message, tuple(self.frames)))
        self.frames, self.inside, self.notebook = [], False, False

    def _continuation(self, first: str) -> Iterator[str]:
        """The further lines of a message, up to whatever cannot belong to it."""
        opening = first.lower()
        for _ in range(MAX_MESSAGE_LINES):
            if _NODE_STACK in opening:
                self._skip_node_stack()
            if self.at >= len(self.lines):
                return
            line = self.lines[self.at]
            if not line.text.strip():
                following = next((n.text for n in self.lines[self.at : self.at + 3] if n.text.strip()), "")
                if not (any(o in opening for o in _OPEN_ENDED) or _GOES_ON.match(following)):
                    return
            elif line.level or _structural(line.text):
                return
            self.at += 1
            opening += line.text.lower()
            yield line.text

    def _skip_node_stack(self) -> None:
        """TensorFlow puts the stack that made a node into the middle of a message; what failed stands behind it.

        TensorFlow 2.16 writes a blank line after each frame instead of its code.
        """
        begun = self.at
        while self.at < len(self.lines):
            text = self.lines[self.at].text
            between = self.at > begun and not text.strip()
            if not (_frame(text) or between or (text.startswith("    ") and _frame(self.lines[self.at - 1].text))):
                return
            self.at += 1

    def _flush(self) -> None:
        """A stack whose exception is cut off still tells where the program was."""
        if self.frames:
            self.reading.raised.append(Raised("", "", tuple(self.frames)))
        self.frames, self.inside, self.notebook = [], False, False


def _structural(text: str) -> bool:
    if "Traceback (" in text or _CHAIN.match(text) or text.lstrip().startswith("```"):
        return True
    if _frame(text) is not None:
        return True
    match = _EXCEPTION.match(text)
    return bool(match and match[2] and _NAMED.match(match[1].rpartition(".")[2]))


def _is_exception(match: re.Match[str], *, inside: bool) -> bool:
    name = match[1].rpartition(".")[2]
    if not _NAMED.match(name):
        return False
    if name[0].islower():  # `error: ...` of OpenCV or zlib ends a stack; in prose it is a word
        return inside and match[2] is not None
    return match[2] is not None or inside


def _frame(text: str) -> Frame | None:
    if 'File "' in text:
        if match := _FRAME.match(text):
            return _make(match[1], int(match[2]), match[3] or "")
    elif " In" in text and (match := _CELL.match(text)):
        return _make(f"Cell In[{match[1]}]", int(match[2]) if match[2] else None, match[3] or "<module>")
    elif "File " in text and (match := _FILE.match(text)):
        return _make(match[1], int(match[2]), match[3])
    elif " in " in text and (match := _OLD.match(text)):
        return _make(match[1], None, match[2])
    return None


_INSTALLED = re.compile(r".*(?:site-packages|dist-packages|local-packages|\.egg)/([\w.+-]+)")
_STANDARD = re.compile(r".*(?:/lib(?:64)?/python\d[\w.]*/|/python\d\d\d?(?:-\d\d)?/lib/|^<frozen )", re.IGNORECASE)
_KERAS_PACKAGES = frozenset({"keras", "tf_keras", "keras_nightly"})


def owner_of(path: str) -> tuple[Owner, str]:  # noqa: PLR0911 - one line for each way of telling
    """Whose code a file is, and its package ("" for the user's own).

    Installed packages are told by the folders that installers use; TensorFlow's copies of Keras
    (`tensorflow/python/keras`, TensorFlow 1.4 to 2.15) count as Keras.
    """
    path = path.replace("\\", "/")
    if match := _INSTALLED.match(path):
        package = re.split(r"\.py\b|-\d", match[1])[0]
        return _library(package, path)
    for package in ("tensorflow", "tensorflow_core"):
        if f"/{package}/python/" in f"/{path}":
            return _library(package, path)
    if path.startswith(("keras/src/", "keras/engine/", "keras/backend/")):
        return "keras", "keras"
    if path.startswith("<frozen") or _STANDARD.match(path):
        return "other", "python"
    if path.endswith(".pyx"):
        return "other", path.split("/")[0]
    if "__autograph_generated_file" in path:
        return "tensorflow", "tensorflow"
    return "user", ""


def _library(package: str, path: str) -> tuple[Owner, str]:
    if package.lower() in _KERAS_PACKAGES or "/python/keras/" in path:
        return "keras", "keras"
    if package.startswith("tensorflow") and package not in ("tensorflow_addons", "tensorflow_hub"):
        return "tensorflow", "tensorflow"
    return "other", package


def _make(path: str, number: int | None, function: str) -> Frame:
    owner, package = owner_of(path)
    return Frame(path, number, function, "", owner, package)
