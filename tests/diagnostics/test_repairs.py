"""Repairs end to end: real files are broken (or are of the other Keras), mended in a child, loaded again and compared.

All files are built once, by a child per Keras; one more child mends them all. The children pay for TensorFlow's start.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from kerasdoctor.diagnostics.decoding import decode
from kerasdoctor.diagnostics.lambda_code import code_bytes, expression_of
from kerasdoctor.diagnostics.lambda_expression import Apply, Argument, Constant, Lambda
from kerasdoctor.diagnostics.lambda_layers import layer_for
from kerasdoctor.diagnostics.mended import Mended
from kerasdoctor.diagnostics.model_file import read_model
from kerasdoctor.diagnostics.repair import Draft, Repair, Target, all_repairs
from kerasdoctor.knowledge.entry import entries_folder

BUILD = Path(__file__).with_name("build_repairs.py")
ZOO = ("plain", "images", "recurrent", "nested", "in_chain", "named", "attention", "states", "operators", "words")
REPAIRS = {repair.id: repair for repair in all_repairs()}


def child(*arguments: str, legacy: bool = False) -> subprocess.Popen[str]:
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1" if legacy else "0", "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(
        [sys.executable, str(BUILD), *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate()
    assert process.returncode == 0, errors[-3000:]


def rewritten(source: Path, target: Path, change: Callable[[dict[str, Any], h5py.File], None]) -> Path:
    """A copy of an HDF5 model whose configuration or weights were changed."""
    shutil.copy(source, target)
    with h5py.File(target, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        change(config, file)
        file.attrs["model_config"] = json.dumps(config)
    return target


def arrays(file: h5py.File, layer: str) -> list[np.ndarray]:
    group = file["model_weights"][layer]
    return [group[name][()] for name in group.attrs["weight_names"]]


def replace(file: h5py.File, layer: str, new: list[np.ndarray], names: list[str] | None = None) -> None:
    """Exchange the arrays of a layer."""
    group = file["model_weights"][layer]
    names = names or [name.decode() if isinstance(name, bytes) else name for name in group.attrs["weight_names"]]
    for key in list(group):
        del group[key]
    group.attrs["weight_names"] = [name.encode() for name in names]
    for name, array in zip(names, new, strict=True):
        group[name] = array


def layer_config(config: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each["config"] for each in config["config"]["layers"] if each["config"]["name"] == name)


def as_keras_1(config: dict[str, Any], file: h5py.File) -> None:
    """What Keras 1 wrote: its argument names, and an array for each gate."""
    file.attrs["keras_version"] = b"1.2.2"
    names = {
        "units": "output_dim",
        "recurrent_activation": "inner_activation",
        "kernel_initializer": "init",
        "use_bias": "bias",
    }
    layers = [each for each in config["config"]["layers"] if each["class_name"] != "InputLayer"]
    for layer in layers:
        old = {
            names.get(key, key): value
            for key, value in layer["config"].items()
            if key in ("name", "activation", *names)
        }
        extra = {"inner_init": "orthogonal", "forget_bias_init": "one"} if layer["class_name"] == "LSTM" else {}
        extra |= {"inner_init": "orthogonal"} if layer["class_name"] == "GRU" else {}
        extra |= (
            {"return_sequences": layer["config"].get("return_sequences", False)} if "inner_activation" in old else {}
        )
        layer["config"] = {**old, **extra, "W_regularizer": None, "init": "glorot_uniform"}
    layers[0]["config"]["batch_input_shape"] = [None, 5, 3]
    config["config"] = layers
    for name, letters, order in (("lstm", "icfo", (0, 2, 1, 3)), ("gru", "zrh", (0, 1, 2))):
        parts = [np.split(array, len(order), axis=-1) for array in arrays(file, name)]
        new = [part[place] for place in order for part in parts]
        replace(file, name, new, [f"{name}_{kind}_{letter}" for letter in letters for kind in "WUb"])


def as_keras_1_images(config: dict[str, Any], file: h5py.File) -> None:
    """Kernels with the axes (filters, channels, window)."""
    del config
    kernel, bias = arrays(file, "conv")
    replace(file, "conv", [kernel.transpose(3, 2, 0, 1), bias])


def by_theano(config: dict[str, Any], file: h5py.File) -> None:
    del config
    file.attrs["backend"] = file["model_weights"].attrs["backend"] = b"theano"
    kernel, bias = arrays(file, "conv")
    replace(file, "conv", [kernel[::-1, ::-1], bias])


def as_cudnn(config: dict[str, Any], file: h5py.File) -> None:
    """The classes and arrays that TensorFlow 1 wrote for cuDNN."""
    for name, gates in (("lstm", 4), ("gru", 3)):
        written = next(each for each in config["config"]["layers"] if each["config"]["name"] == name)
        written["class_name"] = f"CuDNN{name.upper()}"
        for key in ("activation", "recurrent_activation", "use_bias", "reset_after", "implementation", "time_major"):
            written["config"].pop(key, None)
        kernel, recurrent, bias = arrays(file, name)
        kernel = np.hstack([part.T.reshape(part.shape, order="C") for part in np.hsplit(kernel, gates)])
        recurrent = np.hstack([part.T for part in np.hsplit(recurrent, gates)])
        replace(file, name, [kernel, recurrent, np.tile(bias * 0.5, 2) if gates == 4 else bias.reshape(-1)])


def reordered(*order: int) -> Callable[[dict[str, Any], h5py.File], None]:
    def change(config: dict[str, Any], file: h5py.File) -> None:
        del config
        stored = arrays(file, "norm")
        replace(file, "norm", [stored[place] for place in order])

    return change


def twice_named(config: dict[str, Any], file: h5py.File) -> None:
    """The Dropout is called what the Dense is."""
    del file
    config["config"]["layers"][2]["config"]["name"] = config["config"]["layers"][1]["config"]["name"]


def without_shape(config: dict[str, Any], file: h5py.File) -> None:
    del file
    config["config"]["layers"] = config["config"]["layers"][1:]
    for layer in config["config"]["layers"]:
        layer["config"].pop("batch_input_shape", None)
    config["config"].pop("build_input_shape", None)


def foreign_optimizer(config: dict[str, Any], file: h5py.File) -> None:
    del config
    written = json.loads(file.attrs["training_config"])
    written["optimizer_config"] = {"class_name": "LionFromSomewhere", "config": {"lr": 1e-3}}
    file.attrs["training_config"] = json.dumps(written)


def slashed(config: dict[str, Any], file: h5py.File) -> None:
    """tf_keras allows a / in names."""
    layer_config(config, "out")["name"] = "head/out"
    old = arrays(file, "out")
    top = file["model_weights"]
    names = [name.decode() if isinstance(name, bytes) else name for name in top.attrs["layer_names"]]
    top.attrs["layer_names"] = [("head/out" if name == "out" else name).encode() for name in names]
    del top["out"]
    group = top.create_group("head/out")
    group.attrs["weight_names"] = [b"head/out/kernel:0", b"head/out/bias:0"]
    for name, array in zip(("kernel:0", "bias:0"), old, strict=True):
        group[f"head/out/{name}"] = array


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sound models of both Kerases in `2` and `3`, broken ones in `broken`."""
    folder = tmp_path_factory.mktemp("repairs")
    for name in ("2", "3", "broken", "mended"):
        (folder / name).mkdir()
    builds = [child("build", str(folder / name), legacy=name == "2") for name in ("2", "3")]
    for process in builds:
        ended(process)
    old, new, broken = folder / "2", folder / "3", folder / "broken"
    rewritten(old / "old_gates.h5", broken / "keras_1.h5", as_keras_1)
    rewritten(old / "old_images.h5", broken / "th_order.h5", as_keras_1_images)
    rewritten(old / "old_images.h5", broken / "theano.h5", by_theano)
    rewritten(old / "gates.h5", broken / "cudnn.h5", as_cudnn)
    rewritten(old / "images.h5", broken / "norm_a.h5", reordered(2, 3, 0, 1))
    rewritten(old / "images.h5", broken / "norm_b.h5", reordered(0, 1, 3, 2))
    rewritten(old / "one_softmax.h5", broken / "slashed.h5", slashed)
    rewritten(old / "double.h5", broken / "no_shape.h5", without_shape)
    rewritten(old / "plain.h5", broken / "optimizer.h5", foreign_optimizer)
    shutil.copy(new / "plain.h5", broken / "hdf5.keras")
    shutil.copy(old / "plain.keras", broken / "zip.h5")
    rewritten(old / "plain.h5", broken / "same_name.h5", twice_named)
    return folder


