"""Fits the weights of the matcher: `python -m kerasdoctor.knowledge.calibration CASES.jsonl... [--written CASES.jsonl...]`.

A conditional logit: each case is one choice among all topics and "not known". Weights of topic features are kept at
zero or above, because no agreement with a topic should count against it, and are drawn towards zero (L2), because
there are few cases. Written cases (posts made up for the purpose) count for less than what people really pasted. Needs
NumPy and SciPy (they come with scikit-learn); prints cross-validated figures, which are the ones to report, and writes
the weights fitted on all cases.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from .cases import Case, load_cases
from .evaluation import Result, figures
from .features import TOPIC_FEATURES, Features, Heard, features_of
from .index import Index
from .matcher import ALTERNATIVES, CALIBRATION_PATH, Calibration
from .parser import parse
from .scope import UNKNOWN_FEATURES

FOLDS = 10
RIDGE = 0.01
UNKNOWN_RIDGE = 0.03
WRITTEN = 0.3  # what a written case counts
CANDIDATES = 40
MAX_FALSE_ALARMS = 0.02
Array = NDArray[np.float64]
Thresholds = tuple[float, float]  # with an exception, without


@dataclass(frozen=True)
class Example:
    """A case in numbers: its features, and the numbers of the topics that are right (none: "not known" is).

    `alone` says that there is no exception in it, `weight` what it counts.
    """

    topics: Array
    unknown: Array
    right: NDArray[np.intp]
    alone: bool
    weight: float = 1.0


def example(case: Case, index: Index, weight: float = 1.0) -> Example:
    """The features of a case. A case whose topics have no entry yet is one whose right answer is "not known"."""
    symptoms = parse(case.text)
    features: Features = features_of(Heard.of(symptoms, index), index)
    right = [number for number, topic in enumerate(index.topics) if topic in case.expect]
    return Example(
        np.array(features.topics),
        np.array(features.unknown),
        np.array(right, dtype=np.intp),
        symptoms.main is None,
        weight,
    )


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
            total -= item.weight * float(np.log(chances[right].sum()))
            change = item.weight * (chances - wanted)
            gradient[:size] += change[:-1] @ item.topics
            gradient[size:] += change[-1] * item.unknown
        return total, gradient

    bounds = [(0.0, None)] * size + [(None, None)] * extra
    start = np.ones(size + extra)
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x)


def _softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum())


def calibration(weights: Array) -> Calibration:
    """Fitted weights as the matcher takes them; nothing is refused."""
    size = len(TOPIC_FEATURES)
    return Calibration(tuple(weights[:size].tolist()), tuple(weights[size:].tolist()), 0.0, 0.0)


@dataclass(frozen=True)
class Ranked:
    """What weights that never saw a case make of it: the topics, the likeliest first, and that it is not known."""

    topics: list[int]
    chance: float
    unknown: float


def out_of_fold(cases: list[Case], examples: list[Example]) -> list[Ranked]:
    """Each case ranked by weights fitted on the folds that it is not in."""
    folds = _folds(cases)
    ranked: dict[int, Ranked] = {}
    for fold in range(FOLDS):
        weights = fit([e for e, f in zip(examples, folds, strict=True) if f != fold])
        fitted = calibration(weights)
        for number, of in enumerate(folds):
            if of == fold:
                ranked[number] = _rank(fitted, examples[number])
    return [ranked[number] for number in range(len(cases))]


def _rank(fitted: Calibration, item: Example) -> Ranked:
    chances, unknown = fitted.probabilities(Features(item.topics.tolist(), item.unknown.tolist()))
    order = sorted(range(len(chances)), key=lambda n: -chances[n])
    return Ranked(order, chances[order[0]], unknown)


def _folds(cases: list[Case]) -> list[int]:
    """Folds that mix kinds: cases sorted by kind and id, dealt out in turn. The same for the same cases."""
    order = sorted(range(len(cases)), key=lambda n: (cases[n].kind, cases[n].lang, cases[n].id))
    folds = [0] * len(cases)
    for position, number in enumerate(order):
        folds[number] = position % FOLDS
    return folds


def results(
    cases: list[Case], examples: list[Example], ranked: list[Ranked], topics: list[str], thresholds: Thresholds
) -> list[Result]:
    """What would be said of each case: no topic below the threshold."""
    said = []
    for case, item, of in zip(cases, examples, ranked, strict=True):
        known = 1.0 - of.unknown >= thresholds[item.alone]
        named = tuple(topics[n] for n in of.topics[: ALTERNATIVES + 1]) if known else ()
        said.append(Result(case, named, of.chance))
    return said


def choose_thresholds(examples: list[Example], ranked: list[Ranked]) -> Thresholds:
    """The thresholds with which most is answered rightly while at most `MAX_FALSE_ALARMS` of the negatives are alarms."""
    groups = [
        [(1.0 - of.unknown, item, of) for item, of in zip(examples, ranked, strict=True) if item.alone == alone]
        for alone in (False, True)
    ]
    allowed = MAX_FALSE_ALARMS * sum(item.weight for item in examples if not len(item.right))
    choices = [[_choice(group, threshold) for threshold in _candidates(group)] for group in groups]
    within = [
        (one.right + other.right, one.threshold, other.threshold)
        for one, other in product(*choices)
        if one.alarms + other.alarms <= allowed
    ]
    return max(within)[1:]


class _Choice(NamedTuple):
    """A threshold, with the weight of what is answered rightly and of the false alarms with it."""

    threshold: float
    right: float
    alarms: float


def _choice(group: list[tuple[float, Example, Ranked]], threshold: float) -> _Choice:
    named = [(item, of) for chance, item, of in group if chance >= threshold]
    right = sum(item.weight for item, of in named if of.topics[0] in item.right)
    return _Choice(threshold, right, sum(item.weight for item, _ in named if not len(item.right)))


def _candidates(group: list[tuple[float, Example, Ranked]]) -> list[float]:
    """Just above each of the highest chances of a negative."""
    alarms = sorted((chance for chance, item, _ in group if not len(item.right)), reverse=True)
    return [min(1.0, round(chance + 0.005, 3)) for chance in alarms[:CANDIDATES]]


def main() -> int:
    """Fit on the files named on the command line, report cross-validation, save the weights."""
    parser = argparse.ArgumentParser(prog="python -m kerasdoctor.knowledge.calibration")
    parser.add_argument("cases", nargs="+", type=Path, help="files of pastes that people made")
    parser.add_argument("--written", nargs="*", type=Path, default=[], help="files of cases written for the purpose")
    options = parser.parse_args()
    index = Index.load()
    pasted = [case for path in options.cases for case in load_cases(path)]
    written = [case for path in options.written for case in load_cases(path)]
    cases = [*pasted, *written]
    examples = [*(example(c, index) for c in pasted), *(example(c, index, WRITTEN) for c in written)]
    ranked = out_of_fold(cases, examples)
    thresholds = choose_thresholds(examples, ranked)
    said = results(cases, examples, ranked, index.topics, thresholds)
    for name, part in (("pasted", said[: len(pasted)]), ("written", said[len(pasted) :])):
        sys.stdout.write(f"{name}, cross-validated, thresholds {thresholds}\n")
        for kind in sorted({result.case.kind for result in part}):
            for lang in sorted({result.case.lang for result in part}):
                _report(kind, lang, [r for r in part if r.case.kind == kind and r.case.lang == lang])
    CALIBRATION_PATH.write_text(_as_json(fit(examples), thresholds), encoding="utf-8")
    return 0


def _report(kind: str, lang: str, said: list[Result]) -> None:
    shown = {"top1": "first", "top3": "in three", "false_alarms": "false alarms"}
    told = [
        f"{name} {figure['value']:.3f} [{figure['low']:.2f}, {figure['high']:.2f}] of {figure['n']}"
        for key, name in shown.items()
        if (figure := figures(said)[key])["n"]
    ]
    if told:
        sys.stdout.write(f"  {kind:10} {lang}  {'  '.join(told)}\n")


def _as_json(weights: Array, thresholds: Thresholds) -> str:
    rounded = [round(float(w), 4) for w in weights]
    named = {
        "topic": dict(zip(TOPIC_FEATURES, rounded, strict=False)),
        "unknown": dict(zip(UNKNOWN_FEATURES, rounded[len(TOPIC_FEATURES) :], strict=True)),
        "threshold": thresholds[0],
        "threshold_alone": thresholds[1],
    }
    return json.dumps(named, indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main())
