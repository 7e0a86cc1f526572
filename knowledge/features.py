"""What speaks for each topic, in numbers: the features that the calibration weighs.

They are computed alike when the calibration is fitted and when a paste is matched.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rapidfuzz import fuzz, process

from .index import Index, Signature, Space
from .scope import unknown_features
from .signature import fold, found
from .symptoms import Symptoms
from .terms import characters, frame_terms, mask, phrases, words
from .texts import Texts, with_stack

TOPIC_FEATURES = (
    "signature_main",  # a signature in the exception that ended the program
    "signature_other",  # a signature anywhere else in the paste
    "characters_main",  # TF-IDF over characters: the main exception against recorded messages
    "fuzzy_main",  # RapidFuzz: the main exception against recorded messages
    "words_other",  # TF-IDF over words: other exceptions, log lines and prose against recorded messages
    "characters_other",
    "ask_characters",  # what the person wrote against single ways of asking, beside an exception
    "asked_concepts",  # its concepts against all ways of asking and the summary, in both languages
    "asked_much",  # its words against all ways of asking, the more the longer: many shared words
    "body",  # everything against the entry's explanation
    "body_much",  # the same, the more the longer
    "learned",  # a linear classifier that was trained on the entries' questions and explanations
    "ask_characters_alone",  # the same where there is no exception
    "asked_concepts_alone",
    "asked_much_alone",
    "body_alone",
    "body_much_alone",
    "learned_alone",
    "frames",  # the call stack against recorded call stacks
    "type",  # the main exception's type was recorded for the topic
    "line",  # the entry has code for the paste's Keras line
)
_ASKING = frozenset("怎么呢吗请啥办何谢很")
SHORTLIST = 12
SHORTEST = 3  # of the Latin words that are told as reasons
MUCH = 20.0  # the TF-IDF length of a long paste
TELLING_FRAME = 2.6  # of a frame's idf: below, one topic of five passes through it
RARE = 3.5  # of a word's idf: below, it stands in one text of twelve


@dataclass(frozen=True)
class Features:
    """`topics[i]` are the `TOPIC_FEATURES` of the index's topic i; `unknown` the `UNKNOWN_FEATURES`."""

    topics: list[list[float]]
    unknown: list[float]


def without_harmless(symptoms: Symptoms, index: Index) -> Symptoms:
    """Symptoms without the log lines that mean nothing, or only inform, where an exception tells what happened."""
    if symptoms.main is None:
        return symptoms
    noise = [signature.text for signature in index.signatures if signature.topic in index.harmless]
    grave = [line for line in symptoms.log if line.level not in "DI"]
    kept = tuple(line for line in grave if not any(found(text, fold(line.text)) for text in noise))
    return replace(symptoms, log=kept)


@dataclass(frozen=True)
class Heard:
    """A paste as it is compared with an index: its symptoms without harmless noise, texts, call stack, signatures."""

    symptoms: Symptoms
    texts: Texts
    stack: list[str]
    signatures: list[Signature]

    @classmethod
    def of(cls, symptoms: Symptoms, index: Index) -> Heard:
        """What is heard of parsed symptoms."""
        symptoms = without_harmless(symptoms, index)
        texts = Texts.of(symptoms)
        return cls(symptoms, texts, stack_of(symptoms), index.signatures_in(fold(texts.everything)))


def features_of(heard: Heard, index: Index) -> Features:
    """The features of a paste against every topic."""
    symptoms, texts = heard.symptoms, heard.texts
    columns: dict[str, list[float]] = {}
    in_main = _in_main(heard)
    columns["signature_main"], columns["signature_other"] = _signatures(heard, in_main, index)
    columns |= _messages(texts, index)
    columns |= _asks(texts, index)
    columns["frames"] = index.spaces["frames"].best([heard.stack], len(index.topics))
    kind = symptoms.main.type if symptoms.main else ""
    columns["type"] = [float(kind in types) for types in index.types]
    columns["line"] = [float(symptoms.line in lines) for lines in index.lines]
    empty = [0.0] * len(index.topics)
    rows = zip(*(columns.get(name, empty) for name in TOPIC_FEATURES), strict=True)
    signed = max((s.length for s in in_main if s.topic not in index.harmless), default=0)
    unknown = unknown_features(symptoms, texts, signed)
    grave = any(signature.grave for signature in heard.signatures)
    silent = index.harmless if grave else ()  # what means nothing yields to whatever means something
    return Features([[0.0] * len(row) if n in silent else list(row) for n, row in enumerate(rows)], unknown)


def stack_of(symptoms: Symptoms) -> list[str]:
    """The terms of the call stack of what ended the program, or of all stacks where the end is cut off."""
    ended = [symptoms.main] if symptoms.main else symptoms.raised
    return frame_terms(frame for raised in ended for frame in raised.frames)


