"""Who feeds whom across nested models: the graph of a model laid flat, each layer under the path that leads to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from .graph import Graph, Layer, Tensor

MAX_CALLS = 64
MAX_STEPS = 200


@dataclass(frozen=True)
class Source:
    """One output of one layer that is no model: the layer's path and the output's position."""

    path: str
    index: int


@dataclass(frozen=True)
class Place:
    """A layer that is no model, at its path ("inner/dense"). `takes` has what each call takes, None where unknown.

    The input of a nested model takes what the model is called on.
    """

    path: str
    layer: Layer
    takes: tuple[tuple[Source | None, ...], ...]


@dataclass(frozen=True)
class Flow:
    """All layers of a model by path, and the layers that its outputs come from."""

    places: dict[str, Place]
    outputs: tuple[Source, ...]

    def upstream(self, start: Source | None, through: Callable[[Place], bool]) -> Iterator[tuple[Place, int]]:
        """The layers before a tensor, nearest first, each with the position of the output that is used.

        Args:
            start: the tensor.
            through: whether to look behind a layer too. Inputs of nested models are looked through and not given. A
                layer that is called several times ends the way: which of the calls was meant is not followed.
        """
        source = start
        for _ in range(MAX_STEPS):
            place = self.places.get(source.path) if source else None
            if place is None or source is None:
                return
            is_input = place.layer.class_name == "InputLayer"
            if not is_input:
                yield place, source.index
            if len(place.takes) != 1 or not place.takes[0] or not (is_input or through(place)):
                return
            source = place.takes[0][0]


@lru_cache(maxsize=4)
def flow_of(graph: Graph) -> Flow:
    """Lay a graph and all models nested in it flat."""
    names = {id(part): {layer.name: layer for layer in part.layers} for _, part in graph.walk()}
    places: dict[str, Place] = {}
    _lay(graph, "", {}, names, places)
    ends = [_resolve(tensor, graph, "", names) for tensor in graph.outputs]
    return Flow(places, tuple(end for end in ends if end is not None))


_Call = tuple[Source | None, ...]
_Names = dict[int, dict[str, Layer]]


def _lay(graph: Graph, prefix: str, entries: dict[str, list[_Call]], names: _Names, places: dict[str, Place]) -> None:
    for layer in graph.layers:
        calls = [tuple(_resolve(t, graph, prefix, names) for t in call.inputs) for call in layer.calls[:MAX_CALLS]]
        calls = [*calls, *entries.get(layer.name, [])][:MAX_CALLS]
        path = f"{prefix}{layer.name}"
        if layer.inner is None:
            places[path] = Place(path, layer, tuple(calls))
        else:
            _lay(layer.inner, f"{path}/", _entries(layer.inner, calls), names, places)


def _entries(inner: Graph, calls: list[_Call]) -> dict[str, list[_Call]]:
    """What the calls of a nested model hand to its inputs; nothing where their numbers differ."""
    entries: dict[str, list[_Call]] = {}
    for call in calls:
        if len(call) != len(inner.inputs):
            continue
        for end, source in zip(inner.inputs, call, strict=True):
            entries.setdefault(end.layer, []).append((source,))
    return entries


def _resolve(tensor: Tensor, graph: Graph, prefix: str, names: _Names) -> Source | None:
    """The layer behind a tensor: the output of a nested model is that of a layer in it."""
    layer = names[id(graph)].get(tensor.layer)
    while layer is not None and layer.inner is not None:
        if not 0 <= tensor.index < len(layer.inner.outputs):
            return None
        prefix += f"{layer.name}/"
        tensor = layer.inner.outputs[tensor.index]
        layer = names[id(layer.inner)].get(tensor.layer)
    return Source(f"{prefix}{layer.name}", tensor.index) if layer is not None else None
