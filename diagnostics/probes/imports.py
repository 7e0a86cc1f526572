"""Importing TensorFlow, Keras and the backend: whether it works, and which of the known reasons keeps it from working."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..environment import Environment, numbers
from ..environment_evidence import tensorflow_package
from ..environment_facts import Import
from ..evidence import fact, fault
from ..import_failures import TOPICS, import_failure
from ..probe import CouldNotLook, Evidence, Probe

_PAIR = "keras-tensorflow-version-pair"
_OWN_KERAS = (2, 6)  # from this release on tf.keras is the package keras (release notes of TensorFlow 2.6)
_UNASKED = ("unknown", "timed out")


def look(environment: Environment) -> Iterator[Evidence]:
    """How each import ended, when it was tried in the user's own interpreter, folder and variables."""
    asked = _asked(environment)
    failing = [(module, seen) for module, seen in asked if not seen.imported and seen.outcome not in _UNASKED]
    for module, seen in failing:
        if not _follows(module, seen, failing):
            yield import_failure(module, seen, environment)
    yield from (_crashed(module, seen, environment) for module, seen in asked if _died_later(seen))
    yield from _lazy(environment)
    working = [module for module, seen in asked if seen.imported]
    if not failing and not working:
        ended = ", ".join(f"{module}: {seen.outcome}" for module, seen in asked)
        seconds = f"{environment.seconds:.0f} s"
        raise CouldNotLook(
            Text(
                f"no import had ended when the time was over ({ended}, {seconds})",
                f"到时间为止没有一个导入完成（{ended}，{seconds}）",
            )
        )
    if working:
        shown = ", ".join(f"{module} {environment.version_of(module)}" for module in working)
        yield fact(f"imported in a process of its own: {shown}", f"已在单独的进程里成功导入：{shown}")


def _asked(environment: Environment) -> list[tuple[str, Import]]:
    """The imports that this environment needs: Keras, the backend under it, and a TensorFlow that is there or needed."""
    backend = environment.backend_in_force
    found = []
    if backend == "tensorflow" or tensorflow_package(environment):
        found.append(("tensorflow", environment.tensorflow))
    if not _has_own_keras(environment):
        found.append(("keras", environment.keras))
    other = {"torch": environment.torch, "jax": environment.jax}.get(backend)
    return [*found, (backend, other)] if other is not None else found


def _has_own_keras(environment: Environment) -> bool:
    """Whether TensorFlow is so old that it brings its Keras, and no other one is there."""
    version = numbers(environment.version_of("tensorflow") or "")
    return bool(version) and version < _OWN_KERAS and environment.keras.missing_module == "keras"


def _follows(module: str, seen: Import, failing: list[tuple[str, Import]]) -> bool:
    """Whether an import fails only because another one does, which is told for itself."""
    missing, others = seen.missing_module.partition(".")[0], [pair for pair in failing if pair[0] != module]
    same = [name for name, other in others if name == missing or (other.message and other.message == seen.message)]
    return module == "keras" and bool(same)


def _died_later(seen: Import) -> bool:
    return seen.imported and seen.outcome not in ("ok", *_UNASKED)


def _crashed(module: str, seen: Import, environment: Environment) -> Evidence:
    return import_failure(module, seen, environment)


def _lazy(environment: Environment) -> Iterator[Evidence]:
    """TensorFlow loads its Keras only when it is first used: `import tensorflow` may work and `tf.keras` not."""
    why = environment.tensorflow.missing.get("keras_version", "")
    legacy = environment.variables.get("TF_USE_LEGACY_KERAS") in ("1", "true", "True")
    told = legacy and "tf-keras" not in environment.distributions
    if why and environment.tensorflow.imported and not told and (environment.keras.imported or legacy):
        keras, tensorflow = (environment.version_of(name) or "?" for name in ("keras", "tensorflow"))
        said = why.split("\n", maxsplit=1)[0][:300]
        yield fault(
            f"`import tensorflow` works, but its `tf.keras` can't be loaded: {said} (TensorFlow {tensorflow}, Keras {keras})",
            f"`import tensorflow` 正常，但其中的 `tf.keras` 加载不了：{said}（TensorFlow {tensorflow}，Keras {keras}）",
            _PAIR,
        )


PROBE = Probe(
    id="imports",
    subject="environment",
    promise=Text(
        "whether TensorFlow, Keras and the backend can be imported, and if not, for which of the known reasons",
        "检查 TensorFlow、Keras 和后端能否导入，不能时属于哪种已知原因",
    ),
    topics=(*TOPICS, "backend-selection"),
    look=look,
    remedy=Text(
        "reinstall in a fresh virtual environment, and start Python there",
        "在全新的虚拟环境里重新安装，并用那里的 Python 运行",
    ),
    documentation="https://www.tensorflow.org/install/errors",
)
