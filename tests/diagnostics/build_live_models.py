"""Saves models that fail, or don't, only when they are run: `python build_live_models.py FOLDER`. Run by the tests."""

import importlib
import os
import sys
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
KERAS_2 = os.environ.get("TF_USE_LEGACY_KERAS") == "1"
if KERAS_2:
    import tf_keras as keras
else:
    import keras

tf = importlib.import_module("tensorflow")
layers = keras.layers


def classifier():
    return compiled(
        keras.Sequential(
            [keras.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")]
        ),
        "sparse_categorical_crossentropy",
    )


def one_hot():
    return compiled(
        keras.Sequential([keras.Input((8,)), layers.Dense(3, activation="softmax")]), "categorical_crossentropy"
    )


def regression():
    return compiled(keras.Sequential([keras.Input((4,)), layers.Dense(8, activation="tanh"), layers.Dense(1)]), "mse")


def words():
    """Ids into an Embedding of 20 rows, through a mask, into an LSTM."""
    return compiled(
        keras.Sequential(
            [
                keras.Input((None,), dtype="int32"),
                layers.Embedding(20, 4, mask_zero=True),
                layers.LSTM(4),
                layers.Dense(1, activation="sigmoid"),
            ]
        ),
        "binary_crossentropy",
    )


def nested_words():
    """The table stands in a nested model, behind a reshape."""
    inner_input = keras.Input((6, 1), dtype="int32")
    rows = layers.Embedding(5, 3)(layers.Reshape((6,))(inner_input))
    inner = keras.Model(inner_input, layers.GlobalAveragePooling1D()(rows), name="inner")
    inputs = keras.Input((6, 1), dtype="int32", name="ids")
    return keras.Model(inputs, layers.Dense(2)(inner(inputs)))


def named():
    """Inputs and outputs are dicts."""
    left, right = keras.Input((3,), name="left"), keras.Input((2,), name="right")
    merged = layers.Concatenate()([left, right])
    outputs = {
        "price": layers.Dense(1, name="price")(merged),
        "kind": layers.Dense(4, activation="softmax", name="kind")(merged),
    }
    model = keras.Model({"left": left, "right": right}, outputs)
    model.compile("adam", {"price": "mse", "kind": "sparse_categorical_crossentropy"})
    return model


def pictures():
    """Bytes, scaled in the model; BatchNormalization; an open height and width."""
    return compiled(
        keras.Sequential(
            [
                keras.Input((None, None, 3), dtype="uint8"),
                layers.Rescaling(1 / 255),
                layers.Conv2D(4, 3, activation="relu"),
                layers.BatchNormalization(),
                layers.GlobalAveragePooling2D(),
                layers.Dense(2, activation="softmax"),
            ]
        ),
        "sparse_categorical_crossentropy",
    )


def stateful():
    inputs = keras.Input(batch_shape=(8, 5, 2)) if not KERAS_2 else keras.Input(batch_size=8, shape=(5, 2))
    return keras.Model(inputs, layers.Dense(1)(layers.LSTM(3, stateful=True)(inputs)))


def dropout():
    return compiled(keras.Sequential([keras.Input((8,)), layers.Dropout(0.5), layers.Dense(1)]), "mse")


def nan_weight():
    model = regression()
    kernel, *rest = model.layers[-1].get_weights()
    kernel[0, 0] = np.nan
    model.layers[-1].set_weights([kernel, *rest])
    return model


def nan_for_negative():
    """A root of the input: NaN for negative inputs only."""
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(1)(tf.sqrt(inputs) if KERAS_2 else keras.ops.sqrt(inputs)))


def constant():
    """A kernel of zeros: the output is the bias, whatever comes in."""
    model = regression()
    model.layers[-1].set_weights([np.zeros((8, 1)), np.array([0.3])])
    return model


def saturated():
    """A bias so high that the output is 1 for anything: it may be so for such inputs only."""
    model = keras.Sequential([keras.Input((8,)), layers.Dense(1, activation="sigmoid")])
    model.layers[-1].set_weights([np.full((8, 1), 1e-3), np.array([60.0])])
    return model


def dead():
    """Relu behind a bias of -1e6: no gradient passes, the output is constant."""
    model = keras.Sequential(
        [keras.Input((8,)), layers.Dense(4, activation="relu", name="off"), layers.Dense(1, name="out")]
    )
    model.layers[0].set_weights([np.ones((8, 4)), np.full(4, -1e6)])
    model.layers[1].set_weights([np.ones((4, 1)), np.array([0.25])])
    return compiled(model, "mse")


def stopped():
    """Nothing differentiable between the weights and the output."""
    inputs = keras.Input((4,))
    x = layers.Dense(3, name="cut")(inputs)
    return keras.Model(inputs, tf.stop_gradient(x) if KERAS_2 else keras.ops.stop_gradient(x))


def half_stopped():
    inputs = keras.Input((4,))
    x = layers.Dense(3, name="cut")(inputs)
    x = tf.stop_gradient(x) if KERAS_2 else keras.ops.stop_gradient(x)
    return keras.Model(inputs, layers.Dense(1, name="reached")(x))


def vanishing():
    """Sixteen sigmoid layers."""
    hidden = [layers.Dense(6, activation="sigmoid", name=f"deep{i}") for i in range(16)]
    return compiled(keras.Sequential([keras.Input((6,)), *hidden, layers.Dense(1)]), "mse")


def exploding():
    model = keras.Sequential([keras.Input((6,)), *(layers.Dense(6) for _ in range(3)), layers.Dense(1)])
    for layer in model.layers:
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel * 300, bias])
    return compiled(model, "mse")


def half():
    """The output of a mixed_float16 layer."""
    return keras.Sequential([keras.Input((4,)), layers.Dense(2, dtype="mixed_float16")])


def mixes_the_batch():
    """Each sample less the mean of the batch."""
    inputs = keras.Input((4,))
    mean = tf.reduce_mean(inputs, axis=0, keepdims=True) if KERAS_2 else keras.ops.mean(inputs, axis=0, keepdims=True)
    return keras.Model(inputs, layers.Dense(1)(inputs - mean))


def compiled(model, loss):
    model.compile("adam", loss)
    return model


MODELS = (
    classifier, one_hot, regression, words, nested_words, named, pictures, stateful, dropout, nan_weight, nan_for_negative,
    constant, saturated, dead, stopped, half_stopped, vanishing, exploding, half, mixes_the_batch,
)  # fmt: skip


def save(models, folder):
    """Save each under the name of its function, all from the same seed."""
    for build in models:
        keras.utils.set_random_seed(1)
        build().save(folder / f"{build.__name__}.keras")


if __name__ == "__main__":
    save(MODELS, Path(sys.argv[1]))
