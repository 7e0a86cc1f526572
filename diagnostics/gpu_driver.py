"""What the NVIDIA driver lets through of the GPUs that are there, as evidence: the lowest layer of visibility."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..knowledge.text import Text
from .cuda import why_hidden
from .environment import Environment
from .evidence import fact, fault
from .probe import Evidence

NOT_VISIBLE = "gpu-not-visible"
USE = "use-gpu"
SELECT = "select-gpu"
_NO_DEVICE = 100  # CUDA_ERROR_NO_DEVICE (cuda.h)
_HOSTED = {
    "colab": Text("; in Colab choose Runtime, Change runtime type, GPU", "；在 Colab 里把运行时类型改成 GPU"),
    "wsl": Text(
        "; WSL 2 uses the NVIDIA driver of Windows: install it there and not in Linux (WSL 1 has no GPUs)",
        "；WSL 2 用的是 Windows 里的 NVIDIA 驱动：请装在 Windows 里，不要装在 Linux 里（WSL 1 不支持 GPU）",
    ),
    "kaggle": Text("; in Kaggle choose Settings, Accelerator", "；在 Kaggle 的 Settings 里选择 Accelerator"),
}


def through_driver(environment: Environment) -> Iterator[Evidence]:
    """What the variable CUDA_VISIBLE_DEVICES hides, measured; or why the driver has no GPU to give."""
    visible, there = len(environment.driver.gpus), len(environment.unhidden.gpus)
    if there and not visible:
        yield _hidden(environment, there)
    elif visible < there:
        value = environment.variables.get("CUDA_VISIBLE_DEVICES", "")
        yield fact(
            f"CUDA_VISIBLE_DEVICES={value!r} leaves {visible} of {there} GPUs visible ({gpu_names(environment)})",
            f"CUDA_VISIBLE_DEVICES={value!r} 只留下 {there} 块 GPU 中的 {visible} 块（{gpu_names(environment)}）",
            SELECT,
        )
    elif not there and environment.driver.outcome != "unknown" and environment.system.name != "Darwin":
        yield _blocked(environment)


def _hidden(environment: Environment, there: int) -> Evidence:
    value = environment.variables.get("CUDA_VISIBLE_DEVICES", "")
    why, names = why_hidden(value, there), gpu_names(environment)
    return fault(
        f"CUDA_VISIBLE_DEVICES={value!r} hides every GPU: the driver counts 0 with it, {there} without it ({names}); "
        f"{why.en}. Unset it, or set it to an index, before Python starts",
        f"CUDA_VISIBLE_DEVICES={value!r} 隐藏了所有 GPU：设置它时驱动数到 0 块，去掉它数到 {there} 块（{names}）；"
        f"{why.zh}。请在启动 Python 之前取消该变量，或设为某块 GPU 的序号",
        NOT_VISIBLE,
    )


def _blocked(environment: Environment) -> Evidence:
    """Why the driver gives no GPU at all: the first link that is missing in the chain from the bus upwards."""
    driver = environment.unhidden
    has_node = any(re.match(r"/dev/nvidia\d", node) for node in environment.nodes)
    error = driver.init_name or driver.said.rpartition("Error: ")[2] or driver.outcome
    if environment.kernel_driver and not has_node and not environment.system.wsl:
        return _no_nodes(environment)
    if environment.smi.gpus or has_node or (environment.pci and driver.init is not None):
        return _unusable(environment, error)
    if environment.pci:
        names = there(environment)
        return fault(
            f"{names} is on the PCI bus, but no NVIDIA driver is loaded ({error}): install the driver, the CUDA "
            "toolkit alone is not enough",
            f"PCI 总线上有 {names}，但没有加载 NVIDIA 驱动（{error}）：请安装驱动，只装 CUDA 工具包不够",
            NOT_VISIBLE,
        )
    if driver.init not in (None, _NO_DEVICE) or driver.outcome == "timed out":
        return fault(
            f"the CUDA driver does not start: {error}. Restart the machine, or reinstall the driver",
            f"CUDA 驱动无法启动：{error}。请重启机器，或重装驱动",
            NOT_VISIBLE,
        )
    return _no_gpu(environment, error)


def _no_nodes(environment: Environment) -> Evidence:
    container, driver = environment.system.container, environment.kernel_driver
    return fault(
        f"the kernel has the NVIDIA driver {driver}, but there is no /dev/nvidia0: "
        + (f"this {container} container was started without GPUs; " if container else "")
        + "start the container with `docker run --gpus all` (NVIDIA Container Toolkit); outside of containers run "
        "`sudo nvidia-modprobe -u -c=0`",
        f"内核里有 NVIDIA 驱动 {driver}，但没有 /dev/nvidia0："
        + (f"这个 {container} 容器启动时没有带上 GPU；" if container else "")
        + "容器请用 `docker run --gpus all` 启动（需要 NVIDIA Container Toolkit）；不在容器里则执行 "
        "`sudo nvidia-modprobe -u -c=0`",
        NOT_VISIBLE,
    )


def _unusable(environment: Environment, error: str) -> Evidence:
    names = there(environment)
    return fault(
        f"{names} is there, but the CUDA driver can't use it: {error}. After an update of the driver restart the "
        "machine; in a container NVIDIA_DRIVER_CAPABILITIES must include compute",
        f"机器上有 {names}，但 CUDA 驱动用不了它：{error}。更新驱动之后要重启机器；"
        "在容器里，NVIDIA_DRIVER_CAPABILITIES 必须包含 compute",
        NOT_VISIBLE,
    )


def _no_gpu(environment: Environment, error: str) -> Evidence:
    """No GPU on a machine is no fault: it counts only where someone asked for one."""
    host = "wsl" if environment.system.wsl else environment.system.container
    remedy = _HOSTED.get(host, Text("", ""))
    bus = "pci" not in environment.missing and environment.system.name == "Linux"
    return fact(
        f"no NVIDIA GPU: the CUDA driver counts 0 ({error}){', the PCI bus shows 0' if bus else ''}{remedy.en}",
        f"没有 NVIDIA GPU：CUDA 驱动数到 0 块（{error}）{'，PCI 总线上有 0 块' if bus else ''}{remedy.zh}",
        NOT_VISIBLE,
        USE,
    )


def gpu_names(environment: Environment) -> str:
    """The names of the GPUs that the driver has."""
    return ", ".join(gpu.name for gpu in environment.gpus)


def there(environment: Environment) -> str:
    """The GPUs that are there, by the best name known for them."""
    return gpu_names(environment) or ", ".join(f"NVIDIA {known}" for known in environment.pci) or "NVIDIA GPU"
