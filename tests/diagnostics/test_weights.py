"""The values that model files store: whose they are, and what the probes of weights find in them."""

from __future__ import annotations

import io
import json
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from kerasdoctor.diagnostics.probe import Finding, examine
from kerasdoctor.diagnostics.weights import read_weights
from kerasdoctor.diagnostics.weights_names import snake_case
from kerasdoctor.diagnostics.weights_statistics import statistics_of
from kerasdoctor.errors import SubjectError

from .conftest import PROBES, edited

BUILD = Path(__file__).with_name("build_weight_models.py")
KINDS = sorted(probe.id for probe in PROBES.values() if probe.subject == "weights")
VALUES, DEAD, NORM = "weight-values", "dead-units", "batchnorm-weights"
ORDER, LEARNED, SATURATED, FIT = "kernel-order", "nothing-learned", "saturated", "weights-fit"
SUFFIXES = (".keras", ".h5")
Change = Callable[[Any], Any]


def look_at(probe: str, path: Path, *suspected: str) -> Finding:
    with read_weights(path) as weights:
        return examine(PROBES[probe], weights, path.name, frozenset(suspected))


def stored(path: Path, layer: str, name: str) -> str:
    with read_weights(path) as weights:
        return next(v.stored for v in weights.variables if (v.layer, v.name) == (layer, name))


def edit_hdf5(source: Path, target: Path, edit: Callable[[h5py.File], None]) -> Path:
    """A copy of a file in whose HDF5, or the HDF5 inside it, something was changed."""
    shutil.copy(source, target)
    if not zipfile.is_zipfile(source):
        with h5py.File(target, "r+") as file:
            edit(file)
        return target
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = io.BytesIO(old.read(name))
            if name == "model.weights.h5":
                with h5py.File(data, "r+") as file:
                    edit(file)
            new.writestr(name, data.getvalue())
    return target


def planted(source: Path, folder: Path, *changes: tuple[str, str, Change]) -> Path:
    """A copy in which variables (layer, name) have other values, or another shape."""
    places = [(stored(source, layer, name), change) for layer, name, change in changes]

    def edit(file: h5py.File) -> None:
        for path, change in places:
            values = np.asarray(change(file[path][()]))
            kind = file[path].dtype
            del file[path]
            file[path] = values.astype(kind)

    return edit_hdf5(source, folder / f"planted{source.suffix}", edit)


def of(value: float) -> Change:
    return lambda old: np.full_like(old, value)


def with_nan(old: Any) -> Any:
    old.flat[1] = np.nan
    return old


