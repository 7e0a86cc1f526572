"""Which layer and which of its variables an array in a weights file is.

Keras 3 and the .keras files of Keras 2.12 to 2.15 address layers by class and counter ("layers/dense_1"), in the order of
`model.layers`, which is that of the configuration; measured on files of Keras 3.0, 3.15, 2.12, 2.15 and tf_keras 2.21.
Source: keras/src/saving/saving_lib.py, `_save_container_state`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..knowledge.lines import Line
from .graph import Graph, Layer

# What holds the layers of a model: Keras 3 and 2.13 on, Keras 2.12.
_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
_KERNEL_BIAS = ("kernel", "bias")
_CELL = ("kernel", "recurrent_kernel", "bias")
_SEPARABLE = ("depthwise_kernel", "pointwise_kernel", "bias")
# The variables of each class in the order of its build().
_NAMES = {
    "Dense": _KERNEL_BIAS, "EinsumDense": _KERNEL_BIAS, "Conv1D": _KERNEL_BIAS, "Conv2D": _KERNEL_BIAS,
    "Conv3D": _KERNEL_BIAS, "Conv1DTranspose": _KERNEL_BIAS, "Conv2DTranspose": _KERNEL_BIAS,
    "Conv3DTranspose": _KERNEL_BIAS, "DepthwiseConv1D": ("depthwise_kernel", "bias"),
    "DepthwiseConv2D": ("depthwise_kernel", "bias"), "SeparableConv1D": _SEPARABLE, "SeparableConv2D": _SEPARABLE,
    "Embedding": ("embeddings",), "PReLU": ("alpha",), "Normalization": ("mean", "variance", "count"),
    "RMSNormalization": ("scale",), "LSTMCell": _CELL, "GRUCell": _CELL, "SimpleRNNCell": _CELL,
    "ConvLSTMCell": _CELL, "ConvLSTM1DCell": _CELL, "ConvLSTM2DCell": _CELL, "ConvLSTM3DCell": _CELL,
}  # fmt: skip
_NORMALIZATIONS = frozenset({"BatchNormalization", "LayerNormalization", "GroupNormalization"})
DIRECT = frozenset(name for name in _NAMES if not name.endswith("Cell")) | _NORMALIZATIONS
# Keras 1 and Keras 2 on Theano.
_OLD_NAMES = {
    "W": "kernel", "b": "bias", "U": "recurrent_kernel", "running_mean": "moving_mean",
    "running_std": "moving_variance", "alphas": "alpha",
}  # fmt: skip
_SNAKE = {_class: re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", _class)).lower()
          for _class in DIRECT}  # fmt: skip
_CLASS_OF = {snake: class_name for class_name, snake in _SNAKE.items()}


@dataclass(frozen=True)
class Owner:
    """Which layer an array belongs to: its path, class and configuration, and what of it ("cell")."""

    layer: str
    class_name: str
    config: dict[str, Any]
    part: str
    mapped: bool


def snake_case(class_name: str, line: Line | None) -> str:
    """How Keras turns a class name into the name in a weights file (keras/src/utils/naming.py, to_snake_case)."""
    bare = class_name.rpartition(">")[2]
    letters = "[a-z]+" if line == "keras-3" else "[a-z0-9]+"
    spaced = re.sub(f"(.)([A-Z]{letters})", r"\1_\2", re.sub(r"\W+", "", bare))
    return re.sub("([a-z])([A-Z])", r"\1_\2", spaced).lower()


class Addresses:
    """The layers of a model (and of the models nested in it) by their names in a weights file."""

    def __init__(self, graph: Graph | None, line: Line | None) -> None:
        self._graph, self._line = graph, line
        self._tables: dict[tuple[int, tuple[str, ...]], dict[str, Layer]] = {}

    def owner(self, parts: list[str], siblings: dict[str, tuple[str, ...]], named: str | None) -> Owner:
        """Whose an array is.

        Args:
            parts: the groups that lead to its `vars` (["layers", "sequential", "layers", "dense_1"]).
            siblings: the names in each container of the file, by the container's path.
            named: the name of the layer, which Keras 3 files since 2025 hold beside its arrays.
        """
        graph, prefix, at = self._graph, "", 0
        while graph is not None and at + 1 < len(parts) and parts[at] in _CONTAINERS:
            layer = self._table(graph, siblings.get("/".join(parts[: at + 1]), ())).get(parts[at + 1])
            if layer is None:
                break
            at += 2
            if layer.inner is None or at == len(parts):
                config = layer.config
                return Owner(f"{prefix}{layer.name}", layer.class_name, config, "/".join(parts[at:]), mapped=True)
            graph, prefix = layer.inner, f"{prefix}{layer.name}/"
        own = next((i for i in range(len(parts) - 1, -1, -1) if i and parts[i - 1] in _CONTAINERS), 0)
        part = "/".join(parts[own + 1 :])
        guessed = _CLASS_OF.get(re.sub(r"_\d+$", "", parts[own])) if parts else None
        shown = named if named and not part else "/".join(parts[: own + 1])
        return Owner(shown, guessed or "", {}, part, mapped=False)

    def _table(self, graph: Graph, present: tuple[str, ...]) -> dict[str, Layer]:
        key = (id(graph), present)
        if key not in self._tables:
            self._tables[key] = self._named(graph, present)
        return self._tables[key]

    def _named(self, graph: Graph, present: tuple[str, ...]) -> dict[str, Layer]:
        """Layers by class and counter. Keras 2.12 counts layers with weights twice: there the order alone holds."""
        by_class: dict[str, list[Layer]] = {}
        for layer in graph.layers:
            by_class.setdefault(snake_case(layer.class_name, self._line), []).append(layer)
        found: dict[str, Layer] = {}
        for snake, layers in by_class.items():
            names = [snake, *(f"{snake}_{number}" for number in range(1, len(layers)))]
            stored = sorted((n for n in present if re.fullmatch(rf"{re.escape(snake)}(_\d{{1,9}})?", n)), key=_counter)
            if not set(stored) <= set(names):
                if len(stored) != len(layers):
                    continue
                names = stored
            found.update(zip(names, layers, strict=True))
        return found


def _counter(name: str) -> int:
    number = name.rpartition("_")[2]
    return int(number) if number.isdigit() else 0


def variable_name(owner: Owner, index: str, count: int) -> str:
    """Keras' name of the variable at a position, of the `count` that stand beside each other; the position if unknown."""
    class_name, config = _leaf(owner)
    names = _NAMES.get(class_name, ())
    if class_name in _NORMALIZATIONS:
        names = _normalization(class_name, config, count)
    return names[int(index)] if index.isdigit() and len(index) < 3 and int(index) < len(names) else index  # noqa: PLR2004


