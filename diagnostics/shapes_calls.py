"""The arguments of a call as the file has them, with a shape in the place of every tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .graph import MAX_DEPTH, Call, Graph, Layer, Tensor, is_reference
from .model_file import Json
from .shapes_base import MAX_AXES, MAX_SIZE, Operand, Shape

_CONSTANT = "_CONSTANT_VALUE"
ShapeOf = Callable[[Tensor], Shape | None]


def arguments(call: Call, shape_of: ShapeOf) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call, by place and by name, each tensor an `Operand`.

    Args:
        call: the call. One that is implied (Sequential) takes its tensors alone.
        shape_of: gives the shape of a tensor.
    """
    node = call.written
    if isinstance(node, dict):  # Keras 3
        args, kwargs = node.get("args"), node.get("kwargs")
        listed = args if isinstance(args, list) else [args]
        named = kwargs if isinstance(kwargs, dict) else {}
        filled = {str(name): _filled(value, shape_of, keras_3=True) for name, value in named.items()}
        return tuple(_filled(value, shape_of, keras_3=True) for value in listed), filled
    if isinstance(node, list):
        return _older(node, shape_of)
    return tuple(Operand(shape_of(tensor)) for tensor in call.inputs), {}


def _older(node: list[Any], shape_of: ShapeOf) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Keras 1 and 2: `[[layer, node, index, kwargs], ...]`, or one such list where the first argument is one tensor."""
    listed = [node] if is_reference(node) or _is_constant(node) else node
    args = [_filled(_constant(part), shape_of, keras_3=False) for part in listed]
    named: Json = next((part[3] for part in listed if _has_arguments(part)), {})
    kwargs = {str(name): _filled(value, shape_of, keras_3=False) for name, value in named.items()}
    return ((args,) if len(args) > 1 else tuple(args)), kwargs


def _has_arguments(part: object) -> bool:
    return isinstance(part, list) and len(part) > 3 and isinstance(part[3], dict)  # noqa: PLR2004 - behind the tensor


def _constant(part: Any) -> Any:  # noqa: ANN401 - JSON
    return part[2] if _is_constant(part) else part


def _is_constant(part: object) -> bool:
    return isinstance(part, list) and len(part) > 2 and part[0] == _CONSTANT  # noqa: PLR2004 - name, -1, value


def _filled(value: Any, shape_of: ShapeOf, *, keras_3: bool, depth: int = 0) -> Any:  # noqa: ANN401 - JSON
    if depth > MAX_DEPTH:
        return None
    if keras_3 and (told := _told(value)):
        return Operand(shape_of(told[0]))
    if not keras_3 and is_reference(value):
        return Operand(shape_of(Tensor(*value[:3])))
    if isinstance(value, list):
        return [_filled(part, shape_of, keras_3=keras_3, depth=depth + 1) for part in value]
    if isinstance(value, dict):
        return {str(name): _filled(part, shape_of, keras_3=keras_3, depth=depth + 1) for name, part in value.items()}
    return value


def _told(value: Any) -> tuple[Tensor, Shape | None] | None:  # noqa: ANN401 - JSON
    """A tensor as Keras 3 writes it, with the shape that it had then."""
    config = value.get("config") if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__" else None
    history = config.get("keras_history") if isinstance(config, dict) else None
    if not isinstance(config, dict) or not isinstance(history, list) or not is_reference(history):
        return None
    return Tensor(*history[:3]), read_shape(config.get("shape"))


def told_shapes(node: Any, depth: int = 0) -> Iterator[tuple[Tensor, Shape | None]]:  # noqa: ANN401 - JSON
    """The tensors of a call of Keras 3 with the shapes that the file gives them."""
    if told := _told(node):
        yield told
    elif depth <= MAX_DEPTH and isinstance(node, dict | list):
        for part in node.values() if isinstance(node, dict) else node:
            yield from told_shapes(part, depth + 1)


def read_shape(value: object) -> Shape | None:
    """A shape, batch included, as a configuration has it; None for anything else."""
    if not isinstance(value, list | tuple) or not 0 < len(value) <= MAX_AXES:
        return None
    sizes: list[int | None] = []
    for part in value:
        if part is not None and (type(part) is not int or not 0 <= part <= MAX_SIZE):
            return None
        sizes.append(part)
    return tuple(sizes)


def declared(layer: Layer) -> Shape | None:
    """The shape that an InputLayer, or the first layer of a Sequential model, was given."""
    for name in ("batch_shape", "batch_input_shape"):
        if (shape := read_shape(layer.config.get(name))) is not None:
            return shape
    return None if layer.class_name == "InputLayer" else built_on(layer)


def built_on(layer: Layer) -> Shape | None:
    """The shape that a layer of one input was built on, where the file tells it (Keras 2.12 and newer)."""
    return read_shape(layer.built.get("input_shape"))


def first_nodes(graph: Graph) -> dict[str, int | None]:
    """The number of each nested model's first call, None where the file doesn't tell; any other layer's is 0.

    Keras 2 counts from 1 for models that were built with an input, which is their own node 0
    (`_should_skip_first_node`, keras/engine/functional.py, Keras 2.12); Keras 3 counts from 0.
    """
    models = {layer.name: layer for layer in graph.layers if layer.inner is not None}
    nodes: dict[str, set[int]] = {}
    used = [t for layer in graph.layers for call in layer.calls for t in call.inputs]
    for tensor in (*used, *graph.outputs):
        if tensor.layer in models:
            nodes.setdefault(tensor.layer, set()).add(tensor.node)
    return {name: _first_node(models[name], seen) for name, seen in nodes.items()}


def _first_node(layer: Layer, seen: set[int]) -> int | None:
    if 0 in seen or all(isinstance(call.written, dict) for call in layer.calls):
        return 0
    return 1 if max(seen) >= len(layer.calls) else None


def is_keras_own(layer: Layer) -> bool:
    """Whether a layer's class is Keras' own, not one of the same name that somebody wrote."""
    origin = layer.module.partition(".")[0]
    return origin in ("", "keras", "tf_keras", "tensorflow") and layer.registered in ("", layer.class_name)
