"""The probes of models: each fires on a faulty model that a real Keras saved, and is silent on sound ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kerasdoctor.diagnostics.dtypes import KEEP_INTEGERS, REFUSE_INTEGERS, REFUSE_INTEGERS_KERAS_2
from kerasdoctor.diagnostics.probe import all_probes, examine

from .conftest import PROBES, edited, look

SOUND = [
    "sequential.keras",
    "sequential.h5",
    "branches.keras",
    "branches.h5",
    "sliced.keras",
    "half_right.keras",
    "bytes_scaled.keras",
]


@pytest.mark.parametrize("probe", ["inbound-nodes", "dtype-casts"])
@pytest.mark.parametrize("name", SOUND)
def test_sound_models_get_no_finding(keras_3: Path, keras_2: Path, probe: str, name: str) -> None:
    """Shared layers, nested models, operations and right mixed precision are no faults."""
    for folder in (keras_3, keras_2):
        assert look(probe, folder / name).outcome == "nothing"


@pytest.mark.parametrize("probe", ["inbound-nodes", "dtype-casts"])
def test_subclassed_models_cannot_be_looked_at(keras_3: Path, probe: str) -> None:
    """The third outcome, with its reason."""
    finding = look(probe, keras_3 / "subclassed.keras")
    assert finding.outcome == "could_not_look"
    assert "subclassed" in finding.evidence[0].en
    assert "子类化" in finding.evidence[0].zh


def test_layers_called_twice_explain_a_suspicion(keras_3: Path, keras_2: Path) -> None:
    """A shared layer is a finding once "multiple inbound nodes" is suspected, with its name and the number of calls."""
    for folder in (keras_3, keras_2):
        finding = look("inbound-nodes", folder / "branches.keras", "multiple-inbound-nodes")
        assert finding.outcome == "finding"
        assert "multiple-inbound-nodes" in finding.topics
        assert "'shared' (Dense) is called 2 times" in finding.evidence[0].en


def test_operations_between_layers_are_named(keras_3: Path, keras_2: Path) -> None:
    """TFOpLambda and SlicingOpLambda of Keras 2, operation layers of Keras 3."""
    suspected = ("tensor-op-outside-layer", "saved-in-keras2-loaded-in-keras3")
    old = look("inbound-nodes", keras_2 / "sliced.keras", *suspected)
    assert "TFOpLambda" in old.evidence[0].en
    assert "SlicingOpLambda" in old.evidence[0].en
    assert "saved-in-keras2-loaded-in-keras3" in old.topics
    new = look("inbound-nodes", keras_3 / "sliced.keras", *suspected)
    assert "GetItem" in new.evidence[0].en
    assert "saved-in-keras2-loaded-in-keras3" not in new.topics


def rename_input(config: dict[str, Any]) -> None:
    config["config"]["layers"] = [layer for layer in config["config"]["layers"] if layer["name"] != "right"]


def forget_input(config: dict[str, Any]) -> None:
    config["config"]["input_layers"] = config["config"]["input_layers"][:1]


def forget_nodes(config: dict[str, Any]) -> None:
    next(layer for layer in config["config"]["layers"] if layer["name"] == "merged")["inbound_nodes"] = []


def add_unused_input(config: dict[str, Any]) -> None:
    left = next(layer for layer in config["config"]["layers"] if layer["name"] == "left")
    extra = json.loads(json.dumps(left).replace('"left"', '"extra"'))
    config["config"]["layers"].append(extra)
    config["config"]["input_layers"].append(["extra", 0, 0])


def history(config: dict[str, Any], taker: str, number: int) -> list[Any]:
    """Where a layer's call refers to its first tensor, in the form of Keras 3 or of Keras 2."""
    layer = next(layer for layer in config["config"]["layers"] if layer["name"] == taker)
    node = layer["inbound_nodes"][number]
    found = node["args"][0] if isinstance(node, dict) else node
    while not isinstance(found, dict) and not isinstance(found[0], str):
        found = found[0]
    read: list[Any] = found["config"]["keras_history"] if isinstance(found, dict) else found
    return read