def _normalization(class_name: str, config: dict[str, Any], count: int) -> tuple[str, ...]:
    moving = ("moving_mean", "moving_variance") if class_name == "BatchNormalization" else ()
    scale = ("gamma",) if config.get("scale", True) is not False else ()
    center = ("beta",) if config.get("center", True) is not False else ()
    learned = (*scale, *center)
    if len(learned) + len(moving) != count:  # without a configuration: the last two are always there
        learned = ("gamma", "beta")[: max(0, count - len(moving))] if count - len(moving) != 1 else ("gamma or beta",)
    return (*learned, *moving)


def _leaf(owner: Owner) -> tuple[str, dict[str, Any]]:
    """The class that the array's own group stands for."""
    last = owner.part.rpartition("/")[2]
    if not owner.part:
        return owner.class_name, owner.config
    if last in ("layer", "forward_layer", "backward_layer"):
        inner = owner.config.get("layer")
        if isinstance(inner, dict) and isinstance(inner.get("class_name"), str):
            config = inner.get("config")
            return inner["class_name"], config if isinstance(config, dict) else {}
        return "", {}
    if last == "cell":
        return "LSTMCell", {}
    return ("Dense", {}) if last.strip("_").endswith("_dense") else ("", {})


def plain_name(weight: str, layer: str) -> str:
    """Keras' name of a variable by its name in HDF5: "dense_1_W" (Keras 1), "dense_1_1/kernel:0", "dense/kernel"."""
    last = weight.rpartition("/")[2].rpartition(":")[0] or weight.rpartition("/")[2]
    last = last.removeprefix(f"{layer.rpartition('/')[2]}_")
    return _OLD_NAMES.get(last, last)
