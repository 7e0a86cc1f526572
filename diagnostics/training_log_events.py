"""TensorBoard's event files: TFRecords of Event messages, walked without protobuf.

Framing: length (uint64), masked crc32c of the length, data, masked crc32c of the data, all little-endian
(https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details). Fields are those of
tensorflow/core/util/event.proto, framework/summary.proto and framework/tensor.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO

from ..errors import SubjectError
from .training_log_raw import MAX_EPOCHS, MAX_NAME, MAX_SERIES, Raw, of_rows
from .wire import WireError, fields

MAX_RECORD = 1024 * 1024  # a graph or a histogram is larger, a scalar has a hundred bytes
MAX_RECORDS = 2_000_000
MAX_FILES = 64
_DEPTH = 3
_EVENT_STEP, _EVENT_SUMMARY = 2, 5
_VALUE_TAG, _VALUE_SIMPLE, _VALUE_TENSOR = 1, 2, 8
_TENSOR_DTYPE, _TENSOR_CONTENT, _TENSOR_FLOATS, _TENSOR_DOUBLES = 1, 4, 5, 6
_PACKED = {1: "<f", 2: "<d", 3: "<i", 9: "<q", 19: "<e"}  # DataType: float, double, int32, int64, half
_VALIDATION = frozenset({"validation", "val", "eval"})
_PARTS = _VALIDATION | {"train", "metrics"}


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return tuple(table)


_CRC = _table()


def masked_crc(data: bytes) -> int:
    """The masked crc32c of TFRecords."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def is_events(start: bytes) -> bool:
    """Whether the first 12 bytes are the head of a TFRecord."""
    return len(start) >= 12 and masked_crc(start[:8]) == int.from_bytes(start[8:12], "little")  # noqa: PLR2004


def read_events(path: Path) -> Raw:
    """Read an event file, or a folder with those of a training in `train/` and `validation/`; of several trainings, all.

    Raises:
        SubjectError: there is none, one is damaged at its start, or none has a value per epoch.
    """
    files = sorted(_files(path), key=lambda file: (str(_training(file)), file.name))
    if not files:
        raise SubjectError(
            f"{path.name} is a folder without event files of TensorBoard (events.out.tfevents...)",
            f"{path.name} 是文件夹，但里面没有 TensorBoard 的事件文件（events.out.tfevents...）",
        )
    rows: list[tuple[int, dict[str, float]]] = []
    for training in dict.fromkeys(_training(file) for file in files):
        own = [file for file in files if _training(file) == training]
        trained = _runs([file for file in own if file.parent.name not in _VALIDATION], "")
        validated = _runs([file for file in own if file.parent.name in _VALIDATION], "val_")
        for one, other in zip_longest(reversed(trained), reversed(validated)):
            rows[:0] = _rows(one or {}, other or {})
    if not any(values for _, values in rows):
        raise SubjectError(
            f"{path.name} holds no value per epoch; the TensorBoard callback writes epoch_loss and the like",
            f"{path.name} 里没有每轮的数值；TensorBoard 回调会写入 epoch_loss 等标量",
        )
    return of_rows("TensorBoard", rows)


def _files(path: Path) -> Iterator[Path]:
    """The event files under a folder, at most `MAX_FILES`, a few folders deep; links are not followed."""
    if not path.is_dir():
        yield path
        return
    found = 0
    folders = [(path, 0)]
    while folders:
        folder, depth = folders.pop()
        for inside in sorted(folder.iterdir())[:1000]:
            if inside.is_symlink():
                continue
            if inside.is_dir() and depth < _DEPTH:
                folders.append((inside, depth + 1))
            elif "tfevents" in inside.name and inside.is_file() and found < MAX_FILES:
                found += 1
                yield inside


def _training(file: Path) -> Path:
    return file.parent.parent if file.parent.name in _PARTS else file.parent


