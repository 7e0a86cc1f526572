"""What a file is, told by its bytes: files of real Kerases under right and wrong names, and what people take for models."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from kerasdoctor.diagnostics.formats import identify
from kerasdoctor.diagnostics.model_file import read_model
from kerasdoctor.diagnostics.saved_model import keras_objects
from kerasdoctor.errors import SubjectError

from .conftest import look

TO_3 = "saved-in-keras2-loaded-in-keras3"
TO_2 = "saved-in-keras3-loaded-in-keras2"


def test_models_are_told_by_their_bytes(keras_3: Path, keras_2: Path, tmp_path: Path) -> None:
    """Whatever the name says; where it lies, the statement says what follows."""
    for folder in (keras_3, keras_2):
        zipped, hdf5 = folder / "sequential.keras", folder / "sequential.h5"
        assert (identify(zipped).id, identify(zipped).subject) == ("keras-zip", "model")
        assert (identify(hdf5).id, identify(hdf5).subject) == ("keras-hdf5", "model")
        lying = Path(shutil.copy(hdf5, tmp_path / "m.keras"))
        assert "'File not found'" in identify(lying).statement.en
        assert "m.h5" in identify(lying).load.en
        lying = Path(shutil.copy(zipped, tmp_path / "m.h5"))
        assert "file signature not found" in identify(lying).statement.en
        assert "m.keras" in identify(lying).load.zh


def test_weights_and_data_in_hdf5(keras_3: Path, keras_2: Path, tmp_path: Path) -> None:
    """Weights of each layout and plain data are told apart."""
    for folder in (keras_3, keras_2):
        assert identify(folder / "only.weights.h5").subject == "weights"
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file.attrs["layer_names"] = [b"dense"]
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"] = np.ones(3)
    assert identify(tmp_path / "old.h5").id == "weights-hdf5"
    assert identify(tmp_path / "data.h5").subject == "data"
    with pytest.raises(SubjectError, match=r"weights only.*load_weights") as told:
        read_model(tmp_path / "old.h5")
    assert "只有权重" in told.value.zh


def test_saved_models(formats_3: Path, formats_2: Path, tmp_path: Path) -> None:
    """Folders with and without the layers of Keras 2, the graph alone, and packed."""
    assert identify(formats_3 / "dense").id == "saved-model"
    assert identify(formats_2 / "dense").id == "saved-model-keras"
    assert identify(formats_3 / "dense" / "saved_model.pb").id == "saved-model-pb"
    assert identify(formats_3 / "frozen.pb").id == "frozen-graph"
    for form, ending in (("zip", "zip"), ("tar", "tar"), ("gztar", "tar.gz")):
        packed = Path(shutil.make_archive(str(tmp_path / "m"), form, formats_2, "dense"))
        assert identify(packed).id == f"saved-model-{ending.replace('.', '-')}"
        assert identify(packed).subject is None
    for part in (formats_3 / "dense" / "variables").iterdir():
        assert identify(part).id == "tf-checkpoint"


def test_architecture_of_a_saved_model_is_read(formats_2: Path) -> None:
    """The layers, the version and the training configuration stand in keras_metadata.pb."""
    model = read_model(formats_2 / "dense")
    assert (model.container, model.line) == ("SavedModel", "keras-2")
    assert model.compiled is not None
    assert model.config is not None
    assert [layer["class_name"] for layer in model.config["config"]["layers"]] == ["InputLayer", "Dense", "Dense"]
    assert len(list(keras_objects(formats_2 / "dense"))) > 3


def test_architectures_in_json_and_yaml(formats_3: Path, formats_2: Path, tmp_path: Path) -> None:
    """to_json of both, JSON packed twice, and YAML of plain values; YAML that makes objects is refused."""
    for folder in (formats_3, formats_2):
        assert read_model(folder / "recurrent.json").container == "JSON"
    text = (formats_2 / "dense.json").read_text()
    (tmp_path / "twice.json").write_text(json.dumps(text))
    assert read_model(tmp_path / "twice.json").keras_version == json.loads(text)["keras_version"]
    shape = "!!python/tuple [null, 8]"
    layer = f"  - class_name: Dense\n    config: {{name: d, units: 2, batch_input_shape: {shape}}}\n"
    (tmp_path / "m.yaml").write_text(f"class_name: Sequential\nconfig:\n  layers:\n{layer}keras_version: 2.2.4\n")
    model = read_model(tmp_path / "m.yaml")
    assert model.config is not None
    assert model.config["config"]["layers"][0]["config"]["batch_input_shape"] == [None, 8]
    aliases = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 1}]\n" for n in range(9))
    for bad in ("!!python/object/apply:os.system [id]", "[" * 3000):
        (tmp_path / "bad.yaml").write_text(f"class_name: Sequential\nconfig: {bad}\n")
        with pytest.raises(SubjectError, match="plain values"):
            read_model(tmp_path / "bad.yaml")
    (tmp_path / "bad.yaml").write_text(f"class_name: Sequential\nconfig: 1\n{aliases}")
    with pytest.raises(SubjectError, match="plain values"):
        read_model(tmp_path / "bad.yaml")


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def packed(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return stream.getvalue()


def tarred(name: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    return stream.getvalue()


def npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.ones(3))
    return stream.getvalue()


CONTENT: dict[str, tuple[bytes, str | None]] = {
    "empty": (b"", None),
    "zeros": (bytes(3000), None),
    "git-lfs-pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12345\n", None),
    "web-page": (b"\n<!DOCTYPE html><html>", None),
    "error-answer": (b"404: Not Found", None),
    "tflite": (b"\x1c\0\0\0TFL3\0", None),
    "onnx": (b"\x08\x08\x12\x07pytorch", None),
    "gguf": (b"GGUF\3\0\0\0", None),
    "safetensors": (b"\x20\0\0\0\0\0\0\0" + b'{"a":{"dtype":"F32"}}', None),
    "pytorch": (packed("archive/data.pkl", "archive/version"), None),
    "pickle": (pickle.dumps({"a": 1}), None),
    "joblib": (b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x13joblib.numpy_pickle", None),
    "zip-of-model": (packed("my/model.h5"), None),
    "zip": (packed("a.txt"), None),
    "tar-of-model": (tarred("my/model.h5"), None),
    "gzip": (gzip.compress(b"\x89HDF\r\n\x1a\n"), None),
    "xz": (b"\xfd7zXZ\0\0", None),
    "weights-npz": (npz(**{"dense/kernel:0": np.ones(3)}), "weights"),
    "data-npz": (npz(x=np.ones(3), y=np.ones(3)), "data"),
    "data-npy": (npy(), "data"),
    "log-csv": (b"epoch,acc,loss\n0,0.5,1.2\n1,nan,0.7\n", "log"),
    "data-csv": (b"a;b;label\n1;2;x\n3;4;y\n", "data"),
    "log-history": (b'{"loss": [1.0, 0.5], "val_loss": [1.2, NaN]}', "log"),
    "progress": (b"Epoch 1/5\n10/10 [=====] - 0s - loss: 0.5\n", "log"),
    "environment": (b'{"format": 2, "missing": {}}', "environment"),
    "tfjs": (b'{"modelTopology": {}, "weightsManifest": []}', None),
    "json": (b'{"a": {"b": 1}}', None),
    "tf-checkpoint-list": (b'model_checkpoint_path: "c-1"\n', None),
    "unknown": (b"hello world", None),
}


@pytest.mark.parametrize("ident", CONTENT)
@pytest.mark.parametrize("name", ["model.keras", "model.h5", "README"])
def test_files_of_every_kind(tmp_path: Path, ident: str, name: str) -> None:
    """The same bytes are the same format under any name, with a statement and a way on in both languages."""
    data, subject = CONTENT[ident]
    (tmp_path / name).write_bytes(data)
    form = identify(tmp_path / name)
    assert (form.id, form.subject) == (ident, subject)
    assert form.statement.en != form.statement.zh
    assert form.load.en
    with pytest.raises(SubjectError) as told:
        read_model(tmp_path / name)
    assert name in told.value.zh


def test_an_error_answer_in_json(tmp_path: Path) -> None:
    """A server's JSON message is told with its words."""
    (tmp_path / "m.keras").write_text('{"error": "Invalid username or password."}')
    assert "Invalid username" in identify(tmp_path / "m.keras").statement.en


