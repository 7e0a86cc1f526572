"""Saves the models of `test_repairs.py`, sound and broken, and mends them.

`python build_repairs.py build FOLDER` saves by Keras 3, or by tf_keras where TF_USE_LEGACY_KERAS is 1.
`python build_repairs.py mend FOLDER JOBS` does each job of a JSON list and writes `results.json`: {"name", "file", "target",
"suffix"} and, where given, "only", "allow_code", "truth" (a sound file, with whose outputs those of the copy are compared).
"""

import json
import os
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
BUILD = sys.argv[1] == "build"
KERAS_2 = os.environ.get("TF_USE_LEGACY_KERAS") == "1"
if BUILD:
    if KERAS_2:
        import tf_keras as keras
    else:
        import keras
    layers = keras.layers
    K = keras.backend if KERAS_2 else keras.ops


def chain(shape, *parts, name=None):
    return keras.Sequential([keras.Input(shape), *parts], name=name)


def plain():
    model = chain((6,), layers.Dense(5, activation="relu"), layers.Dropout(0.2), layers.Dense(2, activation="softmax"))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model


def images():
    return chain(
        (8, 8, 3), layers.Conv2D(4, 3, activation="gelu", name="conv"), layers.BatchNormalization(epsilon=1e-5, name="norm"),
        layers.SeparableConv2D(5, 3, activation="hard_sigmoid"), layers.DepthwiseConv2D(2), layers.LeakyReLU(0.1),
        layers.UpSampling2D(2, interpolation="bilinear"), layers.Resizing(5, 6), layers.ZeroPadding2D(1),
        layers.GlobalAveragePooling2D(), layers.Dense(3, name="out"),
    )  # fmt: skip


def recurrent():
    return chain(
        (6, 5), layers.GRU(4, return_sequences=True, recurrent_activation="hard_sigmoid"),
        layers.Bidirectional(layers.LSTM(3, return_sequences=True, recurrent_activation="hard_sigmoid"), merge_mode="sum"),
        layers.TimeDistributed(layers.Dense(4, activation="hard_sigmoid")), layers.Activation("hard_sigmoid"),
        layers.GRU(3, reset_after=False, return_sequences=True), layers.RNN(layers.LSTMCell(4)),
    )  # fmt: skip


def nested():
    inner = chain((6,), layers.Dense(4, activation="elu"), layers.BatchNormalization(), name="inner")
    first = keras.Input((6,))
    graph = keras.Model(first, layers.Dense(6, name="p")(first), name="graph")
    source, other = keras.Input((6,), name="main"), keras.Input((6,), name="other")
    gate = layers.Activation("hard_sigmoid", name="gate")(inner(other))
    both = layers.Concatenate(axis=1)([inner(graph(source)), inner(source), gate])
    return keras.Model([source, other], [layers.Dense(2)(both), layers.Multiply()([gate, gate])])


def in_chain():
    first = keras.Input((6,))
    graph = keras.Model(first, layers.Dense(5)(layers.LayerNormalization()(first)), name="graph")
    return keras.Sequential([graph, keras.Sequential([layers.Dense(3), layers.PReLU()]), layers.Softmax(axis=-1)])


def named():
    a, b = keras.Input((6,), name="a"), keras.Input((5,), name="b")
    joined = layers.Dense(2, name="o")(layers.Concatenate()([a, b]))
    return keras.Model({"a": a, "b": b}, {"o": joined, "p": layers.Dense(1, name="p")(a)})


def attention():
    a, b = keras.Input((5, 8)), keras.Input((4, 8))
    x = layers.MultiHeadAttention(2, 4)(a, b, key=b)
    return keras.Model([a, b], layers.GlobalAveragePooling1D()(layers.Add()([a, x])))


def states():
    source = keras.Input((5, 4))
    sequence, hidden, cell = layers.LSTM(3, return_state=True, return_sequences=True)(source)
    return keras.Model(source, layers.LSTM(3)(sequence, initial_state=[hidden, cell]))


def operators():
    source = keras.Input((6,))
    x = layers.Dense(6)(source)
    y = (1 - (source + x) * 2.0) / 4.0 - 0.5
    return keras.Model(source, layers.Dense(2)(y * x)[:, :1])


def words():
    return chain((5,), layers.Embedding(20, 4, mask_zero=True), layers.LSTM(3), layers.Dense(1, activation="sigmoid"))


def lambdas():
    parts = [
        layers.Dense(4), layers.Lambda(lambda x: x / 2.0 - 1, name="scaled"), layers.Lambda(lambda x: x),
        layers.Lambda(lambda x: x**2, name="square"),
    ]  # fmt: skip
    if KERAS_2:  # Keras 3 loads no lambda with a default value
        parts.append(layers.Lambda(lambda x, c=3: c - x, name="from_default"))
    return chain((6,), *parts)


def lambda_names():
    """Lambdas with names that are not known where they are loaded, as most are: no Keras runs the file."""
    return chain(
        (6,), layers.Dense(4), layers.Lambda(lambda x: K.softmax(x)), layers.Lambda(lambda x: K.expand_dims(x, axis=-1)),  # noqa: PLW0108 - its name is what counts
        layers.Conv1D(3, 2), layers.Lambda(lambda x: K.mean(x, axis=[1])), layers.Dense(6), layers.Lambda(lambda x: K.square(x)),  # noqa: PLW0108
        layers.Lambda(lambda x: K.reshape(x, (-1, 3, 2))), layers.Lambda(lambda x: K.max(x, axis=1, keepdims=True)),
        layers.Lambda(lambda x: K.squeeze(x, axis=1)), *([layers.Lambda(lambda x: K.l2_normalize(x, axis=-1))] if KERAS_2 else []),
    )  # fmt: skip


