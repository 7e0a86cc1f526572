"""The probes training-setup and recurrent-layers: what they find in models that real Kerases saved, and where they are silent."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from kerasdoctor.diagnostics.model_file import ModelFile, read_model
from kerasdoctor.diagnostics.probe import examine
from kerasdoctor.diagnostics.probes import recurrent_layers
from kerasdoctor.diagnostics.trainable import HAVE_WEIGHTS, NO_WEIGHTS
from kerasdoctor.knowledge.text import Text

from .conftest import PROBES, edited, look, run_keras

SETUP, RECURRENT = "training-setup", "recurrent-layers"
BUILD = Path(__file__).with_name("build_training_models.py")


FAULTS = [
    (SETUP, "rate_high.keras", "loss-not-decreasing", "learning rate of 'Adam' is 0.5"),
    (SETUP, "rate_high.h5", "nan-loss", "learning rate of 'Adam' is 0.5"),
    (SETUP, "rate_high_sgd.keras", "nan-loss", "learning rate of 'SGD' is 100"),
    (SETUP, "rate_high_scaled.keras", "nan-loss", "learning rate of 'RMSprop' is 0.5"),
    (SETUP, "all_frozen.keras", "freeze-layers", "every layer with weights (2) has trainable=False"),
    (
        SETUP,
        "dropout_last.keras",
        "train-loss-higher-than-test",
        "'late' (Dropout) comes behind the last Dense 'scores'",
    ),
    (SETUP, "dropout_high.keras", "loss-not-decreasing", "'most' (Dropout) drops 90% of its input"),
    (
        RECURRENT,
        "steps_missing.keras",
        "layer-input-rank",
        "'lower' (LSTM) returns its last step only (2 axes), and 'upper'",
    ),
    (RECURRENT, "steps_missing_nested.keras", "layer-input-rank", "(2 axes), and 'upper/conv' (Conv1D) needs 3"),
    (
        RECURRENT,
        "cell_missing.keras",
        "layer-input-rank",
        "'one' (RNN) returns its last step only (2 axes), and 'two' (GRU)",
    ),
    (RECURRENT, "pictures_missing.keras", "layer-input-rank", "'one' (ConvLSTM2D) returns its last step only (4 axes)"),
]


@pytest.mark.parametrize(("probe", "name", "topic", "said"), FAULTS, ids=[name for _, name, *_ in FAULTS])
def test_faults_are_found_whatever_was_asked(saved: Path, probe: str, name: str, topic: str, said: str) -> None:
    """Each with the layer's name and the number that is wrong, once, and nothing else."""
    finding = look(probe, saved / name)
    assert finding.fault
    assert topic in finding.topics
    assert [said in text.en for text in finding.evidence] == [True]


SOUND = [
    "sound.keras", "sound.h5", "highest_usual_rate.keras", "adadelta.keras", "schedule.keras", "old_arguments.keras",
    "frozen_to_predict.keras", "fine_tuned.keras", "fine_tuned_norm.keras", "dropout_before.keras",
    "dropout_encoder.keras", "linear.keras", "steps_kept.keras", "states.keras", "pictures.keras", "stateful.keras",
    "per_step.keras", "flattened.keras", "mask_lost.keras", "mask_kept.keras",
]  # fmt: skip


@pytest.mark.parametrize("probe", [SETUP, RECURRENT])
@pytest.mark.parametrize("name", SOUND)
def test_sound_models_have_no_fault(saved: Path, probe: str, name: str) -> None:
    """Rates at the limit, schedules, encoders, decoders fed with states, fixed batches: none of it is wrong."""
    assert look(probe, saved / name).outcome == "nothing"