MODELS = ["mlp", "convnet", "nested", "words", "residual", "half"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", [*MODELS, "one_softmax"])
def test_variables_are_given_to_the_layers_they_belong_to(saved: Path, name: str, suffix: str) -> None:
    """Under the paths of the layer graph, nested models included, with the values that Keras itself has."""
    truth = json.loads((saved / "truth.json").read_text())[name]
    found: dict[str, list[float]] = {}
    with read_weights(saved / f"{name}{suffix}") as weights:
        assert all(v.mapped for v in weights.variables)
        for variable in weights.variables:
            found.setdefault(variable.layer, []).append(variable.statistics.norm)
    assert set(found) == set(truth)
    for layer, norms in truth.items():
        assert sorted(found[layer]) == pytest.approx(norms, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_variables_have_keras_names(saved: Path, suffix: str) -> None:
    """Whether the file names them or only counts them."""
    with read_weights(saved / f"convnet{suffix}") as weights:
        assert set(weights.layers["norm"]) == {"gamma", "beta", "moving_mean", "moving_variance"}
        assert list(weights.layers["one"]) == ["kernel"]
        assert set(weights.layers["two"]) == {"depthwise_kernel", "pointwise_kernel", "bias"}
        assert set(weights.layers["deep"]) == {"depthwise_kernel", "bias"}
        assert weights.iterations == 12
        assert weights.layers["one"]["kernel"].values().shape == (3, 3, 3, 4)
    with read_weights(saved / f"nested{suffix}") as weights:
        assert {v.name for v in weights.variables if v.layer == "both"} == {"kernel", "recurrent_kernel", "bias"}
        assert [v.part for v in weights.variables if v.layer == "inner/zed"] == ["", ""]


def test_weights_without_a_model_are_read_too(saved: Path) -> None:
    """By the names in the file; which layer of which model they are is not known."""
    with read_weights(saved / "nested.weights.h5") as weights:
        assert weights.graph is None
        assert not any(v.mapped for v in weights.variables)
        classes = {v.class_name for v in weights.variables}
        assert {"Dense", "BatchNormalization", "LayerNormalization"} <= classes
        for kind in (DEAD, ORDER, SATURATED, FIT):
            assert examine(PROBES[kind], weights, "w", frozenset()).outcome == "could_not_look"


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("probe", KINDS)
def test_sound_models_have_no_fault(saved: Path, probe: str, suffix: str) -> None:
    """Trained and new ones, zero on purpose included."""
    for name in MODELS:
        finding = look_at(probe, saved / f"{name}{suffix}")
        assert finding.outcome in ("nothing", "could_not_look"), finding


def split(old: Any) -> Any:
    """Both signs."""
    return np.where(np.arange(old.size) % 2, 0.5, -0.5).reshape(old.shape)


def heads_off(old: Any) -> Any:
    """One axis fewer units."""
    return old[..., :-1]


def theano(old: Any) -> Any:
    return old.transpose(3, 2, 0, 1)


FAULTS: list[tuple[str, str, list[tuple[str, str, Change]], str, str]] = [
    (VALUES, "mlp", [("second", "kernel", with_nan)], "nan-loss", "'second/kernel': 1 NaN and 0 infinite of 100"),
    (VALUES, "words", [("table", "embeddings", of(np.inf))], "nan-loss", "'table/embeddings': 0 NaN and 160 infinite"),
    (VALUES, "nested", [("inner/zed", "bias", with_nan)], "nan-loss", "'inner/zed/bias': 1 NaN"),
    (VALUES, "mlp", [("third", "kernel", of(0))], "loss-not-decreasing", "every value is the same (0) in 'third/kernel'"),
    (VALUES, "convnet", [("three", "kernel", of(0.5))], "loss-not-decreasing", "(0.5) in 'three/kernel'"),
    (DEAD, "mlp", [("second", "kernel", lambda w: -abs(w)), ("second", "bias", of(-0.1))], "loss-not-decreasing",
     "every unit is dead in 'second'"),
    (DEAD, "nested", [("inner/zed", "kernel", of(0)), ("inner/zed", "bias", of(-1))], "loss-not-decreasing",
     "every unit is dead in 'inner/zed'"),
    (DEAD, "bounded", [("behind", "bias", of(-100))], "loss-not-decreasing", "every unit is dead in 'behind'"),
    (NORM, "convnet", [("norm", "moving_variance", split)], "bn-weight-order", "2 of 4 moving variances are negative (lowest -0.5)"),
    (NORM, "nested", [("inner/norm", "moving_variance", of(-1))], "bn-weight-order", "'inner/norm': 4 of 4"),
    (ORDER, "convnet", [("three", "kernel", theano)], "kernel-layout-th-tf", "kernels of 'three' have the axes (filters"),
    (ORDER, "residual", [("conv", "kernel", lambda w: w.transpose(3, 2, 0, 1))], "kernel-layout-th-tf", "'conv'"),
    (FIT, "mlp", [("second", "kernel", heads_off)], "weights-shape-mismatch", "'second/kernel: (10, 9), expected (..., 10)'"),
    (FIT, "mlp", [("gate", "kernel", lambda w: w[:-2])], "weights-shape-mismatch", "'gate/kernel: (8, 10), expected (..., 10, 10)'"),
    (FIT, "mlp", [("third", "kernel", lambda w: w[1:])], "weights-shape-mismatch", "'third/kernel: (5, 10), expected (6, 10)'"),
    (FIT, "convnet", [("one", "kernel", heads_off)], "weights-shape-mismatch", "expected (3, 3, ..., 4)"),
    (FIT, "convnet", [("wide", "gamma", lambda w: w[1:])], "weights-shape-mismatch", "'wide/gamma: (8,), expected (9,)'"),
    (FIT, "words", [("table", "embeddings", lambda w: w[:9])], "weights-shape-mismatch", "(9, 8), expected (20, 8)"),
    (FIT, "words", [("lstm", "kernel", heads_off)], "weights-shape-mismatch", "expected (..., 16)"),
]  # fmt: skip


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("probe", "name", "changes", "topic", "said"), FAULTS, ids=[f"{f[0]}-{f[1]}-{i}" for i, f in enumerate(FAULTS)]
)
def test_planted_faults_are_found(
    saved: Path, tmp_path: Path, probe: str, name: str, changes: Any, topic: str, said: str, suffix: str
) -> None:
    """Whatever was asked, with the layer's name and the numbers."""
    path = planted(saved / f"{name}{suffix}", tmp_path, *changes)
    finding = look_at(probe, path)
    assert finding.fault
    assert topic in finding.topics
    assert [said in text.en for text in finding.evidence] == [True]
    assert finding.layers[0] == changes[0][0]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["one_softmax", "one_softmax_sgd"])
