"""Why a framework doesn't use a GPU that the driver has, as evidence: what it was built for, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterator

from ..knowledge.text import Text
from .cuda import missing_libraries, needed_driver, others_of, release, too_old
from .environment import Environment, numbers
from .environment_facts import Import
from .evidence import fact, fault
from .gpu_driver import NOT_VISIBLE, USE, there
from .probe import Evidence

LIBRARIES = "gpu-library-mismatch"
FRAMEWORKS = {"tensorflow": "TensorFlow", "torch": "PyTorch", "jax": "JAX"}
_AND_CUDA = (2, 14)  # the first release with the extra "and-cuda" (TensorFlow 2.14 release notes)
_LAST_ON_WINDOWS = (2, 10)  # "the last TensorFlow release that supported GPU on native-Windows" (install/pip)
_CPU_PACKAGES = ("tensorflow-cpu", "tensorflow-intel", "tf-nightly-cpu")
_GPU_TENSORFLOW = "`pip install 'tensorflow[and-cuda]'`"


def build_causes(framework: str, seen: Import, environment: Environment) -> Iterator[Evidence]:
    """Each thing about an imported framework that keeps it from the machine's GPUs."""
    if environment.system.name == "Darwin":
        if framework == "tensorflow" and not seen.gpus and "tensorflow-metal" not in environment.distributions:
            yield _no_metal(environment)
    elif environment.gpus or environment.pci:
        if not seen.gpus and _is_cpu_build(framework, seen, environment):
            yield _cpu_build(framework, environment)
        elif framework == "tensorflow" and seen.cuda_build:
            yield from _old_driver(seen, environment)
            yield from _old_gpus(seen, environment)
            yield from _libraries(seen, environment)


def _is_cpu_build(framework: str, seen: Import, environment: Environment) -> bool:
    if framework == "jax":  # its GPU support is a plug-in; before 0.4.30 it was another jaxlib ("+cuda12.cudnn89")
        named = [*environment.distributions, environment.distributions.get("jaxlib", "").partition("+")[2]]
        return not any(name.startswith(("jax-cuda", "cuda")) for name in named)
    return seen.cuda_build is False and not seen.rocm_build


def _cpu_build(framework: str, environment: Environment) -> Evidence:
    name = version(framework, environment)
    package = next((p for p in _CPU_PACKAGES if p in environment.distributions), "")
    remedy = _instead(framework, package, environment)
    return fault(
        f"{name}{f' ({package})' if package else ''} was built for the CPU only and can't use {there(environment)}: "
        f"{remedy.en}",
        f"{name}{f'（{package}）' if package else ''}是只支持 CPU 的版本，用不了 {there(environment)}：{remedy.zh}",
        NOT_VISIBLE,
    )


def _instead(framework: str, package: str, environment: Environment) -> Text:
    """What to install in place of a CPU build."""
    if framework == "torch":
        return Text("choose a CUDA build on pytorch.org/get-started", "请到 pytorch.org/get-started 选择 CUDA 版安装")
    if framework == "jax":
        return Text("`pip install 'jax[cuda12]'`", "执行 `pip install 'jax[cuda12]'`")
    if environment.system.name == "Windows":
        if numbers(environment.version_of("tensorflow") or "")[:2] > _LAST_ON_WINDOWS:
            return Text(
                f"on native Windows, 2.10 was the last release for GPUs: use WSL2, and there {_GPU_TENSORFLOW}",
                f"Windows 原生环境中最后支持 GPU 的是 2.10：请改用 WSL2，在其中执行 {_GPU_TENSORFLOW}",
            )
        return Text("`pip install tensorflow==2.10.1`", "执行 `pip install tensorflow==2.10.1`")
    if package == "tensorflow-cpu":
        remove = f"`pip uninstall {package}`"
        return Text(f"{remove}, then {_GPU_TENSORFLOW}", f"先执行 {remove}，再执行 {_GPU_TENSORFLOW}")
    return Text(_GPU_TENSORFLOW, f"执行 {_GPU_TENSORFLOW}")


