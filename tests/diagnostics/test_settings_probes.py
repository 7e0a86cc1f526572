"""The probes layer-settings, deep-stacks, embedding-sizes and low-precision, on models that real Kerases saved."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import pytest
from kerasdoctor.diagnostics.flow import flow_of
from kerasdoctor.diagnostics.graph import graph_of
from kerasdoctor.diagnostics.model_file import ModelFile, read_model
from kerasdoctor.diagnostics.probe import examine
from kerasdoctor.diagnostics.stacks import worst_stack

from .conftest import PROBES, look, run_keras
from .test_training_probes import spoiled

BUILD = Path(__file__).with_name("build_settings.py")
SETTINGS, STACKS, EMBEDDING, PRECISION = "layer-settings", "deep-stacks", "embedding-sizes", "low-precision"
ALL = (SETTINGS, STACKS, EMBEDDING, PRECISION, "training-setup", "inbound-nodes", "dtype-casts")


FAULTS = [
    (
        SETTINGS,
        "zeros.keras",
        "loss-not-decreasing",
        "every weight of 'first' starts as 0, and 'second' behind it is constant too",
    ),
    (SETTINGS, "zeros.h5", "loss-not-decreasing", "all 4 units compute the same"),
    (SETTINGS, "constants.keras", "loss-not-decreasing", "every weight of 'first' starts as 0.5, and 'second'"),
    (SETTINGS, "constant_filters.keras", "loss-not-decreasing", "all 3 units compute the same"),
    (
        EMBEDDING,
        "lookup_too_large.keras",
        "embedding-index-range",
        "'numbers' (IntegerLookup) hands out numbers up to 4",
    ),
    (
        EMBEDDING,
        "hashed.keras",
        "embedding-index-range",
        "'numbers' (Hashing) hands out numbers up to 19, and 'table' has rows for 0 to 9",
    ),
    (EMBEDDING, "buckets.keras", "embedding-index-range", "'numbers' (Discretization) hands out numbers up to 3"),
]


@pytest.mark.parametrize(("probe", "name", "topic", "said"), FAULTS)
def test_faults_are_found_whatever_was_asked(saved: Path, probe: str, name: str, topic: str, said: str) -> None:
    """Each with the layer's name and the number that is wrong, once, and nothing else."""
    finding = look(probe, saved / name)
    assert finding.fault
    assert topic in finding.topics
    assert [said in text.en for text in finding.evidence] == [True]
    assert finding.layers


WARNINGS = [
    (SETTINGS, "zeros_to_predict.keras", "loss-not-decreasing", "all 4 units compute the same"),
    (SETTINGS, "strong_penalty.keras", "train-loss-higher-than-test", "'held' has kernel_regularizer l2=2:"),
    (SETTINGS, "strong_penalty.h5", "loss-not-decreasing", "'held' has kernel_regularizer l2=2:"),
    (
        SETTINGS,
        "hidden_softmax.keras",
        "loss-not-decreasing",
        "'middle' is a softmax in the middle of the model, in front of 'end'",
    ),
    (SETTINGS, "hidden_softmax_layers.keras", "loss-not-decreasing", "'middle' is a softmax in the middle"),
    (STACKS, "sigmoids.keras", "loss-not-decreasing", "with sigmoid, without normalization or a shortcut"),
    (STACKS, "sigmoids.h5", "loss-not-decreasing", "about 1/4,096 of the gradient"),
    (STACKS, "sigmoid_layers.keras", "loss-not-decreasing", "7 layers from"),
    (STACKS, "relus.keras", "loss-not-decreasing", "with relu, without normalization or a shortcut"),
    (STACKS, "nested_sigmoids.keras", "loss-not-decreasing", "to 'end' follow each other with sigmoid"),
    (PRECISION, "metrics_in_integers.keras", "metric-dtype-not-float", "'count: int32'"),
    (
        PRECISION,
        "half_weights.keras",
        "nan-loss",
        "1 layers keep their weights in float16 and are compiled for training: 'half'",
    ),
    (
        PRECISION,
        "unscaled.h5",
        "mixed-precision-dtype",
        "1 layers compute in float16 ('half') and 'SGD' does not scale the loss:",
    ),
]