def test_training_without_gradients_is_found(saved: Path, name: str, suffix: str) -> None:
    """A real one: softmax over one unit; by Adam's empty slots, with SGD by the biases."""
    finding = look_at(LEARNED, saved / f"{name}{suffix}")
    assert finding.fault
    said = (
        "all 6 slots of the optimizer are exactly 0"
        if name == "one_softmax"
        else "every trainable bias is still exactly 0"
    )
    assert f"after 12 steps {said}" in finding.evidence[0].en


FACTS: list[tuple[str, str, list[tuple[str, str, Change]], str, str]] = [
    (VALUES, "mlp", [("third", "kernel", lambda w: w * 1e5)], "nan-loss", "weights above 1000 are in 'third/kernel'"),
    (VALUES, "mlp", [("third", "kernel", lambda w: w * 1e-40)], "loss-not-decreasing", "60 values are denormal"),
    (VALUES, "residual", [], "loss-not-decreasing", "every value is the same (0) in 'gate/kernel'"),
    (DEAD, "mlp", [("second", "kernel", lambda w: w * ([-1] * 3 + [1] * 7) * np.sign(w)), ("second", "bias", of(0))],
     "loss-not-decreasing", "'second: 3 of 10'"),
    (DEAD, "mlp", [("third", "bias", of(-1000))], "loss-not-decreasing", "variance 1: 'third: 10 of 10'"),
    (NORM, "convnet", [("norm", "moving_variance", of(-1e-5))], "bn-weight-order", "(lowest -1e-05)"),
    (NORM, "convnet", [("wide", "gamma", split), ("wide", "beta", of(1)), ("wide", "moving_mean", of(1))], "bn-weight-order",
     "the arrays of 'wide' could be mean, variance, gamma, beta"),
    (NORM, "convnet", [("norm", "moving_mean", of(0)), ("norm", "moving_variance", of(1))], "batchnorm-fine-tuning",
     "'norm' are still 0 and 1 after 12 steps"),
    (SATURATED, "mlp", [("gate", "kernel", abs), ("gate", "bias", of(9))], "loss-not-decreasing", "'gate (sigmoid): 10 of 10'"),
    (SATURATED, "mlp", [("first", "bias", lambda b: np.add(b, (99, 0, 0)))], "loss-not-decreasing", "'first (softmax): 3 of 3'"),
    (SATURATED, "mlp", [("gate", "kernel", lambda k: 900 * k)], "loss-not-decreasing", "'gate (sigmoid): 10 of 10'; there"),
    (LEARNED, "mlp", [("second", "bias", of(0))], "loss-not-decreasing", "'second/bias'; no gradient reached"),
]  # fmt: skip


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("probe", "name", "changes", "topic", "said"), FACTS, ids=[f"{f[0]}-{i}" for i, f in enumerate(FACTS)]
)
def test_facts_count_once_their_topic_is_suspected(
    saved: Path, tmp_path: Path, probe: str, name: str, changes: Any, topic: str, said: str, suffix: str
) -> None:
    """They explain a suspicion and raise none."""
    path = planted(saved / f"{name}{suffix}", tmp_path, *changes)
    assert look_at(probe, path).outcome == "nothing"
    finding = look_at(probe, path, topic)
    assert finding.outcome == "finding"
    assert not finding.fault
    assert any(said in text.en for text in finding.evidence)


