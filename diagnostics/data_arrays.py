"""Reads npy and npz files: the header first, then only the rows that are wanted. Nothing is unpickled.

The format is NumPy's: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import lzma
import math
import struct
import zipfile
import zlib
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

from ..errors import SubjectError
from ..knowledge.text import Text
from .data_sample import MAX_ARRAYS, MAX_BYTES, Array, damaged, too_big, wanted_rows

MAX_STREAM = 1024 * 1024 * 1024  # bytes that are unpacked of all compressed arrays of a file
_PIECE = 4 * 1024 * 1024
_ERRORS = (ValueError, OSError, EOFError, TypeError, OverflowError, SyntaxError, MemoryError, struct.error, TokenError)
OBJECTS = Text(
    "it holds Python objects (rows of unequal length, or texts and numbers mixed), which only unpickling could read",
    "它存的是 Python 对象（各行长度不同，或文字与数字混在一起），只有反序列化 pickle 才能读出",
)


def read_npy(path: Path) -> Array:
    """The array of an npy file, named as the file.

    Raises:
        SubjectError: it is damaged, or declares more than it holds.
    """
    try:
        with path.open("rb") as file:
            shape, fortran, dtype = _header(file)
            return _mapped(path, path.stem, file.tell(), shape, dtype, fortran=fortran)
    except _ERRORS as error:
        raise damaged(path, error) from error


def read_npz(path: Path) -> tuple[Array, ...]:
    """The arrays of an npz file, in its order.

    Raises:
        SubjectError: it is no npz file, or damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            members = [info for info in infos if info.filename.endswith(".npy")]
            if not members:
                raise _no_arrays(path, [info.filename for info in infos[:2000]])
            left, arrays = MAX_STREAM, []
            for info in members[:MAX_ARRAYS]:
                array, used = _member(path, archive, info, left)
                left -= used
                arrays.append(array)
            return tuple(arrays)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, *_ERRORS) as error:
        raise damaged(path, error) from error


def _no_arrays(path: Path, names: list[str]) -> SubjectError:
    if "config.json" in names:
        return SubjectError(f"{path.name} is a Keras model, not data", f"{path.name} 是 Keras 模型，不是数据")
    if "xl/workbook.xml" in names:
        return SubjectError(
            f"{path.name} is an Excel workbook; save a sheet as CSV",
            f"{path.name} 是 Excel 工作簿，请把工作表另存为 CSV",
        )
    if not names:
        return SubjectError(
            f"{path.name} is a zip without members: it holds no data", f"{path.name} 是空的 zip，没有数据"
        )
    return SubjectError(
        f"{path.name} is a zip without arrays; give an npz, npy, CSV or HDF5 file from it",
        f"{path.name} 是不含数组的 zip；请给出其中的 npz、npy、CSV 或 HDF5 文件",
    )


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, Any]:
    from numpy.lib import format as npy  # noqa: PLC0415 - an optional extra, and a tenth of a second

    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read(file)
    if any(type(size) is not int or size < 0 for size in shape):
        raise ValueError(f"declared shape {shape!r:.80}")
    return shape, bool(fortran), dtype


def _mapped(path: Path, name: str, offset: int, shape: tuple[int, ...], dtype: Any, *, fortran: bool) -> Array:  # noqa: ANN401
    """Rows of an array that lies in the file as it is."""
    import numpy as np  # noqa: PLC0415

    refused = _refused(shape, dtype)
    if refused:
        return Array(name, shape, dtype_name(dtype), unreadable=refused, ragged=dtype.hasobject)
    size, there = math.prod(shape) * dtype.itemsize, path.stat().st_size - offset
    if size > there:
        raise ValueError(f"{shape} {dtype} takes {size:,} bytes, and {max(0, there):,} are there")
    if size == 0 or not shape:
        return Array(name, shape, dtype_name(dtype), np.zeros(shape, dtype) if size == 0 else None, (), whole=True)
    whole = np.memmap(path, dtype, "r", offset, shape, "F" if fortran else "C")
    ranges = wanted_rows(shape[0], dtype.itemsize * math.prod(shape[1:]))
    values = np.concatenate([np.array(whole[start:end]) for start, end in ranges])
    return sampled(name, shape, values, ranges)