FACTS = [
    (SETUP, "rate_zero.keras", "loss-not-decreasing", "learning rate of 'SGD' is 0 in this file"),
    (SETUP, "fine_tuned.keras", "freeze-layers", "2 of 3 layers with weights are frozen: 'base/conv', 'base/norm'"),
    (SETUP, "fine_tuned_norm.keras", "batchnorm-fine-tuning", "overwrites its mean and variance: 'base/norm'"),
    (SETUP, "frozen_to_predict.keras", "freeze-layers", "every layer with weights (2) has trainable=False"),
    (SETUP, "linear.keras", "loss-not-decreasing", "no activation stands between 'first -> second':"),
    (RECURRENT, "stateful.keras", "stateful-rnn", "'carried' is stateful and the batch size is fixed at 4"),
    (RECURRENT, "per_step.keras", "target-shape", "'all' returns all steps, so the last layer 'out' (Dense)"),
    (RECURRENT, "flattened.keras", "target-shape", "'all' returns all steps and 'flat' (Flatten)"),
    (RECURRENT, "mask_lost.keras", "loss-not-decreasing", "the mask of 'words' (Embedding) ends at 'conv' (Conv1D)"),
]


@pytest.mark.parametrize(("probe", "name", "topic", "said"), FACTS, ids=[name for _, name, *_ in FACTS])
def test_facts_count_once_their_topic_is_suspected(saved: Path, probe: str, name: str, topic: str, said: str) -> None:
    """They explain a suspicion and raise none."""
    finding = look(probe, saved / name, topic)
    assert finding.outcome == "finding"
    assert finding.topics == (topic,)
    assert [said in text.en for text in finding.evidence] == [True]


@pytest.mark.parametrize(
    ("probe", "name", "topic"),
    [
        (SETUP, "fine_tuned.keras", "batchnorm-fine-tuning"),
        (SETUP, "sound.keras", "freeze-layers"),
        (SETUP, "dropout_before.keras", "loss-not-decreasing"),
        (RECURRENT, "steps_kept.keras", "target-shape"),
        (RECURRENT, "states.keras", "target-shape"),
        (RECURRENT, "mask_kept.keras", "loss-not-decreasing"),
        (RECURRENT, "steps_kept.keras", "stateful-rnn"),
    ],
)
def test_facts_are_silent_on_models_without_them(saved: Path, probe: str, name: str, topic: str) -> None:
    """A suspicion alone makes no finding."""
    assert look(probe, saved / name, topic).outcome == "nothing"


def test_old_arguments_of_optimizers(saved: Path) -> None:
    """tf_keras' legacy optimizers still write decay; Keras 3 has none, nor the argument."""
    is_keras_3 = read_model(saved / "sound.keras").line == "keras-3"
    for name in ("old_arguments.keras", "old_arguments.h5"):
        finding = look(SETUP, saved / name, "optimizer-arguments")
        assert finding.outcome == ("nothing" if is_keras_3 else "finding")
        assert is_keras_3 or "decay=0.001" in finding.evidence[0].en


def test_without_batchnorm_its_topic_is_ruled_out(saved: Path) -> None:
    """Where there is no BatchNormalization it can't have spoilt anything."""
    assert look(SETUP, saved / "sound.keras").ruled_out == ("batchnorm-fine-tuning",)
    assert look(SETUP, saved / "fine_tuned.keras").ruled_out == ()


def test_a_stateful_layer_without_batch_size(saved: Path, tmp_path: Path) -> None:
    """The same model with the batch size left open, as no Keras builds it; without any shape nothing is said."""

    def change(config: dict[str, Any], shape: list[Any] | None) -> None:
        first = config["config"]["layers"][0]["config"]
        first.pop("batch_shape", None)
        first.pop("batch_input_shape", None)
        first["batch_shape"] = shape

    opened = edited(saved / "stateful.keras", tmp_path / "open.keras", lambda c: change(c, [None, 5, 3]))
    finding = look(RECURRENT, opened)
    assert finding.fault
    assert finding.topics == ("stateful-rnn",)
    assert "'carried' is stateful, but no input has a fixed batch size" in finding.evidence[0].en
    unknown = edited(saved / "stateful.keras", tmp_path / "unknown.keras", lambda c: change(c, None))
    assert look(RECURRENT, unknown).outcome == "nothing"