def test_kernels_beyond_all_measure_are_told(saved: Path, tmp_path: Path) -> None:
    """A million is no weight of a working model."""
    path = planted(saved / "mlp.keras", tmp_path, ("first", "kernel", lambda w: w * 1e9))
    assert look_at(VALUES, path).warning


def test_nan_in_the_optimizer_alone(saved: Path, tmp_path: Path) -> None:
    """The next step would spoil the weights."""
    with read_weights(saved / "mlp.h5") as weights:
        slot = next(v.stored for v in weights.optimizer if v.size == 60)

    def edit(file: h5py.File) -> None:
        file[slot][0, 0] = np.nan

    finding = look_at(VALUES, edit_hdf5(saved / "mlp.h5", tmp_path / "m.h5", edit))
    assert finding.fault
    assert "the optimizer's" in finding.evidence[0].en


def test_a_layer_without_its_weights(saved: Path, tmp_path: Path) -> None:
    """Taken out of the file, it is missed; weights that no layer takes are a fact."""
    gone = stored(saved / "mlp.keras", "gate", "kernel").rpartition("/")[0]

    def take_out(file: h5py.File) -> None:
        del file[gone]

    finding = look_at(FIT, edit_hdf5(saved / "mlp.keras", tmp_path / "m.keras", take_out))
    assert finding.fault
    assert finding.topics == ("weights-layer-count-mismatch",)
    assert "1 layers with weights have none in the file: 'gate'" in finding.evidence[0].en

    def forget(config: dict[str, Any]) -> None:
        config["config"]["layers"] = [w for w in config["config"]["layers"] if w["config"]["name"] != "first"]

    fewer = edited(saved / "mlp.keras", tmp_path / "fewer.keras", forget)
    assert look_at(FIT, fewer).outcome == "nothing"
    assert look_at(FIT, fewer, "weights-layer-count-mismatch").outcome == "finding"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_layer_without_its_kernel(saved: Path, tmp_path: Path, suffix: str) -> None:
    """A bias alone is what is left where a file was written in part."""
    gone = stored(saved / f"mlp{suffix}", "gate", "kernel")
    path = edit_hdf5(saved / f"mlp{suffix}", tmp_path / f"half{suffix}", lambda file: file.pop(gone))
    finding = look_at(FIT, path)
    assert finding.fault
    assert "expected a kernel beside it" in finding.evidence[0].en


def test_a_model_saved_before_it_was_built(saved: Path) -> None:
    """No fault, but the reason why loading its weights fails."""
    path = saved / "unbuilt.h5"
    if path.exists():  # tf_keras refuses to save one
        assert look_at(FIT, path).outcome == "nothing"
        assert look_at(FIT, path, "layer-not-built").topics == ("layer-not-built",)
        assert look_at(VALUES, path).outcome == "could_not_look"


