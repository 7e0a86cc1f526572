"""How much of the gradient is left at the start of a plain stack of layers when training begins, from the configuration.

A kernel of variance `scale / fan` multiplies the variance of what goes back through it by `scale`; an activation takes its share
away: a sigmoid's slope is at most 1/4, a ReLU lets half of the variance through (He et al. 2015, section 2.2,
https://arxiv.org/abs/1502.01852; Glorot and Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html). Both are counted in
halvings of the gradient. A merge, a normalization or a layer of which nothing is known begins a new stack.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from .flow import Flow, Place
from .graph import Layer
from .settings import AFFINE, DROPOUTS, activation_name, kernel_scale
from .trainable import trains

_HALVINGS = {"sigmoid": 2.0, "hard_sigmoid": 2.0, "softmax": 2.0, "relu": 0.5, "relu6": 0.5, "linear": 0.0, "tanh": 0.0}
_PASSING = DROPOUTS | {
    "InputLayer", "Flatten", "Reshape", "Permute", "Identity", "GaussianNoise", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
    "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D",
}  # fmt: skip


@dataclass(frozen=True)
class Stack:
    """A chain of layers: the first and last with a kernel, their number, the activations between, the gradient's halvings."""

    first: str = ""
    last: str = ""
    kernels: int = 0
    halvings: float = 0.0
    activations: tuple[str, ...] = ()


_NONE = Stack()


def worst_stack(flow: Flow) -> Stack:
    """The stack that weakens the gradient most on its way from the input of the last kernel back to the first."""
    ends = {source.path for source in flow.outputs}
    after: dict[str, Stack] = {}
    worst = _NONE
    for place in flow.places.values():
        before = _before(place, after, ends)
        if place.layer.class_name in AFFINE and before.halvings > worst.halvings:
            worst = replace(before, last=place.path, kernels=before.kernels + 1)
        after[place.path] = _behind(place, before)
    return worst


def _before(place: Place, after: dict[str, Stack], ends: set[str]) -> Stack:
    """What is known of the one tensor that a layer takes; an output of the model has a loss, and so a gradient of its own."""
    if len(place.takes) != 1 or len(place.takes[0]) != 1 or place.takes[0][0] is None:
        return _NONE
    source = place.takes[0][0].path
    return _NONE if source in ends else after.get(source, _NONE)


def _behind(place: Place, before: Stack) -> Stack:
    layer = place.layer
    if layer.class_name in _PASSING:
        return before
    if layer.class_name in AFFINE:
        scale = kernel_scale(layer) if trains(layer) else None
        lost = _HALVINGS.get(activation_name(layer) or "")
        if scale is None or lost is None:
            return _NONE
        first = before.first or place.path
        begun = replace(before, first=first, kernels=before.kernels + 1)
        return _less(begun, lost - math.log2(scale) / 2, activation_name(layer))
    activation = _activation_of(layer)
    if activation not in _HALVINGS or not before.first:
        return _NONE
    return _less(before, _HALVINGS[activation], activation)


def _activation_of(layer: Layer) -> str:
    if layer.class_name == "ReLU":
        return "" if layer.config.get("negative_slope") else "relu"
    if layer.class_name == "Softmax":
        return "softmax"
    return (activation_name(layer) or "") if layer.class_name == "Activation" else ""


def _less(stack: Stack, lost: float, activation: str | None) -> Stack:
    named = () if activation in (None, "linear", *stack.activations) else (str(activation),)
    return replace(stack, halvings=stack.halvings + lost, activations=(*stack.activations, *named))
