"""Saves models of tf_keras: `TF_USE_LEGACY_KERAS=1 python build_old_models.py FOLDER`. Run by the tests of repair."""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import h5py
import tf_keras as keras

layers = keras.layers
folder = Path(sys.argv[1])

ordinary = keras.Sequential(
    [keras.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")]
)
ordinary.compile("adam", "sparse_categorical_crossentropy")
ordinary.save(folder / "old.keras")
ordinary.save(folder / "old.h5")

# Dropout that is on in inference too (Monte Carlo dropout): its outputs are never the same, so no copy can be proved.
inputs = keras.Input((8,))
keras.Model(inputs, layers.Dense(3)(layers.Dropout(0.5)(layers.Dense(16)(inputs), training=True))).save(
    folder / "random.h5"
)
keras.Sequential([keras.Input((8,)), layers.Lambda(lambda x: x * 2, output_shape=(8,)), layers.Dense(2)]).save(
    folder / "lambda.h5"
)
ordinary.save(folder / "linked.h5")
with h5py.File(folder / "linked.h5", "a") as file:
    file["elsewhere"] = h5py.ExternalLink("/etc/hostname", "/")
