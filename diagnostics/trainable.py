"""Which layers have weights that training can change, and whether they are frozen, from the configuration.

The tables were measured on Keras 3.15 and tf_keras 2.21: each class was built and its trainable weights counted. A test
measures them again on the installed releases.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .graph import MAX_DEPTH, Layer

HAVE_WEIGHTS = frozenset({
    "Dense", "EinsumDense", "Embedding", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose",
    "Conv3DTranspose", "SeparableConv1D", "SeparableConv2D", "DepthwiseConv1D", "DepthwiseConv2D", "LSTM", "GRU",
    "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "BatchNormalization", "LayerNormalization",
    "GroupNormalization", "RMSNormalization", "PReLU", "MultiHeadAttention", "GroupQueryAttention",
})  # fmt: skip
NO_WEIGHTS = frozenset({
    "InputLayer", "Activation", "ActivityRegularization", "Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise",
    "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "Flatten", "Reshape", "Permute", "RepeatVector",
    "Masking", "Lambda", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot", "ReLU",
    "LeakyReLU", "ELU", "Softmax", "ThresholdedReLU", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "GlobalMaxPooling1D", "GlobalMaxPooling2D",
    "GlobalMaxPooling3D", "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D",
    "UpSampling1D", "UpSampling2D", "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "Cropping1D",
    "Cropping2D", "Cropping3D", "Rescaling", "Resizing", "Normalization", "CategoryEncoding", "UnitNormalization",
    "Identity", "CenterCrop", "RandomCrop", "RandomFlip", "RandomRotation", "RandomZoom", "RandomContrast",
    "RandomTranslation", "RandomBrightness", "StringLookup", "IntegerLookup", "TextVectorization",
})  # fmt: skip
# What Keras 2.4 to 2.15 makes of a TensorFlow call on a symbolic tensor; Keras 3 tells its own by the module.
_OPERATIONS = frozenset({"TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"})
_WRAPPERS = frozenset({"Bidirectional", "TimeDistributed"})


def trains(layer: Layer) -> bool | None:
    """Whether training changes weights of a layer that is no model.

    Returns:
        True or False for a layer that has weights, None for one that has none. A layer that Keras doesn't have counts as one
        with weights: it may hold some.
    """
    if layer.class_name in _OPERATIONS or layer.module.startswith("keras.src.ops"):
        return None
    return _trains(layer.class_name, layer.config, depth=0)


def is_known(layer: Layer) -> bool:
    """Whether it can be told from the class if a layer has weights."""
    return layer.class_name in HAVE_WEIGHTS or trains(layer) is None


def _trains(class_name: str, config: dict[str, Any], depth: int) -> bool | None:
    if depth > MAX_DEPTH or class_name in NO_WEIGHTS:
        return None
    inside = list(_inside(class_name, config, depth))
    if inside and all(state is None for state in inside):
        return None
    # BatchNormalization and its like can be told to learn nothing.
    if class_name.endswith("Normalization") and config.get("center") is False and config.get("scale") is False:
        return None
    return config.get("trainable") is not False and (not inside or True in inside)


def _inside(class_name: str, config: dict[str, Any], depth: int) -> Iterator[bool | None]:
    """The layers that a wrapper holds; a model in a wrapper stands for its layers."""
    held: list[Any] = []
    if class_name in _WRAPPERS:
        held = [config.get("layer"), config.get("backward_layer")]
    elif isinstance(config.get("layers"), list):
        held = config["layers"]
    for written in held:
        if isinstance(written, dict) and isinstance(written.get("class_name"), str):
            inner = written.get("config")
            yield _trains(written["class_name"], inner if isinstance(inner, dict) else {}, depth + 1)
