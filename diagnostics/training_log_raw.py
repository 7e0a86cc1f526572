"""What the readers of training logs share: limits, numbers and names as logs write them, and the columns they return."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ..errors import SubjectError

LogFormat = Literal["CSV", "History", "TensorBoard", "progress bar"]
MAX_FILE = 64 * 1024 * 1024  # bytes
MAX_SERIES = 128
MAX_EPOCHS = 20_000
MAX_NUMBER = 64  # characters
MAX_NAME = 120
_DECIMAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(nan|inf|infinity)", re.IGNORECASE | re.ASCII)
_WRAPPED = re.compile(r"[\w.]{1,40}\(([^()]{1,64})\)")  # np.float64(0.5)

# Other spellings of the names that Keras gives its curves; `lr` was Keras 2's, `epoch_` is what its TensorBoard callback adds.
_NAMES = {
    "lr": "learning_rate",
    "train_loss": "loss",
    "training_loss": "loss",
    "valid_loss": "val_loss",
    "validation_loss": "val_loss",
    "train_acc": "acc",
    "train_accuracy": "accuracy",
    "training_accuracy": "accuracy",
    "valid_acc": "val_acc",
    "validation_accuracy": "val_accuracy",
    "valid_accuracy": "val_accuracy",
}
_KNOWN = {*_NAMES, *_NAMES.values()}


@dataclass(frozen=True)
class Raw:
    """A log as it was read: an epoch (counted from 1) and a value of each column per row, None where there is none."""

    format: LogFormat
    epochs: tuple[int, ...]
    columns: dict[str, tuple[float | None, ...]]
    steps_per_epoch: int | None = None
    planned: int | None = None


def number(text: str) -> float | None:
    """The number that a text writes, NaN and infinities among them; None for anything else ("", "NA", a list)."""
    text = text.strip()
    if len(text) > MAX_NUMBER:
        return None
    if wrapped := _WRAPPED.fullmatch(text):
        text = wrapped[1].strip()
    return float(text) if _DECIMAL.fullmatch(text) else None


def series_name(name: str) -> str:
    """A column's name as Keras 3 spells it, without control characters, of at most `MAX_NAME` characters."""
    name = "".join(c if c.isprintable() else "?" for c in name.strip()[:MAX_NAME])
    plain = name.lower().replace(" ", "_")
    plain = plain.removeprefix("epoch_") if plain != "epoch_" else plain
    if plain in _KNOWN:
        return _NAMES.get(plain, plain)
    return name.removeprefix("epoch_") or name


def of_rows(
    form: LogFormat,
    rows: Iterable[tuple[int, dict[str, float]]],
    steps_per_epoch: int | None = None,
    planned: int | None = None,
) -> Raw:
    """The columns of rows, each an epoch and its values by name.

    Raises:
        SubjectError: there are more epochs or names than any training has.
    """
    epochs: list[int] = []
    columns: dict[str, list[float | None]] = {}
    for epoch, values in rows:
        for name, value in values.items():
            column = columns.setdefault(series_name(name), [])
            column += [None] * (len(epochs) - len(column))
            if len(column) == len(epochs):
                column.append(value)
        epochs.append(epoch)
        check_size(len(epochs), len(columns))
    full = {name: (*column, *[None] * (len(epochs) - len(column))) for name, column in columns.items()}
    return Raw(form, tuple(epochs), full, steps_per_epoch, planned)


def check_size(epochs: int, series: int) -> None:
    """Refuse what no training writes.

    Raises:
        SubjectError: it has more than `MAX_EPOCHS` epochs or `MAX_SERIES` series.
    """
    if epochs > MAX_EPOCHS or series > MAX_SERIES:
        raise SubjectError(
            f"the log has over {MAX_EPOCHS:,} epochs or over {MAX_SERIES} series; give the part that matters",
            f"日志超过 {MAX_EPOCHS:,} 轮或 {MAX_SERIES} 条曲线；请只给出相关的部分",
        )
