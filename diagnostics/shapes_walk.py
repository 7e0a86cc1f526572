"""The walk behind `shapes_of`: models are called on shapes, their layers as soon as what they take is there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import SubjectError
from ..knowledge.lines import Line
from ..knowledge.text import Text
from .graph import MAX_DEPTH, Graph, Layer, Tensor, graph_in
from .model_file import Json
from .shapes_base import MAX_AXES, Operand, Rule, Shape, Step, Unfit, Unknown, operands, shown
from .shapes_calls import arguments, declared, first_nodes, is_keras_own, told_shapes
from .shapes_conv import RULES as _CONV
from .shapes_core import RULES as _CORE
from .shapes_merge import RULES as _MERGE
from .shapes_norm import RULES as _NORM
from .shapes_ops import OPERATIONS
from .shapes_pool import RULES as _POOL
from .shapes_recurrent import RULES as _RECURRENT
from .shapes_recurrent import layer_in
from .shapes_tensorflow import from_tensorflow
from .variables import check_built
from .wording import names_en, names_zh

MAX_STEPS = 100_000
MAX_MISFITS = 100
RULES: dict[str, Rule] = {
    **_CONV, **_POOL, **_NORM, **_CORE, **_MERGE, **_RECURRENT, "TFOpLambda": from_tensorflow, "SlicingOpLambda": from_tensorflow,
}  # fmt: skip
_Outputs = tuple[Shape | None, ...]
_Key = tuple[str, int]


@dataclass(frozen=True)
class Misfit:
    """A call that Keras refuses: the layer's path, what is wrong with the change that mends it, and the topics it confirms."""

    path: str
    text: Text
    confirms: tuple[str, ...]


