"""Builds the index from entries and recorded traces, with scikit-learn. Reading it (`index.py`) needs none of this.

A topic is split into texts: each message that it is known to print, each way of asking about it, all of them together, its
explanation in each language, and the call stacks of its traces. Each kind of text has its own TF-IDF.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path

from scipy.sparse import csc_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from .concepts import Lexicon, load_phrases
from .entry import Entry, load_entries
from .index import INDEX_PATH, Index, Signature, Space
from .parser import parse
from .recorded import traces_of
from .signature import GAP, LONG, fold, found, pieces
from .terms import characters, essence, frame_terms, mask, words
from .text import LANGS, Lang
from .texts import told

# Characters of more texts than this cost most of the time and tell next to nothing.
COMMON_CHARACTERS = 0.1
LEAST_LESSON = 40  # characters of a paragraph that is worth learning from
LEAST_WEIGHT = 0.1


def main() -> None:
    """Build the index of the installed entries and save it where `Index.load` looks."""
    build(load_entries()).save(INDEX_PATH)


def build(entries: list[Entry], without: frozenset[str] = frozenset()) -> Index:
    """The index of `entries` and of their recorded traces, except those of the laboratories `without`."""
    traces = {entry.id: _recorded(entry.id, without) for entry in entries}
    messages = [_messages(entry, traces[entry.id]) for entry in entries]
    questions = [[mask(q) for lang in LANGS for q in (e.title.say(lang), *e.questions[lang])] for e in entries]
    asked = [[mask(" ".join(e.questions[lang]), None) for lang in LANGS] for e in entries]
    bodies = [[mask(text, None) for text in _bodies(entry)] for entry in entries]
    meant = [[mask(" ".join(t for lang in LANGS for t in _asking(e, lang)), None)] for e in entries]
    phrases = load_phrases()
    concepts = Lexicon(phrases).concepts
    stacks = [[" ".join(_stack(traces[entry.id]))] for entry in entries]
    return Index(
        topics=[entry.id for entry in entries],
        titles=[[entry.title.en, entry.title.zh] for entry in entries],
        harmless=[number for number, entry in enumerate(entries) if entry.harmless],
        lines=[sorted({line for block in entry.blocks for line in block.lines}) for entry in entries],
        types=[sorted({r.type for text in traces[e.id] for r in parse(text).raised if r.type}) for e in entries],
        messages=messages,
        signatures=_signatures(entries, messages),
        phrases=phrases,
        spaces={
            "message_words": _space(messages, words),
            "message_characters": _space(messages, characters, COMMON_CHARACTERS),
            "question_words": _space(questions, words),
            "question_characters": _space(questions, characters, COMMON_CHARACTERS),
            "asked_words": _space(asked, words),
            "body_words": _space(bodies, words),
            "asked_concepts": _space(meant, concepts),
            "learned": _learned([_lessons(entry) for entry in entries], Lexicon(phrases)),
            "frames": _space(stacks, str.split),
        },
    )


def _recorded(topic: str, without: frozenset[str]) -> list[str]:
    return [text for name, texts in traces_of(topic).items() if name not in without for text in texts]


def _messages(entry: Entry, traces: list[str]) -> list[str]:
    """The messages of a topic, masked, each set of words once: printed, described, and the signatures themselves."""
    messages: list[str] = []
    for text in traces:
        symptoms = parse(text)
        messages += [told(raised) for raised in symptoms.raised if raised.message]
        if not symptoms.raised:
            messages += [line.text for line in symptoms.log] or [symptoms.prose]
    messages += [described.message for described in entry.described]
    messages += [signature.replace(GAP, " ") for signature in entry.signatures]
    masked = (mask(essence(text)) for text in messages)
    return list({frozenset(words(text)): text for text in masked if text}.values())


def _stack(traces: list[str]) -> list[str]:
    """The frames of library code that a topic's traces pass through."""
    return frame_terms(frame for text in traces for raised in parse(text).raised for frame in raised.frames)


