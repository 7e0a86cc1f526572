"""What speaks for each topic, in numbers: the features that the calibration weighs.

Every feature is between 0 and 1. They are computed alike when the calibration is fitted and when a paste is matched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from rapidfuzz import fuzz

from .index import Index, Space
from .signature import fold, found
from .symptoms import Raised, Symptoms
from .terms import characters, frame_terms, mask, words

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
    "no_context",  # nothing in the paste has to do with training networks
    "no_exception",
)
MAX_OTHERS = 5
INNERMOST = 4
SHORTLIST = 12
_CONTEXT = (
    "epoch", "model.fit", "val_loss", "cuda", "gpu", "layer", "loss", "模型", "训练", "层",
)  # fmt: skip
_LIBRARY = re.compile(r"keras|tensor[ -]?flow|(?<![a-z])tf(?![a-z])|h5py", re.IGNORECASE)
_CALLED = frozenset({"numpy", "h5py", "PIL", "python", "pickle", "json", "scipy", "google", "absl", "ml_dtypes", "jax"})


@dataclass(frozen=True)
class Features:
    """`topics[i]` are the `TOPIC_FEATURES` of the index's topic i; `unknown` the `UNKNOWN_FEATURES`."""

    topics: list[list[float]]
    unknown: list[float]


@dataclass(frozen=True)
class Texts:
    """The texts of a paste that are compared: the main message, the others, the person's own words, everything.

    `everything` is not masked: signatures are looked for in it.
    """

    main: str
    others: tuple[str, ...]
    asks: tuple[str, ...]
    everything: str

    @classmethod
    def of(cls, symptoms: Symptoms) -> Texts:
        """The texts of parsed symptoms."""
        main = symptoms.main
        others = [told(r) for r in reversed(symptoms.raised) if r is not main and r.message]
        others += [line.text for line in sorted(reversed(symptoms.log), key=lambda line: line.level in "DI")]
        paragraphs = [line for line in symptoms.prose.split("\n") if len(line) > 2]  # noqa: PLR2004
        asks = [symptoms.prose[:800], *paragraphs[:1]]
        everything = [with_stack(r) for r in symptoms.raised]
        everything += [line.text for line in symptoms.log] + [symptoms.prose, symptoms.code]
        return cls(
            main=mask(told(main)) if main else "",
            others=tuple(filter(None, map(mask, others[:MAX_OTHERS]))),
            asks=tuple(dict.fromkeys(filter(None, map(mask, asks)))),
            everything="\n".join(everything),
        )


def without_harmless(symptoms: Symptoms, index: Index) -> Symptoms:
    """Symptoms without the log lines that mean nothing, where an exception tells what happened."""
    if symptoms.main is None:
        return symptoms
    noise = [signature.text for signature in index.signatures if signature.topic in index.harmless]
    kept = tuple(line for line in symptoms.log if not any(found(text, fold(line.text)) for text in noise))
    return replace(symptoms, log=kept)


def told(raised: Raised) -> str:
    """An exception as one line of text."""
    return f"{raised.type}: {raised.message}" if raised.type else raised.message


def with_stack(raised: Raised) -> str:
    """An exception behind the innermost frames of its stack, each as `file in function code`: what signatures see."""
    frames = [f"{f.path.replace(chr(92), '/').rpartition('/')[2]} in {f.function} {f.code}" for f in raised.frames[-INNERMOST:]]
    return "\n".join([*frames, told(raised)])


