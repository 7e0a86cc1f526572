"""Saves the models of `test_settings_probes.py`: `python build_settings.py FOLDER`. Keras 3, or tf_keras if asked."""

import importlib
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
KERAS_2 = os.environ.get("TF_USE_LEGACY_KERAS") == "1"
keras = importlib.import_module("tf_keras" if KERAS_2 else "keras")

layers, optimizers, metrics, initializers = keras.layers, keras.optimizers, keras.metrics, keras.initializers


def chain(*stack, shape=(8,), dtype=None):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *stack])


def compiled(model, optimizer="adam", loss="mse", counted=None):
    model.compile(optimizer, loss, metrics=counted)
    return model


def dense(units=4, activation="relu", **settings):
    return layers.Dense(units, activation=activation, **settings)


# layer settings: initializers


def equal_units(first="zeros", second="ones", *between, **settings):
    return chain(
        dense(name="first", kernel_initializer=first, **settings),
        *between,
        dense(1, kernel_initializer=second, name="second"),
    )


def zeros():
    return compiled(equal_units())


def constants():
    """Through BatchNormalization and an activation, with a number of one's own."""
    between = [layers.BatchNormalization(), layers.Activation("tanh")]
    return compiled(equal_units(initializers.Constant(0.5), initializers.Constant(0.1), *between))


def constant_filters():
    """Filters are units too."""
    conv = layers.Conv2D(3, 3, kernel_initializer="ones", name="first")
    stack = [conv, layers.MaxPooling2D(), layers.Flatten(), layers.Dense(2, kernel_initializer="zeros", name="second")]
    return compiled(chain(*stack, shape=(8, 8, 1)))


def zeros_to_predict():
    return equal_units()


def one_constant():
    """The next kernel is random."""
    return compiled(equal_units("ones", "glorot_uniform"))


def one_unit():
    return compiled(chain(dense(1, kernel_initializer="ones"), dense(1, kernel_initializer="ones")))


def random_bias():
    return compiled(equal_units(bias_initializer="random_normal"))


def branched():
    """The units of the first layer also go another way, with a random kernel."""
    inputs = keras.Input((8,))
    x = dense(kernel_initializer="ones", name="first")(inputs)
    sides = [dense(2, kernel_initializer="ones", name="second")(x), dense(2)(x)]
    return compiled(keras.Model(inputs, layers.Concatenate()(sides)))


# layer settings: the others


def strong_penalty():
    return compiled(chain(dense(name="held", kernel_regularizer=keras.regularizers.L2(2.0)), dense(1)))


def usual_penalty():
    return compiled(chain(dense(kernel_regularizer="l2", activity_regularizer=keras.regularizers.L1(1e-4)), dense(1)))


def idle_bias():
    conv = layers.Conv1D(4, 3, name="conv")
    stack = [conv, layers.BatchNormalization(), layers.ReLU(), layers.Conv1D(2, 3, use_bias=False, name="bare")]
    return compiled(chain(*stack, layers.BatchNormalization(), shape=(9, 3)))


def dropout_first():
    return compiled(chain(dense(), layers.Dropout(0.3, name="drop"), layers.BatchNormalization(), dense(1)))


def dropout_behind():
    return compiled(chain(dense(), layers.BatchNormalization(), layers.Dropout(0.3), dense(1)))


def hidden_softmax():
    return compiled(chain(dense(6, "softmax", name="middle"), layers.Dropout(0.1), dense(1, name="end")))


def hidden_softmax_layers():
    stack = [layers.Conv1D(6, 2), layers.Softmax(name="middle"), layers.Flatten(), dense(1, name="end")]
    return compiled(chain(*stack, shape=(8, 2)))


def attention():
    """The softmax goes into a product."""
    inputs = keras.Input((5, 4))
    weights = layers.Softmax(axis=1)(layers.Dense(4)(inputs))
    x = layers.GlobalAveragePooling1D()(layers.Multiply()([inputs, weights]))
    return compiled(keras.Model(inputs, layers.Dense(1)(x)))


def gated():
    """A squeeze-and-excitation block: a sigmoid that weighs channels."""
    inputs = keras.Input((5, 4))
    x = layers.Conv1D(4, 3, padding="same")(inputs)
    weights = dense(4, "sigmoid")(dense(2)(layers.GlobalAveragePooling1D()(x)))
    return compiled(keras.Model(inputs, layers.Dense(1)(layers.Multiply()([x, layers.Reshape((1, 4))(weights)]))))


# deep stacks


def deep(number, activation, *, each=(), last=1, **settings):
    stack = []
    for _ in range(number):
        stack += [dense(4, activation, **settings), *[make() for make in each]]
    return compiled(chain(*stack, dense(last, None)))


def sigmoids():
    return deep(6, "sigmoid")


def sigmoid_layers():
    return deep(6, None, each=(lambda: layers.Activation("sigmoid"), lambda: layers.Dropout(0.1)))


def relus():
    return deep(21, "relu")