def _lessons(entry: Entry) -> list[str]:
    """What the classifier is taught a topic by: ways of asking, and the paragraphs of its explanation."""
    asking = [text for lang in LANGS for text in _asking(entry, lang)]
    paragraphs = [p for lang in LANGS for text in entry.sections[lang].values() for p in text.split("\n\n")]
    return [
        mask(text, None) for text in (*asking, *(p for p in paragraphs if len(p) >= LEAST_LESSON and "```" not in p))
    ]


def _asking(entry: Entry, lang: Lang) -> tuple[str, ...]:
    return (entry.title.say(lang), entry.summary.say(lang), *entry.questions[lang])


def _bodies(entry: Entry) -> Iterable[str]:
    for lang in LANGS:
        sections = " ".join(entry.sections[lang].values())
        yield f"{entry.title.say(lang)} {entry.summary.say(lang)} {sections}"


def _signatures(entries: list[Entry], messages: list[list[str]]) -> list[Signature]:
    """Each signature with its strength: long fixed words that few other topics' messages contain say most."""
    folded = [[fold(message) for message in of_topic] for of_topic in messages]
    harmless = [message for number, entry in enumerate(entries) if entry.harmless for message in folded[number]]
    signatures = []
    for number, entry in enumerate(entries):
        for text in entry.signatures:
            masked = mask(text)
            others = (of_topic for n, of_topic in enumerate(folded) if n != number)
            shared = sum(any(found(masked, message) for message in of_topic) for of_topic in others)
            length = sum(map(len, pieces(text)))
            strength = (0.4 + 0.6 * min(1.0, length / LONG)) / math.sqrt(1 + shared)
            grave = not any(found(masked, message) for message in harmless)
            signatures.append(Signature(number, text, round(strength, 3), length, grave))
    return signatures


def _learned(lessons: list[list[str]], lexicon: Lexicon) -> Space:
    """A linear classifier of texts into topics, as a space with one document per topic: its weights, the small ones dropped."""
    vectorizer = TfidfVectorizer(analyzer=lexicon.terms, sublinear_tf=True)
    matrix = vectorizer.fit_transform([text for of_topic in lessons for text in of_topic])
    owners = [number for number, of_topic in enumerate(lessons) for _ in of_topic]
    taught = LinearSVC(C=1.0, random_state=0).fit(matrix, owners).coef_
    taught[abs(taught) < LEAST_WEIGHT] = 0.0
    used = taught.any(axis=0)
    weights = csc_matrix(taught[:, used])
    return Space(
        terms={term: n for n, term in enumerate(vectorizer.get_feature_names_out()[used].tolist())},
        idf=array("f", vectorizer.idf_[used].tolist()),
        starts=array("I", weights.indptr.tolist()),
        documents=array("I", weights.indices.tolist()),
        weights=array("f", weights.data.tolist()),
        owners=array("H", range(len(lessons))),
    )


def _space(texts: list[list[str]], analyzer: Callable[[str], list[str]], max_df: float = 1.0) -> Space:
    """A TF-IDF space in inverted form of the texts of each topic, without terms of more than `max_df` of the texts."""
    vectorizer = TfidfVectorizer(analyzer=analyzer, sublinear_tf=True, max_df=max_df)
    matrix = vectorizer.fit_transform([text for of_topic in texts for text in of_topic]).tocsc()
    matrix.sort_indices()
    terms = vectorizer.get_feature_names_out().tolist()
    return Space(
        terms={term: number for number, term in enumerate(terms)},
        idf=array("f", vectorizer.idf_.tolist()),
        starts=array("I", matrix.indptr.tolist()),
        documents=array("I", matrix.indices.tolist()),
        weights=array("f", matrix.data.tolist()),
        owners=array("H", [number for number, of_topic in enumerate(texts) for _ in of_topic]),
    )


if __name__ == "__main__":
    main()
    size = Path(INDEX_PATH).stat().st_size
    print(f"{INDEX_PATH.name}: {size / 1e6:.1f} MB")  # noqa: T201 - a chore of `make`
