"""The probe objective: models that the installed Kerases compiled rightly and wrongly."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from kerasdoctor.diagnostics.model_file import ModelFile, read_model
from kerasdoctor.diagnostics.probe import Finding, examine
from kerasdoctor.diagnostics.probes.objective import PROBE

from .conftest import save_models

BUILD = Path(__file__).with_name("build_objectives.py")
FORMATS = ("keras", "h5")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The models saved by Keras 3 and by tf_keras."""
    root = tmp_path_factory.mktemp("objectives")
    return (
        save_models(root / "keras3", legacy=False, script=BUILD),
        save_models(root / "keras2", legacy=True, script=BUILD),
    )


def look(model: ModelFile, *suspected: str) -> Finding:
    return examine(PROBE, model, model.name, frozenset(suspected))


def models(folders: tuple[Path, Path], name: str) -> list[ModelFile]:
    """One model in all that it was saved as."""
    return [read_model(folder / f"{name}.{kind}") for folder in folders for kind in FORMATS]


FITTING = [
    "binary",
    "labels",
    "classes",
    "numbered",
    "logits",
    "logit",
    "regression",
    "huber",
    "two_columns",
    "own_loss",
    "own_class",
    "own_layer",
    "clipped",
    "bounded_lstm",
    "each",
    "named",
    "everywhere",
    "by_key",
    "nested_right",
    "operation",
    "attention_right",
    "channels_first",
    "cast",
    "precision_right",
    "recall_of_one",
    "top_two",
    "iou_right",
    "divergence_right",
    "hinge_right",
]


@pytest.mark.parametrize("name", FITTING)
def test_fitting_models_have_no_fault(folders: tuple[Path, Path], name: str) -> None:
    """Neither do own losses and layers, of which nothing is known."""
    for model in models(folders, name):
        finding = look(model)
        assert finding.outcome == "nothing", finding.evidence


@pytest.mark.parametrize("name", [n for n in FITTING if n != "everywhere"])
def test_fitting_models_confirm_no_suspicion(folders: tuple[Path, Path], name: str) -> None:
    """Nothing that could be taken for a finding, even where each topic is suspected."""
    for model in models(folders, name):
        assert look(model, *PROBE.topics).outcome == "nothing"


@pytest.mark.parametrize(
    "name", ["binary", "labels", "classes", "numbered", "logits", "regression", "each", "by_key", "cast"]
)
def test_fitting_models_rule_the_topics_out(folders: tuple[Path, Path], name: str) -> None:
    """Where output and loss are known and fit, the two topics are out."""
    for model in models(folders, name):
        assert look(model).ruled_out == ("softmax-on-one-unit", "loss-activation-mismatch")


@pytest.mark.parametrize("name", ["own_layer", "clipped", "bounded_lstm", "channels_first"])
def test_unknown_outputs_rule_nothing_out(folders: tuple[Path, Path], name: str) -> None:
    """What can't be told is no sign of health."""
    for model in models(folders, name):
        assert look(model).ruled_out == ()


