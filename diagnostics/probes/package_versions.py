"""The versions of Keras, TensorFlow and what they stand on, and whether they fit each other."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..environment import Environment
from ..environment_evidence import TENSORFLOWS, graded, works
from ..environment_pairs import PAIR, Pair, broken_pairs
from ..environment_requirements import Unmet, unmet
from ..evidence import fact, fault, warning
from ..probe import CouldNotLook, Evidence, Probe
from ..wording import names_en, names_zh

_SHOWN = ("tensorflow", "keras", "tf-keras", "numpy", "protobuf", "h5py", "ml-dtypes", "jax", "jaxlib", "torch")
_OWNERS = (*TENSORFLOWS, "keras", "keras-nightly", "tf-keras", "jax", "jaxlib", "torch", "h5py", "ml-dtypes")
_TOPICS = {
    "numpy": "numpy-abi-version",
    "protobuf": "protobuf-version",
    "h5py": "h5py-str-decode",
    "keras": PAIR,
    "tensorflow": PAIR,
}


def look(environment: Environment) -> Iterator[Evidence]:
    """What the distributions' own metadata ask for, then the pairs that are known not to fit."""
    present = [package for package in environment.packages if package.name in _OWNERS]
    if not any(package.name in (*TENSORFLOWS, "keras", "tf-keras", "keras-nightly") for package in present):
        raise CouldNotLook(
            Text(
                "neither TensorFlow nor Keras is installed for this Python",
                "这个 Python 既没有安装 TensorFlow，也没有安装 Keras",
            )
        )
    counting = [package for package in present if package is environment.package(package.name)]
    found = [miss for package in counting for miss in unmet(package, environment)]
    yield from _missing([miss for miss in found if miss.present is None])
    yield from (_other_version(miss, environment) for miss in found if miss.present is not None)
    told = {frozenset((miss.package.name, miss.name)) for miss in found}
    pairs = [pair for pair in broken_pairs(environment) if frozenset((pair[0].name, pair[0].other)) not in told]
    seen: set[frozenset[str]] = set()
    for pair, version, other in pairs:
        if frozenset((pair.name, pair.other)) not in seen:
            seen.add(frozenset((pair.name, pair.other)))
            yield _pair(pair, version, other, environment)
    yield _versions(environment)


def _missing(found: list[Unmet]) -> Iterator[Evidence]:
    """Nothing can be said from afar of a package that isn't there: some are used only by parts that nobody calls."""
    if found:
        by = sorted({miss.package.name for miss in found})
        names = sorted({f"{miss.name}{miss.wanted}" for miss in found})
        yield warning(
            f"{', '.join(by)} asks for {names_en(names)}, which {'is' if len(names) == 1 else 'are'} not installed",
            f"{'、'.join(by)} 需要 {names_zh(names)}，但没有安装",
        )


def _other_version(miss: Unmet, environment: Environment) -> Evidence:
    owner, topic = f"{miss.package.name} {miss.package.version}", _TOPICS.get(miss.name)
    install = f"`{environment.python.executable} -m pip install '{miss.name}{miss.wanted}'`"
    return graded(
        works(miss.package.name, environment),
        f"{owner} asks for {miss.name}{miss.wanted}, and {miss.present} is installed: {install}",
        f"{owner} 需要 {miss.name}{miss.wanted}，而安装的是 {miss.present}：执行 {install}",
        *((topic,) if topic else ()),
    )


def _pair(pair: Pair, version: str, other: str, environment: Environment) -> Evidence:
    en = f"{pair.name} {version} needs {pair.other}{pair.needs}, and {other} is there: {pair.why.en}"
    zh = f"{pair.name} {version} 需要 {pair.other}{pair.needs}，而这里是 {other}：{pair.why.zh}"
    if pair.late:
        return fault(en, zh, pair.topic)
    return graded(works(pair.name, environment), en, zh, pair.topic)


def _versions(environment: Environment) -> Evidence:
    told = [(name, environment.version_of(name)) for name in _SHOWN]
    shown = ", ".join(f"{name} {version}" for name, version in told if version)
    return fact(shown, shown, PAIR)


PROBE = Probe(
    id="package-versions",
    subject="environment",
    promise=Text(
        "the versions of TensorFlow, Keras, NumPy, protobuf, h5py and the like, and whether they fit each other",
        "检查 TensorFlow、Keras、NumPy、protobuf、h5py 等的版本，以及它们是否互相匹配",
    ),
    topics=(PAIR, "numpy-abi-version", "protobuf-version", "h5py-str-decode"),
    look=look,
    remedy=Text(
        "in a fresh environment let one `pip install` choose all versions together; `pip check` then says nothing",
        "在全新的环境里用一条 `pip install` 一次选定所有版本；之后 `pip check` 应该没有输出问题",
    ),
    documentation="https://keras.io/getting_started/#compatibility-matrix",
)
