"""What is read in a file is masked: in an answer, in the database, in a repair."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from kerasdoctor.diagnostics.doctor import Subjects
from kerasdoctor.diagnostics.probe import Finding
from kerasdoctor.knowledge.matcher import Matcher
from kerasdoctor.knowledge.text import Text
from kerasdoctor.service.masked import MaskedDoctor, masked

EXAMPLES = Path(__file__).parents[2] / "examples"
SECRET = "ghp_" + "a1B2" * 9


def renamed(folder: Path, name: str) -> Path:
    """The model of the examples, its convolution called otherwise."""
    copy = folder / "digits.keras"
    with zipfile.ZipFile(EXAMPLES / "digits.keras") as read, zipfile.ZipFile(copy, "w") as written:
        for member in read.namelist():
            data = read.read(member)
            if member == "config.json":
                data = data.replace(b'"conv2d"', json.dumps(name).encode())
            written.writestr(member, data)
    return copy


def test_a_layer_s_name_is_masked(matcher: Matcher, tmp_path: Path) -> None:
    """Keys and names of people in a model are told by nobody; the rest of the evidence stays."""
    name = f"{SECRET} /home/alice/conv"
    diagnosis = MaskedDoctor(matcher).diagnose("", Subjects((renamed(tmp_path, name),)), "en")
    told = json.dumps(diagnosis.as_json())
    assert SECRET not in told
    assert "alice" not in told
    assert "uint8" in next(each for each in diagnosis.findings if each.probe == "dtype-casts").evidence[0].en


def test_what_holds_no_secret_stays_as_it_is(matcher: Matcher) -> None:
    """An ordinary model's findings are those of the doctor."""
    subjects = Subjects((EXAMPLES / "digits.keras", EXAMPLES / "churn.h5"))
    ours = MaskedDoctor(matcher).diagnose("", subjects, "en")
    assert ours == super(MaskedDoctor, MaskedDoctor(matcher)).diagnose("", subjects, "en")


def test_every_text_of_a_value_is_masked() -> None:
    """In both languages, and in lists."""
    text = Text(f"layer {SECRET}", f"层 {SECRET}")
    finding = Finding("objective", "model.keras", "finding", evidence=(text, text), layers=(SECRET,))
    assert SECRET not in json.dumps(
        [masked(finding).evidence[1].zh, masked(finding).layers, masked(finding).evidence[0].en]
    )
