"""The doctor: text and subjects in, a diagnosis out, on recorded traces and real models."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from kerasdoctor.diagnostics.doctor import Doctor, Subjects
from kerasdoctor.diagnostics.probe import Finding
from kerasdoctor.diagnostics.progress import Step, Watch
from kerasdoctor.diagnostics.said import Said
from kerasdoctor.diagnostics.weighing import LEAST_NAMED, NO_TEXT, weigh
from kerasdoctor.errors import Cancelled
from kerasdoctor.knowledge.matcher import Match, Matcher, Ranking
from kerasdoctor.knowledge.recorded import traces_of

EXAMPLES = Path(__file__).parents[2] / "examples"
SHARED = (
    "ValueError: The layer \"shared\" has multiple inbound nodes, hence the notion of 'layer output' is ill-defined."
)


@pytest.fixture(scope="module")
def doctor(matcher: Matcher) -> Doctor:
    return Doctor(matcher)


def finding(*topics: str, ruled_out: tuple[str, ...] = ()) -> Finding:
    return Finding("inbound-nodes", "m.keras", "finding" if topics else "nothing", topics, ruled_out)


RANKING = Ranking((Match("graph-disconnected", 0.5, ()), Match("layer-names", 0.2, ())), unknown=0.2, known=True)


def test_findings_change_the_odds() -> None:
    """A confirmed topic rises, one that was ruled out falls, and all probabilities still make one with the rest."""
    before, unknown = weigh(RANKING, [])
    assert before == pytest.approx({"graph-disconnected": 0.5, "layer-names": 0.2})
    assert unknown == pytest.approx(0.2)
    up, less = weigh(RANKING, [finding("graph-disconnected")])
    assert up["graph-disconnected"] > 0.9
    assert set(up) == set(before)
    assert less < unknown
    down, more = weigh(RANKING, [finding(ruled_out=("graph-disconnected",))])
    assert down["graph-disconnected"] < 0.3
    assert more > unknown


def test_evidence_of_a_model_supports_a_match(doctor: Doctor, keras_3: Path) -> None:
    """The layer that the message is about is found in the model, and the diagnosis says so."""
    without = doctor.diagnose(SHARED)
    with_model = doctor.diagnose(SHARED, Subjects((keras_3 / "branches.keras",)))
    assert without.topic == with_model.topic == "multiple-inbound-nodes"
    assert with_model.confidence > without.confidence
    assert any("inbound-nodes" in reason.en for reason in with_model.reasons)
    assert any("'shared'" in text.en for f in with_model.findings for text in f.evidence)


def test_evidence_against_lowers_a_match(doctor: Doctor, keras_3: Path) -> None:
    """A model in which every layer is called once speaks against it."""
    without = doctor.diagnose(SHARED)
    against = doctor.diagnose(SHARED, Subjects((keras_3 / "sequential.keras",)))
    assert against.confidence < without.confidence


def test_a_fault_speaks_for_itself(doctor: Doctor, keras_3: Path) -> None:
    """Even without a text, a fault in the model is named."""
    diagnosis = doctor.diagnose("", Subjects((keras_3 / "bytes_in.keras",)))
    assert diagnosis.topic in ("dtype-not-allowed", "dtype-mismatch-op", "integer-inputs-not-scaled")
    assert doctor.diagnose("", Subjects((keras_3 / "sequential.keras",))).topic is None


def test_an_unrelated_fault_does_not_override_the_text(doctor: Doctor, keras_3: Path) -> None:
    """The paste is about one thing, the model has another fault: the answer is to the paste, the fault is told."""
    diagnosis = doctor.diagnose(SHARED, Subjects((keras_3 / "bytes_in.keras",)))
    assert diagnosis.topic == "multiple-inbound-nodes"
    assert "finding" in {f.outcome for f in diagnosis.findings}


def test_the_fix_is_for_the_readers_keras(doctor: Doctor) -> None:
    """The same error told by three Kerases gets three fixes."""
    trace = traces_of("tensor-op-outside-layer")["keras-2.2"][-1]
    for versions, line in (("Keras 2.2.4, tensorflow 1.12", "keras-2.2"), ("Keras version: 3.5.0", "keras-3")):
        diagnosis = doctor.diagnose(f"{trace.splitlines()[-1]}\n{versions}")
        assert diagnosis.told.line == line
        assert diagnosis.fix is not None
        assert line in diagnosis.fix.lines
        assert diagnosis.question is None


def test_the_model_tells_the_keras_where_the_text_does_not(doctor: Doctor, keras_3: Path) -> None:
    """A model that Keras 3 wrote is as good as a version number."""
    assert doctor.diagnose(SHARED).told.line is None
    assert doctor.diagnose(SHARED, Subjects((keras_3 / "branches.keras",))).told.line == "keras-3"


def test_the_environment_tells_the_keras(doctor: Doctor) -> None:
    """What is installed in the examined environment decides, and the GPU probe has looked."""
    diagnosis = doctor.diagnose(SHARED, Subjects(python=Path(sys.executable)))
    assert diagnosis.told.line == "keras-3"
    assert diagnosis.told.tensorflow
    assert [f.outcome for f in diagnosis.findings if f.probe == "gpu-visibility"] in (["nothing"], ["finding"])


def test_subjects_that_cannot_be_examined_are_told(doctor: Doctor, tmp_path: Path) -> None:
    """A missing model and a missing interpreter end in "could not look", not in an error."""
    diagnosis = doctor.diagnose(SHARED, Subjects((tmp_path / "none.keras",), python=tmp_path / "python"))
    assert diagnosis.topic == "multiple-inbound-nodes"
    assert {f.outcome for f in diagnosis.findings} == {"could_not_look"}
    assert all("no such" in f.evidence[0].en for f in diagnosis.findings)


def test_not_known_says_what_would_help(doctor: Doctor) -> None:
    """No topic, no fix, but whose code it was and what to add."""
    diagnosis = doctor.diagnose("KeyError: 'Age'")
    assert diagnosis.topic is None
    assert diagnosis.fix is None
    assert diagnosis.advice
    assert diagnosis.confidence > 0.5


@pytest.mark.parametrize("text", ["", "x", SHARED, "训练时 loss 是 nan", "\x00" * 100])
def test_any_text_gives_a_diagnosis_that_travels_as_json(doctor: Doctor, text: str) -> None:
    """The diagnosis is plain values, the same each time."""
    first, second = doctor.diagnose(text).as_json(), doctor.diagnose(text).as_json()
    assert json.loads(json.dumps(first)) == first
    assert first == second


def test_without_a_known_keras_the_newest_fix_is_shown(doctor: Doctor) -> None:
    """Who doesn't say which Keras it is gets the fix for the current one, and is asked."""
    diagnosis = doctor.diagnose("How do I train one model on several GPUs at once?")
    assert diagnosis.fix is not None
    assert "keras-3" in diagnosis.fix.lines
    assert diagnosis.question is not None
    assert diagnosis.question.kind == "line"


