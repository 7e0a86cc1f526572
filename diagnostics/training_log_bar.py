"""What fit printed: progress bars of Keras 1 to 3, redrawn in place or not, and the lines of verbose=2.

Keras 3: `8/8 ━━━━ 1s 23ms/step - accuracy: 0.36 - loss: 1.11`, Keras 2: `8/8 [====] - 0s 3ms/step - loss: 1.11`, with
verbose=2: `8/8 - 0s - loss: 1.11`, and before TensorFlow 2.1 ` - 0s - loss: 1.11` (keras/src/utils/progbar.py,
https://github.com/keras-team/keras/blob/master/keras/src/utils/progbar.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..errors import SubjectError
from .training_log_raw import MAX_EPOCHS, MAX_SERIES, Raw, number, of_rows

MAX_LINE = 20_000
_ANSI = re.compile(
    r"\x1b\[[\d;?]{0,16}[A-Za-z]|\[\d{1,2}(?:;\d{1,3}){0,4}m"
)  # the escape itself is often lost in a paste
_REDRAWN = re.compile(r"[\x08\r]+")
_EPOCH = re.compile(r"\bEpoch[ \t]{1,4}(\d{1,7})/(\d{1,7})(?!\d)")
_BAR_AGAIN = re.compile(r"(?<=\S)[ \t]{0,20}(?=(?<!\d)\d{1,9}/\d{1,9} (?:\[[=>.]|━))")
_STEP = re.compile(r"\s{0,40}(\d{1,9})/(\d{1,9}|Unknown|\?)(?:\s|$)")
_NO_STEP = re.compile(r"\s{0,10}(?:-\s)?\d{1,7}s(?:\s|$)")
_METRIC = re.compile(
    r"(?:^|\s)([A-Za-z_][^\s:]{0,119}):\s{0,4}([-+]?(?:nan|inf|[\d.]{1,40}(?:[eE][-+]?\d{1,4})?))(?=\s|$|-)",
    re.IGNORECASE,
)
_RATE = re.compile(r"(\w{1,40}) (?:reducing|setting) learning rate to (\S{1,64}?)\.?(?:\s|$)", re.IGNORECASE)


@dataclass
class _Row:
    """One epoch while it is read. `done` once its last step was seen, `closed` once another bar was drawn after that."""

    epoch: int
    named: bool
    values: dict[str, float] = field(default_factory=dict)
    total: int | None = None
    done: bool = False
    closed: bool = False


def is_bar(text: str) -> bool:
    """Whether fit printed this: a line of an epoch with a loss or a metric behind it."""
    head = _plain(text[:2_000_000])
    return any(_METRIC.search(line) and (_STEP.match(line) or _NO_STEP.match(line)) for line in _lines(head))


def read_bar(text: str) -> Raw:
    """Read what fit printed: of each epoch its last values, of the last epoch what was seen of it.

    Bars that evaluate draws after an epoch are passed over. Learning rates come from the lines of ReduceLROnPlateau and
    LearningRateScheduler (verbose=1).

    Raises:
        SubjectError: no epoch has a value, or there are too many.
    """
    reader = _Reader()
    for line in _lines(_plain(text)):
        reader.take(line)
    rows = [row for row in reader.rows if row.values]
    if not rows:
        raise SubjectError("no epoch with a value was printed", "打印的内容里没有任何带数值的轮次")
    in_samples = re.search(r"^Train on \d+ samples", text, re.MULTILINE)  # the bar counted samples then, not steps
    steps = None if in_samples else next((row.total for row in reversed(rows) if row.done and row.total), None)
    return of_rows("progress bar", ((row.epoch, row.values) for row in rows), steps, reader.planned)


def _plain(text: str) -> str:
    """Every state of a bar on a line of its own."""
    text = _REDRAWN.sub("\n", _ANSI.sub("", text))
    return _EPOCH.sub(lambda found: f"\n{found[0]}\n", text)


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield from (part[:MAX_LINE] for part in _BAR_AGAIN.sub("\n", line[: 50 * MAX_LINE]).split("\n"))


class _Reader:
    def __init__(self) -> None:
        self.rows: list[_Row] = []
        self.planned: int | None = None
        self.rate: float | None = None

    def take(self, line: str) -> None:
        """Read one line."""
        if found := _EPOCH.fullmatch(line.strip()):
            self._epoch(int(found[1]), int(found[2]))
        elif found := _RATE.search(line):
            self._changed(found[1], number(found[2]))
        elif (found := _STEP.match(line)) or _NO_STEP.match(line):
            values = _values(line)
            if values:
                self._bar(values, int(found[1]) if found else None, found[2] if found else None)

    def _epoch(self, epoch: int, planned: int) -> None:
        self.planned = planned
        if self.rows and self.rows[-1].epoch == epoch and not self.rows[-1].values:
            return
        self._add(_Row(epoch, named=True))

    def _add(self, row: _Row) -> _Row:
        if len(self.rows) > MAX_EPOCHS:
            raise SubjectError(f"over {MAX_EPOCHS:,} epochs were printed", f"打印的内容超过 {MAX_EPOCHS:,} 轮")
        if row.epoch == 1:
            self.rate = None
        if self.rate is not None:
            row.values["learning_rate"] = self.rate
        self.rows.append(row)
        return row

    def _changed(self, who: str, rate: float | None) -> None:
        """LearningRateScheduler speaks at the start of the epoch that it sets, ReduceLROnPlateau at the end of one."""
        self.rate = rate
        if rate is not None and who == "LearningRateScheduler" and self.rows and not self.rows[-1].values:
            self.rows[-1].values["learning_rate"] = rate

    def _bar(self, values: dict[str, float], step: int | None, total: str | None) -> None:
        last = not total or not total.isdigit() or step == int(total)
        row = self._row(values, last=last)
        if row is None or row.closed:
            return
        count = int(total) if total and total.isdigit() else None
        if row.done and (count != row.total or not last):  # another bar is drawn: evaluate or predict
            row.closed = True
        elif row.done and not any(name.startswith("val_") for name in values):
            row.values = {**values, **row.values}
        else:
            row.values.update(values)
            row.total, row.done = count, last and count is not None

    def _row(self, values: dict[str, float], *, last: bool) -> _Row | None:
        """The epoch that a bar belongs to: where no line names epochs, each bar that is full is one."""
        current = self.rows[-1] if self.rows else None
        if current and current.named:
            return current
        if not last:
            return None
        adds_validation = current and current.values.items() < values.items()
        return current if adds_validation else self._add(_Row(current.epoch + 1 if current else 1, named=False))


def _values(line: str) -> dict[str, float]:
    values: dict[str, float] = {}
    for found in _METRIC.finditer(line):
        value = number(found[2])
        if value is not None and found[1].upper() != "ETA" and len(values) < MAX_SERIES:
            values[found[1]] = value
    return values
