"""Builds the index from entries and recorded traces, with scikit-learn. Reading it (`index.py`) needs none of this.

A topic is split into passages: each message it is known to print, each way of asking about it, and its text in each
language. TF-IDF over words and over characters compares passages; a third space holds the call stacks of the traces.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer

from .entry import Entry, load_entries
from .index import INDEX_PATH, Index, Passage, Signature, Space
from .parser import parse
from .signature import fold, found, pieces
from .symptoms import Frame
from .terms import characters, frame_terms, mask, words
from .text import LANGS

SEPARATOR = "\f\n"


def main() -> None:
    """Build the index of the installed entries and save it where `Index.load` looks."""
    build(load_entries()).save(INDEX_PATH)


def build(entries: list[Entry], left_out: frozenset[str] = frozenset()) -> Index:
    """The index of `entries` and of their recorded traces, but for the laboratories in `left_out`."""
    traces = {entry.id: recorded(entry.id, left_out) for entry in entries}
    passages: list[Passage] = []
    stacks: list[list[str]] = []
    for number, entry in enumerate(entries):
        messages, frames = _messages(entry, traces[entry.id])
        passages += [Passage(number, "message", text) for text in messages]
        passages += [Passage(number, "question", mask(text)) for text in _questions(entry)]
        passages += [Passage(number, "asked", mask(" ".join(entry.questions[lang]), None)) for lang in LANGS]
        passages += [Passage(number, "body", mask(text, None)) for text in _bodies(entry)]
        stacks.append(frames)
    texts = [passage.text for passage in passages]
    return Index(
        topics=[entry.id for entry in entries],
        titles=[[entry.title.en, entry.title.zh] for entry in entries],
        harmless=[number for number, entry in enumerate(entries) if entry.harmless],
        lines=[sorted({line for block in entry.blocks for line in block.lines}) for entry in entries],
        types=[sorted({r.type for text in traces[e.id] for r in parse(text).raised if r.type}) for e in entries],
        passages=passages,
        signatures=_signatures(entries, passages),
        words=_space(texts, words),
        characters=_space([p.text if p.kind in ("message", "question") else "" for p in passages], characters),
        frames=_space([" ".join(stack) for stack in stacks], str.split),
    )


def recorded(topic: str, left_out: frozenset[str] = frozenset()) -> list[str]:
    """What a topic's broken code printed, in every laboratory where it was recorded."""
    folder = files(__package__) / "traces"
    if not folder.is_dir():
        return []
    printed: list[str] = []
    for place in sorted(folder.iterdir(), key=lambda place: place.name):
        trace = place / f"{topic}.txt"
        if place.name not in left_out and trace.is_file():
            printed += trace.read_text(encoding="utf-8").split(SEPARATOR)
    return printed


def _messages(entry: Entry, traces: list[str]) -> tuple[list[str], list[str]]:
    """The distinct masked messages of a topic, and the terms of its call stacks."""
    messages: list[str] = []
    frames: list[Frame] = []
    for text in traces:
        symptoms = parse(text)
        frames += [frame for raised in symptoms.raised for frame in raised.frames]
        messages += [f"{raised.type}: {raised.message}" for raised in symptoms.raised if raised.message]
        if not symptoms.raised:
            messages += [line.text for line in symptoms.log] or [symptoms.prose]
    messages += [described.message for described in entry.described]
    messages += [signature.replace("…", " ") for signature in entry.signatures]
    return list(dict.fromkeys(filter(None, map(mask, messages)))), frame_terms(frames)


def _questions(entry: Entry) -> Iterable[str]:
    for lang in LANGS:
        yield entry.title.say(lang)
        yield from entry.questions[lang]


def _bodies(entry: Entry) -> Iterable[str]:
    for lang in LANGS:
        sections = " ".join(entry.sections[lang].values())
        yield f"{entry.title.say(lang)} {entry.summary.say(lang)} {sections}"


def _signatures(entries: list[Entry], passages: list[Passage]) -> list[Signature]:
    """Each signature with its strength: long fixed words that few topics' messages contain say most."""
    messages: dict[int, list[str]] = defaultdict(list)
    for passage in passages:
        if passage.kind == "message":
            messages[passage.topic].append(fold(passage.text))
    signatures = []
    for number, entry in enumerate(entries):
        for text in entry.signatures:
            masked = mask(text)
            topics = sum(any(found(masked, message) for message in messages[n]) for n in messages if n != number)
            length = min(1.0, sum(map(len, pieces(text))) / 30)
            signatures.append(Signature(number, text, round((0.4 + 0.6 * length) / (1 + topics), 3)))
    return signatures


def _space(texts: list[str], analyzer: Callable[[str], list[str]]) -> Space:
    """A TF-IDF space in inverted form: for each term, the passages that contain it and with what weight."""
    vectorizer = TfidfVectorizer(analyzer=analyzer, sublinear_tf=True)
    matrix = vectorizer.fit_transform(texts).tocsc()
    matrix.sort_indices()
    terms = vectorizer.get_feature_names_out().tolist()
    return Space(
        terms={term: number for number, term in enumerate(terms)},
        idf=array("f", vectorizer.idf_.tolist()),
        starts=array("I", matrix.indptr.tolist()),
        documents=array("I", matrix.indices.tolist()),
        weights=array("f", matrix.data.tolist()),
        size=len(texts),
    )


if __name__ == "__main__":
    main()
    size = Path(INDEX_PATH).stat().st_size
    print(f"{INDEX_PATH.name}: {size / 1e6:.1f} MB")  # noqa: T201 - a chore of `make`
