"""The user's documents are covered: each of their items is mapped to the entries that answer it, in words found there."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from kerasdoctor.knowledge.entry import entries_folder, topic_ids

DOCUMENTS = {
    "d0_keras_traps": 20,
    "d1_keras_faq": 100,
    "d2_keras_learning_notes": 150,
    "d3_keras_notes_2017": 20,
    "d4_keras_notes_and_common_errors": 100,
}
ANSWERED = {"at", "about", "topics", "says"}
FOLDER = entries_folder().joinpath("..", "coverage")


def items(document: str) -> list[dict[str, Any]]:
    return yaml.safe_load(FOLDER.joinpath(f"{document}.yaml").read_text(encoding="utf-8"))


def source(topic: str) -> str:
    return entries_folder().joinpath(f"{topic}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_item_is_answered_by_an_entry(document: str) -> None:
    """An item names entries that exist; the first one contains the words that show that it answers."""
    known = set(topic_ids())
    wrong = []
    for item in items(document):
        if "nothing" in item:
            assert set(item) == {"at", "about", "nothing"}, item
            continue
        assert set(item) in (ANSWERED, ANSWERED | {"then", "now"}), item
        assert item["topics"], item
        assert item["says"], item
        if not known.issuperset(item["topics"]):
            wrong.append((item["at"], item["topics"]))
        elif missing := [words for words in item["says"] if str(words) not in source(item["topics"][0])]:
            wrong.append((item["at"], item["topics"][0], missing))
    assert not wrong


@pytest.mark.parametrize(("document", "least"), DOCUMENTS.items())
def test_documents_are_mapped_from_end_to_end(document: str, least: int) -> None:
    """Items stand in the document's order, and none was lost: fewer than there were is an error."""
    lines = [item["at"] for item in items(document)]
    assert lines == sorted(lines)
    assert len(lines) >= least


def test_there_is_a_map_for_each_document_and_no_other() -> None:
    """Five documents, five maps."""
    assert {path.name for path in FOLDER.iterdir()} == {f"{document}.yaml" for document in DOCUMENTS}
