"""What Keras is told before it starts: KERAS_BACKEND, keras.json, TF_USE_LEGACY_KERAS, KERAS_HOME."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...knowledge.text import Text
from ..environment import Environment, numbers
from ..environment_facts import KerasJson
from ..evidence import fact, fault, warning
from ..probe import CouldNotLook, Evidence, Probe
from ..wording import names_en, names_zh

BACKEND = "backend-selection"
FILE = "keras-config-file"
MIXING = "mixing-keras-and-tf-keras"
_BACKENDS_3 = ("tensorflow", "jax", "torch", "numpy", "openvino")  # keras/src/backend/__init__.py
_BACKENDS_2 = ("tensorflow", "theano", "cntk")  # keras/backend/__init__.py of 2.3
_LEGACY = ("true", "True", "1")  # tensorflow/__init__.py, the same in every release that knows the variable
_OFF = ("", "0", "false", "False")
_FLOATS = ("float16", "float32", "float64")
_FORMATS = ("channels_last", "channels_first")
_USUAL_EPSILON = 1e-3


def look(environment: Environment) -> Iterator[Evidence]:
    """The file, then the backend that comes out of it and of the variables, then the switch to Keras 2."""
    file = environment.keras_json
    if file is None:
        why = environment.missing.get("keras_json", "-")
        raise CouldNotLook(Text(f"keras.json could not be looked for: {why}", f"找不到 keras.json：{why}"))
    if file.state == "broken":
        yield fault(
            f"{file.path} can't be read ({file.said}), and Keras goes on with its defaults without a word: "
            "correct it or delete it, Keras writes a new one",
            f"{file.path} 无法读取（{file.said}），Keras 会不声不响地改用默认值：请改正或删除它，Keras 会重新写一份",
            FILE,
        )
    yield from _fields(file)
    yield from _backend(environment)
    yield from _legacy(environment)
    yield from _home(environment)
    yield _in_force(environment)


def _fields(file: KerasJson) -> Iterator[Evidence]:
    allowed = {"floatx": _FLOATS, "image_data_format": _FORMATS}
    for name, values in allowed.items():
        if name in file.fields and file.fields[name] not in values:
            yield _refused(file, name, " | ".join(values))
    if "epsilon" in file.fields:
        yield from _epsilon(file)
    if file.fields.get("floatx") in ("float16", "float64"):
        yield _float(file)
    if file.fields.get("image_data_format") == "channels_first":
        yield warning(
            f"{file.path} makes channels_first the default: TensorFlow has no such convolutions on a CPU, and models that "
            "expect channels_last get other shapes",
            f"{file.path} 把 channels_first 设为默认：TensorFlow 在 CPU 上没有这种卷积，按 channels_last 写的模型形状也会不对",
            FILE,
            "channels-first-last",
        )
    if "image_dim_ordering" in file.fields:
        yield warning(
            f"{file.path} has image_dim_ordering={file.fields['image_dim_ordering']!r}, which only Keras 1 reads: since "
            "Keras 2 it is image_data_format",
            f"{file.path} 里有 image_dim_ordering={file.fields['image_dim_ordering']!r}，只有 Keras 1 认得它：Keras 2 起改名为 "
            "image_data_format",
            FILE,
            "channels-first-last",
        )


def _refused(file: KerasJson, name: str, expected: str) -> Evidence:
    value = file.fields[name]
    return fault(
        f"{file.path} has {name}={value!r}, which Keras refuses when it is imported: expected {expected}",
        f"{file.path} 里 {name}={value!r}，Keras 导入时会因此报错：应为 {expected}",
        FILE,
    )


def _epsilon(file: KerasJson) -> Iterator[Evidence]:
    text, kind = file.fields["epsilon"], file.kinds.get("epsilon", "float")
    if kind != "float" or not re.fullmatch(r"-?[\d.]+(e[-+]?\d+)?|-?inf|nan", text) or text.count(".") > 1:
        yield _refused(file, "epsilon", "1e-07")
    elif not 0 < float(text) <= _USUAL_EPSILON:
        yield warning(
            f"{file.path} has epsilon={text}; it keeps divisions and logarithms finite, and 1e-07 is usual",
            f"{file.path} 里 epsilon={text}；它用来避免除零和对数溢出，通常是 1e-07",
            FILE,
        )


def _float(file: KerasJson) -> Evidence:
    half = file.fields["floatx"] == "float16"
    return warning(
        f"{file.path} makes {file.fields['floatx']} the type of every weight: "
        + ("losses become NaN easily, use mixed precision instead" if half else "twice the memory, and slow on GPUs"),
        f"{file.path} 把所有权重的类型设为 {file.fields['floatx']}："
        + ("损失很容易变成 NaN，请改用混合精度" if half else "内存加倍，在 GPU 上很慢"),
        FILE,
        *(("nan-loss",) if half else ()),
    )


def _backend(environment: Environment) -> Iterator[Evidence]:
    name, source = environment.backend.name, environment.backend.source
    keras = numbers(environment.version_of("keras") or "")
    known = _BACKENDS_2 if (1,) <= keras < (2, 4) else _BACKENDS_3
    if (2, 4) <= keras < (3,):
        if name != "tensorflow":
            yield warning(
                f"{source} names the backend {name!r}; Keras {environment.version_of('keras')} has only TensorFlow and "
                "does not look at it: `pip install --upgrade keras` for Keras 3",
                f"{source} 指定了后端 {name!r}；Keras {environment.version_of('keras')} 只有 TensorFlow 一个后端，不会理会："
                "执行 `pip install --upgrade keras` 升级到 Keras 3",
                BACKEND,
            )
    elif name not in known:
        yield fault(
            f"{source} tells Keras to use the backend {name!r}, which there is not: choose {', '.join(known)}",
            f"{source} 让 Keras 使用后端 {name!r}，但没有这个后端：请选择 {'、'.join(known)}",
            BACKEND,
        )
    elif name != "tensorflow":
        yield from _not_installed(name, source, environment)


def _not_installed(name: str, source: str, environment: Environment) -> Iterator[Evidence]:
    seen = {"torch": environment.torch, "jax": environment.jax}.get(name)
    absent = seen.missing_module.partition(".")[0] == name if seen else environment.keras.missing_module == name
    if absent:
        install = f"`{environment.python.executable} -m pip install {name}`"
        yield fault(
            f"{source} chose the backend {name}, which is not installed: {install}, or choose another one",
            f"{source} 选了后端 {name}，但它没有安装：执行 {install}，或改选别的后端",
            BACKEND,
        )


def _legacy(environment: Environment) -> Iterator[Evidence]:
    value = environment.variables.get("TF_USE_LEGACY_KERAS")
    if value is None or value in _OFF:
        return
    if value not in _LEGACY:
        yield warning(
            f"TF_USE_LEGACY_KERAS={value!r} changes nothing: TensorFlow knows {names_en(_LEGACY)} only",
            f"TF_USE_LEGACY_KERAS={value!r} 不起作用：TensorFlow 只认 {names_zh(_LEGACY)}",
            MIXING,
        )
    elif "tf-keras" not in environment.distributions and "tf-keras-nightly" not in environment.distributions:
        minor = ".".join(map(str, numbers(environment.version_of("tensorflow") or "")[:2]))
        install = f"`{environment.python.executable} -m pip install tf_keras{f'~={minor}.0' if minor else ''}`"
        yield fault(
            f"TF_USE_LEGACY_KERAS={value} makes `tf.keras` be tf_keras, which is not installed, so that it can't be loaded: "
            f"{install}, or unset the variable",
            f"TF_USE_LEGACY_KERAS={value} 让 `tf.keras` 指向 tf_keras，但 tf_keras 没有安装，因此无法加载：执行 {install}，"
            "或取消这个变量",
            MIXING,
            "module-not-found-keras",
        )
    else:
        yield fact(
            f"TF_USE_LEGACY_KERAS={value}: `tf.keras` is Keras 2 (tf_keras), `import keras` is not",
            f"TF_USE_LEGACY_KERAS={value}：`tf.keras` 是 Keras 2（tf_keras），而 `import keras` 不是",
            MIXING,
        )


def _home(environment: Environment) -> Iterator[Evidence]:
    value = environment.variables.get("KERAS_HOME")
    if value is not None and environment.keras_json and environment.keras_json.state == "absent":
        yield fact(
            f"KERAS_HOME={value!r} holds no keras.json; the one in ~/.keras doesn't count then",
            f"KERAS_HOME={value!r} 里没有 keras.json；此时 ~/.keras 里的那一份不起作用",
            FILE,
        )


def _in_force(environment: Environment) -> Evidence:
    name, source = environment.backend_in_force, environment.backend.source
    where = environment.keras_json.path if environment.keras_json else "-"
    state = environment.keras_json.state if environment.keras_json else "-"
    return fact(
        f"backend {name} (from {source}); {where}: {state}", f"后端 {name}（来自 {source}）；{where}：{state}", BACKEND
    )


PROBE = Probe(
    id="keras-configuration",
    subject="environment",
    promise=Text(
        "whether KERAS_BACKEND, keras.json, KERAS_HOME and TF_USE_LEGACY_KERAS say something that can be followed",
        "检查 KERAS_BACKEND、keras.json、KERAS_HOME 和 TF_USE_LEGACY_KERAS 的设置是否行得通",
    ),
    topics=(BACKEND, FILE, MIXING, "channels-first-last", "nan-loss", "module-not-found-keras"),
    look=look,
    remedy=Text(
        "unset the variables that you don't need and delete a keras.json that you did not write: Keras then takes its defaults",
        "取消不需要的变量，删掉不是自己写的 keras.json，Keras 就会使用默认值",
    ),
    documentation="https://keras.io/getting_started/#configuring-your-backend",
)