def close_circle(config: dict[str, Any]) -> None:
    history(config, "merged", 0)[:3] = ["out", 0, 0]


def call_again(config: dict[str, Any]) -> None:
    history(config, "inner", 0)[1] = 7


def call_with_two(config: dict[str, Any]) -> None:
    layer = next(layer for layer in config["config"]["layers"] if layer["name"] == "inner")
    node = layer["inbound_nodes"][0]
    if isinstance(node, dict):
        node["args"][0] = [node["args"][0]] * 2
    else:
        node.append(node[0])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (rename_input, "'right', which is not in the model"),
        (forget_input, "Input 'right' is in the graph but not among the model's inputs"),
        (forget_nodes, "'merged' has no inbound node"),
        (close_circle, "the inbound nodes of 'merged', 'out' form a circle"),
        (call_again, "name a call or an output that does not exist: 'shared (call 7, output 0)'"),
    ],
)
def test_broken_graphs_are_found(keras_3: Path, keras_2: Path, tmp_path: Path, change: Any, said: str) -> None:
    """Every way in which a graph can be disconnected is a fault, whatever was asked, with the layer's name."""
    for folder in (keras_3, keras_2):
        finding = look("inbound-nodes", edited(folder / "branches.keras", tmp_path / "m.keras", change))
        assert finding.outcome == "finding"
        assert "graph-disconnected" in finding.topics
        assert any(said in text.en for text in finding.evidence)
        assert "graph-disconnected" not in finding.ruled_out


def test_a_nested_model_called_with_a_wrong_number_of_tensors(keras_3: Path, keras_2: Path, tmp_path: Path) -> None:
    """One tensor too many, the same one twice: it is no disconnected graph, and is found all the same."""
    for folder in (keras_3, keras_2):
        finding = look("inbound-nodes", edited(folder / "branches.keras", tmp_path / "m.keras", call_with_two))
        assert finding.fault
        assert finding.topics == ("multi-input-output-model",)
        assert finding.layers == ("inner",)
        assert "the nested model 'inner' is called with 2 tensor(s) and has 1 input(s)" in finding.evidence[0].en


def test_inputs_that_no_output_needs(keras_3: Path, keras_2: Path, tmp_path: Path) -> None:
    """Keras builds and trains such a model, so it is a warning; so is an input whose branch leads nowhere."""

    def cut_branch(config: dict[str, Any]) -> None:
        add_unused_input(config)
        side = next(layer for layer in config["config"]["layers"] if layer["name"] == "out")
        side = json.loads(json.dumps(side).replace('"out"', '"side"').replace('"merged"', '"extra"'))
        config["config"]["layers"].append(side)

    for folder in (keras_3, keras_2):
        for change in (add_unused_input, cut_branch):
            path = edited(folder / "branches.keras", tmp_path / "m.keras", change)
            finding = look("inbound-nodes", path)
            assert (finding.warning, finding.fault, finding.layers) == (True, False, ("extra",))
            assert "no output of the model needs its input 'extra'" in finding.evidence[0].en
        suspected = look("inbound-nodes", path, "graph-disconnected")
        assert any("'side' leads to no output of the model" in text.en for text in suspected.evidence)


def test_connected_graphs_rule_disconnection_out(keras_3: Path) -> None:
    """A sound graph speaks against the suspicion."""
    assert look("inbound-nodes", keras_3 / "branches.keras").ruled_out == ("graph-disconnected",)


def test_integers_into_floats(keras_3: Path) -> None:
    """uint8 goes through the pooling layer and stops at the convolution: the cast belongs between these two."""
    finding = look("dtype-casts", keras_3 / "bytes_in.keras")
    assert finding.outcome == "finding"
    assert "'pool' hands uint8 to 'conv' (Conv2D)" in finding.evidence[0].en
    assert {"dtype-not-allowed", "integer-inputs-not-scaled"} <= set(finding.topics)