def test_files_of_theano(saved: Path, tmp_path: Path) -> None:
    """The backend that the file names turns kernels, and newer Kerases don't turn them back."""

    def name_it(file: h5py.File) -> None:
        file["model_weights"].attrs["backend"] = "theano"

    finding = look_at(ORDER, edit_hdf5(saved / "convnet.h5", tmp_path / "m.h5", name_it))
    assert finding.warning
    assert "180 degrees" in finding.evidence[0].en
    mlp = look_at(ORDER, edit_hdf5(saved / "mlp.h5", tmp_path / "m.h5", name_it))
    assert (mlp.outcome, mlp.ruled_out) == ("nothing", ("kernel-layout-th-tf",))


def test_deflated_weights_are_read(saved: Path, tmp_path: Path) -> None:
    """As a re-packed archive has them."""
    packed = tmp_path / "packed.keras"
    with zipfile.ZipFile(saved / "mlp.keras") as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    with read_weights(packed) as weights, read_weights(saved / "mlp.keras") as plain:
        assert [v.statistics for v in weights.variables] == [v.statistics for v in plain.variables]


def test_names_in_pieces_are_joined(saved: Path, tmp_path: Path) -> None:
    """Keras cuts a list of names that is too long for one attribute."""

    def cut(file: h5py.File) -> None:
        attributes = file["model_weights"].attrs
        names = list(attributes["layer_names"])
        del attributes["layer_names"]
        attributes["layer_names0"], attributes["layer_names1"] = names[:2], names[2:]

    with read_weights(edit_hdf5(saved / "mlp.h5", tmp_path / "m.h5", cut)) as weights:
        assert {v.layer for v in weights.variables} == {"third", "second", "gate", "first"}


def test_plain_npz_is_read_and_a_pickle_is_not(tmp_path: Path) -> None:
    """Arrays of numbers only; a large one in blocks."""
    path = tmp_path / "w.npz"
    np.savez(path, **{"layers/dense/vars/0": np.arange(6.0).reshape(2, 3), "bad": np.array([{}], dtype=object)})
    with read_weights(path) as weights:
        assert [(v.class_name, v.name, v.shape) for v in weights.variables] == [("Dense", "kernel", (2, 3))]
        assert weights.variables[0].values().tolist() == [[0, 1, 2], [3, 4, 5]]
        assert weights.skipped == ("bad.npy",)
    np.savez(path, bad=np.array([{}], dtype=object))
    with pytest.raises(SubjectError, match="pickled"):
        read_weights(path)


def hostile(folder: Path, make: Callable[[h5py.Group], None]) -> Path:
    path = folder / "hostile.weights.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("layers/dense/vars")
        group["1"] = np.ones(3, "float32")
        make(group)
    return path


def a_link(group: h5py.Group) -> None:
    group["0"] = h5py.ExternalLink("/etc/hostname", "/x")


def a_view(group: h5py.Group) -> None:
    layout = h5py.VirtualLayout((3,), "float32")
    layout[:] = h5py.VirtualSource("/etc/hostname", "x", (3,))
    group.create_virtual_dataset("0", layout)


def a_bomb(group: h5py.Group) -> None:
    group.create_dataset("0", (1 << 30,), "float32", chunks=(1024,))


def a_chunk(group: h5py.Group) -> None:
    group.create_dataset("0", (4,), "float32", maxshape=(None,), chunks=(1 << 28,))


def a_text(group: h5py.Group) -> None:
    group["0"] = "text"


@pytest.mark.parametrize("make", [a_link, a_view, a_bomb, a_chunk, a_text])
def test_what_is_not_in_the_file_is_not_read(tmp_path: Path, make: Callable[[h5py.Group], None]) -> None:
    """Links out, virtual and hollow datasets, chunks out of proportion and texts are skipped, and told."""
    with read_weights(hostile(tmp_path, make)) as weights:
        assert [v.stored for v in weights.variables] == ["layers/dense/vars/1"]
        assert weights.skipped == (() if make is a_view and not weights.skipped else ("layers/dense/vars/0",))