def test_event_files_of_tensorflow(formats_3: Path) -> None:
    """TensorBoard's file is told by its framing."""
    (events,) = (formats_3 / "logs").iterdir()
    assert (identify(events).id, identify(events).subject) == ("log-tensorboard", "log")


def test_what_is_cut_off_says_how_much_is_there(keras_3: Path, tmp_path: Path) -> None:
    """A zip without its directory names the members begun, HDF5 both lengths."""
    data = (keras_3 / "branches.keras").read_bytes()
    (tmp_path / "m.keras").write_bytes(data[: len(data) // 2])
    zipped = identify(tmp_path / "m.keras").statement.en
    assert f"{len(data) // 2:,} bytes" in zipped
    assert "'config.json'" in zipped
    data = (keras_3 / "branches.h5").read_bytes()
    (tmp_path / "m.h5").write_bytes(data[:3000])
    hdf5 = identify(tmp_path / "m.h5").statement.en
    assert f"{len(data):,} bytes" in hdf5
    assert "3,000" in hdf5


def test_missing_folders_and_devices(tmp_path: Path) -> None:
    """A path that is nothing, an empty folder, an unpacked archive, a device."""
    assert identify(tmp_path / "none").id == "missing"
    assert identify(tmp_path).id == "folder"
    assert identify(Path("/dev/null")).id == "special"
    assert identify(Path("a\0b")).id == "unreadable"
    for name in ("config.json", "metadata.json", "model.weights.h5"):
        (tmp_path / name).write_text("{}")
    assert identify(tmp_path).id == "keras-folder"


def test_any_bytes_are_told(keras_3: Path, formats_2: Path, tmp_path: Path) -> None:
    """Cuts and overwritten stretches of every format end in a statement or a SubjectError, never in another exception."""
    sources = [
        keras_3 / "sequential.keras", keras_3 / "sequential.h5", formats_2 / "dense" / "saved_model.pb",
        formats_2 / "dense" / "keras_metadata.pb", formats_2 / "dense.json",
    ]  # fmt: skip
    contents = [*(path.read_bytes() for path in sources), *(data for data, _ in CONTENT.values())]
    for data in contents:
        for start in range(0, len(data), max(1, len(data) // 12)):
            for changed in (data[:start], data[:start] + b"\xff" * 9 + data[start + 9 :]):
                (tmp_path / "x").write_bytes(changed)
                assert identify(tmp_path / "x").statement.zh
                with suppress(SubjectError):
                    read_model(tmp_path / "x")


# The probe


def test_sound_files_get_no_finding(keras_3: Path, keras_2: Path, formats_3: Path, formats_2: Path) -> None:
    """Files under their right names, and the direction that cannot be is ruled out."""
    for folder, other in ((keras_3, TO_3), (keras_2, TO_2)):
        for name in ("sequential.keras", "sequential.h5", "branches.keras", "branches.h5"):
            finding = look("file-format", folder / name)
            assert finding.outcome == "nothing"
            assert other in finding.ruled_out
    for path in (formats_2 / "dense", formats_3 / "dense", formats_3 / "dense.json"):
        assert look("file-format", path).outcome == "nothing"


def test_names_that_lie(keras_3: Path, keras_2: Path, tmp_path: Path) -> None:
    """A fault where the Keras that wrote the file cannot open it by its name, a fact where it can."""
    for folder, source, name, fault in (
        (keras_3, "branches.keras", "m.h5", True),
        (keras_2, "branches.keras", "model", True),
        (keras_3, "branches.h5", "m.keras", True),
        (keras_2, "branches.h5", "m.keras", False),
        (keras_2, "branches.h5", "m.model", False),
    ):
        path = Path(shutil.copy(folder / source, tmp_path / name))
        assert look("file-format", path).fault is fault
        assert "model-file-corrupt" in look("file-format", path, "model-file-corrupt").topics


def change(path: Path, target: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    shutil.copy(path, target)
    with h5py.File(target, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        edit(config)
        file.attrs["model_config"] = json.dumps(config)
    return target


def test_what_blocks_the_other_keras_is_named(keras_3: Path, keras_2: Path, formats_2: Path, tmp_path: Path) -> None:
    """The option and the layer, in both directions; a file without blocks confirms nothing."""
    finding = look("file-format", formats_2 / "recurrent", TO_3)
    assert "time_major ('lstm" in "".join(e.en for e in finding.evidence)
    assert look("file-format", keras_2 / "branches.keras", TO_3).layers[:1] == ("branches",)
    assert "TFOpLambda" in "".join(e.zh for e in look("file-format", keras_2 / "sliced.keras", TO_3).evidence)
    written = "".join(e.en for e in look("file-format", keras_3 / "branches.keras", TO_2).evidence)
    assert "batch_shape" in written
    assert "DTypePolicy" in written
    plain = change(keras_2 / "sequential.h5", tmp_path / "m.h5", lambda _: None)
    with h5py.File(plain, "r+") as file:
        del file.attrs["training_config"]
    assert look("file-format", plain, TO_3).outcome == "nothing"

    def groups(config: dict[str, Any]) -> None:
        config["config"]["layers"][1] = {"class_name": "DepthwiseConv2D", "config": {"name": "dw", "groups": 1}}

    assert look("file-format", change(plain, tmp_path / "g.h5", groups), TO_3).layers == ("dw",)


def test_a_loss_that_keras_3_cannot_restore(keras_2: Path) -> None:
    """HDF5 compiled with "mse" loads with compile=False only."""
    finding = look("file-format", keras_2 / "sequential.h5", TO_3)
    assert "compile=False" in finding.evidence[-1].en


def test_odd_configurations_are_judged(keras_2: Path, tmp_path: Path) -> None:
    """Values of any type in the place of any other end in evidence."""
    for odd in (None, 3, "x", [], [[1]], {}, {"class_name": 1}, {"config": 2}, 10**400):
        for key in ("class_name", "config", "name", "module"):

            def edit(config: dict[str, Any], odd: object = odd, key: str = key) -> None:
                config["config"]["layers"][1][key] = odd

            assert look("file-format", change(keras_2 / "sequential.h5", tmp_path / "m.h5", edit)).outcome != "crashed"