def sampled(name: str, shape: tuple[int, ...], values: Any, ranges: list[tuple[int, int]]) -> Array:  # noqa: ANN401
    """An array of which ranges of rows were read."""
    import numpy as np  # noqa: PLC0415

    rows = np.concatenate([np.arange(start, end) for start, end in ranges])[: len(values)]
    return Array(name, shape, dtype_name(values.dtype), values, rows, whole=len(values) == shape[0])


def dtype_name(dtype: Any) -> str:  # noqa: ANN401 - NumPy is only imported where it is used
    """How a type is told: "text" for strings."""
    if dtype.names:
        return f"records of {len(dtype.names)} fields"
    return "text" if dtype.kind in "US" else str(dtype)[:40]


def _refused(shape: tuple[int, ...], dtype: Any) -> Text | None:  # noqa: ANN401
    if dtype.hasobject:
        return OBJECTS
    if dtype.names or dtype.kind == "V":
        return Text(
            "it holds records, not numbers; give each field as an array", "它存的是记录，不是数；请把每个字段存成数组"
        )
    return too_big(dtype.itemsize * math.prod(shape[1:])) if shape else None


def _member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, left: int) -> tuple[Array, int]:
    """One array of an npz file, and how many bytes were unpacked for it."""
    name = info.filename.removesuffix(".npy")
    with archive.open(info) as member:
        shape, fortran, dtype = _header(member)
        header = member.tell()
        refused = _refused(shape, dtype)
        if refused or not shape or 0 in shape:
            return _mapped(path, name, 0, shape if refused or 0 in shape else (), dtype, fortran=False), 0
        if info.compress_type == zipfile.ZIP_STORED:
            start = _start(path, info) + header
            return _mapped(path, name, start, shape, dtype, fortran=fortran), 0
        return _streamed(member, name, shape, dtype, left, fortran=fortran)


def _start(path: Path, info: zipfile.ZipInfo) -> int:
    """Where the bytes of a stored member begin: behind its local header (APPNOTE.TXT, 4.3.7)."""
    with path.open("rb") as file:
        file.seek(info.header_offset)
        name, extra = struct.unpack("<HH", file.read(30)[26:])
    return int(info.header_offset + 30 + name + extra)


def _streamed(
    member: IO[bytes],
    name: str,
    shape: tuple[int, ...],
    dtype: Any,  # noqa: ANN401
    left: int,
    *,
    fortran: bool,
) -> tuple[Array, int]:
    """Rows of a compressed array: all before the last wanted one are unpacked, and those not wanted thrown away."""
    import numpy as np  # noqa: PLC0415

    row = dtype.itemsize * math.prod(shape[1:])
    size = row * shape[0]
    if fortran and size > MAX_BYTES:
        why = Text("it is compressed column by column and too big to be unpacked", "它按列压缩，体积太大，无法解包")
        return Array(name, shape, dtype_name(dtype), unreadable=why), 0
    ranges = [(start, end) for start, end in wanted_rows(shape[0], row) if end * row <= left]
    if not ranges:
        why = Text(
            "too much of the file is compressed; save it with numpy.savez", "压缩内容太多；请改用 numpy.savez 保存"
        )
        return Array(name, shape, dtype_name(dtype), unreadable=why), 0
    read, place = bytearray(), 0
    for start, end in ranges:
        _skip(member, start * row - place)
        wanted = (end - start) * row
        got = member.read(wanted)
        if len(got) != wanted:
            raise ValueError(f"{name}: {shape} {dtype} is declared, and the data ends before")
        read += got
        place = end * row
    values = np.frombuffer(bytes(read), dtype)
    values = values.reshape(shape, order="F") if fortran else values.reshape(-1, *shape[1:])
    return sampled(name, shape, values, ranges), place


def _skip(member: IO[bytes], count: int) -> None:
    while count > 0:
        got = len(member.read(min(count, _PIECE)))
        if not got:
            raise ValueError("the data ends before the declared shape is full")
        count -= got
