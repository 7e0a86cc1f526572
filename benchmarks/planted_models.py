"""Faults in the configuration of model files: a mutation changes what `Opened` holds."""

from __future__ import annotations

import base64
import copy
import marshal
from collections.abc import Callable, Iterator
from typing import Any

from planted_files import Json, Mutation, Opened


def first_setting(setting: str, value: Any, *classes: str) -> Callable[[Opened], bool]:  # noqa: ANN401
    """A mutation of one setting of the first layer of some classes that has it."""

    def plant(model: Opened) -> bool:
        found = [x for x in model.hidden(*classes) if setting in x["config"]]
        if found:
            found[0]["config"][setting] = copy.deepcopy(value)
        return bool(found)

    return plant


def every_setting(setting: str, value: Any, *classes: str) -> Callable[[Opened], bool]:  # noqa: ANN401
    """The same of all hidden layers of some classes."""

    def plant(model: Opened) -> bool:
        found = [x for x in model.hidden(*classes) if setting in x["config"]]
        for layer in found:
            layer["config"][setting] = copy.deepcopy(value)
        return bool(found)

    return plant


def end_setting(units: Callable[[int], bool] | None = None, **settings: Any) -> Callable[[Opened], bool]:  # noqa: ANN401
    """A mutation of the layer that ends a model with one output."""

    def plant(model: Opened) -> bool:
        end = model.ends()[0]["config"]
        if len(model.ends()) > 1 or (units and not units(end["units"])):
            return False
        end.update(settings)
        return True

    return plant


def loss(name: str, units: Callable[[int], bool], **arguments: Any) -> Callable[[Opened], bool]:  # noqa: ANN401
    """Compiled with another loss, where the last layer has a fitting number of units; with arguments, as an object."""

    def plant(model: Opened) -> bool:
        if len(model.ends()) > 1 or not units(model.ends()[0]["config"]["units"]):
            return False
        kind = {"categorical_crossentropy": "CategoricalCrossentropy", "binary_crossentropy": "BinaryCrossentropy"}
        written = {"module": "keras.losses", "class_name": kind.get(name), "registered_name": None}
        model.compiled["loss"] = written | {"config": {"name": name, **arguments}} if arguments else name
        return True

    return plant


def several(units: int) -> bool:
    """More than one unit."""
    return units > 1


def one(units: int) -> bool:
    """One unit."""
    return units == 1


def softmax_on_one(model: Opened) -> bool:
    """Softmax in place of sigmoid."""
    return end_setting(one, activation="softmax")(model)


def linear_with_crossentropy(model: Opened) -> bool:
    """No softmax, and the loss takes probabilities."""
    return loss("categorical_crossentropy", several)(model) and end_setting(activation="linear")(model)


def accuracy_of_a_regression(model: Opened) -> bool:
    """Linear output and mse with accuracy."""
    metrics = model.compiled.get("metrics")
    return bool(metrics) and loss("mse", one)(model) and end_setting(activation="linear")(model)


def loss_of_no_output(model: Opened) -> bool:
    """Losses by name, of which one is no output."""
    if len(model.ends()) == 1:
        return False
    model.compiled["loss"] = {"kind": "sparse_categorical_crossentropy", "cost": "mse"}
    return True


def losses_too_many(model: Opened) -> bool:
    """Three losses for two outputs."""
    if len(model.ends()) == 1:
        return False
    model.compiled["loss"] = ["sparse_categorical_crossentropy", "mse", "mse"]
    return True


def chain(count: int, **settings: Any) -> Callable[[Opened], bool]:  # noqa: ANN401
    """Many copies of a hidden Dense of a Sequential model, one after the other."""

    def plant(model: Opened) -> bool:
        found = [i for i, x in enumerate(model.layers) if x["class_name"] == "Dense" and x not in model.ends()]
        if not model.sequential or not found:
            return False
        place = found[-1]
        for i in range(count):
            added = copy.deepcopy(model.layers[place])
            added["config"].update(settings, name=f"again_{i}")
            width = added["config"]["units"]
            if "build_config" in added:
                added["build_config"] = {"input_shape": [None, width]}
            model.layers.insert(place + 1 + i, added)
        return True

    return plant


def input_settings(model: Opened) -> Iterator[Json]:
    """The configurations of the input layers."""
    return (layer["config"] for layer in model.of("InputLayer"))


