"""The static gate: every way in which a model file can be hostile is refused, and what real Kerases save is not."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from kerasdoctor.diagnostics.model_file import read_model
from kerasdoctor.diagnostics.probe import all_probes, examine
from kerasdoctor.diagnostics.safety import examined, unsafe
from kerasdoctor.diagnostics.safety_config import examine_config
from kerasdoctor.diagnostics.safety_graph import examine_saved_model
from kerasdoctor.diagnostics.safety_names import judge

PROBE = next(probe for probe in all_probes() if probe.id == "unsafe-content")
LAMBDA = "lambda-unsafe-deserialization"
CODE = ["4wEAAAA=\n", None, None]


def said(path: Path) -> str:
    return "\n".join(hazard.text.en for hazard in unsafe(path))


def members(source: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(source) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(target: Path, content: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return target


def first_layer(config: dict[str, Any]) -> dict[str, Any]:
    return next(layer for layer in config["config"]["layers"] if layer["class_name"] == "Dense")


def with_config(source: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The model with its configuration changed, in whichever container it is."""
    if source.suffix == ".h5":
        target = target.with_suffix(".h5")
        target.write_bytes(source.read_bytes())
        with h5py.File(target, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            change(config)
            file.attrs["model_config"] = json.dumps(config)
        return target
    content = members(source)
    config = json.loads(content["config.json"])
    change(config)
    return packed(target, content | {"config.json": json.dumps(config).encode()})


NAMES = ["sequential", "branches", "sliced", "half", "half_right", "bytes_scaled"]


@pytest.mark.parametrize("name", [*(f"{n}.keras" for n in NAMES), "sequential.h5", "branches.h5", "only.weights.h5"])
def test_what_keras_saves_passes(keras_3: Path, keras_2: Path, name: str) -> None:
    """Operations between layers, nested models and mixed precision are allowed; nothing is said of custom code."""
    for folder in (keras_3, keras_2):
        seen = examined(folder / name)
        assert (seen.hazards, seen.custom) == ((), ())


def test_a_custom_model_gets_the_statement_only(keras_3: Path) -> None:
    """Code that the reader must supply is no hazard and no fault."""
    path = keras_3 / "subclassed.keras"
    finding = examine(PROBE, read_model(path), path.name, frozenset())
    assert finding.outcome == "nothing"
    assert "custom code is needed" in finding.evidence[0].en
    assert "自定义代码" in finding.evidence[0].zh


def put(place: str, value: object) -> Callable[[dict[str, Any]], None]:
    """A change: a value somewhere in the first Dense layer's configuration."""

    def change(config: dict[str, Any]) -> None:
        first_layer(config)["config"][place] = value

    return change


def wrap(value: dict[str, Any]) -> dict[str, Any]:
    """An object in a wrapper in a model in a model."""
    wrapper = {"class_name": "TimeDistributed", "module": "keras.layers", "config": {"name": "t", "layer": value}}
    inner = {"class_name": "Sequential", "module": "keras", "config": {"name": "inner", "layers": [wrapper]}}
    return {"class_name": "Functional", "module": "keras", "config": {"name": "outer", "layers": [inner]}}


def named(module: str | None, class_name: str, config: object = None, **more: object) -> dict[str, Any]:
    """An object as Keras writes it; files of before Keras 2.12 have no `module`."""
    written = {} if module is None else {"module": module}
    return {**written, "class_name": class_name, "config": {} if config is None else config, **more}


CODE_LAYER = named("keras.layers", "Lambda", {"name": "evil", "function": CODE, "function_type": "lambda"})
LAMBDAS = {
    "Lambda of Keras 2": CODE_LAYER,
    "without its type": named("keras.layers", "Lambda", {"function": CODE}),
    "of a registered name": named("keras.layers", "Thing", {"function": CODE}, registered_name="Lambda"),
    "of another name, typed": named(None, "Other", {"function": CODE, "function_type": "lambda"}),
    "its mask": named("keras.layers", "Lambda", {"function": "f", "function_type": "function", "mask_type": "lambda"}),
    "its output shape": named("keras.layers", "Lambda", {"function": "f", "output_shape_type": "lambda"}),
    "Lambda of Keras 3": named("keras.layers", "Lambda", {"function": named(None, "__lambda__", {"value": CODE[0]})}),
    "a bare lambda": named(None, "__lambda__", {"value": CODE[0]}),
    "TorchModuleWrapper": named("keras.layers", "TorchModuleWrapper", {"module": {}}),
    "TFSMLayer": named("keras.layers", "TFSMLayer", {"filepath": "/tmp/x"}),  # noqa: S108 - never opened
    "TFSMLayer, renamed": named("keras.layers", "Layer", registered_name="TFSMLayer"),
}
GADGETS = {
    "os.system": named("os", "function", "system", registered_name="system"),
    "a class of subprocess": named("subprocess", "Popen", {"args": "id"}),
    "builtins.eval": named("builtins", "function", "eval"),
    "a class of builtins": named("builtins", "exec"),
    "any class of builtins": named("builtins", "Thing"),
    "get_file": named("keras.utils", "function", "get_file"),
    "get_file as a class": named("keras.utils", "get_file"),
    "get_file of tf_keras": named("tf_keras.src.utils.data_utils", "function", "get_file"),
    "get_file, public name of TensorFlow": named("tensorflow.keras.utils", "function", "get_file"),
    "get_file of Keras 3, legacy": named("keras._tf_keras.keras.utils", "function", "get_file"),
    "load_model": named("keras.models", "function", "load_model"),
    "load_model as a class": named("keras.models", "load_model"),
    "load_model, inside": named("keras.src.saving.saving_api", "function", "load_model"),
    "deserialize as a function": named("keras.layers", "function", "deserialize"),
    "enable_unsafe_deserialization": named("keras.config", "function", "enable_unsafe_deserialization"),
    "the same, as a class": named("keras.config", "enable_unsafe_deserialization"),
    "a whole application": named("keras.applications", "VGG16", {"weights": "/x"}),
    "a legacy loader": named("keras.src.legacy.saving.legacy_h5_format", "load_model_from_hdf5"),
    "a module in a layer's module": named("keras.src.layers.core.lambda_layer", "function", "python_utils"),
    "numpy": named("numpy", "function", "load"),
    "tensorflow": named("tensorflow.python.lib.io.file_io", "function", "read_file_to_string"),
    "torch": named("torch", "function", "load"),
    "a dotted class": named("keras.layers", "Layer.os"),
    "by the registered name": named("subprocess", "Dense", registered_name="run"),
    "a function by the registered name": named("keras.layers", "Nothing", registered_name="deserialize"),
    "typespec": named("os", "__typespec__", [], spec_name="system"),
    "a module that is no text": {"module": ["os"], "class_name": "system", "config": {}},
    "a class that is no text": {"module": "os", "class_name": {"a": 1}, "config": {}},
    "a callback": named("keras.callbacks", "BackupAndRestore", {"backup_dir": "/x"}),
    "vocabulary": named("keras.layers", "StringLookup", {"vocabulary": "/etc/passwd"}),
    "vocabulary by address": named("keras.layers", "TextVectorization", {"vocabulary": "http://x.example/v"}),
    "a folder outside": named("keras.layers", "Dense", {"name": "../../x"}),
    "a folder outside, deeper": named("keras.layers", "Dense", {"name": "a/../../x"}),
    "an absolute folder": named("keras.layers", "Dense", {"name": "/x"}),
    "a folder of Windows": named("keras.layers", "Dense", {"name": "..\\x"}),
    "a name with NUL": named("keras.layers", "Dense", {"name": "x\0.py"}),
    "TFOpLambda that writes": named("keras.layers", "TFOpLambda", {"name": "w", "function": "io.write_file"}),
    "TFOpLambda, version 1": named("keras.layers", "TFOpLambda", {"function": "compat.v1.py_func"}),
    "TFOpLambda, raw": named("keras.layers", "TFOpLambda", {"function": "raw_ops.WriteFile"}),
    "TFOpLambda that loads": named("keras.layers", "TFOpLambda", {"function": "keras.models.load_model"}),
    "TFOpLambda that deserializes": named("keras.layers", "TFOpLambda", {"function": "keras.losses.deserialize"}),
    "ClassMethod": named("keras.layers", "ClassMethod", {"cls_symbol": "io.gfile.GFile", "method_name": "read"}),
    "InstanceMethod": named("keras.layers", "InstanceMethod", {"method_name": "__reduce__"}),
    "TensorFlowOpLayer": named(None, "TensorFlowOpLayer", {"node_def": {"op": "PyFunc"}}),
}


def test_hazards_of_lambdas_have_their_topic() -> None:
    """Code, and classes that run code, are told under the entry about it."""
    for value in LAMBDAS.values():
        assert any(LAMBDA in hazard.topics for hazard in examine_config(wrap(value)).hazards)


@pytest.mark.parametrize("container", ["sequential.keras", "sequential.h5"])
@pytest.mark.parametrize("what", [*LAMBDAS, *GADGETS])
def test_objects_are_refused_at_any_depth(keras_3: Path, tmp_path: Path, container: str, what: str) -> None:
    """As an initializer, in nested models, among inbound nodes, in what is compiled, in both containers."""
    value = (LAMBDAS | GADGETS)[what]
    for place in ("kernel_initializer", "dtype", "kernel_regularizer", "unknown"):
        assert unsafe(with_config(keras_3 / container, tmp_path / "m.keras", put(place, value)))
    assert unsafe(with_config(keras_3 / container, tmp_path / "m.keras", put("layer", wrap(value))))
    for key in ("compile_config", "build_config", "inbound_nodes"):
        change: Callable[[dict[str, Any]], None] = lambda c, k=key: c.update({k: [{"args": [value]}]})  # noqa: E731
        assert unsafe(with_config(keras_3 / container, tmp_path / "m.keras", change))


def test_training_configuration_of_hdf5(keras_2: Path, tmp_path: Path) -> None:
    """The optimizer and the losses of HDF5 stand in an attribute of their own."""
    path = tmp_path / "m.h5"
    path.write_bytes((keras_2 / "sequential.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        file.attrs["training_config"] = json.dumps({"loss": GADGETS["os.system"], "optimizer_config": {}})
    assert "os.system" in said(path)


HONEST = {
    "single slashes": named(None, "Dense", {"name": "block1/conv"}),
    "two dots in a name": named(None, "Dense", {"name": "conv..1"}),
    "a vocabulary": named("keras.layers", "StringLookup", {"vocabulary": ["a", "/etc/passwd"]}),
    "an activation": named("builtins", "function", "relu", registered_name="relu"),
    "an activation of a backend": named("jax._src.nn.functions", "function", "gelu"),
    "a specification": named("tensorflow.python.framework.tensor_spec", "__typespec__", [[1], "float32"], spec_name="TensorSpec"),
    "a layer of an application": named("keras.src.applications.convnext", "LayerScale", registered_name="Custom>LayerScale"),
    "an initializer of TensorFlow": named("tensorflow.python.ops.init_ops_v2", "Constant"),
    "an operation": named("keras.layers", "TFOpLambda", {"function": "math.reduce_mean"}),
    "an old operation": named(None, "TensorFlowOpLayer", {"node_def": {"op": "Mul"}}),
    "a loss of Keras": named("keras.losses", "function", "mse"),
    "an optimizer of Keras 2": named(None, "Custom>Adam"),
    "preprocessing": named("keras.layers", "Lambda", {"function": named("keras.applications.vgg16", "function", "preprocess_input")}),
}  # fmt: skip


@pytest.mark.parametrize("what", HONEST)
def test_honest_objects_pass(what: str) -> None:
    """What looks like the above and is what people save."""
    seen = examine_config(wrap(HONEST[what]))
    assert (seen.hazards, seen.custom) == ([], {})


def test_custom_code_is_told_by_name() -> None:
    """A package of one's own, `__main__`, a registered name, a function: statements, not hazards."""
    for value, name in (
        (named("mypackage.layers", "Attention", registered_name="mypackage>Attention"), "mypackage.layers.Attention"),
        (named("__main__", "Attention", registered_name="Custom>Attention"), "__main__.Attention"),
        (named("keras_hub.src.layers.x", "Rotary"), "keras_hub.src.layers.x.Rotary"),
        (named("mypackage.losses", "function", "focal_loss"), "mypackage.losses.focal_loss"),
        (named(None, "Own", registered_name="pkg>Own"), "Own"),
        (named(None, "Lambda", {"function": "scale", "function_type": "function"}), "scale"),
    ):
        seen = examine_config(wrap(value))
        assert seen.hazards == []
        assert list(seen.custom) == [name]


@pytest.mark.parametrize("value", [None, 1, "x", [], [[[]]], {"class_name": 3}, {"class_name": "x", "config": 3}])
def test_any_json_is_judged(value: object) -> None:
    """Nothing that JSON can say makes it raise."""
    examine_config(value)


def test_depth_is_bounded(keras_3: Path, tmp_path: Path) -> None:
    """A configuration deeper than Python's recursion is refused, not followed."""
    for depth in (500, 1_000, 200_000):
        content = members(keras_3 / "sequential.keras") | {"config.json": b'{"a":' * depth + b"1" + b"}" * depth}
        assert unsafe(packed(tmp_path / "m.keras", content))


# Archives


def foreign(keras: Path, at: Path, name: str) -> Path:
    return packed(at, members(keras) | {name: b"x"})


def duplicate(keras: Path, at: Path) -> Path:
    content = members(keras)
    with zipfile.ZipFile(packed(at, content), "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("model.weights.h5", b"\x80\x04.")
    return at


def patched(keras: Path, at: Path, field: int, value: bytes, member: bytes = b"model.weights.h5") -> Path:
    """A field of a member's record in the directory, overwritten."""
    data = bytearray(packed(at, members(keras)).read_bytes())
    place = data.rindex(member) - 46
    data[place + field : place + field + len(value)] = value
    at.write_bytes(data)
    return at


def bomb(keras: Path, at: Path, name: str = "assets/big.txt") -> Path:
    return packed(at, members(keras) | {name: bytes(8_000_000)}, zipfile.ZIP_DEFLATED)


def leading(keras: Path, at: Path) -> Path:
    """A whole archive before the archive: the first bytes are those of a zip."""
    at.write_bytes(packed(at, {"x": b"1"}).read_bytes() + keras.read_bytes())
    return at


def between(keras: Path, at: Path) -> Path:
    """Something between the members that no directory names."""
    with zipfile.ZipFile(at, "w") as archive:
        for number, (name, data) in enumerate(members(keras).items()):
            if number == 1:
                assert archive.fp is not None
                archive.fp.write(b"hidden" * 100)
                archive.start_dir = archive.fp.tell()
            archive.writestr(name, data)
    return at


def hdf5_inside(keras: Path, at: Path) -> Path:
    """HDF5 with the archive's first member as its user block."""
    content = {"metadata.json": members(keras)["metadata.json"]}
    head = 30 + len("metadata.json") + len(content["metadata.json"])
    head += 30 + len("assets/a")
    content["assets/a"] = bytes(512 - head) + members(keras)["model.weights.h5"]
    return packed(at, content | members(keras))


def symlink(keras: Path, at: Path) -> Path:
    with zipfile.ZipFile(packed(at, members(keras)), "a") as archive:
        info = zipfile.ZipInfo("assets/link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return at


def numpy_weights(keras: Path, at: Path, array: np.ndarray | bytes, method: int = zipfile.ZIP_STORED) -> Path:
    content = {name: data for name, data in members(keras).items() if name != "model.weights.h5"}
    stream = io.BytesIO()
    if not isinstance(array, bytes):
        np.savez(stream, a=np.ones(3), b=array)
    content["model.weights.npz"] = array if isinstance(array, bytes) else stream.getvalue()
    return packed(at, content, method)


def numbers() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, a=np.ones(3))
    return stream.getvalue()


def inner_hdf5(keras: Path, at: Path, change: Callable[[h5py.File], None]) -> Path:
    stream = io.BytesIO(members(keras)["model.weights.h5"])
    with h5py.File(stream, "r+") as file:
        change(file)
    return packed(at, members(keras) | {"model.weights.h5": stream.getvalue()})


ARCHIVES: dict[str, tuple[Callable[[Path, Path], Path], str]] = {
    "a foreign member": (lambda k, t: foreign(k, t, "setup.py"), "no .keras file does"),
    "a member outside": (lambda k, t: foreign(k, t, "assets/../../x"), "no .keras file does"),
    "an absolute member": (lambda k, t: foreign(k, t, "/etc/x"), "no .keras file does"),
    "a member of Windows": (lambda k, t: foreign(k, t, "assets\\..\\x"), "no .keras file does"),
    "a symbolic link": (symlink, "symbolic links"),
    "a duplicate": (duplicate, "more than once"),
    "encryption": (lambda k, t: patched(k, t, 8, b"\x01\x00"), "encrypted"),
    "LZMA": (lambda k, t: packed(t, members(k), zipfile.ZIP_LZMA), "method 14"),
    "a pickle": (lambda k, t: packed(t, members(k) | {"assets/state.bin": pickle.dumps(1)}), "Python pickles"),
    "a bomb": (bomb, "would unpack"),
    "a bomb of a configuration": (lambda k, t: bomb(k, t, "metadata.json"), "would unpack"),
    "a declared size": (lambda k, t: patched(k, t, 24, struct.pack("<I", 0xFFFFFFF0)), "would unpack"),
    "an overlap": (
        lambda k, t: patched(k, t, 20, struct.pack("<II", 9_000, 9_000), b"config.json"),
        "overlaps the member before",
    ),
    "an overlap with the directory": (
        lambda k, t: patched(k, t, 20, struct.pack("<II", 90_000, 90_000)),
        "overlaps the archive's directory",
    ),
    "a shared header": (lambda k, t: patched(k, t, 42, b"\0\0\0\0"), "header"),
    "a leading archive": (leading, "no member of the archive"),
    "bytes between": (between, "no member of the archive"),
    "bytes behind": (lambda k, t: (t.write_bytes(k.read_bytes() + b"\0" * 50), t)[1], "no member of the archive"),
    "HDF5 as well": (hdf5_inside, "HDF5 as well"),
    "a pickle as npz": (lambda k, t: numpy_weights(k, t, b"\x80\x04."), "pickle"),
    "a pickle before an npz": (lambda k, t: numpy_weights(k, t, b"\x80\x04." + numbers()), "pickle"),
    "objects in npz": (lambda k, t: numpy_weights(k, t, np.array([{"a": 1}], dtype=object)), "pickle"),
    "objects in packed npz": (
        lambda k, t: numpy_weights(k, t, np.array([{}], dtype=object), zipfile.ZIP_DEFLATED),
        "pickle",
    ),
    "a record in npz": (lambda k, t: numpy_weights(k, t, np.zeros(2, dtype=[("a", object)])), "pickle"),
    "weights that are none": (lambda k, t: packed(t, members(k) | {"model.weights.h5": b"\x80\x04."}), "not HDF5"),
    "a cut": (lambda k, t: (t.write_bytes(k.read_bytes()[:-400]), t)[1], "damaged"),
    "nothing but a pickle": (lambda _, t: (t.write_bytes(b"\x80\x04."), t)[1], "neither"),
}


@pytest.mark.parametrize("what", ARCHIVES)
def test_archives_are_refused(keras_3: Path, tmp_path: Path, what: str) -> None:
    """What the directory, the headers or the bytes of an archive say is told."""
    make, words = ARCHIVES[what]
    assert words in said(make(keras_3 / "sequential.keras", tmp_path / "m.keras"))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_repacked_archives_pass(keras_3: Path, keras_2: Path, tmp_path: Path, method: int) -> None:
    """Compressed by another program, with assets, with weights in numeric npz."""
    for folder in (keras_3, keras_2):
        content = members(folder / "branches.keras") | {"assets/layers/string_lookup/vocabulary.txt": b"a\nb\n"}
        assert said(packed(tmp_path / "m.keras", content, method)) == ""
        assert (
            said(numpy_weights(folder / "branches.keras", tmp_path / "n.keras", np.zeros((2, 3), "f2"), method)) == ""
        )


# HDF5


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=(4,))
    file.create_virtual_dataset("v", layout)


def overlap_free_bombs(file: h5py.File) -> None:
    """Each below the limit of one dataset, together a thousand times the file."""
    for number in range(200):
        file.create_dataset(f"d{number}", (250_000,), "f4", chunks=(1000,))


HDF5: dict[str, tuple[Callable[[h5py.File], None], str]] = {
    "an external link": (lambda f: f.__setitem__("l", h5py.ExternalLink("/etc/x.h5", "/a")), "link to another file"),
    "a deep external link": (lambda f: f.__setitem__("a/b/l", h5py.ExternalLink("x.h5", "/")), "link to another file"),
    "a soft link to nothing": (lambda f: f.__setitem__("l", h5py.SoftLink("/nothing")), "soft link"),
    "a soft link through another": (
        lambda f: [f.__setitem__("e", h5py.ExternalLink("x.h5", "/")), f.__setitem__("l", h5py.SoftLink("/e/a"))],
        "soft link",
    ),
    "a soft link to itself": (lambda f: f.__setitem__("l", h5py.SoftLink("/l")), "soft link"),
    "external storage": (
        lambda f: f.create_dataset("d", (4,), "i1", external=[("/etc/hostname", 0, 4)]),
        "from another file",
    ),
    "a virtual dataset": (virtual, "is virtual"),
    "a shape bomb": (lambda f: f.create_dataset("d", (2**40,), "f4", chunks=(1024,)), "declares"),
    "a shape bomb never written": (lambda f: f.create_dataset("d", (2**28,), "f4"), "declares"),
    "many small bombs": (overlap_free_bombs, "datasets declare"),
}  # fmt: skip


@pytest.mark.parametrize("what", HDF5)
def test_hdf5_is_refused_outside_and_inside_archives(keras_3: Path, tmp_path: Path, what: str) -> None:
    """In HDF5 models, in weights inside an archive, stored and compressed."""
    change, words = HDF5[what]
    path = tmp_path / "m.h5"
    path.write_bytes((keras_3 / "sequential.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        change(file)
    assert words in said(path)
    archive = inner_hdf5(keras_3 / "sequential.keras", tmp_path / "m.keras", change)
    assert words in said(archive)
    assert words in said(packed(tmp_path / "c.keras", members(archive), zipfile.ZIP_DEFLATED))


def test_plugin_filters_are_refused(keras_3: Path, tmp_path: Path) -> None:
    """A filter by number is loaded from a folder of plugins."""
    path = tmp_path / "m.h5"
    path.write_bytes((keras_3 / "sequential.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        made.set_chunk((4,))
        made.set_filter(32000, h5py.h5z.FLAG_OPTIONAL, ())
        h5py.h5d.create(file.id, b"d", h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple((4,)), made)
    assert said(path) == ""
    data = path.read_bytes()
    place = data.rindex(struct.pack("<H", 32000) + b"\x08\x00")  # the number and the length of the name "lzf"
    path.write_bytes(data[:place] + struct.pack("<H", 32001) + data[place + 2 :])
    assert "32001" in said(path)


def test_links_inside_the_file_pass(keras_3: Path, tmp_path: Path) -> None:
    """Hard links in a circle and soft links to what is there."""
    path = tmp_path / "m.h5"
    path.write_bytes((keras_3 / "sequential.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        file["again"] = file["model_weights"]
        file["model_weights/loop"] = file["/"]
        file["soft"] = h5py.SoftLink("/model_weights")
        file.create_dataset("packed", data=np.zeros(100_000, "f4"), compression="gzip")
    assert said(path) == ""


def test_hdf5_that_is_an_archive_as_well(keras_3: Path, tmp_path: Path) -> None:
    """HDF5 ignores what stands behind it, a zip what stands before it."""
    path = tmp_path / "m.keras"
    path.write_bytes((keras_3 / "sequential.h5").read_bytes() + (keras_3 / "sequential.keras").read_bytes())
    assert "zip archive as well" in said(path)


def test_weights_behind_a_user_block(keras_3: Path, tmp_path: Path) -> None:
    """HDF5 that begins with something else, inside an archive."""
    inner = tmp_path / "w.h5"
    with h5py.File(inner, "w", userblock_size=512) as file:
        file["a"] = [1.0]
    content = members(keras_3 / "sequential.keras") | {"model.weights.h5": inner.read_bytes()}
    assert "not HDF5" in said(packed(tmp_path / "m.keras", content))


def test_damaged_files_are_refused(keras_3: Path, tmp_path: Path) -> None:
    """Every cut and every overwritten stretch ends in an answer, never in an exception."""
    for name in ("sequential.keras", "sequential.h5"):
        data = (keras_3 / name).read_bytes()
        for start in range(0, len(data), max(1, len(data) // 60)):
            path = tmp_path / name
            path.write_bytes(data[:start])
            assert unsafe(path)
            path.write_bytes(data[:start] + b"\xff" * 16 + data[start + 16 :])
            unsafe(path)


# SavedModels, and what else holds a model

OPERATIONS = {
    "python": "EagerPyFunc", "numpy": "PyFunc", "reads": "ReadFile", "reads_in_a_branch": "ReadFile", "writes": "WriteFile",
    "lists_files": "MatchingFiles", "prints_to_a_file": "PrintV2", "debugs": "DebugIdentityV2", "restores": "RestoreV2",
    "saves": "SaveV2", "maps_a_dataset": "MapDataset", "sql": "SqlDataset", "nested": "ReadFile",
    "table": "InitializeTableFromTextFileV2",
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_that_run_code_or_touch_files_are_refused(formats_3: Path, tmp_path: Path, name: str) -> None:
    """In functions, branches, data pipelines and constants; in a folder, as a single file, and packed."""
    assert f"{OPERATIONS[name]}" in said(formats_3 / name)
    assert OPERATIONS[name] in said(formats_3 / name / "saved_model.pb")
    for form in ("zip", "tar", "gztar"):
        made = shutil.make_archive(str(tmp_path / "m"), form, formats_3, name)
        assert OPERATIONS[name] in said(Path(made))


def test_honest_saved_models_pass(formats_3: Path, formats_2: Path, tmp_path: Path) -> None:
    """Signatures, recurrent layers, lookup tables, printing, and the reading and writing of their own checkpoints."""
    for folder in (formats_3, formats_2):
        for name in ("dense", "recurrent", "words"):
            assert said(folder / name) == ""
            assert said(folder / f"{name}.json") == ""
            for form in ("zip", "tar", "gztar"):
                assert said(Path(shutil.make_archive(str(tmp_path / name), form, folder, name))) == ""
    assert said(formats_3 / "prints") == ""
    assert said(formats_3 / "frozen.pb") == ""


def message(*parts: tuple[int, bytes]) -> bytes:
    """A protocol buffer of fields that are bytes."""
    written = bytearray()
    for number, data in parts:
        written += bytes([number << 3 | 2])
        length = len(data)
        while length > 127:
            written.append(length & 127 | 128)
            length >>= 7
        written.append(length)
        written += data
    return bytes(written)


def node(name: bytes, op: bytes, *inputs: bytes, **functions: bytes) -> tuple[int, bytes]:
    calls = [(5, message((1, key.encode()), (2, message((10, message((1, f))))))) for key, f in functions.items()]
    return 1, message((1, name), (2, op), *((3, i) for i in inputs), *calls)


def function(name: bytes, *nodes: tuple[int, bytes]) -> bytes:
    return message((1, message((1, message((1, name))), *((3, data) for _, data in nodes))))


def saved(graph: bytes, *parts: tuple[int, bytes]) -> memoryview:
    return memoryview(message((2, message((2, graph), *parts))))


SAVER = (3, message((1, b"prefix:0"), (2, b"save:0"), (3, b"restore")))
SAVING = (
    node(b"prefix", b"Placeholder"),
    node(b"save", b"StatefulPartitionedCall", b"prefix", f=b"saver"),
    node(b"restore", b"NoOp"),
)
LIBRARY = (2, function(b"saver", node(b"s", b"SaveV2")))


def graph_said(data: memoryview) -> str:
    return "\n".join(hazard.text.en for hazard in examine_saved_model(data))


def test_saving_is_allowed_where_the_saver_leads_only() -> None:
    """Not where a signature, another node or Python code reaches the same function, nor in a function beside it."""
    assert graph_said(saved(message(*SAVING, LIBRARY), SAVER)) == ""
    assert "SaveV2" in graph_said(saved(message(*SAVING, LIBRARY)))
    assert "SaveV2" in graph_said(saved(message(*SAVING, node(b"x", b"PartitionedCall", f=b"saver"), LIBRARY), SAVER))
    assert "SaveV2" in graph_said(saved(message(*SAVING, node(b"x", b"saver"), LIBRARY), SAVER))
    assert "SaveV2" in graph_said(saved(message(*SAVING, LIBRARY), SAVER, (7, message((2, message((1, b"saver")))))))
    info = message((1, b"y"), (2, message((1, b"save:0"))))
    assert "SaveV2" in graph_said(saved(message(*SAVING, LIBRARY), SAVER, (5, message((2, message((2, info)))))))


def test_graphs_that_hide_a_node() -> None:
    """A second node of one name, an operation written twice, an attribute before the operation, a list of functions."""
    assert "ReadFile" in graph_said(saved(message(node(b"a", b"ReadFile"), node(b"a", b"NoOp"))))
    assert "ReadFile" in graph_said(saved(message((1, message((1, b"a"), (2, b"NoOp"), (2, b"ReadFile"))))))
    stream = (5, message((1, b"output_stream"), (2, message((2, b"file:///x")))))
    assert "file:///x" in graph_said(saved(message((1, message(stream, (2, b"PrintV2"))))))
    assert "Unknown" in graph_said(saved(message(node(b"a", b"Unknown"))))


def test_assets_outside_the_folder() -> None:
    """The names of a model's own files stay in its folder."""
    for name in (b"../../x", b"/etc/passwd", b"a\\b"):
        assert "outside" in graph_said(saved(b"", (6, message((2, name)))))
    assert "outside" in graph_said(saved(b"", (6, message((2, b"ok.txt"), (2, b"../x")))))
    assert graph_said(saved(b"", (6, message((2, b"vocabulary.txt"))))) == ""


def test_damaged_graphs_are_refused(formats_2: Path, tmp_path: Path) -> None:
    """Every cut and every overwritten stretch ends in an answer."""
    shutil.copytree(formats_2 / "dense", tmp_path / "m")
    for name in ("saved_model.pb", "keras_metadata.pb"):
        data = (formats_2 / "dense" / name).read_bytes()
        for start in range(1, len(data), max(1, len(data) // 40)):
            (tmp_path / "m" / name).write_bytes(data[:start])
            unsafe(tmp_path / "m")
            (tmp_path / "m" / name).write_bytes(data[:start] + b"\xff" * 16 + data[start + 16 :])
            unsafe(tmp_path / "m")
        (tmp_path / "m" / name).write_bytes(data[: len(data) // 2])
        assert unsafe(tmp_path / "m")
        (tmp_path / "m" / name).write_bytes(data)
    assert not unsafe(tmp_path / "m")


def test_lambdas_in_the_metadata_of_a_saved_model(formats_2: Path, tmp_path: Path) -> None:
    """What Keras 2 wrote of the layers is judged like any configuration."""
    path = Path(shutil.copytree(formats_2 / "dense", tmp_path / "m"))
    found = message((3, b"root"), (5, json.dumps({"model_config": wrap(CODE_LAYER)}).encode()))
    (path / "keras_metadata.pb").write_bytes(message((1, found)))
    assert "bytecode" in said(path)


def test_links_out_of_a_folder(formats_3: Path, tmp_path: Path) -> None:
    """A link among a SavedModel's files is refused."""
    path = Path(shutil.copytree(formats_3 / "dense", tmp_path / "m"))
    (path / "assets" / "x").symlink_to("/etc/passwd")
    assert "symbolic links" in said(path)


def tar_with(source: Path, target: Path, name: str, kind: bytes = tarfile.REGTYPE, linkname: str = "") -> Path:
    with tarfile.open(target, "w:gz" if target.suffix == ".tgz" else "w") as archive:
        archive.add(source, "m")
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, linkname
        archive.addfile(info)
    return target


TARS = {
    "a parent": ("m/../../x", tarfile.REGTYPE, "outside"),
    "an absolute path": ("/etc/x", tarfile.REGTYPE, "outside"),
    "a path of Windows": ("m\\..\\x", tarfile.REGTYPE, "outside"),
    "a symbolic link": ("m/assets/x", tarfile.SYMTYPE, "links or devices"),
    "a hard link": ("m/assets/x", tarfile.LNKTYPE, "links or devices"),
    "a device": ("m/assets/x", tarfile.CHRTYPE, "links or devices"),
    "a pipe": ("m/assets/x", tarfile.FIFOTYPE, "links or devices"),
    "a program": ("m/setup.py", tarfile.REGTYPE, "no SavedModel does"),
    "a second graph": ("m/saved_model.pb", tarfile.REGTYPE, "more than once"),
}


@pytest.mark.parametrize("what", TARS)
@pytest.mark.parametrize("ending", ["tar", "tgz"])
def test_tars_are_refused(formats_3: Path, tmp_path: Path, what: str, ending: str) -> None:
    """Members that leave the folder, links, devices, foreign members, duplicates."""
    name, kind, words = TARS[what]
    assert words in said(tar_with(formats_3 / "dense", tmp_path / f"m.{ending}", name, kind, "../../etc/passwd"))


@pytest.mark.parametrize("what", ["m/../../x", "/etc/x", "m/setup.py"])
def test_zips_of_saved_models_are_refused(formats_3: Path, tmp_path: Path, what: str) -> None:
    """The same in a zip."""
    made = Path(shutil.make_archive(str(tmp_path / "m"), "zip", formats_3, "dense"))
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr(what, b"x")
    assert said(made)


@pytest.mark.parametrize("what", [*LAMBDAS, *GADGETS])
def test_architectures_in_json_are_judged(tmp_path: Path, what: str) -> None:
    """The same list as in the containers, packed once and twice, and in YAML."""
    config = wrap((LAMBDAS | GADGETS)[what])
    for number, text in enumerate((json.dumps(config), json.dumps(json.dumps(config)))):
        path = tmp_path / f"m{number}.json"
        path.write_text(text)
        assert unsafe(path)


def test_weights_files_are_judged(keras_3: Path, keras_2: Path, tmp_path: Path) -> None:
    """Links and shape bombs in weights of each layout, objects in npz and npy; plain ones pass."""
    for folder in (keras_3, keras_2):
        assert said(folder / "only.weights.h5") == ""
        for change, words in HDF5.values():
            path = Path(shutil.copy(folder / "only.weights.h5", tmp_path / "w.h5"))
            with h5py.File(path, "r+") as file:
                change(file)
            assert words in said(path)
    for array, honest in ((np.ones(3), True), (np.array(["a"]), True), (np.array([{}], dtype=object), False)):
        np.savez(tmp_path / "w.npz", a=array)
        np.save(tmp_path / "w.npy", array)
        assert (said(tmp_path / "w.npz") == "") is honest
        assert (said(tmp_path / "w.npy") == "") is honest


def test_groups_without_end(tmp_path: Path) -> None:
    """Groups nested deeper than any model's are refused before the library's own recursion is at its end."""
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["/".join("g" * 2000)] = 1.0
    assert "nested" in said(tmp_path / "m.h5")


# The probe


def test_the_probe_finds_faults_and_lambdas(keras_3: Path, tmp_path: Path) -> None:
    """Both are found whatever was asked; bytecode of a lambda speaks for its topic, and only where that is suspected."""
    for value, code in ((GADGETS["os.system"], False), (CODE_LAYER, True)):
        path = with_config(keras_3 / "sequential.h5", tmp_path / "m.h5", put("layer", value))
        finding = examine(PROBE, read_model(path), path.name, frozenset())
        assert finding.outcome == "finding"
        assert finding.fault
        assert finding.topics == ()
        suspected = examine(PROBE, read_model(path), path.name, frozenset({LAMBDA}))
        assert (LAMBDA in suspected.topics) is code
        assert len(set(suspected.evidence)) == len(suspected.evidence)


def test_the_probe_is_silent_on_sound_models(keras_3: Path, keras_2: Path) -> None:
    """Nothing found, and the suspicion of a lambda is ruled out."""
    for folder in (keras_3, keras_2):
        for name in ("branches.keras", "branches.h5"):
            finding = examine(PROBE, read_model(folder / name), name, frozenset({LAMBDA}))
            assert finding.outcome == "nothing"
            assert finding.ruled_out == (LAMBDA, "model-file-corrupt")


def test_verdicts() -> None:
    """The names of Keras' packages, past and present."""
    for module in (
        "keras",
        "keras.src.models.functional",
        "keras.engine.training",
        "tensorflow.python.keras.engine.sequential",
    ):
        assert judge(module, "Functional", function=False) == "keras"
    for module in ("keras.saving", "keras.src.utils.file_utils", "keras.export", "kerasx", "osx", "_io", "a b", "..os"):
        assert judge(module, "Thing", function=False) != "keras"
    assert judge("my_package", "Thing", function=False) == "custom"
    assert judge("importlib", "Thing", function=False) == "hazard"
