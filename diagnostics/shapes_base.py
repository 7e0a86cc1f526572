"""What the rules for shapes have in common: what a call takes, and how its arguments are read from a configuration.

A rule gives the shapes that Keras itself computes. It raises `Unfit` where Keras refuses the call in every line that the
rule is used for, and `Unknown` where the file doesn't say enough; nothing is claimed then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..knowledge.lines import Line
from ..knowledge.text import Text
from .model_file import Json

Shape = tuple[int | None, ...]
MAX_AXES = 16
MAX_SIZE = 2**40

NEGATIVE = "negative-dimension"
RANK = "layer-input-rank"
LAST_AXIS = "layer-input-last-axis"
CONCATENATE = "concatenate-shape-mismatch"
RESHAPE = "reshape-size-mismatch"
BROADCAST = "incompatible-broadcast-shapes"
DOT = "dot-and-batch-dot-rank"
TRANSPOSE = "transpose-axes"
CHANNELS = "channels-first-last"


class Unknown(Exception):  # noqa: N818 - an outcome, not an error
    """The shape cannot be told from the file."""


class Unfit(Exception):  # noqa: N818 - an outcome, not an error
    """Keras refuses the call. `text` says what is wrong and the smallest change that mends it; no layer is named in it."""

    def __init__(self, en: str, zh: str, *confirms: str) -> None:
        super().__init__(en)
        self.text = Text(en, zh)
        self.confirms = confirms


@dataclass(frozen=True)
class Operand:
    """A tensor among the arguments of a call; its shape is None where it is not known."""

    shape: Shape | None


@dataclass(frozen=True)
class Step:
    """One call of a layer or operation: its class, configuration, arguments, and the Keras line that wrote it.

    In `args` and `kwargs` every tensor is an `Operand`; anything else is as the file has it. `inside` gives the outputs of a
    layer that the configuration holds, called on a tensor.
    """

    class_name: str
    config: Json
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    line: Line | None
    inside: Callable[[Any, Shape], tuple[Shape | None, ...]]

    @property
    def first(self) -> Shape:
        """The shape of the first tensor."""
        found = operands(self.args[:1]) or operands(self.kwargs)
        if not found:
            raise Unknown
        return known(found[0])

    @property
    def joined(self) -> list[Shape]:
        """The shapes of all tensors of the first argument, which is a list."""
        found = operands(self.args[:1])
        if not found:
            raise Unknown
        return [known(operand) for operand in found]


Rule = Callable[[Step], tuple[Shape | None, ...]]


def operands(value: Any, depth: int = 0) -> list[Operand]:  # noqa: ANN401 - arguments of any form
    """All tensors in a piece of arguments, in order."""
    if isinstance(value, Operand):
        return [value]
    if depth > MAX_AXES:
        return []
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list | tuple):
        return []
    return [operand for part in value for operand in operands(part, depth + 1)]


def known(operand: Operand) -> Shape:
    """The shape of an operand; `Unknown` where it has none."""
    if operand.shape is None or len(operand.shape) > MAX_AXES:
        raise Unknown
    return operand.shape


def one(*sizes: int | None) -> tuple[Shape]:
    """A rule's answer where there is one output."""
    return (tuple(sizes),)


def product(sizes: Sequence[int | None]) -> int | None:
    """The product of sizes; None if one of them is open."""
    total = 1
    for size in sizes:
        if size is None:
            return None
        total *= size
    return total


def size(value: object) -> int:
    """A whole number from 0 to 2**40, as sizes are; `Unknown` for anything else."""
    if type(value) is not int or not 0 <= value <= MAX_SIZE:
        raise Unknown
    return value


def option(config: Json, *names: str, default: object = None) -> Any:  # noqa: ANN401 - any JSON
    """The first of several names of an argument that the configuration has; Keras 1 had other names."""
    for name in names:
        if config.get(name) is not None:
            return config[name]
    return default


def flag(config: Json, name: str, *, default: bool = False) -> bool:
    """A truth value; `Unknown` where the file has anything else."""
    value = config.get(name, default)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise Unknown
    return value


def sizes(value: object, number: int) -> tuple[int, ...]:
    """A size per axis: one whole number for all, or a list of them."""
    if type(value) is int:
        return (size(value),) * number
    if not isinstance(value, list | tuple) or len(value) != number:
        raise Unknown
    return tuple(size(part) for part in value)


def positive(value: object, number: int) -> tuple[int, ...]:
    """The same where 0 has no meaning."""
    read = sizes(value, number)
    if 0 in read:
        raise Unknown
    return read


def pairs(value: object, number: int) -> tuple[tuple[int, int], ...]:
    """A pair per axis: `1`, `[1, 2]` (the same on both sides) or `[[0, 1], [2, 2]]`; on one axis a list is its pair."""
    if number == 1 and isinstance(value, list | tuple) and len(value) == 2:  # noqa: PLR2004 - both sides
        return (_pair(value),)
    if type(value) is int:
        return ((size(value), size(value)),) * number
    if not isinstance(value, list | tuple) or len(value) != number:
        raise Unknown
    return tuple(_pair(part) for part in value)


def _pair(value: object) -> tuple[int, int]:
    before, after = sizes(value, 2)
    return before, after


def axis_of(value: object, axes: int) -> int:
    """An axis, counted from the front; `Unknown` for what is no axis. Keras refuses one beyond the axes: see `rank`."""
    if type(value) is not int or not -axes <= value < axes:
        raise Unknown
    return value % axes


def channels_first(config: Json) -> bool:
    """Whether channels come before the other axes. Keras 1 has `dim_ordering`; layers of one axis long had neither."""
    written = option(config, "data_format", "dim_ordering", default="channels_last")
    if written in ("channels_first", "th"):
        return True
    if written in ("channels_last", "tf"):
        return False
    raise Unknown


def needs_axes(shape: Shape, axes: int, *, exactly: bool = True) -> None:
    """Refuse a tensor with another number of axes, the batch included."""
    if len(shape) == axes or (not exactly and len(shape) > axes):
        return
    more_en, more_zh = ("", "") if exactly else (" or more", "或更多")
    hint_en, hint_zh = _rank_hint(len(shape), axes)
    raise Unfit(
        f"it takes tensors of {axes}{more_en} axes, the batch included, and this one has {len(shape)}: {hint_en}",
        f"它需要 {axes} 个{more_zh}轴（含批次轴）的张量，而这里有 {len(shape)} 个轴：{hint_zh}",
        RANK,
    )


def _rank_hint(has: int, needs: int) -> tuple[str, str]:
    if has < needs:
        return (
            "keep the axes in the layers before (no Flatten, return_sequences=True), or add one with Reshape",
            "前面的层要保留这些轴（不要 Flatten，循环层用 return_sequences=True），或用 Reshape 加轴",
        )
    return "flatten or pool before it", "请在它之前先展平或池化"


def shown(shape: Shape | None) -> str:
    """A shape as Keras prints it: `(None, 3, 8)`."""
    if shape is None:
        return "?"
    return f"({', '.join(str(part) for part in shape)}{',' if len(shape) == 1 else ''})"
