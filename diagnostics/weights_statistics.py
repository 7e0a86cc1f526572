"""What one pass over an array tells: bounds, sums and odd values, read block by block."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Statistics:
    """Of all elements: how many, how many are NaN or infinite, zero, or denormal; the rest are of the finite ones.

    `low` and `high` are the bounds, `norm` the Euclidean norm. `column_low` and `column_high` are the bounds along the last
    axis (one per unit or filter) as float64 arrays, None for arrays of fewer than two axes and where an element isn't finite.
    """

    count: int
    nan: int
    infinite: int
    zeros: int
    denormal: int
    low: float
    high: float
    mean: float
    norm: float
    column_low: Any = field(default=None, compare=False)
    column_high: Any = field(default=None, compare=False)

    @property
    def largest(self) -> float:
        """The largest magnitude."""
        return max(abs(self.low), abs(self.high)) if self.count else 0.0

    @property
    def constant(self) -> bool:
        """Whether all elements are one finite value."""
        return self.count > 0 and not self.nan + self.infinite and self.low == self.high


class _Pass:
    """The sums and bounds while blocks arrive."""

    def __init__(self) -> None:
        self.count = self.nan = self.infinite = self.zeros = self.denormal = 0
        self.total = self.squares = 0.0
        self.low, self.high = math.inf, -math.inf
        self.columns: list[tuple[Any, Any]] = []

    def add(self, block: Any, columns: int) -> None:  # noqa: ANN401 - an array of rows
        import numpy as np  # noqa: PLC0415

        flat = np.ascontiguousarray(block).reshape(-1)
        self.count += flat.size
        self.zeros += flat.size - int(np.count_nonzero(flat))
        squares = float(np.dot(flat, flat)) if flat.dtype == np.float32 else math.inf
        if not math.isfinite(squares):  # something is not finite, or too large to be squared in its own type
            flat, squares = self._finite(flat)
            columns = 0 if flat.size < block.size else columns
        if not flat.size:
            return
        self.squares += squares
        self.total += float(flat.sum(dtype=np.float64))
        if columns:
            rows = flat.reshape(-1, columns)
            self.columns.append((rows.min(axis=0), rows.max(axis=0)))
            low, high = self.columns[-1][0].min(), self.columns[-1][1].max()
        else:
            low, high = flat.min(), flat.max()
        self.low, self.high = min(self.low, float(low)), max(self.high, float(high))
        self._denormal(flat)

    def _finite(self, flat: Any) -> tuple[Any, float]:  # noqa: ANN401
        import numpy as np  # noqa: PLC0415

        finite = np.isfinite(flat)
        nan = int(np.count_nonzero(np.isnan(flat)))
        kept = flat if finite.all() else flat[finite]
        self.nan += nan
        self.infinite += flat.size - kept.size - nan
        with np.errstate(over="ignore"):
            wide = kept.astype(np.float64)
            return kept, float(np.dot(wide, wide))

    def _denormal(self, flat: Any) -> None:  # noqa: ANN401
        import numpy as np  # noqa: PLC0415

        if flat.dtype.kind == "f":
            tiny = np.finfo(flat.dtype).tiny
            small = int(np.count_nonzero((flat < tiny) & (flat > -tiny)))
            self.denormal += small - (flat.size - int(np.count_nonzero(flat)))


def statistics_of(blocks: Iterator[Any], shape: tuple[int, ...]) -> Statistics:
    """One pass over the blocks of an array (parts along its first axis, of numbers) of a shape."""
    import numpy as np  # noqa: PLC0415

    columns = shape[-1] if len(shape) > 1 else 0
    seen, blocks_seen = _Pass(), 0
    with np.errstate(all="ignore"):  # what isn't finite is counted, not warned of
        for block in blocks:
            seen.add(block, columns)
            blocks_seen += 1
    finite = seen.count - seen.nan - seen.infinite
    whole = blocks_seen > 0 and len(seen.columns) == blocks_seen
    return Statistics(
        count=seen.count,
        nan=seen.nan,
        infinite=seen.infinite,
        zeros=seen.zeros,
        denormal=seen.denormal,
        low=seen.low if finite else 0.0,
        high=seen.high if finite else 0.0,
        mean=seen.total / finite if finite else 0.0,
        norm=math.sqrt(seen.squares),
        column_low=np.minimum.reduce([low for low, _ in seen.columns]).astype(np.float64) if whole else None,
        column_high=np.maximum.reduce([high for _, high in seen.columns]).astype(np.float64) if whole else None,
    )