@pytest.mark.parametrize(("probe", "name", "topic", "said"), WARNINGS)
def test_warnings_are_told_whatever_was_asked(saved: Path, probe: str, name: str, topic: str, said: str) -> None:
    """A sound model may have them, so that they are no fault; they confirm what is suspected."""
    finding = look(probe, saved / name)
    assert (finding.outcome, finding.warning, finding.fault) == ("finding", True, False)
    assert [said in text.en for text in finding.evidence] == [True]
    assert topic in look(probe, saved / name, topic).topics


FACTS = [
    (
        SETTINGS,
        "one_constant.keras",
        "loss-not-decreasing",
        "every weight of 'first' starts as 1; its units differ only",
    ),
    (
        SETTINGS,
        "idle_bias.keras",
        "batchnorm-placement",
        "1 layers have a bias right before BatchNormalization, which takes it away again: 'conv'",
    ),
    (SETTINGS, "dropout_first.keras", "train-loss-higher-than-test", "Dropout right before BatchNormalization: 'drop'"),
    (EMBEDDING, "limited.keras", "embedding-index-range", "'numbers' (IntegerLookup) may hand out numbers up to 99"),
    (
        EMBEDDING,
        "wide.keras",
        "overfitting",
        "'table' holds numbers 0 to 59, 64 values each: as long as there are rows",
    ),
    (EMBEDDING, "narrow.keras", "embedding-index-range", "any number of 1000 or more in the data is out of range"),
    (
        PRECISION,
        "unscaled.keras",
        "mixed-precision-dtype",
        "unless keras.mixed_precision.set_global_policy('mixed_float16') is set",
    ),
    ("dtype-casts", "half_output.keras", "nan-loss", "the output layer 'scores' hands float16 to the loss"),
]


@pytest.mark.parametrize(("probe", "name", "topic", "said"), FACTS)
def test_facts_count_once_their_topic_is_suspected(saved: Path, probe: str, name: str, topic: str, said: str) -> None:
    """They explain a suspicion and raise none."""
    assert look(probe, saved / name).outcome == "nothing"
    finding = look(probe, saved / name, topic)
    assert finding.outcome == "finding"
    assert any(said in text.en for text in finding.evidence), finding.evidence


SOUND = [
    "one_constant", "one_unit", "random_bias", "branched", "usual_penalty", "idle_bias", "dropout_first", "dropout_behind",
    "attention", "gated", "few_sigmoids", "normalized_sigmoids", "he_relus", "twenty_relus", "residual", "watched", "lookup_right",
    "limited", "wide", "narrow", "metrics_in_floats", "half_weights_to_predict", "scaled", "bfloat",
]  # fmt: skip


@pytest.mark.parametrize("name", SOUND)
def test_sound_models_have_no_finding(saved: Path, name: str) -> None:
    """Random kernels beside constant ones, gates, attention, shortcuts, losses in the middle: none of it is wrong."""
    for probe in ALL:
        assert look(probe, saved / f"{name}.keras").outcome == "nothing", probe


@pytest.mark.parametrize(
    ("probe", "name", "topic"),
    [
        (SETTINGS, "dropout_behind.keras", "train-loss-higher-than-test"),
        (SETTINGS, "gated.keras", "loss-not-decreasing"),
        (SETTINGS, "residual.keras", "batchnorm-placement"),
        (STACKS, "residual.keras", "loss-not-decreasing"),
        (EMBEDDING, "narrow.keras", "overfitting"),
        (PRECISION, "scaled.h5", "mixed-precision-dtype"),
        (PRECISION, "bfloat.keras", "mixed-precision-dtype"),
    ],
)
def test_facts_are_silent_on_models_without_them(saved: Path, probe: str, name: str, topic: str) -> None:
    """A suspicion alone makes no finding."""
    assert look(probe, saved / name, topic).outcome == "nothing"


def test_quantized_layers_are_told(saved: Path) -> None:
    """Keras 3 quantizes, and then trains no more than the biases; tf_keras does not know of it."""
    if read_model(saved / "zeros.keras").line != "keras-3":
        assert not (saved / "quantized.keras").exists()
        return
    finding = look(PRECISION, saved / "quantized.keras", "loss-not-decreasing")
    assert "1 layers are quantized to integers: 'whole'" in finding.evidence[0].en
    assert look(PRECISION, saved / "quantized.keras").outcome == "nothing"


