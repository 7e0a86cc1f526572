"""What a person pasted, as a page shows it: the beginning, and the rest folded."""

from __future__ import annotations

from dataclasses import dataclass

from .filters import safe_text

HEAD_LINES, FIRST, HEAD_CHARACTERS = 12, 4, 1500
MOST = 100_000  # characters that a page holds of one paste; the rest is a click away
PROSE_LINES, PROSE_CHARACTERS = 4, 600


@dataclass(frozen=True)
class Pasted:
    """A text in pieces.

    `head` is what is shown at once and `whole` what is unfolded, "" where the head is all; `cut` tells that `whole` is not
    all of it either. `lines` and `size` (in bytes of UTF-8) are those of the whole text. `prose` are sentences, not output.
    """

    head: str
    whole: str
    lines: int
    size: int
    prose: bool
    cut: bool


def pasted(text: str) -> Pasted:
    """Take a text into its pieces. Of an output the end says most: the head shows its first lines and its last ones."""
    shown = safe_text(text[:MOST]).strip("\n")
    cut = len(text) > MOST
    lines = shown.split("\n")
    prose = len(lines) <= PROSE_LINES and len(shown) <= PROSE_CHARACTERS and not any(map(_is_output, lines))
    short = len(lines) <= HEAD_LINES + 2 and len(shown) <= HEAD_CHARACTERS
    head = shown if short else _head(lines)
    return Pasted(head, "" if short else shown, text.count("\n") + 1, len(text.encode("utf-8", "replace")), prose, cut)


def _head(lines: list[str]) -> str:
    if len(lines) <= HEAD_LINES:
        return "\n".join(lines)[:HEAD_CHARACTERS] + " …"
    half = HEAD_CHARACTERS // 2
    return "\n".join(lines[:FIRST])[:half] + "\n…\n" + "\n".join(lines[FIRST - HEAD_LINES :])[-half:]


def _is_output(line: str) -> bool:
    return line.startswith((" ", "\t", "Traceback")) or "Error:" in line