def shape_key(config: Json) -> str:
    """Where an input layer has its shape."""
    return "batch_shape" if "batch_shape" in config else "batch_input_shape"


def turned_input(model: Opened) -> bool:
    """The channels of the input stand first, the layers look for them last."""
    found = [config for config in input_settings(model) if len(config[shape_key(config)]) == 4]  # noqa: PLR2004
    for config in found:
        batch, height, width, channels = config[shape_key(config)]
        config[shape_key(config)] = [batch, channels, height, width]
    return bool(found)


def whole_numbers_in(model: Opened) -> bool:
    """An input of integers goes straight into a layer that takes floats only."""
    takers = {"Conv2D", "LSTM", "MaxPooling2D"}
    second = model.layers[1]["class_name"] if model.sequential else next(
        (x["class_name"] for x in model.layers if x["class_name"] in takers), "")  # fmt: skip
    if second not in takers:
        return False
    for config in input_settings(model):
        config["dtype"] = "int32"
    return True


def policy(name: str, model: Opened) -> Any:  # noqa: ANN401
    """A dtype policy as the model's Keras writes it."""
    if model.keras_3:
        return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": name}, "registered_name": None}
    return {"class_name": "Policy", "config": {"name": name}}


def half_output(model: Opened) -> bool:
    """The softmax or sigmoid that ends the model computes in float16."""
    for layer in model.ends():
        layer["config"]["dtype"] = policy("mixed_float16", model)
    return True


def half_weights(model: Opened) -> bool:
    """Weights in float16 everywhere."""
    for layer in model.of("Dense", "Conv2D", "LSTM"):
        layer["config"]["dtype"] = policy("float16", model)
    return True


def unscaled_half(model: Opened) -> bool:
    """mixed_float16 and an optimizer that does not scale its loss; only HDF5 says for sure."""
    for layer in model.hidden("Dense", "Conv2D", "LSTM"):
        layer["config"]["dtype"] = policy("mixed_float16", model)
    return model.path.suffix == ".h5"


def small_table(model: Opened) -> bool:
    """The vocabulary is larger than the Embedding."""
    if not model.of("TextVectorization"):
        return False
    for layer in model.of("Embedding"):
        layer["config"]["input_dim"] = 6
    return True


def version(text: str) -> Callable[[Opened], bool]:
    """Written by another Keras."""

    def plant(model: Opened) -> bool:
        model.metadata["keras_version"] = text
        return True

    return plant


def renamed(old: str, value: Any) -> Any:  # noqa: ANN401
    """A value with one name replaced where it stands alone."""
    if isinstance(value, dict):
        return {key: renamed(old, each) for key, each in value.items()}
    if isinstance(value, list):
        return [renamed(old, each) for each in value]
    return "gone" if value == old else value


def missing_source(model: Opened) -> bool:
    """The last layer takes what a layer gives that is not there."""
    if model.sequential:
        return False
    end = model.layers[-1]
    names = [x["config"]["name"] for x in model.layers[:-1]]
    before = str(end["inbound_nodes"])
    for name in names:
        end["inbound_nodes"] = renamed(name, end["inbound_nodes"])
    return str(end["inbound_nodes"]) != before


def lost_input(model: Opened) -> bool:
    """An input layer is no longer among the inputs of the model."""
    inputs = model.config.get("input_layers")
    if model.sequential or not isinstance(inputs, list) or len(inputs) < 2 or isinstance(inputs[0], str):  # noqa: PLR2004
        return False
    inputs.pop()
    return True


def idle_input(model: Opened) -> bool:
    """An input that no layer takes."""
    inputs = model.config.get("input_layers")
    if model.sequential or not isinstance(inputs, list):
        return False
    given = next(layer for layer in model.layers if layer["class_name"] == "InputLayer")
    added = copy.deepcopy(given)
    added["name"] = added["config"]["name"] = "idle"
    model.layers.insert(0, added)
    if isinstance(inputs[0], str):
        model.config["input_layers"] = [inputs, ["idle", 0, 0]]
    else:
        inputs.append(["idle", 0, 0])
    return True


def same_names(model: Opened) -> bool:
    """Two layers of a Sequential model have one name."""
    if not model.sequential:
        return False
    names = model.layers[-1], model.layers[-2]
    names[0]["config"]["name"] = names[1]["config"]["name"]
    return True


def slash_in_name(model: Opened) -> bool:
    """A name that Keras 3 does not take."""
    if not model.sequential:
        return False
    model.layers[-1]["config"]["name"] = "head/classes"
    return True


