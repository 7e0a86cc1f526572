"""What a file is: the value that `formats.identify` returns, and the bounds within which files are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..knowledge.text import Text
from .probe import SubjectKind

HEAD = 64 * 1024  # enough for every signature, and for the first lines of a text
MAX_TEXT = 32 * 1024 * 1024  # a JSON file that is parsed whole
MAX_MEMBERS = 10_000


@dataclass(frozen=True)
class Format:
    """What a file is by its bytes.

    `id` names the format. `subject` is the kind of probes that fit it, None where it is declined. `statement` says what it is
    and, where the name says something else, what follows from that; `load` is the line of code that opens it, or the way
    to what can be opened.
    """

    id: str
    subject: SubjectKind | None
    statement: Text
    load: Text


def same(line: str) -> Text:
    """A line of code, which is the same for every reader."""
    return Text(line, line)


def quoted(path: Path) -> str:
    """The file's name as a literal in a line of code, with what cannot be printed left out."""
    name = "".join(c if c.isprintable() and c not in "'\\" else "?" for c in path.name[:80])
    return f"'{name}'"


def declined(ident: str, what: Text, load: Text) -> Format:
    """A format that no probe examines."""
    return Format(ident, None, what, load)


def unpack_first(what: str, zh: str) -> Text:
    """The way to the file inside an archive."""
    return Text(f"unpack it and give {what}", f"请先解压，再给出{zh}")
