"""The interpreter: whether TensorFlow and Keras support it, and whether anyone still maintains it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from ...knowledge.text import Text
from ..environment import Environment, numbers
from ..environment_evidence import graded, tensorflow_package, works
from ..environment_facts import Package
from ..environment_requirements import allows
from ..evidence import fact, warning
from ..probe import Evidence, Probe

UNSUPPORTED = "no-matching-tensorflow"
_BITS = 64
# The first and last Python 3 that the wheels of a TensorFlow 2 minor release are for ("Tested build configurations",
# tensorflow.org/install/source, and the classifiers of the releases on pypi.org).
_PYTHONS = {
    range(2): ((3, 5), (3, 7)),
    range(2, 4): ((3, 5), (3, 8)),
    range(4, 5): ((3, 6), (3, 8)),
    range(5, 8): ((3, 6), (3, 9)),
    range(8, 12): ((3, 7), (3, 10)),
    range(12, 14): ((3, 8), (3, 11)),
    range(14, 16): ((3, 9), (3, 11)),
    range(16, 20): ((3, 9), (3, 12)),
    range(20, 21): ((3, 9), (3, 13)),
    range(21, 22): ((3, 10), (3, 13)),
}
# The last day of security fixes (devguide.python.org/versions).
_ENDS = {
    (3, 5): date(2020, 9, 30),
    (3, 6): date(2021, 12, 23),
    (3, 7): date(2023, 6, 27),
    (3, 8): date(2024, 10, 7),
    (3, 9): date(2025, 10, 31),
    (3, 10): date(2026, 10, 31),
    (3, 11): date(2027, 10, 31),
    (3, 12): date(2028, 10, 31),
    (3, 13): date(2029, 10, 31),
    (3, 14): date(2030, 10, 31),
}


def look(environment: Environment) -> Iterator[Evidence]:
    """The build of the interpreter, what the installed releases say of its version, and its end of life."""
    yield from _build(environment)
    name = tensorflow_package(environment)
    if name is None:
        yield from _without_tensorflow(environment)
    else:
        yield from _installed(name, environment)
    yield from (e for package in environment.packages for e in _too_old(package, environment))
    yield from end_of_life(environment.python.version, datetime.now(UTC).date())


def _build(environment: Environment) -> Iterator[Evidence]:
    python, runs = environment.python, environment.tensorflow.imported
    if python.bits != _BITS:
        yield graded(
            runs,
            f"Python {python.version} is a {python.bits}-bit program; TensorFlow has wheels for 64-bit Python only",
            f"这个 Python {python.version} 是 {python.bits} 位的；TensorFlow 只提供 64 位 Python 的安装包",
            UNSUPPORTED,
        )
    if python.implementation != "cpython":
        yield graded(
            runs,
            f"the interpreter is {python.implementation}; TensorFlow's wheels are for CPython only",
            f"这个解释器是 {python.implementation}；TensorFlow 的安装包只支持 CPython",
            UNSUPPORTED,
        )
    if python.free_threaded:
        yield graded(
            runs,
            f"Python {python.version} is the free-threaded build (without the GIL), for which TensorFlow has no wheels",
            f"这个 Python {python.version} 是不带 GIL 的自由线程版，TensorFlow 没有为它提供安装包",
            UNSUPPORTED,
        )


def _installed(name: str, environment: Environment) -> Iterator[Evidence]:
    """TensorFlow names the Pythons that it is for among its classifiers."""
    package, python = environment.package(name), _minor(environment.python.version)
    if package is None or not package.pythons:
        return
    first, last = (".".join(map(str, end(map(numbers, package.pythons)))) for end in (min, max))
    en, zh = (
        f"{name} {package.version} is for Python {first} to {last}",
        f"{name} {package.version} 支持 Python {first} 到 {last}",
    )
    if python in package.pythons:
        yield fact(
            f"{en}, this is {environment.python.version}", f"{zh}，这里是 {environment.python.version}", UNSUPPORTED
        )
    else:
        yield graded(
            works(name, environment),
            f"{en}, this is {environment.python.version}: make an environment with one of these",
            f"{zh}，而这里是 {environment.python.version}：请用其中一个版本新建环境",
            UNSUPPORTED,
        )


def _too_old(package: Package, environment: Environment) -> Iterator[Evidence]:
    if package.requires_python and not allows(package.requires_python, environment.python.version):
        yield graded(
            works(package.name, environment),
            f"{package.name} {package.version} needs Python {package.requires_python}, this is {environment.python.version}",
            f"{package.name} {package.version} 需要 Python {package.requires_python}，而这里是 {environment.python.version}",
            UNSUPPORTED,
        )


def _without_tensorflow(environment: Environment) -> Iterator[Evidence]:
    """Which TensorFlow could be installed. A Python newer than the table may have got one since."""
    python, version = numbers(environment.python.version)[:2], environment.python.version
    fitting = [minor for minors, (first, last) in _PYTHONS.items() if first <= python <= last for minor in minors]
    if fitting:
        yield fact(
            f"for Python {version} there are wheels of TensorFlow 2.{min(fitting)} to 2.{max(fitting)}",
            f"Python {version} 有 TensorFlow 2.{min(fitting)} 到 2.{max(fitting)} 的安装包",
            UNSUPPORTED,
        )
        return
    newest = max(minor for minors in _PYTHONS for minor in minors)
    (_, first), (_, last) = (_PYTHONS[range(newest, newest + 1)][i] for i in (0, 1))
    yield warning(
        f"TensorFlow 2.{newest}, the newest that is known here, has wheels for Python 3.{first} to 3.{last}, this is {version}",
        f"此处已知的最新版 TensorFlow 2.{newest} 提供 Python 3.{first} 到 3.{last} 的安装包，而这里是 {version}",
        UNSUPPORTED,
    )


def end_of_life(version: str, today: date) -> Iterator[Evidence]:
    """Whether a version of Python still got security fixes on a day."""
    ended = _ENDS.get((*numbers(version)[:2],))  # type: ignore[arg-type]
    if ended and ended < today:
        yield warning(
            f"Python {_minor(version)} has had no security fixes since {ended}; new releases of Keras leave it out",
            f"Python {_minor(version)} 自 {ended} 起不再有安全更新；Keras 的新版本也不再支持它",
        )


def _minor(version: str) -> str:
    return ".".join(str(part) for part in numbers(version)[:2])


PROBE = Probe(
    id="python-version",
    subject="environment",
    promise=Text(
        "whether TensorFlow and Keras support this Python: its version, 64 bits, CPython, end of life",
        "检查 TensorFlow 和 Keras 是否支持这个 Python：版本、64 位、CPython、是否已停止维护",
    ),
    topics=(UNSUPPORTED,),
    look=look,
    remedy=Text(
        "make a fresh environment with a 64-bit CPython that your TensorFlow supports",
        "用 TensorFlow 支持的 64 位 CPython 新建一个环境",
    ),
    documentation="https://www.tensorflow.org/install/source#tested_build_configurations",
)
