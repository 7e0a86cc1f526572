"""Saves the models of `test_training_probes.py`: `python build_training_models.py FOLDER`. Keras 3, or tf_keras if asked."""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
KERAS_2 = os.environ.get("TF_USE_LEGACY_KERAS") == "1"
if KERAS_2:
    import tf_keras as keras
else:
    import keras

layers = keras.layers
optimizers = keras.optimizers


def stack(*inside, shape=(8,)):
    return keras.Sequential([keras.Input(shape), *inside])


def classifier(optimizer="adam"):
    model = stack(layers.Dense(4, activation="relu", name="hidden"), layers.Dense(1, name="out"))
    model.compile(optimizer, "mse")
    return model


def sound():
    return classifier()


def highest_usual_rate():
    """0.1 and 10 are stored as float32 and come back a little above."""
    return classifier(optimizers.Adam(0.1))


def adadelta():
    return classifier(optimizers.Adadelta(1.0))


def schedule():
    return classifier(optimizers.SGD(optimizers.schedules.ExponentialDecay(50.0, 10, 0.9)))


def rate_high():
    return classifier(optimizers.Adam(0.5))


def rate_high_sgd():
    return classifier(optimizers.SGD(100.0))


def rate_high_scaled():
    """The real optimizer stands in another one."""
    wrapper = keras.mixed_precision.LossScaleOptimizer if KERAS_2 else optimizers.LossScaleOptimizer
    return classifier(wrapper(optimizers.RMSprop(0.5)))


def rate_zero():
    return classifier(optimizers.SGD(0.0))


def old_arguments():
    return classifier(optimizers.legacy.SGD(0.01, decay=0.001) if KERAS_2 else "sgd")


def all_frozen():
    model = stack(
        layers.Dense(4, activation="relu"), layers.Dropout(0.2), layers.TimeDistributed(layers.Dense(2)), shape=(3, 8)
    )
    for layer in (model.layers[0], model.layers[2].layer):
        layer.trainable = False
    model.compile("adam", "mse")
    return model


def frozen_to_predict():
    """Not compiled: a feature extractor."""
    model = stack(layers.Dense(4, activation="relu"), layers.Dense(2))
    model.trainable = False
    return model


def backbone(*, norm_trains):
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(2, 3, name="conv", use_bias=False)(inputs)
    base = keras.Model(inputs, layers.ReLU()(layers.BatchNormalization(name="norm")(x)), name="base")
    base.trainable = False
    base.get_layer("norm").trainable = norm_trains
    outer = keras.Input((8, 8, 3))
    x = layers.GlobalAveragePooling2D()(base(outer))
    model = keras.Model(outer, layers.Dense(1, name="head")(x))
    model.compile("adam", "mse")
    return model


def fine_tuned():
    return backbone(norm_trains=False)


def fine_tuned_norm():
    """The model is frozen, one BatchNormalization in it is not: the file has the layers' flags."""
    return backbone(norm_trains=True)


def dropout_last():
    model = stack(layers.Dense(4, activation="relu"), layers.Dense(3, name="scores"), layers.Dropout(0.3, name="late"))
    model.add(layers.Activation("softmax"))
    model.compile("adam", "categorical_crossentropy")
    return model


def dropout_before():
    model = stack(layers.Dense(4, activation="relu"), layers.Dropout(0.3), layers.Dense(3), layers.Dropout(0.0))
    model.compile("adam", "mse")
    return model


def dropout_encoder():
    """Not compiled: an encoder that another model is built on."""
    return stack(layers.Dense(4, activation="relu"), layers.Dropout(0.3))


def dropout_high():
    model = stack(layers.Dense(4, activation="relu"), layers.Dropout(0.9, name="most"), layers.Dense(1))
    model.compile("adam", "mse")
    return model


def linear():
    model = stack(layers.Conv1D(4, 2, name="first"), layers.Flatten(), layers.Dense(4, name="second"), shape=(6, 2))
    model.add(layers.Activation("relu"))
    model.add(layers.Dense(1, name="third"))
    model.compile("adam", "mse")
    return model