def _old_driver(seen: Import, environment: Environment) -> Iterator[Evidence]:
    name, cuda = version("tensorflow", environment), environment.unhidden.cuda
    wanted = needed_driver(cuda, seen.cuda_version)
    if wanted:
        present = environment.smi.driver or environment.kernel_driver or "?"
        supported = ".".join(str(part) for part in divmod(cuda // 10, 100))
        yield fault(
            f"the driver {present} supports CUDA up to {supported}, {name} was built for CUDA {seen.cuda_version}: "
            f"update the driver to {wanted} or newer",
            f"驱动 {present} 最高支持 CUDA {supported}，而 {name} 是按 CUDA {seen.cuda_version} 编译的："
            f"请把驱动更新到 {wanted} 或更新的版本",
            LIBRARIES,
            NOT_VISIBLE,
        )


def _old_gpus(seen: Import, environment: Environment) -> Iterator[Evidence]:
    """TensorFlow lists such a GPU among the physical devices, and ignores it when it starts ("minimum required")."""
    name = version("tensorflow", environment)
    for gpu in environment.gpus:
        lowest = too_old(seen.capabilities, gpu.capability)
        if lowest:
            yield fault(
                f"{gpu.name} has compute capability {gpu.capability}; {name} was built for {lowest} and newer, and "
                "ignores it: use an older TensorFlow",
                f"{gpu.name} 的计算能力是 {gpu.capability}，而 {name} 只支持 {lowest} 及以上，会忽略这块 GPU："
                "请换用更旧的 TensorFlow",
                NOT_VISIBLE,
            )


def _libraries(seen: Import, environment: Environment) -> Iterator[Evidence]:
    missing = () if seen.gpus else missing_libraries(environment)
    if missing:
        name, others = version("tensorflow", environment), others_of(missing, environment.cuda_libraries)
        cuda = "CUDA " + ".".join(str(part) for part in release(seen.cuda_version) or "?")
        cudnn = f"cuDNN {(seen.cudnn_version or '?').rpartition('_')[2]}"
        remedy = _bring(Text(f"{cuda} and {cudnn}", f"{cuda} 和 {cudnn}"), seen, environment)
        yield fault(
            f"{name}, built for {cuda} and {cudnn}, lacks {', '.join(missing)}"
            + (f" (another version is there: {', '.join(others)})" if others else "")
            + f": {remedy.en}",
            f"{name} 是按 {cuda} 和 {cudnn} 编译的，缺少 {'、'.join(missing)}"
            + (f"（现有的是另一个版本：{'、'.join(others)}）" if others else "")
            + f"：{remedy.zh}",
            LIBRARIES,
            NOT_VISIBLE,
        )


def _bring(toolkit: Text, seen: Import, environment: Environment) -> Text:
    windows = environment.system.name == "Windows"
    if numbers(seen.version or "") < _AND_CUDA or windows:
        path = "PATH" if windows else "LD_LIBRARY_PATH"
        return Text(
            f"install {toolkit.en}, and put their folders into {path}",
            f"请安装 {toolkit.zh}，并把它们所在的文件夹加入 {path}",
        )
    install = f"`pip install 'tensorflow[and-cuda]=={seen.version}'`"
    return Text(f"{install} brings them", f"执行 {install} 即可装上")


def _no_metal(environment: Environment) -> Evidence:
    """No fault: Apple's plug-in is optional, and follows TensorFlow's releases with a long delay."""
    name = version("tensorflow", environment)
    return fact(
        f"{name} on macOS uses the GPU only with Apple's plug-in tensorflow-metal, which is not installed",
        f"{name} 在 macOS 上要装 Apple 的插件 tensorflow-metal 才会用 GPU，而它没有安装",
        NOT_VISIBLE,
        USE,
    )


def version(framework: str, environment: Environment) -> str:
    """A framework's name with its version."""
    return f"{FRAMEWORKS[framework]} {environment.version_of(framework) or '?'}"
