"""The processor: whether TensorFlow's wheels run on it, and whether it is only imitated."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..environment import Environment, numbers
from ..environment_evidence import graded
from ..evidence import fact, warning
from ..probe import CouldNotLook, Evidence, Probe

TOPIC = "tensorflow-dll-load"
_X86 = ("x86_64", "amd64")
_WHEELS = (*_X86, "aarch64", "arm64")  # the files of tensorflow on pypi.org
_LAST_INTEL_MAC = (2, 16)  # "the last release for x86 Macs" (release notes of 2.16)


def look(environment: Environment) -> Iterator[Evidence]:
    """What TensorFlow's wheels need (AVX since 1.6, on x86) against what the processor has."""
    cpu, machine = environment.cpu, environment.system.machine.lower()
    if machine and machine not in _WHEELS:
        yield graded(
            environment.tensorflow.imported,
            f"there are no TensorFlow wheels for the processor {environment.system.machine}: build it, or use another machine",
            f"TensorFlow 没有处理器 {environment.system.machine} 的安装包：请自行编译，或换一台机器",
            "no-matching-tensorflow",
        )
    if cpu.emulated:
        yield _emulated(environment)
    if cpu.features is None and not cpu.emulated:
        why = environment.missing.get("cpu", f"{environment.system.name or '?'} {environment.system.machine}")
        raise CouldNotLook(
            Text(f"the system doesn't tell what the processor has ({why})", f"系统没有给出处理器的特性（{why}）")
        )
    if machine in _X86 and environment.avx is False:
        yield graded(
            environment.tensorflow.imported,
            f"{cpu.name or 'the processor'} has no AVX, which TensorFlow's wheels need since 1.6: Python ends with an illegal "
            "instruction. Use a build without AVX (conda-forge), or another machine",
            f"{cpu.name or '处理器'}没有 AVX，而 TensorFlow 安装包自 1.6 起就需要它：Python 会因非法指令终止。"
            "请用不需要 AVX 的构建（conda-forge），或换一台机器",
            TOPIC,
        )
    yield from _intel_mac(environment)
    yield _features(environment)


def _emulated(environment: Environment) -> Evidence:
    by = {"rosetta": "Rosetta", "qemu": "QEMU"}.get(environment.cpu.emulated, environment.cpu.emulated)
    python = f"Python {environment.python.version} ({environment.system.machine})"
    return warning(
        f"{python} runs on an imitated processor ({by}): slow, and often without AVX. Install a Python (or container image) for "
        "this machine's own processor",
        f"{python} 运行在模拟的处理器上（{by}）：很慢，而且常常没有 AVX。请安装与本机处理器一致的 Python（或容器镜像）",
        TOPIC,
    )


def _intel_mac(environment: Environment) -> Iterator[Evidence]:
    if environment.system.name == "Darwin" and environment.system.machine == "x86_64":
        version = numbers(environment.version_of("tensorflow") or "")[:2]
        if not version or version > _LAST_INTEL_MAC:
            yield fact(
                "TensorFlow 2.16 is the last release with wheels for Macs with Intel processors",
                "TensorFlow 2.16 是最后一个为 Intel 处理器的 Mac 提供安装包的版本",
                "no-matching-tensorflow",
            )


def _features(environment: Environment) -> Evidence:
    cpu = environment.cpu
    has = " ".join(cpu.features or ()) or "-"
    return fact(
        f"{cpu.name or environment.system.machine}: {has}; {cpu.usable or cpu.cores} of {cpu.cores} cores usable. That "
        '"this TensorFlow binary is optimized to use" some of these is no error',
        f"{cpu.name or environment.system.machine}：{has}；{cpu.cores} 个核心中可用 {cpu.usable or cpu.cores} 个。"
        "“This TensorFlow binary is optimized to use ...”只是说明，不是错误",
        TOPIC,
        "harmless-startup-log",
    )


PROBE = Probe(
    id="cpu-features",
    subject="environment",
    promise=Text(
        "whether the processor has what TensorFlow's wheels need (AVX), and isn't imitated by Rosetta or QEMU",
        "检查处理器是否具备 TensorFlow 安装包所需的指令（AVX），以及是否由 Rosetta 或 QEMU 模拟",
    ),
    topics=(TOPIC, "no-matching-tensorflow", "harmless-startup-log"),
    look=look,
    remedy=Text(
        "use a build for this very processor, or another machine",
        "使用适合本机处理器的构建，或换一台机器",
    ),
    documentation="https://www.tensorflow.org/install/pip",
)
