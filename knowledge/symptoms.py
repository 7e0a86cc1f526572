"""Symptoms: what a pasted text tells, as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from .lines import Line as KerasLine
from .lines import line_of

Owner = Literal["user", "keras", "tensorflow", "other"]
Shape = Literal["traceback", "message", "question", "empty"]


@dataclass(frozen=True)
class Frame:
    """One level of a call stack. `package` is the top package of library code ("" for the user's own)."""

    path: str
    line: int | None
    function: str
    code: str
    owner: Owner
    package: str


@dataclass(frozen=True)
class Raised:
    """An exception as printed. `type` is the last part of its name; `frames` go from the outermost inwards.

    `final` is False for an exception that another one of the same chain followed.
    """

    type: str
    message: str
    frames: tuple[Frame, ...] = ()
    final: bool = True

    @property
    def begins_chain(self) -> bool:
        """Whether it is an exception, no warning, that another one followed."""
        return not self.final and bool(self.type) and not self.type.endswith("Warning")


@dataclass(frozen=True)
class LogLine:
    """A line that a log printed: level (D, I, W, E, C or F), the place in the source, the text."""

    level: str
    source: str
    text: str


@dataclass(frozen=True)
class Versions:
    """Version numbers that the text gives away, None where it doesn't."""

    keras: str | None = None
    tensorflow: str | None = None
    python: str | None = None


@dataclass(frozen=True)
class Symptoms:
    """A paste, parsed.

    `prose` is what the person wrote, `code` what looks like their program, `log` the log lines without repetitions,
    `language` an ISO 639-1 code (en, zh, ja, ko), `line_hint` a Keras line that paths or class names give away.
    """

    raised: tuple[Raised, ...] = ()
    log: tuple[LogLine, ...] = ()
    prose: str = ""
    code: str = ""
    versions: Versions = Versions()
    line_hint: KerasLine | None = None
    language: str = "en"

    @property
    def shape(self) -> Shape:
        """What kind of paste it is."""
        if any(r.frames for r in self.raised):
            return "traceback"
        if self.raised or self.log:
            return "message"
        return "question" if self.prose or self.code else "empty"

    @property
    def main(self) -> Raised | None:
        """The exception that ended the program: the last one that nothing followed."""
        return next((r for r in reversed(self.raised) if r.final), None)

    def from_root(self) -> Symptoms | None:
        """The same without the exceptions that followed the first one of the last chain; None where there is no chain."""
        main = self.main
        end = next((n for n, raised in enumerate(self.raised) if raised is main), 0)
        begin = end
        while begin and self.raised[begin - 1].begins_chain:
            begin -= 1
        if begin == end:
            return None
        return replace(self, raised=(*self.raised[:begin], replace(self.raised[begin], final=True)))

    @property
    def line(self) -> KerasLine | None:
        """The Keras line of the program, as far as the text tells."""
        return line_of(self.versions.keras, None) or self.line_hint or line_of(None, self.versions.tensorflow)

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"shape": self.shape, "line": self.line}
