"""What a layer's configuration says of its kernel, its activation and its regularizers, in the forms of Keras 1 to 3."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .graph import Layer

AFFINE = frozenset({
    "Dense", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose",
})  # fmt: skip
DROPOUTS = frozenset({
    "Dropout", "AlphaDropout", "GaussianDropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
})  # fmt: skip
_CONSTANTS = {"zero": 0.0, "zeros": 0.0, "Zeros": 0.0, "one": 1.0, "ones": 1.0, "Ones": 1.0}
# The variance that an initializer gives a kernel, times its fan (keras/src/initializers/random_initializers.py).
_SCALES = {
    "glorotuniform": 1.0, "glorotnormal": 1.0, "lecununiform": 1.0, "lecunnormal": 1.0, "heuniform": 2.0, "henormal": 2.0,
}  # fmt: skip
_REGULARIZERS = (
    "kernel_regularizer",
    "bias_regularizer",
    "activity_regularizer",
    "embeddings_regularizer",
    "W_regularizer",
)


@dataclass(frozen=True)
class Penalty:
    """A regularizer of a layer: the argument that it was given as, `l1` or `l2`, and its factor."""

    argument: str
    kind: str
    factor: float


def number(value: object) -> float | None:
    """A finite number of a configuration as a float; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        read = float(value)
    except OverflowError:
        return None
    return read if math.isfinite(read) else None


def _object(written: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401 - JSON
    """Class and arguments of something that Keras wrote as a name or as an object."""
    if isinstance(written, dict) and isinstance(written.get("class_name"), str):
        config = written.get("config")
        return written["class_name"], config if isinstance(config, dict) else {}
    return (written, {}) if isinstance(written, str) else ("", {})


def _kernel(layer: Layer) -> tuple[str, dict[str, Any]]:
    return _object(layer.config.get("kernel_initializer", layer.config.get("init")))


def constant_kernel(layer: Layer) -> float | None:
    """The one number that all of a layer's kernel starts with; None where the numbers differ or it can't be told."""
    return _constant(*_kernel(layer))


def has_constant_bias(layer: Layer) -> bool:
    """Whether all of a layer's biases start alike, or it has none; Keras 1 and every default start with zeros."""
    written = layer.config.get("bias_initializer")
    return layer.config.get("use_bias") is False or written is None or _constant(*_object(written)) is not None


def _constant(name: str, config: dict[str, Any]) -> float | None:
    if name in ("Constant", "constant"):
        return number(config.get("value", 0.0))
    return _CONSTANTS.get(name)


def kernel_scale(layer: Layer) -> float | None:
    """Variance times fan with which a kernel starts: 1 for Glorot and LeCun, 2 for He; None for others."""
    name, config = _kernel(layer)
    if name in ("VarianceScaling", "variance_scaling"):
        scale = number(config.get("scale", 1.0))
        return scale if scale and scale > 0 else None
    return _SCALES.get(name.replace("_", "").lower())


def activation_name(layer: Layer) -> str | None:
    """The activation of a layer that has one, by name; "linear" where none is given, None where it is no name."""
    written = layer.config.get("activation")
    if written is None:
        return "linear"
    if isinstance(written, dict):
        _, config = _object(written)
        inner = written.get("config")
        written = inner if isinstance(inner, str) else config.get("name")
    return written if isinstance(written, str) else None


def penalties(layer: Layer) -> Iterator[Penalty]:
    """The L1 and L2 regularizers of a layer."""
    for argument in _REGULARIZERS:
        name, config = _object(layer.config.get(argument))
        if name.lower() in ("l1", "l2", "l1l2", "l1_l2", "weightregularizer", "activityregularizer"):
            for kind in ("l1", "l2"):
                if (factor := number(config.get(kind))) is not None:
                    yield Penalty(argument, kind, factor)
