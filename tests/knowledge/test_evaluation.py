"""The figures of `kerasdoctor evaluate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kerasdoctor.errors import InputError
from kerasdoctor.knowledge.cases import Case, load_cases
from kerasdoctor.knowledge.evaluation import Evaluation, Result, evaluate
from kerasdoctor.knowledge.matcher import Matcher


def result(kind: str, expect: set[str], *named: str, lang: str = "en") -> Result:
    return Result(Case("x", kind, lang, "text", frozenset(expect)), named, 0.5)


def test_figures() -> None:
    """Ranks, reciprocal ranks and false alarms are counted as documented; not known is wrong."""
    figures = Evaluation(
        (
            result("traceback", {"a"}, "a", "b"),
            result("traceback", {"b", "c"}, "a", "c"),
            result("question", {"a"}, "x", "y", "z", "a", lang="zh"),
            result("question", {"a"}, lang="zh"),
            result("negative", set(), "a"),
            result("negative", set()),
        ),
        ("left",),
    ).as_json()
    assert figures["top1"]["value"] == 0.25
    assert figures["top3"]["value"] == 0.5
    assert figures["mrr"]["value"] == pytest.approx((1 + 1 / 2 + 1 / 4 + 0) / 4, abs=1e-4)
    assert figures["false_alarms"]["value"] == 0.5
    assert figures["false_alarms"]["n"] == 2
    assert figures["by_kind"]["traceback"]["top1"]["n"] == 2
    assert figures["by_lang"]["zh"]["top1"]["value"] == 0
    assert figures["left_out"] == 1


def test_wilson_interval() -> None:
    """The interval of a proportion is Wilson's: 8 of 10 gives 0.49 to 0.94."""
    cases = [result("traceback", {"a"}, "a") for _ in range(8)] + [result("traceback", {"a"}, "b") for _ in range(2)]
    top1 = Evaluation(tuple(cases), ()).as_json()["top1"]
    assert (round(top1["low"], 3), round(top1["high"], 3)) == (0.490, 0.943)


def test_topics_without_entry_are_left_out(matcher: Matcher) -> None:
    """A case that no entry can answer is counted apart, not as a miss."""
    evaluation = evaluate([Case("a", "traceback", "en", "x", frozenset({"no-such-topic"}))], matcher)
    assert evaluation.left_out == ("a",)
    assert evaluation.as_json()["top1"]["n"] == 0


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("not json", "line 1"),
        ('{"id": "a"}', "expected an object"),
        ('{"id": "a", "kind": "negative", "lang": "en", "text": "x", "expect": ["y"]}', "empty for a negative"),
        ('{"id": "a", "kind": "question", "lang": "en", "text": 3, "expect": ["y"]}', "must be texts"),
        ("", "holds no case"),
    ],
)
def test_bad_files_are_told(tmp_path: Path, line: str, complaint: str) -> None:
    """The line and what was expected are named."""
    path = tmp_path / "cases.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=complaint):
        load_cases(path)


def test_further_fields_are_ignored(tmp_path: Path) -> None:
    """A file of cases may carry more than is needed."""
    path = tmp_path / "cases.jsonl"
    case = {"id": "a", "kind": "question", "lang": "en", "text": "x", "expect": ["y"], "source": "z"}
    path.write_text(json.dumps(case), encoding="utf-8")
    assert load_cases(path)[0].expect == {"y"}
