"""Saves the models of `test_shapes.py` and what Keras says of them: `python build_shape_models.py FOLDER`.

Keras 3, or tf_keras if asked. `truth.json` has the outputs and the parameters of every layer by path.
"""

import json
import math
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
KERAS_2 = os.environ.get("TF_USE_LEGACY_KERAS") == "1"
import tensorflow as tf  # noqa: E402 - quietly, by the variable above

if KERAS_2:
    import tf_keras as keras
else:
    import keras

layers = keras.layers


def stack(*inside, shape=(8,)):
    return keras.Sequential([keras.Input(shape), *inside])


def pictures():
    return stack(
        layers.Conv2D(8, 3, padding="same", activation="relu", name="conv"),
        layers.BatchNormalization(name="norm"),
        layers.MaxPooling2D(name="pool"),
        layers.SeparableConv2D(8, 3, strides=2, name="separable"),
        layers.ZeroPadding2D(((1, 0), (0, 1)), name="pad"),
        layers.Cropping2D(1, name="crop"),
        layers.Conv2D(4, 2, groups=2, name="groups"),
        layers.Flatten(name="flat"),
        layers.Dense(6, name="hidden"),
        layers.Reshape((2, 3), name="reshape"),
        layers.Permute((2, 1), name="permute"),
        layers.Dense(5, name="out"),
        shape=(28, 28, 3),
    )


def merged():
    source = keras.Input((16, 16, 4), name="source")
    left = layers.Conv2D(8, 3, padding="same", strides=2, name="left")(source)
    right = layers.Conv2D(8, 3, padding="same", strides=2, name="right")(source)
    added = layers.Add(name="added")([left, right])
    up = layers.Conv2DTranspose(6, 3, strides=2, padding="same", name="up")(added)
    joined = layers.Concatenate(name="joined")([up, source])
    seen = layers.GlobalAveragePooling2D(name="seen")(joined)
    other = layers.Dense(10, name="other")(layers.GlobalMaxPooling2D(name="most")(added))
    return keras.Model(source, layers.Dot(-1, name="dot")([seen, other]))


def sequences():
    words = keras.Input((None,), name="words")
    x = layers.Embedding(30, 8, name="embedding")(words)
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True), name="both")(x)
    x = layers.GRU(6, return_sequences=True, name="gru")(x)
    x = layers.MultiHeadAttention(2, 3, name="attention")(x, x)
    x = layers.LayerNormalization(name="layer_norm")(x)
    x = layers.TimeDistributed(layers.Dense(5), name="each")(x)
    x = layers.Conv1D(7, 3, padding="causal", dilation_rate=2, name="causal")(x)
    x = layers.RNN([layers.LSTMCell(3), layers.GRUCell(4)], name="cells")(x)
    return keras.Model(words, layers.RepeatVector(2, name="repeat")(x))


def nested():
    """A model that is called twice, one in TimeDistributed, states that are handed on, operations between layers."""
    inner = keras.Sequential(
        [keras.Input((8, 8, 2)), layers.Conv2D(3, 3, name="conv"), layers.Flatten(name="flat")], name="inner"
    )
    frame = keras.Input((8, 8, 2))
    frames = keras.Model(frame, layers.GlobalMaxPooling2D()(layers.Conv2D(4, 3)(frame)))
    a, b, film = keras.Input((8, 8, 2)), keras.Input((8, 8, 2)), keras.Input((5, 8, 8, 2))
    steps = layers.TimeDistributed(frames, name="frames")(film)
    last, h, c = layers.LSTM(4, return_state=True, name="encoder")(steps)
    decoded = layers.LSTM(4, return_sequences=True, name="decoder")(steps, initial_state=[h, c])
    both = layers.Concatenate(name="both")([inner(a), inner(b)])
    mean = tf.reduce_mean if KERAS_2 else keras.ops.mean
    cut = mean(decoded[:, 1:] * 2.0, axis=1)
    twice = layers.Concatenate(name="twice")([last, last, cut])
    return keras.Model([a, b, film], [layers.Dense(3, name="scores")(both), layers.Dense(1, name="value")(twice)])