def job(name: str, file: Path, target: Target, suffix: str = ".keras", **more: Any) -> dict[str, Any]:
    more = {key: str(value) if isinstance(value, Path) else value for key, value in more.items()}
    return {"name": name, "file": str(file), "target": target, "suffix": suffix, **more}


def jobs(folder: Path) -> list[dict[str, Any]]:
    old, new, broken = folder / "2", folder / "3", folder / "broken"
    listed = [
        job(f"2to3 {name}", old / f"{name}.keras", "keras3", back={"target": "keras2", "suffix": ".keras"})
        for name in ZOO
    ]
    listed += [job(f"3to2 {name}", new / f"{name}.keras", "keras2", ".h5") for name in ZOO]
    gates, images = old / "old_gates.h5", old / "old_images.h5"
    return [
        *listed,
        job("keras 1", broken / "keras_1.h5", "keras3", truth=gates),
        job("keras 1 to 2", broken / "keras_1.h5", "keras2", truth=gates),
        job("th order", broken / "th_order.h5", "keras3", truth=images),
        job("theano", broken / "theano.h5", "keras3", truth=images),
        job("cudnn", broken / "cudnn.h5", "keras3", truth=old / "gates.h5"),
        job("cudnn to 2", broken / "cudnn.h5", "keras2", truth=old / "gates.h5"),
        job("norm a", broken / "norm_a.h5", "keras3", truth=old / "images.h5"),
        job("norm b", broken / "norm_b.h5", "keras2", ".h5", truth=old / "images.h5"),
        job("slashed", broken / "slashed.h5", "keras3", only=["layer-names", "keras3-format", "hdf5-to-keras"]),
        job("same name", broken / "same_name.h5", "keras2", ".h5", truth=old / "plain.h5"),
        job("no shape", broken / "no_shape.h5", "keras3", truth=old / "double.h5"),
        job("optimizer", broken / "optimizer.h5", "keras2", ".h5"),
        job("hdf5 named .keras", broken / "hdf5.keras", "keras3"),
        job("archive named .h5", broken / "zip.h5", "keras2"),
        job("hdf5 to keras", new / "images.h5", "keras3"),
        *(job(f"lambdas {n}{s}", folder / n / f"lambdas{s}", "keras3", allow_code=True) for n in "23" for s in (".keras", ".h5")),
        job("lambda graph 2", old / "lambda_graph.h5", "keras3", allow_code=True),
        job("lambda graph 3", new / "lambda_graph.keras", "keras3", allow_code=True),
        job("lambda graph 3 to 2", new / "lambda_graph.keras", "keras2", allow_code=True),
        job("lambdas unseen", old / "lambdas.h5", "keras3"),
        job("lambda names 2", old / "lambda_names.h5", "keras3", truth=old / "lambda_names.npz"),
        job("lambda names 3", new / "lambda_names.keras", "keras2", truth=new / "lambda_names.npz"),
        job("lambda kept", new / "lambda_unknown.keras", "keras2", allow_code=True),
        job("lambda unknown", new / "lambda_unknown.keras", "keras2"),
        job("half", new / "half.keras", "keras3"),
        job("double", old / "double.h5", "keras2", ".h5"),
        job("one softmax", new / "one_softmax.keras", "keras3"),
        job("logits", new / "logits.keras", "keras3"),
        job("custom", new / "custom.keras", "keras2"),
        job("sound 3", new / "plain.keras", "keras3"),
        job("sound 2", old / "plain.h5", "keras2", ".h5"),
        job("dry", old / "plain.h5", "keras3", dry=True),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def results(files: Path) -> dict[str, dict[str, Any]]:
    """What each job gave, and under "digests" whether every original is as it was."""
    listed = jobs(files)
    before = {each["file"]: digest(each["file"]) for each in listed}
    (files / "jobs.json").write_text(json.dumps(listed))
    ended(child("mend", str(files / "mended"), str(files / "jobs.json")))
    found: dict[str, dict[str, Any]] = json.loads((files / "mended" / "results.json").read_text())
    found["digests"] = {file: value == digest(file) for file, value in before.items()}
    return found


def digest(file: str) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def repairs_of(result: dict[str, Any]) -> set[str]:
    assert "error" not in result, result["error"]
    return {each["repair"] for each in result["made"]}


def outcome(result: dict[str, Any]) -> str:
    proof = decode(Mended, {key: result[key] for key in ("made", "proof", "file", "notes")}, "mended").proof
    assert proof is not None
    assert proof.text.en
    assert proof.text.zh
    return proof.outcome


@pytest.mark.parametrize("name", ZOO)
def test_layers_of_keras_2_give_the_same_outputs_in_keras_3_and_back_again(results: dict[str, Any], name: str) -> None:
    there, back = results[f"2to3 {name}"], results[f"2to3 {name} back"]
    assert outcome(there) == "same", there["proof"]
    assert "keras3-format" in repairs_of(there)
    assert outcome(back) == "same", back["proof"]


@pytest.mark.parametrize("name", ZOO)
def test_layers_of_keras_3_give_the_same_outputs_in_keras_2(results: dict[str, Any], name: str) -> None:
    assert outcome(results[f"3to2 {name}"]) == "same", results[f"3to2 {name}"]["proof"]
    assert "keras2-format" in repairs_of(results[f"3to2 {name}"])


@pytest.mark.parametrize(
    ("name", "repair", "expected"),
    [
        ("keras 1", "keras1-arguments", "runs"),
        ("keras 1", "keras1-weights", "runs"),
        ("keras 1", "hard-sigmoid", "runs"),
        ("keras 1 to 2", "keras1-weights", "runs"),
        ("th order", "keras1-weights", "runs"),
        ("theano", "theano-kernels", "other"),
        ("cudnn", "cudnn-layers", "runs"),
        ("cudnn to 2", "cudnn-layers", "runs"),
        ("norm a", "batchnorm-order", "other"),
        ("norm b", "batchnorm-order", "other"),
        ("same name", "layer-names", "runs"),
        ("lambda names 2", "lambda-known", "runs"),
        ("lambda names 3", "lambda-known", "runs"),
        ("no shape", "input-shape", "runs"),
    ],
)
def test_what_no_keras_reads_right_computes_again_what_the_sound_file_computes(
    results: dict[str, Any], name: str, repair: str, expected: str
) -> None:
    assert repair in repairs_of(results[name])
    assert outcome(results[name]) == expected, results[name]["proof"]
    assert results[name]["truth"] < 1e-5


@pytest.mark.parametrize(
    ("name", "repair"),
    [
        ("2to3 recurrent", "hard-sigmoid"),
        ("2to3 nested", "hard-sigmoid"),
        ("3to2 recurrent", "hard-sigmoid"),
        ("2to3 operators", "operators"),
        ("3to2 operators", "operators"),
        ("slashed", "layer-names"),
        ("optimizer", "optimizer"),
        ("hdf5 named .keras", "wrong-suffix"),
        ("archive named .h5", "wrong-suffix"),
        ("hdf5 to keras", "hdf5-to-keras"),
        ("lambdas 2.keras", "lambda-known"),
        ("lambdas 2.h5", "lambda-known"),
        ("lambdas 3.keras", "lambda-known"),
        ("lambdas 3.h5", "lambda-known"),
        ("lambda graph 2", "lambda-known"),
        ("lambda graph 3", "lambda-known"),
        ("lambda graph 3 to 2", "lambda-known"),
        ("half", "float16-outputs"),
        ("double", "float64-policies"),
        ("logits", "from-logits"),
    ],
)
def test_a_repair_that_keeps_outputs_keeps_them(results: dict[str, Any], name: str, repair: str) -> None:
    assert repair in repairs_of(results[name])
    assert outcome(results[name]) == "same", results[name]["proof"]


def test_softmax_on_one_unit_gives_other_outputs_as_it_means_to(results: dict[str, Any]) -> None:
    assert repairs_of(results["one softmax"]) == {"softmax-on-one-unit"}
    assert outcome(results["one softmax"]) == "other"
    assert results["one softmax"]["proof"]["difference"] > 1e-3


def test_every_repair_is_verified_in_this_file(results: dict[str, Any]) -> None:
    made = {each["repair"] for result in results.values() for each in result.get("made", ()) if result.get("proof")}
    assert made == set(REPAIRS)


def test_without_code_known_lambdas_go_and_the_proof_says_what_it_could_not_compare(results: dict[str, Any]) -> None:
    """The original's bytecode is not run; the copy holds none."""
    result = results["lambdas unseen"]
    assert outcome(result) == "runs"
    assert any("Lambda" in note["en"] for note in result["notes"])
    with zipfile.ZipFile(result["copy"]) as archive:
        config = archive.read("config.json").decode()
    assert '"Lambda"' not in config
    assert "__lambda__" not in config


def test_a_lambda_that_cannot_be_read_is_told_in_both_languages(results: dict[str, Any]) -> None:
    assert "'odd'" in results["lambda unknown"]["error"]
    assert "字节码" in results["lambda unknown"]["zh"]


def test_where_code_is_allowed_a_lambda_may_stay_and_the_notes_say_so(results: dict[str, Any]) -> None:
    assert outcome(results["lambda kept"]) == "same"
    assert any("safe_mode=False" in note["en"] for note in results["lambda kept"]["notes"])


def test_a_class_of_the_models_author_needs_its_code(results: dict[str, Any]) -> None:
    assert "the model's own code" in results["custom"]["error"]
    assert "自己的代码" in results["custom"]["zh"]


@pytest.mark.parametrize("name", ["sound 3", "sound 2"])
def test_nothing_is_changed_in_a_sound_file_of_the_same_keras(results: dict[str, Any], name: str) -> None:
    assert results[name]["made"] == []
    assert results[name]["file"] is None


def test_a_dry_run_tells_the_changes_and_writes_nothing(results: dict[str, Any]) -> None:
    assert {"keras3-format", "hdf5-to-keras"} <= repairs_of(results["dry"])
    assert results["dry"]["file"] is None
    assert results["dry"]["proof"] is None


def test_no_original_was_touched(results: dict[str, Any]) -> None:
    assert results["digests"]
    assert all(results["digests"].values())


SOUND = {
    "keras1-arguments": "2/plain.h5", "keras1-weights": "2/old_gates.h5", "theano-kernels": "2/old_images.h5",
    "cudnn-layers": "2/gates.h5", "input-shape": "2/plain.h5", "batchnorm-order": "2/images.h5",
    "lambda-known": "3/lambda_unknown.keras", "float16-outputs": "3/plain.keras", "hard-sigmoid": "2/plain.h5",
    "operators": "2/nested.h5", "layer-names": "2/nested.h5", "softmax-on-one-unit": "2/plain.h5",
    "from-logits": "2/plain.h5", "float64-policies": "2/plain.h5", "optimizer": "3/plain.keras",
    "wrong-suffix": "3/plain.keras", "hdf5-to-keras": "3/plain.keras", "keras3-format": "3/plain.keras",
    "keras2-format": "2/plain.h5",
}  # fmt: skip


def test_every_repair_has_a_sound_file() -> None:
    assert SOUND.keys() == REPAIRS.keys()


@pytest.mark.parametrize("repair", SOUND)
def test_a_repair_leaves_a_sound_file_alone(files: Path, repair: str) -> None:
    draft = draft_of(files / SOUND[repair], "keras3")
    assert list(REPAIRS[repair].mend(draft)) == []


def draft_of(path: Path, target: Target) -> Draft:
    """A file taken apart as mending does it, with the weights of HDF5."""
    model = read_model(path)
    assert model.config is not None
    draft = Draft(model.config, model.compiled, target, model.line, path.suffix, model.container, backend="tensorflow")
    if model.container == "HDF5":
        with h5py.File(path) as file:
            names = [
                name.decode() if isinstance(name, bytes) else name
                for name in file["model_weights"].attrs["layer_names"]
            ]
            draft.weights = {name: arrays(file, name) for name in names}
    return draft


@pytest.mark.parametrize("repair", list(REPAIRS.values()), ids=list(REPAIRS))
def test_a_repair_does_not_fall_over_odd_configurations(files: Path, repair: Repair) -> None:
    """Any value of a configuration may be of any type; what a repair can't read it leaves alone."""
    chance = np.random.default_rng(3)
    odd = [None, 7, -1.5, "x", [], {}, [1, [2]], {"a": None}, True, ["a", 0, 0]]
    for name in (
        "2/nested.h5",
        "2/recurrent.h5",
        "3/operators.keras",
        "2/operators.h5",
        "3/lambdas.keras",
        "broken/keras_1.h5",
    ):
        for _ in range(15):
            draft = draft_of(files / name, "keras2" if name.startswith("3") else "keras3")
            for _ in range(4):
                mutate(draft.config, chance, odd)
            list(repair.mend(draft))


def mutate(value: Any, chance: np.random.Generator, odd: list[Any]) -> None:
    """Put an odd value somewhere below."""
    parent, key = None, None
    while isinstance(value, dict | list) and value and (parent is None or chance.random() > 0.15):
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        parent, key = value, keys[chance.integers(len(keys))]
        value = parent[key]
    if parent is not None and key != "class_name":
        parent[key] = copy.deepcopy(odd[chance.integers(len(odd))])


def test_repairs_name_topics_that_exist() -> None:
    known = {entry.name.removesuffix(".md") for entry in entries_folder().iterdir()}
    assert {topic for repair in REPAIRS.values() for topic in repair.topics} <= known


LAMBDAS = json.loads(Path(__file__).with_name("lambdas.json").read_text())
X = Argument(0)
READ: dict[str, Any] = {
    "lambda x: x": X,
    "lambda x: (x-127.5)/127.5": Apply("/", (Apply("-", (X, Constant(127.5))), Constant(127.5))),
    "lambda x: 1-x": Apply("-", (Constant(1), X)),
    "lambda x: -x": Apply("-x", (X,)),
    "lambda x: x**2": Apply("**", (X, Constant(2))),
    "lambda x: K.l2_normalize(x, axis=1)": Apply("K.l2_normalize", (X,), (("axis", Constant(1)),)),
    "lambda x: K.reshape(x, [-1, 4, 3])": Apply("K.reshape", (X, Constant((-1, 4, 3)))),
    "lambda x: K.mean(x, axis=[1,2], keepdims=True)": Apply(
        "K.mean", (X,), (("axis", Constant((1, 2))), ("keepdims", Constant(value=True)))
    ),
    "lambda x, c=2: c*x": Apply("*", (Argument(1), X)),
    "lambda x: tf.nn.relu(x)": Apply("tf.nn.relu", (X,)),
}


def fixtures() -> list[tuple[str, str, bytes]]:
    """Version, source, and the bytes that the interpreter of that version really made."""
    return [
        (version, source, base64.b64decode(code))
        for version, codes in LAMBDAS["code"].items()
        for source, code in zip(LAMBDAS["sources"], codes, strict=True)
    ]


@pytest.mark.parametrize("version", LAMBDAS["code"])
def test_lambdas_of_every_python_are_read_and_what_is_more_than_an_expression_is_unknown(version: str) -> None:
    for made_by, source, code in fixtures():
        if made_by == version:
            read = expression_of(code)
            assert (read.result if read else None) == READ.get(source), source


def test_code_of_python_3_5_is_read_by_the_layout_of_its_instructions() -> None:
    """Assembled by hand after Lib/opcode.py of 3.5, for want of that interpreter: `lambda x: x * 2.0`."""
    code = bytes([124, 0, 0, 100, 1, 0, 20, 83])
    numbers = b"".join(value.to_bytes(4, "little") for value in (1, 0, 1, 2, 67))
    constants = b")\x02Ng" + np.float64(2.0).tobytes()
    written = b"c" + numbers + b"s" + len(code).to_bytes(4, "little") + code + constants + b")\x00)\x01z\x01x)\x00)\x00"
    written += b"z\x01fz\x08<lambda>\x01\x00\x00\x00s\x00\x00\x00\x00"
    assert expression_of(written) == Lambda(("x",), Apply("*", (X, Constant(2.0))))


def test_both_forms_of_the_stored_text_are_read() -> None:
    """Base64 since Keras 2.0.9; before, the bytes as Latin-1."""
    code = base64.b64decode(LAMBDAS["code"]["2.7"][4])
    assert code_bytes(base64.b64encode(code).decode() + "\n") == code
    assert code_bytes(code.decode("raw_unicode_escape")) == code


def test_hostile_bytecode_is_unknown_and_quickly_so() -> None:
    """Counts without end, nesting, references to what is being read."""
    deep = b"c" + bytes(20) + b")\x01" * 5000
    many = b"c" + bytes(20) + b"(" + (2**31 - 1).to_bytes(4, "little")
    itself = b"\xe3" + bytes(20) + b"\xa9\x01r\x00\x00\x00\x00"
    wide = b"c" + bytes(20) + b"(" + (15000).to_bytes(4, "little") + b"N" * 15000
    long = b"c" + bytes(20) + b"l" + (2**31 - 1).to_bytes(4, "little") + b"\xff" * 1000
    for hostile in (deep, many, itself, wide, long, b"", b"c", b"N" * 100, b"c" * 100_000):
        assert expression_of(hostile) is None


def test_no_bytes_make_the_reader_fall_over() -> None:
    chance = np.random.default_rng(1)
    codes = [code for _, _, code in fixtures()]
    for _ in range(4000):
        code = bytearray(codes[chance.integers(len(codes))])
        for _ in range(chance.integers(1, 6)):
            code[chance.integers(len(code))] = chance.integers(256)
        expression_of(bytes(code[: chance.integers(len(code) + 1)] if chance.random() < 0.2 else code))


@pytest.mark.parametrize(
    ("result", "shape", "expected"),
    [
        (Apply("+", (Apply("*", (Constant(2), X)), Constant(1.5))), None, ("Rescaling", {"scale": 2.0, "offset": 1.5})),
        (Apply("/", (Constant(1), X)), None, None),
        (Apply("/", (X, Constant(0))), None, None),
        (Apply("*", (X, Constant(float("inf")))), None, None),
        (Apply("*", (X, Constant(10**400))), None, None),
        (Apply("relu", (X,)), None, None),
        (Apply("os.system", (Constant("ls"),)), None, None),
        (Apply("K.l2_normalize", (X,)), None, None),
        (Apply("tf.expand_dims", (X, Constant(1))), (None, 4, 3), ("Reshape", {"target_shape": [1, 4, 3]})),
        (Apply("tf.expand_dims", (X, Constant(1))), None, None),
        (Apply("K.squeeze", (X, Constant(2))), (None, 4, 1), ("Reshape", {"target_shape": [4]})),
        (Apply("K.squeeze", (X, Constant(1))), (None, 4, 1), None),
        (Apply("K.reshape", (X, Constant((-1, 3, 2)))), (None, 6), ("Reshape", {"target_shape": [3, 2]})),
        (Apply("K.reshape", (X, Constant((-1, 3)))), (None, 6), None),
        (Apply("K.mean", (X, Constant(1))), (None, 4, 4, 3), None),
    ],
)
def test_a_layer_stands_for_a_lambda_only_where_it_does_the_same(
    result: Any,
    shape: tuple[int | None, ...] | None,
    expected: tuple[str, dict[str, Any]] | None,
) -> None:
    known = layer_for(result, {}, shape)
    assert (known.written if known else None) == expected
