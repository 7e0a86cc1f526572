"""Shapes and variables are those that Keras computes, and the probes shapes, data-format and layer-names fire where Keras refuses."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest
from kerasdoctor.diagnostics.flow import flow_of
from kerasdoctor.diagnostics.graph import Graph, graph_of
from kerasdoctor.diagnostics.model_file import ModelFile, read_model
from kerasdoctor.diagnostics.probe import Finding, examine
from kerasdoctor.diagnostics.shapes import Shapes, shapes_of
from kerasdoctor.diagnostics.variables import parameters_of, variables_of

from .conftest import PROBES, edited, look, run_keras

SHAPES, FORMAT, NAMES = "shapes", "data-format", "layer-names"
BUILD = Path(__file__).with_name("build_shape_models.py")


def walked(path: Path) -> tuple[Graph, Shapes]:
    model = read_model(path)
    graph = graph_of(model)
    assert graph is not None
    return graph, shapes_of(graph, model.line)


EVERY = [
    "pictures", "merged", "sequences", "nested", "films", "heavy", "per_place", "channels_first", "turned", "mixed", "mobile",
    "efficient",
]  # fmt: skip


@pytest.mark.parametrize("name", EVERY)
def test_shapes_are_those_that_keras_computed(saved: Path, name: str) -> None:
    """Every output of every layer, open axes included, and nothing stays unknown."""
    _, shapes = walked(saved / f"{name}.keras")
    truth = json.loads((saved / "truth.json").read_text())[name]
    assert {path: [list(s or ()) for s in shapes.outputs[path]] for path in truth} == {
        p: told[0] for p, told in truth.items()
    }
    assert shapes.misfits == ()


@pytest.mark.parametrize("name", EVERY)
def test_parameters_are_those_that_keras_counts(saved: Path, name: str) -> None:
    """Trainable and not, for every layer but a TimeDistributed model's."""
    graph, shapes = walked(saved / f"{name}.keras")
    truth = json.loads((saved / "truth.json").read_text())[name]
    places = flow_of(graph).places
    counted = {path: parameters_of(places[path].layer, shapes.inputs.get(path, ())) for path in truth}
    unknown = {path for path, found in counted.items() if found is None}
    assert unknown <= {"frames"}
    assert {path: list(found) for path, found in counted.items() if found} == {
        path: told[1] for path, told in truth.items() if path not in unknown
    }


@pytest.mark.parametrize("name", ["pictures", "merged", "nested"])
def test_hdf5_files_say_the_same(saved: Path, name: str) -> None:
    """Whatever the container."""
    assert walked(saved / f"{name}.h5")[1].outputs == walked(saved / f"{name}.keras")[1].outputs


def test_variables_have_names(saved: Path) -> None:
    """A kernel's shape is told from what the layer is called on."""
    graph, shapes = walked(saved / "pictures.keras")
    places = flow_of(graph).places
    held = {path: variables_of(place.layer, shapes.inputs.get(path, ())) for path, place in places.items()}
    assert held["groups"] == {"kernel": (2, 2, 4, 4), "bias": (4,)}
    assert held["separable"] == {"depthwise_kernel": (3, 3, 8, 1), "pointwise_kernel": (1, 1, 8, 8), "bias": (8,)}
    assert list(held["norm"] or ()) == ["gamma", "beta", "moving_mean", "moving_variance"]


def test_an_own_layer_is_unknown_until_the_file_tells(saved: Path) -> None:
    """A Sequential model doesn't tell what an own layer returns: unknown spreads, and nothing is claimed."""
    _, shapes = walked(saved / "own.keras")
    assert shapes.outputs["before"] == ((None, 4),)
    assert shapes.outputs["own"] == shapes.outputs["after"] == ()
    assert look(SHAPES, saved / "own.keras").outcome == "nothing"


def layer_named(config: Any, name: str) -> dict[str, Any]:
    """The configuration of a layer at any depth, with what stands around it."""
    found = [config] if isinstance(config, dict) and isinstance(config.get("config"), dict) and (
        config["config"].get("name") == name and "class_name" in config
    ) else []  # fmt: skip
    parts = config.values() if isinstance(config, dict) else config if isinstance(config, list) else []
    return found[0] if found else next(filter(None, (layer_named(part, name) for part in parts)), {})


def with_arguments(name: str, /, **arguments: Any) -> Callable[[dict[str, Any]], None]:
    return lambda config: layer_named(config, name)["config"].update(arguments)


