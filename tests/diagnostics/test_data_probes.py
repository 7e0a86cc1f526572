"""The probes of data samples: what they find in planted faults, and that they are silent on scikit-learn's own data sets."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from kerasdoctor.diagnostics.data_sample import DataSample, read_sample
from kerasdoctor.diagnostics.model_file import ModelFile, read_model
from kerasdoctor.diagnostics.probe import Finding, all_probes, examine
from sklearn import datasets

from .conftest import PROBES, save_models

BUILD = Path(__file__).with_name("build_data_models.py")
DATA = [probe for probe in all_probes() if probe.subject == "data"]
CHANCE = np.random.default_rng(0)
SHUFFLED = CHANCE.permutation(np.arange(200) % 10)
PICTURES = CHANCE.random((200, 8, 8, 1), "float32")
FLOWERS = CHANCE.random((200, 4))


@pytest.fixture(scope="module", params=[False, True], ids=["keras-3", "tf_keras"])
def models(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelFile]:
    """The models of `build_data_models.py`, saved by Keras 3 and by tf_keras."""
    folder = save_models(tmp_path_factory.mktemp("models") / "saved", legacy=request.param, script=BUILD)
    return {path.stem: read_model(path) for path in folder.glob("*.keras")}


def sample(folder: Path, model: ModelFile | None, **arrays: Any) -> DataSample:
    np.savez(folder / "sample.npz", **arrays)
    return read_sample(folder / "sample.npz", model)


def find(probe: str, subject: DataSample, *suspected: str) -> Finding:
    finding = examine(PROBES[probe], subject, subject.name, frozenset(suspected))
    assert finding.outcome != "crashed", finding.evidence
    return finding


def three(number: int) -> np.ndarray[Any, Any]:
    return np.eye(3)[np.arange(number) % 3]


FAULTS: list[tuple[str, str, str, str, Callable[[], dict[str, Any]]]] = [
    ("data-shape", "pictures", "model-input-shape", "the batch axis is missing", lambda: {"x": PICTURES[0]}),
    ("data-shape", "colours", "channels-first-last", "np.moveaxis", lambda: {"x": np.zeros((5, 3, 16, 16))}),
    ("data-shape", "colours", "layer-input-rank", "channels axis is missing", lambda: {"x": np.zeros((5, 16, 16))}),
    ("data-shape", "flat", "layer-input-rank", "x.reshape(len(x), -1)", lambda: {"x": PICTURES}),
    ("data-shape", "flowers", "layer-input-last-axis", "takes (None, 4)", lambda: {"x": np.zeros((9, 5))}),
    ("data-shape", "pictures", "model-input-shape", "the sizes differ", lambda: {"x": np.zeros((9, 9, 9, 1))}),
    ("data-shape", "flowers", "dtype-not-allowed", "holds text", lambda: {"x": np.full((9, 4), "a")}),
    ("data-shape", "two", "model-input-shape", "takes (None, 4)", lambda: {"x_ids": np.zeros((9, 3)), "x_b": np.zeros((9, 5))}),
    (
        "label-form", "flowers_one_hot", "one-hot-or-sparse-labels", "takes one-hot rows",
        lambda: {"x": FLOWERS, "y": np.arange(200) % 3},
    ),
    ("label-form", "flowers", "one-hot-or-sparse-labels", "y.argmax(axis=-1)", lambda: {"x": FLOWERS, "y": three(200)}),
    ("label-form", "flowers", "label-out-of-range", "50 of 200 are outside", lambda: {"x": FLOWERS, "y": np.arange(200) % 4}),
    (
        "label-form", "flowers", "label-out-of-range", "subtract 1",
        lambda: {"x": FLOWERS, "y": np.arange(200) % 3 + 1},
    ),
    (
        "label-form", "flowers_one_hot", "target-shape", "have 4 columns",
        lambda: {"x": FLOWERS, "y": np.eye(4)[np.arange(200) % 4]},
    ),
    ("label-form", "cancer", "label-out-of-range", "map them to 0 and 1", lambda: {"y": np.arange(200) % 2 * 2 - 1}),
    ("label-form", "cancer", "label-out-of-range", "one unit per class", lambda: {"y": np.arange(200) % 3}),
    ("label-form", "cancer", "target-shape", "have 2 columns", lambda: {"y": np.eye(2)[np.arange(200) % 2]}),
    ("label-form", "diabetes", "target-shape", "have 3 columns", lambda: {"y": CHANCE.random((200, 3))}),
    ("label-form", "flowers", "one-hot-or-sparse-labels", "are texts", lambda: {"y": np.array(["a", "b"] * 50)}),
    ("label-form", "two", "label-out-of-range", "outside", lambda: {"kind": np.arange(40) % 5, "price": FLOWERS[:40, 0]}),
    ("data-values", "flowers", "nan-loss", "holds 2 NaN and 1 infinite",
     lambda: {"x": np.array([[1, np.nan, np.inf, np.nan]] + [[1] * 4] * 9)}),
    ("data-values", "diabetes", "nan-loss", "'y' holds 1 NaN", lambda: {"x": FLOWERS, "y": np.array([np.nan, *range(199)])}),
    ("data-values", "flowers", "nan-loss", "beyond float32", lambda: {"x": np.array([[1e39, 1, 1, 1]] * 9)}),
    ("data-layout", "flowers", "empty-dataset", "it is empty", lambda: {"x": np.zeros((0, 4))}),
    ("data-layout", "flowers", "data-cardinality", "'x_train: 200', 'y_train: 150'",
     lambda: {"x_train": FLOWERS, "y_train": SHUFFLED[:150]}),
    ("data-layout", "flowers", "ragged-array-to-tensor", "Python objects", lambda: {"x": np.array([[1], [1, 2]], object)}),
    ("data-ids", "words", "embedding-index-range", "2 of 240 ids in 'x' lie outside 0 to 49",
     lambda: {"x": np.array([[1] * 12] * 19 + [[50, -1] + [2] * 10])}),
    ("data-ids", "two", "embedding-index-range", "'lookup' (input_dim=9)",
     lambda: {"x_ids": np.full((9, 3), 9), "x_numbers": np.zeros((9, 4))}),
    ("class-balance", "flowers", "loss-not-decreasing", "there is nothing to tell apart",
     lambda: {"x": FLOWERS, "y": np.zeros(200, int)}),
]  # fmt: skip


@pytest.mark.parametrize(("probe", "model", "topic", "said", "arrays"), FAULTS, ids=[f"{f[0]}-{f[3]}" for f in FAULTS])
def test_faults_are_found(
    models: dict[str, ModelFile],
    probe: str,
    model: str,
    topic: str,
    said: str,
    arrays: Callable[[], dict[str, Any]],
    tmp_path: Path,
) -> None:
    """Each with its numbers, once, whatever was asked."""
    finding = find(probe, sample(tmp_path, models[model], **arrays()))
    assert finding.fault
    assert topic in finding.topics
    assert sum(said in text.en for text in finding.evidence) == 1


WARNINGS: list[tuple[str, str | None, str, str, Callable[[], dict[str, Any]]]] = [
    ("label-order", None, "validation-split-before-shuffle", "2 of 10 classes", lambda: {"x": FLOWERS, "y": np.sort(SHUFFLED)}),
    ("label-order", None, "validation-split-before-shuffle", "1 of 3 classes", lambda: {"y": np.repeat(np.eye(3), 50, axis=0)}),
    ("label-order", None, "validation-split-before-shuffle", "1 of 2 classes", lambda: {"y": np.repeat(["b", "a"], 50)}),
    ("class-balance", None, "class-weight", "(1 to 19)", lambda: {"y": (np.arange(200) % 20 == 0).astype(int)}),
    ("class-balance", None, "class-weight", "right in 95%", lambda: {"y": np.eye(2)[(np.arange(200) % 20 == 0).astype(int)]}),
    ("data-values", "pictures", "integer-inputs-not-scaled", "(uint8) runs from 0 to 255",
     lambda: {"x": (PICTURES * 256).astype("uint8")}),
    ("data-values", "pictures", "integer-inputs-not-scaled", "divide by 255", lambda: {"x": PICTURES * 255}),
    ("data-values", "rescaled", "integer-inputs-not-scaled", "it is scaled twice", lambda: {"x": PICTURES}),
    ("data-values", "flowers", "integer-inputs-not-scaled", "very different scales", lambda: {"x": FLOWERS * [1, 1, 1, 50_000]}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("probe", "model", "topic", "said", "arrays"), WARNINGS, ids=[f"{w[0]}-{w[3]}" for w in WARNINGS]
)
def test_warnings_are_told(
    models: dict[str, ModelFile],
    probe: str,
    model: str | None,
    topic: str,
    said: str,
    arrays: Callable[[], dict[str, Any]],
    tmp_path: Path,
) -> None:
    """They are no faults, and confirm their topic where it is suspected."""
    subject = sample(tmp_path, models[model] if model else None, **arrays())
    finding = find(probe, subject)
    assert (finding.warning, finding.fault) == (True, False)
    assert sum(said in text.en for text in finding.evidence) == 1
    assert topic in find(probe, subject, topic).topics


FACTS: list[tuple[str, str, str, str, Callable[[], dict[str, Any]]]] = [
    ("data-shape", "fixed", "batch-size-differs", "a last batch of 8", lambda: {"x": FLOWERS}),
    ("data-shape", "two", "multi-input-output-model", "the model has 2 inputs", lambda: {"x": FLOWERS}),
    ("data-layout", "flowers", "overfitting", "100 of 200 rows", lambda: {"x": np.tile(FLOWERS[:100], (2, 1))}),
    ("data-layout", "flowers", "validation-vs-test-set", "20 of 50 rows of 'x_test'",
     lambda: {"x_train": FLOWERS[:170], "x_test": FLOWERS[150:]}),
    ("data-values", "flowers", "loss-not-decreasing", "1 of 4 columns of 'x' have one value only: '0'",
     lambda: {"x": FLOWERS * [0, 1, 1, 1]}),
    ("label-form", "flowers", "label-out-of-range", "class 0 of 'dense' (3 units)", lambda: {"y": np.arange(200) % 2 + 1}),
    ("label-form", "flowers_one_hot", "loss-activation-mismatch", "no 1 or several",
     lambda: {"y": np.array([[1, 1, 0], [1, 0, 0]] * 9)}),
]  # fmt: skip


@pytest.mark.parametrize(("probe", "model", "topic", "said", "arrays"), FACTS, ids=[f"{f[0]}-{f[3]}" for f in FACTS])
def test_facts_count_once_their_topic_is_suspected(
    models: dict[str, ModelFile],
    probe: str,
    model: str,
    topic: str,
    said: str,
    arrays: Callable[[], dict[str, Any]],
    tmp_path: Path,
) -> None:
    """They explain a suspicion and raise none."""
    subject = sample(tmp_path, models[model], **arrays())
    assert find(probe, subject).outcome == "nothing"
    finding = find(probe, subject, topic)
    assert topic in finding.topics
    assert sum(said in text.en for text in finding.evidence) == 1


SETS = {"iris": "flowers", "wine": "wine", "digits": "flat", "diabetes": "diabetes", "breast_cancer": "cancer"}
SORTED = {"iris", "wine"}  # as scikit-learn ships them


def saved(name: str, form: str, folder: Path) -> Path:
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    path = folder / f"{name}.{form}"
    if form == "npz":
        np.savez(path, X=x, y=y)
    elif form == "npy":
        np.save(path, x)
    elif form == "h5":
        with h5py.File(path, "w") as file:
            file["data/x"], file["data/y"] = x, y
    else:
        header = ",".join([f"c{i}" for i in range(x.shape[1])] + ["target"]) if form == "csv" else ""
        np.savetxt(path, np.c_[x, y], "%g", ",", header=header, comments="")
    return path


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("form", ["npz", "npy", "h5", "csv", "txt"])
def test_healthy_data_has_no_finding(models: dict[str, ModelFile], name: str, form: str, tmp_path: Path) -> None:
    """But that iris and wine are sorted by class, which is so; a table without a header has one column too many: the labels."""
    path = saved(name, form, tmp_path)
    for model in (None, models[SETS[name]]):
        subject = read_sample(path, model)
        found = {probe.id for probe in DATA if find(probe.id, subject).outcome == "finding"}
        labelled = bool(subject.labels)
        assert found == ({"label-order"} if name in SORTED and labelled else set())
        assert labelled == (form != "npy" and (form != "txt" or model is not None))


def test_columns_of_very_different_scale_are_told_where_nothing_normalizes(
    models: dict[str, ModelFile], tmp_path: Path
) -> None:
    """Wine's proline varies by 314, its hue by 0.2: a warning without a BatchNormalization, none with it."""
    path = saved("wine", "npz", tmp_path)
    assert find("data-values", read_sample(path, models["wine_plain"])).warning
    assert find("data-values", read_sample(path, models["wine"])).outcome == "nothing"


