"""GPU visibility: which GPU is there, whether the framework under Keras sees it, and if not, exactly why."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..environment import Environment
from ..environment_facts import Import
from ..evidence import fact, fault
from ..gpu_builds import FRAMEWORKS, LIBRARIES, build_causes, version
from ..gpu_driver import NOT_VISIBLE, SELECT, USE, gpu_names, through_driver
from ..probe import CouldNotLook, Evidence, Probe

BACKEND = "backend-selection"


def look(environment: Environment) -> Iterator[Evidence]:
    """What stands between the GPU and the framework that Keras runs on, from the driver upwards."""
    backend = environment.backend_in_force
    if backend not in FRAMEWORKS:
        yield _other_backend(backend, environment)
        return
    seen: Import | None = getattr(environment, backend)
    found = list(_framework(backend, seen, environment)) if seen else []
    if seen is None or not seen.gpus or environment.gpus:  # a GPU that isn't NVIDIA's needs no NVIDIA driver
        found = [*through_driver(environment), *found]
    if not any(e.fault for e in found) and (seen is None or seen.gpus is None):
        raise CouldNotLook(_unknown(backend, seen, environment))
    yield from found


def _framework(backend: str, seen: Import, environment: Environment) -> Iterator[Evidence]:
    """What the framework sees, and what keeps it from seeing what the driver has."""
    if not seen.imported and seen.outcome not in ("timed out", "unknown"):
        return  # why it can't be imported is what the probe `imports` tells
    causes = list(build_causes(backend, seen, environment)) if seen.imported else []
    yield from causes
    if seen.gpus:
        yield _visible(backend, seen.gpus, environment, sound=not causes)
    elif seen.gpus is not None and environment.driver.gpus and not causes:
        yield _unexplained(backend, seen, environment)


def _visible(backend: str, gpus: tuple[str, ...], environment: Environment, *, sound: bool) -> Evidence:
    name, total = version(backend, environment), max(len(environment.gpus), len(gpus))
    en = f"{name} sees {len(gpus)} of {total} GPUs: {', '.join(gpus)}"
    zh = f"{name} 看到 {total} 块 GPU 中的 {len(gpus)} 块：{', '.join(gpus)}"
    if backend != "tensorflow":
        en += f"; Keras runs on it ({environment.backend.source}), so TensorFlow's list of GPUs does not count"
        zh += f"；Keras 用的就是它（由 {environment.backend.source} 决定），TensorFlow 列出什么并不重要"
    return Evidence(Text(en, zh), confirms=(USE,), rules_out=(NOT_VISIBLE,) if sound else ())


def _unexplained(backend: str, seen: Import, environment: Environment) -> Evidence:
    name, total = version(backend, environment), len(environment.driver.gpus)
    said = "; ".join(seen.log) or "-"
    return fault(
        f"{name} sees 0 of {total} GPUs ({gpu_names(environment)}) that the driver gives it; it printed: {said}",
        f"驱动给出 {total} 块 GPU（{gpu_names(environment)}），{name} 却看到 0 块；它输出：{said}",
        NOT_VISIBLE,
    )


def _other_backend(backend: str, environment: Environment) -> Evidence:
    """A backend that needs no GPU is a choice and no fault; of one that there isn't nothing can be said."""
    source = environment.backend.source
    if backend in ("numpy", "openvino"):
        return fact(
            f"Keras runs on the backend {backend!r} ({source}), which uses no NVIDIA GPU: choose tensorflow, jax or "
            "torch",
            f"Keras 用的后端是 {backend!r}（由 {source} 决定），它不用 NVIDIA GPU：请改用 tensorflow、jax 或 torch",
            NOT_VISIBLE,
            USE,
            BACKEND,
        )
    if backend in ("theano", "cntk"):
        raise CouldNotLook(
            Text(f"Keras runs on {backend}, whose GPUs are not examined", f"Keras 用的后端是 {backend}，不检查它的 GPU")
        )
    raise CouldNotLook(
        Text(
            f"{source} tells Keras to use the backend {backend!r}, which there is not (see keras-configuration)",
            f"{source} 让 Keras 使用后端 {backend!r}，但没有这个后端（见 keras-configuration）",
        )
    )


def _unknown(backend: str, seen: Import | None, environment: Environment) -> Text:
    if seen and not seen.imported and seen.outcome not in ("timed out", "unknown"):
        return Text(f"`import {backend}` fails (see imports)", f"`import {backend}` 失败（见 imports）")
    ended = seen.outcome if seen else "not asked"
    why = (seen.missing.get("gpus") if seen else None) or ended
    seconds = f"{environment.seconds:.0f} s"
    return Text(
        f"`import {backend}` told nothing of GPUs ({why}; the examination took {seconds})",
        f"`import {backend}` 没有给出 GPU 的信息（{why}；检查用了 {seconds}）",
    )


PROBE = Probe(
    id="gpu-visibility",
    subject="environment",
    promise=Text(
        "which GPU is there, whether the framework under Keras sees it, and if not, what keeps it from that",
        "检查有哪些 GPU、Keras 所用的框架能否看到，以及看不到时的确切原因",
    ),
    topics=(
        NOT_VISIBLE,
        USE,
        SELECT,
        LIBRARIES,
        BACKEND,
    ),
    look=look,
    remedy=Text(
        "install the build that fits the driver, and leave CUDA_VISIBLE_DEVICES alone unless you mean it",
        "安装与驱动匹配的版本；没有特别需要就不要设置 CUDA_VISIBLE_DEVICES",
    ),
    documentation="https://www.tensorflow.org/install/pip",
)
