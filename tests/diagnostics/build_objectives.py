"""Saves models compiled rightly and wrongly, as .keras and .h5: `python build_objectives.py FOLDER`. Run by the tests."""

import importlib
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
KERAS_2 = os.environ.get("TF_USE_LEGACY_KERAS") == "1"
keras = importlib.import_module("tf_keras" if KERAS_2 else "keras")
tf = importlib.import_module("tensorflow")

layers, losses, metrics = keras.layers, keras.losses, keras.metrics


def chain(*stack, shape=(4,)):
    return keras.Sequential([keras.Input(shape), *stack])


def ends(units, activation=None):
    return chain(layers.Dense(units, activation=activation, name="last"))


def two():
    inputs = keras.Input((4,))
    price = layers.Dense(1, name="price")(inputs)
    return keras.Model(inputs, [price, layers.Dense(3, activation="softmax", name="kind")(inputs)])


def by_key():
    inputs = keras.Input((4,))
    price, kind = layers.Dense(1, name="first")(inputs), layers.Dense(3, activation="softmax", name="second")(inputs)
    return keras.Model(inputs, {"price": price, "kind": kind})


def nested(activation):
    """The output is the second of a model inside, through a Dropout and a reshape."""
    inner_input = keras.Input((4,))
    heads = [layers.Dense(2)(inner_input), layers.Dense(3, activation=activation, name="deep")(inner_input)]
    inner = keras.Model(inner_input, heads, name="inner")
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Reshape((1, 3))(layers.Dropout(0.1)(inner(inputs)[1])))


def operation():
    """A softmax that is no layer."""
    inputs = keras.Input((4,))
    x = layers.Dense(3)(inputs)
    return keras.Model(inputs, tf.nn.softmax(x) if KERAS_2 else keras.ops.softmax(x))


def attention():
    """A softmax over one unit inside: every weight is 1."""
    inputs = keras.Input((5, 4))
    weights = layers.Dense(1, activation="softmax", name="weights")(inputs)
    x = layers.Flatten()(layers.Multiply()([inputs, weights]))
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))


def attention_right():
    """The same over the time steps."""
    inputs = keras.Input((5, 4))
    weights = layers.Softmax(axis=1)(layers.Dense(1)(inputs))
    x = layers.Flatten()(layers.Multiply()([inputs, weights]))
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))


def channels_first():
    return chain(layers.Conv2D(1, 1, activation="softmax", data_format="channels_first", name="last"), shape=(3, 8, 8))


def own_loss(y_true, y_pred):
    return losses.mean_squared_error(y_true, y_pred)


@keras.saving.register_keras_serializable("Own")
class BinaryCrossentropy(losses.Loss):
    """Has the name of a loss of Keras and takes what it likes."""

    def call(self, y_true, y_pred):
        return own_loss(y_true, y_pred)

    def get_config(self):
        return {**super().get_config(), "from_logits": False}

    @classmethod
    def from_config(cls, config):
        return cls(name=config.get("name"))


@keras.saving.register_keras_serializable("Own")
class Last(layers.Layer):
    def call(self, x):
        return x


