"""Saves real model files with the Keras that it runs under: `python build_models.py FOLDER`. Run by the tests."""

import importlib
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
KERAS_2 = os.environ.get("TF_USE_LEGACY_KERAS") == "1"
if KERAS_2:
    import tf_keras as keras
else:
    import keras

tf = importlib.import_module("tensorflow")

layers = keras.layers


def sequential():
    return keras.Sequential([keras.Input((8,)), layers.Dense(4, activation="relu"), layers.Dense(1)])


def branches():
    """Two inputs, a shared layer called twice, a nested model, a merge."""
    left, right = keras.Input((8,), name="left"), keras.Input((8,), name="right")
    shared = layers.Dense(4, name="shared")
    inner_input = keras.Input((4,))
    inner = keras.Model(inner_input, layers.Dense(3, name="deep")(inner_input), name="inner")
    merged = layers.Concatenate(name="merged")([inner(shared(left)), shared(right)])
    return keras.Model([left, right], layers.Dense(1, name="out")(merged), name="branches")


def sliced():
    """An operation stands between the layers: TFOpLambda and SlicingOpLambda in Keras 2, GetItem and Mean in Keras 3."""
    inputs = keras.Input((8, 3))
    x = layers.Dense(4)(inputs)[:, 1:3]
    x = tf.reduce_mean(x, axis=1) if KERAS_2 else keras.ops.mean(x, axis=1)
    return keras.Model(inputs, layers.Dense(1)(x))


def half():
    """mixed_float16 everywhere, its softmax included; one float64 layer."""
    inputs = keras.Input((8,))
    x = layers.Dense(4, dtype="mixed_float16")(inputs)
    x = layers.Dense(4, dtype="float64", name="island")(x)
    return keras.Model(inputs, layers.Dense(3, activation="softmax", dtype="mixed_float16", name="probabilities")(x))


def half_right():
    """Mixed precision as the guide says: the output is float32."""
    inputs = keras.Input((8,))
    x = layers.Dense(4, dtype="mixed_float16")(inputs)
    return keras.Model(inputs, layers.Dense(3, activation="softmax", dtype="float32")(x))


def bytes_in():
    """uint8 pictures straight into a convolution: Keras 3 builds this, and it fails when called."""
    return keras.Sequential(
        [keras.Input((8, 8, 1), dtype="uint8"), layers.MaxPooling2D(name="pool"), layers.Conv2D(2, 3, name="conv")]
    )


def bytes_scaled():
    """The same with a Rescaling layer between."""
    return keras.Sequential([keras.Input((8, 8, 1), dtype="uint8"), layers.Rescaling(1 / 255), layers.Conv2D(2, 3)])


class Own(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(2)

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        return {"name": self.name}


def subclassed():
    model = Own(name="own")
    model(tf.zeros((1, 3)))
    return model


MODELS = [sequential, branches, sliced, half, half_right, *([] if KERAS_2 else [bytes_in, subclassed]), bytes_scaled]


def main(folder):
    for build in MODELS:
        model = build()
        if build is not subclassed:
            model.compile("adam", "mse")
        model.save(Path(folder) / f"{build.__name__}.keras")
        if build in (sequential, branches):
            model.save(Path(folder) / f"{build.__name__}.h5")
    sequential().save_weights(Path(folder) / "only.weights.h5")


main(sys.argv[1])