def test_statistics_of_blocks() -> None:
    """The same in blocks as at once; NaN, infinities, zeros and denormals are counted, the rest is of the finite."""
    chance = np.random.default_rng(0)
    values = chance.normal(size=(1000, 7)).astype("float32")
    one, many = statistics_of(iter([values]), values.shape), statistics_of(iter(np.split(values, 8)), values.shape)
    assert one.norm == pytest.approx(many.norm)
    assert one.column_low.tolist() == many.column_low.tolist() == values.min(axis=0).tolist()
    assert (one.low, one.high, one.count) == (many.low, many.high, many.count)
    odd = np.array([np.nan, np.inf, -np.inf, 0, 1e-40, 3e38, -1], "float32")
    told = statistics_of(iter([odd]), odd.shape)
    assert (told.nan, told.infinite, told.zeros, told.denormal, told.low) == (1, 2, 1, 1, -1)
    assert told.norm == pytest.approx(3e38)
    assert statistics_of(iter(()), (0, 3)).count == 0


def test_snake_case_is_keras_own() -> None:
    """As the groups in real files are called."""
    names = {
        "Conv2DTranspose": "conv2d_transpose",
        "PReLU": "p_re_lu",
        "LSTM": "lstm",
        "GRU": "gru",
        "My>LayerX": "layer_x",
    }
    for line in ("keras-2", "keras-3"):
        assert {name: snake_case(name, line) for name in names} == names  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["mlp.keras", "convnet.h5", "nested.keras", "words.h5"])
def test_damaged_files_break_nothing(saved: Path, tmp_path: Path, name: str) -> None:
    """Bytes turned over anywhere: every probe answers, or the reader says what is wrong."""
    chance, data = random.Random(0), (saved / name).read_bytes()  # noqa: S311 - not for secrets
    path = tmp_path / name
    for _ in range(40):
        spoiled = bytearray(data)
        for _ in range(chance.choice([1, 3, 30])):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        path.write_bytes(spoiled)
        try:
            with read_weights(path) as weights:
                findings = [examine(PROBES[kind], weights, name, frozenset(PROBES[kind].topics)) for kind in KINDS]
        except SubjectError:
            continue
        assert "crashed" not in {finding.outcome for finding in findings}, findings


def spoil(value: Any, chance: random.Random) -> Any:
    """A configuration with values of other types in places."""
    if chance.random() < 0.03:
        return chance.choice([None, True, -1, 1e308, 10**30, "", "x", [], {}, [[]], {"config": []}, ["a", 0, 0]])
    if isinstance(value, dict):
        return {key: spoil(part, chance) for key, part in value.items()}
    return [spoil(part, chance) for part in value] if isinstance(value, list) else value


def test_hostile_configurations_break_nothing(saved: Path, tmp_path: Path) -> None:
    """Whatever the configuration says of the variables."""
    chance = random.Random(0)  # noqa: S311 - not for secrets
    for number in range(120):
        source = saved / f"{MODELS[number % len(MODELS)]}.keras"

        def change(config: dict[str, Any]) -> None:
            spoiled = spoil(config["config"], chance)
            config["config"] = spoiled

        path = edited(source, tmp_path / "m.keras", change)
        try:
            with read_weights(path) as weights:
                findings = [examine(PROBES[kind], weights, "m", frozenset(PROBES[kind].topics)) for kind in KINDS]
        except SubjectError:
            continue
        assert "crashed" not in {finding.outcome for finding in findings}, findings


def test_both_languages_name_the_same(saved: Path) -> None:
    """A layer's name that stands in one language's evidence stands in the other's."""
    for path in sorted(saved.glob("*.h5")):
        for kind in KINDS:
            for text in look_at(kind, path, *PROBES[kind].topics).evidence:
                if "'" in text.en and "：" not in text.zh:
                    assert set(text.en.split("'")[1::2]) == set(text.zh.split("'")[1::2])
