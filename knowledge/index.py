"""The index as the matcher reads it: built once by `indexing.py`, loaded in milliseconds, no scikit-learn.

File format: a line of JSON (texts, terms, and the length of each array), then the arrays one after the other, little
endian. The same release of kerasdoctor writes and reads it.
"""

from __future__ import annotations

import json
import math
import sys
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from .. import __version__
from ..errors import IndexMissingError
from .concepts import Lexicon
from .signature import found, pieces

INDEX_PATH = Path(__file__).with_name("index.bin")
ARRAYS = (("idf", "f"), ("starts", "I"), ("documents", "I"), ("weights", "f"), ("owners", "H"))
MAX_TERMS = 100


class Signature(NamedTuple):
    """A signature of a topic, how much it says (from 0 to 1), and how many fixed characters it has.

    `grave` says that it never stands among lines that mean nothing.
    """

    topic: int
    text: str
    strength: float
    length: int
    grave: bool


@dataclass(frozen=True)
class Space:
    """TF-IDF of some texts in inverted form.

    `documents[starts[t]:starts[t+1]]` are the texts that contain term number t, with `weights`; `owners` are the topics
    of the texts.
    """

    terms: dict[str, int]
    idf: array[float]
    starts: array[int]
    documents: array[int]
    weights: array[float]
    owners: array[int]
    _topics: dict[int, set[int]] = field(default_factory=dict, compare=False, repr=False)

    def cosines(self, terms: Iterable[str]) -> dict[int, float]:
        """The cosine of a text's terms with each text that shares any, as scikit-learn's TfidfVectorizer gives it.

        Of more than `MAX_TERMS` distinct terms, those that weigh most are used.
        """
        scores: dict[int, float] = defaultdict(float)
        for term, weight in self._query(terms):
            first, last = self.starts[term], self.starts[term + 1]
            for document, here in zip(self.documents[first:last], self.weights[first:last]):  # noqa: B905 - a hot loop
                scores[document] += weight * here
        return scores

    def best(self, queries: Iterable[Iterable[str]], topics: int) -> list[float]:
        """For each of `topics` topics, the highest cosine of any query with any of its texts."""
        best = [0.0] * topics
        owners = self.owners
        for query in queries:
            for document, cosine in self.cosines(query).items():
                owner = owners[document]
                if cosine > best[owner]:  # noqa: PLR1730 - max() here costs a third of the matching
                    best[owner] = cosine
        return best

    def telling(self, terms: Iterable[str], topic: int) -> dict[str, float]:
        """The terms that occur in texts of a topic, with how rare they are."""
        numbers = {term: number for term in terms if (number := self.terms.get(term)) is not None}
        return {term: self.idf[number] for term, number in numbers.items() if topic in self._topics_of(number)}

    def _topics_of(self, term: int) -> set[int]:
        if term not in self._topics:
            part = self.documents[self.starts[term] : self.starts[term + 1]]
            self._topics[term] = {self.owners[document] for document in part}
        return self._topics[term]

    def length(self, terms: Iterable[str]) -> float:
        """The length of a text's TF-IDF vector before it is brought to 1: how much it says in this space."""
        return math.sqrt(sum(weight * weight for _, weight in self._weighed(terms)))

    def _query(self, terms: Iterable[str]) -> list[tuple[int, float]]:
        query = self._weighed(terms)
        norm = math.sqrt(sum(weight * weight for _, weight in query)) or 1.0
        query.sort(key=lambda pair: -pair[1])
        return [(term, weight / norm) for term, weight in query[:MAX_TERMS]]

    def _weighed(self, terms: Iterable[str]) -> list[tuple[int, float]]:
        counts = Counter(number for term in terms if (number := self.terms.get(term)) is not None)
        return [(term, (1 + math.log(count)) * self.idf[term]) for term, count in counts.items()]


@dataclass(frozen=True)
class Index:
    """Everything that the matcher compares a paste with. Topics are numbers into `topics`.

    `messages` are the masked messages of each topic, `phrases` the concept of each phrase. `spaces` are, by name:
    `message_words`, `message_characters`, `question_words`, `question_characters` (single ways of asking), `asked_words` and
    `asked_concepts` (all ways of asking together), `body_words` (the explanations), `learned` (a linear classifier, one
    document per topic) and `frames` (call stacks).
    """

    topics: list[str]
    titles: list[list[str]]
    harmless: list[int]
    lines: list[list[str]]
    types: list[list[str]]
    messages: list[list[str]]
    signatures: list[Signature]
    phrases: dict[str, str]
    spaces: dict[str, Space]

    @cached_property
    def lexicon(self) -> Lexicon:
        """The lexicon of the concepts that the questions were indexed by."""
        return Lexicon(self.phrases)

    def signatures_in(self, folded: str) -> list[Signature]:
        """The signatures that occur in a text that went through `fold`."""
        return [s for s, longest in self._longest_pieces if longest in folded and found(s.text, folded)]

    @cached_property
    def _longest_pieces(self) -> list[tuple[Signature, str]]:
        """Each signature with its longest fixed part: most signatures are ruled out by that alone."""
        return [(s, max(pieces(s.text), key=len)) for s in self.signatures]

    def save(self, path: Path) -> None:
        """Write the index."""
        head: dict[str, Any] = {
            "version": __version__,
            "byteorder": sys.byteorder,
            **{own.name: getattr(self, own.name) for own in fields(self) if own.name != "spaces"},
        }
        bodies: list[bytes] = []
        head["spaces"] = {}
        for space_name, space in self.spaces.items():
            arrays = [getattr(space, name).tobytes() for name, _ in ARRAYS]
            head["spaces"][space_name] = {"terms": list(space.terms), "bytes": [len(a) for a in arrays]}
            bodies += arrays
        with path.open("wb") as out:
            out.write(json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            out.writelines(bodies)

    @classmethod
    def load(cls, path: Path = INDEX_PATH) -> Index:
        """Read the index.

        Raises:
            IndexMissingError: it was not built, or by another release or kind of machine.
        """
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise IndexMissingError(f"{path}: the search index is missing; build it with `make index`") from None
        end = data.index(b"\n")
        head = json.loads(data[:end])
        if head.pop("version") != __version__ or head.pop("byteorder") != sys.byteorder:
            raise IndexMissingError(f"{path}: the search index is of another release; build it with `make index`")
        packed: dict[str, Any] = head.pop("spaces")
        head["signatures"] = [Signature(*signature) for signature in head["signatures"]]
        return cls(**head, spaces=_unpack(packed, memoryview(data)[end + 1 :]))


def _unpack(packed: dict[str, Any], view: memoryview) -> dict[str, Space]:
    spaces: dict[str, Space] = {}
    at = 0
    for name, space in packed.items():
        read: dict[str, Any] = {}
        for (part, code), length in zip(ARRAYS, space["bytes"], strict=True):
            read[part] = array(code)
            read[part].frombytes(view[at : at + length])
            at += length
        spaces[name] = Space(terms={term: number for number, term in enumerate(space["terms"])}, **read)
    return spaces