def lambda_graph():
    source = keras.Input((6,))
    x = layers.Dense(4, name="d")(source)
    x = layers.Multiply()([layers.Lambda(lambda x: x * x, name="square")(x), layers.Lambda(lambda x: -x)(x)])
    return keras.Model(source, x)


def lambda_unknown():
    return chain((6,), layers.Lambda(lambda x: x if x.shape[-1] == 6 else 1 / x, name="odd"), layers.Dense(2))


def half():
    half = "mixed_float16"
    return chain((6,), layers.Dense(9, dtype=half), layers.Dense(3, activation="softmax", dtype=half, name="out"))


def double():
    return chain((6,), layers.Dense(9, dtype="float64", name="wide"), layers.Dense(3, dtype="float64"))


def one_softmax():
    return chain((6,), layers.Dense(5, name="hidden"), layers.Dense(1, activation="softmax", name="out"))


def logits():
    model = chain((6,), layers.Dense(3, activation="softmax"))
    model.compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=True))
    return model


def custom():
    @keras.saving.register_keras_serializable("mine")
    class Own(layers.Dense):
        pass

    return chain((6,), Own(3))


def gates():
    return chain(
        (5, 3),
        layers.LSTM(4, return_sequences=True, name="lstm"),
        layers.GRU(3, name="gru"),
        layers.Dense(2, name="out"),
    )


def old_gates():
    return chain(
        (5, 3), layers.LSTM(4, return_sequences=True, recurrent_activation="hard_sigmoid", name="lstm"),
        layers.GRU(3, reset_after=False, recurrent_activation="hard_sigmoid", name="gru"), layers.Dense(2, name="out"),
    )  # fmt: skip


def old_images():
    return chain(
        (8, 8, 3),
        layers.Conv2D(4, (3, 2), activation="relu", name="conv"),
        layers.Flatten(),
        layers.Dense(2, name="out"),
    )


COMMON = [plain, images, recurrent, nested, in_chain, named, attention, states, operators, words, lambdas, lambda_names, lambda_graph,
          lambda_unknown, half, double, one_softmax, logits, custom]  # fmt: skip
LEGACY = [gates, old_gates, old_images]


def build(folder):
    for make in COMMON + (LEGACY if KERAS_2 else []):
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        model, chance = make(), np.random.default_rng(5)
        model.set_weights([shaken(chance, each) for each in model.get_weights()])
        for suffix in (".keras", ".h5"):
            model.save(folder / f"{make.__name__}{suffix}")
        if make is lambda_names:
            inputs = chance.normal(size=(4, 6)).astype("float32")
            np.savez(folder / "lambda_names.npz", inputs=inputs, outputs=np.asarray(model(inputs)))


def shaken(chance, array):
    """Values that no repair may confuse: variances are positive, biases and betas are not zero."""
    moved = array + chance.normal(0, 0.3, array.shape)
    return (np.abs(moved) if np.all(array == 1) else moved).astype(array.dtype)


def mend(folder, jobs):
    from kerasdoctor.diagnostics.live import difference  # noqa: PLC0415
    from kerasdoctor.diagnostics.live_inputs import KINDS, made_inputs  # noqa: PLC0415
    from kerasdoctor.diagnostics.live_keras import runner  # noqa: PLC0415
    from kerasdoctor.diagnostics.mending import mend_file  # noqa: PLC0415
    from kerasdoctor.errors import SubjectError  # noqa: PLC0415

    def outputs(engine, path, inputs):
        keras = runner(engine)
        return keras.arrays(keras.call(keras.load(path, compiled=False, allow_code=True), inputs))

    results = {}
    for job in jobs:
        scratch = Path(tempfile.mkdtemp(dir=folder))
        started = time.perf_counter()
        allowed = job.get("allow_code", False)
        arguments = (scratch, job["file"], job["target"], job["suffix"], job.get("only", []))
        try:
            found = mend_file(*arguments, dry=job.get("dry", False), allow_code=allowed)
        except SubjectError as error:
            results[job["name"]] = {"error": str(error), "zh": error.zh}
            continue
        found["seconds"] = time.perf_counter() - started
        if found["file"]:
            found["copy"] = str(scratch / found["file"])
            engine = {"keras3": "keras", "keras2": "tf_keras"}[job["target"]]
            if "truth" in job:
                loaded = runner(engine).load(Path(found["copy"]), compiled=False, allow_code=False)
                inputs = made_inputs(loaded, KINDS[0], 4)
                if job["truth"].endswith(".npz"):
                    kept = np.load(job["truth"])
                    inputs, wanted = kept["inputs"], [kept["outputs"]]
                else:
                    wanted = outputs("tf_keras", job["truth"], inputs)
                pairs = zip(outputs(engine, found["copy"], inputs), wanted, strict=True)
                found["truth"] = max(difference(a, b) for a, b in pairs)
        results[job["name"]] = found
        if job.get("back"):
            back = {**job, "name": f"{job['name']} back", "file": found["copy"], "back": False, **job["back"]}
            jobs.append(back)
    (folder / "results.json").write_text(json.dumps(results, default=asdict))


if __name__ == "__main__":
    if BUILD:
        build(Path(sys.argv[2]))
    else:
        mend(Path(sys.argv[2]), json.loads(Path(sys.argv[3]).read_text()))