CATEGORICAL, SPARSE, BINARY = (
    losses.CategoricalCrossentropy,
    losses.SparseCategoricalCrossentropy,
    losses.BinaryCrossentropy,
)
ONE, SEVERAL = "binary_crossentropy", "categorical_crossentropy"
MODELS = {
    # sound
    "binary": (ends(1, "sigmoid"), ONE, ["accuracy", metrics.AUC()]),
    "labels": (ends(3, "sigmoid"), BINARY(), ["binary_accuracy"]),
    "classes": (ends(3, "softmax"), SEVERAL, ["acc"]),
    "numbered": (ends(3, "softmax"), losses.sparse_categorical_crossentropy, ["accuracy"]),
    "logits": (ends(3), SPARSE(from_logits=True), ["accuracy"]),
    "logit": (ends(1), BINARY(from_logits=True), [metrics.BinaryAccuracy(threshold=1e-7)]),
    "regression": (ends(1), "mse", ["mae"]),
    "huber": (ends(2), losses.Huber(), None),
    "two_columns": (ends(2, "softmax"), ONE, ["accuracy"]),
    "own_loss": (ends(1, "relu"), own_loss, [own_loss]),
    "own_class": (ends(1), BinaryCrossentropy(), None),
    "own_layer": (chain(layers.Dense(1), Last()), ONE, ["accuracy"]),
    "clipped": (chain(layers.Dense(1), layers.ReLU(max_value=1.0)), ONE, None),
    "bounded_lstm": (chain(layers.LSTM(1, activation="sigmoid"), shape=(5, 4)), ONE, None),
    "each": (two(), ["mse", SPARSE()], [["mae"], ["accuracy"]]),
    "named": (two(), {"price": "mae", "kind": SEVERAL}, {"kind": ["accuracy"]}),
    "everywhere": (two(), "mse", None),
    "by_key": (by_key(), {"price": "mse", "kind": SEVERAL}, {"kind": "accuracy"}),
    "nested_right": (nested("softmax"), "kl_divergence", None),
    "operation": (operation(), SEVERAL, ["accuracy"]),
    "attention_right": (attention_right(), ONE, None),
    "channels_first": (channels_first(), "kl_divergence", None),
    "cast": (chain(layers.Dense(3), layers.Activation("softmax"), layers.Activation("linear")), SEVERAL, None),
    # softmax over one unit
    "one_unit": (ends(1, "softmax"), ONE, ["accuracy"]),
    "one_unit_layers": (chain(layers.Dense(1), layers.Dropout(0.5), layers.Softmax(name="last")), "mse", None),
    "one_unit_mask": (chain(layers.Conv2D(1, 1, activation="softmax", name="last"), shape=(8, 8, 3)), own_loss, None),
    "one_unit_steps": (
        chain(layers.TimeDistributed(layers.Dense(1, activation="softmax"), name="last"), shape=(5, 4)),
        ONE,
        None,
    ),
    "attention": (attention(), ONE, None),
    # activation and loss
    "twice": (ends(3, "softmax"), CATEGORICAL(from_logits=True), None),
    "twice_binary": (ends(1, "sigmoid"), BINARY(from_logits=True), None),
    "twice_nested": (nested("softmax"), CATEGORICAL(from_logits=True), None),
    "twice_operation": (operation(), SPARSE(from_logits=True), None),
    "forgotten": (ends(3), SEVERAL, None),
    "forgotten_binary": (chain(layers.Dense(1, name="last"), layers.Flatten()), BINARY(), None),
    "forgotten_lstm": (chain(layers.LSTM(1, name="last"), shape=(5, 4)), ONE, None),
    "relu": (ends(3, "relu"), SPARSE(), None),
    "relu_layer": (chain(layers.Dense(1), layers.LeakyReLU(name="last")), ONE, None),
    "tanh": (chain(layers.Dense(1), layers.Activation("tanh", name="last")), ONE, None),
    "sigmoids": (ends(3, "sigmoid"), SEVERAL, ["accuracy"]),
    "one_class": (ends(1, "sigmoid"), SEVERAL, None),
    "one_label": (ends(1, "sigmoid"), SPARSE(), None),
    "kind_twice": (two(), {"price": "mse", "kind": SPARSE(from_logits=True)}, None),
    "softmax_binary": (ends(5, "softmax"), ONE, ["accuracy"]),
    "poisson": (ends(1), "poisson", None),
    "bounded": (ends(1, "sigmoid"), "mse", None),
    # metrics
    "accuracy": (ends(1), "mse", ["accuracy"]),
    "accuracy_each": (two(), {"price": "mse", "kind": SEVERAL}, {"price": ["accuracy"], "kind": ["accuracy"]}),
    "equality": (ends(1, "sigmoid"), ONE, [metrics.Accuracy()]),
    "other_labels": (ends(3, "softmax"), SPARSE(), [metrics.CategoricalAccuracy()]),
    "threshold": (ends(1), BINARY(from_logits=True), ["accuracy"]),
    "auc_of_logits": (ends(1), BINARY(from_logits=True), [metrics.AUC()]),
    "iou": (ends(1, "sigmoid"), ONE, [metrics.MeanIoU(num_classes=2)]),
    "precision": (ends(3, "softmax"), SPARSE(), [metrics.Precision()]),
    "auc_of_classes": (ends(3, "softmax"), SPARSE(), [metrics.AUC()]),
    "precision_right": (ends(3, "softmax"), SEVERAL, [metrics.Precision(), metrics.AUC(), metrics.Recall(class_id=1)]),
    "recall_of_one": (ends(3, "softmax"), SPARSE(), [metrics.Recall(class_id=1)]),
    "top_five": (ends(3, "softmax"), SEVERAL, [metrics.TopKCategoricalAccuracy(k=5)]),
    "top_two": (ends(3, "softmax"), SPARSE(), [metrics.SparseTopKCategoricalAccuracy(k=2)]),
    "iou_few": (ends(3, "softmax"), SPARSE(), [metrics.MeanIoU(num_classes=2, sparse_y_pred=False)]),
    "iou_many": (ends(3, "softmax"), SEVERAL, [metrics.OneHotMeanIoU(num_classes=4)]),
    "iou_right": (ends(3, "softmax"), SEVERAL, [metrics.OneHotMeanIoU(num_classes=3)]),
    # other losses
    "divergence": (ends(3), "kl_divergence", None),
    "divergence_right": (ends(3, "sigmoid"), "kl_divergence", None),
    "hinge": (ends(1, "sigmoid"), "hinge", None),
    "hinge_right": (ends(1, "tanh"), losses.SquaredHinge(), None),
    # as many as outputs
    "too_many": (two(), ["mse", SEVERAL, "mae"], None),
    "too_few": (two(), ["mse"], None),
    "no_output": (two(), {"prices": "mse", "kind": SEVERAL}, None),
    "no_loss": (two(), {"price": "mse"}, None),
    "no_metric": (two(), "mse", {"prices": ["mae"]}),
    "flat_metrics": (two(), "mse", ["mae"]),
}


def main(folder):
    for name, (model, loss, counted) in MODELS.items():
        model.compile("adam", loss, metrics=counted)
        for kind in ("keras", "h5"):
            model.save(Path(folder) / f"{name}.{kind}")
    ends(1, "softmax").save(Path(folder) / "not_compiled_one_unit.keras")
    ends(3, "softmax").save(Path(folder) / "not_compiled.keras")


main(sys.argv[1])