def _runs(files: list[Path], prefix: str) -> list[dict[int, dict[str, float]]]:
    """The values by epoch of each run: a tag that comes back to an earlier step begins another one."""
    runs: list[dict[int, dict[str, float]]] = []
    last: dict[str, int] = {}
    for file in files:
        for tag, step, value in _scalars(file):
            name = _name(tag, prefix)
            if name is None:
                continue
            if not runs or step <= last.get(name, -1):
                runs.append({})
                last = {}
            last[name] = step
            runs[-1].setdefault(step, {})[name] = value
            if sum(map(len, runs)) > MAX_EPOCHS or len(last) > MAX_SERIES:
                raise SubjectError(f"{file.name} has over {MAX_EPOCHS:,} epochs or {MAX_SERIES} series")
    return runs


def _name(tag: str, prefix: str) -> str | None:
    if tag.startswith(("evaluation_", "batch_", "keras")) or tag.endswith("_vs_iterations"):
        return None
    return prefix + tag.removeprefix("epoch_").strip() or None


def _rows(one: dict[int, dict[str, float]], other: dict[int, dict[str, float]]) -> list[tuple[int, dict[str, float]]]:
    """Both parts of a run by epoch, counted from 1."""
    return [(step + 1, {**one.get(step, {}), **other.get(step, {})}) for step in sorted({*one, *other})]


def _scalars(path: Path) -> Iterator[tuple[str, int, float]]:
    try:
        with path.open("rb") as file:
            for record in _records(file, path.name):
                yield from _event(record)
    except OSError as error:
        raise SubjectError(f"{path.name} cannot be read: {error.strerror}") from error


def _records(file: BinaryIO, name: str) -> Iterator[bytes]:
    """The records that may hold a scalar. A file that is torn, as while it is written, ends there."""
    for count in range(MAX_RECORDS):
        head = file.read(12)
        if len(head) < 12:  # noqa: PLR2004
            return
        if not is_events(head):
            if count == 0:
                raise SubjectError(f"{name} does not begin like an event file", f"{name} 的开头不是事件文件")
            return
        length = int.from_bytes(head[:8], "little")
        if length > MAX_RECORD:
            if length >= 1 << 62:
                return
            file.seek(length + 4, 1)
            continue
        data, crc = file.read(length), file.read(4)
        if len(crc) < 4 or masked_crc(data) != int.from_bytes(crc, "little"):  # noqa: PLR2004
            return
        yield data


def _event(record: bytes) -> Iterator[tuple[str, int, float]]:
    found = _fields(record)
    step = next((value for number, value in found if number == _EVENT_STEP and isinstance(value, int)), 0)
    if not 0 <= step < 1 << 31:
        return
    for number, summary in found:
        if number == _EVENT_SUMMARY and isinstance(summary, bytes):
            for part, value in _fields(summary):
                if part == 1 and isinstance(value, bytes):
                    yield from ((tag, step, scalar) for tag, scalar in _value(value))


def _value(message: bytes) -> Iterator[tuple[str, float]]:
    tag, scalar = "", None
    for number, value in _fields(message):
        if not isinstance(value, bytes):
            continue
        if number == _VALUE_TAG:
            tag = value[: MAX_NAME * 4].decode("utf-8", "replace")
        elif number == _VALUE_SIMPLE and len(value) == 4:  # noqa: PLR2004
            scalar = struct.unpack("<f", value)[0]
        elif number == _VALUE_TENSOR:
            scalar = _tensor(value)
    if tag and scalar is not None:
        yield tag, scalar


def _tensor(message: bytes) -> float | None:
    """The value of a tensor that holds one number; None for any other."""
    parts = dict(_fields(message))
    dtype = parts.get(_TENSOR_DTYPE)
    packed = _PACKED.get(dtype) if isinstance(dtype, int) else None
    for field in (_TENSOR_CONTENT, _TENSOR_FLOATS, _TENSOR_DOUBLES):
        data = parts.get(field)
        if packed and isinstance(data, bytes) and len(data) == struct.calcsize(packed):
            return float(struct.unpack(packed, data)[0])
    return None


def _fields(message: bytes) -> list[tuple[int, int | bytes]]:
    """The fields of a message: numbers as int, all else as bytes; none where it is no message."""
    try:
        return [(n, value if isinstance(value, int) else bytes(value)) for n, value in fields(memoryview(message))]
    except WireError:
        return []
