"""The variables that a layer will hold, by name and shape, from its configuration and what it is called on."""

from __future__ import annotations

from math import prod

from .graph import Layer
from .shapes_base import LAST_AXIS, Shape, Unfit, Unknown, shown
from .shapes_calls import built_on, is_keras_own
from .variables_kernels import Variables
from .variables_rules import held_by

_NOT_TRAINED = frozenset({"moving_mean", "moving_variance", "mean", "variance", "count", "vector_u"})


def variables_of(layer: Layer, inputs: tuple[Shape | None, ...]) -> Variables | None:
    """The variables of a layer that is called on tensors of these shapes.

    Returns:
        Their shapes by name; those of the layers in a Bidirectional or TimeDistributed have "forward/", "backward/" or
        "layer/" before the name. None where the class, or a size that counts, is not known.
    """
    if layer.module.startswith("keras.src.ops"):
        return {}
    if not is_keras_own(layer):
        return None
    try:
        return held_by(layer.class_name, layer.config, inputs)
    except (Unknown, Unfit):
        return None


def parameters_of(layer: Layer, inputs: tuple[Shape | None, ...]) -> tuple[int, int] | None:
    """How many parameters a layer has: those that training can change, and the others; None where not known.

    A frozen layer (`trainable` false) has none of the first kind.
    """
    found = variables_of(layer, inputs)
    if found is None:
        return None
    fixed = sum(_count(shape) for name, shape in found.items() if name.rpartition("/")[2] in _NOT_TRAINED)
    total = sum(_count(shape) for shape in found.values())
    return (0, total) if layer.config.get("trainable") is False else (total - fixed, fixed)


def _count(shape: Shape) -> int:
    return prod(part or 0 for part in shape)


def check_built(layer: Layer, taken: tuple[Shape | None, ...]) -> None:
    """Refuse what a layer is called on where its variables were made for something else: the file tells both.

    Raises:
        Unfit: a variable would have another shape.
    """
    built = built_on(layer)
    if built is None or len(taken) != 1:
        return
    needed, made = variables_of(layer, taken), variables_of(layer, (built,))
    for name in needed or ():
        if made and name in made and needed and made[name] != needed[name]:
            raise Unfit(
                f"the file says that it was built on {shown(built)}, where its {name} has the shape {shown(made[name])}; on this "
                f"input it would be {shown(needed[name])}: feed it what it was built on, or build and train it anew",
                f"文件里写明它是在 {shown(built)} 上建立的，{name} 的形状是 {shown(made[name])}；而这个输入需要 "
                f"{shown(needed[name])}：请给它原来的输入形状，或重新建立并训练该层",
                LAST_AXIS,
            )
