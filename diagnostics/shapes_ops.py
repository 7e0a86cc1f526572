"""Shapes of keras.ops in functional graphs of Keras 3.

Sources: keras/src/ops/numpy.py and keras/src/ops/operation_utils.py of Keras 3.15. Operations without a rule stay unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .shapes_base import (
    BROADCAST,
    DOT,
    Operand,
    Rule,
    Shape,
    Step,
    Unfit,
    Unknown,
    axis_of,
    known,
    one,
    operands,
    product,
    shown,
    size,
)
from .shapes_core import reshaped
from .shapes_merge import concatenated

_SAME = frozenset({
    "Abs", "Absolute", "Cast", "Ceil", "Celu", "Clip", "Cos", "Cosh", "Cumprod", "Cumsum", "Elu", "Erf", "Exp", "Expm1", "Flip",
    "Floor", "Gelu", "HardSigmoid", "HardSilu", "HardTanh", "Isfinite", "Isinf", "Isnan", "LeakyRelu", "Log", "Log10", "Log1p",
    "Log2", "LogSigmoid", "LogSoftmax", "LogicalNot", "Negative", "Normalize", "OnesLike", "Reciprocal", "Relu", "Relu6",
    "Round", "Rsqrt", "Selu", "Sigmoid", "Sign", "Silu", "Sin", "Sinh", "Softmax", "Softplus", "Softsign", "Sqrt", "Square",
    "StopGradient", "Tan", "Tanh", "ZerosLike",
})  # fmt: skip
BY_ELEMENT = frozenset({
    "Add", "Arctan2", "Divide", "Equal", "FloorDivide", "Greater", "GreaterEqual", "Less", "LessEqual", "LogicalAnd",
    "LogicalOr", "Maximum", "Minimum", "Mod", "Multiply", "NotEqual", "Power", "Subtract", "TrueDivide", "Where",
})  # fmt: skip
_REDUCTIONS = frozenset({"All", "Amax", "Amin", "Any", "Argmax", "Argmin", "Logsumexp", "Max",
    "Mean", "Min", "Prod", "Std", "Sum", "Var"})  # fmt: skip


def _option(step: Step, name: str, place: int, default: object = None) -> Any:  # noqa: ANN401 - JSON
    """An argument of an operation: in its configuration, by its name, or at its place in the call."""
    if name in step.config:
        return step.config[name]
    if name in step.kwargs:
        return step.kwargs[name]
    return step.args[place] if place < len(step.args) else default


def _same(step: Step) -> tuple[Shape]:
    return (step.first,)


def _by_element(step: Step) -> tuple[Shape]:
    shape: Shape = ()
    for value in (*step.args, *step.kwargs.values()):
        if isinstance(value, Operand):
            shape = broadcast(shape, known(value))
        elif isinstance(value, list | dict):
            shape = broadcast(shape, _constant(value))
    return (shape,)


def _constant(value: Any) -> Shape:  # noqa: ANN401 - JSON
    """The shape of a tensor that stands in the file: nested lists of numbers."""
    config = value.get("config") if isinstance(value, dict) else None
    inner = config.get("value") if isinstance(config, dict) else value
    found: list[int] = []
    while isinstance(inner, list):
        found.append(len(inner))
        if not inner or len(found) > 8:  # noqa: PLR2004 - deeper is no number
            raise Unknown
        inner = inner[0]
    if not isinstance(inner, int | float):
        raise Unknown
    return tuple(found)


def broadcast(a: Shape, b: Shape) -> Shape:
    """NumPy's rules: axes are aligned at the end, an axis of 1 is stretched."""
    long, short = sorted((a, b), key=len, reverse=True)
    padded = (1,) * (len(long) - len(short)) + short
    return tuple(_stretched(m, n, a, b) for m, n in zip(long, padded, strict=True))


def _stretched(m: int | None, n: int | None, a: Shape, b: Shape) -> int | None:
    if m == 1 or n == 1:
        return n if m == 1 else m
    if m is None or n is None:
        return n if m is None else m
    if m != n:
        raise Unfit(
            f"{shown(a)} and {shown(b)} cannot be broadcast: an axis is {m} long in one and {n} in the other, and neither is 1",
            f"{shown(a)} 与 {shown(b)} 无法广播：同一个轴一边是 {m}，另一边是 {n}，而且都不是 1",
            BROADCAST,
        )
    return m


def _axes(value: object, number: int) -> list[int]:
    listed: Iterable[object] = value if isinstance(value, list | tuple) else [value]
    return [axis_of(axis, number) for axis in listed]


def _reduced(step: Step) -> tuple[Shape]:
    shape, axis = step.first, _option(step, "axis", 1)
    keep = _option(step, "keepdims", 2, default=False)
    if not isinstance(keep, bool):
        raise Unknown
    gone = set(range(len(shape))) if axis is None else set(_axes(axis, len(shape)))
    return one(*(1 if i in gone else n for i, n in enumerate(shape) if keep or i not in gone))


def _reshape(step: Step) -> tuple[Shape]:
    target = _option(step, "newshape", 1)
    if not isinstance(target, list | tuple):
        raise Unknown
    return (reshaped(step.first, [-1 if part is None else part for part in target], "newshape"),)


