"""The knowledge base is executed: broken code fails with its topic's error, fixed code runs, on the installed Kerases.

Two laboratories (Keras 3 and tf_keras) run side by side, each importing its Keras once and forking per block.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from kerasdoctor.knowledge.entry import Entry, load_entry, topic_ids
from kerasdoctor.knowledge.laboratory import PLACES, Laboratory, Place, Run, judge

INSTALLED = [place for place in PLACES if place.name in ("keras-3", "tf-keras")]


def run_all(place: Place) -> dict[tuple[str, int], Run]:
    """Every block of every entry that names the place's line."""
    with Laboratory(place) as laboratory:
        return {
            (topic, block.number): laboratory.run(block.code)
            for topic in topic_ids()
            for block in load_entry(topic).blocks
            if block.language == "python" and place.line in block.lines
        }


@pytest.fixture(scope="module")
def runs() -> dict[str, dict[tuple[str, int], Run]]:
    """What every block printed, by laboratory."""
    with ThreadPoolExecutor(len(INSTALLED)) as pool:
        return dict(zip([p.name for p in INSTALLED], pool.map(run_all, INSTALLED), strict=True))


@pytest.mark.parametrize("topic", topic_ids())
def test_code_does_what_its_role_says(topic: str, runs: dict[str, dict[tuple[str, int], Run]]) -> None:
    """Broken blocks print one of the topic's signatures (or prove the pitfall), fixed blocks run to their end."""
    entry = load_entry(topic)
    wrong = [
        f"{place} block {block.number} ({block.role}): {complaint}\n{run.output[-1500:]}"
        for place, results in runs.items()
        for block in entry.blocks
        if (run := results.get((topic, block.number))) and (complaint := judge(entry, block, run))
    ]
    assert not wrong, "\n".join(wrong)


def test_topics_without_executed_broken_code_say_why() -> None:
    """The list of topics that cannot be executed is visible: each has a described message with its source instead."""
    for topic in topic_ids():
        entry: Entry = load_entry(topic)
        executed = any(block.role == "broken" for block in entry.blocks)
        assert executed or entry.kind == "howto" or entry.described, topic


def test_a_wrong_block_is_caught() -> None:
    """The judgement can fail: fixed code of another topic is no broken code, and a crash is not a success."""
    entry = load_entry("tensor-op-outside-layer")
    broken = next(block for block in entry.blocks if block.role == "broken")
    fixed = next(block for block in entry.blocks if block.role == "fixed")
    place = next(p for p in PLACES if p.name == "keras-3")
    with Laboratory(place) as laboratory:
        assert judge(entry, broken, laboratory.run(fixed.code))
        assert judge(entry, fixed, laboratory.run(broken.code))
        assert laboratory.run("import os; os.kill(os.getpid(), 9)").outcome == "crashed"
        assert laboratory.run("while True: pass", seconds=1).outcome == "timed_out"
        assert laboratory.run("print(1)").output == "1\n"