def steps_missing():
    """Never built: Keras notices when data comes."""
    return keras.Sequential(
        [layers.LSTM(4, name="lower"), layers.Dropout(0.2), layers.Bidirectional(layers.GRU(4), name="upper")]
    )


def steps_missing_nested():
    """The layer that returns one step is in one model, the one that needs all in another."""
    lower = keras.Sequential([layers.GRU(4, name="gru")], name="lower")
    upper = keras.Sequential([layers.Conv1D(4, 2, name="conv")], name="upper")
    return keras.Sequential([lower, upper])


def steps_kept():
    lower = stack(layers.LSTM(4, return_sequences=True), shape=(5, 3))
    model = stack(
        lower,
        layers.Bidirectional(layers.GRU(4)),
        layers.RepeatVector(3),
        layers.LSTM(2),
        layers.Dense(1),
        shape=(5, 3),
    )
    model.compile("adam", "mse")
    return model


def states():
    """An encoder hands its state to a decoder: no time axis, and none is needed."""
    source, target = keras.Input((5, 3)), keras.Input((4, 3))
    encoded = layers.GRU(4, name="encoder")(source)
    _, h, c = layers.LSTM(4, return_state=True)(source)
    first = layers.GRU(4, return_sequences=True, name="decoder")(target, initial_state=encoded)
    second = layers.LSTM(4, name="other")(target, initial_state=[h, c])
    model = keras.Model([source, target], [layers.TimeDistributed(layers.Dense(2))(first), layers.Dense(1)(second)])
    model.compile("adam", "mse")
    return model


def cell_missing():
    return keras.Sequential([layers.RNN(layers.LSTMCell(4), name="one"), layers.GRU(2, name="two")])


def pictures():
    """ConvLSTM2D returns a picture: a convolution may follow, another ConvLSTM2D may not."""
    return stack(layers.ConvLSTM2D(2, 2), layers.Conv2D(2, 2), shape=(3, 6, 6, 1))


def pictures_missing():
    return keras.Sequential([layers.ConvLSTM2D(2, 2, name="one"), layers.ConvLSTM2D(2, 2, name="two")])


def stateful():
    batch = {"batch_shape": (4, 5, 3)}
    return keras.Sequential([keras.Input(**batch), layers.Bidirectional(layers.LSTM(2, stateful=True), name="carried")])


def per_step():
    return stack(
        layers.LSTM(2, return_sequences=True, name="all"),
        layers.Dropout(0.1),
        layers.Dense(1, name="out"),
        shape=(5, 3),
    )


def flattened():
    return stack(
        layers.LSTM(2, return_sequences=True, name="all"), layers.Flatten(name="flat"), layers.Dense(1), shape=(5, 3)
    )


def mask_lost():
    return stack(
        layers.Embedding(9, 4, mask_zero=True, name="words"),
        layers.Conv1D(4, 2, name="conv"),
        layers.LSTM(2, name="lstm"),
        shape=(6,),
    )


def mask_kept():
    return stack(layers.Masking(), layers.Dense(4, activation="relu"), layers.LSTM(2), shape=(6, 3))


MODELS = [
    sound, highest_usual_rate, adadelta, schedule, rate_high, rate_high_sgd, rate_high_scaled, rate_zero, old_arguments,
    all_frozen, frozen_to_predict, fine_tuned, fine_tuned_norm, dropout_last, dropout_before, dropout_encoder, dropout_high,
    linear, steps_missing, steps_missing_nested, steps_kept, states, pictures, pictures_missing, cell_missing, stateful, per_step,
    flattened, mask_lost, mask_kept,
]  # fmt: skip


def main(folder):
    for build in MODELS:
        build().save(Path(folder) / f"{build.__name__}.keras")
        keras.backend.clear_session()
    for build in (sound, rate_high, old_arguments):
        build().save(Path(folder) / f"{build.__name__}.h5")


main(sys.argv[1])
