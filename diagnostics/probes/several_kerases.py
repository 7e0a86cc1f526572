"""Several Kerases or TensorFlows in one environment, and installations that pip left half done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePath

from ...knowledge.text import Text
from ..environment import Environment, numbers
from ..environment_evidence import TENSORFLOWS, graded, tensorflow_package, works
from ..environment_facts import Package
from ..environment_requirements import requires
from ..evidence import fact, warning
from ..probe import CouldNotLook, Evidence, Probe
from ..wording import names_en, names_zh

MIXING = "mixing-keras-and-tf-keras"
PAIR = "keras-tensorflow-version-pair"
_KERASES = ("keras", "keras-nightly", "tf-keras", "tf-keras-nightly")


def look(environment: Environment) -> Iterator[Evidence]:
    """Distributions that write the same files, installations twice over, leftovers, and two Kerases side by side."""
    if not environment.packages and not environment.leftovers:
        raise CouldNotLook(
            Text("no package of Keras or TensorFlow is installed", "没有安装 Keras 或 TensorFlow 的任何包")
        )
    yield from _same_files(environment, TENSORFLOWS, "tensorflow")
    yield from _same_files(environment, ("keras", "keras-nightly"), "keras")
    yield from _same_files(environment, ("tf-keras", "tf-keras-nightly"), "tf_keras")
    yield from _twice(environment)
    yield from _leftovers(environment)
    yield from _side_by_side(environment)


def _same_files(environment: Environment, names: tuple[str, ...], module: str) -> Iterator[Evidence]:
    """Two distributions that bring the same module overwrite each other; one that is there as a part of another does not."""
    there = [package for package in environment.packages if package.name in names]
    apart = {
        p.name for p in there if not any(requires(other, p.name, environment) for other in there if other is not p)
    }
    if len(apart) > 1:
        shown = [f"{name} {environment.distributions.get(name, '?')}" for name in sorted(apart)]
        yield graded(
            works(module, environment),
            f"{names_en(shown)} write the same folder `{module}`, and the last one installed has overwritten the others: "
            f"uninstall all of them, then install one",
            f"{names_zh(shown)} 都写入同一个文件夹 `{module}`，后装的会覆盖先装的：请全部卸载，再只装一个",
            PAIR,
        )


def _twice(environment: Environment) -> Iterator[Evidence]:
    places: dict[str, list[Package]] = defaultdict(list)
    for package in environment.packages:
        places[package.name].append(package)
    for name, found in sorted(places.items()):
        if len({package.version for package in found}) > 1:
            shown = ", ".join(f"{p.version} ({_folder(p, environment)})" for p in found)
            same = len({package.folder for package in found}) == 1
            yield graded(
                works(name, environment) if same else True,
                f"{name} is there {len(found)} times, Python takes the first: {shown}"
                + ("; two in one folder mean that an installation was interrupted: reinstall it" if same else ""),
                f"{name} 有 {len(found)} 份，Python 用的是第一份：{shown}"
                + ("；同一个文件夹里有两份，说明某次安装中断了：请重新安装" if same else ""),
                PAIR,
            )


def _folder(package: Package, environment: Environment) -> str:
    return f"{package.folder}, user site" if package.folder == environment.user_site else package.folder


def _leftovers(environment: Environment) -> Iterator[Evidence]:
    if environment.leftovers:
        names = [PurePath(path).name for path in environment.leftovers]
        folder = PurePath(environment.leftovers[0]).parent
        yield warning(
            f"interrupted installations left {names_en(names)} in {folder}: delete them, and reinstall what they were part of",
            f"中断的安装在 {folder} 里留下了 {names_zh(names)}：请删除，并重新安装它们所属的包",
        )


def _side_by_side(environment: Environment) -> Iterator[Evidence]:
    """Keras 3 and Keras 2 in one environment are no fault: models and layers of one just don't fit the other."""
    name = tensorflow_package(environment)
    there = {known: environment.version_of(known) for known in _KERASES if known in environment.distributions}
    told = environment.tensorflow.keras_version
    en, zh = (f", `tf.keras` is {told}", f"，`tf.keras` 是 {told}") if told else ("", "")
    shown = ", ".join(f"{known} {version}" for known, version in there.items()) or "-"
    keras = environment.keras.version
    if keras and told and numbers(keras)[:1] != numbers(told)[:1]:
        yield fact(
            f"`import keras` gives {keras}{en}: layers and models of one don't work in the other, choose one of them",
            f"`import keras` 得到 {keras}{zh}：两者的层和模型不能混用，请只选其中一个",
            MIXING,
        )
    elif name or there:
        yield fact(f"installed: {shown}{en}", f"已安装：{shown}{zh}", MIXING)


PROBE = Probe(
    id="several-kerases",
    subject="environment",
    promise=Text(
        "whether several TensorFlows or Kerases, or half-done installations, get in each other's way",
        "检查是否有多个 TensorFlow 或 Keras、或残缺的安装互相妨碍",
    ),
    topics=(PAIR, MIXING),
    look=look,
    remedy=Text(
        "a fresh virtual environment with one TensorFlow and one Keras is quicker than a repair",
        "新建一个虚拟环境，只装一个 TensorFlow 和一个 Keras，比修理更快",
    ),
    documentation="https://keras.io/getting_started/",
)
