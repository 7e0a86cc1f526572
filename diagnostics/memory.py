"""How much memory a model takes to predict and to train, from its configuration.

What training holds at once: the weights, a gradient for each weight that is trained, the optimizer's slots, and what the layers
computed on the way forward, which the way back needs. Left out are the workspaces of cuDNN, the fragments that the allocator can't
use, the data pipeline, and what the compiler (XLA, grappler) saves or recomputes: they make up a fifth and more either way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from .dtypes import compute_dtype, policy_of, quantized_mode
from .graph import Graph, Layer
from .model_file import Json
from .optimizers import Optimizer
from .settings import DROPOUTS, activation_name, number
from .shapes import Shape, Shapes
from .trainable import trains
from .variables import parameters_of

GIB = 1024**3
MAX_BATCH = 1 << 16
# What a card's memory is short of the number on its box: the CUDA context and TensorFlow's own reserve.
RESERVED = GIB // 2
_BYTES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}
# Numbers that an optimizer keeps per weight (keras/src/optimizers/*.py, Keras 3.15).
_SLOTS = {
    "SGD": 0, "Adam": 2, "AdamW": 2, "Nadam": 2, "Adamax": 2, "RMSprop": 1, "Adagrad": 1, "Adadelta": 2, "Ftrl": 2, "Lion": 1,
    "Lamb": 2,
}  # fmt: skip
_ADAM = 2
# Layers that hand on what they take without a copy.
_NO_COPY = frozenset({"InputLayer", "Flatten", "Reshape", "Identity", "ActivityRegularization"})
_IN_PLACE = frozenset({"linear", "relu", "relu6", "sigmoid", "tanh", "softmax"})
# Numbers per output number that a recurrent layer keeps of each step: its gates, states and what they were made of.
_RECURRENT = {"LSTM": 7, "GRU": 5, "SimpleRNN": 2, "CuDNNLSTM": 7, "CuDNNGRU": 5}
_LARGEST = 1 << 62


@dataclass(frozen=True)
class Memory:
    """What a model takes, in bytes unless said otherwise.

    `parameters` and `trained` are numbers of weights. `fixed` is what training holds whatever the batch size; `per_sample` what
    it holds for each sample of a batch. `uncounted` are the paths of layers whose weights can't be told, `unsized` of those whose
    outputs can't: the sums are then lower limits. `layers` is the number of all.
    """

    parameters: int
    trained: int
    weights: int
    fixed: int
    per_sample: int
    uncounted: tuple[str, ...]
    unsized: tuple[str, ...]
    layers: int

    def training(self, batch: int) -> int:
        """What training holds at once with batches of this size."""
        return self.fixed + batch * self.per_sample

    def largest_batch(self, card: int) -> int:
        """The largest power of two of samples that fits into a card of so many bytes; 0 where not even one does."""
        batch = MAX_BATCH
        while batch and self.training(batch) > card - RESERVED:
            batch //= 2
        return batch


def memory_of(graph: Graph, shapes: Shapes, optimizer: Optimizer | None, *, keras_3: bool = True) -> Memory:
    """Add a model up.

    Args:
        graph: the model.
        shapes: of its layers, as `shapes_of` tells them.
        optimizer: what it is trained with; None stands for Adam.
        keras_3: whether Keras 3 trains it.
    """
    parameters = trained = weights = fixed = kept = largest = 0
    uncounted: list[str] = []
    unsized: list[str] = []
    slots = slots_of(optimizer, keras_3=keras_3)
    all_layers = list(_layers(graph, "", 1))
    for path, layer, calls in all_layers:
        counts = parameters_of(layer, shapes.inputs.get(path, ()))
        outputs = _numbers(layer, shapes.outputs.get(path, (None,)))
        uncounted += [path] if counts is None else []
        unsized += [path] if outputs is None else []
        own, others = counts or (0, 0)
        learned = own if trains(layer) else 0
        stored, computed = _widths(layer)
        parameters, trained = parameters + own + others, trained + learned
        weights += (own + others) * stored
        fixed += learned * stored * (1 + slots) + (own * computed if computed < stored else 0)
        kept += (outputs or 0) * computed * calls
        inside = _inside(layer, shapes.inputs.get(path, ()))
        kept += inside * computed * calls
        largest = max(largest, (outputs or 0) * computed)
    # On the way back a layer's gradient is there beside that of the layer behind.
    per_sample = min(kept + 2 * largest, _LARGEST)
    return Memory(
        parameters, trained, weights, weights + fixed, per_sample, tuple(uncounted), tuple(unsized), len(all_layers)
    )


def _layers(graph: Graph, prefix: str, calls: int) -> Iterator[tuple[str, Layer, int]]:
    """The layers that are no models, and how often each is called."""
    for layer in graph.layers:
        times = min(calls * max(1, len(layer.calls)), MAX_BATCH)
        path = f"{prefix}{layer.name}"
        if layer.inner is None:
            yield path, layer, times
        else:
            yield from _layers(layer.inner, f"{path}/", times)


def _widths(layer: Layer) -> tuple[int, int]:
    """Bytes per weight and per number that is computed."""
    policy = policy_of(layer)
    computed = _BYTES.get(compute_dtype(policy) or "float32", 4)
    if quantized_mode(policy):
        return 1, computed
    return (4 if (policy or "").startswith("mixed_") else computed), computed


def _numbers(layer: Layer, outputs: tuple[Shape | None, ...]) -> int | None:
    """How many numbers one call of a layer hands out for each sample; None where an axis other than the batch is open."""
    if layer.class_name in _NO_COPY or _is_in_place(layer):
        return 0
    sizes = [_size(shape) for shape in outputs]
    if any(size is None for size in sizes):
        return None
    total = sum(size for size in sizes if size is not None)
    if layer.class_name in DROPOUTS:
        return total + total // 4  # and a mask of one byte each
    return total


def _is_in_place(layer: Layer) -> bool:
    """An activation whose gradient needs its output only takes over the memory of the layer before, which needs its input only."""
    if layer.class_name == "ReLU":
        return not layer.config.get("negative_slope")
    return layer.class_name == "Activation" and activation_name(layer) in _IN_PLACE


def _inside(layer: Layer, inputs: tuple[Shape | None, ...]) -> int:
    """What layers keep beside their output: steps of a recurrent one, scores of attention, half of a separable convolution."""
    first = inputs[0] if inputs else None
    if first is None or any(axis is None for axis in first[1:]):
        return 0
    known = [axis or 0 for axis in first[1:]]
    config = layer.config
    if layer.class_name in _RECURRENT and len(known) > 1:
        return known[0] * _whole(config, "units") * _RECURRENT[layer.class_name]
    if layer.class_name == "MultiHeadAttention" and len(known) > 1:
        source = inputs[1] if len(inputs) > 1 else first
        steps = (source[1] if source and len(source) > 1 else None) or known[0]
        heads, width = _whole(config, "num_heads"), _whole(config, "key_dim")
        return heads * known[0] * steps * 2 + heads * width * (2 * known[0] + 2 * steps)
    if layer.class_name.startswith("SeparableConv"):
        return prod(known) * _whole(config, "depth_multiplier")
    return 0


def _whole(config: Json, key: str) -> int:
    value = config.get(key)
    return value if type(value) is int and 0 < value < 1 << 20 else 0


def _size(shape: Shape | None) -> int | None:
    if shape is None or any(axis is None for axis in shape[1:]):
        return None
    return prod(axis or 0 for axis in shape[1:])


def slots_of(optimizer: Optimizer | None, *, keras_3: bool) -> int:
    """Numbers that an optimizer keeps for each weight; those of Adam where it isn't known. Keras 2's SGD always has momenta."""
    if optimizer is None:
        return _ADAM
    config = optimizer.config
    slots = _SLOTS.get(optimizer.name, _ADAM)
    if optimizer.name in ("SGD", "RMSprop"):
        always = optimizer.name == "SGD" and not keras_3
        slots += always or bool(number(config.get("momentum")))
    slots += sum(config.get(key) is True for key in ("amsgrad", "centered", "use_ema"))
    return slots + (number(config.get("gradient_accumulation_steps")) is not None)
