"""The knowledge base is executed: broken code fails with its topic's error, fixed code runs, on the installed Kerases.

Two laboratories (Keras 3 and tf_keras) run side by side, each importing its Keras once and forking per block.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from kerasdoctor.knowledge.entry import load_entries, load_entry, topic_ids
from kerasdoctor.knowledge.laboratory import PLACES, Laboratory, judge
from kerasdoctor.knowledge.lines import LABORATORIES
from kerasdoctor.knowledge.parser import parse
from kerasdoctor.knowledge.recorded import digest, ran, traces_of
from kerasdoctor.knowledge.recording import Outcome, run_entries

INSTALLED = [place for place in PLACES if place.name in ("keras-3", "tf-keras")]
# Addresses, of which of two attributes TensorFlow complains, which of several nodes failed first, with its stack, and
# whether its threads reported one failure or several.
VARYING = re.compile(
    r"0x[0-9a-f]+|output_(?:types|shapes)|\[\[.*|Detected at node.*|Tensor\(.*|^\s*(?:->)?\s*[|+] .*|^ *File \".*|"
    r"\d+ root error\(s\) found\.|^ *\(\d\) [A-Z_]+:|\d+ (?:successful operations|derived errors ignored)\.",
    re.MULTILINE,
)
ALIKE = 0.8  # of the words of a message of a graph, whose nodes fail in any order
NOT_RUN = Path(__file__).parents[2] / "knowledge" / "not_run.yaml"


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def outcomes(temporary: Path) -> dict[str, Outcome]:
    """What became of every block, by laboratory: two laboratories side by side."""
    entries = load_entries()
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(len(INSTALLED)) as pool:
        patch.setenv("TMPDIR", str(temporary))
        return {o.place.name: o for o in pool.map(lambda place: run_entries(place, entries), INSTALLED)}


@pytest.mark.parametrize("topic", topic_ids())
def test_code_does_what_its_role_says(topic: str, outcomes: dict[str, Outcome]) -> None:
    """Broken blocks print one of the topic's signatures (or prove the pitfall), fixed blocks run to their end."""
    wrong = [failure for outcome in outcomes.values() for failure in outcome.failures.get(topic, [])]
    assert not wrong, "\n".join(wrong)


@pytest.mark.usefixtures("outcomes")
def test_nothing_is_left_behind(temporary: Path) -> None:
    """Neither files of the pieces nor those that TensorFlow writes for its own use."""
    assert not list(temporary.iterdir())


def essentials(text: str) -> list[set[str]]:
    """The words of each message of a trace, without order and numbers: those differ from run to run."""
    symptoms = parse(text)
    messages = [f"{raised.type}: {raised.message}" for raised in symptoms.raised]
    told = [VARYING.sub("", message) for message in messages or [line.text for line in symptoms.log]]
    return [set(re.findall(r"[A-Za-z]{3,}", message)) for message in told]


def same(before: list[set[str]], now: list[set[str]]) -> bool:
    """Whether two traces say the same; of a graph's failure most words are enough."""
    if len(before) != len(now):
        return False
    pairs = list(zip(before, now, strict=True))
    graph = {"Graph", "execution", "error"}
    return all(
        one == other or (graph <= one & other and len(one & other) >= ALIKE * len(one | other)) for one, other in pairs
    )


def test_another_message_is_not_the_same() -> None:
    """One word changed in an ordinary message is a change; in a graph's failure another failure is."""
    one, other = essentials("ValueError: Unknown layer: Foo"), essentials("ValueError: Unknown loss: Foo")
    assert same(one, one)
    assert not same(one, other)
    graph = "InvalidArgumentError: Graph execution error:\n\nDetected at node a\n"
    shapes = essentials(f"{graph}Incompatible shapes: [16,2] vs. [32,2]\n [[node a]]")
    again = essentials(f"{graph}Incompatible shapes: [8,2] vs. [4,2]\n [[node b]]")
    labels = essentials(f"{graph}Received a label value of 9 which is outside the valid range\n [[node b]]")
    assert same(shapes, again)
    assert not same(shapes, labels)


@pytest.mark.parametrize("topic", topic_ids())
def test_recorded_traces_come_out_again(topic: str, outcomes: dict[str, Outcome]) -> None:
    """What is recorded is what the code prints today; where it is not, both are shown."""
    for name, outcome in outcomes.items():
        recorded, printed = traces_of(topic).get(name, []), outcome.printed[topic]
        assert len(recorded) == len(printed), f"{name}: {len(recorded)} traces are recorded, {len(printed)} came out"
        for before, now in zip(recorded, printed, strict=True):
            both = f"{name}: `make record` renews it\nrecorded:\n{before[-1500:]}\nprinted now:\n{now[-1500:]}"
            assert same(essentials(before), essentials(now)), both


@pytest.mark.parametrize("laboratory", LABORATORIES)
def test_what_is_recorded_was_recorded_of_this_code(laboratory: str) -> None:
    """In every laboratory, those that are not installed here too, the code of today is what was last run."""
    digests = {topic: digest(load_entry(topic), laboratory) for topic in topic_ids()}
    assert ran(laboratory) == {topic: value for topic, value in digests.items() if value}


def test_what_cannot_run_is_listed_with_its_reason() -> None:
    """Topics without executed broken code, and blocks that are shown only: each has a line, and no line is stale."""
    cannot = set()
    for topic in topic_ids():
        entry = load_entry(topic)
        if not any(block.role == "broken" for block in entry.blocks):
            cannot.add(topic)
        for block in entry.blocks:
            if block.language == "sh":
                cannot.add(f"{topic} block {block.number}")
    listed = yaml.safe_load(NOT_RUN.read_text(encoding="utf-8"))
    assert listed.keys() == cannot
    assert all(isinstance(reason, str) and len(reason) > 10 for reason in listed.values())
    for topic in (name for name in listed if " " not in name):
        assert load_entry(topic).described or load_entry(topic).kind == "howto", topic


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
