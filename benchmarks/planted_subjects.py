"""Trains and saves the sound subjects of `make recall` with the Keras that it runs under.

    python planted_subjects.py keras|tf_keras FOLDER

Six architectures on made data that can be learned, each as NAME.keras and NAME.h5, with its training log (NAME.csv) and a
sample of its data (NAME.npz).
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
NAME, FOLDER = sys.argv[1], Path(sys.argv[2])
os.environ["TF_USE_LEGACY_KERAS"] = "1" if NAME == "tf_keras" else "0"
keras: Any = importlib.import_module(NAME)
np: Any = importlib.import_module("numpy")
tf: Any = importlib.import_module("tensorflow")
layers = keras.layers
RANDOM = np.random.default_rng(0)
SAMPLES, EPOCHS = 320, 12
WORDS = np.array(["good", "great", "fine", "bad", "poor", "dull", "film", "book", "day", "the"])
Subject = tuple[Any, dict[str, Any], dict[str, Any]]


def mlp() -> Subject:
    """Standardized numbers, three classes as integers."""
    x = RANDOM.normal(size=(SAMPLES, 8)).astype("float32")
    y = (x[:, :3] + 0.5 * x[:, 3:6]).argmax(axis=1)
    model = keras.Sequential([
        keras.Input((8,)),
        layers.Dense(32, activation="tanh", name="first"),
        layers.Dense(16, activation="relu", name="second"),
        layers.Dense(3, activation="softmax", name="classes"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, {"x": x}, {"y": y}


def pictures() -> tuple[Any, Any]:
    """Noise with a brighter quarter, which is the class."""
    classes = RANDOM.integers(0, 4, SAMPLES)
    x = RANDOM.random((SAMPLES, 16, 16, 3)).astype("float32") * 0.6
    for i, which in enumerate(classes):
        row, column = divmod(int(which), 2)
        x[i, row * 8 : row * 8 + 8, column * 8 : column * 8 + 8] += 0.25
    return x, np.eye(4, dtype="float32")[classes]


def cnn() -> Subject:
    """Pictures, four classes as one-hot rows."""
    x, y = pictures()
    model = keras.Sequential([
        keras.Input((16, 16, 3)),
        layers.Conv2D(8, 3, activation="relu", name="conv"),
        layers.MaxPooling2D(name="pool"),
        layers.Conv2D(16, 3, activation="relu", name="conv_2"),
        layers.Flatten(name="flat"),
        layers.Dense(32, activation="relu", name="hidden"),
        layers.Dropout(0.3, name="dropout"),
        layers.Dense(4, activation="softmax", name="classes"),
    ])  # fmt: skip
    model.compile(keras.optimizers.Adam(0.002), "categorical_crossentropy", metrics=["accuracy"])
    return model, {"x": x}, {"y": y}


def text() -> Subject:
    """Sentences of eight words, liked or not."""
    ids = RANDOM.integers(0, len(WORDS), (SAMPLES, 8))
    y = ((ids < 3).sum(axis=1) > ((ids >= 3) & (ids < 6)).sum(axis=1)).astype("float32")[:, None]  # noqa: PLR2004
    x = np.array([[" ".join(WORDS[row])] for row in ids])
    words = layers.TextVectorization(vocabulary=WORDS.tolist(), output_sequence_length=8, name="words")
    model = keras.Sequential([
        keras.Input((1,), dtype="string"),
        words,
        layers.Embedding(12, 8, mask_zero=True, name="embedding"),
        layers.LSTM(8, return_sequences=True, name="lstm"),
        layers.LSTM(8, name="lstm_2"),
        layers.Dense(1, activation="sigmoid", name="liked"),
    ])  # fmt: skip
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    return model, {"x": x}, {"y": y}


def multi() -> Subject:
    """Numbers and a category; a class and a price."""
    numbers = RANDOM.normal(size=(SAMPLES, 6)).astype("float32")
    group = RANDOM.integers(0, 20, (SAMPLES, 1)).astype("int32")
    kind = (numbers[:, :3] + (group % 3 == np.arange(3))).argmax(axis=1)
    price = (numbers.sum(axis=1, keepdims=True) + group / 10).astype("float32")
    given = keras.Input((6,), name="numbers"), keras.Input((1,), dtype="int32", name="group")
    known = layers.Flatten(name="flat")(layers.Embedding(20, 4, name="embedding")(given[1]))
    joined = layers.Concatenate(name="joined")([given[0], known])
    x = layers.Dense(24, activation="relu", name="shared")(joined)
    outputs = layers.Dense(3, activation="softmax", name="kind")(x), layers.Dense(1, name="price")(x)
    model = keras.Model(list(given), list(outputs))
    model.compile(
        keras.optimizers.Adam(0.01), ["sparse_categorical_crossentropy", "mse"], metrics=[["accuracy"], ["mae"]]
    )
    return model, {"numbers": numbers, "group": group}, {"kind": kind, "price": price}


def resnet() -> Subject:
    """Convolutions with BatchNormalization and a shortcut."""
    x, y = pictures()
    inputs = keras.Input((16, 16, 3))
    stem = layers.ReLU()(
        layers.BatchNormalization(momentum=0.8)(layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(inputs))
    )
    way = layers.ReLU()(
        layers.BatchNormalization(momentum=0.8)(
            layers.Conv2D(8, 3, padding="same", use_bias=False, name="block_1")(stem)
        )
    )
    way = layers.BatchNormalization(momentum=0.8)(
        layers.Conv2D(8, 3, padding="same", use_bias=False, name="block_2")(way)
    )
    ended = layers.GlobalAveragePooling2D()(layers.ReLU()(layers.Add(name="shortcut")([stem, way])))
    model = keras.Model(inputs, layers.Dense(4, activation="softmax", name="classes")(layers.Flatten()(ended)))
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "categorical_crossentropy", metrics=["accuracy"])
    return model, {"x": x}, {"y": y}


def nested() -> Subject:
    """A model in a model, and two classes."""
    x = RANDOM.normal(size=(SAMPLES, 8)).astype("float32")
    y = (x[:, :4].sum(axis=1, keepdims=True) > 0).astype("float32")
    inside = keras.Input((8,))
    encoded = layers.BatchNormalization(name="norm")(layers.Dense(16, activation="relu", name="inside")(inside))
    encoder = keras.Model(inside, encoded, name="encoder")
    inputs = keras.Input((8,))
    hidden = layers.Dense(8, activation="relu", name="outside")(encoder(inputs))
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid", name="yes")(hidden))
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"])
    return model, {"x": x}, {"y": y}


def main() -> None:
    """Train each and save it with its log and data."""
    for make in (mlp, cnn, text, multi, resnet, nested):
        keras.utils.set_random_seed(0)
        model, x, y = make()
        given = [tf.constant(part.tolist()) if part.dtype.kind == "U" else part for part in x.values()]
        wanted = list(y.values())
        log = keras.callbacks.CSVLogger(str(FOLDER / f"{make.__name__}.csv"))
        cut = SAMPLES * 4 // 5
        held = _cut(given, slice(cut, None)), _cut(wanted, slice(cut, None))
        model.fit(
            _cut(given, slice(0, cut)), _cut(wanted, slice(0, cut)),
            validation_data=held, epochs=EPOCHS, verbose=0, callbacks=[log],
        )  # fmt: skip
        for suffix in (".keras", ".h5"):
            model.save(FOLDER / f"{make.__name__}{suffix}")
        np.savez(FOLDER / f"{make.__name__}.npz", **x, **y)


def _cut(parts: list[Any], rows: slice) -> Any:  # noqa: ANN401 - arrays
    cut = [part[rows] for part in parts]
    return cut[0] if len(cut) == 1 else cut


if __name__ == "__main__":
    main()
