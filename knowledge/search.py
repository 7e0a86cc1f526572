"""Search by words: the topics whose titles, questions, messages or texts fit best."""

from __future__ import annotations

from dataclasses import dataclass

from .index import Index
from .terms import characters, mask, words
from .text import Text

LEAST = 0.08


@dataclass(frozen=True)
class Hit:
    """A topic that fits a search, with a score from 0 to 1."""

    topic: str
    title: Text
    score: float


def search_topics(text: str, index: Index, limit: int) -> list[Hit]:
    """The topics that fit a few words, the best first; empty when none does."""
    scores = [0.0] * len(index.topics)
    masked = mask(text)
    by_word = index.words.cosines(words(masked))
    by_character = index.characters.cosines(characters(masked))
    for passage, word, character in zip(index.passages, by_word, by_character, strict=True):
        scores[passage.topic] = max(scores[passage.topic], 0.7 * word + 0.3 * character)
    for number, topic in enumerate(index.topics):
        if topic in text or text.strip().replace(" ", "-") in topic:
            scores[number] += 0.5
    order = sorted(range(len(scores)), key=lambda n: (-scores[n], n))
    return [Hit(index.topics[n], Text(*index.titles[n]), min(1.0, scores[n])) for n in order[:limit] if scores[n] > LEAST]
