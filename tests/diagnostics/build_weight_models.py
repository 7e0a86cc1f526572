"""Saves the models of `test_weights.py`: `python build_weight_models.py FOLDER`. Keras 3, or tf_keras if asked.

Each goes into a .keras and an .h5 file; `truth.json` has the norms of every layer's weights, as Keras itself knows them.
"""

import json
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

layers = keras.layers
optimizers = keras.optimizers
STEPS = 12


def trained(model, optimizer, loss="mse"):
    """Some real steps on noise."""
    chance = np.random.default_rng(0)
    shapes = [1 if n is None else n for n in model.input_shape[1:]], model.output_shape[1:]
    x, y = (chance.random((8, *shape)).astype("float32") for shape in shapes)
    if loss == "categorical_crossentropy":
        y = y / y.sum(axis=-1, keepdims=True)
    model.compile(optimizer, loss)
    for _ in range(STEPS):
        model.train_on_batch(x, y)
    return model


def mlp():
    """Names that sort otherwise than the layers stand."""
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(10, activation="relu", name="third"),
            layers.Dropout(0.1),
            layers.Dense(10, name="second"),
            layers.Activation("relu"),
            layers.Dense(10, activation="sigmoid", name="gate"),
            layers.Dense(3, activation="softmax", name="first"),
        ]
    )
    return trained(model, "adam", "categorical_crossentropy")


def convnet():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, use_bias=False, name="one"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(),
            layers.SeparableConv2D(5, 3, name="two"),
            layers.DepthwiseConv2D(2, name="deep"),
            layers.Conv2D(9, 2, activation="relu", name="three"),
            layers.BatchNormalization(name="wide"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1, activation="sigmoid", name="out"),
        ]
    )
    return trained(model, optimizers.SGD(0.01, momentum=0.9))


def nested():
    inner = keras.Sequential(
        [keras.Input((6,)), layers.Dense(4, activation="relu", name="zed"), layers.BatchNormalization(name="norm"),
         layers.Dense(3, name="alpha")], name="inner",
    )  # fmt: skip
    source = keras.Input((5, 6))
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="both")(source)
    x = layers.TimeDistributed(layers.Dense(6, name="each"), name="steps")(x)
    x = layers.GRU(6, name="gru")(x)
    one = layers.Dense(6, activation="relu", name="branch_b")(x)
    two = layers.Dense(6, activation="relu", name="branch_a")(one)
    x = inner(layers.Add()([one, two]))
    x = layers.LayerNormalization(name="layer_norm")(x)
    return trained(keras.Model(source, layers.Dense(1, name="out")(x)), optimizers.RMSprop(0.001))


def words():
    model = keras.Sequential([
        keras.Input((5,)), layers.Embedding(20, 8, name="table"), layers.LSTM(4, name="lstm"), layers.Dense(1, name="out"),
    ])  # fmt: skip
    return trained(model, "sgd")


def residual():
    """Made new: the last gamma of the branch is zero on purpose, so is a gate; nothing was trained."""
    source = keras.Input((8, 8, 4))
    x = layers.Conv2D(4, 3, padding="same", name="conv")(source)
    x = layers.BatchNormalization(gamma_initializer="zeros", name="last")(x)
    gate = layers.Dense(4, kernel_initializer="zeros", name="gate")(x)
    x = layers.ReLU()(layers.Add()([source, x, gate]))
    return keras.Model(source, layers.Dense(2, name="out")(layers.GlobalAveragePooling2D()(x)))


def one_softmax():
    """Softmax over one unit is 1 whatever arrives: no gradient, after all the steps."""
    model = keras.Sequential([
        keras.Input((6,)), layers.Dense(5, activation="relu", name="hidden"), layers.Dense(1, activation="softmax", name="out"),
    ])  # fmt: skip
    return trained(model, "adam")


def one_softmax_sgd():
    model = one_softmax()
    return trained(model, "sgd")


def bounded():
    """A relu whose inputs lie between -1 and 1."""
    model = keras.Sequential([
        keras.Input((6,)), layers.Dense(5, activation="tanh", name="before"), layers.Dense(4, activation="relu", name="behind"),
        layers.Dense(1, name="out"),
    ])  # fmt: skip
    return trained(model, "sgd")


def half():
    """float16 throughout, as no training needs it."""
    return keras.Sequential([keras.Input((6,)), layers.Dense(9, dtype="float16", name="small")])


MODELS = [mlp, convnet, nested, words, residual, one_softmax, one_softmax_sgd, bounded, half]


def norms(model, prefix=""):
    """The norms of each layer's weights, by its path."""
    found = {}
    for layer in model.layers:
        if hasattr(layer, "layers"):
            found.update(norms(layer, f"{prefix}{layer.name}/"))
        elif layer.get_weights():
            found[prefix + layer.name] = sorted(float(np.linalg.norm(w.astype("float64"))) for w in layer.get_weights())
    return found


def main(folder):
    truth = {}
    for build in MODELS:
        keras.backend.clear_session()
        model = build()
        truth[build.__name__] = norms(model)
        for suffix in (".keras", ".h5"):
            model.save(Path(folder) / f"{build.__name__}{suffix}")
        if build is nested:
            model.save_weights(Path(folder) / "nested.weights.h5")
    if not KERAS_2:  # which refuses
        keras.Sequential([layers.Dense(2, name="later")]).save(Path(folder) / "unbuilt.h5")
    Path(folder, "truth.json").write_text(json.dumps(truth))


main(sys.argv[1])
