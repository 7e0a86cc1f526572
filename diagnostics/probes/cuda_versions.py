"""CUDA and cuDNN: what this TensorFlow was built for against what is installed, and what stands in whose way."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from ...knowledge.text import Text
from ..cuda import needed_libraries, release
from ..environment import Environment
from ..environment_evidence import graded, tensorflow_package
from ..environment_requirements import unmet
from ..evidence import fact, fault, warning
from ..gpu_builds import LIBRARIES
from ..probe import CouldNotLook, Evidence, Probe
from ..wording import names_en, names_zh

_LOADED = re.compile(r"Loaded runtime CuDNN library: ([\d.]+) but source was compiled with: ([\d.]+)")


def look(environment: Environment) -> Iterator[Evidence]:
    """Libraries and packages, whether or not a GPU is there; without one nothing of it can hurt."""
    tensorflow = environment.tensorflow
    if environment.system.name == "Darwin":
        raise CouldNotLook(Text("there is no CUDA on macOS", "macOS 上没有 CUDA"))
    if not tensorflow.imported:
        raise CouldNotLook(
            Text(
                f"`import tensorflow` told nothing of what it was built for ({tensorflow.outcome})",
                f"`import tensorflow` 没有给出它是按什么编译的（{tensorflow.outcome}）",
            )
        )
    if not tensorflow.cuda_build:
        yield fact("this TensorFlow was built without CUDA", "这个 TensorFlow 编译时没有带 CUDA", LIBRARIES)
        return
    yield from _cudnn(environment)
    yield from _pip_packages(environment)
    yield from _mixed(environment)
    yield _built_and_found(environment)


def _cudnn(environment: Environment) -> Iterator[Evidence]:
    """TensorFlow says it itself when it meets a cuDNN older than the one it was compiled with."""
    for line in environment.tensorflow.log:
        found = _LOADED.search(line)
        if found:
            yield fault(
                f"cuDNN {found[1]} was loaded, TensorFlow was compiled with {found[2]}: install {found[2]} or a newer one of "
                "the same major version",
                f"加载的是 cuDNN {found[1]}，而 TensorFlow 是用 {found[2]} 编译的：请安装 {found[2]} 或同一主版本中更新的版本",
                LIBRARIES,
            )


def _pip_packages(environment: Environment) -> Iterator[Evidence]:
    """TensorFlow names the versions of NVIDIA's packages that it takes in its extra `and-cuda`."""
    name = tensorflow_package(environment)
    package = environment.package(name) if name else None
    misses = [] if package is None else list(unmet(package, environment, "and-cuda"))
    wrong = [f"{miss.name} {miss.present} ({miss.wanted})" for miss in misses if miss.present]
    some = [other for other in environment.distributions if re.match(r"nvidia-.*-cu\d+$", other)]
    missing = [miss.name for miss in misses if miss.present is None and miss.name.startswith("nvidia-")]
    install = (
        f"`{environment.python.executable} -m pip install 'tensorflow[and-cuda]=={package.version if package else ''}'`"
    )
    if wrong:
        yield _where_a_gpu_is(
            environment,
            f"NVIDIA's packages are not those that TensorFlow asks for: {names_en(wrong)}; {install}",
            f"NVIDIA 的包不是 TensorFlow 所要的版本：{names_zh(wrong)}；执行 {install}",
        )
    major = (release(environment.tensorflow.cuda_version) or (0, 0))[0]
    ours = [other for other in some if other.endswith(f"-cu{major}")]
    if ours and missing:
        yield _where_a_gpu_is(
            environment,
            f"some of NVIDIA's packages for CUDA {major} are there, others are missing: {names_en(missing)}; {install}",
            f"CUDA {major} 的 NVIDIA 包只装了一部分，缺少：{names_zh(missing)}；执行 {install}",
        )
    majors = sorted({other.rpartition("-cu")[2] for other in some})
    if len(majors) > 1 or (majors and majors != [str(major)]):
        yield fact(
            f"NVIDIA's packages are for CUDA {' and '.join(majors)}, TensorFlow is for CUDA {major}; what is for another one "
            "serves other frameworks",
            f"NVIDIA 的包属于 CUDA {'、'.join(majors)}，TensorFlow 属于 CUDA {major}；其余的供别的框架使用",
            LIBRARIES,
        )