FAULTS = [
    ("one_unit", "softmax-on-one-unit", "the output of 'last' is a softmax over 1 unit"),
    ("one_unit_layers", "softmax-on-one-unit", "the output of 'last' is a softmax over 1 unit"),
    ("one_unit_mask", "softmax-on-one-unit", "the output of 'last' is a softmax over 1 unit"),
    ("one_unit_steps", "softmax-on-one-unit", "the output of 'last' is a softmax over 1 unit"),
    (
        "twice",
        "loss-activation-mismatch",
        "'last' already ends in softmax, and categorical_crossentropy has from_logits=True",
    ),
    (
        "twice_binary",
        "loss-activation-mismatch",
        "'last' already ends in sigmoid, and binary_crossentropy has from_logits=True",
    ),
    ("twice_nested", "loss-activation-mismatch", "'inner/deep' already ends in softmax, and categorical_crossentropy"),
    ("twice_operation", "loss-activation-mismatch", "already ends in softmax, and sparse_categorical_crossentropy"),
    (
        "forgotten",
        "loss-activation-mismatch",
        "'last' has no activation, and categorical_crossentropy expects probabilities",
    ),
    (
        "forgotten_binary",
        "loss-activation-mismatch",
        "'last' has no activation, and binary_crossentropy expects probabilities",
    ),
    ("forgotten_lstm", "loss-activation-mismatch", "'last' ends in tanh, whose numbers leave 0 to 1"),
    ("relu", "loss-activation-mismatch", "'last' ends in relu, whose numbers leave 0 to 1"),
    ("relu_layer", "loss-activation-mismatch", "'last' ends in leaky_relu, whose numbers leave 0 to 1"),
    ("tanh", "loss-activation-mismatch", "'last' ends in tanh, whose numbers leave 0 to 1"),
    ("sigmoids", "loss-activation-mismatch", "'last' is sigmoid over 3 units with categorical_crossentropy"),
    ("one_class", "softmax-on-one-unit", "'last' has 1 unit and the loss categorical_crossentropy"),
    ("one_label", "label-out-of-range", "'last' has 1 unit and the loss sparse_categorical_crossentropy"),
    ("kind_twice", "loss-activation-mismatch", "'kind' already ends in softmax"),
    ("other_labels", "one-hot-or-sparse-labels", "categorical_accuracy and sparse_categorical_crossentropy on 'last'"),
    ("precision", "one-hot-or-sparse-labels", "Precision compares each of the 3 units of 'last'"),
    ("auc_of_classes", "one-hot-or-sparse-labels", "AUC compares each of the 3 units of 'last'"),
    ("iou_few", "accuracy-metric", "MeanIoU counts 2 classes, and 'last' has 3 units"),
    ("divergence", "loss-activation-mismatch", "'last' ends in linear, and kl_divergence compares probabilities"),
    ("too_many", "multi-output-losses", "loss is a list of length 3, and the model has 2 outputs ('price', 'kind')"),
    ("no_output", "multi-output-losses", "loss names 'prices', which is no output of the model"),
    ("no_metric", "multi-output-losses", "metrics names 'prices', which is no output of the model"),
]


@pytest.mark.parametrize(("name", "topic", "said"), FAULTS)
def test_faults(folders: tuple[Path, Path], name: str, topic: str, said: str) -> None:
    """Found whatever was asked, in both formats of both lines, with the layer's name, and never ruled out as well."""
    for model in models(folders, name):
        finding = look(model)
        assert finding.fault
        assert topic in finding.topics
        assert any(said in text.en for text in finding.evidence), finding.evidence
        assert topic not in finding.ruled_out


FACTS = [
    ("attention", "softmax-on-one-unit", "what comes out of 'weights' is a softmax over 1 unit"),
    ("softmax_binary", "loss-activation-mismatch", "'last' is a softmax over 5 units with binary_crossentropy"),
    ("poisson", "nan-loss", "'last' (linear) can be negative"),
    (
        "bounded",
        "loss-activation-mismatch",
        "'last' ends in sigmoid and the loss is mean_squared_error: numbers below 0 or above 1",
    ),
    ("accuracy", "accuracy-metric", "accuracy is counted on 'last' (linear), which is trained with mean_squared_error"),
    (
        "accuracy_each",
        "accuracy-metric",
        "accuracy is counted on 'price' (linear), which is trained with mean_squared_error",
    ),
    ("equality", "accuracy-metric", "keras.metrics.Accuracy on 'last'"),
    ("threshold", "accuracy-metric", "accuracy on 'last' expects probabilities and gets linear"),
    ("auc_of_logits", "loss-activation-mismatch", "AUC on 'last' expects probabilities and gets linear"),
    ("iou", "accuracy-metric", "MeanIoU on 'last' takes the outputs as class numbers"),
    ("top_five", "accuracy-metric", "top_k_categorical_accuracy with k=5 on 'last', which has 3 units, is always 1"),
    ("iou_many", "accuracy-metric", "OneHotMeanIoU counts 4 classes, and 'last' has 3 units"),
    ("hinge", "loss-activation-mismatch", "'last' ends in sigmoid, and hinge is about labels -1 and 1"),
    ("too_few", "multi-output-losses", "loss is a list of length 1, and the model has 2 outputs ('price', 'kind')"),
    ("no_loss", "multi-output-losses", "output 'kind' has no loss"),
]


@pytest.mark.parametrize(("name", "topic", "said"), FACTS)
def test_facts_count_where_the_topic_is_suspected(folders: tuple[Path, Path], name: str, topic: str, said: str) -> None:
    """Without a suspicion they are no finding."""
    for model in models(folders, name):
        finding = look(model, topic)
        assert topic in finding.topics
        assert any(said in text.en for text in finding.evidence), finding.evidence
        assert topic not in finding.ruled_out
        assert look(model).outcome == "nothing"


