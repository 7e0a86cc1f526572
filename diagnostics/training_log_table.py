"""Training logs as tables: what CSVLogger writes, and a History as JSON or as Python prints it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

from ..errors import SubjectError
from .training_log_raw import MAX_EPOCHS, MAX_NAME, MAX_SERIES, Raw, check_size, number, of_rows, series_name

MAX_LINE = 200_000
_SEPARATORS = ",;\t"
_LISTED = re.compile(r"""['"]([^'"]{1,120})['"]\s*:\s*\[([^\[\]]*)(?:\]|$)""")
_EPOCH_COLUMNS = frozenset({"", "epoch", "epochs", "unnamed: 0"})


def is_csv(text: str) -> bool:
    """Whether the first line is the header of a training log (one name a loss, a metric or the epoch), and numbers follow."""
    lines = text.lstrip()[: 3 * MAX_LINE].split("\n")
    separator = _separator(lines[0])
    names = [name.strip().strip('"').lower() for name in _split(lines[0], separator)]
    told = any(name == "epoch" or re.search(r"loss|acc|mse|mae|error|auc", name) for name in names)
    second = next((line for line in lines[1:] if line.strip()), "0")
    numbers = any(number(cell) is not None or cell.startswith("[") for cell in _split(second, separator))
    return told and numbers and not any(number(name) is not None or ": " in name or "{" in name for name in names)


def read_csv(text: str) -> Raw:
    """Read a table with a header: one row per epoch, as CSVLogger or pandas writes it.

    A header that comes again further down names the columns from there on; what a torn last line leaves out is missing. The `NA`
    that CSVLogger writes where it has no value, and an empty cell, are no value.

    Raises:
        SubjectError: it has no rows, a line that is no table's, or too many rows or columns.
    """
    separator = _separator(text.lstrip().partition("\n")[0][:MAX_LINE])
    try:
        rows = [row for row in _lines(text, separator) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise SubjectError(
            f"the table has a line that is no CSV ({error})", f"表格中有一行不是 CSV（{error}）"
        ) from error
    check_size(len(rows) - 1, max(map(len, rows)))
    header, body = rows[0], []
    for row in rows:
        if _is_header(row, rows[0]):
            header = row
        else:
            body.append({name.strip(): cell for name, cell in zip(header, row, strict=False)})
    epochs = _epochs([next((row[name] for name in row if name.lower() in _EPOCH_COLUMNS), "") for row in body])
    return of_rows("CSV", ((epoch, _cells(row, separator)) for epoch, row in zip(epochs, body, strict=True)))


def _is_header(row: list[str], first: list[str]) -> bool:
    """The first line, and each that begins like it and holds no number: a log that was appended to."""
    return row is first or (row[0].strip() == first[0].strip() and not any(number(cell) is not None for cell in row))


def _separator(header: str) -> str:
    return max(_SEPARATORS, key=header.count)


def _split(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def _lines(text: str, separator: str) -> Iterator[list[str]]:
    for count, row in enumerate(csv.reader(io.StringIO(text.lstrip()), delimiter=separator)):
        check_size(count - 1, 0)
        yield row


def _epochs(cells: list[str]) -> list[int]:
    """Epochs counted from 1: CSVLogger counts from 0. Where a row has none, rows are counted."""
    values = [number(cell) for cell in cells]
    if any(value is None or not 0 <= value < MAX_EPOCHS * 1000 or value != int(value) for value in values):
        return list(range(1, len(cells) + 1))
    whole = [int(value) for value in values if value is not None]
    return [epoch + 1 for epoch in whole] if 0 in whole else whole


def _cells(row: dict[str, str], separator: str) -> dict[str, float]:
    values: dict[str, float] = {}
    for name, written in row.items():
        cell = written.strip()
        if separator != "," and re.fullmatch(r"-?\d{1,20},\d{1,20}([eE][-+]?\d{1,4})?", cell):  # a decimal comma
            cell = cell.replace(",", ".")
        if name.lower() not in _EPOCH_COLUMNS:
            values.update(_numbers(name, cell))
    return values


def _numbers(name: str, cell: str) -> dict[str, float]:
    """The number in a cell; of a list, which CSVLogger writes as "[0.1, 0.2]", each under its position."""
    if not cell.startswith("["):
        value = number(cell)
        return {} if value is None else {name: value}
    parts = [number(part) for part in cell[:1000].strip("[]").replace(",", " ").split()[:16]]
    if len(parts) == 1:
        return {} if parts[0] is None else {name: parts[0]}
    return {f"{name[: MAX_NAME - 4]}[{i}]": part for i, part in enumerate(parts) if part is not None}


def read_history(text: str) -> Raw:
    """Read a History: a dict of lists, a list of dicts, or either inside another dict, as JSON or as Python prints it.

    NaN and Infinity are read as Python writes them. A text that was cut off gives the lists that are whole, and what
    there is of the last one.

    Raises:
        SubjectError: it holds no list of numbers, or too many.
    """
    try:
        value = json.loads(text, parse_int=_bounded, parse_float=_bounded)
    except (ValueError, RecursionError):
        value = {name: [number(part) for part in listed.split(",")] for name, listed in _LISTED.findall(text)}
    if isinstance(value, dict) and isinstance(value.get("history"), dict | list):
        value = {**value, **value["history"]} if isinstance(value["history"], dict) else value["history"]
    raw = _of_records(value) if isinstance(value, list) else _of_lists(value)
    if not raw.columns:
        raise SubjectError(
            "the JSON holds no curve (a name with a list of numbers); expected History.history, "
            "for instance json.dump(history.history, file, default=float)",
            "JSON 中没有曲线（名字加一列数字）；应为 History.history，例如 json.dump(history.history, file, default=float)",
        )
    return raw


def _bounded(text: str) -> float:
    value = number(text)
    return float("nan") if value is None else value


def _number(value: object) -> float | None:
    """A value of JSON as a number. Some write numbers as texts (default=str)."""
    if isinstance(value, str):
        return number(value)
    return float(value) if isinstance(value, float | int) and not isinstance(value, bool) else None


def _of_records(records: list[Any]) -> Raw:
    """A list of dicts, one per epoch."""
    check_size(len(records), 0)
    dicts = [record for record in records if isinstance(record, dict)]
    epochs = _epochs([str(record.get("epoch", "")) for record in dicts])
    rows = []
    for epoch, record in zip(epochs, dicts, strict=True):
        named = {str(name): _number(value) for name, value in list(record.items())[: MAX_SERIES * 2] if name != "epoch"}
        rows.append((epoch, {name: value for name, value in named.items() if value is not None}))
    return of_rows("History", rows)


def _of_lists(value: object) -> Raw:
    """A dict of lists, or of dicts as pandas writes them ({"loss": {"0": 0.7}})."""
    parts = list(value.items()) if isinstance(value, dict) else []
    lists = [(str(k), list(v.values()) if isinstance(v, dict) else v) for k, v in parts if isinstance(v, dict | list)]
    columns: dict[str, list[float | None]] = {}
    for name, cells in lists:
        check_size(len(cells), len(columns))
        numbers = [_number(cell) for cell in cells]
        if any(cell is not None for cell in numbers) and name != "params":
            columns[name] = numbers
    told = columns.pop("epoch", [])
    length = max(map(len, columns.values()), default=0)
    epochs = _epochs([str(epoch) for epoch in told]) if len(told) == length else list(range(1, length + 1))
    full = {series_name(name): tuple(_spread(column, length)) for name, column in columns.items()}
    return Raw("History", tuple(epochs), full)


def _spread(column: list[float | None], length: int) -> list[float | None]:
    """A shorter column at full length: with validation_freq=n Keras validates after each n-th epoch and writes no gaps."""
    every = length // len(column) if column else 1
    if every > 1 and length // every == len(column):
        spread: list[float | None] = [None] * length
        spread[every - 1 :: every] = column
        return spread
    return column + [None] * (length - len(column))
