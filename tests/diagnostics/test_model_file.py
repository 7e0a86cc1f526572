"""Readers: real files of two Kerases are read without either, and everything else is named for what it is."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
from kerasdoctor.diagnostics import model_file
from kerasdoctor.diagnostics.graph import Graph, graph_of
from kerasdoctor.diagnostics.model_file import read_model
from kerasdoctor.errors import SubjectError


def graph(path: Path) -> Graph:
    found = graph_of(read_model(path))
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["sequential.keras", "sequential.h5"])
def test_sequential(keras_3: Path, keras_2: Path, name: str) -> None:
    """A Sequential is a chain, whichever Keras wrote it and in whichever container."""
    for folder, line in ((keras_3, "keras-3"), (keras_2, "keras-2")):
        model = read_model(folder / name)
        assert model.line == line
        assert model.compiled is not None
        chain = graph(folder / name)
        assert chain.sequential
        assert [layer.class_name for layer in chain.layers] == ["InputLayer", "Dense", "Dense"]
        assert [len(layer.calls) for layer in chain.layers] == [0, 1, 1]


@pytest.mark.parametrize("name", ["branches.keras", "branches.h5"])
def test_functional(keras_3: Path, keras_2: Path, name: str) -> None:
    """Both ways of writing inbound nodes give the same graph: shared layer, nested model, merge, two inputs."""
    for folder in (keras_3, keras_2):
        found = graph(folder / name)
        layers = {layer.name: layer for layer in found.layers}
        assert [t.layer for t in found.inputs] == ["left", "right"]
        assert [t.layer for t in found.outputs] == ["out"]
        assert [[t.layer for t in call.inputs] for call in layers["shared"].calls] == [["left"], ["right"]]
        assert [t.layer for t in layers["merged"].calls[0].inputs] == ["inner", "shared"]
        inner = layers["inner"].inner
        assert inner is not None
        assert [layer.name for layer in inner.layers][-1] == "deep"
        assert [prefix for prefix, _ in found.walk()] == ["", "inner/"]


def test_subclassed_model_has_no_graph(keras_3: Path) -> None:
    """The graph of a subclassed model is not in its file, and that is no error."""
    assert graph_of(read_model(keras_3 / "subclassed.keras")) is None


def test_the_name_does_not_matter(keras_3: Path, tmp_path: Path) -> None:
    """HDF5 under the name .keras is read as what it is."""
    renamed = tmp_path / "model.keras"
    renamed.write_bytes((keras_3 / "sequential.h5").read_bytes())
    assert read_model(renamed).container == "HDF5"


OTHERS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "git lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 1\n", "git lfs pull"),
    "web page": (b"\n<!DOCTYPE html><html>", "HTML page"),
    "tflite": (b"\x1c\0\0\0TFL3\0", "TensorFlow Lite"),
    "pickle": (b"\x80\x04\x95abc.", "pickle"),
    "gzip": (b"\x1f\x8b\x08\0", "gzip"),
    "text": (b"hello", "neither"),
    "cut zip": (b"PK\x03\x04\x14\0\0\0\0\0", "damaged"),
    "cut hdf5": (b"\x89HDF\r\n\x1a\n\0\0\0\0", "damaged"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_files_are_named(tmp_path: Path, kind: str) -> None:
    """What is no readable model is said plainly, with the way out."""
    data, statement = OTHERS[kind]
    path = tmp_path / "model.keras"
    path.write_bytes(data)
    with pytest.raises(SubjectError, match=statement):
        read_model(path)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    """A path that is not there, and a SavedModel folder."""
    with pytest.raises(SubjectError, match="no such file"):
        read_model(tmp_path / "none.keras")
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    with pytest.raises(SubjectError, match="SavedModel"):
        read_model(tmp_path)


def test_weights_only(keras_3: Path) -> None:
    """A weights file holds no architecture, and the message says so."""
    with pytest.raises(SubjectError, match="weights only"):
        read_model(keras_3 / "only.weights.h5")


def archive(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in members:
            out.writestr(name, data)
    return path


HOSTILE: dict[str, Callable[[Path], Path]] = {
    "no such file": lambda p: archive(p, ("a.txt", b"x")),
    "would unpack": lambda p: archive(p, ("config.json", b" " * (model_file.MAX_CONFIG + 1))),
    "not JSON": lambda p: archive(p, ("config.json", b"[" * 200_000)),
    "not a JSON object": lambda p: archive(p, ("config.json", b"[]")),
}


@pytest.mark.parametrize("kind", list(HOSTILE)[1:])
def test_hostile_archives_are_refused(tmp_path: Path, kind: str) -> None:
    """Bombs and nonsense end in a statement, not in a crash or in gigabytes."""
    with pytest.raises(SubjectError, match=kind):
        read_model(HOSTILE[kind](tmp_path / "model.keras"))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicate_members_are_refused(tmp_path: Path) -> None:
    """Two members of one name: no one can say which one Keras would read."""
    with pytest.raises(SubjectError, match="2 members"):
        read_model(archive(tmp_path / "model.keras", ("config.json", b"{}"), ("config.json", b"{}")))


def test_deeply_nested_models_are_refused(tmp_path: Path) -> None:
    """Nesting is bounded."""
    config: dict[str, object] = {"class_name": "Dense", "config": {}}
    for _ in range(40):
        config = {"class_name": "Sequential", "config": {"name": "s", "layers": [config]}}
    path = archive(tmp_path / "model.keras", ("config.json", json.dumps(config).encode()))
    with pytest.raises(SubjectError, match="nested"):
        graph_of(read_model(path))


@pytest.mark.parametrize(
    "config",
    [
        {"class_name": "Functional", "config": {"layers": [1, 2], "input_layers": []}},
        {"class_name": "Functional", "config": {"layers": [{"class_name": 3}], "input_layers": 7}},
        {"class_name": "Sequential", "config": {"layers": [None]}},
    ],
)
def test_malformed_layers_are_told(tmp_path: Path, config: object) -> None:
    """A configuration that no Keras wrote is refused."""
    path = archive(tmp_path / "model.keras", ("config.json", json.dumps(config).encode()))
    with pytest.raises(SubjectError, match="class_name"):
        graph_of(read_model(path))


def test_links_of_a_file_are_not_followed(tmp_path: Path) -> None:
    """An HDF5 file whose parts point elsewhere is read without opening what they point to."""
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file["layers"] = h5py.ExternalLink("/etc/passwd", "/x")
    with pytest.raises(SubjectError, match="no architecture"):
        read_model(path)


def test_reading_loads_no_tensorflow(keras_3: Path) -> None:
    """Examining a model needs neither TensorFlow nor Keras in the process."""
    script = (
        "import sys; from pathlib import Path\n"
        "from kerasdoctor.diagnostics.doctor import Doctor, Subjects\n"
        "from kerasdoctor.knowledge.matcher import Matcher\n"
        f"Doctor(Matcher.load()).diagnose('x', Subjects((Path({str(keras_3 / 'branches.h5')!r}),)))\n"
        "print([m for m in ('tensorflow', 'keras', 'tf_keras', 'sklearn') if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
