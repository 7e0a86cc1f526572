"""The index as the matcher reads it: built once by `indexing.py`, loaded in milliseconds, no scikit-learn.

File format: a line of JSON (texts, terms, and the length of each array), then the arrays one after the other, little
endian. The same release of kerasdoctor writes and reads it.
"""

from __future__ import annotations

import json
import math
import sys
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from .. import __version__
from ..errors import IndexMissingError

INDEX_PATH = Path(__file__).with_name("index.bin")
ARRAYS = (("idf", "f"), ("starts", "I"), ("documents", "I"), ("weights", "f"))
SPACES = ("words", "characters", "frames")
MAX_TERMS = 400


class Passage(NamedTuple):
    """A masked text of a topic: one message that it prints, one way of asking, all ways of asking, its explanation."""

    topic: int
    kind: Literal["message", "question", "asked", "body"]
    text: str


class Signature(NamedTuple):
    """A signature of a topic and how much it says, from 0 to 1."""

    topic: int
    text: str
    strength: float


@dataclass(frozen=True)
class Space:
    """TF-IDF in inverted form. `documents[starts[t]:starts[t+1]]` are the passages that contain term number t."""

    terms: dict[str, int]
    idf: array[float]
    starts: array[int]
    documents: array[int]
    weights: array[float]
    size: int

    def cosines(self, terms: Iterable[str]) -> list[float]:
        """The cosine of a text's terms with every passage, as scikit-learn's TfidfVectorizer (sublinear) gives it.

        Of more than `MAX_TERMS` distinct terms, those that weigh most are used.
        """
        query = self._query(terms)
        scores = [0.0] * self.size
        documents, weights, starts = self.documents, self.weights, self.starts
        for term, weight in query:
            for at in range(starts[term], starts[term + 1]):
                scores[documents[at]] += weight * weights[at]
        return scores

    def common(self, terms: Iterable[str], other: Iterable[str], limit: int) -> list[str]:
        """The terms that two texts share, those that weigh most first."""
        shared = {term for term in terms if term in self.terms}.intersection(other)
        return sorted(shared, key=lambda term: (-self.idf[self.terms[term]], term))[:limit]

    def passages_of(self, term: int) -> array[int]:
        """The numbers of the passages that contain a term."""
        return self.documents[self.starts[term] : self.starts[term + 1]]

    def _query(self, terms: Iterable[str]) -> list[tuple[int, float]]:
        counts = Counter(number for term in terms if (number := self.terms.get(term)) is not None)
        query = [(term, (1 + math.log(count)) * self.idf[term]) for term, count in counts.items()]
        norm = math.sqrt(sum(weight * weight for _, weight in query)) or 1.0
        query.sort(key=lambda pair: -pair[1])
        return [(term, weight / norm) for term, weight in query[:MAX_TERMS]]


@dataclass(frozen=True)
class Index:
    """Everything that the matcher compares a paste with. Topics are numbers into `topics`."""

    topics: list[str]
    titles: list[list[str]]
    harmless: list[int]
    lines: list[list[str]]
    types: list[list[str]]
    passages: list[Passage]
    signatures: list[Signature]
    words: Space
    characters: Space
    frames: Space

    def save(self, path: Path) -> None:
        """Write the index."""
        head: dict[str, Any] = {
            "version": __version__,
            "byteorder": sys.byteorder,
            "topics": self.topics,
            "titles": self.titles,
            "harmless": self.harmless,
            "lines": self.lines,
            "types": self.types,
            "passages": self.passages,
            "signatures": self.signatures,
        }
        bodies: list[bytes] = []
        for name in SPACES:
            space: Space = getattr(self, name)
            arrays = [getattr(space, field).tobytes() for field, _ in ARRAYS]
            head[name] = {"terms": list(space.terms), "size": space.size, "bytes": [len(a) for a in arrays]}
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
        view = memoryview(data)[end + 1 :]
        at = 0
        for name in SPACES:
            packed = head[name]
            read: dict[str, Any] = {}
            for (field, code), length in zip(ARRAYS, packed["bytes"], strict=True):
                read[field] = array(code)
                read[field].frombytes(view[at : at + length])
                at += length
            terms = {term: number for number, term in enumerate(packed["terms"])}
            head[name] = Space(terms=terms, size=packed["size"], **read)
        head["passages"] = [Passage(*passage) for passage in head["passages"]]
        head["signatures"] = [Signature(*signature) for signature in head["signatures"]]
        return cls(**head)
