"""In which form labels are written: one-hot rows, class numbers, texts, -1 and 1, numbers of a regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from .data_sample import Array

Form = Literal["texts", "one-hot", "several of many", "class numbers", "numbers"]
_FEW = 20
_MOST_CLASSES = 1_000


@dataclass(frozen=True)
class Labels:
    """The form of labels, read from their sample.

    `width` is the size of the last axis (1 for plain vectors). For class numbers and texts `counts` has how often each class
    occurs, most frequent first; for class numbers and numbers `low` and `high` are the extremes.
    """

    array: Array
    form: Form
    width: int
    counts: tuple[tuple[str, int], ...] = ()
    low: float = 0.0
    high: float = 0.0

    @property
    def classes(self) -> int:
        """How many classes occur."""
        return len(self.counts)


def labels_of(array: Array) -> Labels | None:  # noqa: PLR0911 - a return for each form
    """The labels in an array; None where nothing of it could be read."""
    import numpy as np  # noqa: PLC0415 - an optional extra, and a tenth of a second

    values = array.values
    if values is None or values.size == 0 or len(array.shape) == 0:
        return None
    width = array.shape[-1] if len(array.shape) > 1 else 1
    if values.dtype.kind in "US":
        return Labels(array, "texts", width, _counts(values))
    if values.dtype.kind not in "biuf":
        return None
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if finite.size == 0:
        return None
    low, high = float(finite.min()), float(finite.max())
    if width > 1 and low >= 0 and high == 1.0 and bool(((finite == 0) | (finite == 1)).all()):
        sums = values.sum(axis=-1)
        return Labels(array, "one-hot" if bool((sums == 1).all()) else "several of many", width, low=low, high=high)
    if bool((finite == np.round(finite)).all()) and _are_classes(values.dtype.kind, finite, low, high, width):
        return Labels(array, "class numbers", width, _counts(finite.astype("int64")), low, high)
    return Labels(array, "numbers", width, low=low, high=high)


def _are_classes(kind: str, finite: Any, low: float, high: float, width: int) -> bool:  # noqa: ANN401
    """Few different whole numbers are classes; many only where none between the first and the last is missing."""
    import numpy as np  # noqa: PLC0415

    if abs(low) > 2**31 or high - low > 10**6:
        return False
    different = len(np.unique(finite))
    if different <= min(_FEW, max(2, finite.size // 2)):
        return width == 1 or different == 2  # noqa: PLR2004 - yes and no
    gapless = low in (0.0, 1.0) and different == high - low + 1
    return kind != "f" and width == 1 and gapless and different <= min(_MOST_CLASSES, finite.size // 3)


def _counts(values: Any) -> tuple[tuple[str, int], ...]:  # noqa: ANN401
    import numpy as np  # noqa: PLC0415

    different, counts = np.unique(values, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_MOST_CLASSES]
    return tuple((str(_plain(different[i]))[:60], int(counts[i])) for i in order)


def _plain(value: Any) -> Any:  # noqa: ANN401
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def class_ids(array: Array) -> Any:  # noqa: ANN401 - a NumPy array, or None
    """The class of each row that was read, as a number: of one-hot rows the position of the 1."""
    import numpy as np  # noqa: PLC0415

    labels = labels_of(array)
    if labels is None or labels.form in ("numbers", "several of many") or array.values.ndim > 2:  # noqa: PLR2004 - rows
        return None
    if labels.form == "one-hot":
        return array.values.argmax(axis=-1)
    if labels.width > 1:
        return None
    return np.unique(array.values.reshape(-1), return_inverse=True)[1]
