"""Which versions people tell as theirs, and of which they only speak."""

from __future__ import annotations

import time

import pytest
from kerasdoctor.knowledge.lines import line_of
from kerasdoctor.service.version_talk import RELEASE, bare_version, keras_of, only_versions, without_past

# A clause, the versions in it that fail, the others.
CLAUSES = """
in 2.2.4 it worked | | keras 2.2.4
it worked with keras 2.3 and tensorflow 1.15 | | keras 2.3 tensorflow 1.15
it worked with tf 1.15 | | tensorflow 1.15
works on 2.15 fails on 3.0 | keras 3.0 | keras 2.15
2.15能跑3.0报错 | keras 3.0 | keras 2.15
tf 2.10 -> 2.16 | tensorflow 2.16 | tensorflow 2.10
从 tf1.15 升级到 tf2.10 就报错 | tensorflow 2.10 | tensorflow 1.15
upgraded from 1.15 to 2.16 | tensorflow 2.16 | tensorflow 1.15
before upgrading to keras 3 it worked | keras 3 |
升级到 keras 3 之前没问题 | keras 3 |
i used keras 2 before and tf 2.16 now | tensorflow 2.16 | keras 2
i'm not using keras 3 | | keras 3
doesn't work on keras 3 | keras 3 |
以前用 keras 2.2.4 没有报错 | | keras 2.2.4
现在用 keras 3.5 | keras 3.5 |
keras 2.2.4 tensorflow 1.12 python 3.6 | keras 2.2.4 tensorflow 1.12 |
"""


@pytest.mark.parametrize("row", CLAUSES.strip().splitlines())
def test_the_versions_of_a_clause(row: str) -> None:
    """The one that fails is told apart from those that did not, were left, or are denied."""
    clause, now, past = (part.strip() for part in row.split("|"))
    told = only_versions(clause)
    assert told
    assert (told.now, told.past) == (now, past)


@pytest.mark.parametrize(
    "clause",
    [
        "learning rate 2.5",
        "model.fit is slow on keras 2.4",
        "it's 2.4",
        "the loss is 1.5",
        "batch size 32",
        "2.4",
        "step 1.2.3",
    ],
)
def test_what_is_no_version_alone(clause: str) -> None:
    """Other numbers, and versions beside a problem."""
    assert only_versions(clause) is None


@pytest.mark.parametrize(
    ("text", "kept", "gone"),
    [
        ("It worked on my colleague's laptop which has TF 2.6, on my new machine TF 2.16 fails", "TF 2.16", "2.6"),
        ("以前用 keras 2.2.4 一切正常，升级到 keras 3.1 以后模型加载失败", "keras 3.1", "2.2.4"),
        ("On TF 1.15 everything was fine.\nValueError: no such layer in Keras 3.1", "Keras 3.1", "1.15"),
        ("Loading fails with Keras 3.5, but Keras 2.15 works", "Keras 3.5", "2.15"),
    ],
)
def test_a_text_without_past_versions(text: str, kept: str, gone: str) -> None:
    """The doctor reads of a text only the versions of the program that failed; the rest of the text stays as it is."""
    read = without_past(text)
    assert kept in read
    assert gone not in read
    assert len(read) == len(text)


def test_texts_without_past_versions_stay_as_they_are() -> None:
    """Tracebacks, lists of packages, anything else."""
    for text in (
        "",
        "keras==2.15.0\ntensorflow==2.15.0",
        "İ keras 2.4 worked",
        'File "a.py", line 3\nKeras 2.4 was built',
    ):
        assert without_past(text) == text


@pytest.mark.parametrize(
    "text", ["keras 2.4 " * 28, "tf 1.15 -> " * 25, "2." * 149, "keras is is " * 24, "worked with keras 2 " * 14]
)
def test_no_line_takes_long(text: str) -> None:
    """Repetitions are read at once, a long paste too."""
    began = time.perf_counter()
    only_versions(text[:100])
    without_past("\n".join([text] * 300))
    assert time.perf_counter() - began < 3


def test_what_stands_for_a_line_tells_no_release() -> None:
    """Where only the line was told, no release is made up: "Keras 2" stays that, and still leads to its line."""
    for line, release in RELEASE.items():
        assert line_of(release, None) == line
    assert keras_of("keras 2") == keras_of("tensorflow 2.3") == "2"
    assert keras_of("keras 2.0") == "2.0"
    assert line_of("2.0", None) == "keras-2.2"
    assert bare_version("2") == "2"