def test_not_known_asks_too(doctor: Doctor) -> None:
    """A vague question is not answered, but the nearest topics are told apart where one is likely enough."""
    texts = ("validation results look strange", "my model gives the wrong output", "why is val different from train")
    diagnoses = [doctor.diagnose(text) for text in texts]
    asked = [d.question for d in diagnoses if d.topic is None and d.question is not None]
    assert asked
    assert all(question.options for question in asked if question.kind != "probe")


# What the person said beside the text


def test_what_was_said_changes_the_odds() -> None:
    """What is ruled out is gone, a tenth of it as "not known", the rest to all others; what was chosen rises as PERSON says."""
    before, unknown = weigh(RANKING, [])
    after, more = weigh(RANKING, [], said=Said(ruled_out=frozenset({"graph-disconnected"})))
    assert set(after) == {"layer-names"}
    assert after["layer-names"] / more == pytest.approx(before["layer-names"] / (unknown + 0.05))
    assert after["layer-names"] + more == pytest.approx(0.45 / 0.55)  # the rest is of topics that are not in question
    chosen, less = weigh(RANKING, [], said=Said(likely=frozenset({"layer-names"})))
    assert chosen["layer-names"] / less == pytest.approx(0.85 / 0.15)
    assert chosen["graph-disconnected"] < before["graph-disconnected"]
    both = Said(frozenset({"layer-names", "graph-disconnected"}), frozenset({"layer-names"}))
    assert weigh(RANKING, [finding("layer-names")], said=both)[0] == {}


