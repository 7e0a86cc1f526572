"""A program that fails: its pictures are uint8, and the convolution takes floats only."""

import keras
import numpy as np

pictures = np.random.default_rng(0).integers(0, 256, (64, 28, 28, 1), dtype="uint8")
digits = np.arange(64) % 10

model = keras.Sequential(
    [
        keras.Input((28, 28, 1), dtype="uint8"),
        keras.layers.Conv2D(8, 3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.save("digits.keras")
model.fit(pictures, digits, epochs=3)
