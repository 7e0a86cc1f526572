"""Saves SavedModels, honest and hostile, and what else is no .keras file: `python build_formats.py FOLDER`. Run by the tests."""

import importlib
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
KERAS_2 = os.environ.get("TF_USE_LEGACY_KERAS") == "1"
if KERAS_2:
    import tf_keras as keras
else:
    import keras

tf = importlib.import_module("tensorflow")
layers = keras.layers
FOREIGN = "/etc/passwd"


def dense():
    model = keras.Sequential([keras.Input((8,)), layers.Dense(4, activation="relu"), layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def recurrent():
    inputs = keras.Input((5, 2))
    return keras.Model(inputs, layers.Dense(1)(layers.LSTM(3)(inputs)))


def words():
    return keras.Sequential([keras.Input((1,), dtype="string"), layers.StringLookup(vocabulary=["a", "b"])])


def python(x):
    return tf.py_function(lambda v: v + 1, [x], tf.float32)


def numpy(x):
    return tf.numpy_function(lambda v: v + 1, [x], tf.float32)


def length(x):
    return tf.cast(tf.strings.length(tf.io.read_file(FOREIGN)), tf.float32) + x


def reads(x):
    return length(x)


def reads_in_a_branch(x):
    return tf.cond(x[0] > 0, lambda: length(x), lambda: x)


def writes(x):
    with tf.control_dependencies([tf.io.write_file("x", "y")]):
        return x + 1


def lists_files(x):
    return tf.io.matching_files("/*"), x


def prints_to_a_file(x):
    tf.print(x, output_stream="file:///tmp/x")
    return x


def prints(x):
    tf.print(x)
    return x


def debugs(x):
    return tf.raw_ops.DebugIdentityV2(input=x, debug_urls=["file:///tmp/x"], tensor_debug_mode=2)


def restores(x):
    return tf.raw_ops.RestoreV2(prefix="x", tensor_names=["a"], shape_and_slices=[""], dtypes=[tf.float32]), x


def saves(x):
    tf.raw_ops.SaveV2(prefix="x", tensor_names=["a"], shape_and_slices=[""], tensors=[x])
    return x


def maps_a_dataset(x):
    data = tf.data.Dataset.range(3).map(lambda _: tf.strings.length(tf.io.read_file(FOREIGN)))
    return data.reduce(0, lambda a, b: a + b), x


def sql(x):
    tf.raw_ops.SqlDataset(
        driver_name="sqlite", data_source_name="x", query="q", output_types=[tf.int32], output_shapes=[[]]
    )
    return x


def nested(x):
    """A graph in a constant: nothing but the constant tells what it reads."""
    inner = tf.function(reads).get_concrete_function(tf.TensorSpec([2], tf.float32))
    return tf.strings.length(tf.constant(inner.graph.as_graph_def().SerializeToString())), x


def table(x):
    made = tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64)
    tf.raw_ops.InitializeTableFromTextFileV2(
        table_handle=made, filename=FOREIGN, key_index=-2, value_index=-1, vocab_size=-1, delimiter=" "
    )
    return x


HOSTILE = [
    python, numpy, reads, reads_in_a_branch, writes, lists_files, prints_to_a_file, debugs, restores, saves, maps_a_dataset,
    sql, nested, table,
]  # fmt: skip


class Module(tf.Module):
    def __init__(self, function):
        super().__init__()
        self.run = tf.function(function, input_signature=[tf.TensorSpec([2], tf.float32)])


def main(folder):
    for build in (dense, recurrent, words):
        model = build()
        if KERAS_2:
            model.save(folder / build.__name__, save_format="tf")
        else:
            model.export(folder / build.__name__, verbose=False)
        (folder / f"{build.__name__}.json").write_text(model.to_json(), encoding="utf-8")
    if not KERAS_2:
        for function in (*HOSTILE, prints):
            tf.saved_model.save(Module(function), folder / function.__name__)
        graph = tf.Graph()
        with graph.as_default():
            tf.identity(tf.compat.v1.placeholder(tf.float32, [None, 2]) * 2.0)
        (folder / "frozen.pb").write_bytes(graph.as_graph_def().SerializeToString())
        writer = tf.summary.create_file_writer(str(folder / "logs"))
        with writer.as_default():
            tf.summary.write("loss", tf.constant(1.0), step=1)
        writer.close()


main(Path(sys.argv[1]))
