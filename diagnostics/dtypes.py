"""Which dtypes flow through a model: the dtype policy of each layer, and what each tensor is, from the configuration.

The two tables of layers were measured on Keras 3.15 and tf_keras 2.21 with TensorFlow 2.21: each class was built on an
int32 input and called. A test measures them again on the installed releases.
"""

from __future__ import annotations

from typing import Any

from .graph import Graph, Layer, Tensor

_FROM = "_from_"
MAX_ROUNDS = 50
FLOATS = frozenset({"float16", "bfloat16", "float32", "float64"})

# Classes that stop on an integer tensor in Keras 2 and in Keras 3.
REFUSE_INTEGERS = frozenset({
    "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "DepthwiseConv2D",
    "SeparableConv1D", "SeparableConv2D", "ConvLSTM2D", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D",
    "MaxPooling3D", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianDropout", "AlphaDropout", "GaussianNoise",
    "PReLU", "ELU", "Softmax",
})  # fmt: skip
# Classes that do so in Keras 2 only.
REFUSE_INTEGERS_KERAS_2 = frozenset({
    "LSTM", "GRU", "SimpleRNN", "Bidirectional", "EinsumDense", "MultiHeadAttention", "Masking", "ThresholdedReLU",
})  # fmt: skip
REFUSING_ACTIVATIONS = frozenset({"softmax", "sigmoid", "elu", "selu", "gelu", "swish", "silu"})
MERGES = frozenset({"Concatenate", "Add", "Multiply", "Subtract", "Average", "Maximum", "Minimum", "Dot"})
# Classes that hand an integer tensor on as it is.
KEEP_INTEGERS = frozenset({
    "Flatten", "Reshape", "Permute", "RepeatVector", "ReLU", "MaxPooling1D", "MaxPooling2D",
    "GlobalMaxPooling1D", "GlobalMaxPooling2D", "ZeroPadding1D", "ZeroPadding2D", "Cropping1D", "Cropping2D",
    "UpSampling1D", "UpSampling2D",
})  # fmt: skip
# Classes whose result has the compute dtype of their policy whatever goes in.
_COMPUTE = frozenset({
    "Dense", "Embedding", "BatchNormalization", "LayerNormalization", "Rescaling", "Normalization", "LeakyReLU", "LSTM",
    "GRU", "SimpleRNN", "Bidirectional",
}) | REFUSE_INTEGERS  # fmt: skip


def policy_of(layer: Layer) -> str | None:
    """The name of a layer's dtype policy (`float32`, `mixed_float16`, ...), None where the configuration has none."""
    return policy_name(layer.config.get("dtype"))


def policy_name(written: Any) -> str | None:  # noqa: ANN401 - JSON
    """The name of a policy as Keras wrote it: a name or an object. Quantized ones are named `int8_from_float32`, as in Keras."""
    if isinstance(written, dict):
        inner = written.get("config")
        config = inner if isinstance(inner, dict) else {}
        mode, source = config.get("mode"), config.get("source_name")
        quantized = isinstance(mode, str) and isinstance(source, str)
        written = f"{mode}{_FROM}{source}" if quantized else config.get("name")
    return written if isinstance(written, str) else None


def quantized_mode(policy: str | None) -> str | None:
    """What a policy quantizes to (`int8`, `int4`, `float8`), None for one that does not."""
    mode, is_quantized, _ = (policy or "").partition(_FROM)
    return mode if is_quantized else None


def compute_dtype(policy: str | None) -> str | None:
    """The dtype that a policy computes in; for a quantized one that of the policy it was made from."""
    name = policy.rpartition(_FROM)[2].removeprefix("mixed_") if policy else None
    return name if name in FLOATS else None


def tensor_dtypes(graph: Graph) -> dict[str, str | None]:
    """The dtype of each layer's output by the layer's name, None where it can't be told (own layers, raw operations)."""
    dtypes: dict[str, str | None] = {}
    pending = list(graph.layers)
    for _ in range(MAX_ROUNDS):  # Keras writes layers behind those that they take from: one round
        waiting = []
        for layer in pending:
            if all(t.layer in dtypes for t in _sources(layer)):
                dtypes[layer.name] = _output_dtype(layer, [dtypes[t.layer] for t in _sources(layer)])
            else:
                waiting.append(layer)
        if len(waiting) == len(pending):
            break
        pending = waiting
    return dtypes


def _sources(layer: Layer) -> tuple[Tensor, ...]:
    return layer.calls[0].inputs if layer.calls else ()


def _output_dtype(layer: Layer, inputs: list[str | None]) -> str | None:
    if layer.class_name == "InputLayer":
        return policy_of(layer)
    if layer.inner is not None and layer.inner.outputs:
        return tensor_dtypes(layer.inner).get(layer.inner.outputs[0].layer)
    keeps = layer.class_name in KEEP_INTEGERS or activation_of(layer) in ("relu", "linear")
    if keeps and layer.class_name != "Dense" and inputs:
        return inputs[0] if is_integer(inputs[0]) else compute_dtype(policy_of(layer))
    return compute_dtype(policy_of(layer)) if layer.class_name in _COMPUTE else None


def activation_of(layer: Layer) -> str | None:
    """The activation of an `Activation` layer, None for any other class."""
    written = layer.config.get("activation")
    return written if layer.class_name == "Activation" and isinstance(written, str) else None


def is_integer(dtype: str | None) -> bool:
    """Whether a dtype is an integer one; an unknown dtype is not."""
    return dtype is not None and dtype.startswith(("int", "uint"))


def refuses_integers(layer: Layer, *, keras_2: bool) -> bool:
    """Whether a layer stops on an integer tensor."""
    if layer.class_name in REFUSE_INTEGERS or activation_of(layer) in REFUSING_ACTIVATIONS:
        return True
    return keras_2 and layer.class_name in REFUSE_INTEGERS_KERAS_2