def nested_sigmoids():
    """Half of the stack is in a model of its own."""
    inner = keras.Sequential([keras.Input((4,)), *[dense(4, "sigmoid") for _ in range(3)]], name="inner")
    return compiled(chain(*[dense(4, "sigmoid") for _ in range(3)], inner, dense(1, name="end")))


def few_sigmoids():
    return deep(5, "sigmoid")


def normalized_sigmoids():
    return deep(7, "sigmoid", each=(layers.BatchNormalization,))


def he_relus():
    return deep(24, "relu", kernel_initializer="he_normal")


def twenty_relus():
    return deep(20, "relu")


def residual():
    inputs = x = keras.Input((4,))
    for _ in range(12):
        x = layers.Add()([x, dense(4, None)(dense(4)(dense(4)(x)))])
    return compiled(keras.Model(inputs, dense(1, None)(x)))


def watched():
    """Each third layer is an output with a loss of its own."""
    inputs = x = keras.Input((4,))
    outputs = []
    for number in range(9):
        x = dense(4, "sigmoid")(x)
        outputs += [x] if number % 3 == 2 else []
    return compiled(keras.Model(inputs, outputs))


# embedding sizes


def words(before, rows, columns=8, shape=(), dtype="int64"):
    inputs = keras.Input(shape, dtype=dtype)
    x = layers.Embedding(rows, columns, name="table")(before(inputs))
    return compiled(keras.Model(inputs, layers.Dense(1)(layers.Flatten()(x))))


def lookup(**settings):
    return layers.IntegerLookup(vocabulary=[5, 6, 7, 8], name="numbers", **settings)


def lookup_too_large():
    return words(lookup(), 4)


def lookup_right():
    return words(lookup(), 5)


def hashed():
    return words(layers.Hashing(20, name="numbers"), 10)


def buckets():
    return words(layers.Discretization(bin_boundaries=[0.0, 1.0, 2.0], name="numbers"), 3, dtype="float32")


def limited():
    """At most 100 words, how many there are is not known before adapt."""
    return words(layers.IntegerLookup(max_tokens=100, name="numbers"), 50)


def wide():
    return compiled(chain(layers.Embedding(60, 64, name="table"), layers.Flatten(), layers.Dense(1), shape=(3,)))


def narrow():
    return compiled(chain(layers.Embedding(1000, 64), layers.Flatten(), layers.Dense(1), shape=(3,)))


# low precision


def metrics_in_integers():
    return compiled(chain(dense(1)), counted=[metrics.MeanSquaredError(dtype="int32", name="count")])


def metrics_in_floats():
    return compiled(chain(dense(1)), counted=["mae", metrics.MeanSquaredError(), metrics.Precision(dtype="float64")])


def half_weights():
    return compiled(chain(dense(dtype="float16", name="half"), layers.Dense(1, dtype="float32")))


def half_weights_to_predict():
    return chain(dense(dtype="float16"), layers.Dense(1, dtype="float32"))


def unscaled():
    """The layers are told one by one, so that Keras does not scale the loss."""
    return compiled(chain(dense(dtype="mixed_float16", name="half"), layers.Dense(1)), optimizers.SGD(0.1))


def scaled():
    wrapper = keras.mixed_precision.LossScaleOptimizer if KERAS_2 else optimizers.LossScaleOptimizer
    return compiled(chain(dense(dtype="mixed_float16"), layers.Dense(1)), wrapper(optimizers.SGD(0.1)))


def half_output():
    return compiled(chain(dense(), layers.Dense(2, dtype="mixed_float16", name="scores")), "adam")


def bfloat():
    return compiled(chain(dense(dtype="mixed_bfloat16"), layers.Dense(1, dtype="float32")), optimizers.SGD(0.1))


def quantized():
    model = chain(dense(name="whole"), layers.Dense(2))
    model.layers[0].quantize("int8")
    return compiled(model)


MODELS = [
    zeros, constants, constant_filters, zeros_to_predict, one_constant, one_unit, random_bias, branched, strong_penalty, usual_penalty,
    idle_bias, dropout_first, dropout_behind, hidden_softmax, hidden_softmax_layers, attention, gated, sigmoids, sigmoid_layers, relus,
    nested_sigmoids, few_sigmoids, normalized_sigmoids, he_relus, twenty_relus, residual, watched, lookup_too_large, lookup_right,
    hashed, buckets, limited, wide, narrow, metrics_in_integers, metrics_in_floats, half_weights, half_weights_to_predict, unscaled,
    scaled, half_output, bfloat, *([] if KERAS_2 else [quantized]),
]  # fmt: skip


HDF5_TOO = (zeros, strong_penalty, sigmoids, unscaled, scaled, metrics_in_integers)


def main(folder):
    for build in MODELS:
        model = build()
        for kind in ("keras", "h5") if build in HDF5_TOO else ("keras",):
            model.save(Path(folder) / f"{build.__name__}.{kind}")
        keras.backend.clear_session()


main(sys.argv[1])
