"""Reading data samples: formats by their bytes, bounded reading that sees the tail, roles of arrays, odd and hostile files."""

from __future__ import annotations

import random
import struct
import time
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from kerasdoctor.diagnostics import data_sample
from kerasdoctor.diagnostics.data_sample import read_sample
from kerasdoctor.errors import SubjectError

X = np.arange(60, dtype="float32").reshape(20, 3)
Y = np.arange(20) % 4


def as_npz(folder: Path) -> Path:
    np.savez(folder / "a.dat", x_train=X, y_train=Y)
    return (folder / "a.dat.npz").rename(folder / "a.dat")


def as_compressed(folder: Path) -> Path:
    np.savez_compressed(folder / "b.npz", x_train=X, y_train=Y)
    return folder / "b.npz"


def as_fortran(folder: Path) -> Path:
    np.savez_compressed(folder / "c.npz", x_train=np.asfortranarray(X), y_train=Y)
    return folder / "c.npz"


def as_hdf5(folder: Path) -> Path:
    with h5py.File(folder / "d.h5", "w") as file:
        file["x_train"], file["y_train"] = X, Y
    return folder / "d.h5"


@pytest.mark.parametrize("save", [as_npz, as_compressed, as_fortran, as_hdf5])
def test_arrays_are_read_whole_under_any_name(save: Callable[[Path], Path], tmp_path: Path) -> None:
    """The format is told by the bytes; names tell inputs from labels."""
    sample = read_sample(save(tmp_path))
    assert (sample.inputs, sample.labels) == (("x_train",), ("y_train",))
    assert sample.how is not None
    np.testing.assert_array_equal(sample.array("x_train").values, X)
    np.testing.assert_array_equal(sample.array("y_train").values, Y)
    assert all(array.whole for array in sample.arrays)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("header", [True, False])
def test_tables_are_read_with_any_separator(separator: str, header: bool, tmp_path: Path) -> None:
    """The header is told from the rows; labels can be named where the header doesn't tell."""
    lines = [separator.join(map(str, [*row, label])) for row, label in zip(X, Y, strict=True)]
    path = tmp_path / "t.txt"
    path.write_text(
        "\n".join([*([separator.join(["a", "b", "c", "target"])] if header else []), *lines]), encoding="utf-8"
    )
    sample = read_sample(path, labels=None if header else "column 3")
    assert sample.labels == (("target",) if header else ("column 3",))
    np.testing.assert_array_equal(sample.array("columns").values, X)
    np.testing.assert_array_equal(sample.label_arrays[0].values, Y)
    assert sample.label_arrays[0].dtype == "int64"


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_big_arrays_are_sampled_to_the_tail(save: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first rows, the last ones and blocks between, each with its position."""
    monkeypatch.setattr(data_sample, "MAX_BYTES", 4_000)
    big = np.arange(100_000, dtype="int32").reshape(50_000, 2)
    save(tmp_path / "big.npz", x=big)
    array = read_sample(tmp_path / "big.npz").array("x")
    assert not array.whole
    assert (array.rows[0], array.rows[-1]) == (0, 49_999)
    assert len(np.unique(array.rows // 5_000)) == 10
    assert array.values.nbytes <= 4_400
    np.testing.assert_array_equal(array.values, big[array.rows])


def test_a_big_table_is_sampled_to_the_tail(tmp_path: Path) -> None:
    """A file of 30 MB: some rows of each part, the last one among them, and about how many there are."""
    path = tmp_path / "big.csv"
    path.write_text(
        "a,b,label\n" + "".join(f"{i},{i / 7:.6f},{i // 500_000}\n" for i in range(1_500_000)), encoding="utf-8"
    )
    assert path.stat().st_size > data_sample.MAX_BYTES * 0.8
    start = time.perf_counter()
    sample = read_sample(path)
    assert time.perf_counter() - start < 10
    table = sample.array("columns")
    assert not table.whole
    assert table.values[-1][0] == 1_499_999
    assert 0.8 < table.samples / 1_500_000 < 1.25
    assert set(np.unique(sample.array("label").values)) == {0, 1, 2}


@pytest.mark.parametrize(
    ("names", "inputs", "labels"),
    [
        (("X_train", "y_train", "X_test", "y_test"), ("X_train", "X_test"), ("y_train", "y_test")),
        (("trainX", "trainY"), ("trainX",), ("trainY",)),
        (("xtrain", "ytrain"), ("xtrain",), ("ytrain",)),
        (("images", "labels"), ("images",), ("labels",)),
        (("features", "target"), ("features",), ("target",)),
        (("train_images", "train_labels"), ("train_images",), ("train_labels",)),
        (("arr_0",), ("arr_0",), ()),
        (("arr_0", "arr_1"), (), ()),
    ],
)
def test_roles_by_name(
    names: tuple[str, ...], inputs: tuple[str, ...], labels: tuple[str, ...], tmp_path: Path
) -> None:
    """The usual ways to call arrays."""
    np.savez(tmp_path / "n.npz", **{name: np.zeros((3, 2)) for name in names})
    sample = read_sample(tmp_path / "n.npz")
    assert (sample.inputs, sample.labels) == (inputs, labels)


def test_labels_that_are_not_there_are_refused(tmp_path: Path) -> None:
    """With the names that are."""
    np.savez(tmp_path / "n.npz", first=X, second=Y)
    with pytest.raises(SubjectError, match="has no 'third'; it has 'first', 'second'"):
        read_sample(tmp_path / "n.npz", labels="third")
    assert read_sample(tmp_path / "n.npz", labels="second").inputs == ("first",)


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    """Neither in npy nor in npz: the array is there, without values, and says why."""

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "ran",))

    np.save(tmp_path / "o.npy", np.array([Bomb(), 1], object), allow_pickle=True)
    np.savez(tmp_path / "o.npz", x=np.array([Bomb(), 1], object))
    for name in ("o.npy", "o.npz"):
        array = read_sample(tmp_path / name).arrays[0]
        assert array.values is None
        assert array.ragged
        assert array.unreadable is not None
    assert not (tmp_path / "ran").exists()


def header(shape: str, descr: str = "'<f4'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"
    text = text.ljust((len(text) + 75) // 64 * 64 - 11) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


@pytest.mark.parametrize("shape", ["(10**9, 10**9)", "(1000000000, 1000)", "(-4,)", "('a',)", "(1e9,)", "4", "(" * 500])
@pytest.mark.parametrize("method", [None, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_declared_shapes_are_not_believed(shape: str, method: int | None, tmp_path: Path) -> None:
    """A header that declares more than there is costs nothing."""
    path = tmp_path / "h"
    data = header(shape) + bytes(64)
    if method is None:
        path.write_bytes(data)
    else:
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("x.npy", data)
    start = time.perf_counter()
    try:
        assert read_sample(path).arrays[0].values is None
    except SubjectError as error:
        assert "is damaged" in str(error)  # noqa: PT017 - either outcome will do
    assert time.perf_counter() - start < 10


def test_a_bomb_is_not_unpacked_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a compressed array that is too long only the beginning is read, and it isn't called whole."""
    monkeypatch.setattr("kerasdoctor.diagnostics.data_arrays.MAX_STREAM", 2_000_000)
    monkeypatch.setattr(data_sample, "MAX_BYTES", 300_000)
    np.savez_compressed(tmp_path / "z.npz", x=np.zeros((10_000_000, 1), "int8"))
    array = read_sample(tmp_path / "z.npz").arrays[0]
    assert not array.whole
    assert array.rows[-1] < 2_000_000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"\x80\x04\x95", "Python pickle"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"PAR1", "Parquet"),
        (b"\xd0\xcf\x11\xe0", "Excel"),
        (b"<!DOCTYPE html>", "HTML"),
        (b"\x89PNG\r\n", "picture"),
        (b"\x00\x01\x02\x03\x00", "is damaged"),
        (b"PK\x03\x04broken", "is damaged"),
        (b"\x93NUMPY\x01\x00\xff\xff", "is damaged"),
        (b"\x89HDF\r\n\x1a\n123", "is damaged"),
        (b'a,b\n"' + b"x" * 200_000, "is damaged"),
    ],
)
def test_what_is_no_data_is_told(content: bytes, said: str, tmp_path: Path) -> None:
    """In a plain statement, in both languages."""
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(SubjectError, match=said) as caught:
        read_sample(tmp_path / "f")
    assert caught.value.zh != ""


