"""What the weight probes ask of a layer: what its numbers pass through, between which bounds its input lies."""

from __future__ import annotations

import math
from typing import Any

from .flow import Flow, Place
from .graph import Layer
from .weights import Variable, Weights

# Layers with a kernel whose last axis is that of their units or filters.
PER_UNIT = frozenset({"Dense", "Conv1D", "Conv2D", "Conv3D"})
# Keras 1 names.
_OLD_CLASSES = {"Convolution1D": "Conv1D", "Convolution2D": "Conv2D", "Convolution3D": "Conv3D"}
# Inference hands each value on, takes the largest or the mean of some, or adds zeros: bounds that include 0 hold behind them.
_KEEP_BOUNDS = frozenset({
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout", "GaussianDropout", "GaussianNoise",
    "Flatten", "Reshape", "Permute", "RepeatVector", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "AveragePooling1D",
    "AveragePooling2D", "AveragePooling3D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "ZeroPadding1D", "ZeroPadding2D",
    "ZeroPadding3D", "Cropping1D", "Cropping2D", "Cropping3D", "UpSampling1D", "Identity",
})  # fmt: skip
_BOUNDS = {
    "relu": (0.0, math.inf), "relu6": (0.0, 6.0), "softplus": (0.0, math.inf), "exponential": (0.0, math.inf),
    "sigmoid": (0.0, 1.0), "hard_sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0), "softsign": (-1.0, 1.0),
}  # fmt: skip
_UNBOUNDED = (-math.inf, math.inf)
MAX_KERNEL = 4_000_000  # numbers; larger ones are not read for what they reach


def class_of(layer: Layer) -> str:
    """The class of a layer under its present name."""
    return _OLD_CLASSES.get(layer.class_name, layer.class_name)


def activation_of(layer: Layer) -> str:
    """What a layer applies last: "relu", "linear", ..., "" where it can't be told."""
    if layer.class_name == "ReLU":
        config = layer.config
        plain = not config.get("negative_slope") and not config.get("threshold") and config.get("max_value") is None
        return "relu" if plain else ""
    if layer.class_name == "Softmax":
        return "softmax"
    written = layer.config.get("activation", "linear")
    if isinstance(written, dict):
        written = written.get("config")
    return written if isinstance(written, str) else ""


def takers(flow: Flow) -> dict[str, list[Place]]:
    """Who takes the output of each layer, by its path."""
    found: dict[str, list[Place]] = {}
    for place in flow.places.values():
        for source in {source for call in place.takes for source in call if source}:
            found.setdefault(source.path, []).append(place)
    return found


def behind(place: Place, taken: dict[str, list[Place]], outputs: frozenset[str]) -> str:
    """The activation that the numbers of a layer pass: its own, or that of the only layer that takes them."""
    own = activation_of(place.layer)
    followers = taken.get(place.path, [])
    if own != "linear" or place.path in outputs or len(followers) != 1:
        return own
    follower = followers[0].layer
    return activation_of(follower) if follower.class_name in ("Activation", "ReLU", "Softmax") else own


def input_bounds(flow: Flow, place: Place) -> tuple[float, float]:
    """Between which bounds everything that arrives in a layer lies, as far as its feeders' activations tell."""
    start = place.takes[0][0] if len(place.takes) == 1 and len(place.takes[0]) == 1 else None
    for found, index in flow.upstream(start, lambda p: p.layer.class_name in _KEEP_BOUNDS):
        if found.layer.class_name in _KEEP_BOUNDS:
            continue
        if index == 0 and (
            class_of(found.layer) in PER_UNIT or found.layer.class_name in ("Activation", "ReLU", "Softmax")
        ):
            return _BOUNDS.get(activation_of(found.layer), _UNBOUNDED)
        return _UNBOUNDED
    return _UNBOUNDED


