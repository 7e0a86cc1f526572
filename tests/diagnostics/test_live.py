"""Models that are really run: in the sandbox, by a warm worker for each Keras, and what the live probes make of it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from kerasdoctor.diagnostics.catalogue import probes_of
from kerasdoctor.diagnostics.decoding import decode
from kerasdoctor.diagnostics.depth import Depth
from kerasdoctor.diagnostics.examination import ENGINES, Examination, examine_file
from kerasdoctor.diagnostics.live import Failure, Live
from kerasdoctor.diagnostics.live_steps import told
from kerasdoctor.diagnostics.probe import Finding, examine
from kerasdoctor.diagnostics.progress import Step, Watch
from kerasdoctor.diagnostics.sandbox import LIVE
from kerasdoctor.diagnostics.worker_process import Kind
from kerasdoctor.diagnostics.workers import Workers
from kerasdoctor.errors import Cancelled, SandboxError

from .conftest import edited, save_models

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the locks are those of Linux")
BUILD = Path(__file__).with_name("build_odd_models.py")
PROBES = probes_of("live")
SOUND = (
    "classifier", "one_hot", "regression", "words", "nested_words", "named", "pictures", "stateful", "strings", "integers",
    "two_tables", "shared_table", "open_cube", "nested_outputs", "fixed_one",
)  # fmt: skip


@dataclass
class Ward:
    """The models that one Keras saved, the workers that run them, and what was seen of them already."""

    keras: Kind
    folder: Path
    workers: Workers
    seen: dict[str, Live] = field(default_factory=dict)

    def run(self, name: str, *, train: bool = True) -> Live:
        """What running a model showed."""
        path = self.folder / f"{name}.keras"
        arguments = {"path": str(path), "engine": ENGINES[self.keras], "train": train}
        live: Live = decode(Live, self.workers.run(self.keras, "live", arguments, (path,)).value, name)
        return live

    def look(self, name: str, *suspected: str) -> dict[str, Finding]:
        """What each live probe makes of that; the model is run once for all tests."""
        live = self.seen.get(name) or self.seen.setdefault(name, self.run(name))
        return {probe.id: examine(probe, live, name, frozenset(suspected)) for probe in PROBES}

    def examine(self, path: Path, *, allow_code: bool = False) -> Examination:
        """The examination of a file as `check --live` does it, by the live probes alone."""
        depth = Depth(live=True, allow_code=allow_code)
        return examine_file(path, only=frozenset(probe.id for probe in PROBES), depth=depth, workers=self.workers)


@pytest.fixture(scope="module", params=["keras-3", "tf-keras"])
def ward(request: pytest.FixtureRequest, workers: Workers, tmp_path_factory: pytest.TempPathFactory) -> Ward:
    folder = tmp_path_factory.mktemp("live") / "saved"
    return Ward(request.param, save_models(folder, legacy=request.param == "tf-keras", script=BUILD), workers)


def said(finding: Finding) -> str:
    return "; ".join(text.en for text in finding.evidence)


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_model_gets_no_finding(ward: Ward, name: str) -> None:
    """It loads, runs, learns, and is the same after saving and loading: each step gave its result."""
    findings = ward.look(name)
    assert len(findings) == 4
    assert {f.outcome for f in findings.values()} == {"nothing"}, [said(f) for f in findings.values()]
    assert not any(f.fault or f.warning for f in findings.values())
    assert "save-model" in findings["live-consistency"].ruled_out
    assert "every gradient is finite" in said(findings["live-gradients"])


FAULTS = [
    ("nan_weight", "live-outputs", "nan-loss", "8 of 8"),
    ("nan_weight", "live-gradients", "nan-loss", "not finite"),
    ("constant", "live-outputs", "loss-not-decreasing", "(0.3)"),
    ("dead", "live-outputs", "loss-not-decreasing", "(0.25)"),
    ("stopped", "live-gradients", "no-gradients", "2 of 2 trainable weights, in 'cut'"),
]


@pytest.mark.parametrize(("name", "probe", "topic", "words"), FAULTS)
def test_a_fault_is_found_without_being_suspected(ward: Ward, name: str, probe: str, topic: str, words: str) -> None:
    """With numbers and names."""
    finding = ward.look(name)[probe]
    assert (finding.outcome, finding.fault, finding.topics) == ("finding", True, (topic,))
    assert words in said(finding)


def test_without_training_the_other_steps_are_seen(ward: Ward) -> None:
    """What a model whose training crashes TensorFlow is left with: three probes look, one says that it could not."""
    live = ward.run("classifier", train=False)
    assert live.outputs
    assert live.reloaded is not None
    assert live.steps == ()
    found = {probe.id: examine(probe, live, "m", frozenset()).outcome for probe in PROBES}
    assert [name for name, outcome in found.items() if outcome == "could_not_look"] == ["live-gradients"]


FACTS = [
    ("half_stopped", "live-gradients", "no-gradients", "2 of 4 trainable weights, in 'cut'"),
    ("vanishing", "live-gradients", "loss-not-decreasing", "'deep0'"),
    ("vanishing", "live-outputs", "loss-not-decreasing", "hardly anything of the input reaches it"),
    ("dead", "live-gradients", "loss-not-decreasing", "'off'"),
    ("exploding", "live-gradients", "gradient-clipping", "very large"),
    ("saturated", "live-outputs", "loss-not-decreasing", "saturated"),
    ("nan_for_negative", "live-outputs", "nan-loss", "(normal)"),
    ("mixes_the_batch", "live-consistency", "batch-size-differs", "100.0%"),
    ("dropout", "live-consistency", "train-loss-higher-than-test", "training mode"),
    ("half", "live-outputs", "mixed-precision-dtype", "float16"),
    ("own_loss", "live-load", "custom-objects-on-load", "compile=False"),
]


@pytest.mark.parametrize(("name", "probe", "topic", "words"), FACTS)
def test_a_fact_counts_only_where_it_is_suspected(ward: Ward, name: str, probe: str, topic: str, words: str) -> None:
    """A sound model may have it; where the paste points to it, it is evidence."""
    unasked = ward.look(name)[probe]
    assert not unasked.fault
    assert not unasked.warning
    asked = ward.look(name, topic)[probe]
    assert asked.outcome == "finding"
    assert topic in asked.topics
    assert words in said(asked)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("string_outputs", "no output is a floating-point number"),
        ("ragged", "no output is a floating-point number"),
        ("only_integers", "no output is a floating-point number"),
        ("sparse", "no trainable weight"),
        ("no_weights", "no trainable weight"),
        ("frozen", "no trainable weight"),
        ("empty", "no trainable weight"),
        ("wide", "no trainable weight"),
    ],
)
def test_what_cannot_be_trained_is_run_all_the_same(ward: Ward, name: str, words: str) -> None:
    """Texts, classes, sparse and ragged outputs, no inputs at all, four million of them: no fault, and one outcome says why."""
    findings = ward.look(name)
    assert findings["live-gradients"].outcome == "could_not_look"
    assert words in said(findings["live-gradients"])
    others = [finding.outcome for probe, finding in findings.items() if probe != "live-gradients"]
    assert others == ["nothing"] * 3


@pytest.mark.parametrize(("name", "code"), [("own_layer", "'Doubled'"), ("subclassed", "'Own'")])
def test_own_classes_cannot_be_looked_at(ward: Ward, name: str, code: str) -> None:
    """Their code is not in the file: that is no fault of it, and the class is named."""
    findings = ward.look(name)
    assert {finding.outcome for finding in findings.values()} == {"could_not_look"}
    assert f"own code, which is not in the file: {code}" in said(findings["live-load"])
    assert said(findings["live-outputs"]) == "the model could not be loaded"


def test_an_exception_of_loading_is_matched(ward: Ward, tmp_path: Path) -> None:
    """An argument that this Keras does not know: a fault, with the topic that the matcher gives for a paste of it."""

    def add(config: dict[str, Any]) -> None:
        config["config"]["layers"][1]["config"]["ragged_edges"] = True

    path = edited(ward.folder / "classifier.keras", tmp_path / "classifier.keras", add)
    examined = ward.examine(path)
    finding = next(f for f in examined.findings if f.probe == "live-load")
    assert finding.fault
    assert finding.topics == ("argument-not-in-this-version",)
    assert "ragged_edges" in said(finding)
    assert "主题 argument-not-in-this-version" in finding.evidence[0].zh


def test_code_is_run_only_where_that_is_allowed(ward: Ward) -> None:
    """The gate refuses a Lambda and says how to go on; allowed, it is run, and the examination tells what locked it in."""
    refused = ward.examine(ward.folder / "with_lambda.keras")
    assert [finding.outcome for finding in refused.findings] == ["could_not_look"] * 4
    assert all("--allow-code" in said(finding) for finding in refused.findings)
    assert not refused.applied
    allowed = ward.examine(ward.folder / "with_lambda.keras", allow_code=True)
    assert [finding.outcome for finding in allowed.findings] == ["nothing"] * 4
    assert {"files", "system-calls", "memory", "cpu"} <= set(allowed.applied)
    assert not allowed.open_doors


def test_the_same_file_gives_the_same_report(ward: Ward) -> None:
    """But for the seconds and the memory that it took. Dropout, labels and inputs come from seeds."""
    for name in ("dropout", "words"):
        first, second = (replace(ward.run(name), seconds={}, memory=0) for _ in range(2))
        assert json.dumps(first, default=vars) == json.dumps(second, default=vars)


def test_a_report_has_what_it_took(ward: Ward) -> None:
    """Seconds for each step, bytes of memory, the number of parameters."""
    live = ward.run("classifier")
    assert set(live.seconds) == {"load", "forward", "train", "modes", "reload"}
    assert 0 < sum(live.seconds.values()) < 60
    assert 1 << 26 < live.memory < 1 << 34
    assert (live.compiled, live.parameters, live.failures) == (True, 195, {})
    assert [output.shape for output in live.outputs] == [(8, 3)] * 3
    assert len(live.steps) == 3


def test_more_memory_than_there_is_ends_one_step(ward: Ward, tmp_path: Path) -> None:
    """Two billion numbers for a sample: the step that wanted them is told, and the worker serves on."""

    def widen(config: dict[str, Any]) -> None:
        inputs, reshape = (layer["config"] for layer in config["config"]["layers"])
        inputs["batch_shape" if "batch_shape" in inputs else "batch_input_shape"] = [None, 2 * 10**9]
        reshape["target_shape"] = [2 * 10**9, 1]
        for layer in config["config"]["layers"]:
            layer.pop("build_config", None)

    path = edited(ward.folder / "empty.keras", tmp_path / "hungry.keras", widen)
    findings = {finding.probe: finding for finding in ward.examine(path).findings}
    assert findings["live-load"].outcome == "nothing", said(findings["live-load"])
    assert findings["live-outputs"].outcome == "could_not_look"
    assert "Unable to allocate" in said(findings["live-outputs"])
    assert ward.run("classifier").parameters == 195


def test_a_model_that_never_ends_is_ended(ward: Ward) -> None:
    """At its wall time, by name; the worker serves on."""
    path = ward.folder / "endless.keras"
    arguments = {"path": str(path), "engine": ENGINES[ward.keras], "allow_code": True}
    with pytest.raises(SandboxError, match="the examination timed out") as caught:
        ward.workers.run(ward.keras, "live", arguments, (path,), replace(LIVE, wall=2.0))
    assert "检查超时" in caught.value.zh
    assert ward.run("classifier").parameters == 195


def test_a_model_that_never_ends_is_cancelled(ward: Ward) -> None:
    """Within moments of being told to, whatever it computes; the same worker serves the next job without starting anew."""
    seen: list[Step] = []
    watch = Watch(lambda step: (seen.append(step), Timer(0.5, watch.cancel).start() if step.probe == "load" else None))
    depth = Depth(live=True, allow_code=True)
    ward.run("classifier")
    before = [worker.pid for worker in ward.workers._all[ward.keras]]  # noqa: SLF001
    started = time.monotonic()
    with pytest.raises(Cancelled):
        examine_file(ward.folder / "endless.keras", depth=depth, workers=ward.workers, watch=watch)
    assert time.monotonic() - started < 30
    assert (seen[-1].state, seen[-1].probe in ("load", "forward")) == (
        "started",
        True,
    )  # tf_keras calls it when it loads it
    assert ward.run("classifier").parameters == 195
    assert [worker.pid for worker in ward.workers._all[ward.keras]] == before  # noqa: SLF001


def test_the_steps_of_a_run_are_told(ward: Ward) -> None:
    """Reading, the gate, each step of the run, and the probes that run in this process, each from start to end."""
    seen: list[Step] = []
    path = ward.folder / "classifier.keras"
    examine_file(
        path,
        only=frozenset({"shapes", "live-outputs"}),
        depth=Depth(live=True),
        workers=ward.workers,
        watch=Watch(seen.append),
    )
    assert [step.probe for step in seen[::2]] == [step.probe for step in seen[1::2]]
    assert [step.probe for step in seen[::2]] == [
        "read", "shapes", "gate", "load", "forward", "train", "modes", "reload", "live-outputs",
    ]  # fmt: skip
    assert [step.state for step in seen] == ["started", "ended"] * 9
    assert {step.probe: step.outcome for step in seen if step.outcome} == {
        "shapes": "nothing",
        "live-outputs": "nothing",
    }
    assert {step.subject for step in seen} == {"classifier.keras"}


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config["config"]["layers"][1]["config"].update(units="many"),
        lambda config: config["config"]["layers"].clear(),
        lambda config: config["config"]["layers"].append(3),
        lambda config: config.update(config=None),
        lambda config: config.update(class_name="os.system"),
        lambda config: config["config"]["layers"][0]["config"].update(batch_shape=[None, 10**9]),
    ],
)
def test_odd_configurations_end_in_an_outcome(
    ward: Ward, tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    """Whatever is in the place of what Keras wrote, nothing crashes and each probe says what became of it."""
    path = edited(ward.folder / "regression.keras", tmp_path / "odd.keras", change)
    outcomes = [finding.outcome for finding in ward.examine(path).findings]
    assert len(outcomes) == 4
    assert "crashed" not in outcomes


def test_an_exception_is_told_by_the_part_that_says_what_was_wrong() -> None:
    """Not by the envelope that Keras puts around it, nor with colours and addresses of the graph."""
    wrapped = "Exception encountered when calling RepeatVector.call().\n\n\x1b[1m{{function_node __x}} OOM [Op:Tile]\x1b[0m\n\n"
    for message, words in (
        (wrapped, "ValueError: OOM"),
        (
            "<class 'S'> could not be deserialized properly. config={}.\n\nException encountered: no units",
            "ValueError: no units",
        ),
        (
            "Could not locate class 'A'. Make sure custom classes are decorated",
            "ValueError: Could not locate class 'A'",
        ),
        ("x" * 1000, "ValueError: " + "x" * 300 + "…"),
        ("", "ValueError"),
    ):
        assert told(Failure("ValueError", message, "")) == words