def test_links_out_of_an_hdf5_file_are_not_followed(tmp_path: Path) -> None:
    """External links, soft links, virtual datasets and external storage."""
    (tmp_path / "secret.raw").write_bytes(bytes(80))
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = X
    with h5py.File(tmp_path / "l.h5", "w") as file:
        file["here"] = X
        file["out"] = h5py.ExternalLink("other.h5", "x")
        file["soft"] = h5py.SoftLink("/here")
        layout = h5py.VirtualLayout((20, 3), "f4")
        layout[:] = h5py.VirtualSource("other.h5", "x", (20, 3))
        file.create_virtual_dataset("virtual", layout)
        file.create_dataset("raw", (10,), "f8", external=[(str(tmp_path / "secret.raw"), 0, 80)])
        ragged = file.create_dataset("ragged", (2,), h5py.vlen_dtype("f4"))
        ragged[0] = [1.0]
    arrays = {array.name: array for array in read_sample(tmp_path / "l.h5").arrays}
    assert set(arrays) == {"here", "virtual", "raw", "ragged"}
    assert [name for name, array in arrays.items() if array.values is not None] == ["here"]
    assert arrays["ragged"].ragged


def test_spoiled_files_break_nothing(tmp_path: Path) -> None:
    """Bytes changed, cut out and doubled: an answer or a statement, nothing else."""
    chance = random.Random(0)  # noqa: S311 - not for secrets
    sources = [save(tmp_path).read_bytes() for save in (as_npz, as_compressed, as_hdf5)]
    buffer = BytesIO()
    np.save(buffer, X)
    sources += [buffer.getvalue(), b"a,b,label\n1,2,x\n3,?,y\n" * 30]
    for number in range(400):
        data = bytearray(sources[number % len(sources)])
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(len(data))
            data[place : place + chance.choice([0, 1, 1, 8])] = chance.randbytes(chance.choice([1, 1, 4]))
        path = tmp_path / "spoiled"
        path.write_bytes(data)
        try:
            read_sample(path)
        except SubjectError as error:
            assert error.zh  # noqa: PT017 - a statement is an answer