def test_a_topic_in_no_list_can_be_chosen() -> None:
    """One that only a question or a finding brought up; a name that is no topic is not counted."""
    chosen, _ = weigh(RANKING, [], said=Said(likely=frozenset({"nan-loss", "no-such-topic"})))
    assert set(chosen) == {"graph-disconnected", "layer-names", "nan-loss"}


def test_what_did_not_help_is_not_named_again(doctor: Doctor, keras_3: Path) -> None:
    """Not as the answer, nor among the alternatives, nor in a question, even where a probe confirms it; in the end it is not known."""
    subjects = Subjects((keras_3 / "branches.keras",))
    ruled_out: frozenset[str] = frozenset()
    for _ in range(12):
        diagnosis = doctor.diagnose(SHARED, subjects, said=Said(ruled_out))
        named = {diagnosis.topic, *(other.topic for other in diagnosis.alternatives)} - {None}
        assert not named & ruled_out
        assert diagnosis.question is None or not {o.value for o in diagnosis.question.options} & ruled_out
        if diagnosis.topic is None:
            break
        ruled_out |= {diagnosis.topic}
    assert "multiple-inbound-nodes" in ruled_out
    assert diagnosis.topic is None
    assert "Not known" in diagnosis.summary.en
    assert diagnosis.confidence > 0


@pytest.mark.parametrize("text", [SHARED, "loss is nan", "训练时 loss 不下降"])
def test_what_hardly_fits_is_not_named(doctor: Doctor, text: str) -> None:
    """Once the topic that fits is ruled out, what had no more than a trace of the probability is no answer."""
    first = doctor.diagnose(text)
    assert first.topic is not None
    after = doctor.diagnose(text, said=Said(frozenset({first.topic})))
    assert after.topic is None
    assert after.advice


@pytest.mark.parametrize("text", ["训练崩了", "  • inputs=tf.Tensor(shape=(32, 28, 28, 1), dtype=uint8)"])
def test_a_topic_is_named_only_where_it_is_likely(doctor: Doctor, text: str) -> None:
    """A text that is about Keras, but hardly more about one topic than about others."""
    diagnosis = doctor.diagnose(text)
    assert diagnosis.topic is None
    assert all(other.confidence < LEAST_NAMED for other in diagnosis.alternatives)


@pytest.mark.parametrize(
    ("text", "file", "topic"),
    [
        ("训练崩了", "churn.h5", "softmax-on-one-unit"),
        ("训练崩了", "digits.keras", "dtype-not-allowed"),  # of three that the probe tells, the one that it has in mind
        ("训练崩了", "training.csv", None),  # what was found there speaks of other topics than the text
        ("accuracy does not improve", None, "accuracy-metric"),
        ("loss stays the same", None, "loss-not-decreasing"),
    ],
)
def test_what_is_named(doctor: Doctor, text: str, file: str | None, topic: str | None) -> None:
    """What a probe saw however unlikely it is, a topic of the text where it is likely enough; it need not be certain."""
    diagnosis = doctor.diagnose(text, Subjects((EXAMPLES / file,)) if file else Subjects())
    assert diagnosis.topic == topic
    assert diagnosis.confidence < 0.9
    assert topic is None or (diagnosis.confidence < LEAST_NAMED) is (file is not None)


def test_a_fault_explains_a_symptom(doctor: Doctor) -> None:
    """What was described counts for the fault that is there; where nothing was, a warning is all there is to go by."""
    symptom = doctor.diagnose("loss stays the same")
    explained = doctor.diagnose("loss stays the same", Subjects((EXAMPLES / "churn.h5",)))
    assert (symptom.topic, explained.topic) == ("loss-not-decreasing", "softmax-on-one-unit")
    assert explained.confidence > symptom.confidence
    warned = Finding("overfitting", "log.csv", "finding", ("overfitting",), (), warning=True)
    nothing = Ranking((), unknown=1.0, known=False)
    assert weigh(nothing, [warned], NO_TEXT)[0]["overfitting"] > 0.9
    assert weigh(nothing, [warned])[0].get("overfitting", 0.0) == 0.0