def _asks(texts: Texts, index: Index) -> dict[str, list[float]]:
    """What the person wrote against ways of asking, and everything against explanations."""
    suffix = "" if texts.main else "_alone"
    size, spaces = len(index.topics), index.spaces
    said = [words(text) for text in texts.asks[:1]]
    everything = [words(mask(texts.everything))]
    columns = {
        "ask_characters": spaces["question_characters"].best(map(characters, texts.asks), size),
        "asked_concepts": spaces["asked_concepts"].best(map(index.lexicon.concepts, texts.asks), size),
        "asked_much": _by_length(spaces["asked_words"], said, spaces["asked_words"].best(said, size)),
        "body": spaces["body_words"].best(everything, size),
        "learned": spaces["learned"].best(map(index.lexicon.terms, texts.asks[:1]), size),
    }
    columns["body_much"] = _by_length(spaces["body_words"], everything, columns["body"])
    return {f"{name}{suffix}": column for name, column in columns.items()}


def _by_length(space: Space, texts: list[list[str]], cosines: list[float]) -> list[float]:
    """Cosines that are not divided by the length of what was asked."""
    much = sum(map(space.length, texts)) / MUCH
    return [cosine * much for cosine in cosines]


def _in_main(heard: Heard) -> list[Signature]:
    """The signatures in the exception that ended the program."""
    if heard.symptoms.main is None:
        return []
    main = fold(with_stack(heard.symptoms.main))
    return [signature for signature in heard.signatures if found(signature.text, main)]


def _signatures(heard: Heard, ended: list[Signature], index: Index) -> tuple[list[float], list[float]]:
    anywhere = heard.signatures
    in_main = _strongest(ended, len(index.topics))
    elsewhere = _strongest(anywhere, len(index.topics))
    elsewhere = [0.0 if here else there for here, there in zip(in_main, elsewhere, strict=True)]
    return in_main, elsewhere


def _strongest(signatures: list[Signature], topics: int) -> list[float]:
    """For each topic its strongest signature of those found; one that says less than another of them counts for less."""
    longest = max((signature.length for signature in signatures), default=1)
    strongest = [0.0] * topics
    for signature in signatures:
        strength = signature.strength * signature.length / longest
        strongest[signature.topic] = max(strongest[signature.topic], strength)
    return strongest


def _messages(texts: Texts, index: Index) -> dict[str, list[float]]:
    others = texts.others if texts.main else (*texts.others, *texts.asks)
    in_words, in_characters = index.spaces["message_words"], index.spaces["message_characters"]
    size = len(index.topics)
    by_words = in_words.best([words(texts.main)], size)
    by_characters = in_characters.best([characters(texts.main)], size)
    return {
        "characters_main": by_characters,
        "fuzzy_main": _fuzzy(texts.main, index, by_words, by_characters),
        "words_other": in_words.best(map(words, others), size),
        "characters_other": in_characters.best(map(characters, others), size),
    }


def _fuzzy(main: str, index: Index, by_words: list[float], by_characters: list[float]) -> list[float]:
    """RapidFuzz's similarity with the messages of the topics that TF-IDF brings to the front."""
    column = [0.0] * len(index.topics)
    if not main:
        return column
    order = sorted(range(len(column)), key=lambda topic: -(by_words[topic] + by_characters[topic]))
    for topic in order[:SHORTLIST]:
        nearest = process.extractOne(main, index.messages[topic], scorer=fuzz.token_set_ratio, processor=None)
        column[topic] = nearest[1] / 100 if nearest else 0.0
    return column


def _tells(term: str) -> bool:
    """Whether a shared term says something to a reader: no short Latin word, no Chinese word for asking."""
    return len(term) >= SHORTEST if term.isascii() else not _ASKING.intersection(term)


class Telling:
    """What of a paste speaks for a topic, in words that a reader can be shown."""

    def __init__(self, heard: Heard, index: Index) -> None:
        texts = heard.texts
        self._index = index
        self._compared = (texts.main, *texts.others, *texts.asks)
        self._said = {term for text in self._compared for term in words(text)}
        self._stack = heard.stack
        self._signatures = sorted(heard.signatures, key=lambda s: -s.strength)

    def signature(self, topic: int) -> str | None:
        """The strongest signature of a topic."""
        return next((s.text for s in self._signatures if s.topic == topic), None)

    def words(self, topic: int, limit: int = 6) -> list[str]:
        """The words that are shared by the paste and the topic's messages and questions and say most."""
        shared: dict[str, float] = {}
        for name in ("message_words", "question_words"):
            shared |= self._index.spaces[name].telling(self._said, topic)
        rare = [term for term, idf in shared.items() if idf >= RARE and _tells(term)]
        ordered = sorted(rare, key=lambda term: (-shared[term], term))
        latin = [term for term in ordered if term.isascii()]
        return [*phrases(self._compared, {term for term in rare if not term.isascii()}), *latin][:limit]

    def frame(self, topic: int) -> str | None:
        """The frame of the call stack that few topics but this one pass through."""
        stack = self._index.spaces["frames"].telling(self._stack, topic)
        telling = [frame for frame, idf in stack.items() if idf >= TELLING_FRAME]
        return max(telling, key=lambda frame: (stack[frame], frame), default=None)
