"""The entry format is read strictly: every mistake is told with file, field and what was expected."""

from __future__ import annotations

import pytest
from kerasdoctor.errors import EntryError
from kerasdoctor.knowledge.entry import Entry, entries_folder, has_entry, load_entry, parse_entry, topic_ids
from kerasdoctor.knowledge.laboratory import shown, unproven
from kerasdoctor.knowledge.recorded import TRACES, traces_of
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
    missing = {e.id: left for e in entries if (left := unproven(e, [t for ts in traces_of(e.id).values() for t in ts]))}
    assert not missing


def test_every_trace_belongs_to_an_entry_and_shows_its_signature(entries: list[Entry]) -> None:
    """A recorded trace without its topic, or without any of its signatures, is stale."""
    signatures = {entry.id: entry.signatures for entry in entries}
    assert {path.stem for path in TRACES.glob("*/*.txt")} <= signatures.keys()
    stale = [
        f"{laboratory}/{topic}"
        for topic in signatures
        for laboratory, texts in traces_of(topic).items()
        if not all(any(found(s, shown(text)) for s in signatures[topic]) for text in texts)
    ]
    assert not stale


@pytest.mark.parametrize(
    ("words", "laboratories"),
    [
        ("broken keras-3", ("keras-3", "keras-3.0")),
        ("broken keras-3 -keras-3.0 keras-2.2", ("keras-3", "keras-2.2")),
        ("broken keras-2 -tf-2.4", ("tf-keras", "keras-2.15", "keras-2.12")),
        ("broken keras-2.12", ("keras-2.12",)),
    ],
)
def test_a_block_names_lines_and_laboratories(words: str, laboratories: tuple[str, ...]) -> None:
    """A line stands for all its laboratories, a laboratory for itself, and a minus takes one out."""
    entry = parse_entry(FILE, GOOD.replace("```python broken keras-3\n", f"```python {words}\n", 1))
    assert entry.blocks[0].laboratories == laboratories


@pytest.mark.parametrize("words", ["broken", "broken -tf-2.4", "broken keras-3 -tf-2.4", "broken keras-3 -keras-9"])
def test_an_exception_that_excepts_nothing_is_an_error(words: str) -> None:
    """A minus needs a line from which it takes a laboratory that is known."""
    with pytest.raises(EntryError, match="laboratories of"):
        parse_entry(FILE, GOOD.replace("```python broken keras-3\n", f"```python {words}\n", 1))


def test_topics_that_probes_and_repairs_name_exist() -> None:
    """Whatever a probe or a repair speaks of can be read about."""
    from kerasdoctor.diagnostics.probe import all_probes  # noqa: PLC0415 - only this test looks upwards
    from kerasdoctor.diagnostics.repair import all_repairs  # noqa: PLC0415

    named = {topic for each in (*all_probes(), *all_repairs()) for topic in each.topics}
    assert named <= set(topic_ids())
