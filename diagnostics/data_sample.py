"""Data samples: what is fed to a model, as arrays of which a bounded part is read.

The format is told by the bytes. Nothing is unpickled, and no more is read than `MAX_BYTES` of an array: the first rows, the
last ones, and blocks between. It is meant to run in the sandbox, for NumPy and h5py parse what anyone may have written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ..errors import SubjectError
from ..knowledge.text import Text
from .model_file import ModelFile
from .wording import names_en, names_zh

DataFormat = Literal["npz", "npy", "CSV", "HDF5"]
Split = Literal["", "train", "val", "test"]
MAX_BYTES = 32 * 1024 * 1024
BLOCKS = 16  # that are read between the first and the last rows
MAX_ARRAYS = 256


@dataclass(frozen=True)
class Array:
    """One array, or the columns of a table that belong together.

    `shape` is what the file declares (the first axis counts samples; for a long CSV an estimate: `estimated`), `dtype`
    NumPy's name of the type, "text" for strings. `values` is a NumPy array of the rows that were read and `rows` their positions in
    the whole; None where they can't be read, for the reason `unreadable`. `columns` names the last axis of a table.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    values: Any = None
    rows: Any = None
    whole: bool = False
    columns: tuple[str, ...] = ()
    estimated: bool = False
    unreadable: Text | None = None
    ragged: bool = False

    @property
    def samples(self) -> int:
        """The number of samples."""
        return self.shape[0] if self.shape else 0

    def __str__(self) -> str:
        """For evidence: "x_train (60000, 28, 28) uint8"."""
        return f"{self.name} {self.shape} {self.dtype}"


@dataclass(frozen=True)
class Remark:
    """Something odd that was met while reading a table: how often, the first row (counted from 0) and a word of it."""

    kind: Literal["other number of fields", "not a number", "missing"]
    column: str
    count: int
    row: int
    example: str


@dataclass(frozen=True)
class DataSample:
    """What a file of data holds.

    `inputs` and `labels` name arrays, and `how` tells by what they were taken for that. `model` is what the data is for, None
    where it wasn't given.
    """

    name: str
    format: DataFormat
    arrays: tuple[Array, ...]
    inputs: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    how: Text | None = None
    model: ModelFile | None = None
    remarks: tuple[Remark, ...] = ()

    def array(self, name: str) -> Array:
        """The array of that name."""
        return next(array for array in self.arrays if array.name == name)

    @property
    def input_arrays(self) -> tuple[Array, ...]:
        """The arrays that are fed."""
        return tuple(self.array(name) for name in self.inputs)

    @property
    def label_arrays(self) -> tuple[Array, ...]:
        """The arrays that are to be predicted."""
        return tuple(self.array(name) for name in self.labels)


def read_sample(path: Path, model: ModelFile | None = None, labels: str | None = None) -> DataSample:
    """Read a bounded sample of a file of data.

    Args:
        path: an npz, npy, CSV (any separator) or HDF5 file.
        model: the model that it is for.
        labels: the array or column that holds the labels, where names don't tell.

    Raises:
        SubjectError: it is missing, of another kind, or damaged; or `labels` names nothing in it.
    """
    from .data_roles import with_roles  # noqa: PLC0415 - the two know each other's types

    start = _first_bytes(path)
    sample = _read(path, start, labels, model)
    if len(sample.arrays) > MAX_ARRAYS:
        sample = replace(sample, arrays=sample.arrays[:MAX_ARRAYS])
    return with_roles(replace(sample, model=model), labels)


def _first_bytes(path: Path) -> bytes:
    if not path.is_file():
        raise SubjectError(
            f"{path}: there is no such file; expected an npz, npy, CSV or HDF5 file",
            f"{path}：没有这个文件；需要 npz、npy、CSV 或 HDF5 文件",
        )
    with path.open("rb") as file:
        return file.read(512)