def test_answers_decide(doctor: Doctor) -> None:
    """Either option of a question makes its topic likelier, neither rules both out; no question comes twice."""
    texts = ("validation results look strange", "my model gives the wrong output", "why is val different from train")
    question = next(q for q in (doctor.diagnose(text).question for text in texts) if q and q.kind == "topics")
    text = next(text for text in texts if doctor.diagnose(text).question == question)
    plain = chances(doctor, text, Said())
    one, other, neither = (option.value for option in question.options)
    for value in (one, other):
        said = Said().answered(question.key, value)
        assert said == Said(likely=frozenset({value}), asked=frozenset({question.key}))
        assert chances(doctor, text, said)[value] > plain[value]
        again = doctor.diagnose(text, said=said).question
        assert again is None or again.key != question.key
    said = Said().answered(question.key, neither)
    assert said.ruled_out == {one, other}
    assert not {one, other} & set(chances(doctor, text, said))


def chances(doctor: Doctor, text: str, said: Said) -> dict[str, float]:
    """The topics that a diagnosis names."""
    diagnosis = doctor.diagnose(text, said=said)
    named = {other.topic: other.confidence for other in diagnosis.alternatives}
    return named | ({diagnosis.topic: diagnosis.confidence} if diagnosis.topic else {})


def test_other_answers_add_no_topic() -> None:
    """One about the Keras line, about a probe, or a value that was no option."""
    for key, value in (("line", "keras-2"), ("probe:shapes", "neither"), ("topics:a|b", "c"), ("", "")):
        assert Said().answered(key, value) == Said(asked=frozenset({key}))


def test_a_question_says_what_it_needs(doctor: Doctor) -> None:
    """A renderer words it for its own channel: the probe, and the kind of subject, which is not there yet."""
    seen = []
    for text in (
        SHARED,
        "val_loss is nan from the first epoch",
        "the loss does not go down",
        "my model gives the wrong output",
    ):
        asked: frozenset[str] = frozenset()
        while (question := doctor.diagnose(text, said=Said(asked=asked)).question) and question.key not in asked:
            seen.append(question)
            asked |= {question.key}
    probes = [question for question in seen if question.kind == "probe"]
    assert probes
    assert all(question.probe and question.subject and question.key == f"probe:{question.probe}" for question in probes)
    assert all(question.probe is None and question.subject is None for question in seen if question.kind != "probe")
    assert all("kerasdoctor explain --" in question.text.en for question in probes)


def test_what_could_still_be_examined_is_told_by_what_the_files_are(doctor: Doctor, tmp_path: Path) -> None:
    """A log under the name of a model leaves the question for a model open, and is no question for a log."""
    (tmp_path / "model.keras").write_text("epoch,loss\n0,1.0\n1,0.9\n")
    assert needs(doctor, Subjects()) >= {"model", "log"}
    given = needs(doctor, Subjects((tmp_path / "model.keras",)))
    assert "model" in given
    assert "log" not in given


def needs(doctor: Doctor, subjects: Subjects) -> set[str]:
    """The kinds of subject that questions ask for, one after the other."""
    asked: frozenset[str] = frozenset()
    kinds = set()
    while question := doctor.diagnose("the loss does not go down", subjects, said=Said(asked=asked)).question:
        kinds |= {question.subject} if question.subject else set()
        asked |= {question.key}
    return kinds


def test_cancelling_ends_a_diagnosis(doctor: Doctor, keras_3: Path) -> None:
    """It raises, and tells no step after that."""
    seen: list[Step] = []
    watch = Watch(lambda step: (seen.append(step), watch.cancel()))
    with pytest.raises(Cancelled):
        doctor.diagnose(SHARED, Subjects((keras_3 / "branches.keras",)), watch=watch)
    assert seen == [Step("branches.keras", "read", "started")]
