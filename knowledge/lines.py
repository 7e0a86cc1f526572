"""The lines of Keras: releases that take the same code and fail with much the same words.

keras-3    Keras 3 (TensorFlow 2.16 and newer, or the jax and torch backends)
keras-2    Keras 2.4 to 2.15 and tf_keras: Keras inside TensorFlow 2
keras-2.2  Keras 2.0 to 2.3 over TensorFlow 1: graphs and sessions
"""

from __future__ import annotations

from typing import Literal, get_args

Line = Literal["keras-3", "keras-2", "keras-2.2"]
LINES: tuple[Line, ...] = get_args(Line)
# The Kerases in which the entries' code is executed, newest first in each line. `laboratory.py` knows where they live.
LABORATORIES: dict[str, Line] = {
    "keras-3": "keras-3",
    "keras-3.0": "keras-3",
    "tf-keras": "keras-2",
    "keras-2.15": "keras-2",
    "keras-2.12": "keras-2",
    "tf-2.4": "keras-2",
    "keras-2.2": "keras-2.2",
}


def line_of(keras: str | None, tensorflow: str | None) -> Line | None:
    """The line that a Keras and a TensorFlow version string belong to, None when neither tells.

    A stand-alone Keras version decides where both are known; a bare "2" is the Keras in TensorFlow 2, where people meet it today.
    TensorFlow 2.16 was the first whose `tf.keras` is Keras 3 (release notes of TensorFlow 2.16, "Major Features and Improvements").
    """
    if keras and (number := _numbers(keras)):
        if number >= (3,):
            return "keras-3"
        return "keras-2" if number >= (2, 4) or number == (2,) else "keras-2.2"
    if tensorflow and (number := _numbers(tensorflow)):
        if number >= (2, 16):
            return "keras-3"
        return "keras-2" if number >= (2,) else "keras-2.2"
    return None


def _numbers(version: str) -> tuple[int, ...]:
    parts = []
    for part in version.split(".")[:2]:
        digits = "".join(c for c in part if c.isdigit())
        if not digits:
            break
        parts.append(int(digits[:4]))
    return tuple(parts)
