"""The question that is asked is the one whose answer tells most about what to do."""

from __future__ import annotations

import pytest
from kerasdoctor.diagnostics.diagnosis import Question
from kerasdoctor.diagnostics.doctor import Doctor
from kerasdoctor.diagnostics.probe import Listed, SubjectKind
from kerasdoctor.diagnostics.question import best_question
from kerasdoctor.knowledge.entry import load_entry
from kerasdoctor.knowledge.matcher import Matcher
from kerasdoctor.knowledge.text import Text

NOTHING: frozenset[SubjectKind] = frozenset()
CLOSE = {"target-shape": 0.5, "one-hot-or-sparse-labels": 0.42}
MULTI = "multi-gpu-data-parallel"  # another fix in each line


def asked(chances: dict[str, float], line: str | None = "keras-3", probes: tuple[Listed, ...] = ()) -> Question | None:
    missing: frozenset[SubjectKind] = frozenset({"model"}) if probes else NOTHING
    return best_question(chances, 1 - sum(chances.values()), line, frozenset(), probes, missing)


def test_two_close_topics_are_told_apart_in_the_words_of_their_entry() -> None:
    """The options are the two topics and neither; the text is what the entry says about the other."""
    question = asked(CLOSE)
    assert question is not None
    assert [option.value for option in question.options] == [*CLOSE, "neither"]
    differs = [
        related.differs.en
        for topic, other in (tuple(CLOSE), tuple(CLOSE)[::-1])
        for related in load_entry(topic).related
        if related.id == other
    ]
    assert any(text in question.text.en for text in differs)


def test_of_several_pairs_the_likelier_one_is_asked_about() -> None:
    """A pair that holds most of the probability tells more than one that holds little."""
    question = asked({"target-shape": 0.45, "nan-loss": 0.05, "one-hot-or-sparse-labels": 0.4})
    assert question is not None
    assert {option.value for option in question.options} == {"target-shape", "one-hot-or-sparse-labels", "neither"}


def test_nothing_is_asked_when_nothing_is_open() -> None:
    """One likely topic, with one fix or a known Keras."""
    assert asked({"target-shape": 0.98}) is None
    assert asked({MULTI: 0.98}, "keras-2") is None


def test_the_keras_line_is_asked_where_fixes_differ() -> None:
    """A sure topic with a fix for each line: what is open is the line. With one fix for all, it is not asked."""
    question = asked({MULTI: 0.98}, None)
    assert question is not None
    assert question.kind == "line"
    assert [option.value for option in question.options] == ["keras-3", "keras-2", "keras-2.2"]
    assert asked({"target-shape": 0.98}, None) is None


def test_a_probe_is_named_where_it_tells_most() -> None:
    """Of three likely topics a probe that knows two tells more than a choice between any two."""
    chances = {"target-shape": 0.3, "nan-loss": 0.2, "graph-disconnected": 0.5}
    probe = Listed("p", "model", Text("what it sees", "看什么"), ("graph-disconnected",))
    question = asked(chances, probes=(probe,))
    without = asked(chances)
    assert question is not None
    assert without is not None
    assert question.gain >= without.gain
    certain = asked({"graph-disconnected": 0.6}, probes=(probe,))
    assert certain is not None
    assert certain.kind == "probe"
    assert "--model" in certain.text.en


def test_the_gain_is_no_more_than_what_is_open() -> None:
    """Two topics at a half each are one bit; an answer that may be wrong brings less."""
    question = asked({"target-shape": 0.5, "nan-loss": 0.5})
    assert question is not None
    assert 0.2 < question.gain < 1.0


@pytest.mark.parametrize(("keras", "line"), [("2.2.4", "keras-2.2"), ("2.15", "keras-2"), ("3.4.1", "keras-3")])
def test_the_readers_version_chooses_the_fix(matcher: Matcher, keras: str, line: str) -> None:
    """Told or asked, the version decides which fix is shown; it is not asked for again."""
    diagnosis = Doctor(matcher).diagnose("How do I train one model on several GPUs at once?", keras=keras)
    assert diagnosis.topic == MULTI
    assert diagnosis.fix is not None
    assert line in diagnosis.fix.lines
    assert diagnosis.question is None or diagnosis.question.kind != "line"
