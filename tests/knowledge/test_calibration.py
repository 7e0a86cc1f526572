"""The calibration: written cases count for less, thresholds answer as much as the false alarms allow."""

from __future__ import annotations

import numpy as np
from kerasdoctor.knowledge.calibration import Example, Ranked, choose_thresholds, fit
from kerasdoctor.knowledge.features import TOPIC_FEATURES
from kerasdoctor.knowledge.scope import UNKNOWN_FEATURES


def case(chance: float, *, right: bool, alone: bool = False, weight: float = 1.0) -> tuple[Example, Ranked]:
    """A case whose topic number 0 has a chance; it is the right one, or the case is a negative."""
    answers = np.array([0] if right else [], dtype=np.intp)
    return Example(np.zeros((1, 1)), np.zeros(1), answers, alone, weight), Ranked([0], chance, 1.0 - chance)


def thresholds(*cases: tuple[Example, Ranked]) -> tuple[float, float]:
    return choose_thresholds([item for item, _ in cases], [ranked for _, ranked in cases])


def test_thresholds_answer_as_much_as_false_alarms_allow() -> None:
    """Of a hundred negatives two may be named; which two is what leaves most right answers."""
    silent = [case(0.05, right=False)] * 50 + [case(0.05, right=False, alone=True)] * 47
    loud = [case(0.6, right=False), case(0.5, right=False), case(0.9, right=False, alone=True)]
    answers = [case(0.55, right=True)] * 9 + [case(0.45, right=True)] * 5 + [case(0.8, right=True, alone=True)] * 2
    raised, alone = thresholds(*silent, *loud, *answers)
    named = [r for item, r in (*silent, *loud) if 1.0 - r.unknown >= (alone if item.alone else raised)]
    assert len(named) == 2
    assert raised <= 0.45
    assert alone > 0.9


def test_a_written_negative_counts_for_less() -> None:
    """Four written alarms weigh little more than one that was pasted."""
    silent = [case(0.05, right=False)] * 60 + [case(0.05, right=False, alone=True)] * 5
    written = [case(0.7, right=False, alone=True, weight=0.3)] * 4
    pasted = [case(0.7, right=False, alone=True)] * 4
    answers = [case(0.5, right=True, alone=True)] * 3
    assert thresholds(*silent, *written, *answers)[1] <= 0.5
    assert thresholds(*silent, *pasted, *answers)[1] > 0.5


def test_fitted_weights_tell_right_from_wrong_and_from_unknown() -> None:
    """A feature that goes with the right answer gets weight, one that doesn't gets none; weights are never negative."""
    size, extra = len(TOPIC_FEATURES), len(UNKNOWN_FEATURES)
    examples = []
    for right in (0, 1, 2) * 5:
        topics = np.zeros((3, size))
        topics[right, 0] = 1.0
        topics[(right + 1) % 3, 1] = 1.0
        unknown = np.zeros(extra)
        unknown[0] = 1.0
        examples.append(Example(topics, unknown, np.array([right], dtype=np.intp), alone=False))
    weights = fit(examples)
    assert weights[0] > 1.0
    assert weights[1] == 0.0
    assert weights[size] < 0.0