def features_of(symptoms: Symptoms, index: Index) -> Features:
    """The features of a paste against every topic."""
    symptoms = without_harmless(symptoms, index)
    texts = Texts.of(symptoms)
    alone = not texts.main
    columns: dict[str, list[float]] = {}
    columns["signature_main"], columns["signature_other"] = _signatures(symptoms, texts, index)
    columns |= _messages(texts, index)
    suffix = "_alone" if alone else ""
    columns[f"ask_words{suffix}"] = _best(index, index.words, map(words, texts.asks), "question")
    columns[f"ask_characters{suffix}"] = _best(index, index.characters, map(characters, texts.asks), "question")
    columns[f"asked{suffix}"] = _best(index, index.words, map(words, texts.asks), "asked")
    columns[f"body{suffix}"] = _best(index, index.words, [words(mask(texts.everything))], "body")
    stack = frame_terms(symptoms.main.frames if symptoms.main else [f for r in symptoms.raised for f in r.frames])
    columns["frames"] = index.frames.cosines(stack)
    kind = symptoms.main.type if symptoms.main else ""
    columns["type"] = [float(kind in types) for types in index.types]
    columns["line"] = [float(symptoms.line in lines) for lines in index.lines]
    empty = [0.0] * len(index.topics)
    rows = zip(*(columns.get(name, empty) for name in TOPIC_FEATURES), strict=True)
    return Features([list(row) for row in rows], _unknown(symptoms, texts))


def _signatures(symptoms: Symptoms, texts: Texts, index: Index) -> tuple[list[float], list[float]]:
    main = fold(with_stack(symptoms.main)) if symptoms.main else ""
    everything = fold(texts.everything)
    in_main, elsewhere = [0.0] * len(index.topics), [0.0] * len(index.topics)
    for topic, text, strength in index.signatures:
        if main and found(text, main):
            in_main[topic] = max(in_main[topic], strength)
        elif found(text, everything):
            elsewhere[topic] = max(elsewhere[topic], strength)
    return in_main, elsewhere


def _messages(texts: Texts, index: Index) -> dict[str, list[float]]:
    others = (*texts.others, *texts.asks) if not texts.main else texts.others
    columns = {
        "words_main": _best(index, index.words, [words(texts.main)], "message"),
        "characters_main": _best(index, index.characters, [characters(texts.main)], "message"),
        "words_other": _best(index, index.words, map(words, others), "message"),
        "characters_other": _best(index, index.characters, map(characters, others), "message"),
    }
    columns["fuzzy_main"] = _fuzzy(texts.main, index, columns["words_main"], columns["characters_main"])
    return columns


def _best(index: Index, space: Space, queries: Iterable[list[str]], kind: str) -> list[float]:
    """For each topic, the highest cosine of any query with any of its passages of a kind."""
    best = [0.0] * len(index.topics)
    for query in queries:
        if not query:
            continue
        for (topic, of_kind, _), cosine in zip(index.passages, space.cosines(query), strict=True):
            if of_kind == kind and cosine > best[topic]:
                best[topic] = cosine
    return best


def _fuzzy(main: str, index: Index, by_words: list[float], by_characters: list[float]) -> list[float]:
    """RapidFuzz's similarity with the messages of the topics that TF-IDF brings to the front."""
    column = [0.0] * len(index.topics)
    if not main:
        return column
    order = sorted(range(len(column)), key=lambda topic: -(by_words[topic] + by_characters[topic]))
    shortlist = set(order[:SHORTLIST])
    for topic, kind, text in index.passages:
        if kind == "message" and topic in shortlist:
            column[topic] = max(column[topic], fuzz.token_set_ratio(main, text) / 100)
    return column


def _unknown(symptoms: Symptoms, texts: Texts) -> list[float]:
    frames = [frame for raised in symptoms.raised for frame in raised.frames]
    told_all = "\n".join([texts.everything, *(f"{frame.path} {frame.code}" for frame in frames)])
    named = _LIBRARY.search(told_all) is not None
    inner = symptoms.main.frames[-1] if symptoms.main and symptoms.main.frames else None
    foreign = inner is not None and inner.owner == "other" and inner.package not in _CALLED
    context = named or any(word in told_all.lower() for word in _CONTEXT)
    return [1.0, float(foreign and not named), float(bool(frames) and not named), float(not context), float(not texts.main)]


def common_words(symptoms: Symptoms, index: Index, topic: int, limit: int = 6) -> Iterator[str]:
    """The words that speak most for a topic: shared by the paste and the topic's passages."""
    texts = Texts.of(symptoms)
    said = [term for text in (texts.main, *texts.others, *texts.asks) for term in words(text)]
    known = {term for p in index.passages if p.topic == topic and p.kind != "body" for term in words(p.text)}
    yield from index.words.common(said, known, limit)