class Walk:
    """One pass through a model: what was found so far."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.outputs: dict[str, _Outputs] = {}
        self.inputs: dict[str, _Outputs] = {}
        self.misfits: dict[tuple[str, Text], Misfit] = {}
        self.steps = 0
        self.depth = 0
        self.parsed: dict[int, Graph | None] = {}
        self._walked: dict[tuple[int, str, _Outputs], _Outputs] = {}

    def model(self, graph: Graph, prefix: str, given: _Outputs) -> _Outputs:
        """The outputs of a model that is called on `given`, () for what its inputs declare."""
        key = (id(graph), prefix, given)
        if key not in self._walked:
            self._walked[key] = ()
            self._walked[key] = _Called(self, graph, prefix, given).outputs()
        return self._walked[key]

    def layer(self, layer: Layer, path: str, args: tuple[Any, ...], kwargs: Json) -> _Outputs | None:
        """The outputs of one call, () where they are unknown; None where Keras refuses it, which is kept as a misfit."""
        self.steps += 1
        taken = tuple(operand.shape for operand in operands([*args, kwargs]))
        if self.steps > MAX_STEPS:
            return ()
        if layer.inner is not None:
            return self.model(layer.inner, f"{path}/", taken)
        self.inputs.setdefault(path, taken)
        try:
            found = self._apply(layer, args, kwargs)
            check_built(layer, taken)
        except Unfit as unfit:
            self._keep(path, layer, taken, unfit)
            return None
        except Unknown:
            return ()
        return found

    def _apply(self, layer: Layer, args: tuple[Any, ...], kwargs: Json) -> _Outputs:
        operation = layer.module.startswith("keras.src.ops")
        rule = OPERATIONS.get(layer.class_name) if operation else RULES.get(layer.class_name)
        if rule is None or not is_keras_own(layer):
            raise Unknown
        return rule(Step(layer.class_name, layer.config, args, kwargs, self.line, self.inside))

    def inside(self, written: Any, shape: Shape) -> _Outputs:  # noqa: ANN401 - JSON
        """The outputs of a layer or model that a wrapper holds."""
        class_name, config = layer_in(written)
        if self.depth > MAX_DEPTH or self.steps > MAX_STEPS:
            raise Unknown
        self.depth += 1
        self.steps += 1
        try:
            if (graph := self._graph(written)) is not None:
                return self._inside_model(graph, shape)
            origin, registered = str(written.get("module") or ""), str(written.get("registered_name") or "")
            held = Layer(class_name, class_name, origin, config, (), registered=registered)
            return self._apply(held, (Operand(shape),), {})
        finally:
            self.depth -= 1

    def _graph(self, written: Json) -> Graph | None:
        if id(written) not in self.parsed:
            try:
                self.parsed[id(written)] = graph_in(written)
            except SubjectError:
                raise Unknown from None
        return self.parsed[id(written)]

    def _inside_model(self, graph: Graph, shape: Shape) -> _Outputs:
        walk = Walk(self.line)
        walk.steps, walk.depth, walk.parsed = self.steps, self.depth, self.parsed
        found = walk.model(graph, "", (shape,))
        self.steps = walk.steps
        for misfit in walk.misfits.values():
            raise Unfit(misfit.text.en, misfit.text.zh, *misfit.confirms)
        return found

    def _keep(self, path: str, layer: Layer, taken: _Outputs, unfit: Unfit) -> None:
        shapes = ", ".join(shown(shape) for shape in taken[:4]) + (" ..." if len(taken) > 4 else "")  # noqa: PLR2004
        text = Text(
            f"{names_en([path])} ({layer.class_name}) is called on {shapes}: {unfit.text.en}",
            f"{names_zh([path])}（{layer.class_name}）的输入是 {shapes}：{unfit.text.zh}",
        )
        if len(self.misfits) < MAX_MISFITS:
            self.misfits.setdefault((path, text), Misfit(path, text, unfit.confirms))


class _Called:
    """One call of one model: its layers are called as soon as what they take is there."""

    def __init__(self, walk: Walk, graph: Graph, prefix: str, given: _Outputs) -> None:
        self.walk, self.graph, self.prefix, self.given = walk, graph, prefix, given
        self.layers = {layer.name: layer for layer in graph.layers}
        self.values: dict[_Key, _Outputs] = {}

    def outputs(self) -> _Outputs:
        """The shapes of the model's outputs."""
        if self.graph.sequential:
            return self._chain()
        self.first_nodes = first_nodes(self.graph)
        self.told: dict[_Key, dict[int, Shape | None]] = {}
        for tensor, shape in (
            t for layer in self.graph.layers for call in layer.calls for t in told_shapes(call.written)
        ):
            self.told.setdefault((tensor.layer, tensor.node), {})[tensor.index] = shape
        for layer in self.graph.layers:
            if not layer.calls:
                self._record(layer, 0, self._input(layer))
        for layer, number in self._in_order():
            self._record(layer, number, self._called(layer, number))
        return tuple(self._shape_of(tensor) for tensor in self.graph.outputs)

    def _chain(self) -> _Outputs:
        shapes = self.given
        for place, layer in enumerate(self.graph.layers):
            if not place and not shapes and (shape := declared(layer)) is not None:
                shapes = (shape,)
            if layer.class_name != "InputLayer":
                shapes = self.walk.layer(layer, f"{self.prefix}{layer.name}", _operands(shapes[:1]), {}) or ()
            self._record(layer, 0, shapes)
            shapes = shapes[:1] or (None,)
        return shapes

    def _record(self, layer: Layer, number: int, found: _Outputs) -> None:
        self.values[layer.name, number] = found
        if layer.inner is None:
            self.walk.outputs.setdefault(f"{self.prefix}{layer.name}", found)

    def _input(self, layer: Layer) -> _Outputs:
        """What an input of the model is given: the shape of the call, else the one that it declares."""
        own = declared(layer) if layer.class_name == "InputLayer" else None
        if not self.given:
            return (own,)
        ends = [tensor.layer for tensor in self.graph.inputs]
        if len(ends) != len(self.given) or layer.name not in ends:
            return (None,)
        found = self.given[ends.index(layer.name)]
        # A model was made on what it declares, before it was called: that stands in for an unknown shape.
        return (own if found is None else found if own is None or len(found) == len(own) else None,)

    def _called(self, layer: Layer, number: int) -> _Outputs:
        call = layer.calls[number]
        found = self.walk.layer(layer, f"{self.prefix}{layer.name}", *arguments(call, self._shape_of))
        if found is None or (found and None not in found):
            return found or ()
        # An own layer: the file of Keras 3 tells the shapes that it returned, which hold for the inputs that it had then.
        if any(shape != self._shape_of(tensor) for tensor, shape in told_shapes(call.written)):
            return found
        node = number + (self.first_nodes.get(layer.name) or 0)
        return tuple(self._told(layer, node, found))

    def _told(self, layer: Layer, node: int, found: _Outputs) -> Iterator[Shape | None]:
        told = self.told.get((layer.name, node), {})
        for index in range(max([len(found), *(index + 1 for index in told if 0 <= index < MAX_AXES)])):
            own = found[index] if index < len(found) else None
            yield own if own is not None else told.get(index)

    def _key(self, tensor: Tensor) -> _Key | None:
        """The call whose output a tensor is; None where the file doesn't tell which."""
        layer = self.layers.get(tensor.layer)
        if layer is None:
            return None
        first = self.first_nodes.get(layer.name, 0)
        if first is None:
            return (layer.name, 0) if len(layer.calls) == 1 else None
        return layer.name, tensor.node - first

    def _shape_of(self, tensor: Tensor) -> Shape | None:
        key = self._key(tensor)
        found = self.values.get(key, ()) if key else ()
        return found[tensor.index] if 0 <= tensor.index < len(found) else None

    def _in_order(self) -> Iterator[tuple[Layer, int]]:
        """Every call, each after those that it takes from."""
        waits: dict[_Key, set[_Key]] = {}
        feeds: dict[_Key, list[_Key]] = {}
        calls = {(layer.name, i): layer for layer in self.graph.layers for i in range(len(layer.calls))}
        for key, layer in calls.items():
            sources = {self._key(tensor) for tensor in layer.calls[key[1]].inputs}
            waits[key] = {source for source in sources if source in calls and source != key}
            for source in waits[key]:
                feeds.setdefault(source, []).append(key)
        ready = deque(key for key, missing in waits.items() if not missing)
        while ready:
            key = ready.popleft()
            yield calls[key], key[1]
            for fed in feeds.get(key, ()):
                waits[fed].discard(key)
                if not waits[fed]:
                    ready.append(fed)


def _operands(shapes: _Outputs) -> tuple[Operand, ...]:
    return tuple(Operand(shape) for shape in shapes)