def test_an_own_cell_may_return_any_axes(saved: Path, tmp_path: Path) -> None:
    """What a cell returns that isn't Keras' own can't be told."""

    def exchange(config: dict[str, Any]) -> None:
        config["config"]["layers"][0]["config"]["cell"]["class_name"] = "Own"

    assert look(RECURRENT, edited(saved / "cell_missing.keras", tmp_path / "m.keras", exchange)).outcome == "nothing"


def keras_22(class_name: str, **config: Any) -> ModelFile:
    """What Keras 2.2 writes of a compiled model: no nesting of the optimizer's arguments, `lr`, layers in a list."""
    layers = [{"class_name": "Dense", "config": {"name": "d", "units": 1, "activation": "linear", "trainable": True}}]
    written = {"class_name": "Sequential", "config": layers}
    compiled = {"optimizer_config": {"class_name": class_name, "config": config}, "loss": "mse"}
    return ModelFile(Path("m.h5"), "m.h5", "HDF5", 1, "2.2.4", written, compiled)


@pytest.mark.parametrize(
    ("optimizer", "rate", "fault"),
    [
        ("Adam", 0.10000000149, False),
        ("Adam", 0.11, True),
        ("SGD", 10.0, False),
        ("SGD", 10.1, True),
        ("SGD", -0.01, True),
        ("SGD", 1e-9, False),
        ("SGD", 9e-10, False),
        ("SGD", float("nan"), True),
        ("Adagrad", 5.0, False),
        ("Own", 1e6, False),
        ("Own>Adam", 1.0, True),
        ("Adam", "0.5", False),
        ("Adam", True, False),
        ("Adam", None, False),
        ("SGD", 10**400, True),
    ],
)
def test_learning_rates_as_keras_22_writes_them(optimizer: str, rate: Any, fault: bool) -> None:
    """`lr` in `optimizer_config`; limits hold for the optimizers that have one."""
    assert examine(PROBES[SETUP], keras_22(optimizer, lr=rate), "m.h5", frozenset()).fault is fault


def test_old_arguments_as_keras_22_writes_them() -> None:
    """`lr` and `decay` explain why a newer Keras doesn't take the file's optimizer."""
    model = keras_22("Adam", lr=0.001, decay=0.0)
    finding = examine(PROBES[SETUP], model, "m.h5", frozenset({"optimizer-arguments"}))
    assert finding.outcome == "finding"
    assert "lr=0.001, decay=0" in finding.evidence[0].en


def test_a_frozen_functional_model_of_keras_3(saved: Path, tmp_path: Path) -> None:
    """Keras 3 gives the model its own flag back on loading, and then no layer trains; tf_keras reads the layers' flags."""

    def freeze(config: dict[str, Any]) -> None:
        config["config"]["trainable"] = False

    finding = look(SETUP, edited(saved / "fine_tuned.keras", tmp_path / "m.keras", freeze))
    assert finding.fault is (read_model(saved / "sound.keras").line == "keras-3")


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
MAKE = {"Dense": lambda c: c(3), "EinsumDense": lambda c: c("ab,bc->ac", 3), "Embedding": lambda c: c(9, 3),
        "Activation": lambda c: c("relu"), "Lambda": lambda c: c(lambda x: x), "RepeatVector": lambda c: c(2),
        "Permute": lambda c: c((2, 1)), "Reshape": lambda c: c((-1, 2)), "Bidirectional": lambda c: c(L.LSTM(2)),
        "TimeDistributed": lambda c: c(L.Dense(2)), "RNN": lambda c: c(L.LSTMCell(2)), "Rescaling": lambda c: c(0.5),
        "GroupNormalization": lambda c: c(1),
        "GroupQueryAttention": lambda c: c(2, 2, 1), "CategoryEncoding": lambda c: c(5), "Dot": lambda c: c(-1),
        "Resizing": lambda c: c(3, 3), "CenterCrop": lambda c: c(3, 3), "RandomCrop": lambda c: c(3, 3),
        "RandomRotation": lambda c: c(0.1), "RandomZoom": lambda c: c(0.1), "RandomContrast": lambda c: c(0.1),
        "RandomTranslation": lambda c: c(0.1, 0.1), "RandomBrightness": lambda c: c(0.1),
        "MultiHeadAttention": lambda c: c(1, 2)}
