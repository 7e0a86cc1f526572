"""What comes out of a model: the activation behind each output and the number of units, from the configuration.

Only what the configuration settles is told: an own layer, a merge or an unknown operation at the end makes both unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from .activations import GATED, KERNELS, OWN_LAYERS, activation_of
from .graph import Graph, Layer, Tensor
from .model_file import Json, ModelFile

MAX_OUTPUTS = 64
_MAX_STEPS = 2_000
_MAX_SOFTMAXES = 500

# What these take is what they hand on, number by number or as means and maxima; the first row keeps the last axis too.
_SAME_AXIS = frozenset({
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "ActivityRegularization", "Identity", "RepeatVector",
    "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D",
    "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "GlobalAveragePooling1D", "GlobalAveragePooling2D",
    "GlobalAveragePooling3D", "UpSampling1D", "UpSampling2D", "UpSampling3D", "Cropping1D", "Cropping2D", "Cropping3D",
})  # fmt: skip
_SAME_NUMBERS = _SAME_AXIS | {"Reshape", "Flatten", "Permute", "Squeeze", "ExpandDims", "Transpose"}
_SAME_UNITS = _SAME_AXIS | {"Activation", "BatchNormalization", "LayerNormalization"} | frozenset(OWN_LAYERS)


@dataclass(frozen=True)
class Head:
    """One output of a model.

    `names` are those by which `compile` may call it. `layer` is the path of the layer that computes `activation` (None:
    it can't be told) over `units`, the size of the last axis there; `width` is the last axis of the output itself.
    """

    names: tuple[str, ...]
    layer: str
    activation: str | None = None
    units: int | None = None
    width: int | None = None


@dataclass(frozen=True)
class _Place:
    """A tensor, the graph that it is in, and the path of names that leads there."""

    graph: Graph
    prefix: str
    tensor: Tensor


def heads_of(model: ModelFile, graph: Graph) -> tuple[Head, ...] | None:
    """The outputs of a model in their order; None where they are nested, or more than `MAX_OUTPUTS`."""
    written = _outputs(model, graph)
    if written is None or not 0 < len(written) <= MAX_OUTPUTS:
        return None
    tracer = _Tracer()
    heads = []
    for key, tensor in written:
        names = (tensor.layer,) if key is None else (key, tensor.layer)
        place = _Place(graph, "", tensor)
        heads.append(replace(tracer.head(place), names=names, width=tracer.units(place)))
    return tuple(heads)


def _outputs(model: ModelFile, graph: Graph) -> list[tuple[str | None, Tensor]] | None:
    """Outputs with their keys: `[layer, node, index]`, a list of these, or a dict of these (dict outputs)."""
    config = model.config.get("config") if model.config else None
    written = config.get("output_layers") if isinstance(config, dict) and not graph.sequential else None
    if written is None:
        return [(None, tensor) for tensor in graph.outputs]
    if _tensor(written):
        written = [written]
    if not isinstance(written, list | dict):
        return None
    pairs: list[tuple[str | None, Any]] = (
        list(written.items()) if isinstance(written, dict) else [(None, t) for t in written]
    )
    read = [(key, _tensor(item)) for key, item in pairs]
    found = [(key, tensor) for key, tensor in read if tensor]
    return found if len(found) == len(read) else None


def _tensor(value: object) -> Tensor | None:
    if isinstance(value, list) and len(value) in (3, 4) and isinstance(value[0], str):
        name, node, index = value[:3]
        if type(node) is int and type(index) is int:
            return Tensor(name, node, index)
    return None


def softmaxes_over_one(graph: Graph) -> list[str]:
    """The paths of all layers, in nested models too, that take a softmax over a last axis of size 1."""
    tracer = _Tracer()
    places = (
        _Place(part, prefix, Tensor(layer.name, 0, 0))
        for prefix, part in graph.walk()
        for layer in part.layers
        if activation_of(_unwrapped(layer)) == "softmax"
    )
    heads = (tracer.head(place) for place in islice(places, _MAX_SOFTMAXES))
    return [head.layer for head in heads if head.units == 1]


class _Tracer:
    """Follows tensors back through layers that change neither numbers nor units, and into nested models."""

    def __init__(self) -> None:
        self._indexes: dict[int, dict[str, Layer]] = {}

    def _steps(self, place: _Place) -> Iterator[tuple[_Place, Layer]]:
        """From a tensor back along the first input of each layer; nested models are entered."""
        for _ in range(_MAX_STEPS):
            layer = self._index(place.graph).get(place.tensor.layer)
            if layer is None:
                return
            inner = layer.inner
            if inner is not None and 0 <= place.tensor.index < len(inner.outputs):
                place = _Place(inner, f"{place.prefix}{layer.name}/", inner.outputs[place.tensor.index])
                continue
            if place.tensor.index != 0 or inner is not None:  # states of a recurrent layer, several outputs
                return
            yield place, layer
            source = _source(layer, place.tensor.node)
            if source is None:
                return
            place = replace(place, tensor=source)

    def _index(self, graph: Graph) -> dict[str, Layer]:
        if id(graph) not in self._indexes:
            self._indexes[id(graph)] = {layer.name: layer for layer in graph.layers}
        return self._indexes[id(graph)]

    def head(self, place: _Place) -> Head:
        """The layer whose activation decides which numbers come out."""
        for here, outer in self._steps(place):
            layer = _unwrapped(outer)
            if layer.class_name in _SAME_NUMBERS or _is_linear_activation(layer):
                continue
            name = activation_of(layer)
            axis_is_last = _axis(layer) in (-1, [-1])
            units = self.units(here) if axis_is_last else None
            return Head((), f"{here.prefix}{outer.name}", name, units)
        return Head((), place.tensor.layer)

    def units(self, place: _Place) -> int | None:
        """The size of a tensor's last axis."""
        for _, outer in self._steps(place):
            layer = _unwrapped(outer)
            if _channels_first(layer.config):
                return None
            if layer.class_name in KERNELS | GATED:
                return _written_units(outer, layer)
            if layer.class_name == "Reshape":
                return _last(layer.config.get("target_shape"))
            if layer.class_name == "InputLayer":
                return _last(layer.config.get("batch_shape") or layer.config.get("batch_input_shape"))
            if layer.class_name not in _SAME_UNITS:
                return None
        return None


def _source(layer: Layer, node: int) -> Tensor | None:
    if not layer.calls:
        return None
    call = layer.calls[node] if 0 <= node < len(layer.calls) else layer.calls[-1]
    return call.inputs[0] if call.inputs else None


def _unwrapped(layer: Layer) -> Layer:
    """The layer inside TimeDistributed or Bidirectional."""
    inside = layer.config.get("layer")
    if layer.class_name not in ("TimeDistributed", "Bidirectional") or not isinstance(inside, dict):
        return layer
    config, name = inside.get("config"), inside.get("class_name")
    if not isinstance(config, dict) or not isinstance(name, str):
        return layer
    if layer.class_name == "Bidirectional" and name == "SimpleRNN":
        return replace(layer, class_name="", config={})  # two softmaxes side by side or added up
    return replace(layer, class_name=name, config=config)


def _is_linear_activation(layer: Layer) -> bool:
    return layer.class_name == "Activation" and layer.config.get("activation") == "linear"


def _axis(layer: Layer) -> Any:  # noqa: ANN401 - JSON
    """The axis of a softmax; an operation's axis is an argument of its call, which is not read."""
    if layer.class_name in ("TFOpLambda", "TensorFlowOpLayer"):
        return None
    return layer.config.get("axis", -1) if layer.class_name == "Softmax" else -1


def _channels_first(config: Json) -> bool:
    return config.get("data_format") == "channels_first" or config.get("dim_ordering") == "th"


def _written_units(outer: Layer, layer: Layer) -> int | None:
    if layer.class_name == "EinsumDense":
        return _last(layer.config.get("output_shape"))
    keys = ("units", "filters", "output_dim", "nb_filter")
    number = next((layer.config[key] for key in keys if key in layer.config), None)
    if type(number) is not int or number < 1:
        return None
    doubled = outer.class_name == "Bidirectional" and outer.config.get("merge_mode", "concat") == "concat"
    return 2 * number if doubled else number


def _last(shape: object) -> int | None:
    size = shape[-1] if isinstance(shape, list) and shape else shape
    return size if type(size) is int and size > 0 else None