def _read(path: Path, start: bytes, labels: str | None, model: ModelFile | None) -> DataSample:
    from . import data_arrays, data_csv, data_hdf5, data_model  # noqa: PLC0415 - the readers use the types above

    if start.startswith(b"\x93NUMPY"):
        return DataSample(path.name, "npy", (data_arrays.read_npy(path),))
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return DataSample(path.name, "npz", data_arrays.read_npz(path))
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return DataSample(path.name, "HDF5", data_hdf5.read_hdf5(path))
    for beginning, en, zh in _OTHERS:
        if start.startswith(beginning):
            raise SubjectError(f"{path.name} {en}", f"{path.name} {zh}")
    if not start.strip():
        raise SubjectError(f"{path.name} is empty: it holds no data", f"{path.name} 是空文件，没有数据")
    wanted = data_model.wanted_inputs(model) if model else ()
    shape = wanted[0].shape if len(wanted) == 1 else None
    return data_csv.read_csv(path, labels, shape[0] if shape and len(shape) == 1 else None)


_PAGE = ("is an HTML page, not data: use the file's download link", "是网页，不是数据：请用文件的下载链接")
_PICTURE = ("is a picture; give the arrays that are fed to the model", "是图片；请给出喂给模型的数组")
_OTHERS = (
    (
        b"\x80",
        "is a Python pickle, which is never opened here; save arrays with numpy.savez",
        "是 Python pickle，这里从不打开；请用 numpy.savez 保存数组",
    ),
    (b"\x1f\x8b", "is gzip-compressed; unpack it first", "是 gzip 压缩文件，请先解压"),
    (b"PAR1", "is a Parquet file; save a CSV or npz from it", "是 Parquet 文件，请另存为 CSV 或 npz"),
    (b"\xd0\xcf\x11\xe0", "is an Excel workbook; save a sheet as CSV", "是 Excel 工作簿，请把工作表另存为 CSV"),
    (
        b"version https://git-lfs",
        "is a Git LFS pointer, not the data: run `git lfs pull`",
        "是 Git LFS 指针，不是数据：请运行 `git lfs pull`",
    ),
    (b"<!DOCTYPE", *_PAGE),
    (b"<html", *_PAGE),
    (b"\x89PNG", *_PICTURE),
    (b"\xff\xd8\xff", *_PICTURE),
)


def damaged(path: Path, error: Exception) -> SubjectError:
    """The statement for a file whose content is not what its first bytes promise."""
    told = f"{type(error).__name__}: {str(error)[:200]}"
    return SubjectError(f"{path.name} is damaged: {told}", f"{path.name} 已损坏：{told}")


def wanted_rows(samples: int, row_bytes: int) -> list[tuple[int, int]]:
    """Which rows are read, as ranges in order: all, or the first, the last and evenly spread blocks.

    Args:
        samples: how many rows there are.
        row_bytes: the size of one in bytes.
    """
    most = max(1, MAX_BYTES // max(1, row_bytes))
    if samples <= most:
        return [(0, samples)] if samples else []
    part = max(1, most // 3)
    size = max(1, part // BLOCKS)
    step = max(size, (samples - 2 * part) // BLOCKS)
    starts = range(part, max(part, samples - part - size), step)
    between = [(start, start + size) for start in starts][:BLOCKS]
    return [(0, part), *between, (samples - part, samples)] if most > 2 else [(0, 1)]  # noqa: PLR2004 - first and last


def too_big(row_bytes: int) -> Text | None:
    """The reason not to read an array of which not even one row fits."""
    if row_bytes <= MAX_BYTES:
        return None
    return Text(
        f"a single row takes {row_bytes:,} bytes; at most {MAX_BYTES:,} are read",
        f"单独一行就占 {row_bytes:,} 字节；最多读取 {MAX_BYTES:,} 字节",
    )


def no_such_labels(sample: DataSample, labels: str) -> SubjectError:
    """The statement for labels that were named and are not there."""
    names = [name for array in sample.arrays for name in (array.columns or (array.name,))]
    return SubjectError(
        f"{sample.name} has no {labels!r}; it has {names_en(names)}",
        f"{sample.name} 里没有 {labels!r}；有的是 {names_zh(names)}",
    )