def fed(shape: list[int | None]) -> Callable[[dict[str, Any]], None]:
    """The first InputLayer takes another shape."""

    def change(config: dict[str, Any]) -> None:
        first = config["config"]["layers"][0]["config"]
        first["batch_shape" if "batch_shape" in first else "batch_input_shape"] = shape

    return change


MISFITS = [
    ("pictures", with_arguments("separable", kernel_size=[15, 3]), "separable", "negative-dimension"),
    ("pictures", with_arguments("pool", pool_size=[40, 40]), "pool", "negative-dimension"),
    ("pictures", with_arguments("crop", cropping=[[5, 5], [0, 0]]), "crop", "negative-dimension"),
    ("pictures", fed([None, 28, 28, None]), "conv", "layer-input-last-axis"),
    ("pictures", fed([None, 28, 28]), "conv", "layer-input-rank"),
    ("pictures", fed([None, 28, 28, 1]), "conv", "layer-input-last-axis"),
    ("pictures", fed([None, 32, 32, 3]), "hidden", "layer-input-last-axis"),
    ("pictures", with_arguments("groups", groups=3), "groups", "layer-input-last-axis"),
    ("pictures", with_arguments("norm", axis=5), "norm", "layer-input-rank"),
    ("pictures", with_arguments("reshape", target_shape=[4, 3]), "reshape", "reshape-size-mismatch"),
    ("pictures", with_arguments("permute", dims=[1, 2, 3]), "permute", "transpose-axes"),
    ("merged", with_arguments("left", filters=6), "added", "incompatible-broadcast-shapes"),
    ("merged", with_arguments("left", strides=[1, 1]), "added", "incompatible-broadcast-shapes"),
    ("merged", with_arguments("up", strides=[4, 4]), "joined", "concatenate-shape-mismatch"),
    ("merged", with_arguments("other", units=9), "dot", "dot-and-batch-dot-rank"),
    ("sequences", with_arguments("gru", return_sequences=False), "each attention", "layer-input-rank"),
    ("nested", with_arguments("conv", kernel_size=[9, 9]), "inner/conv", "negative-dimension"),
    ("films", with_arguments("conv", kernel_size=[9, 3, 3]), "conv", "negative-dimension"),
]
ORDER = [f"{number}_{name}_{path.replace('/', '_').split()[0]}" for number, (name, _, path, _) in enumerate(MISFITS)]


