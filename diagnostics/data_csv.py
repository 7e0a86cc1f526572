"""Reads CSV files of any separator, with or without a header: all of a small one, else its start, its end and blocks between."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import SubjectError
from .data_sample import Array, DataSample, Remark, damaged

MAX_WHOLE = 16 * 1024 * 1024  # files up to this size are read whole
_END = 4 * 1024 * 1024
_BLOCK = 512 * 1024
_BLOCKS = 12
_MAX_CELLS = 3_000_000
_MAX_COLUMNS = 20_000
_MAX_REMARKS = 40
_SEPARATORS = (",", ";", "\t", "|", " ")
_NUMERIC = 0.9  # from this share of readable numbers on a column is one of numbers
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-", "#n/a", "inf", "-inf"})
_LABELS = ("label", "labels", "target", "targets", "class", "y", "species", "outcome")
FEATURES = "columns"

Row = list[str]


@dataclass(frozen=True)
class _Table:
    """Rows with their positions (beyond the first block estimated), all with as many cells as there are columns."""

    columns: tuple[str, ...]
    rows: list[Row]
    places: list[int]
    samples: int
    whole: bool


def read_csv(path: Path, labels: str | None = None, features: int | None = None) -> DataSample:
    """Read a table: the columns of numbers as one array, columns of text and the labels as arrays of their own.

    Args:
        path: the file.
        labels: the column with the labels, where its name doesn't tell.
        features: how many columns the model takes; if there is one more, the last one has the labels.

    Raises:
        SubjectError: it isn't a table of text.
    """
    try:
        blocks, whole = _blocks(path)
        separator = _separator(blocks[0][1])
        read = [(start, list(csv.reader(lines, delimiter=separator, skipinitialspace=True))) for start, lines in blocks]
    except (csv.Error, OSError, UnicodeError) as error:
        raise damaged(path, error) from error
    table, remarks = _table(path, read, whole=whole)
    label = labels if labels in table.columns else label_column(table.columns)
    if label is None and len(table.columns) - 1 == features:
        label = table.columns[-1]
    arrays, more = _arrays(table, label)
    return DataSample(
        path.name, "CSV", tuple(arrays), labels=(label,) if label else (), remarks=(*remarks, *more)[:_MAX_REMARKS]
    )


def _blocks(path: Path) -> tuple[list[tuple[float, list[str]]], bool]:
    """Lines of text, each block with the share of the file that lies before it; and whether that is all."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= MAX_WHOLE:
            return [(0.0, _text(file.read()).splitlines(keepends=True))], True
        step = (size - 2 * _END) // _BLOCKS
        spans = [(0, _END), *((_END + i * step, _BLOCK) for i in range(_BLOCKS)), (size - _END, _END)]
        blocks = []
        for start, length in spans:
            file.seek(start)
            lines = _text(file.read(length)).splitlines(keepends=True)
            last = None if start + length >= size else -1
            blocks.append((start / size, lines[1 if start else 0 : last]))
    return blocks, False


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\0" in data[:4096]:
        raise UnicodeError("it is neither text nor one of the formats npz, npy, HDF5")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _separator(lines: Sequence[str]) -> str:
    """The one by which most lines fall into the same number of cells, more than one."""
    best, separator = 0.0, ","
    for candidate in _SEPARATORS:
        widths = [len(row) for row in csv.reader(lines[:60], delimiter=candidate, skipinitialspace=True) if row]
        if not widths:
            continue
        width, alike = Counter(widths).most_common(1)[0]
        score = alike / len(widths) + 0.001 * min(width, 50)
        if width > 1 and score > best + 0.02:
            best, separator = score, candidate
    return separator


def _table(path: Path, blocks: list[tuple[float, list[Row]]], *, whole: bool) -> tuple[_Table, list[Remark]]:
    first = [row for row in blocks[0][1] if row]
    if not first or not any(cell.strip() for row in first[:100] for cell in row):
        raise SubjectError(f"{path.name} is empty: it holds no data", f"{path.name} 是空文件，没有数据")
    width = Counter(len(row) for row in first[:200]).most_common(1)[0][0]
    if width > _MAX_COLUMNS:
        raise SubjectError(
            f"{path.name} has {width:,} columns; at most {_MAX_COLUMNS:,} are read",
            f"{path.name} 有 {width:,} 列；最多读取 {_MAX_COLUMNS:,} 列",
        )
    header = _is_header(first, width)
    samples = len(first) - header
    if not whole:
        samples = round(samples * path.stat().st_size / _END)
    rows, places, odd = _rows(blocks, width, samples, header=header)
    columns = tuple(_names(first[0])) if header else tuple(f"column {i}" for i in range(width))
    return _Table(columns, rows, places, samples, whole and len(rows) == samples), odd


