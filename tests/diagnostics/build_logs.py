"""Trains tiny models and keeps their logs: `python build_logs.py FOLDER`. Keras 3, or tf_keras if asked.

Each training leaves NAME.csv (CSVLogger), NAME.json (the History) and NAME.txt (what fit printed); some leave events for
TensorBoard in NAME/.
"""

import contextlib
import json
import os
import sys
from pathlib import Path
from types import ModuleType

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if os.environ.get("TF_USE_LEGACY_KERAS") == "1":
    import tf_keras as keras
else:
    import keras
import numpy as np
import tensorflow as tf

layers = keras.layers
chance = np.random.default_rng(0)


def write_scalar(name, data, step=None, description=None):
    """What TensorBoard's `scalar` does, which tf.summary calls and which is a package of its own."""
    metadata = tf.compat.v1.SummaryMetadata(summary_description=description)
    metadata.plugin_data.plugin_name = "scalars"
    return tf.summary.write(name, tf.cast(data, tf.float32), step=step, metadata=metadata)


def with_tensorboard():
    """Where the package TensorBoard is missing, the one function of it that is needed stands in for it."""
    with contextlib.suppress(ImportError):
        import tensorboard  # noqa: F401, PLC0415

        return
    module = ModuleType("tensorboard.summary.v2")
    module.scalar = write_scalar
    for name in ("tensorboard", "tensorboard.summary"):
        sys.modules[name] = ModuleType(name)
    sys.modules[module.__name__] = module


def classes(samples=300, kinds=3, features=6, spread=0.8):
    """Clusters, one for each class, in random order."""
    labels = chance.integers(0, kinds, samples)
    centres = chance.normal(size=(kinds, features))
    return (centres[labels] + spread * chance.normal(size=(samples, features))).astype("float32"), labels


def stack(*inside, optimizer, loss, metrics=("accuracy",)):
    model = keras.Sequential([keras.Input((6,)), *inside])
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


def classifier(*, kinds=3, width=16, rate=0.01, hidden=()):
    return stack(
        layers.Dense(width, activation="relu"),
        *hidden,
        layers.Dense(kinds, activation="softmax"),
        optimizer=keras.optimizers.Adam(rate),
        loss="sparse_categorical_crossentropy",
    )


def healthy():
    return classifier(), classes(), {"epochs": 12}


def silent():
    """One line per epoch instead of a bar."""
    return classifier(), classes(), {"epochs": 4, "verbose": 2}


def not_finite():
    x, y = classes()
    model = stack(layers.Dense(8), layers.Dense(1), optimizer=keras.optimizers.SGD(3.0), loss="mse", metrics=["mae"])
    return model, (x, y.astype("float32")), {"epochs": 8}


def overfitting():
    """Forty samples, labels of chance, a wide model."""
    x = chance.normal(size=(40, 6)).astype("float32")
    return classifier(width=256), (x, chance.integers(0, 3, 40)), {"epochs": 60, "batch_size": 10}


def sorted_labels():
    """validation_split takes the last rows, which are all of the last class."""
    x, y = classes(400, kinds=4)
    order = np.argsort(y)
    return classifier(kinds=4), (x[order], y[order]), {"epochs": 10, "validation_split": 0.2}


def frozen():
    model = classifier()
    model.trainable = False
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, classes(256), {"epochs": 6}


def chance_level():
    """Inputs that tell nothing: the loss stays at ln 2."""
    x = np.zeros((400, 6), "float32")
    return classifier(kinds=2, rate=0.001), (x, np.arange(400) % 2), {"epochs": 8}


def regression():
    """Accuracy of a regression."""
    x, y = classes()
    target = (x.sum(1) + 0.1 * y).astype("float32")
    model = stack(layers.Dense(16, activation="relu"), layers.Dense(1), optimizer="adam", loss="mse")
    return model, (x, target), {"epochs": 8}


def dropout():
    """Training is measured with Dropout, validation without."""
    return classifier(width=32, hidden=[layers.Dropout(0.6)]), classes(spread=0.4), {"epochs": 15}


def reduced_rate():
    slower = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.1, patience=1, min_delta=10.0, min_lr=1e-9)
    return classifier(), classes(), {"epochs": 10, "callbacks": [slower]}


def unstable():
    """A rate far too high for a network of this depth."""
    hidden = [layers.Dense(32, activation="relu") for _ in range(3)]
    return classifier(width=32, rate=0.3, hidden=hidden), classes(spread=1.2), {"epochs": 20}


def outputs():
    """Two outputs with names, losses and metrics of their own."""
    x, y = classes()
    inputs = keras.Input((6,))
    hidden = layers.Dense(16, activation="relu")(inputs)
    kind = layers.Dense(3, activation="softmax", name="kind")(hidden)
    size = layers.Dense(1, name="size_2d")(hidden)
    model = keras.Model(inputs, {"kind": kind, "size_2d": size})
    model.compile(
        keras.optimizers.Adam(0.01),
        {"kind": "sparse_categorical_crossentropy", "size_2d": "mse"},
        metrics={"kind": ["accuracy"], "size_2d": ["mae"]},
    )
    return model, (x, {"kind": y, "size_2d": x.sum(1)}), {"epochs": 5}


TRAININGS = [
    healthy, silent, not_finite, overfitting, sorted_labels, frozen, chance_level, regression, dropout, reduced_rate,
    unstable, outputs,
]  # fmt: skip
WITH_EVENTS = {healthy, not_finite, overfitting, reduced_rate}


def data_of(x, y, options):
    """Where no validation_split is asked for, the last quarter of the rows (they are in random order) validates."""
    if "validation_split" in options:
        return (x, y), {}
    cut = len(x) * 3 // 4
    last = {name: part[cut:] for name, part in y.items()} if isinstance(y, dict) else y[cut:]
    first = {name: part[:cut] for name, part in y.items()} if isinstance(y, dict) else y[:cut]
    return (x[:cut], first), {"validation_data": (x[cut:], last)}


def train(build, folder):
    keras.utils.set_random_seed(1)
    model, (x, y), options = build()
    name = build.__name__
    data, validation = data_of(x, y, options)
    callbacks = [*options.pop("callbacks", []), keras.callbacks.CSVLogger(folder / f"{name}.csv")]
    if build in WITH_EVENTS:
        callbacks.append(keras.callbacks.TensorBoard(folder / name, write_graph=build is healthy))
    options = {"batch_size": 32, "verbose": 1, **validation, **options}
    with (folder / f"{name}.txt").open("w", encoding="utf-8") as file, contextlib.redirect_stdout(file):
        told = model.fit(*data, callbacks=callbacks, **options)
        if build is healthy:
            model.evaluate(*data, verbose=1)
    (folder / f"{name}.json").write_text(json.dumps(told.history, default=float))


def main(folder):
    with_tensorboard()
    for build in TRAININGS:
        if build is overfitting:  # from here on the bar is redrawn in place, as on a terminal
            os.environ["PYCHARM_HOSTED"] = "1"
        train(build, folder)
        keras.backend.clear_session()


main(Path(sys.argv[1]))
