"""Concepts: words of two languages that mean the same are found, the longest phrase first."""

from __future__ import annotations

from pathlib import Path

import pytest
from kerasdoctor.errors import EntryError
from kerasdoctor.knowledge.concepts import Lexicon, load_phrases, normal
from kerasdoctor.knowledge.matcher import Matcher
from kerasdoctor.knowledge.parser import parse

PHRASES = {
    "validation": "validation",
    "验证集": "validation",
    "accuracy": "accuracy",
    "acc": "accuracy",
    "准确率": "accuracy",
    "val": "validation",
    "val_acc": "validation",
    "not going up": "stuck",
    "doesnt rise": "stuck",
    "不上升": "stuck",
    "going": "start",
}


@pytest.mark.parametrize(
    ("text", "concepts"),
    [
        ("Validation accuracy not going up", ["validation", "accuracy", "stuck"]),
        ("the ACC doesn't rise", ["accuracy", "stuck"]),
        ("going on", ["start"]),
        ("val_acc", ["validation", "validation", "accuracy"]),
        ("验证集准确率一直不上升", ["validation", "accuracy", "stuck"]),
        ("我的val准确率不上升了", ["validation", "accuracy", "stuck"]),
        ("", []),
        ("____ ...", []),
    ],
)
def test_concepts_are_found(text: str, concepts: list[str]) -> None:
    """Latin words whole and without case or apostrophes, Chinese anywhere, identifiers also by their words."""
    assert Lexicon(PHRASES).concepts(text) == concepts


@pytest.mark.parametrize("source", ["[a]", "a: b", "a: []", "a: [x]\nb: [X]"])
def test_a_lexicon_must_be_a_mapping_without_doubles(source: str, tmp_path: Path) -> None:
    """What is wrong is told with the concept."""
    path = tmp_path / "concepts.yaml"
    path.write_text(source, encoding="utf-8")
    with pytest.raises(EntryError):
        load_phrases(path)


def test_the_lexicon_of_the_knowledge_base_holds_both_languages() -> None:
    """Hundreds of concepts; phrases are as they are compared, and most concepts can be said in either language."""
    phrases = load_phrases()
    assert all(phrase == normal(phrase) for phrase in phrases)
    latin = {concept for phrase, concept in phrases.items() if phrase.isascii()}
    chinese = {concept for phrase, concept in phrases.items() if not phrase.isascii()}
    assert len(latin | chinese) > 300
    assert len(latin & chinese) / len(latin | chinese) > 0.9


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("训练几轮以后 loss 就变成 nan 了，怎么回事", "nan-loss"),
        ("显存不够，一训练就 OOM", "gpu-out-of-memory"),
        ("how do I stop training when the validation loss no longer improves", "early-stopping"),
        ("怎么冻结前几层只训练最后的全连接层", "freeze-layers"),
        ("每次运行结果都不一样，怎么固定随机种子", "reproducible-results"),
        ("my card is there but tensorflow lists no gpu devices", "gpu-not-visible"),
    ],
)
def test_everyday_questions_are_answered(matcher: Matcher, text: str, topic: str) -> None:
    """Short questions in either language, in nobody's exact words, are known."""
    ranking = matcher.match(parse(text))
    assert ranking.known
    assert ranking.matches[0].topic == topic