def test_half_precision_output_and_islands(keras_3: Path, keras_2: Path) -> None:
    """A float16 softmax is a fault; the layer with another policy is named once mixtures are suspected."""
    for folder in (keras_3, keras_2):
        finding = look("dtype-casts", folder / "half.keras")
        assert [("probabilities" in text.en, "float16" in text.en) for text in finding.evidence] == [(True, True)]
        suspected = look("dtype-casts", folder / "half.keras", "mixed-precision-dtype")
        assert any("'island'" in text.en for text in suspected.evidence)


MEASURE = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
legacy = os.environ["TF_USE_LEGACY_KERAS"] == "1"
if legacy:
    import tf_keras as keras
else:
    import keras
L = keras.layers
ARGUMENTS = {"Bidirectional": lambda c: c(L.LSTM(2)), "EinsumDense": lambda c: c("abc,cd->abd", output_shape=(None, 4)),
             "Reshape": lambda c: c((-1,)), "RepeatVector": lambda c: c(2), "Permute": lambda c: c((1, 2))}
for name in sys.argv[1].split(","):
    cls = getattr(L, name, None)
    if cls is None:
        print(name, "absent"); continue
    rank = 3 if "3D" in name else 2 if "2D" in name else 0 if name == "RepeatVector" else 1
    shape = (6,) * rank + (2,) if name != "ConvLSTM2D" else (2, 6, 6, 2)
    if name in ARGUMENTS: make = ARGUMENTS[name]
    elif "Pooling" in name and "Global" not in name: make = lambda c: c(2)
    elif "Depthwise" in name: make = lambda c: c(2)
    elif "Conv" in name: make = lambda c: c(2, 2)
    elif "Dropout" in name or "Noise" in name: make = lambda c: c(0.5)
    elif name in ("LSTM", "GRU", "SimpleRNN"): make = lambda c: c(2)
    elif name == "MultiHeadAttention": make = lambda c: (lambda x, layer=c(1, 2): layer(x, x))
    else: make = lambda c: c()
    try:
        x = keras.Input(shape, dtype="int32")
        out = keras.Model(x, make(cls)(x))(np.ones((1, *shape), "int32"), training=True)
        print(name, "integer" if "int" in str(out.dtype) else "float")
    except Exception:
        print(name, "refuses")
"""


@pytest.mark.parametrize("legacy", [False, True], ids=["keras-3", "tf_keras"])
def test_tables_of_layers_hold_on_the_installed_keras(legacy: bool) -> None:
    """Which layers stop on integers, and which pass them on, is measured again, not believed."""
    names = sorted(REFUSE_INTEGERS | REFUSE_INTEGERS_KERAS_2 | KEEP_INTEGERS)
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1" if legacy else "0"}
    ended = subprocess.run(
        [sys.executable, "-c", MEASURE, ",".join(names)], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    measured = dict(line.split() for line in ended.stdout.splitlines())
    refusing = REFUSE_INTEGERS | (REFUSE_INTEGERS_KERAS_2 if legacy else frozenset())
    expected = dict.fromkeys(refusing, "refuses") | dict.fromkeys(KEEP_INTEGERS, "integer")
    assert {n: m for n, m in measured.items() if m not in (expected.get(n, m), "absent")} == {}
    assert set(measured) == set(names)


def test_a_malformed_configuration_is_told_in_its_own_words(keras_3: Path, tmp_path: Path) -> None:
    """A file that no Keras wrote is not the probe's failure, and the reader is told what is wrong with it."""

    def spoil(config: dict[str, Any]) -> None:
        config["config"]["layers"][1] = None

    finding = look("inbound-nodes", edited(keras_3 / "branches.keras", tmp_path / "m.keras", spoil))
    assert finding.outcome == "could_not_look"
    assert finding.evidence[0].en == "m.keras: a layer of the configuration has no class_name"


def test_a_crashing_probe_is_an_outcome() -> None:
    """A probe that breaks says so, and nothing else stops."""
    finding = examine(PROBES["inbound-nodes"], object(), "x", frozenset())
    assert finding.outcome == "crashed"
    assert "the probe failed" in finding.evidence[0].en


def test_probes_promise_in_both_languages() -> None:
    """Every probe has a promise for each reader and names topics."""
    for probe in all_probes():
        assert probe.promise.en
        assert probe.promise.zh
        assert probe.topics
