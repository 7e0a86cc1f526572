"""Search by words: the topics whose titles, questions, messages or texts fit best."""

from __future__ import annotations

from dataclasses import dataclass

from .index import Index
from .terms import characters, mask, words
from .text import Text

LEAST = 0.08
NAME = 0.2  # for each word that stands in the topic's id


@dataclass(frozen=True)
class Hit:
    """A topic that fits a search, with a score from 0 to 1."""

    topic: str
    title: Text
    score: float


def search_topics(text: str, index: Index, limit: int) -> list[Hit]:
    """The topics that fit a few words, the best first; empty when none does."""
    masked = mask(text)
    scores = [0.0] * len(index.topics)
    for name, terms, weight in (
        ("message_words", words(masked), 0.7),
        ("question_words", words(masked), 0.7),
        ("question_characters", characters(masked), 0.3),
        ("body_words", words(masked), 0.3),
        ("asked_concepts", index.lexicon.concepts(masked), 0.5),
        ("learned", index.lexicon.terms(masked), 0.15),
    ):
        best = index.spaces[name].best([terms], len(index.topics))
        scores = [score + weight * cosine for score, cosine in zip(scores, best, strict=True)]
    named = set(words(masked))
    for number, topic in enumerate(index.topics):
        scores[number] += NAME * len(named.intersection(words(topic.replace("-", " "))))
    order = sorted(range(len(scores)), key=lambda n: (-scores[n], n))
    return [
        Hit(index.topics[n], Text(*index.titles[n]), min(1.0, scores[n])) for n in order[:limit] if scores[n] > LEAST
    ]
