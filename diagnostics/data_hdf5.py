"""Reads the datasets of an HDF5 file, a bounded part of each; links that lead out of the file are not followed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import SubjectError
from ..knowledge.text import Text
from .data_arrays import sampled
from .data_sample import MAX_ARRAYS, Array, damaged, too_big, wanted_rows

_MAX_DEPTH = 5
_MAX_NAMES = 5_000
_MAX_CHUNK = 256 * 1024 * 1024
_RAGGED = Text("its rows have unequal lengths (variable-length HDF5)", "各行长度不同（HDF5 变长类型）")


def read_hdf5(path: Path) -> tuple[Array, ...]:
    """The datasets of an HDF5 file, by their paths in it.

    Raises:
        SubjectError: it is damaged, a Keras model, or holds no datasets.
    """
    try:
        import h5py  # noqa: PLC0415 - an optional extra, and a tenth of a second
    except ImportError:
        raise SubjectError(
            f"{path.name} is HDF5; reading it needs h5py: pip install 'kerasdoctor[models]'",
            f"{path.name} 是 HDF5 文件，读取需要 h5py：pip install 'kerasdoctor[models]'",
        ) from None
    try:
        with h5py.File(path, "r") as file:
            if "model_config" in file.attrs or "layer_names" in file.attrs:
                raise SubjectError(f"{path.name} is a Keras model, not data", f"{path.name} 是 Keras 模型，不是数据")
            arrays = tuple(_array(h5py, name, dataset) for name, dataset in _datasets(h5py, file))
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError, OverflowError) as error:
        raise damaged(path, error) from error
    if not arrays:
        raise SubjectError(f"{path.name} is HDF5 without datasets", f"{path.name} 是 HDF5，但里面没有数据集")
    return arrays


def _datasets(h5py: Any, file: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - h5py has no types
    """Datasets in the file itself, breadth first."""
    waiting, seen, found = [(file, "", 0)], 0, 0
    while waiting:
        group, prefix, depth = waiting.pop(0)
        for name in group:
            seen += 1
            if seen > _MAX_NAMES or found == MAX_ARRAYS:
                return
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                continue
            item = group[name]
            if isinstance(item, h5py.Dataset):
                found += 1
                yield f"{prefix}{name}", item
            elif isinstance(item, h5py.Group) and depth < _MAX_DEPTH:
                waiting.append((item, f"{prefix}{name}/", depth + 1))


def _array(h5py: Any, name: str, dataset: Any) -> Array:  # noqa: ANN401
    shape = tuple(int(size) for size in dataset.shape or ())
    text = h5py.check_string_dtype(dataset.dtype) is not None
    dtype = "text" if text else str(dataset.dtype)[:40]
    why = _refused(dataset, shape, text=text)
    if why or not shape or 0 in shape:
        return Array(name, shape, dtype, unreadable=why, ragged=why is _RAGGED, whole=0 in shape)
    row = 1600 if text else dataset.dtype.itemsize * math.prod(shape[1:])
    return _rows(name, dataset, shape, row)


def _rows(name: str, dataset: Any, shape: tuple[int, ...], row: int) -> Array:  # noqa: ANN401
    import numpy as np  # noqa: PLC0415

    ranges = wanted_rows(shape[0], row)
    try:
        parts = [dataset[start:end] for start, end in ranges]
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        told = str(error)[:150]
        return Array(
            name, shape, str(dataset.dtype)[:40], unreadable=Text(f"not readable: {told}", f"无法读取：{told}")
        )
    values = np.concatenate(parts)
    if values.dtype.kind == "O":
        values = np.array(
            [part.decode("utf-8", "replace")[:200] if isinstance(part, bytes) else "" for part in values.ravel()]
        )
        values = values.reshape(-1, *shape[1:])
    return sampled(name, shape, values, ranges)


def _refused(dataset: Any, shape: tuple[int, ...], *, text: bool) -> Text | None:  # noqa: ANN401
    if dataset.dtype.kind == "O" and not text:
        return _RAGGED
    if dataset.dtype.names or dataset.dtype.kind == "V":
        return Text(
            "it holds records, not numbers; give each field as an array", "它存的是记录，不是数；请把每个字段存成数组"
        )
    if dataset.is_virtual or dataset.external:
        return Text("its values lie in other files, which are not read", "它的数据在别的文件里，这里不读")
    if dataset.chunks and math.prod(dataset.chunks) * dataset.dtype.itemsize > _MAX_CHUNK:
        return Text("it is stored in chunks that are too big to be read", "它的分块太大，无法读取")
    return too_big(dataset.dtype.itemsize * math.prod(shape[1:])) if shape else None
