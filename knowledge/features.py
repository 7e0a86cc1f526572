"""What speaks for each topic, in numbers: the features that the calibration weighs.

Every feature is between 0 and 1. They are computed alike when the calibration is fitted and when a paste is matched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from rapidfuzz import fuzz

from .index import Index, Signature
from .signature import fold, found
from .symptoms import Symptoms
from .terms import characters, frame_terms, mask, phrases, words
from .texts import Texts, with_stack

TOPIC_FEATURES = (
    "signature_main",  # a signature in the exception that ended the program
    "signature_other",  # a signature anywhere else in the paste
    "words_main",  # TF-IDF over words: the main exception against recorded messages
    "characters_main",  # the same over characters
    "fuzzy_main",  # RapidFuzz: the main exception against recorded messages
    "words_other",  # other exceptions, log lines and prose against recorded messages
    "characters_other",
    "ask_words",  # what the person wrote against single ways of asking, beside an exception
    "ask_characters",
    "asked",  # what the person wrote against all ways of asking together
    "body",  # everything against the entry's explanation
    "ask_words_alone",  # the same four where there is no exception
    "ask_characters_alone",
    "asked_alone",
    "body_alone",
    "frames",  # the call stack against recorded call stacks
    "type",  # the main exception's type was recorded for the topic
    "line",  # the entry has code for the paste's Keras line
)
UNKNOWN_FEATURES = (
    "bias",
    "foreign",  # the innermost frame is in a library that is neither Keras nor TensorFlow nor one they call
    "elsewhere",  # there is a call stack, and neither it nor the text has anything of Keras or TensorFlow
    "own",  # the innermost frame is the user's own code, and the message names nothing of Keras
    "no_context",  # nothing in the paste has to do with training networks
    "no_exception",
)
SHORTLIST = 12
SHORTEST = 3  # of the Latin words that are told as reasons
RARE = 3.5  # of a word's idf: below, it stands in one text of twelve
_CONTEXT = re.compile(
    r"epoch|batch|model|layer|loss|train|predict|weight|tensor|optimizer|gradient|neural|network|input_shape|accuracy|"
    r"overfit|learning.rate|embedding|lstm|convolution|cnn|gpu|cuda|模型|训练|层|权重|损失|准确率|验证集|预测|样本|卷积|学习率|"
    r"优化器|张量|显存|梯度",
    re.IGNORECASE,
)
_LIBRARY = re.compile(
    r"keras|tensor[ -]?flow|(?<![a-z])tf(?![a-z])|h5py|'(?:sequential|functional)' object|(?:fit|predict|evaluate)_generator|"
    r"predict_classes|to_categorical|validation_split",
    re.IGNORECASE,
)
_CALLED = frozenset({"numpy", "h5py", "PIL", "python", "pickle", "json", "scipy", "google", "absl", "ml_dtypes", "jax"})


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


def features_of(symptoms: Symptoms, index: Index) -> Features:
    """The features of a paste against every topic."""
    symptoms = without_harmless(symptoms, index)
    texts = Texts.of(symptoms)
    columns: dict[str, list[float]] = {}
    columns["signature_main"], columns["signature_other"] = _signatures(symptoms, texts, index)
    columns |= _messages(texts, index)
    columns |= _asks(texts, index)
    columns["frames"] = index.spaces["frames"].best([stack_of(symptoms)], len(index.topics))
    kind = symptoms.main.type if symptoms.main else ""
    columns["type"] = [float(kind in types) for types in index.types]
    columns["line"] = [float(symptoms.line in lines) for lines in index.lines]
    empty = [0.0] * len(index.topics)
    rows = zip(*(columns.get(name, empty) for name in TOPIC_FEATURES), strict=True)
    return Features([list(row) for row in rows], _unknown(symptoms, texts, signed=any(columns["signature_main"])))


def stack_of(symptoms: Symptoms) -> list[str]:
    """The terms of the call stack of what ended the program, or of all stacks where the end is cut off."""
    ended = [symptoms.main] if symptoms.main else symptoms.raised
    return frame_terms(frame for raised in ended for frame in raised.frames)


def _asks(texts: Texts, index: Index) -> dict[str, list[float]]:
    """What the person wrote against ways of asking, and everything against explanations."""
    suffix = "" if texts.main else "_alone"
    said = [words(text) for text in texts.asks]
    compared = {
        "ask_words": ("question_words", said),
        "ask_characters": ("question_characters", [characters(text) for text in texts.asks]),
        "asked": ("asked_words", said),
        "body": ("body_words", [words(mask(texts.everything))]),
    }
    size = len(index.topics)
    return {f"{name}{suffix}": index.spaces[space].best(queries, size) for name, (space, queries) in compared.items()}


def _signatures(symptoms: Symptoms, texts: Texts, index: Index) -> tuple[list[float], list[float]]:
    main = fold(with_stack(symptoms.main)) if symptoms.main else ""
    anywhere = index.signatures_in(fold(texts.everything))
    in_main = _strongest([s for s in anywhere if main and found(s.text, main)], len(index.topics))
    elsewhere = _strongest(anywhere, len(index.topics))
    elsewhere = [0.0 if here else there for here, there in zip(in_main, elsewhere, strict=True)]
    telling = any(in_main[n] or elsewhere[n] for n in range(len(index.topics)) if n not in index.harmless)
    for topic in index.harmless if telling else ():  # what means nothing yields to whatever means something
        in_main[topic] = elsewhere[topic] = 0.0
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
    columns = {
        "words_main": in_words.best([words(texts.main)], size),
        "characters_main": in_characters.best([characters(texts.main)], size),
        "words_other": in_words.best(map(words, others), size),
        "characters_other": in_characters.best(map(characters, others), size),
    }
    columns["fuzzy_main"] = _fuzzy(texts.main, index, columns["words_main"], columns["characters_main"])
    return columns


def _fuzzy(main: str, index: Index, by_words: list[float], by_characters: list[float]) -> list[float]:
    """RapidFuzz's similarity with the messages of the topics that TF-IDF brings to the front."""
    column = [0.0] * len(index.topics)
    if not main:
        return column
    order = sorted(range(len(column)), key=lambda topic: -(by_words[topic] + by_characters[topic]))
    for topic in order[:SHORTLIST]:
        column[topic] = max((fuzz.token_set_ratio(main, text) for text in index.messages[topic]), default=0.0) / 100
    return column


