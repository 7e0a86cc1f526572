"""Which activation a layer applies last, and the numbers that come out of it."""

from __future__ import annotations

from typing import Any

from .graph import Layer
from .model_file import Json

# Activations by the numbers that can come out (keras/src/activations/activations.py, Keras 3.15).
PROBABILITIES = frozenset({"softmax", "sigmoid", "hard_sigmoid", "sparse_sigmoid", "sparsemax"})
NEGATIVE_TOO = frozenset({
    "linear", "tanh", "hard_tanh", "elu", "selu", "celu", "gelu", "silu", "swish", "hard_silu", "hard_swish", "softsign", "mish",
    "leaky_relu", "prelu", "log_softmax", "log_sigmoid", "tanh_shrink", "soft_shrink", "hard_shrink",
})  # fmt: skip
NEVER_NEGATIVE = frozenset(
    {"relu", "relu6", "softplus", "exponential", "squareplus", "sparse_plus", "thresholded_relu"}
)
NO_PROBABILITIES = NEGATIVE_TOO | NEVER_NEGATIVE

# Classes that multiply with a kernel and then apply their `activation`; the second row are names of Keras 1.
KERNELS = frozenset({
    "Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose",
    "SeparableConv1D", "SeparableConv2D", "LocallyConnected1D", "LocallyConnected2D", "SimpleRNN",
    "Convolution1D", "Convolution2D", "Convolution3D", "TimeDistributedDense",
})  # fmt: skip
# Their `activation` is multiplied with a gate before it leaves the layer, so a softmax in there gives no probabilities.
GATED = frozenset({"LSTM", "GRU", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"})
# Layers and operations that are an activation themselves, as Keras 2 and 3 name them.
OWN_LAYERS = {
    "Softmax": "softmax", "Sigmoid": "sigmoid", "ReLU": "relu", "Relu": "relu", "Relu6": "relu6", "LeakyReLU": "leaky_relu",
    "LeakyRelu": "leaky_relu", "PReLU": "prelu", "ELU": "elu", "Elu": "elu", "Selu": "selu", "Gelu": "gelu", "Silu": "silu",
    "Tanh": "tanh", "Softplus": "softplus", "HardSigmoid": "hard_sigmoid", "LogSoftmax": "log_softmax",
    "ThresholdedReLU": "thresholded_relu",
}  # fmt: skip
_TENSORFLOW = {
    "nn.softmax": "softmax", "nn.sigmoid": "sigmoid", "math.sigmoid": "sigmoid", "nn.relu": "relu", "nn.tanh": "tanh",
    "math.tanh": "tanh",
}  # fmt: skip


def activation_of(layer: Layer) -> str | None:
    """The activation that a layer applies last, None where it is not one of Keras' own."""
    written: Any = layer.config.get("activation")
    if layer.class_name in ("TFOpLambda", "TensorFlowOpLayer"):
        function = layer.config.get("function")
        return _TENSORFLOW.get(function) if isinstance(function, str) else None
    if layer.class_name in OWN_LAYERS:
        return _of_class(layer.class_name, layer.config)
    if layer.class_name in KERNELS or layer.class_name == "Activation":
        return "linear" if written is None else _named(written)
    if layer.class_name in GATED:
        name = _named(written)
        return name if name in NO_PROBABILITIES else None
    return None


def _of_class(class_name: str, config: Json) -> str | None:
    """ReLU with `max_value` up to 1 gives numbers between 0 and 1."""
    limit = config.get("max_value")
    if class_name == "ReLU" and isinstance(limit, int | float) and limit <= 1:
        return None
    return OWN_LAYERS[class_name]


def _named(written: object) -> str | None:
    """An activation as a name, or as a layer or function written out."""
    if isinstance(written, dict):
        class_name, config = written.get("class_name"), written.get("config")
        if class_name == "function":
            written = config
        elif isinstance(class_name, str) and class_name in OWN_LAYERS and isinstance(config, dict):
            return _of_class(class_name, config) if config.get("axis", -1) == -1 else None
    if written == "softmax_v2":  # tf.nn.softmax
        return "softmax"
    return written if isinstance(written, str) and written in PROBABILITIES | NO_PROBABILITIES else None
