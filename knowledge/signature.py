"""Signatures: the fixed words of an error message, with `…` where it varies.

A signature is not a regular expression: it cannot be written so that it takes long, and a reader sees at once what
it finds. `…` stands for up to 300 characters on one line; spaces, quotes and case are not compared.
"""

from __future__ import annotations

import re
from functools import lru_cache

GAP = "…"
MAX_GAP = 300
LONG = 60  # fixed characters from which a signature is as telling as it gets
_QUOTES = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "`": "'", '"': "'"})
_COLOR = re.compile(r"\x1b\[[0-9;]{0,12}m")


def fold(text: str) -> str:
    """`text` as signatures compare it: no colours, lower case, one kind of quote, white space as one space."""
    if "\x1b" in text:
        text = _COLOR.sub("", text)
    return " ".join(text.translate(_QUOTES).replace('"', "'").lower().split())


@lru_cache(maxsize=4096)
def pieces(signature: str) -> tuple[str, ...]:
    """The fixed parts of a signature, folded, in order."""
    return tuple(p for p in (fold(part) for part in signature.split(GAP)) if p)


def found(signature: str, folded: str) -> bool:
    """Whether `signature` occurs in a text that went through `fold`."""
    parts = pieces(signature)
    if not parts or not all(part in folded for part in parts):
        return False
    return len(parts) == 1 or _pattern(parts).search(folded) is not None


@lru_cache(maxsize=4096)
def _pattern(parts: tuple[str, ...]) -> re.Pattern[str]:
    gap = f".{{0,{MAX_GAP}}}?"
    return re.compile(gap.join(re.escape(part) for part in parts))