def _where_a_gpu_is(environment: Environment, en: str, zh: str) -> Evidence:
    """Wrong libraries hurt only where there is a GPU that is not used because of them."""
    if not environment.gpus:
        return fact(en, zh, LIBRARIES)
    return graded(bool(environment.tensorflow.gpus), en, zh, LIBRARIES)


def _mixed(environment: Environment) -> Iterator[Evidence]:
    """The loader looks into LD_LIBRARY_PATH before pip's packages: a toolkit there takes their place."""
    folders = [folder for folder in environment.variables.get("LD_LIBRARY_PATH", "").split(":") if folder]
    in_front: dict[str, list[str]] = defaultdict(list)
    for library, folder in environment.cuda_libraries.items():
        if folder in folders:
            in_front[folder].append(library)
    pip = [name for name in environment.distributions if name.startswith("nvidia-") and "-cu" in name]
    for folder, libraries in in_front.items():
        if pip and environment.gpus:
            yield warning(
                f"LD_LIBRARY_PATH puts {folder} ({names_en(sorted(libraries))}) before the {len(pip)} packages of NVIDIA that pip "
                "installed: take it out, or uninstall those",
                f"LD_LIBRARY_PATH 让 {folder}（{names_zh(sorted(libraries))}）排在 pip 安装的 {len(pip)} 个 NVIDIA 包之前："
                "请去掉它，或卸载那些包",
                LIBRARIES,
            )


def _built_and_found(environment: Environment) -> Evidence:
    tensorflow = environment.tensorflow
    needed = needed_libraries(tensorflow, environment.system.name == "Windows")
    found = [name for name in needed if name in environment.cuda_libraries]
    cudnn = (tensorflow.cudnn_version or "?").rpartition("_")[2]
    en = f"TensorFlow was built for CUDA {tensorflow.cuda_version or '?'} and cuDNN {cudnn}; "
    zh = f"TensorFlow 是按 CUDA {tensorflow.cuda_version or '?'} 和 cuDNN {cudnn} 编译的；"
    en += f"found {len(found)} of the {len(needed)} libraries that it opens" if needed else "what it opens is not known"
    zh += f"它要打开的 {len(needed)} 个库中找到 {len(found)} 个" if needed else "它要打开哪些库则不清楚"
    lacking = [name for name in needed if name not in environment.cuda_libraries]
    if lacking and environment.gpus and tensorflow.gpus == () and "cuda_libraries" not in environment.missing:
        en, zh = f"{en}, not {', '.join(lacking)}", f"{zh}，缺少 {'、'.join(lacking)}"
        return fault(en, zh, LIBRARIES)
    if not environment.gpus and not environment.pci:
        en, zh = f"{en}; without an NVIDIA GPU they are not needed", f"{zh}；没有 NVIDIA GPU 时用不到它们"
    return fact(en, zh, LIBRARIES)


PROBE = Probe(
    id="cuda-versions",
    subject="environment",
    promise=Text(
        "whether CUDA, cuDNN and NVIDIA's pip packages are those that this TensorFlow was built for",
        "检查 CUDA、cuDNN 和 NVIDIA 的 pip 包是否与这个 TensorFlow 编译时所用的一致",
    ),
    topics=(LIBRARIES,),
    look=look,
    remedy=Text(
        "let `pip install 'tensorflow[and-cuda]'` bring CUDA and cuDNN, and keep other copies out of LD_LIBRARY_PATH",
        "用 `pip install 'tensorflow[and-cuda]'` 装上 CUDA 和 cuDNN，并把其他版本移出 LD_LIBRARY_PATH",
    ),
    documentation="https://www.tensorflow.org/install/source#gpu",
)