@pytest.fixture(scope="module")
def spoilt(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Saved models whose configuration was changed to something that cannot be built."""
    folder = tmp_path_factory.mktemp("spoilt")
    for name, (model, change, _, _) in zip(ORDER, MISFITS, strict=True):
        edited(saved / f"{model}.keras", folder / f"{name}.keras", change)
    return folder


@pytest.mark.parametrize("number", range(len(MISFITS)), ids=ORDER)
def test_a_layer_that_does_not_fit_is_named(spoilt: Path, number: int) -> None:
    """A fault, with the path of the first layer that Keras would stop at, and its topic."""
    _, _, path, topic = MISFITS[number]
    finding = look(SHAPES, spoilt / f"{ORDER[number]}.keras")
    assert finding.fault
    assert topic in finding.topics
    assert finding.layers[0] in path.split()
    assert finding.layers[0] in finding.evidence[0].en
    assert finding.layers[0] in finding.evidence[0].zh


LOAD = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
if os.environ["TF_USE_LEGACY_KERAS"] == "1":
    import tf_keras as keras
else:
    import keras
for name in sys.argv[1:]:
    try:
        model = keras.models.load_model(name, compile=False)
        model(tf.zeros([n or 6 for n in model.inputs[0].shape]))
        print("loaded", name)
    except Exception as error:
        print("refused", name)
"""


def test_keras_refuses_what_is_called_a_fault(saved: Path, spoilt: Path) -> None:
    """None of the changed files loads and runs in the Keras that wrote them; each of the sound ones does."""
    legacy = read_model(saved / "pictures.keras").line != "keras-3"
    sound = [str(saved / f"{name}.keras") for name in ("pictures", "merged", "sequences", "films", "turned")]
    changed = [str(path) for path in sorted(spoilt.glob("*.keras"))]
    said = [line.split()[0] for line in run_keras("-c", LOAD, *sound, *changed, legacy=legacy).splitlines()]
    assert said == ["loaded"] * len(sound) + ["refused"] * len(changed)


def test_hdf5_files_have_the_same_faults(saved: Path, tmp_path: Path) -> None:
    """The configuration of a real HDF5 file, changed in place."""
    path = tmp_path / "spoilt.h5"
    shutil.copy(saved / "merged.h5", path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        with_arguments("left", filters=6)(config)
        file.attrs["model_config"] = json.dumps(config)
    finding = look(SHAPES, path)
    assert finding.fault
    assert finding.layers[0] == "added"
    assert (
        "6 long in one and 8 in the other" in finding.evidence[0].en or "8 long in one and 6" in finding.evidence[0].en
    )


@pytest.mark.parametrize("probe", [SHAPES, FORMAT, NAMES])
@pytest.mark.parametrize("name", [*EVERY, "own", "automatic"])
def test_models_that_keras_saved_have_no_fault(saved: Path, probe: str, name: str) -> None:
    """Not even those that are built oddly: what they show are facts."""
    assert look(probe, saved / f"{name}.keras").outcome == "nothing"


FACTS = [
    (SHAPES, "heavy", "overfitting", "'heavy' (Dense) has 2,097,184 parameters, 100% of those known"),
    (SHAPES, "per_place", "target-shape", "'classes' (Dense) is called on (None, 7, 7, 4) and keeps its axes"),
    (FORMAT, "turned", "channels-first-last", "on the last axis of its input (None, 3, 32, 32) and finds 32; 3 on the"),
    (FORMAT, "mixed", "channels-first-last", "'one' has channels_first and 'two' has channels_last"),
    (FORMAT, "channels_first", "channels-first-last", "'pool', 'all' computes with channels_first"),
    (FORMAT, "channels_first", "channels-first-last", "'norm' normalises the last axis"),
    (NAMES, "automatic", "load-weights-by-name", "1 of 2 layers with weights have automatic names ('dense"),
]


@pytest.mark.parametrize(("probe", "name", "topic", "said"), FACTS)
def test_facts_count_once_their_topic_is_suspected(saved: Path, probe: str, name: str, topic: str, said: str) -> None:
    """They explain a suspicion and raise none."""
    finding = look(probe, saved / f"{name}.keras", topic)
    assert finding.outcome == "finding"
    assert not finding.fault
    assert any(said in text.en for text in finding.evidence), finding.evidence


@pytest.mark.parametrize(
    ("probe", "name", "topic"),
    [
        (SHAPES, "pictures", "overfitting"),
        (SHAPES, "mobile", "overfitting"),
        (SHAPES, "mobile", "target-shape"),
        (FORMAT, "pictures", "channels-first-last"),
        (FORMAT, "mobile", "channels-first-last"),
        (NAMES, "pictures", "load-weights-by-name"),
        (NAMES, "pictures", "layer-names"),
    ],
)
def test_facts_are_silent_on_models_without_them(saved: Path, probe: str, name: str, topic: str) -> None:
    """A suspicion alone makes no finding."""
    assert look(probe, saved / f"{name}.keras", topic).outcome == "nothing"


def test_a_model_whose_shapes_are_all_known_rules_their_errors_out(saved: Path) -> None:
    """Where only the batch is open; not where data may bring other sizes, or an own layer."""
    assert look(SHAPES, saved / "pictures.keras").ruled_out == ("negative-dimension", "concatenate-shape-mismatch")
    assert look(SHAPES, saved / "sequences.keras").ruled_out == ()
    assert look(SHAPES, saved / "own.keras").ruled_out == ()


def test_names_that_occur_twice(saved: Path, tmp_path: Path) -> None:
    """Every Keras refuses them; a name may occur again in a nested model."""
    twice = edited(saved / "pictures.keras", tmp_path / "m.keras", with_arguments("hidden", name="conv"))
    finding = look(NAMES, twice)
    assert finding.fault
    assert finding.layers == ("conv",)
    assert "'conv' is used up to 2 times" in finding.evidence[0].en


def test_a_slash_in_a_name_is_a_fault_in_keras_3_only(saved: Path, tmp_path: Path) -> None:
    """Keras 2 takes it, and Keras 3 will not load that file."""
    slashed = edited(saved / "automatic.keras", tmp_path / "m.keras", with_arguments("mine", name="block/mine"))
    assert look(NAMES, slashed).fault is (read_model(slashed).line == "keras-3")
    assert look(NAMES, slashed, "layer-names").outcome == "finding"


def keras_1(*layers: tuple[str, dict[str, Any]]) -> ModelFile:
    written = [{"class_name": name, "config": {"name": f"l{i}", **config}} for i, (name, config) in enumerate(layers)]
    return ModelFile(Path("m.h5"), "m.h5", "HDF5", 1, "1.2.2", {"class_name": "Sequential", "config": written}, None)


def test_words_of_keras_1() -> None:
    """nb_filter, nb_row, border_mode, subsample, dim_ordering, output_dim."""
    conv = {"nb_filter": 4, "nb_row": 3, "nb_col": 5, "border_mode": "valid", "subsample": [2, 1], "dim_ordering": "th"}
    model = keras_1(
        ("Convolution2D", {"batch_input_shape": [None, 1, 28, 28], **conv}),
        ("MaxPooling2D", {"pool_size": [2, 2], "strides": [2, 2], "border_mode": "same", "dim_ordering": "th"}),
        ("Flatten", {}),
        ("Dense", {"output_dim": 3}),
    )
    graph = graph_of(model)
    assert graph is not None
    outputs = shapes_of(graph, model.line).outputs
    assert list(outputs.values()) == [((None, 4, 13, 24),), ((None, 4, 7, 12),), ((None, 336),), ((None, 3),)]
    assert variables_of(graph.layers[0], ((None, 1, 28, 28),)) == {"kernel": (3, 5, 1, 4), "bias": (4,)}
    finding = examine(PROBES[FORMAT], model, "m.h5", frozenset({"kernel-layout-th-tf"}))
    assert finding.outcome == "finding"


def spoiled(value: Any, chance: random.Random) -> Any:
    """A configuration with some of its values put in each other's place or exchanged for other types."""
    if chance.random() < 0.03:
        return chance.choice(
            [None, True, -1, 0, 1e308, 10**30, 10**4000, "", "x", [], {}, [[]], {"config": []}, ["a", 0, 0]]
        )
    if isinstance(value, dict):
        return {key: spoiled(part, chance) for key, part in value.items()}
    if isinstance(value, list):
        return [spoiled(part, chance) for part in value for _ in range(chance.choice([1, 1, 1, 1, 1, 1, 2]))]
    return value


@pytest.mark.parametrize("probe", [SHAPES, FORMAT, NAMES])
def test_hostile_configurations_break_nothing(saved: Path, probe: str) -> None:
    """Whatever stands in a file, a probe answers; that the configuration is malformed is told by its reader."""
    chance = random.Random(0)  # noqa: S311 - not for secrets
    models = [
        read_model(saved / f"{name}.keras") for name in ("pictures", "merged", "sequences", "nested", "films", "mixed")
    ]
    for number in range(600):
        model = models[number % len(models)]
        config = spoiled(model.config, chance)
        if isinstance(config, dict):
            hostile = ModelFile(Path("m.keras"), "m.keras", "keras zip", 1, model.keras_version, config, None)
            finding = examine(PROBES[probe], hostile, "m.keras", frozenset(PROBES[probe].topics))
            assert finding.outcome != "crashed", finding.evidence


def test_models_nested_and_called_many_times_stay_cheap() -> None:
    """Twenty models, each calling the next four times on other shapes: the number of calls that are walked is bounded."""
    inner: dict[str, Any] = {"class_name": "Dense", "config": {"units": 1}, "name": "x"}
    for depth in range(19):
        nodes = [[["in", 0, 0, {}]]] + [[["x", call, 0, {}]] for call in range(3)]
        source = {
            "class_name": "InputLayer",
            "config": {"batch_shape": [None, 3 + depth]},
            "name": "in",
            "inbound_nodes": [],
        }
        layers = [source, {**inner, "name": "x", "inbound_nodes": nodes}]
        ends = {"input_layers": [["in", 0, 0]], "output_layers": [["x", 3, 0]]}
        inner = {"class_name": "Functional", "config": {"name": "m", "layers": layers, **ends}}
    model = ModelFile(Path("m.keras"), "m.keras", "keras zip", 1, "3.0.0", inner, None)
    assert examine(PROBES[SHAPES], model, "m.keras", frozenset()).outcome != "crashed"


@pytest.mark.parametrize("probe", [SHAPES, FORMAT, NAMES])
def test_a_subclassed_model_cannot_be_looked_at(probe: str) -> None:
    """Its layers are Python code."""
    model = ModelFile(Path("m"), "m", "keras zip", 1, "3.0.0", {"class_name": "Own", "config": {}}, None)
    finding: Finding = examine(PROBES[probe], model, "m", frozenset())
    assert finding.outcome == "could_not_look"
    assert "子类化" in finding.evidence[0].zh