def initializer(name: str) -> Json:
    """An initializer as it is written."""
    return {"module": "keras.initializers", "class_name": name, "config": {}, "registered_name": None}


def all_zero(model: Opened) -> bool:
    """Every kernel begins with zeros."""
    found = model.of("Dense", "Conv2D")
    for layer in found:
        layer["config"]["kernel_initializer"] = initializer("Zeros")
    return len(found) > 1


def penalty(factor: float) -> Callable[[Opened], bool]:
    """An L2 penalty on all kernels."""

    def plant(model: Opened) -> bool:
        written = {
            "module": "keras.regularizers",
            "class_name": "L2",
            "config": {"l2": factor},
            "registered_name": None,
        }
        return every_setting("kernel_regularizer", written, "Dense", "Conv2D")(model)

    return plant


def rate(value: float) -> Callable[[Opened], bool]:
    """Another learning rate."""

    def plant(model: Opened) -> bool:
        optimizer = model.compiled.get("optimizer_config") or model.compiled.get("optimizer")
        if not isinstance(optimizer, dict):
            return False
        optimizer["config"]["learning_rate"] = value
        return True

    return plant


def frozen(model: Opened) -> bool:
    """No layer is trainable."""
    for layer in model.every():
        layer["config"]["trainable"] = False
    return True


def linear(model: Opened) -> bool:
    """No activation between the layers."""
    found = model.hidden("Dense")
    for layer in found:
        layer["config"]["activation"] = "linear"
    return bool(found) and not model.of("BatchNormalization")


def dropout_at_the_end(model: Opened) -> bool:
    """Dropout behind the last layer."""
    if not model.sequential:
        return False
    written = {"name": "late", "trainable": True, "dtype": "float32", "rate": 0.5, "seed": None, "noise_shape": None}
    added = {"module": "keras.layers", "class_name": "Dropout", "config": written, "registered_name": None}
    model.layers.append(added)
    return True


def lambda_in(model: Opened) -> bool:
    """A Lambda with bytecode."""
    if not model.sequential:
        return False
    code = base64.b64encode(marshal.dumps((lambda x: x).__code__)).decode()
    function = {"class_name": "__lambda__", "config": {"code": code, "defaults": None, "closure": None}}
    config = {"name": "runs", "trainable": True, "dtype": "float32", "function": function, "arguments": {}}
    model.layers.insert(
        1, {"module": "keras.layers", "class_name": "Lambda", "config": config, "registered_name": None}
    )
    return True


def module(name: str, what: str) -> Callable[[Opened], bool]:
    """A layer that names a function of another module."""

    def plant(model: Opened) -> bool:
        layer = model.layers[-1]
        layer["config"]["activation"] = {
            "module": name, "class_name": "function", "config": what, "registered_name": what,
        }  # fmt: skip
        return True

    return plant


def stateful(model: Opened) -> bool:
    """A state that is kept between batches of no fixed size."""
    return first_setting("stateful", True, "LSTM")(model)


def other_width(model: Opened) -> bool:
    """One side of a shortcut has another number of channels."""
    found = [layer for layer in model.of("Conv2D") if layer["config"]["name"] == "block_2"]
    for layer in found:
        layer["config"]["filters"] = 5
        behind = model.layers[model.layers.index(layer) + 1]
        if "build_config" in behind:
            behind["build_config"]["input_shape"][-1] = 5
    return bool(found)


def wrong_axis(model: Opened) -> bool:
    """Concatenated along an axis where the parts differ in the others."""
    found = model.of("Concatenate")
    for layer in found:
        layer["config"]["axis"] = 0
    return bool(found)


def no_flatten(model: Opened) -> bool:
    """A Reshape that the numbers do not fill."""
    found = [layer for layer in model.of("Flatten") if model.sequential]
    for layer in found:
        layer["class_name"] = "Reshape"
        layer["config"] = {"name": "turned", "trainable": True, "dtype": "float32", "target_shape": [7, 11]}
    return bool(found)


