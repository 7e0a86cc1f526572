"""Fits the weights of the matcher on cases: `python -m kerasdoctor.knowledge.calibration CASES.jsonl...`.

A conditional logit: each case is one choice among all topics and "not known". Weights of topic features are kept at
zero or above, because no agreement with a topic should count against it, and are drawn towards zero (L2), because
there are few cases. Needs NumPy and SciPy (they come with scikit-learn); prints cross-validated figures, which are
the ones to report, and writes the weights fitted on all cases.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from .cases import Case, load_cases
from .features import TOPIC_FEATURES, UNKNOWN_FEATURES, Features, features_of
from .index import Index
from .matcher import CALIBRATION_PATH, Calibration
from .parser import parse

FOLDS = 10
RIDGE = 0.01
UNKNOWN_RIDGE = 0.03
MAX_FALSE_ALARMS = 0.02
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """A case in numbers: its features, and the numbers of the topics that are right (none: not known is right)."""

    topics: Array
    unknown: Array
    right: NDArray[np.intp]


def example(case: Case, index: Index) -> Example:
    """The features of a case. A case whose topics have no entry yet is one whose right answer is "not known"."""
    features: Features = features_of(parse(case.text), index)
    right = [number for number, topic in enumerate(index.topics) if topic in case.expect]
    return Example(np.array(features.topics), np.array(features.unknown), np.array(right, dtype=np.intp))


def fit(examples: list[Example]) -> Array:
    """The weights of the topic features, then of the unknown features, that make the right answers likeliest."""
    size, extra = len(TOPIC_FEATURES), len(UNKNOWN_FEATURES)
    ridge = np.array([RIDGE] * size + [UNKNOWN_RIDGE] * extra)

    def loss(weights: Array) -> tuple[float, Array]:
        total = float(ridge @ weights**2)
        gradient = 2 * ridge * weights
        for item in examples:
            scores = np.append(item.topics @ weights[:size], item.unknown @ weights[size:])
            chances = _softmax(scores)
            right = item.right if len(item.right) else np.array([len(scores) - 1])
            wanted = np.zeros_like(chances)
            wanted[right] = chances[right] / chances[right].sum()
            total -= float(np.log(chances[right].sum()))
            change = chances - wanted
            gradient[:size] += change[:-1] @ item.topics
            gradient[size:] += change[-1] * item.unknown
        return total, gradient

    bounds = [(0.0, None)] * size + [(None, None)] * extra
    start = np.ones(size + extra)
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x)


def _softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum())


def calibration(weights: Array, threshold: float) -> Calibration:
    """Fitted weights as the matcher takes them."""
    size = len(TOPIC_FEATURES)
    return Calibration(tuple(weights[:size].tolist()), tuple(weights[size:].tolist()), threshold)


def out_of_fold(cases: list[Case], examples: list[Example]) -> list[tuple[list[int], float, float]]:
    """For each case, from weights that never saw it: the ranked topics, the best one's chance, that of "not known"."""
    folds = _folds(cases)
    results: list[tuple[list[int], float, float]] = [([], 0.0, 0.0)] * len(cases)
    for fold in range(FOLDS):
        weights = fit([e for e, f in zip(examples, folds, strict=True) if f != fold])
        fitted = calibration(weights, 0.0)
        for number, of in enumerate(folds):
            if of == fold:
                e = examples[number]
                chances, unknown = fitted.probabilities(Features(e.topics.tolist(), e.unknown.tolist()))
                order = sorted(range(len(chances)), key=lambda n: -chances[n])
                results[number] = (order, chances[order[0]], unknown)
    return results


def _folds(cases: list[Case]) -> list[int]:
    """Folds that mix kinds: cases sorted by kind and id, dealt out in turn. The same for the same cases."""
    order = sorted(range(len(cases)), key=lambda n: (cases[n].kind, cases[n].lang, cases[n].id))
    folds = [0] * len(cases)
    for position, number in enumerate(order):
        folds[number] = position % FOLDS
    return folds


def choose_threshold(alarms: list[float]) -> float:
    """The least probability of all topics at which at most `MAX_FALSE_ALARMS` of the negatives are still named one.

    Args:
        alarms: for each negative, the probability that it is any topic.
    """
    allowed = int(len(alarms) * MAX_FALSE_ALARMS)
    ordered = sorted(alarms, reverse=True)
    return round(ordered[allowed] + 0.005, 3) if len(ordered) > allowed else 0.0


def main() -> int:
    """Fit on the files named on the command line, report cross-validation, save the weights."""
    cases = [case for name in sys.argv[1:] for case in load_cases(Path(name))]
    index = Index.load()
    examples = [example(case, index) for case in cases]
    results = out_of_fold(cases, examples)
    alarms = [1.0 - unknown for c, (_, _, unknown) in zip(cases, results, strict=True) if not c.expect]
    threshold = choose_threshold(alarms)
    _report(cases, examples, results, threshold)
    weights = fit(examples)
    CALIBRATION_PATH.write_text(_as_json(weights, threshold), encoding="utf-8")
    return 0


def _report(
    cases: list[Case], examples: list[Example], results: list[tuple[list[int], float, float]], threshold: float
) -> None:
    say = sys.stdout.write
    for kind in (None, *sorted({c.kind for c in cases})):
        rows = [
            (set(e.right.tolist()), *r)
            for c, e, r in zip(cases, examples, results, strict=True)
            if kind in (None, c.kind) and len(e.right)
        ]
        if not rows:
            continue
        named = [1.0 - unknown >= threshold for _, _, _, unknown in rows]
        first = sum(n and order[0] in right for n, (right, order, _, _) in zip(named, rows, strict=True))
        ranked = sum(order[0] in right for right, order, _, _ in rows)
        three = sum(
            n and bool(right.intersection(order[:3])) for n, (right, order, _, _) in zip(named, rows, strict=True)
        )
        say(
            f"{kind or 'all':10} n={len(rows):3}  first {first / len(rows):.3f}  "
            f"first before the threshold {ranked / len(rows):.3f}  in three {three / len(rows):.3f}\n"
        )
    negatives = [unknown for c, (_, _, unknown) in zip(cases, results, strict=True) if not c.expect]
    false = sum(1.0 - unknown >= threshold for unknown in negatives)
    say(f"false alarms {false} of {len(negatives)} negatives at threshold {threshold}\n")


def _as_json(weights: Array, threshold: float) -> str:
    rounded = [round(float(w), 4) for w in weights]
    named = {
        "topic": dict(zip(TOPIC_FEATURES, rounded, strict=False)),
        "unknown": dict(zip(UNKNOWN_FEATURES, rounded[len(TOPIC_FEATURES) :], strict=True)),
        "threshold": threshold,
    }
    return json.dumps(named, indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main())
