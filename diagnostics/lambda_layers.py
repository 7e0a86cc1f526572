"""Which layer of Keras, free of code, computes what a lambda computes.

The names in a lambda (`K`, `tf`) are taken for what everyone calls them; what a file's author bound to them is not in the file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .graph_edit import Shape, Written
from .lambda_expression import Apply, Argument, Constant, Expression

_PREFIXES = (
    ("tensorflow.keras.backend.", "K:"), ("tf.keras.backend.", "K:"), ("keras.backend.", "K:"), ("backend.", "K:"),
    ("K.", "K:"), ("tensorflow.keras.activations.", "a:"), ("tf.keras.activations.", "a:"), ("keras.activations.", "a:"),
    ("activations.", "a:"), ("keras.ops.", "o:"), ("ops.", "o:"), ("tensorflow.", "t:"), ("tf.", "t:"),
)  # fmt: skip
# Functions of one tensor that are an activation of Keras by the same definition in Keras 2 and 3.
_ACTIVATIONS = {
    **{f"K:{name}": name for name in ("relu", "softmax", "sigmoid", "tanh", "softplus", "softsign", "elu")},
    **{f"a:{name}": name for name in ("relu", "softmax", "sigmoid", "tanh", "softplus", "softsign", "elu", "selu", "swish",
                                      "gelu", "exponential", "linear")},
    **{f"o:{name}": name for name in ("relu", "softmax", "sigmoid", "tanh", "softplus", "softsign", "elu", "selu", "silu")},
    **{f"t:nn.{name}": name for name in ("relu", "softmax", "sigmoid", "tanh", "softplus", "softsign", "elu", "selu",
                                         "swish", "silu")},
    "t:sigmoid": "sigmoid", "t:tanh": "tanh", "t:math.sigmoid": "sigmoid", "t:math.tanh": "tanh", "t:exp": "exponential",
    "t:math.softplus": "softplus", "K:exp": "exponential", "o:exp": "exponential", "t:math.exp": "exponential",
    "t:identity": "linear", "t:stop_gradient": "", "K:identity": "linear",
}  # fmt: skip
_SAME = {"silu": "swish"}  # the name that both Kerases know
_NORMALIZE = frozenset({"K:l2_normalize", "t:nn.l2_normalize", "t:math.l2_normalize", "t:linalg.l2_normalize"})
_MEAN = {"K:mean": "Average", "t:reduce_mean": "Average", "t:math.reduce_mean": "Average", "o:mean": "Average",
         "K:max": "Max", "t:reduce_max": "Max", "t:math.reduce_max": "Max", "o:max": "Max"}  # fmt: skip
_LARGEST = 1e30
_MOST_FACTORS = 4


@dataclass(frozen=True)
class Known:
    """A layer that does the same; `power` above 1 where it is Multiply and takes its input so many times."""

    written: Written
    power: int = 1


def layer_for(result: Expression, values: dict[int, Any], shape: Shape | None) -> Known | None:
    """The layer that computes an expression of the first argument; None where there is none in both Kerases.

    Args:
        result: what the lambda returns.
        values: the other arguments' values, by position.
        shape: what the layer takes, batch included, with None for open lengths; None where that is not known.
    """
    scaled = _affine(result, values)
    if scaled == (1.0, 0.0):
        return Known(("Activation", {"activation": "linear"}))
    if scaled is not None:
        return Known(("Rescaling", {"scale": scaled[0], "offset": scaled[1]}))
    power = _power(result, values)
    if power:
        return Known(("Multiply", {}), power)
    if not isinstance(result, Apply) or not result.arguments or result.arguments[0] != Argument(0):
        return None
    function = next((f"{short}{result.function[len(long):]}" for long, short in _PREFIXES
                     if result.function.startswith(long)), "")  # fmt: skip
    given = [_value(each, values) for each in result.arguments[1:]]
    named = {name: _value(each, values) for name, each in result.keywords}
    written = _function(function, given, named, shape)
    return Known(written) if written else None


class _Open:
    """Stands for what is no constant."""


def _value(expression: Expression, values: dict[int, Any]) -> Any:  # noqa: ANN401
    if isinstance(expression, Constant):
        return expression.value
    if isinstance(expression, Argument):
        return values.get(expression.position, _Open)
    return _Open


def _number(expression: Expression, values: dict[int, Any]) -> float | None:
    value = _value(expression, values)
    if type(value) not in (int, float) or not abs(value) <= _LARGEST:
        return None
    return float(value)


def _affine(expression: Expression, values: dict[int, Any]) -> tuple[float, float] | None:
    """(a, b) where it is a * x + b."""
    if expression == Argument(0):
        return 1.0, 0.0
    if not isinstance(expression, Apply) or expression.keywords:
        return None
    sides = expression.arguments
    if expression.function == "-x":
        inner = _affine(sides[0], values)
        return (-inner[0], -inner[1]) if inner else None
    if expression.function not in ("+", "-", "*", "/"):
        return None
    left, right = _affine(sides[0], values), _affine(sides[1], values)
    number = _number(sides[1] if left else sides[0], values)
    if number is None or (left is None) == (right is None):
        return None
    found = _with_number(expression.function, left, right or (0.0, 0.0), number)
    return found if found and all(abs(each) < _LARGEST for each in found) else None


def _with_number(
    sign: str, left: tuple[float, float] | None, right: tuple[float, float], number: float
) -> tuple[float, float] | None:
    a, b = left or right
    if sign == "+":
        return a, b + number
    if sign == "*":
        return a * number, b * number
    if sign == "-":
        return (a, b - number) if left else (-a, number - b)
    return (a / number, b / number) if left and number else None


def _power(expression: Expression, values: dict[int, Any]) -> int:
    """How many times x is multiplied with itself, 0 where it is something else."""
    if not isinstance(expression, Apply):
        return 0
    if expression.function == "*" and expression.arguments == (Argument(0), Argument(0)):
        return 2
    if expression.function in ("K.square", "tf.square", "tf.math.square", "keras.backend.square", "keras.ops.square"):
        return 2 if expression.arguments == (Argument(0),) and not expression.keywords else 0
    if expression.function in ("**", "K.pow", "tf.pow", "tf.math.pow") and len(expression.arguments) == 2:  # noqa: PLR2004
        number = _number(expression.arguments[1], values)
        if expression.arguments[0] == Argument(0) and number in range(2, _MOST_FACTORS + 1):
            return int(number or 0)
    return 0


def _function(function: str, given: list[Any], named: dict[str, Any], shape: Shape | None) -> Written | None:
    if function in _ACTIVATIONS:
        name = _ACTIVATIONS[function]
        return ("Activation", {"activation": _SAME.get(name, name)}) if name and not given and not named else None
    if function in _NORMALIZE:
        axis = _axes(_only(given, named, "axis", "dim"))
        return ("UnitNormalization", {"axis": axis[0]}) if len(axis) == 1 and axis[0] != 0 else None
    return _reshaping(function, given, named, shape) if shape is not None else None


def _reshaping(function: str, given: list[Any], named: dict[str, Any], shape: Shape) -> Written | None:
    """What depends on the shape that the layer takes."""
    plain = function.partition(":")[2].removeprefix("math.")
    if plain == "expand_dims":
        axis = _axes(_only(given, named, "axis") if given or named else (-1 if function == "K:expand_dims" else None))
        return _expanded(shape, axis[0]) if len(axis) == 1 else None
    if plain == "squeeze":
        return _squeezed(shape, _axes(_only(given, named, "axis")))
    if plain == "reshape":
        return _reshaped(shape, _only(given, named, "shape", "newshape"))
    if function in _MEAN:
        rest = {name: value for name, value in named.items() if name != "keepdims"}
        return _pooled(shape, _axes(_only(given, rest, "axis")), _MEAN[function], keep=named.get("keepdims", False))
    return None


def _only(given: list[Any], named: dict[str, Any], *names: str) -> Any:  # noqa: ANN401
    """The one further argument of a function, by position or under one of its names."""
    if len(given) + len(named) != 1:
        return _Open
    return given[0] if given else next((named[name] for name in names if name in named), _Open)


def _axes(value: Any) -> tuple[int, ...]:  # noqa: ANN401
    axes = value if isinstance(value, tuple) else (value,)
    return axes if all(type(each) is int and abs(each) < 8 for each in axes) else ()  # noqa: PLR2004


def _reshape(sizes: list[int | None]) -> Written | None:
    """Reshape to sizes, of which one may be open."""
    if sizes.count(None) > 1 or any(n is not None and (type(n) is not int or n < 1) for n in sizes):
        return None
    return "Reshape", {"target_shape": [-1 if n is None else n for n in sizes]}


def _expanded(shape: Shape, axis: int) -> Written | None:
    place = axis + len(shape) + 1 if axis < 0 else axis
    if not 0 < place <= len(shape):
        return None
    return _reshape([*shape[1:place], 1, *shape[place:]])


def _squeezed(shape: Shape, axes: tuple[int, ...]) -> Written | None:
    places = {axis % len(shape) if -len(shape) <= axis < len(shape) else 0 for axis in axes}
    if not places or 0 in places or any(shape[place] != 1 for place in places):
        return None
    return _reshape([n for i, n in enumerate(shape) if i and i not in places])


def _reshaped(shape: Shape, target: Any) -> Written | None:  # noqa: ANN401
    if not isinstance(target, tuple) or len(target) < 2 or target[0] != -1 or None in shape[1:]:  # noqa: PLR2004
        return None
    sizes = target[1:]
    if any(type(n) is not int or n < 1 for n in sizes):
        return None
    same = math.prod(n for n in shape[1:] if n is not None) == math.prod(sizes)
    return _reshape(list(sizes)) if same else None


def _pooled(shape: Shape, axes: tuple[int, ...], kind: str, *, keep: object) -> Written | None:
    """A mean or maximum over all axes between batch and channels."""
    rank = len(shape)
    places = {axis % rank if -rank <= axis < rank else 0 for axis in axes}
    if rank not in (3, 4, 5) or places != set(range(1, rank - 1)) or type(keep) is not bool:
        return None
    return f"Global{kind}Pooling{rank - 2}D", {"keepdims": keep, "data_format": "channels_last"}
