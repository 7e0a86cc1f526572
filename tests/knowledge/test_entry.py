"""The entry format is read strictly: every mistake is told with file, field and what was expected."""

from __future__ import annotations

import pytest
from kerasdoctor.errors import EntryError
from kerasdoctor.knowledge.entry import Entry, entries_folder, has_entry, load_entry, parse_entry
from kerasdoctor.knowledge.indexing import recorded
from kerasdoctor.knowledge.laboratory import shown, unproven
from kerasdoctor.knowledge.signature import found

GOOD = (entries_folder() / "tensor-op-outside-layer.md").read_text(encoding="utf-8")
FILE = "tensor-op-outside-layer.md"


def test_a_good_entry_is_read() -> None:
    """All parts of an entry arrive where they belong."""
    entry = parse_entry(FILE, GOOD)
    assert entry.id == "tensor-op-outside-layer"
    assert entry.section("en", 2).startswith("Let a layer")
    assert {block.role for block in entry.blocks} == {"broken", "fixed"}
    assert {line for block in entry.blocks for line in block.lines} == {"keras-3", "keras-2", "keras-2.2"}


BREAKS = {
    "front matter": lambda s: s.replace("---\n", "", 1),
    "YAML": lambda s: s.replace("title:\n", "title: [\n", 1),
    "kind": lambda s: s.replace("kind: error", "kind: mistake"),
    "title": lambda s: s.replace("\n  zh:", "\n  cn:", 1),
    "unknown field": lambda s: s.replace("kind: error", "kind: error\nprio: 3"),
    "id": lambda s: s.replace("id: tensor-op-outside-layer", "id: another"),
    "questions.zh": lambda s: s.split("  zh:\n    - ")[0] + "  zh: [x]\n" + s[s.index("described:") :],
    "headings": lambda s: s.replace("# 中文", "# Chinese"),
    "English": lambda s: s.replace("## Why", "## Because"),
    "block": lambda s: s.replace("```python broken keras-3", "```python broken keras-4", 1),
    "Code": lambda s: s.replace("```python broken keras-3", "```python", 1),
    "sources": lambda s: s[: s.index("sources:")] + "sources: []\n---\n" + s.split("\n---\n", 1)[1],
    "signatures": lambda s: s.replace("signatures:\n", 'signatures:\n  - "Error"\n', 1),
}


@pytest.mark.parametrize("field", BREAKS)
def test_each_mistake_is_told(field: str) -> None:
    """A broken entry stops with the file's name and the field, never silently."""
    with pytest.raises(EntryError) as caught:
        parse_entry(FILE, BREAKS[field](GOOD))
    assert caught.value.file == FILE
    assert field in str(caught.value)


@pytest.mark.parametrize("topic", ["../secret", "no-such-topic", "", "A", "a/b"])
def test_ids_never_become_paths(topic: str) -> None:
    """Only an existing, well-formed id is looked up."""
    assert not has_entry(topic)
    with pytest.raises(EntryError):
        load_entry(topic)


def test_every_signature_was_printed_or_described(entries: list[Entry]) -> None:
    """No signature is invented: a recorded trace of the topic or a described message contains it."""
    missing = {entry.id: left for entry in entries if (left := unproven(entry, recorded(entry.id)))}
    assert not missing


def test_every_trace_belongs_to_an_entry_and_shows_its_signature(entries: list[Entry]) -> None:
    """A recorded trace without its topic, or without any of its signatures, is stale."""
    signatures = {entry.id: entry.signatures for entry in entries}
    folder = entries_folder().joinpath("..", "traces")
    stale = []
    for place in folder.iterdir():
        for trace in place.iterdir() if place.is_dir() else ():
            topic = trace.name.removesuffix(".txt")
            texts = trace.read_text(encoding="utf-8").split("\f\n")
            known = [any(found(s, shown(text)) for s in signatures.get(topic, ())) for text in texts]
            stale += [f"{place.name}/{topic}"] if not all(known) else []
    assert not stale


def test_probes_that_entries_name_exist(entries: list[Entry]) -> None:
    """An entry names only probes that are there, and each probe only topics with a place in the catalogue of ids."""
    from kerasdoctor.diagnostics.probe import all_probes  # noqa: PLC0415 - only this test looks upwards

    known = {probe.id for probe in all_probes()}
    assert {probe for entry in entries for probe in entry.probes} <= known