def _transpose(step: Step) -> tuple[Shape]:
    shape, axes = step.first, _option(step, "axes", 1)
    order = list(reversed(range(len(shape)))) if axes is None else _axes(axes, len(shape))
    if sorted(order) != list(range(len(shape))):
        raise Unknown
    return one(*(shape[axis] for axis in order))


def _expand(step: Step) -> tuple[Shape]:
    axis = _option(step, "axis", 1)
    number = len(step.first) + (len(axis) if isinstance(axis, list) else 1)
    places, rest = set(_axes(axis, number)), iter(step.first)
    if len(step.first) + len(places) != number:
        raise Unknown
    return one(*(1 if i in places else next(rest) for i in range(number)))


def _squeeze(step: Step) -> tuple[Shape]:
    shape, axis = step.first, _option(step, "axis", 1)
    if axis is None or axis == []:
        if None in shape:
            raise Unknown
        return one(*(n for n in shape if n != 1))
    gone = _axes(axis, len(shape))
    return one(*(n for i, n in enumerate(shape) if i not in gone))


def _concatenate(step: Step) -> tuple[Shape]:
    return (concatenated(step, _option(step, "axis", 1, 0)),)


def _stack(step: Step) -> tuple[Shape]:
    shapes = step.joined
    if len(set(shapes)) > 1:
        raise Unknown
    at = axis_of(_option(step, "axis", 1, 0), len(shapes[0]) + 1)
    return one(*shapes[0][:at], len(shapes), *shapes[0][at:])


def _matmul(step: Step) -> tuple[Shape]:
    found = operands([*step.args, *step.kwargs.values()])
    if len(found) != 2:  # noqa: PLR2004 - two factors
        raise Unknown
    x, y = known(found[0]), known(found[1])
    if len(x) < 2 or len(y) < 2:  # noqa: PLR2004 - vectors have rules of their own
        raise Unknown
    if x[-1] is not None and y[-2] is not None and x[-1] != y[-2]:
        raise Unfit(
            f"{shown(x)} and {shown(y)} cannot be multiplied: the last axis of the first ({x[-1]}) must be as long as the last but "
            f"one of the second ({y[-2]}); transpose one of them",
            f"{shown(x)} 与 {shown(y)} 不能相乘：前者最后一个轴（{x[-1]}）必须等于后者倒数第二个轴（{y[-2]}）；请转置其中一个",
            DOT,
        )
    return one(*broadcast(x[:-2], y[:-2]), x[-2], y[-1])


def _item(step: Step) -> tuple[Shape]:
    key = _option(step, "key", 1)
    parts = key if isinstance(key, list | tuple) else [key]
    cut: list[int | None] = []
    rest = list(step.first)
    for place, part in enumerate(parts):
        if part in ("Ellipsis", "...") or (isinstance(part, dict) and part.get("class_name") == "__ellipsis__"):
            kept = len(rest) - sum(1 for later in parts[place + 1 :] if later is not None)
            if kept < 0:
                raise Unknown
            cut, rest = [*cut, *rest[:kept]], rest[kept:]
        elif part is None:
            cut.append(1)
        elif not rest:
            raise Unknown
        elif type(part) is int:
            rest.pop(0)
        else:
            cut.append(_slice(part, rest.pop(0)))
    return one(*cut, *rest)


def _slice(part: object, length: int | None) -> int | None:
    """How much of an axis `start:stop:step` takes."""
    written = part.get("config", part) if isinstance(part, dict) else None
    if not isinstance(written, dict) or not {"start", "stop", "step"} <= set(written):
        raise Unknown
    ends = [written["start"], written["stop"], written["step"]]
    if any(end is not None and (type(end) is not int or abs(end) > 2**40) for end in ends) or ends[2] == 0:
        raise Unknown
    if length is None:
        if ends in ([None, None, None], [0, None, None], [None, None, 1], [0, None, 1], [None, None, -1]):
            return None
        raise Unknown
    return len(range(*slice(*ends).indices(length)))


def _split(step: Step) -> tuple[Shape | None, ...]:
    shape, parts = step.first, _option(step, "indices_or_sections", 1)
    at = axis_of(_option(step, "axis", 2, 0), len(shape))
    length = shape[at]
    if type(parts) is not int or length is None or not 0 < size(parts) <= 1000 or length % parts:  # noqa: PLR2004
        raise Unknown
    return ((*shape[:at], length // parts, *shape[at + 1 :]),) * parts


def _swap(step: Step) -> tuple[Shape]:
    shape = list(step.first)
    a, b = axis_of(_option(step, "axis1", 1), len(shape)), axis_of(_option(step, "axis2", 2), len(shape))
    shape[a], shape[b] = shape[b], shape[a]
    return one(*shape)


def _ravel(step: Step) -> tuple[Shape]:
    return one(product(step.first))


OPERATIONS: dict[str, Rule] = {
    **dict.fromkeys(_SAME, _same),
    **dict.fromkeys(BY_ELEMENT, _by_element),
    **dict.fromkeys(_REDUCTIONS, _reduced),
    "Reshape": _reshape,
    "Transpose": _transpose,
    "ExpandDims": _expand,
    "Squeeze": _squeeze,
    "Concatenate": _concatenate,
    "Stack": _stack,
    "Matmul": _matmul,
    "GetItem": _item,
    "Split": _split,
    "Swapaxes": _swap,
    "Ravel": _ravel,
}
