"""Concepts: what words and phrases of either language mean, so that "val_acc" meets "验证集准确率".

`concepts.yaml` maps each concept to its phrases. A text is read from left to right, the longest phrase first: of up to four
words of Latin letters, or of up to eight Chinese characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from ..errors import EntryError
from .terms import words

CONCEPTS_PATH = Path(__file__).with_name("concepts.yaml")
MAX_WORDS = 4
MAX_CHARACTERS = 8
_APOSTROPHES = re.compile(r"(?<=\w)['’](?=\w)")
_RUN = re.compile(r"[a-z0-9_]+|[\u3400-\u9fff]+")


class Lexicon:
    """Finds concepts in texts."""

    def __init__(self, phrases: dict[str, str]) -> None:
        """Take the concept that each phrase means, the phrase as `normal` writes it."""
        self._phrases = phrases

    def concepts(self, text: str) -> list[str]:
        """The concepts of a text, in its order, each as often as it occurs."""
        return list(self._found(_runs(text)))

    def terms(self, text: str) -> list[str]:
        """What the learned space knows a text by: its words, its concepts, and pairs of concepts that stand close."""
        found = self.concepts(text)
        pairs = [*pairwise(found), *zip(found, found[2:], strict=False)]
        return [*words(text), *(f"#{concept}" for concept in found), *(f"#{a}#{b}" for a, b in pairs)]

    def _found(self, runs: list[str]) -> Iterator[str]:
        at = 0
        while at < len(runs):
            if runs[at] >= "\u3400":
                yield from self._longest_first(runs[at], "", MAX_CHARACTERS)
                at += 1
                continue
            end = next((n for n, run in enumerate(runs[at:], at) if run >= "\u3400"), len(runs))
            yield from self._longest_first(runs[at:end], " ", MAX_WORDS)
            at = end

    def _longest_first(self, parts: Sequence[str], space: str, most: int) -> Iterator[str]:
        at = 0
        while at < len(parts):
            sizes = range(min(most, len(parts) - at), 0, -1)
            size = next((n for n in sizes if space.join(parts[at : at + n]) in self._phrases), 0)
            if size:
                yield self._phrases[space.join(parts[at : at + size])]
            if size <= 1 and "_" in parts[at]:  # an identifier also means what its words mean
                yield from self._longest_first(parts[at].split("_"), " ", most)
            at += size or 1


def normal(phrase: str) -> str:
    """A phrase as it is compared: lower case, without apostrophes, one space between words."""
    return " ".join(_runs(phrase))


def _runs(text: str) -> list[str]:
    return _RUN.findall(_APOSTROPHES.sub("", text.lower()))


def load_phrases(path: Path = CONCEPTS_PATH) -> dict[str, str]:
    """The concept of each phrase in the lexicon's file.

    Raises:
        EntryError: the file is not a mapping of concepts to lists of phrases, or a phrase stands in two concepts.
    """
    import yaml  # noqa: PLC0415 - only whoever builds the index reads the file

    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(read, dict):
        raise EntryError(path.name, "file", "must be a mapping from concepts to lists of phrases")
    phrases: dict[str, str] = {}
    for concept, spelled in read.items():
        if not isinstance(spelled, list) or not spelled:
            raise EntryError(path.name, str(concept), "must be a list of phrases")
        for phrase in map(normal, map(str, spelled)):
            if phrases.setdefault(phrase, concept) != concept:
                raise EntryError(path.name, concept, f"'{phrase}' stands in '{phrases[phrase]}' too")
    return phrases
