"""The probe memory: its counts are those of Keras, and its sums are of the size that training really takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kerasdoctor.diagnostics.graph import graph_of
from kerasdoctor.diagnostics.memory import GIB, Memory, memory_of, slots_of
from kerasdoctor.diagnostics.model_file import ModelFile, read_model
from kerasdoctor.diagnostics.optimizers import Optimizer
from kerasdoctor.diagnostics.probe import examine
from kerasdoctor.diagnostics.shapes import shapes_of

from .conftest import PROBES, look, run_keras

GPU = "gpu-out-of-memory"
SAVE = """
import json, os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
legacy = os.environ["TF_USE_LEGACY_KERAS"] == "1"
if legacy:
    import tf_keras as keras
else:
    import keras
L, told = keras.layers, {}
def nested():
    inner = keras.Sequential([keras.Input((4,)), L.Dense(3, name="deep")], name="inner")
    a, b = keras.Input((4,)), keras.Input((4,))
    return keras.Model([a, b], L.Add()([inner(a), inner(b)]))
def frozen():
    model = keras.Sequential([keras.Input((8, 8, 3)), L.SeparableConv2D(4, 3), L.BatchNormalization(), L.Flatten(), L.Dense(2)])
    model.layers[0].trainable = False
    return model
MODELS = {
    "picture": keras.applications.MobileNetV2(weights=None, input_shape=(64, 64, 3), alpha=0.35),
    "text": keras.Sequential([keras.Input((20,)), L.Embedding(50, 8), L.Bidirectional(L.LSTM(6, return_sequences=True)), L.GRU(4),
                              L.Dropout(0.5), L.Dense(1)]),
    "frozen": frozen(), "nested": nested(),
    "half": keras.Sequential([keras.Input((8,)), L.Dense(4, dtype="mixed_float16"), L.Dense(2, dtype="float32")]),
    "open": keras.Sequential([keras.Input((None, None, 3)), L.Conv2D(4, 3), L.Conv2D(4, 3)]),
}
for name, model in MODELS.items():
    model.compile("adam", "mse")
    model.save(f"{sys.argv[1]}/{name}.keras")
    told[name] = [model.count_params(), sum(w.shape.num_elements() if legacy else w.value.shape.num_elements() for w in
                                            model.trainable_weights)]
K, slots = keras.optimizers, {}
for name, made in {"SGD": K.SGD(), "momentum": K.SGD(momentum=0.9), "Adam": K.Adam(), "amsgrad": K.Adam(amsgrad=True),
                   "AdamW": K.AdamW(), "Nadam": K.Nadam(), "Adamax": K.Adamax(), "RMSprop": K.RMSprop(), "Adagrad": K.Adagrad(),
                   "centered": K.RMSprop(momentum=0.5, centered=True), "Adadelta": K.Adadelta(), "Ftrl": K.Ftrl(), "Lion": K.Lion(),
                   "use_ema": K.Adam(use_ema=True)}.items():
    model = keras.Sequential([keras.Input((30,)), L.Dense(40, use_bias=False)])
    made.build(model.trainable_variables)
    held = made.variables() if callable(made.variables) else made.variables
    config = json.loads(json.dumps(made.get_config(), default=float))
    slots[name] = [type(made).__name__, config, sum(tuple(v.shape) == (30, 40) for v in held)]
print(json.dumps([told, slots]))
"""


@pytest.fixture(scope="module", params=[False, True], ids=["keras-3", "tf_keras"])
def measured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict, dict]:
    """A folder of models, what Keras counts of them, and what it makes for each optimizer."""
    folder = tmp_path_factory.mktemp("memory")
    told, slots = json.loads(run_keras("-c", SAVE, str(folder), legacy=request.param).splitlines()[-1])
    return folder, told, slots


def memory(path: Path) -> Memory:
    model = read_model(path)
    graph = graph_of(model)
    assert graph
    return memory_of(graph, shapes_of(graph, model.line), None)


def test_parameters_are_those_that_keras_counts(measured: tuple[Path, dict, dict]) -> None:
    """All of them, and those that are trained, with frozen and nested layers."""
    folder, told, _ = measured
    for name, (parameters, trained) in told.items():
        counted = memory(folder / f"{name}.keras")
        assert (counted.parameters, counted.trained, counted.uncounted) == (parameters, trained, ()), name


def test_slots_are_those_that_optimizers_make(measured: tuple[Path, dict, dict]) -> None:
    """Variables as large as the kernel, counted on the installed Keras; the gradient is no variable of Adam's."""
    keras_3 = read_model(measured[0] / "text.keras").line == "keras-3"
    for name, (class_name, config, made) in measured[2].items():
        assert slots_of(Optimizer(class_name, config), keras_3=keras_3) == made, name


def test_sums(measured: tuple[Path, dict, dict]) -> None:
    """By hand: two kernels, their gradients, Adam's two slots, a copy in float16, and each layer's output once."""
    half = memory(measured[0] / "half.keras")
    assert half.weights == (36 + 10) * 4
    assert half.fixed == (36 + 10) * 4 * 4 + 36 * 2
    assert half.per_sample == 4 * 2 + 2 * 4 + 2 * 8
    assert half.training(32) == half.fixed + 32 * half.per_sample


def test_batches_that_fit() -> None:
    """The largest power of two whose sum stays below the card; none where the weights alone are too much."""
    model = Memory(1, 1, 4, GIB, GIB // 10, (), (), 1)
    assert [model.largest_batch(card * GIB) for card in (1, 2, 8, 80)] == [0, 4, 64, 512]
    assert model.training(64) < 8 * GIB < model.training(128)


def test_what_is_told(measured: tuple[Path, dict, dict]) -> None:
    """A fact for those who ask about memory, with the numbers of parameters and batches; silent otherwise."""
    path = measured[0] / "picture.keras"
    assert look("memory", path).outcome == "nothing"
    finding = look("memory", path, GPU)
    assert finding.topics == (GPU,)
    assert f"{measured[1]['picture'][0]:,} parameters" in finding.evidence[0].en
    assert "8 GB: " in finding.evidence[1].en


def test_open_axes_are_told_in_place_of_a_number(measured: tuple[Path, dict, dict]) -> None:
    """A fully convolutional model takes pictures of any size, so that no sum per sample is given."""
    finding = look("memory", measured[0] / "open.keras", GPU)
    assert "cannot be told: the outputs of 2 of 3 layers" in finding.evidence[1].en


def test_what_can_not_be_looked_at() -> None:
    """A subclassed model, and one without layers that hold or hand on anything."""
    for config in (
        {"class_name": "Own", "config": {}},
        {"class_name": "Sequential", "config": {"name": "s", "layers": []}},
    ):
        model = ModelFile(Path("m"), "m", "keras zip", 1, "3.0.0", config, None)
        assert examine(PROBES["memory"], model, "m", frozenset()).outcome == "could_not_look"


def test_huge_numbers_stay_numbers() -> None:
    """Sizes that no machine has give a sum, not a failure."""
    units = {"units": 1 << 39, "use_bias": True}
    layers = [
        {"class_name": "InputLayer", "config": {"name": "in", "batch_shape": [None, 1 << 39]}},
        *({"class_name": "Dense", "config": {"name": f"d{n}", **units}} for n in range(3)),
    ]
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": layers}}
    model = ModelFile(Path("m"), "m", "keras zip", 1, "3.0.0", config, {"loss": "mse", "optimizer": {"config": {}}})
    finding = examine(PROBES["memory"], model, "m", frozenset({GPU}))
    assert "80 GB: -" in finding.evidence[1].en
