"""The static gate for NumPy's files: arrays of plain numbers only. Anything else NumPy would take for a pickle and run."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from .hazard import Hazard, hazard
from .model_file import MAX_MEMBERS
from .wording import names_en, names_zh

FREE = 1024 * 1024
MAX_RATIO = 100
# A header of NumPy's format (numpy/lib/format.py) with one type of numbers or text; "V2" is how bfloat16 is written.
_NPY = re.compile(
    rb"^\{'descr': '[<>|=](?:[biufc]\d{1,2}|V[12])', 'fortran_order': (?:True|False), 'shape': \([\d, ]*\), \}\s*$"
)
_NPY_OR_TEXT = re.compile(_NPY.pattern.replace(rb"V[12]", rb"V[12]|[US]\d{1,6}|[mM]8\[\w{1,4}\]"))


def examine_npz(path: Path) -> Iterator[Hazard]:
    """Every hazard of an npz file."""
    with path.open("rb") as stream:
        yield from examine_npz_stream(stream, path.name, _NPY_OR_TEXT)


def examine_npy(path: Path) -> Iterator[Hazard]:
    """Every hazard of a single array."""
    with path.open("rb") as stream:
        if not _is_numeric(stream, _NPY_OR_TEXT):
            yield _not_arrays(path.name)


def _not_arrays(name: str) -> Hazard:
    return hazard(
        f"{names_en([name])} holds more than plain numbers: NumPy would run it as a pickle",
        f"{names_zh([name])} 中不只是普通数值：NumPy 会把它当作 pickle 执行",
    )


def examine_npz_stream(stream: Any, name: str, header: re.Pattern[bytes] = _NPY) -> Iterator[Hazard]:  # noqa: ANN401
    """Every hazard of an npz: it must be a zip from its first byte on, of arrays whose headers say plain numbers.

    Args:
        stream: a seekable binary stream.
        name: how the reader knows it.
        header: the headers that are allowed.
    """
    if stream.read(4) != b"PK\x03\x04":
        yield _not_arrays(name)
        return
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as inner:
            members = inner.infolist()
            if len(members) > MAX_MEMBERS or not all(is_array(inner, member, header) for member in members):
                yield _not_arrays(name)
            yield from _bombs(members)
            if len({member.filename for member in members}) < len(members):
                yield hazard(f"{name} holds arrays more than once", f"{name} 中有重复的数组")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError):
        yield _not_arrays(name)


def _bombs(members: list[zipfile.ZipInfo]) -> Iterator[Hazard]:
    for member in members:
        if member.file_size > FREE and member.file_size > MAX_RATIO * member.compress_size:
            yield hazard(
                f"{names_en([member.filename])} would unpack from {member.compress_size:,} to {member.file_size:,} bytes",
                f"{names_zh([member.filename])} 会从 {member.compress_size:,} 字节解压成 {member.file_size:,} 字节",
            )


def is_array(inner: zipfile.ZipFile, member: zipfile.ZipInfo, header: re.Pattern[bytes] = _NPY) -> bool:
    """Whether a member is an array of an allowed type, by its header alone."""
    if not member.filename.endswith(".npy") or member.flag_bits & 0x2041:
        return False
    with inner.open(member) as array:
        return _is_numeric(array, header)


def _is_numeric(array: IO[bytes], allowed: re.Pattern[bytes]) -> bool:
    """Whether an array is of numbers, by its header alone."""
    start = array.read(12)
    if start[:6] != b"\x93NUMPY" or start[6:7] not in (b"\x01", b"\x02", b"\x03"):
        return False
    if start[6] == 1:
        header = start[10:] + array.read(min(int.from_bytes(start[8:10], "little"), 4096) - 2)
    else:
        header = array.read(min(int.from_bytes(start[8:12], "little"), 4096))
    return bool(allowed.match(header))
