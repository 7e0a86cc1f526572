"""How the calls of one graph hang together: calls that are referred to and not there, circles, what an output needs.

A node is one call of a layer, numbered from 0 as in the configuration. A nested model that has an input of its own counts
from 1, because building it was its first call (`kept_nodes` in keras/src/models/functional.py and keras/engine/functional.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .graph import MAX_DEPTH, Graph, Tensor

Node = tuple[str, int]
# Layers that take part in training without leading to an output (keras/engine/base_layer.py, Keras 2.12).
SIDE_EFFECTS = frozenset({"AddLoss", "AddMetric"})


class Connections:
    """The nodes of a functional graph, and the nodes that each takes tensors from."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._layers = {layer.name: layer for layer in graph.layers}
        self._first = {layer.name: 1 for layer in graph.layers if layer.inner is not None}
        highest: dict[str, int] = {}
        for tensor in self._tensors():
            highest[tensor.layer] = max(highest.get(tensor.layer, 0), tensor.node)
        # A nested Sequential model that was built without an input has no call of its own.
        self._first = {name: 1 for name in self._first if highest.get(name, 0) >= len(self._layers[name].calls)}
        self._takes = {
            (layer.name, number): tuple(self._node(tensor) for tensor in call.inputs)
            for layer in graph.layers
            for number, call in enumerate(layer.calls)
        }

    def _tensors(self) -> Iterator[Tensor]:
        for layer in self._graph.layers:
            for call in layer.calls:
                yield from call.inputs
        yield from self._graph.outputs

    def _node(self, tensor: Tensor) -> Node:
        return tensor.layer, max(0, tensor.node - self._first.get(tensor.layer, 0))

    def missing_calls(self) -> list[Tensor]:
        """References to a call, or to an output of a nested model, that is not there; unknown layers are left out."""
        return [t for t in dict.fromkeys(self._tensors()) if t.layer in self._layers and self._is_missing(t)]

    def _is_missing(self, tensor: Tensor) -> bool:
        layer = self._layers[tensor.layer]
        if not layer.calls:  # an input, which Keras always finds, or a layer that nothing is fed to
            return False
        own = self._first.get(tensor.layer, 0)
        outputs = len(layer.inner.outputs) if layer.inner is not None else tensor.index + 1
        return not (0 <= tensor.node < len(layer.calls) + own and 0 <= tensor.index < max(1, outputs))

    def circle(self) -> list[str]:
        """The layers whose calls wait for each other, in the order of the configuration; empty where there are none."""
        waiting = _not_peeled(self._takes)
        behind: dict[Node, list[Node]] = {node: [] for node in waiting}
        for node in waiting:
            for source in self._takes[node]:
                if source in behind:
                    behind[source].append(node)
        return list(dict.fromkeys(layer for layer, _ in _not_peeled(behind)))

    def needed(self) -> set[str]:
        """The layers that an output, or a loss or metric in the graph, is computed from."""
        ends = [self._node(tensor) for tensor in self._graph.outputs]
        ends += [node for node in self._takes if self._layers[node[0]].class_name in SIDE_EFFECTS]
        found: set[Node] = set()
        while ends:
            node = ends.pop()
            if node not in found:
                found.add(node)
                ends += self._takes.get(node, ())
        return {layer for layer, _ in found}


def _not_peeled(takes: Mapping[Node, Sequence[Node]]) -> list[Node]:
    """The nodes that are left when, over and over, each is taken away whose sources are all gone."""
    missing = {node: sum(source in takes for source in sources) for node, sources in takes.items()}
    users: dict[Node, list[Node]] = {}
    for node, sources in takes.items():
        for source in sources:
            users.setdefault(source, []).append(node)
    ready = [node for node, number in missing.items() if not number]
    while ready:
        done = ready.pop()
        del missing[done]
        for user in users.get(done, ()):
            missing[user] -= 1
            if not missing[user]:
                ready.append(user)
    return [node for node in takes if node in missing]


def wrongly_called(graph: Graph) -> dict[str, tuple[int, int]]:
    """Nested functional models that a call gives more or fewer tensors than they have inputs: both numbers, by name."""
    found: dict[str, tuple[int, int]] = {}
    for layer in graph.layers:
        expected = len(layer.inner.inputs) if layer.inner is not None and not layer.inner.sequential else 0
        for call in layer.calls if expected else ():
            first = _first_argument(call.written)
            given = _leaves(first)
            too_many = given > expected and not isinstance(first, dict)  # further keys of a dict are ignored
            if given < expected or too_many:
                found[layer.name] = (given, expected)
    return found


def _first_argument(node: Any) -> Any:  # noqa: ANN401 - JSON
    """What a call was given first: in Keras 3 `args[0]`, in Keras 2 the node itself, a list or dict of references."""
    if isinstance(node, dict) and isinstance(node.get("args"), list):
        return node["args"][0] if node["args"] else []
    return node


def _leaves(value: Any, depth: int = 0) -> int:  # noqa: ANN401 - JSON
    """Tensors in a structure, None (an optional input left away) counted as one."""
    if depth > MAX_DEPTH:
        return 0
    is_reference = isinstance(value, list) and len(value) > 1 and isinstance(value[0], str)
    if is_reference or not isinstance(value, list | dict):
        return 1
    if isinstance(value, dict):
        if "class_name" in value:
            return 1
        return sum(_leaves(part, depth + 1) for part in value.values())
    return sum(_leaves(part, depth + 1) for part in value)