MIXED = "mixed-precision-dtype"
SLOW = "loss-not-decreasing"
MUTATIONS = (
    Mutation("data-format", "one convolution with channels_first", "channels-first-last",
             first_setting("data_format", "channels_first", "Conv2D")),
    Mutation("data-format", "the channels of the input stand first", "channels-first-last", turned_input),
    Mutation("deep-stacks", "twelve sigmoid layers in a row", SLOW, chain(12, activation="sigmoid")),
    Mutation("deep-stacks", "thirty relu layers in a row", SLOW, chain(30, activation="relu")),
    Mutation("dtype-casts", "output in float16", MIXED, half_output),
    Mutation("dtype-casts", "integers into a layer for floats", "dtype-not-allowed", whole_numbers_in),
    Mutation("embedding-sizes", "vocabulary larger than the table", "embedding-index-range", small_table),
    Mutation("file-format", "written by a Keras to come", "saved-by-newer-version", version("9.1.0")),
    Mutation("inbound-nodes", "a layer that is not there", "graph-disconnected", missing_source),
    Mutation("inbound-nodes", "an input layer that is no input", "graph-disconnected", lost_input),
    Mutation("inbound-nodes", "an input that is not used", "multi-input-output-model", idle_input),
    Mutation("layer-names", "two layers of one name", "layer-names", same_names),
    Mutation("layer-names", "a slash in a name", "layer-names", slash_in_name),
    Mutation("layer-settings", "all kernels begin at zero", SLOW, all_zero),
    Mutation("layer-settings", "a penalty of 10 on the weights", SLOW, penalty(10.0)),
    Mutation("layer-settings", "a negative penalty", SLOW, penalty(-0.01)),
    Mutation("layer-settings", "softmax between the layers", SLOW, every_setting("activation", "softmax", "Dense")),
    Mutation("low-precision", "weights in float16", MIXED, half_weights),
    Mutation("low-precision", "float16 without a scaled loss", MIXED, unscaled_half),
    Mutation("memory", "200,000 units in a hidden layer", "gpu-out-of-memory",
             first_setting("units", 200_000, "Dense")),
    Mutation("objective", "softmax on one unit", "softmax-on-one-unit", softmax_on_one),
    Mutation("objective", "softmax with binary crossentropy", "loss-activation-mismatch",
             loss("binary_crossentropy", several)),
    Mutation("objective", "from_logits with softmax", "loss-activation-mismatch",
             loss("categorical_crossentropy", several, from_logits=True, reduction="sum_over_batch_size")),
    Mutation("objective", "no softmax before crossentropy", "loss-activation-mismatch", linear_with_crossentropy),
    Mutation("objective", "relu before crossentropy", "loss-activation-mismatch", end_setting(several, activation="relu")),
    Mutation("objective", "categorical crossentropy on one unit", "loss-activation-mismatch",
             loss("categorical_crossentropy", one)),
    Mutation("objective", "accuracy of a regression", "accuracy-metric", accuracy_of_a_regression),
    Mutation("objective", "a loss for no output", "multi-output-losses", loss_of_no_output),
    Mutation("objective", "a loss too many", "multi-output-losses", losses_too_many),
    Mutation("recurrent-layers", "return_sequences off between LSTMs", "layer-input-rank",
             first_setting("return_sequences", False, "LSTM")),
    Mutation("recurrent-layers", "stateful without a batch size", "stateful-rnn", stateful),
    Mutation("shapes", "a kernel larger than the picture", "negative-dimension",
             every_setting("kernel_size", [40, 40], "Conv2D"), "cnn"),
    Mutation("shapes", "a shortcut of other channels", "incompatible-broadcast-shapes", other_width),
    Mutation("shapes", "concatenated along the batch", "concatenate-shape-mismatch", wrong_axis),
    Mutation("shapes", "a Reshape that does not fit", "reshape-size-mismatch", no_flatten),
    Mutation("training-setup", "everything frozen", "freeze-layers", frozen),
    Mutation("training-setup", "learning rate 100", SLOW, rate(100.0)),
    Mutation("training-setup", "learning rate 0", SLOW, rate(0.0)),
    Mutation("training-setup", "Dropout of 0.98", SLOW, first_setting("rate", 0.98, "Dropout")),
    Mutation("training-setup", "Dropout behind the last layer", SLOW, dropout_at_the_end),
    Mutation("training-setup", "no activation between the layers", SLOW, linear),
    Mutation("unsafe-content", "a Lambda with bytecode", "lambda-unsafe-deserialization", lambda_in),
    Mutation("unsafe-content", "a function of os", "", module("os", "system")),
    Mutation("unsafe-content", "a function of builtins", "", module("builtins", "exec")),
)  # fmt: skip