@pytest.mark.parametrize(
    ("model", "shape"),
    [("pictures", (9, 8, 8)), ("fixed", (64, 4)), ("diabetes", (9, 10, 1)), ("rescaled", (9, 8, 8, 1))],
)
def test_shapes_that_keras_adapts_are_no_fault(
    models: dict[str, ModelFile], model: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    """A last axis of size 1 is added or dropped by Keras itself."""
    finding = find("data-shape", sample(tmp_path, models[model], x=np.zeros(shape)), "model-input-shape")
    assert finding.outcome == "nothing"
    assert finding.ruled_out == ("model-input-shape",)


def test_tables_of_words_and_gaps_are_warned_of_only(models: dict[str, ModelFile], tmp_path: Path) -> None:
    """Programs number classes, fill gaps and choose columns before training: none of it is a fault of the table."""
    rows = [
        f"{i % 7},{i / 3:.2f},{'?' if i % 50 == 0 else i},{'x1' if i % 60 == 0 else i % 9},{'abc'[i * 7 % 3]}"
        for i in range(300)
    ]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["a,b,c,d,class", *rows, "1,2,3"]), encoding="utf-8")
    subject = read_sample(path, models["flowers"])
    found = {probe.id: find(probe.id, subject) for probe in DATA}
    assert not any(finding.fault for finding in found.values())
    assert {name for name, finding in found.items() if finding.warning} == {"data-values", "data-layout"}
    told = " ".join(text.en for text in found["data-values"].evidence)
    assert "'c'" in told
    assert "'d: 5 (x1)'" in told
    assert "are texts ('a', 'b', 'c')" in " ".join(
        t.en for t in find("label-form", subject, "one-hot-or-sparse-labels").evidence
    )


def test_odd_arrays_crash_no_probe(models: dict[str, ModelFile], tmp_path: Path) -> None:
    """Types, shapes and values of all kinds, with every model."""
    chance = random.Random(0)  # noqa: S311 - not for secrets
    types = ["bool", "int8", "uint64", "float16", "float64", "complex64", "U3", "S2", "datetime64[s]", "float32"]
    for number in range(150):
        arrays = {}
        for name in chance.sample(["x", "y", "x_test", "y_train", "labels", "other", "kind", "ids"], 3):
            shape = tuple(chance.choice([0, 1, 1, 2, 3, 30]) for _ in range(chance.randint(0, 4)))
            values = np.array(CHANCE.normal(0, 10 ** chance.randint(0, 30), shape))
            values = np.where(CHANCE.random(shape) < 0.1, chance.choice([np.nan, np.inf, -1, 0]), values)
            with np.errstate(all="ignore"):
                arrays[name] = np.nan_to_num(values).astype(chance.choice(types)) if number % 2 else values
        subject = sample(tmp_path, chance.choice([None, *models.values()]), **arrays)
        for probe in DATA:
            for text in find(probe.id, subject, *probe.topics).evidence:
                assert text.en.split("'")[1::2] == text.zh.split("'")[1::2]