def test_a_flat_list_of_metrics_is_for_every_output_up_to_keras_2(folders: tuple[Path, Path]) -> None:
    """Keras 3 stops at it."""
    for model in models(folders, "flat_metrics"):
        finding = look(model)
        assert finding.fault == (model.line == "keras-3")
        assert ("multi-output-losses" in finding.topics) == (model.line == "keras-3")


def test_without_a_loss_there_is_only_the_output_to_look_at(folders: tuple[Path, Path]) -> None:
    """The third outcome tells the outputs; a softmax over one unit is wrong with any loss."""
    for folder in folders:
        finding = look(read_model(folder / "not_compiled.keras"))
        assert finding.outcome == "could_not_look"
        assert "'last: softmax × 3'" in finding.evidence[0].en
        assert look(read_model(folder / "not_compiled_one_unit.keras")).topics == ("softmax-on-one-unit",)


def compiled(model: ModelFile, **changes: Any) -> ModelFile:
    return dataclasses.replace(model, compiled={**(model.compiled or {}), **changes})


@pytest.mark.parametrize(
    ("written", "fault"), [("binary_crossentropy", True), ("BinaryCrossentropy", True), ("own", False)]
)
@pytest.mark.parametrize("version", ["1.2.2", "2.2.4", "2.3.1", "2.2.4-tf"])
def test_names_of_losses_as_old_releases_write_them(
    folders: tuple[Path, Path], version: str, written: str, fault: bool
) -> None:
    """A name, and an object without module, as in HDF5 of Keras 2.3 and of TensorFlow 1.14 to 2.1."""
    old = dataclasses.replace(read_model(folders[1] / "regression.h5"), keras_version=version)
    as_object = {"class_name": written, "config": {"from_logits": False, "name": written}}
    for loss in (written, [written], {"last": written}, as_object if written[0] == "B" else written):
        assert look(compiled(old, loss=loss, metrics=["accuracy"])).fault is fault, loss


def test_a_list_of_losses_for_one_output(folders: tuple[Path, Path]) -> None:
    """Keras 3 adds them up, Keras 2 takes the first and says nothing."""
    new, old = (read_model(folder / "regression.keras") for folder in folders)
    assert not look(compiled(new, loss=["mse", "mae"])).fault
    assert look(compiled(old, loss=["mse", "mae"])).topics == ("multi-output-losses",)


def test_names_of_metrics_for_one_output(folders: tuple[Path, Path]) -> None:
    """Keras 3 does not look at them, Keras 2 stops at an unknown one."""
    new, old = (read_model(folder / "regression.keras") for folder in folders)
    assert not look(compiled(new, metrics={"x": "mae"})).fault
    assert look(compiled(old, metrics={"x": "mae"})).topics == ("multi-output-losses",)


JUNK: list[Any] = [
    None,
    0,
    -1,
    True,
    1.5,
    "",
    "x",
    "softmax",
    [],
    [[]],
    [None],
    ["a", 0, 0],
    {},
    {"a": None},
    {"class_name": 1, "config": 2},
]
JUNK += [
    {"class_name": name, "config": c}
    for name in ("function", "AUC", "ReLU", "BinaryCrossentropy")
    for c in (None, [], {}, "x", 5)
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything in a piece of JSON."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(p for key, part in inside for p in places(part, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    if not path:
        return junk
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(value[path[0]], path[1:], junk)
    return copy


@pytest.mark.parametrize("name", ["one_unit_steps", "kind_twice", "iou", "by_key", "relu_layer"])
def test_junk_anywhere_never_makes_it_fail(folders: tuple[Path, Path], name: str) -> None:
    """Each piece of what is compiled and of the last layers replaced by values of other types."""
    for model in models(folders, name):
        for field in ("compiled", "config"):
            whole = json.loads(json.dumps(getattr(model, field)))
            for path in places(whole)[:400]:
                for junk in JUNK if len(path) < 4 else JUNK[::3]:
                    spoilt = put(whole, path, junk)
                    if not isinstance(spoilt, dict):
                        continue
                    finding = look(dataclasses.replace(model, **{field: spoilt}), *PROBE.topics)
                    assert not any("the probe failed" in text.en for text in finding.evidence), (path, junk, finding)