def _unknown(symptoms: Symptoms, texts: Texts, *, signed: bool) -> list[float]:
    frames = [frame for raised in symptoms.raised for frame in raised.frames]
    told_all = "\n".join([texts.everything, *(f"{frame.path} {frame.code}" for frame in frames)])
    named = _LIBRARY.search(told_all) is not None
    inner = symptoms.main.frames[-1] if symptoms.main and symptoms.main.frames else None
    foreign = inner is not None and inner.owner == "other" and inner.package not in _CALLED
    own = inner is not None and inner.owner == "user" and symptoms.main is not None
    silent = own and not (signed and named) and not _LIBRARY.search(symptoms.main.message if symptoms.main else "")
    return [
        1.0,
        float(foreign and not named),
        float(bool(frames) and not named),
        float(silent),
        float(not named and not _CONTEXT.search(told_all)),
        float(not texts.main),
    ]


def common_words(symptoms: Symptoms, index: Index, topic: int, limit: int = 6) -> list[str]:
    """The words that speak most for a topic: shared by the paste and the topic's messages and questions."""
    texts = Texts.of(without_harmless(symptoms, index))
    compared = (texts.main, *texts.others, *texts.asks)
    said = {term for text in compared for term in words(text)}
    shared: dict[str, float] = {}
    for name in ("message_words", "question_words"):
        shared |= index.spaces[name].telling(said, topic)
    rare = [term for term, idf in shared.items() if idf >= RARE and (len(term) >= SHORTEST or not term.isascii())]
    ordered = sorted(rare, key=lambda term: (-shared[term], term))
    latin = [term for term in ordered if term.isascii()]
    return [*phrases(compared, {term for term in rare if not term.isascii()}), *latin][:limit]
