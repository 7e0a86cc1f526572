"""The published schema: every diagnosis fits it, and what does not fit is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from kerasdoctor.diagnostics.diagnosis import SCHEMA
from kerasdoctor.diagnostics.doctor import Doctor, Subjects
from kerasdoctor.diagnostics.said import Said
from kerasdoctor.diagnostics.schema import diagnosis_schema
from kerasdoctor.knowledge.matcher import Matcher
from kerasdoctor.knowledge.recorded import traces_of

EXAMPLES = Path(__file__).parents[2] / "examples"
GPUS = "How do I train one model on several GPUs at once?"
TEXTS = {
    "known": next(iter(traces_of("graph-disconnected").values()))[-1],
    "not known": "KeyError: 'Age'",
    "asked about the line": GPUS,
    "asked about topics": "why is val different from train",
    "Chinese": "训练时 loss 是 nan，怎么办？",
    "empty": "",
}


@pytest.fixture(scope="module")
def doctor(matcher: Matcher) -> Doctor:
    return Doctor(matcher)


def valid(diagnosis: dict[str, Any]) -> None:
    Draft202012Validator(diagnosis_schema()).validate(json.loads(json.dumps(diagnosis)))


def test_it_is_a_schema_that_describes_itself() -> None:
    """Of the dialect 2020-12, under the name that each diagnosis gives, every property with a description or a type."""
    schema = diagnosis_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == schema["properties"]["schema"]["const"] == SCHEMA
    assert json.loads(json.dumps(schema)) == schema


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_diagnoses_fit(doctor: Doctor, name: str, lang: Any) -> None:
    """Known and not known, with and without a question, in both languages."""
    valid(doctor.diagnose(TEXTS[name], lang=lang).as_json())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_diagnoses_with_findings_fit(doctor: Doctor, tmp_path: Path, lang: Any) -> None:
    """Of a model with a fault, a log, a report, what is not there; after answers."""
    (tmp_path / "log.csv").write_text("epoch,loss\n0,1.0\n1,nan\n")
    report = Path(__file__).with_name("environments") / "no-gpu.json"
    files = (EXAMPLES / "digits.keras", tmp_path / "log.csv", report, tmp_path / "none.keras")
    told = doctor.diagnose("", Subjects(files), lang, said=Said(likely=frozenset({"nan-loss"}))).as_json()
    assert {finding["outcome"] for finding in told["findings"]} >= {"finding", "nothing", "could_not_look"}
    valid(told)


def test_every_kind_of_question_fits(doctor: Doctor) -> None:
    """And each has a key that stays the same."""
    seen = {}
    for text in TEXTS.values():
        asked: frozenset[str] = frozenset()
        for _ in range(6):
            told = doctor.diagnose(text, said=Said(asked=asked)).as_json()
            valid(told)
            if told["question"]:
                seen[told["question"]["kind"]] = told["question"]
                asked |= {told["question"]["key"]}
    assert set(seen) == {"line", "topics", "probe"}
    assert seen["line"]["key"] == "line"
    assert seen["probe"]["key"] == f"probe:{seen['probe']['probe']}"
    assert seen["topics"]["key"] == "topics:" + "|".join(sorted(o["value"] for o in seen["topics"]["options"][:2]))


def test_what_does_not_fit_is_told(doctor: Doctor) -> None:
    """A property too much, one too few, one of another type."""
    sound = doctor.diagnose(GPUS).as_json()
    for broken in (
        sound | {"more": 1},
        {name: value for name, value in sound.items() if name != "topic"},
        sound | {"confidence": 1.5},
        sound | {"schema": "kerasdoctor.diagnosis/1"},
        sound | {"question": sound["question"] | {"kind": "riddle"}},
        sound | {"fix": sound["fix"] | {"lines": ["keras-9"]}},
    ):
        with pytest.raises(ValidationError):
            valid(broken)
