"""Training logs: the curves of a training, one value per epoch, whatever the log was written by.

`read_log` tells the format by the content: CSVLogger's table, a History as JSON or as printed, TensorBoard's event files (one,
or a folder), or what fit printed. Nothing of it is trusted: sizes are bounded, and what is no number is no value.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from ..errors import SubjectError
from .training_log_bar import is_bar, read_bar
from .training_log_events import is_events, read_events
from .training_log_raw import MAX_FILE, LogFormat, Raw
from .training_log_table import is_csv, read_csv, read_history

Direction = Literal["falls", "rises"]
RATE = "learning_rate"
MAX_RUNS = 100
Series = tuple[float | None, ...]

# Words of a metric's name and where it goes when training goes well (the metrics of https://keras.io/api/metrics/).
_FALLS = frozenset({
    "loss", "error", "mae", "mse", "rmse", "mape", "msle", "logcosh", "perplexity", "crossentropy", "hinge", "divergence",
    "poisson", "entropy",
})  # fmt: skip
_RISES = frozenset({
    "acc", "accuracy", "auc", "precision", "recall", "f1", "iou", "dice", "r2", "specificity", "sensitivity", "similarity",
    "fbeta", "f1score",
})  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """What is measured on the training data and on the validation data: `validation` is None where there is none."""

    name: str
    train: Series
    validation: Series | None


@dataclass(frozen=True)
class TrainingLog:
    """The curves of a training.

    `epochs` counts from 1, as fit prints it, in the order of the file. Each series has a value for each of them: None where
    the log has none, NaN and infinities where it says so. `learning_rate` is one of the series, whatever the log called it.
    `steps_per_epoch` and `planned` (epochs that were asked for) are known where fit printed them. Of a log with several runs,
    `run` is which of them this is, counted from 1; 0 for the whole log.
    """

    name: str
    format: LogFormat
    epochs: tuple[int, ...]
    series: dict[str, Series] = field(default_factory=dict)
    steps_per_epoch: int | None = None
    planned: int | None = None
    run: int = 0

    @property
    def runs(self) -> tuple[TrainingLog, ...]:
        """The runs one after another: where the epochs start again, another one begins. At most `MAX_RUNS`, the last."""
        starts = [0, *(i for i in range(1, len(self.epochs)) if self.epochs[i] <= self.epochs[i - 1])]
        if len(starts) == 1:
            return (self,)
        ends = [*starts[1:], len(self.epochs)]
        parts = list(enumerate(zip(starts, ends, strict=True), 1))[-MAX_RUNS:]
        return tuple(self._part(run, start, end) for run, (start, end) in parts)

    def _part(self, run: int, start: int, end: int) -> TrainingLog:
        series = {name: values[start:end] for name, values in self.series.items()}
        present = {name: values for name, values in series.items() if any(value is not None for value in values)}
        return replace(self, epochs=self.epochs[start:end], series=present, run=run)

    def pairs(self) -> tuple[Pair, ...]:
        """What was measured, the training and the validation curve of each together; without the learning rate."""
        trained = [name for name in self.series if not name.startswith("val_") and name != RATE]
        return tuple(Pair(name, self.series[name], self.series.get(f"val_{name}")) for name in trained)

    def get(self, name: str) -> Series | None:
        """A series by its name; None where there is none."""
        return self.series.get(name)

    def __str__(self) -> str:
        """A line with the format, epochs and names."""
        runs = f" in {len(self.runs)} runs" if len(self.runs) > 1 else ""
        return f"{self.name} ({self.format}): {len(self.epochs)} epochs{runs}; {', '.join(self.series)}"


def direction(name: str) -> Direction | None:
    """Where a metric goes when training goes well; None where its name does not tell.

    `mean_absolute_error` and `val_decoder_loss` fall, `val_acc` and `top_k_categorical_accuracy` rise.
    """
    words = set(re.split(r"[\W_]+", name.lower()))
    if words & _FALLS:
        return "falls"
    return "rises" if words & _RISES else None


def is_loss(name: str) -> bool:
    """Whether a series is a loss: the whole, or that of one output."""
    return name == "loss" or name.endswith("_loss")


def is_accuracy(name: str) -> bool:
    """Whether a series is an accuracy, which lies between 0 and 1."""
    return bool({"acc", "accuracy"} & set(name.lower().split("_"))) and "top" not in name


def read_log(path: Path) -> TrainingLog:
    """Read a training log.

    Args:
        path: a file, or a folder with TensorBoard's event files.

    Raises:
        SubjectError: it is missing, too large, no training log, or damaged; the message says which.
    """
    if path.is_dir():
        return _log(path.name, read_events(path))
    if not path.is_file():
        raise SubjectError(f"{path}: there is no such file; expected a training log", f"{path}：没有这个文件")
    try:
        with path.open("rb") as file:
            if is_events(file.read(12)):
                return _log(path.name, read_events(path))
            file.seek(0)
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise SubjectError(f"{path.name} cannot be read: {error.strerror}") from error
    if len(data) > MAX_FILE:
        raise SubjectError(
            f"{path.name} has over {MAX_FILE:,} bytes; give the part with the epochs",
            f"{path.name} 超过 {MAX_FILE:,} 字节；请只给出含各轮数值的部分",
        )
    return parse_log(_text(data), path.name)


def parse_log(text: str, name: str) -> TrainingLog:
    """Read a training log that was pasted: any of the formats but event files.

    Args:
        text: the log.
        name: how the reader knows it.

    Raises:
        SubjectError: it is no training log, or damaged.
    """
    text = text.lstrip("\ufeff")
    if re.match(r"\s*(\{|\[\s*[{\]])", text):
        return _log(name, read_history(text))
    if text.strip() and is_csv(text):
        return _log(name, read_csv(text))
    if is_bar(text):
        return _log(name, read_bar(text))
    if "'loss'" in text and (brace := text.find("{")) >= 0:  # a History that was printed, behind other lines
        return _log(name, read_history(text[brace:]))
    raise SubjectError(
        f"{name} is no training log: expected the table of CSVLogger, History.history as JSON, TensorBoard's event files, or "
        "what fit printed (Epoch 1/10 ...)",
        f"{name} 不是训练日志：应为 CSVLogger 的表格、JSON 格式的 History.history、TensorBoard 事件文件，或 fit 打印的内容"
        "（Epoch 1/10 ...）",
    )


def _text(data: bytes) -> str:
    """PowerShell writes what a program prints as UTF-16."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8", "replace")


def _log(name: str, raw: Raw) -> TrainingLog:
    told = {key: values for key, values in raw.columns.items() if any(value is not None for value in values)}
    if not raw.epochs or not told:
        raise SubjectError(
            f"{name} holds no epoch with a value: was the training ended in its first epoch?",
            f"{name} 里没有任何一轮的数值：训练是否在第一轮就结束了？",
        )
    return TrainingLog(name, raw.format, raw.epochs, told, raw.steps_per_epoch, raw.planned)


def finite(value: float | None) -> bool:
    """Whether there is a value and it is a number."""
    return value is not None and math.isfinite(value)
