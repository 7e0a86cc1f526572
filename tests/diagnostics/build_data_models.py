"""Saves the models of `test_data_probes.py`: `python build_data_models.py FOLDER`. Keras 3, or tf_keras if asked."""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if os.environ.get("TF_USE_LEGACY_KERAS") == "1":
    import tf_keras as keras
else:
    import keras

layers = keras.layers


def stack(shape, *inside, loss, **given):
    model = keras.Sequential([keras.Input(shape, **given), *inside])
    model.compile("adam", loss)
    return model


def pictures():
    return stack(
        (8, 8, 1), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(10, activation="softmax"),
        loss="sparse_categorical_crossentropy",
    )  # fmt: skip


def colours():
    """Any size of picture will do for its layers."""
    return stack(
        (16, 16, 3), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), layers.Dense(10, activation="softmax"),
        loss="sparse_categorical_crossentropy",
    )  # fmt: skip


def rescaled():
    return stack(
        (8, 8, 1), layers.Rescaling(1 / 255), layers.Conv2D(4, 3), layers.Flatten(),
        layers.Dense(10, activation="softmax"), loss="sparse_categorical_crossentropy",
    )  # fmt: skip


def flat():
    return stack((64,), layers.Dense(10, activation="softmax"), loss="sparse_categorical_crossentropy")


def flowers():
    return stack((4,), layers.Dense(3, activation="softmax"), loss="sparse_categorical_crossentropy")


def flowers_one_hot():
    return stack((4,), layers.Dense(3, activation="softmax"), loss="categorical_crossentropy")


def wine():
    return stack(
        (13,), layers.BatchNormalization(), layers.Dense(3, activation="softmax"),
        loss="sparse_categorical_crossentropy",
    )  # fmt: skip


def wine_plain():
    return stack((13,), layers.Dense(3, activation="softmax"), loss="sparse_categorical_crossentropy")


def cancer():
    return stack((30,), layers.BatchNormalization(), layers.Dense(1, activation="sigmoid"), loss="binary_crossentropy")


def diabetes():
    return stack((10,), layers.Dense(1), loss="mse")


def words():
    return stack(
        (12,), layers.Embedding(50, 4, name="words"), layers.Flatten(), layers.Dense(1, activation="sigmoid"),
        loss="binary_crossentropy",
    )  # fmt: skip


def fixed():
    model = keras.Sequential([keras.Input(batch_shape=(32, 4)), layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def two():
    ids, numbers = keras.Input((3,), name="ids"), keras.Input((4,), name="numbers")
    looked_up = layers.Flatten()(layers.Embedding(9, 2, name="lookup")(ids))
    joined = layers.Concatenate()([looked_up, numbers])
    heads = [layers.Dense(3, activation="softmax", name="kind")(joined), layers.Dense(1, name="price")(joined)]
    model = keras.Model([ids, numbers], heads)
    model.compile("adam", {"kind": "sparse_categorical_crossentropy", "price": "mse"})
    return model


MODELS = [
    pictures, colours, rescaled, flat, flowers, flowers_one_hot, wine, wine_plain, cancer, diabetes, words, fixed, two,
]  # fmt: skip


def main(folder):
    for build in MODELS:
        build().save(Path(folder) / f"{build.__name__}.keras")
        keras.backend.clear_session()


main(sys.argv[1])
