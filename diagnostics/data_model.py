"""What a model wants of its data: the shapes of its inputs, whether it scales them, what it looks up, its outputs and losses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .compiled import Loss, by_output, loss_of
from .flow import Flow, flow_of
from .graph import Graph, Layer, Tensor, graph_of
from .heads import Head, heads_of
from .model_file import ModelFile
from .trainable import HAVE_WEIGHTS

_MAX_STEPS = 400
_NORMALIZE = frozenset({
    "Rescaling", "Normalization", "BatchNormalization", "LayerNormalization", "GroupNormalization", "UnitNormalization",
    "RMSNormalization", "Discretization", "Hashing", "CategoryEncoding", "Embedding", "IntegerLookup", "StringLookup",
    "TextVectorization",
})  # fmt: skip
# Layers that hand numbers on as they are, or a part of them.
_AS_THEY_ARE = frozenset({
    "InputLayer", "Flatten", "Reshape", "Permute", "Dropout", "GaussianNoise", "ZeroPadding1D", "ZeroPadding2D",
    "ZeroPadding3D", "MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D", "Resizing", "RandomFlip",
    "RandomRotation", "RandomZoom", "RandomTranslation", "RandomCrop", "CenterCrop", "Cropping2D", "Concatenate", "Masking",
    "Activation", "ReLU", "LeakyReLU", "TimeDistributed",
})  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """One input of a model: its name, its shape (None for axes of any size; without the batch) and its type.

    `shape` is None where the file doesn't say. `batch` is a fixed batch size.
    """

    name: str
    shape: tuple[int | None, ...] | None
    batch: int | None
    dtype: str

    def takes(self, shape: tuple[int, ...]) -> bool:
        """Whether a sample of that shape fits."""
        if self.shape is None or len(self.shape) != len(shape):
            return False
        return all(want is None or want == size for want, size in zip(self.shape, shape, strict=True))

    def __str__(self) -> str:
        """As Keras prints it: "(None, 28, 28, 1)"."""
        axes = (self.batch, *(self.shape or ()))
        return f"({', '.join(str(size) for size in axes)}{',' if len(axes) == 1 else ''})"


@dataclass(frozen=True)
class Target:
    """One output of a model with its loss, None where it isn't known."""

    head: Head
    loss: Loss | None


def wanted_inputs(model: ModelFile) -> tuple[Wanted, ...]:
    """The inputs of a model, in their order; empty where the file doesn't tell."""
    graph = graph_of(model)
    if graph is None:
        return ()
    layers = (_entry(graph, tensor) for tensor in graph.inputs)
    return tuple(_wanted(layer) for layer in layers if layer is not None)


def _entry(graph: Graph, tensor: Tensor) -> Layer | None:
    """The layer that says what an input looks like: of nested models the first one inside."""
    layer = next((layer for layer in graph.layers if layer.name == tensor.layer), None)
    while layer is not None and layer.inner is not None and layer.inner.inputs:
        inner = layer.inner
        layer = next((part for part in inner.layers if part.name == inner.inputs[0].layer), None)
    return layer


def _wanted(layer: Layer) -> Wanted:
    config = layer.config
    written = next((config[k] for k in ("batch_shape", "batch_input_shape") if isinstance(config.get(k), list)), None)
    dtype = config.get("dtype") if layer.class_name == "InputLayer" else None
    sizes = [_size(size) for size in written[:20]] if written else None
    return Wanted(
        layer.name,
        tuple(sizes[1:]) if sizes else None,
        sizes[0] if sizes else None,
        dtype if isinstance(dtype, str) else "",
    )


def _size(size: object) -> int | None:
    return size if type(size) is int and size >= 0 else None


def targets(model: ModelFile) -> tuple[Target, ...]:
    """The outputs of a model with the losses that it was compiled with."""
    graph = graph_of(model)
    heads = heads_of(model, graph) if graph else None
    if not heads:
        return ()
    losses = by_output((model.compiled or {}).get("loss"), heads) or [None] * len(heads)
    return tuple(Target(head, loss_of(loss)) for head, loss in zip(heads, losses, strict=True))


def looks_up(model: ModelFile) -> Iterator[tuple[str, str, int]]:
    """Embeddings that are fed by an input itself: the input's name, the path of the layer, how many ids it has."""
    graph = graph_of(model)
    if graph is None:
        return
    flow = flow_of(graph)
    for path, place in flow.places.items():
        size = place.layer.config.get("input_dim")
        if place.layer.class_name == "Embedding" and type(size) is int and size > 0:
            name = _input_of(flow, path)
            if name is not None:
                yield name, path, size


def _input_of(flow: Flow, path: str) -> str | None:
    """The name of the input that a layer takes as it is."""
    for _ in range(_MAX_STEPS):
        takes = flow.places[path].takes
        if not takes:
            return flow.places[path].layer.name
        source = takes[0][0] if len(takes) == 1 and takes[0] else None
        if source is None or flow.places[source.path].layer.class_name != "InputLayer":
            return None
        path = source.path
    return None


def scaling(model: ModelFile) -> tuple[bool, float | None]:
    """Whether a model may scale what it is fed, and by which factor the first Rescaling does.

    Returns:
        Whether any layer before, or right behind, the first layers with weights normalizes, or is not known; and `scale`
        of a Rescaling among them.
    """
    graph = graph_of(model)
    if graph is None:
        return True, None
    flow = flow_of(graph)
    after: dict[str, list[str]] = {}
    for path, place in flow.places.items():
        for call in place.takes:
            for source in call:
                if source is not None:
                    after.setdefault(source.path, []).append(path)
    waiting = [(path, 0) for path, place in flow.places.items() if not place.takes][:50]
    seen: set[str] = set()
    scales, factor = False, None
    while waiting and len(seen) < _MAX_STEPS:
        path, weighted = waiting.pop()
        layer = flow.places[path].layer
        heavy = layer.class_name in HAVE_WEIGHTS - _NORMALIZE
        if path in seen or weighted + heavy > 1:
            continue
        seen.add(path)
        scales |= layer.class_name in _NORMALIZE or not (heavy or layer.class_name in _AS_THEY_ARE)
        value = layer.config.get("scale")
        if layer.class_name == "Rescaling" and isinstance(value, float) and factor is None:
            factor = value
        waiting += [(next_path, weighted + heavy) for next_path in after.get(path, ())]
    return scales, factor