def kernel_and_bias(weights: Weights, place: Place) -> tuple[Variable, Variable | None] | None:
    """The kernel and bias of a layer whose kernel's last axis is that of its units; None where they don't stand so."""
    own = weights.layers.get(place.path, {})
    kernel, bias = own.get("kernel"), own.get("bias")
    if class_of(place.layer) not in PER_UNIT or kernel is None or not kernel.is_float or len(kernel.shape) < 2:  # noqa: PLR2004
        return None
    if bias is not None and bias.shape != kernel.shape[-1:]:
        return None
    return kernel, bias


def is_trained(layer: Layer) -> bool:
    """Whether training changes the layer's weights, as far as its own configuration tells."""
    return layer.config.get("trainable") is not False


def initializer(layer: Layer, name: str) -> str:
    """The class of the initializer of a variable ("GlorotUniform", "Zeros"), "" where the file doesn't say."""
    written: Any = layer.config.get(f"{name}_initializer", "")
    if isinstance(written, dict):
        written = written.get("class_name")
    return written.rpartition(">")[2] if isinstance(written, str) else ""


def kernel_form(layer: Layer) -> tuple[tuple[int, ...], int] | None:
    """The window and the number of filters of a convolution, as its configuration has them (Keras 1's names too)."""
    config = layer.config
    if class_of(layer) not in PER_UNIT - {"Dense"}:
        return None
    size = (
        config.get("kernel_size")
        or [config[k] for k in ("nb_row", "nb_col") if k in config]
        or config.get("filter_length")
    )
    size = [size] if isinstance(size, int) else size
    filters = config.get("filters", config.get("nb_filter"))
    if not isinstance(size, list) or not all(type(n) is int for n in size) or type(filters) is not int:
        return None
    return tuple(size), filters


def fits_theano_only(layer: Layer, shape: tuple[int, ...]) -> bool:
    """Whether a kernel's axes fit as (filters, channels, window) and not as TensorFlow's (window, channels, filters)."""
    form = kernel_form(layer)
    if form is None or len(shape) != len(form[0]) + 2:
        return False
    window, filters = form
    fits = shape[:-2] == window and shape[-1] == filters
    return not fits and shape[2:] == window and shape[0] == filters


def reach(kernel: Variable, bias: Variable | None, bounds: tuple[float, float]) -> tuple[Any, Any] | None:
    """The lowest and highest sum of each unit for inputs within bounds; None where nothing is finite."""
    import numpy as np  # noqa: PLC0415

    if kernel.statistics.nan or kernel.statistics.infinite or (bias and bias.statistics.nan + bias.statistics.infinite):
        return None
    with np.errstate(all="ignore"):
        return _sums(kernel, bias, bounds)


def usual(kernel: Variable, bias: Variable | None) -> tuple[Any, Any]:
    """The mean and the standard deviation of each unit's sum for independent inputs of mean 0 and variance 1."""
    import numpy as np  # noqa: PLC0415

    rows = kernel.values().reshape(-1, kernel.shape[-1]).astype(np.float64)
    offset = bias.values().astype(np.float64) if bias else np.zeros(kernel.shape[-1])
    with np.errstate(all="ignore"):  # a file may hold any number
        return offset, np.sqrt(np.square(rows).sum(axis=0))


def _sums(kernel: Variable, bias: Variable | None, bounds: tuple[float, float]) -> tuple[Any, Any]:
    import numpy as np  # noqa: PLC0415

    rows = kernel.values().reshape(-1, kernel.shape[-1]).astype(np.float64)
    up, down = np.maximum(rows, 0).sum(axis=0), np.minimum(rows, 0).sum(axis=0)
    offset = bias.values().astype(np.float64) if bias else np.zeros(kernel.shape[-1])
    low, high = bounds
    return offset + _times(up, low) + _times(down, high), offset + _times(up, high) + _times(down, low)


def _times(sums: Any, bound: float) -> Any:  # noqa: ANN401
    import numpy as np  # noqa: PLC0415

    return (
        sums * bound
        if math.isfinite(bound)
        else np.where(sums == 0, 0.0, np.copysign(math.inf, np.sign(sums) * np.sign(bound)))
    )
