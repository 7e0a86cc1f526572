"""The one question that helps most: of all that could be asked or looked at, what tells most about what to do.

What to do is a topic and, of its fixes, the one for the reader's Keras line. Both are uncertain; a question is worth the
bits by which its answer is expected to lessen that (the mutual information of answer and what to do).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import Any

from ..knowledge.entry import Entry, load_entry
from ..knowledge.lines import LINES, Line
from . import phrases
from .diagnosis import NEITHER, Option, Question
from .probe import Listed, SubjectKind

# Below this a question costs the reader more than it brings.
LEAST_GAIN = 0.15
IN_QUESTION = 4
LEAST_CHANCE = 0.03
# How often the answer is right: people mistake one description for another more often than a version number, and a
# probe may be shown another model than the one that failed.
PERSON, VERSION, PROBE = 0.85, 0.97, 0.9
State = tuple[str | None, Line]


def best_question(
    chances: dict[str, float],
    unknown: float,
    line: Line | None,
    names: frozenset[str],
    probes: tuple[Listed, ...],
    missing: frozenset[SubjectKind],
    already: frozenset[str] = frozenset(),
) -> Question | None:
    """The question with the highest expected gain, or None where no question is worth asking.

    Args:
        chances: the probability of each topic in question.
        unknown: the probability that it is none of all topics.
        line: the reader's Keras line, None where it is not known.
        names: the names in the paste, which tell an entry's fixes apart.
        probes: all probes; those of a kind of subject in `missing` could still be run.
        missing: the kinds of subject that were not examined.
        already: the keys of questions that were asked before, which are not asked again.
    """
    states = _states(chances, unknown, line)
    could = [*_pairs(chances), *_which_line(line), *_looks(chances, probes, missing)]
    asked = [each for each in could if each[0].key not in already]
    todo = _what_to_do(states, names)
    gains = [(_gain(states, todo, answer, right), question) for question, answer, right in asked]
    gain, best = max(gains, key=lambda pair: pair[0], default=(0.0, None))
    if best is None or gain < LEAST_GAIN:
        return None
    return replace(best, gain=gain)


Asked = tuple[Question, Callable[[State], str], float]


def _states(chances: dict[str, float], unknown: float, line: Line | None) -> dict[State, float]:
    """The probability of each topic in question (None: not known) together with each line it may be met in."""
    likely = sorted(chances, key=lambda topic: (-chances[topic], topic))[:IN_QUESTION]
    weights: dict[str | None, float] = {topic: chances[topic] for topic in likely if chances[topic] >= LEAST_CHANCE}
    weights[None] = unknown
    total = sum(weights.values()) or 1.0
    states: dict[State, float] = {}
    for topic, weight in weights.items():
        lines = [line] if line else _lines_of(topic)
        states |= {(topic, each): weight / total / len(lines) for each in lines}
    return states


def _lines_of(topic: str | None) -> list[Line]:
    lines = {line for block in load_entry(topic).blocks for line in block.lines} if topic else set(LINES)
    return [line for line in LINES if line in lines]


def _what_to_do(states: dict[State, float], names: frozenset[str]) -> dict[State, object]:
    return {(t, line): (t, _fix_number(load_entry(t), line, names)) if t else None for t, line in states}


def _fix_number(entry: Entry, line: Line, names: frozenset[str]) -> int:
    block = entry.fix_for(line, names)
    return block.number if block else 0


def _pairs(chances: dict[str, float]) -> Iterator[Asked]:
    """For each two of the likeliest topics: which of them is it?"""
    likely = sorted(chances, key=lambda topic: (-chances[topic], topic))[:IN_QUESTION]
    for one, other in combinations([t for t in likely if chances[t] >= LEAST_CHANCE], 2):
        first, second = load_entry(one), load_entry(other)
        options = (Option(first.title, one), Option(second.title, other), Option(phrases.NEITHER, NEITHER))
        question = Question("topics", phrases.which_of(first, second), options, 0.0)
        yield question, partial(_which_of, (one, other)), PERSON


def _which_line(line: Line | None) -> Iterator[Asked]:
    if line is None:
        options = tuple(Option(phrases.line_name(each), each) for each in LINES)
        yield Question("line", phrases.WHICH_KERAS, options, 0.0), _line_of, VERSION


def _looks(chances: dict[str, float], probes: tuple[Listed, ...], missing: frozenset[SubjectKind]) -> Iterator[Asked]:
    for probe in probes:
        if probe.subject in missing and any(topic in chances for topic in probe.topics):
            question = Question("probe", phrases.look_with(probe), (), 0.0, probe.id, probe.subject)
            yield question, partial(_seen, probe.topics), PROBE


def _which_of(pair: tuple[str, str], state: State) -> str:
    return state[0] if state[0] in pair else NEITHER


def _line_of(state: State) -> str:
    return state[1]


def _seen(topics: tuple[str, ...], state: State) -> str:
    return "finding" if state[0] in topics else "nothing"


def _gain(states: dict[State, float], todo: dict[State, object], answer: Callable[[State], str], right: float) -> float:
    """The mutual information, in bits, of what to do and an answer that is the right one with probability `right`."""
    given = sorted({answer(state) for state in states})
    if len(given) < 2:  # noqa: PLR2004 - one answer tells nothing
        return 0.0
    joint: dict[tuple[object, str], float] = defaultdict(float)
    for state, chance in states.items():
        for each in given:
            heard = right if each == answer(state) else (1.0 - right) / (len(given) - 1)
            joint[todo[state], each] += chance * heard
    return _entropy(_sums(joint, 0)) + _entropy(_sums(joint, 1)) - _entropy(joint)


def _sums(joint: dict[tuple[object, str], float], side: int) -> dict[object, float]:
    sums: dict[object, float] = defaultdict(float)
    for pair, chance in joint.items():
        sums[pair[side]] += chance
    return sums


def _entropy(chances: dict[Any, float]) -> float:
    return -sum(chance * math.log2(chance) for chance in chances.values() if chance > 0.0)
