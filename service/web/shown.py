"""What the templates of a chat are given: plain values, all of them there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...diagnostics.page import Part, ShownFindings
from ...diagnostics.probe import Finding
from ...diagnostics.repair import Change
from ..case import Act
from ..reply import Reply
from .pasted import Pasted


@dataclass(frozen=True)
class File:
    """An upload as it is shown; `gone` where it was removed or its time was over."""

    id: str
    name: str = ""
    size: int = 0
    made_from: str | None = None
    gone: bool = False


@dataclass(frozen=True)
class Picture:
    """A picture of an upload, and what it shows."""

    address: str
    alt: str


@dataclass(frozen=True)
class Asking:
    """A person's message. `label` is what a button said, `marks` what else was filled in."""

    id: str
    number: int
    address: str
    text: Pasted
    label: str
    files: tuple[File, ...]
    marks: tuple[str, ...]
    role: str = "asks"


@dataclass(frozen=True)
class Changes:
    """What one repair did."""

    repair: str
    promise: str
    changes: tuple[Change, ...]
    more: str


@dataclass(frozen=True)
class Silent:
    """A probe that found nothing wrong."""

    probe: str
    promise: str


@dataclass(frozen=True)
class Answer:
    """kerasdoctor's message. What can be done with it (`acts` and on) is there in the newest one of the owner's own page only.

    `w` are the texts of the interface in the answer's language; `seen_in` is the finding that shows the topic in a file, told at
    once where its part comes late; `asks` tells that its question may be answered with a click.
    """

    id: str
    number: int
    chat: str
    reply: Reply
    w: Mapping[str, str]
    parts: tuple[Part, ...] = ()
    headings: Mapping[Part, str] | None = None
    advice: tuple[str, ...] = ()
    ran_with: str = ""
    seen: ShownFindings | None = None
    seen_in: Finding | None = None
    outcomes: Mapping[str, str] | None = None
    silent: tuple[Silent, ...] = ()
    silent_text: str = ""
    pictures: tuple[Picture, ...] = ()
    question: str = ""
    asks: bool = False
    percent: int = 0
    sure: str = ""
    sure_words: str = ""
    mended_title: str = ""
    made: tuple[Changes, ...] = ()
    proof_mark: str = ""
    download: File | None = None
    acts: tuple[tuple[Act, str], ...] = ()
    rates: bool = False
    can_run: bool = False
    models: tuple[File, ...] = ()
    role: str = "answers"


@dataclass(frozen=True)
class Side:
    """What stands beside a chat."""

    topic: str | None
    exception: str
    versions: tuple[str, ...]
    files: tuple[File, ...]


@dataclass(frozen=True)
class Step:
    """A probe, or another step, of an answer that is under way."""

    probe: str
    state: str
    outcome: str | None
    words: str


@dataclass(frozen=True)
class Running:
    """A job that is under way."""

    id: str
    state: str
    recognised: Mapping[str, Any] | None
    steps: tuple[Step, ...]
