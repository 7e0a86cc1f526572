"""Saves models of odd inputs, outputs and appetites, and those of `build_live_models`: `python build_odd_models.py FOLDER`."""

import os
import sys
from pathlib import Path

import build_live_models
from build_live_models import KERAS_2, compiled, keras, tf

layers = keras.layers


def strings():
    """Sentences, cut into words in the model."""
    inputs = keras.Input((1,), dtype="string")
    ids = layers.TextVectorization(output_sequence_length=4, vocabulary=["good", "day", "old"])(inputs)
    return keras.Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling1D()(layers.Embedding(6, 3)(ids))))


def string_outputs():
    """Ids to words: nothing to differentiate, no numbers."""
    inputs = keras.Input((2,), dtype="int64")
    lookup = layers.StringLookup(vocabulary=["a", "b"], invert=True)
    return keras.Model(inputs, lookup(inputs))


def ragged():
    """Words of sentences, of which each has another count; Keras 3 has no ragged tensors in a saved model."""
    inputs = keras.Input((), dtype="string")
    return keras.Model(inputs, layers.TextVectorization(ragged=True, vocabulary=["good", "day"])(inputs))


def sparse():
    inputs = keras.Input((1,), dtype="int64")
    return keras.Model(inputs, layers.CategoryEncoding(num_tokens=5, sparse=True, output_mode="multi_hot")(inputs))


def integers():
    """The index of the largest, as an integer, beside an ordinary output."""
    inputs = keras.Input((4,))
    scores = layers.Dense(3, name="scores")(inputs)
    best = tf.argmax(scores, axis=-1) if KERAS_2 else keras.ops.argmax(scores, axis=-1)
    return keras.Model(inputs, {"best": best, "scores": scores})


def only_integers():
    inputs = keras.Input((4,))
    scores = layers.Dense(3, name="scores")(inputs)
    return keras.Model(inputs, tf.argmax(scores, axis=-1) if KERAS_2 else keras.ops.argmax(scores, axis=-1))


def two_tables():
    """Users and films by their ids, as recommenders have it."""
    user, film = keras.Input((1,), name="user"), keras.Input((1,), name="film")
    left, right = layers.Embedding(7, 4)(user), layers.Embedding(3, 4)(film)
    return compiled(keras.Model([user, film], layers.Flatten()(layers.Dot(2)([left, right]))), "mse")


def shared_table():
    """One table, called for two inputs."""
    table = layers.Embedding(5, 2, name="table")
    left, right = keras.Input((3,), dtype="int32", name="left"), keras.Input((3,), dtype="int32", name="right")
    return keras.Model([left, right], layers.Dense(1)(layers.Flatten()(layers.Subtract()([table(left), table(right)]))))


def open_cube():
    """Five open dimensions: whatever each is set to, they multiply."""
    inputs = keras.Input((None, None, None, None, None, 2))
    return keras.Model(inputs, layers.Dense(1)(inputs))


def nested_outputs():
    inputs = keras.Input((4,))
    a, b = layers.Dense(2, name="a")(inputs), layers.Dense(3, name="b")(inputs)
    return keras.Model(inputs, {"both": [a, b], "one": b} if not KERAS_2 else [a, b])


def no_weights():
    return keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten()])


def wide():
    """A dimension of four million: 128 MB for eight samples, and a table that is not called."""
    inputs = keras.Input((4_000_000,))
    return keras.Model(inputs, layers.Reshape((2000, 2000))(inputs))


def empty():
    """Nothing comes in: the last dimension is zero."""
    inputs = keras.Input((0,))
    return keras.Model(inputs, layers.Reshape((0, 1))(inputs))


def fixed_one():
    """A batch of one only."""
    inputs = keras.Input(batch_shape=(1, 4)) if not KERAS_2 else keras.Input(batch_size=1, shape=(4,))
    return keras.Model(inputs, layers.Dense(2)(inputs))


def frozen():
    model = compiled(keras.Sequential([keras.Input((4,)), layers.Dense(2)]), "mse")
    model.trainable = False
    return model


def own_loss():
    """Compiled with a function of its own: without that code it loads uncompiled."""

    def mine(true, predicted):
        return tf.reduce_mean(tf.abs(true - predicted))

    return compiled(keras.Sequential([keras.Input((4,)), layers.Dense(2)]), mine)


def own_layer():
    """A class of its own, which is not in the file."""

    @keras.utils.register_keras_serializable("mine")
    class Doubled(layers.Layer):
        def call(self, inputs):
            return inputs * 2

    return keras.Sequential([keras.Input((4,)), Doubled(), layers.Dense(2)])


def subclassed():
    @keras.utils.register_keras_serializable("mine")
    class Own(keras.Model):
        def __init__(self, **settings):
            super().__init__(**settings)
            self.dense = layers.Dense(2)

        def call(self, inputs):
            return self.dense(inputs)

    model = Own()
    model(tf.zeros((1, 4)))
    return model


def with_lambda():
    return keras.Sequential([keras.Input((4,)), layers.Lambda(lambda x: x * 2, output_shape=(4,)), layers.Dense(2)])


def endless():
    """A lambda that never comes back, once the model is saved."""

    def wait(values):
        import os  # noqa: PLC0415 - it travels as bytecode
        import time  # noqa: PLC0415

        while not os.environ.get("BUILDING"):
            time.sleep(0.1)
        return values

    wait.__name__ = "<lambda>"
    return keras.Sequential([keras.Input((4,)), layers.Lambda(wait, output_shape=(4,))])


MODELS = (
    strings, string_outputs, ragged, sparse, integers, only_integers, two_tables, shared_table, open_cube, nested_outputs,
    no_weights, wide, empty, fixed_one, frozen, own_loss, own_layer, subclassed, with_lambda, endless,
)  # fmt: skip


if __name__ == "__main__":
    os.environ["BUILDING"] = "1"
    build_live_models.save((*build_live_models.MODELS, *MODELS), Path(sys.argv[1]))
