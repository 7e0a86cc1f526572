"""Versions that don't fit each other although no metadata say so: older releases name no upper bounds.

Sources: NumPy 2 since TensorFlow 2.18 (its release notes); protobuf before 4 up to TensorFlow 2.11 (the setup.py of the
releases, and the fix of 2.9.1, "pin protobuf < 3.20"); h5py 3 returns text where Keras before 2.4 and TensorFlow before 2.4
decode bytes (docs.h5py.org/en/stable/whatsnew/3.0.html); Keras 2.3 is the last multi-backend release and knows TensorFlow 2.0
and 2.1 at the newest, Keras 2.4 hands everything to tf.keras of TensorFlow 2.2 to 2.5 (release notes of Keras); since
TensorFlow 2.6 Keras is a package of its own, of the same minor version (release notes of TensorFlow 2.6); tf_keras has the
minor version of its TensorFlow (its metadata, tf_keras/README.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..knowledge.text import Text
from .environment import Environment, numbers
from .environment_requirements import allows

PAIR = "keras-tensorflow-version-pair"


@dataclass(frozen=True)
class Pair:
    """Where `name` has a version of `when`, `other` must have one of `needs`. `late`: the import works, the use fails."""

    name: str
    when: str
    other: str
    needs: str
    topic: str
    why: Text
    late: bool = False


_ONE_MINOR = Text("both must have the same minor version", "两者的次版本号必须相同")
_PAIRS = (
    Pair(
        "tensorflow",
        "<2.18",
        "numpy",
        "<2",
        "numpy-abi-version",
        Text("it was compiled with NumPy 1", "它是用 NumPy 1 编译的"),
    ),
    Pair(
        "tensorflow",
        "<2.12",
        "protobuf",
        "<4",
        "protobuf-version",
        Text("its generated code is of protobuf 3", "它的生成代码属于 protobuf 3"),
    ),
    *(
        Pair(
            name,
            "<2.4",
            "h5py",
            "<3",
            "h5py-str-decode",
            Text(
                "loading a .h5 model ends with \"'str' object has no attribute 'decode'\"",
                "加载 .h5 模型时会报 \"'str' object has no attribute 'decode'\"",
            ),
            late=True,
        )
        for name in ("keras", "tensorflow")
    ),
    Pair(
        "keras",
        "<2.3",
        "tensorflow",
        "<2",
        PAIR,
        Text("it calls functions that TensorFlow 2 no longer has", "它调用的函数在 TensorFlow 2 里已经没有了"),
        late=True,
    ),
    Pair("keras", "==2.3.*", "tensorflow", "<2.2", PAIR, Text("it is older than that", "它比那更早")),
    Pair(
        "keras",
        "==2.4.*",
        "tensorflow",
        ">=2.2,<2.6",
        PAIR,
        Text("it only hands on to tf.keras of these releases", "它只是转到这些版本的 tf.keras"),
    ),
    *(Pair("keras", f"==2.{n}.*", "tensorflow", f"==2.{n}.*", PAIR, _ONE_MINOR) for n in range(5, 16)),
    *(Pair("tensorflow", f"==2.{n}.*", "keras", f"==2.{n}.*", PAIR, _ONE_MINOR) for n in range(6, 16)),
)


def broken_pairs(environment: Environment) -> Iterator[tuple[Pair, str, str]]:
    """Each known pair that doesn't fit, with both versions."""
    for pair in (*_PAIRS, *_tf_keras(environment)):
        have, other = environment.version_of(pair.name), environment.version_of(pair.other)
        if have and other and allows(pair.when, have) and not allows(pair.needs, other):
            yield pair, have, other


def _tf_keras(environment: Environment) -> Iterator[Pair]:
    minor = numbers(environment.distributions.get("tf-keras", ""))[:2]
    if len(minor) == 2:  # noqa: PLR2004 - a minor version has two numbers
        same = f"=={minor[0]}.{minor[1]}.*"
        yield Pair("tf-keras", same, "tensorflow", same, PAIR, _ONE_MINOR)
