"""What texts are compared by: the variable parts masked, then words, character sequences and call-stack frames.

The index is built with these functions and asked with them, so both sides see the same terms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .symptoms import Frame

MAX_TEXT = 1_500
_MASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"<user>"), "user"),  # what the service puts in place of a name, within a path
    (re.compile(r"https?://[^\s'\"<>)\]]{1,300}"), " url "),
    (re.compile(r"0x[0-9a-fA-F]{4,16}"), " "),
    (re.compile(r"(?:[A-Za-z]:)?(?:[/\\]{1,2}[\w.@+~-]{1,80}){2,30}[/\\]?"), " path "),
    (re.compile(r"(?:\.{1,2}|~)(?:[/\\][\w.@+-]{1,80}){1,30}"), " path "),
    (re.compile(r"[(\[](?:\s{0,2}(?:-?\d{1,12}|None|\?|Dimension\(\w{1,12}\))\s{0,2},?){1,12}[)\]]"), " shape "),
    (re.compile(r"(?<=[a-zA-Z])_\d{1,7}(?![\w])"), ""),
    (re.compile(r"(?<![\w.])v?\d[\d.,]*(?:e[+-]?\d+)?(?![\w])"), " "),
)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*|[\u3400-\u9fff]+")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]+")
_CALLING = re.compile(r"Exception encountered when calling (?:layer )?[^\n]{1,200}\n+|Graph execution error:\s+")
_ARGUMENTS = re.compile(r"\n+(?:Call arguments received by|Arguments received by)")
_SPLIT_AT = re.compile(r"[._]+")


def mask(text: str, limit: int | None = MAX_TEXT) -> str:
    """`text`, cut to `limit`, with what varies from program to program (paths, addresses, shapes, numbers) taken out."""
    text = text[:limit]
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return " ".join(text.split())


def essence(message: str) -> str:
    """A message of Keras without what every layer wraps around it: who was called, and with what arguments."""
    return _ARGUMENTS.split(_CALLING.sub("", message, count=1), maxsplit=1)[0]


def words(text: str) -> list[str]:
    """Terms of a masked text: words in lower case, the parts of identifiers, pairs of Chinese characters."""
    terms: list[str] = []
    for token in _WORD.findall(text):
        if token[0] >= "\u3400":
            terms += [token[i : i + 2] for i in range(max(1, len(token) - 1))]
            continue
        whole = token.lower()
        terms.append(_singular(whole))
        parts = [part.lower() for name in _SPLIT_AT.split(token) for part in _PARTS.findall(name)]
        if len(parts) > 1:
            terms += [_singular(part) for part in parts if len(part) > 1]
    return terms


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word  # noqa: PLR2004


def phrases(texts: Iterable[str], pairs: set[str]) -> list[str]:
    """The Chinese phrases of some texts that consist of the given pairs of characters, each once, the longest first."""
    found: dict[str, None] = {}
    for text in texts:
        start = None
        for at in range(len(text)):
            if text[at : at + 2] in pairs:
                start = at if start is None else start
            elif start is not None:
                found[text[start : at + 1]] = None
                start = None
    return sorted(found, key=len, reverse=True)


def characters(text: str) -> list[str]:
    """Sequences of 3 and 4 characters within the words of a masked text, and single Chinese characters."""
    terms: list[str] = []
    for token in _WORD.findall(text):
        if token[0] >= "\u3400":
            terms += token
            continue
        padded = f" {token.lower()} "
        for size in (3, 4):
            terms += [padded[i : i + size] for i in range(len(padded) - size + 1)]
    return terms


def frame_terms(frames: Iterable[Frame]) -> list[str]:
    """Frames of library code as `file:function`; the user's own and the line numbers say nothing about the topic."""
    terms = []
    for frame in frames:
        if frame.owner in ("keras", "tensorflow") or frame.package in ("h5py", "numpy", "pickle", "PIL"):
            name = frame.path.replace("\\", "/").rpartition("/")[2].removesuffix("x")
            terms.append(f"{name}:{frame.function.rpartition('.')[2]}")
    return terms