def _rows(
    blocks: list[tuple[float, list[Row]]], width: int, samples: int, *, header: bool
) -> tuple[list[Row], list[int], list[Remark]]:
    """The rows that have as many cells as most have; of the others the first is told, and how many there are."""
    rows: list[Row] = []
    places: list[int] = []
    odd: list[tuple[int, int]] = []
    share = max(1, _MAX_CELLS // width // len(blocks))
    for number, (before, lines) in enumerate(blocks):
        filled = [row for row in lines if row][1 if header and not number else 0 :]
        start = round(before * samples)
        if len(blocks) == 1 and len(filled) > share:  # a third of what is read from the end
            keep = [*range(2 * share // 3), *range(len(filled) - share // 3, len(filled))]
        else:
            keep = (
                list(range(min(share, len(filled)))) if number < len(blocks) - 1 else list(range(len(filled)))[-share:]
            )
        for i in keep:
            if len(filled[i]) == width:
                rows.append(filled[i])
                places.append(start + i)
            else:
                odd.append((start + i, len(filled[i])))
    if not odd:
        return rows, places, []
    return rows, places, [Remark("other number of fields", "", len(odd), odd[0][0], f"{odd[0][1]} ≠ {width}")]


def _names(row: Row) -> list[str]:
    """Names of columns, each once."""
    names: list[str] = []
    counts: Counter[str] = Counter()
    for i, cell in enumerate(row):
        name = cell.strip()[:80] or f"column {i}"
        counts[name] += 1
        names.append(name if counts[name] == 1 else f"{name}.{counts[name] - 1}")
    return names


def _is_header(rows: list[Row], width: int) -> bool:
    """A first row without numbers, over columns of numbers or of other texts."""
    first = [cell.strip() for cell in rows[0]]
    if len(first) != width or any(_number(cell) is not None for cell in first if cell) or not any(first):
        return False
    below = [row for row in rows[1:60] if len(row) == width]
    numbers = any(_number(cell.strip()) is not None for row in below for cell in row)
    seen = {cell.strip() for row in below for cell in row}
    return bool(below) and (numbers or not seen.intersection(first))


def _number(cell: str) -> float | None:
    try:
        return float(cell) if len(cell) < 60 and "_" not in cell else None  # noqa: PLR2004 - no number is longer
    except ValueError:
        return None


def label_column(columns: tuple[str, ...]) -> str | None:
    """The last column that is called as labels are; None where there is none."""
    return next((name for name in reversed(columns) if name.strip().lower() in _LABELS), None)


def _arrays(table: _Table, label: str | None) -> tuple[list[Array], list[Remark]]:
    """The columns of numbers as one array, each other column as one of its own."""
    import numpy as np  # noqa: PLC0415

    remarks: list[Remark] = []
    numeric: list[tuple[str, Any]] = []
    others: list[Array] = []
    places = np.array(table.places, "int64")
    for position, name in enumerate(table.columns):
        cells = [row[position].strip() for row in table.rows]
        numbers, found = _column(name, cells, table.places)
        remarks += found if numbers is not None else []
        if numbers is not None and name != label:
            numeric.append((name, numbers))
            continue
        values = np.array([cell[:200] for cell in cells]) if numbers is None else _narrowed(numbers)
        others.append(_one(table, name, values, places))
    if not numeric:
        return others, remarks
    values = np.stack([numbers for _, numbers in numeric], axis=1)
    names = tuple(name for name, _ in numeric)
    array = Array(FEATURES, (table.samples, len(names)), "float64", values, places, table.whole, names, not table.whole)
    return [array, *others], remarks


def _one(table: _Table, name: str, values: Any, places: Any) -> Array:  # noqa: ANN401
    dtype = "text" if values.dtype.kind == "U" else str(values.dtype)
    return Array(name, (table.samples,), dtype, values, places, table.whole, (), not table.whole)


def _narrowed(numbers: Any) -> Any:  # noqa: ANN401
    """Labels that are written as whole numbers are whole numbers, as pandas reads them."""
    import numpy as np  # noqa: PLC0415

    whole = np.isfinite(numbers).all() and (numbers == np.round(numbers)).all() and (abs(numbers) < 2**53).all()
    return numbers.astype("int64") if len(numbers) and whole else numbers


def _column(name: str, cells: list[str], places: list[int]) -> tuple[Any, list[Remark]]:
    """A column as numbers, and what in it is none; None for a column of texts."""
    import numpy as np  # noqa: PLC0415

    read = [_number(cell) for cell in cells]
    missing = [i for i, cell in enumerate(cells) if cell.lower() in _MISSING]
    filled = len(cells) - len(missing)
    good = sum(1 for i, number in enumerate(read) if number is not None and cells[i].lower() not in _MISSING)
    if not filled or good < _NUMERIC * filled:
        return None, []
    gaps = set(missing)
    odd = [i for i, number in enumerate(read) if number is None and i not in gaps]
    told = []
    if missing:
        told.append(Remark("missing", name, len(missing), places[missing[0]], cells[missing[0]][:40]))
    if odd:
        told.append(Remark("not a number", name, len(odd), places[odd[0]], cells[odd[0]][:40]))
    return np.array([math.nan if number is None else number for number in read], "float64"), told