GRADIENTS = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, numpy, tensorflow
keras.utils.set_random_seed(0)
x = numpy.random.normal(size=(64, 128)).astype("float32")
for number, activation, initializer in [(6, "sigmoid", "glorot_uniform"), (21, "relu", "glorot_uniform"), (24, "relu", "he_normal"),
                                        (8, "tanh", "glorot_uniform")]:
    model = keras.Sequential([keras.Input((128,))])
    for _ in range(number):
        model.add(keras.layers.Dense(128, activation=activation, kernel_initializer=initializer))
    model.add(keras.layers.Dense(1))
    tensors = [x]
    with tensorflow.GradientTape() as tape:
        tape.watch(model.trainable_variables[0].value)
        for layer in model.layers[:-1]:
            tensors.append(layer(tensors[-1]))
        loss = tensorflow.reduce_sum(model.layers[-1](tensors[-1]))
    first, last = tape.gradient(loss, [tensors[1], tensors[-1]])
    print(float(keras.ops.norm(first) / keras.ops.norm(last)))
"""


def test_stacks_weaken_the_gradient_as_is_told() -> None:
    """Measured between the output of the first layer and the last: far less behind what is warned of than behind the others."""
    sigmoids, relus, he, tanh = map(float, run_keras("-c", GRADIENTS, legacy=False).split())
    assert sigmoids < 2**-9
    assert 2**-12 < relus < 2**-8
    assert he > 0.1
    assert tanh > 0.05


def test_long_chains_stay_cheap() -> None:
    """Ten thousand layers, each of which is looked at once."""
    layers: list[dict[str, Any]] = [{"class_name": "InputLayer", "config": {"name": "in", "batch_shape": [None, 4]}}]
    settings = {
        "units": 4,
        "activation": "sigmoid",
        "kernel_initializer": {"class_name": "GlorotUniform", "config": {}},
    }
    layers += [{"class_name": "Dense", "config": {"name": f"d{n}", **settings}} for n in range(10_000)]
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": layers}}
    graph = graph_of(ModelFile(Path("m.keras"), "m.keras", "keras zip", 1, "3.0.0", config, None))
    assert graph
    stack = worst_stack(flow_of(graph))
    assert (stack.first, stack.last, stack.kernels) == ("d0", "d9999", 10_000)
    for probe in ALL:
        model = ModelFile(Path("m.keras"), "m.keras", "keras zip", 1, "3.0.0", config, None)
        assert examine(PROBES[probe], model, "m", frozenset()).outcome == ("finding" if probe == STACKS else "nothing")


def test_hostile_configurations_break_nothing(saved: Path) -> None:
    """Whatever stands in a file, a probe answers; that the configuration is malformed is told by its reader."""
    chance = random.Random(0)  # noqa: S311 - not for secrets
    models = [read_model(path) for path in sorted(saved.glob("*.*"))]
    for number in range(600):
        model = models[number % len(models)]
        config, compiled = (spoiled(part, chance) for part in (model.config, model.compiled))
        if not isinstance(config, dict) or not isinstance(compiled, dict | None):
            continue
        hostile = dataclasses.replace(model, config=config, compiled=compiled)
        for probe in (*ALL, "objective", "memory"):
            assert examine(PROBES[probe], hostile, "m.keras", frozenset(PROBES[probe].topics)).outcome != "crashed"


@pytest.mark.parametrize("probe", [SETTINGS, STACKS, EMBEDDING, PRECISION])
def test_what_can_not_be_looked_at(probe: str) -> None:
    """A subclassed model has no layers in the file."""
    written = {"class_name": "Own", "config": {}}
    subclassed = ModelFile(Path("m"), "m", "keras zip", 1, "3.0.0", written, None)
    finding = examine(PROBES[probe], subclassed, "m", frozenset())
    assert finding.outcome == "could_not_look"
    assert "子类化" in finding.evidence[0].zh


def test_both_languages_name_the_same(saved: Path) -> None:
    """A layer's name that stands in one language's evidence stands in the other's."""
    texts = [
        t for p in sorted(saved.glob("*")) for probe in ALL[:4] for t in look(probe, p, *PROBES[probe].topics).evidence
    ]
    assert len(texts) > 30
    for text in texts:
        assert set(text.en.split("'")[1::2]) - {"mixed_float16"} == set(text.zh.split("'")[1::2]) - {"mixed_float16"}