class Own(layers.Layer):
    def call(self, inputs):
        return inputs[..., :2]

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 2)


def own():
    return stack(layers.Dense(4, name="before"), Own(name="own"), layers.Dense(1, name="after"))


def films():
    return stack(
        layers.ConvLSTM2D(3, 3, return_sequences=True, name="conv_lstm"),
        layers.Conv3D(2, (2, 3, 3), strides=(1, 2, 2), name="conv"),
        layers.UpSampling3D((1, 2, 2), name="up"),
        layers.AveragePooling3D((1, 2, 2), padding="same", name="pool"),
        layers.GlobalAveragePooling3D(name="global"),
        shape=(4, 12, 12, 1),
    )


def heavy():
    return stack(
        layers.Conv2D(64, 3, padding="same", name="conv"),
        layers.Flatten(name="flat"),
        layers.Dense(32, name="heavy"),
        layers.Dense(2, name="out"),
        shape=(32, 32, 3),
    )


def per_place():
    return stack(
        layers.Conv2D(4, 3, name="conv"),
        layers.ReLU(),
        layers.Dense(3, activation="softmax", name="classes"),
        shape=(9, 9, 3),
    )


def channels_first():
    return stack(
        layers.MaxPooling2D(2, data_format="channels_first", name="pool"),
        layers.BatchNormalization(name="norm"),
        layers.GlobalAveragePooling2D(data_format="channels_first", name="all"),
        shape=(3, 16, 16),
    )


def turned():
    """Pictures with the channels first, given to layers that look for them last; Keras accepts it."""
    return stack(layers.Conv2D(4, 2, name="conv"), layers.GlobalAveragePooling2D(name="all"), shape=(3, 32, 32))


def mixed():
    return stack(
        layers.MaxPooling2D(2, data_format="channels_first", name="one"),
        layers.Conv2D(4, 2, name="two"),
        shape=(3, 16, 16),
    )


def automatic():
    return stack(layers.Dense(3), layers.Dense(2, name="mine"), layers.Dropout(0.1))


def mobile():
    return keras.applications.MobileNetV2((96, 96, 3), alpha=0.35, weights=None, classes=7)


def efficient():
    return keras.applications.EfficientNetB0(input_shape=(64, 64, 3), weights=None, classes=3)


MODELS = [
    pictures, merged, sequences, nested, own, films, heavy, per_place, channels_first, turned, mixed, automatic, mobile, efficient,
]  # fmt: skip


def shape(tensor):
    return list(tensor.shape.as_list() if KERAS_2 else tensor.shape)


def count(weights):
    return sum(math.prod(weight.shape) for weight in weights)


def truth(model, prefix=""):
    """The outputs and parameters of every layer that is no model, by path."""
    told = {}
    for layer in model._flatten_layers(include_self=False, recursive=False):  # noqa: SLF001 - with the InputLayer of a Sequential model
        if isinstance(layer, keras.Model):
            told |= truth(layer, f"{prefix}{layer.name}/")
        elif nodes := layer._inbound_nodes:  # noqa: SLF001 - the shapes of the first call
            node = nodes[0]
            outputs = tf.nest.flatten(node.outputs) if KERAS_2 else node.output_tensors
            parameters = [count(layer.trainable_weights), count(layer.non_trainable_weights)]
            told[prefix + layer.name] = [[shape(tensor) for tensor in outputs], parameters]
    return told


def main(folder):
    told = {}
    for build in MODELS:
        model = build()
        model.save(Path(folder) / f"{build.__name__}.keras")
        told[build.__name__] = truth(model)
        if build in (pictures, merged, nested):
            model.save(Path(folder) / f"{build.__name__}.h5")
        keras.backend.clear_session()
    Path(folder, "truth.json").write_text(json.dumps(told))


main(sys.argv[1])
