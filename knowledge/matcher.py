"""The matcher: Symptoms in, a Ranking out, each match with a calibrated confidence and its reasons.

The confidence is a probability: a softmax over all topics and "not known", whose weights were fitted on real pastes
(`calibration.py`). "Not known" is an answer of its own: it is given when the topics together do not reach the
probability that keeps false alarms rare.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from operator import mul
from pathlib import Path
from typing import Literal

from .features import TOPIC_FEATURES, Features, Heard, Telling, features_of
from .index import Index
from .scope import UNKNOWN_FEATURES
from .symptoms import Symptoms

CALIBRATION_PATH = Path(__file__).with_name("calibration.json")
ALTERNATIVES = 4
ReasonKind = Literal["signature", "words", "frame", "type", "line"]


@dataclass(frozen=True)
class Calibration:
    """Weights of the features, and the least probability of all topics together at which one is named.

    `threshold` is for a paste with an exception, `threshold_alone` for one without: words alone are easier mistaken.
    """

    topic: tuple[float, ...]
    unknown: tuple[float, ...]
    threshold: float
    threshold_alone: float

    @classmethod
    def load(cls, path: Path = CALIBRATION_PATH) -> Calibration:
        """Read the weights, by the names of the features."""
        read = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            topic=tuple(read["topic"][name] for name in TOPIC_FEATURES),
            unknown=tuple(read["unknown"][name] for name in UNKNOWN_FEATURES),
            threshold=read["threshold"],
            threshold_alone=read["threshold_alone"],
        )

    def knows(self, unknown: float, *, alone: bool) -> bool:
        """Whether a topic is named when "not known" has the probability `unknown`; `alone`: there is no exception."""
        return 1.0 - unknown >= (self.threshold_alone if alone else self.threshold)

    def probabilities(self, features: Features) -> tuple[list[float], float]:
        """The probability of each topic, and that it is none of them."""
        scores = [sum(map(mul, self.topic, row)) for row in features.topics]
        unknown = sum(map(mul, self.unknown, features.unknown))
        top = max([*scores, unknown])
        powers = [math.exp(score - top) for score in scores]
        rest = math.exp(unknown - top)
        total = sum(powers) + rest
        return [power / total for power in powers], rest / total


@dataclass(frozen=True)
class Reason:
    """Why a topic was matched: a signature, shared words, a frame, the exception's type, the Keras line."""

    kind: ReasonKind
    detail: str


@dataclass(frozen=True)
class Match:
    """A topic with its confidence (a probability from 0 to 1) and the reasons."""

    topic: str
    confidence: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Ranking:
    """The topics that come into question, the likeliest first.

    `unknown` is the probability that it is none of all topics; `known` is False when that is too high to name one.
    """

    matches: tuple[Match, ...]
    unknown: float
    known: bool


class Matcher:
    """Matches symptoms with the topics of an index."""

    def __init__(self, index: Index, calibration: Calibration) -> None:
        self.index = index
        self.calibration = calibration

    @classmethod
    def load(cls) -> Matcher:
        """The matcher on the index and the weights that are installed.

        Raises:
            IndexMissingError: the index was not built.
        """
        return _installed()

    def match(self, symptoms: Symptoms) -> Ranking:
        """Rank the topics for a paste. Of a chain of exceptions the first is the cause, if it is known at all."""
        root = symptoms.from_root()
        if root is not None:
            ranking = self._match(root)
            if ranking.known:
                return ranking
        return self._match(symptoms)

    def _match(self, symptoms: Symptoms) -> Ranking:
        heard = Heard.of(symptoms, self.index)
        features = features_of(heard, self.index)
        probabilities, unknown = self.calibration.probabilities(features)
        order = sorted(range(len(probabilities)), key=lambda n: (-probabilities[n], n))[: ALTERNATIVES + 1]
        telling = Telling(heard, self.index)
        matches = tuple(
            Match(self.index.topics[n], probabilities[n], _reasons(symptoms, telling, features.topics[n], n))
            for n in order
        )
        known = symptoms.shape != "empty" and self.calibration.knows(unknown, alone=symptoms.main is None)
        return Ranking(matches, unknown, known)


def _reasons(symptoms: Symptoms, telling: Telling, row: list[float], topic: int) -> tuple[Reason, ...]:
    values = dict(zip(TOPIC_FEATURES, row, strict=True))
    reasons: list[Reason] = []
    signed = values["signature_main"] or values["signature_other"]
    if signed and (signature := telling.signature(topic)):
        reasons.append(Reason("signature", signature))
    if shared := telling.words(topic):
        reasons.append(Reason("words", ", ".join(shared)))
    if frame := telling.frame(topic):
        reasons.append(Reason("frame", frame))
    if values["type"] and symptoms.main:
        reasons.append(Reason("type", symptoms.main.type))
    if values["line"] and symptoms.line:
        reasons.append(Reason("line", symptoms.line))
    return tuple(reasons)


@cache
def _installed() -> Matcher:
    return Matcher(Index.load(), Calibration.load())