TWICE = {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"}
def make(name):
    c = getattr(L, name)
    if name in MAKE: return MAKE[name](c)
    if "Pool" in name and "Global" not in name or "Depthwise" in name: return c(2)
    if "Conv" in name: return c(2, 2)
    if "Dropout" in name or "Noise" in name: return c(0.5)
    return c(2) if name in ("LSTM", "GRU", "SimpleRNN") else c()
def call(layer, name, x):
    if name in TWICE: return layer([x, x])
    return layer(x, x) if name.endswith("HeadAttention") or name == "GroupQueryAttention" else layer(x)
for name in sys.argv[2].split(","):
    if not hasattr(L, name):
        print(name, "absent"); continue
    if sys.argv[1] == "mask":
        masked = L.Masking()(np.ones((2, 6, 4), "float32"))
        y = make(name)(masked)
        mask = getattr(y, "_keras_mask", None) if legacy else keras.src.backend.get_keras_mask(y)
        print(name, "drops" if mask is None else "keeps", "axes", len(y.shape)); continue
    taken, weights = [], set()
    for axes in (2, 3, 4, 5, 6):
        try:
            layer = make(name)
            call(layer, name, keras.Input((6,) * (axes - 2) + (4,)))
            taken.append(axes); weights.add(len(layer.trainable_weights) > 0)
        except Exception: pass
    print(name, min(taken, default=0), *sorted(weights))
"""


def measured(what: str, names: frozenset[str] | dict[str, int], *, legacy: bool) -> dict[str, list[str]]:
    lines = run_keras("-c", MEASURE, what, ",".join(sorted(names)), legacy=legacy).splitlines()
    told = {name: said for name, *said in (line.split() for line in lines)}
    assert set(told) == set(names)
    return {name: said for name, said in told.items() if said != ["absent"]}


@pytest.mark.parametrize("legacy", [False, True], ids=["keras-3", "tf_keras"])
def test_tables_of_axes_hold_on_the_installed_keras(legacy: bool) -> None:
    """The fewest axes that each class takes are measured again, not believed."""
    needed = recurrent_layers.NEEDED_AXES_KERAS_2 if legacy else recurrent_layers.NEEDED_AXES
    told = measured("axes", needed, legacy=legacy)
    assert {name: int(said[0]) for name, said in told.items()} == {name: needed[name] for name in told}


@pytest.mark.parametrize("legacy", [False, True], ids=["keras-3", "tf_keras"])
def test_tables_of_masks_hold_on_the_installed_keras(legacy: bool) -> None:
    """Which layers hand a mask on, and that those keep the number of axes."""
    kept, dropped = recurrent_layers.KEEP_AXES, recurrent_layers.DROP_MASK
    told = measured("mask", kept | dropped, legacy=legacy)
    assert {name for name, said in told.items() if said[0] == "drops"} == dropped & set(told)
    assert {said[-1] for name, said in told.items() if name in kept} == {"3"}


@pytest.mark.parametrize("legacy", [False, True], ids=["keras-3", "tf_keras"])
def test_tables_of_weights_hold_on_the_installed_keras(legacy: bool) -> None:
    """Which layers have trainable weights and which have none; what could not be called says nothing."""
    told = measured("weights", HAVE_WEIGHTS | NO_WEIGHTS, legacy=legacy)
    with_weights = {name for name, said in told.items() if "True" in said}
    without = {name for name, said in told.items() if said[1:] == ["False"]}
    assert with_weights == HAVE_WEIGHTS & set(told)
    assert without <= NO_WEIGHTS
    assert not HAVE_WEIGHTS & NO_WEIGHTS
    assert len(without) > 50


def spoiled(value: Any, chance: random.Random) -> Any:
    """A configuration with some of its values put in each other's place or exchanged for other types."""
    if chance.random() < 0.03:
        return chance.choice([None, True, -1, 1e308, 10**30, "", "x", [], {}, [[]], {"config": []}, ["a", 0, 0]])
    if isinstance(value, dict):
        return {key: spoiled(part, chance) for key, part in value.items()}
    if isinstance(value, list):
        return [spoiled(part, chance) for part in value for _ in range(chance.choice([1, 1, 1, 1, 1, 1, 2]))]
    return value


@pytest.mark.parametrize("probe", [SETUP, RECURRENT])
def test_hostile_configurations_break_nothing(saved: Path, probe: str) -> None:
    """Whatever stands in a file, a probe answers; that the configuration is malformed is told by its reader."""
    chance = random.Random(0)  # noqa: S311 - not for secrets
    models = [read_model(path) for path in sorted(saved.glob("*.keras"))]
    for number in range(600):
        model = models[number % len(models)]
        config, compiled = (spoiled(part, chance) for part in (model.config, model.compiled))
        if not isinstance(config, dict) or not isinstance(compiled, dict | None):
            continue
        hostile = ModelFile(Path("m.keras"), "m.keras", "keras zip", 1, model.keras_version, config, compiled)
        finding = examine(PROBES[probe], hostile, "m.keras", frozenset(PROBES[probe].topics))
        assert not any("the probe failed" in text.en for text in finding.evidence)


def test_models_nested_and_called_many_times_stay_cheap() -> None:
    """Twenty models, each calling the next four times: their inputs are joined, not multiplied."""
    inner: dict[str, Any] = {"class_name": "Dense", "config": {"units": 1}, "name": "x"}
    for _ in range(19):
        nodes = [[["in", 0, 0, {}]]] * 4
        source = {"class_name": "InputLayer", "config": {"batch_shape": [None, 3]}, "name": "in", "inbound_nodes": []}
        layers = [source, {**inner, "name": "x", "inbound_nodes": nodes}]
        ends = {"input_layers": [["in", 0, 0]], "output_layers": [["x", 1, 0]]}
        inner = {"class_name": "Functional", "config": {"name": "m", "layers": layers, **ends}}
    model = ModelFile(Path("m.keras"), "m.keras", "keras zip", 1, "3.0.0", inner, None)
    for probe in (SETUP, RECURRENT):
        assert examine(PROBES[probe], model, "m.keras", frozenset()).outcome == "nothing"


@pytest.mark.parametrize("probe", [SETUP, RECURRENT])
def test_what_can_not_be_looked_at(probe: str) -> None:
    """A subclassed model has no layers in the file; a compiled one still has its optimizer."""
    written = {"class_name": "Own", "config": {}}
    finding = examine(
        PROBES[probe], ModelFile(Path("m"), "m", "keras zip", 1, "3.0.0", written, None), "m", frozenset()
    )
    assert finding.outcome == "could_not_look"
    assert "子类化" in finding.evidence[0].zh
    optimizer = {"class_name": "Adam", "config": {"learning_rate": 2.0}}
    compiled = ModelFile(Path("m"), "m", "keras zip", 1, "3.0.0", written, {"optimizer": optimizer, "loss": "mse"})
    expected = "finding" if probe == SETUP else "could_not_look"
    assert examine(PROBES[probe], compiled, "m", frozenset()).outcome == expected


def test_both_languages_name_the_same(saved: Path) -> None:
    """A layer's name that stands in one language's evidence stands in the other's."""
    texts: list[Text] = []
    for path in sorted(saved.glob("*.keras")):
        for probe in (SETUP, RECURRENT):
            texts += look(probe, path, *PROBES[probe].topics).evidence
    assert len(texts) > 30
    for text in texts:
        assert set(text.en.split("'")[1::2]) == set(text.zh.split("'")[1::2])
