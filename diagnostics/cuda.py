"""What CUDA and TensorFlow ask of each other, as their documents say: libraries, drivers, GPUs, the hiding variable."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..knowledge.text import Text
from .environment import Environment
from .environment_facts import Import

# The ABI versions of the libraries that TensorFlow opens before it takes a GPU (TryDlopenCUDALibraries in its
# dlopen_checker.cc), by CUDA release: "CUDA Toolkit Major Component Versions" of NVIDIA's release notes.
_LIBRARIES: dict[tuple[int, int], dict[str, str]] = {
    (10, 1): {"cudart": "10.1", "cublas": "10", "cufft": "10", "cusolver": "10", "cusparse": "10"},
    (11, 0): {"cudart": "11.0", "cublas": "11", "cublasLt": "11", "cufft": "10", "cusolver": "10", "cusparse": "11"},
    (11, 1): {"cudart": "11.0", "cublas": "11", "cublasLt": "11", "cufft": "10", "cusolver": "11", "cusparse": "11"},
    (12, 0): {"cudart": "12", "cublas": "12", "cublasLt": "12", "cufft": "11", "cusolver": "11", "cusparse": "12"},
    (13, 0): {"cudart": "13", "cublas": "13", "cublasLt": "13", "cufft": "12", "cusolver": "12", "cusparse": "12"},
}
# The first Linux drivers of each CUDA release family (docs.nvidia.com/deploy/cuda-compatibility).
_DRIVERS = {11: "450.80.02", 12: "525.60.13", 13: "580"}
_ANY_MINOR = 11  # from CUDA 11 on a driver of the same major release is new enough, before that of the same release
_NOT_LOADED = re.compile(r"Could not load dynamic library '((?:lib)?cu(?:dart|blas|fft|rand|solver|sparse|dnn)[^']*)'")


def release(version: str | None) -> tuple[int, int] | None:
    """The CUDA release that a build names: (12, 5) for "12.5.1", (11, 2) for "64_112" as on Windows."""
    windows = re.match(r"64_(\d+)(\d)$", version or "")
    found = windows or re.match(r"(\d+)\.(\d+)", version or "")
    return (int(found[1]), int(found[2])) if found else None


def needed_libraries(built: Import, windows: bool) -> tuple[str, ...]:
    """The files of the CUDA libraries that a TensorFlow was built for; none if that isn't known."""
    cuda = release(built.cuda_version)
    known = [first for first in _LIBRARIES if cuda and first <= cuda and first[0] == cuda[0]]
    if not known:
        return ()
    versions = dict(_LIBRARIES[max(known)])
    cudnn = re.search(r"(?:64_)?(\d+)", built.cudnn_version or "")
    if cudnn:
        versions["cudnn"] = cudnn[1]
    if windows:
        return tuple(f"{name}64_{version.replace('.', '')}.dll" for name, version in versions.items())
    return tuple(f"lib{name}.so.{version}" for name, version in versions.items())


def missing_libraries(environment: Environment) -> tuple[str, ...]:
    """The CUDA libraries that TensorFlow lacks: those that it said it can't load, else those that can't be found."""
    log = "\n".join(environment.tensorflow.log)
    said = tuple(dict.fromkeys(_NOT_LOADED.findall(log)))
    tried = environment.driver.gpus and "Cannot dlopen" not in log
    if said or tried or "cuda_libraries" in environment.missing:
        return said
    needed = needed_libraries(environment.tensorflow, environment.system.name == "Windows")
    return tuple(name for name in needed if name not in environment.cuda_libraries)


def others_of(missing: Iterable[str], found: Iterable[str]) -> tuple[str, ...]:
    """The libraries of the same name as missing ones but of another version."""
    stems = {re.sub(r"[.\d]+(dll)?$", "", name) for name in missing}
    return tuple(sorted(name for name in found if re.sub(r"[.\d]+(dll)?$", "", name) in stems and name not in missing))


def needed_driver(driver_cuda: int, built: str | None) -> str | None:
    """The driver that a build for CUDA `built` needs, None if the present one (13000: CUDA 13.0) is new enough."""
    wanted = release(built)
    present = divmod(driver_cuda // 10, 100)
    if wanted is None or driver_cuda == 0:
        return None
    if wanted <= present or (wanted[0] == present[0] and wanted[0] >= _ANY_MINOR):
        return None
    return _DRIVERS.get(wanted[0], f"CUDA {wanted[0]}.{wanted[1]}")


def too_old(capabilities: Iterable[str], gpu: str) -> str | None:
    """The lowest compute capability that a build takes, where a GPU's is lower; None if it will do."""
    built = [re.match(r"(?:sm_|compute_)(\d+)(\d)[a-z]?$", name) for name in capabilities]
    lowest = min(((int(m[1]), int(m[2])) for m in built if m), default=None)
    present = re.match(r"(\d+)\.(\d+)$", gpu)
    if lowest is None or present is None or (int(present[1]), int(present[2])) >= lowest:
        return None
    return f"{lowest[0]}.{lowest[1]}"


def why_hidden(value: str, count: int) -> Text:
    """Why a value of CUDA_VISIBLE_DEVICES hides all of `count` GPUs.

    The list is read up to the first entry that names no GPU (CUDA programming guide, "CUDA Environment Variables"), an
    entry's leading number being its index. Measured with driver 580 and one GPU: `0abc`, `0.5` and `0;1` are GPU 0;
    `1,0`, `0,0`, `all` and the right identifier in small letters hide it.
    """
    entries = [entry.strip() for entry in value.split(",")]
    index = re.match(r"[+-]?\d{1,9}", entries[0])
    if not value.strip():
        return Text("an empty value means no GPU", "空值表示一块 GPU 也不用")
    if index and int(index[0]) < 0:
        return Text(f"the negative index {index[0]} ends the list", f"负的序号 {index[0]} 会让列表到此为止")
    if index and int(index[0]) >= count:
        return Text(
            f"there is no GPU {index[0]}, the indexes go from 0 to {count - 1}",
            f"没有序号为 {index[0]} 的 GPU，序号范围是 0 到 {count - 1}",
        )
    if len(set(entries)) < len(entries):
        return Text("a GPU stands there twice", "同一块 GPU 写了两次")
    if re.match(r"(GPU|MIG)-", entries[0]):
        return Text(f"no GPU here has the identifier {entries[0]}", f"这里没有标识为 {entries[0]} 的 GPU")
    return Text(f"{entries[0]!r} is neither an index nor an identifier", f"{entries[0]!r} 既不是序号也不是 GPU 标识")
