"""Which array is for which input or output of a model, and how its shape differs from what is wanted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeVar

from .data_model import Target, Wanted
from .data_roles import split_of
from .data_sample import Array, DataSample

Named = TypeVar("Named", Wanted, Target)
Difference = Literal[
    "none",
    "adapted",
    "no batch axis",
    "channels moved",
    "channels missing",
    "other rank",
    "not flat",
    "features",
    "sizes",
]


def matched(wanted: Sequence[Wanted], sample: DataSample) -> list[tuple[Wanted, Array]]:
    """Each array that is fed with the input of the model that it is for; none where that can't be told."""
    return _matched([(want.name,) for want in wanted], wanted, sample.input_arrays)


def matched_targets(targets: Sequence[Target], sample: DataSample) -> list[tuple[Target, Array]]:
    """Each label array with the output that it is for; none where that can't be told."""
    return _matched([target.head.names for target in targets], targets, sample.label_arrays)


def _matched(
    names: list[tuple[str, ...]], wanted: Sequence[Named], arrays: Sequence[Array]
) -> list[tuple[Named, Array]]:
    """The only one is for all; of several each is found by its name, else by its position in its part of the data."""
    if len(wanted) == 1:
        return [(wanted[0], array) for array in arrays]
    found = [(want, a) for called, want in zip(names, wanted, strict=True) for a in arrays if a.name in called]
    if found:
        return found
    for split in dict.fromkeys(split_of(array.name) for array in arrays):
        part = [array for array in arrays if split_of(array.name) == split]
        if len(part) == len(wanted):
            found += list(zip(wanted, part, strict=True))
    return found


def difference(want: Wanted, shape: tuple[int, ...]) -> Difference:  # noqa: PLR0911 - a return for each kind
    """How an array differs from what an input takes.

    Keras adds or takes away a last axis of size 1 by itself (`_adjust_input_rank` in keras/src/models/functional.py of
    Keras 3, `_conform_to_reference_input` in Keras 2): "adapted".
    """
    wanted, sample = want.shape, shape[1:]
    if wanted is None or want.takes(sample):
        return "none"
    if len(wanted) == len(sample):
        return _same_rank(wanted, sample)
    if len(sample) == len(wanted) - 1 and want.takes((*sample, 1)):
        return "adapted"
    if len(sample) == len(wanted) + 1 and sample[-1] == 1 and want.takes(sample[:-1]):
        return "adapted"
    if len(shape) == len(wanted) and want.takes(shape) and None not in wanted:
        return "no batch axis"
    if len(sample) == len(wanted) - 1 and Wanted("", wanted[:-1], None, "").takes(sample):
        return "channels missing"
    if len(wanted) == 1 and wanted[0] == math.prod(sample):
        return "not flat"
    return "other rank"


def _same_rank(wanted: tuple[int | None, ...], sample: tuple[int, ...]) -> Difference:
    """With three axes or more the channels may stand first."""
    if len(wanted) > 1 and wanted[-1] == sample[0] != sample[-1]:
        moved = (*sample[1:], sample[0])
        if all(want in (None, size) for want, size in zip(wanted, moved, strict=True)):
            return "channels moved"
    if len(wanted) > 1 and wanted[0] == sample[-1] != sample[0]:
        moved = (sample[-1], *sample[:-1])
        if all(want in (None, size) for want, size in zip(wanted, moved, strict=True)):
            return "channels moved"
    return "features" if wanted[-1] not in (None, sample[-1]) else "sizes"
