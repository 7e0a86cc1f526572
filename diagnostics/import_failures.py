"""Why a framework could not be imported: the topic that its error belongs to, as evidence."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..knowledge.text import Text
from .environment import Environment
from .environment_facts import Import, Shadow
from .probe import Evidence

_MAX_LINE = 300
TOPICS = (
    "module-not-found-keras",
    "local-file-shadows-package",
    "tensorflow-dll-load",
    "numpy-abi-version",
    "protobuf-version",
    "gpu-library-mismatch",
    "keras-tensorflow-version-pair",
    "host-out-of-memory",
    "keras-config-file",
    "no-matching-tensorflow",
)


@dataclass(frozen=True)
class _Kind:
    """A kind of failure: the words by which it is known, its topic, and what to do."""

    words: re.Pattern[str]
    topic: str
    remedy: Text


# The first that fits counts: those of NumPy and protobuf can end in "Failed to load the native TensorFlow runtime".
_KINDS = (
    _Kind(
        re.compile(
            r"numpy\.dtype size changed|_ARRAY_API not found|compiled using NumPy 1|numpy\.core\.multiarray failed|"
            r"numpy\._core\.multiarray failed|module 'numpy' has no attribute",
        ),
        "numpy-abi-version",
        Text(
            "NumPy {numpy} is too new for what was built with it: `pip install 'numpy<{older}'` or a newer TensorFlow",
            "NumPy {numpy} 比编译时所用的版本新：执行 `pip install 'numpy<{older}'`，或换更新的 TensorFlow",
        ),
    ),
    _Kind(
        re.compile(
            r"Descriptors cannot be created directly|cannot import name 'builder' from 'google\.protobuf|"
            r"incompatible Protobuf Gencode|cannot import name '(runtime_version|service)' from 'google\.protobuf",
            re.IGNORECASE,
        ),
        "protobuf-version",
        Text(
            "protobuf {protobuf} doesn't fit TensorFlow {tensorflow}: `pip install {pinned}` picks one that does",
            "protobuf {protobuf} 与 TensorFlow {tensorflow} 不匹配：执行 `pip install {pinned}`，pip 会选出匹配的版本",
        ),
    ),
    _Kind(
        re.compile(r"lib(cuda|cudart|cublas|cublasLt|cufft|curand|cusolver|cusparse|cudnn)\.so\.[\d.]+: cannot open"),
        "gpu-library-mismatch",
        Text(
            "it was built for that very CUDA or cuDNN: install that version, or a TensorFlow built for the one at hand",
            "它就是按这个版本的 CUDA 或 cuDNN 编译的：请安装该版本，或改装与现有版本对应的 TensorFlow",
        ),
    ),
    _Kind(
        re.compile(r"requires TensorFlow|`?keras`? .{0,40}not compatible with TensorFlow", re.IGNORECASE),
        "keras-tensorflow-version-pair",
        Text(
            "Keras {keras} and TensorFlow {tensorflow} don't fit each other: install the pair of one release",
            "Keras {keras} 与 TensorFlow {tensorflow} 不匹配：请安装互相对应的一对版本",
        ),
    ),
    _Kind(
        re.compile(r"GLIBC(XX)?_[\d.]+' not found|manylinux"),
        "tensorflow-dll-load",
        Text(
            "the system's C library ({libc}) is older than the one this TensorFlow was built for: use a newer distribution or "
            "a container, or an older TensorFlow",
            "系统的 C 库（{libc}）比编译这个 TensorFlow 时用的旧：请换更新的发行版或容器，或装更旧的 TensorFlow",
        ),
    ),
    _Kind(
        re.compile(r"incompatible architecture|wrong ELF class|is not a valid Win32 application|Exec format error"),
        "tensorflow-dll-load",
        Text(
            "TensorFlow was installed for another processor ({machine} here): reinstall it with this very Python",
            "装的 TensorFlow 属于另一种处理器（这里是 {machine}）：请就用这个 Python 重新安装",
        ),
    ),
    _Kind(
        re.compile(r"No module named '?(distutils|imp|asynchat|pipes)\b|cannot import name '\w+' from 'collections'"),
        "no-matching-tensorflow",
        Text(
            "Python {python} no longer has what this release asks for: use an older Python, or newer packages",
            "Python {python} 已经没有这个版本所需的模块：请用更旧的 Python，或更新的包",
        ),
    ),
    _Kind(
        re.compile(r"No module named '?_(bz2|ctypes|lzma|sqlite3|ssl|hashlib|zoneinfo)\b"),
        "tensorflow-dll-load",
        Text(
            "this Python {python} was compiled without a part of its standard library: install the development package of "
            "that library and build Python anew, or take a ready-made Python",
            "这个 Python {python} 编译时缺了标准库的一部分：安装对应库的开发包后重新编译 Python，或换用现成的 Python",
        ),
    ),
    _Kind(
        re.compile(
            r"Invalid `(floatx|epsilon|image_data_format)` configuration|in \{'float16', 'float32', 'float64'\}"
        ),
        "keras-config-file",
        Text("correct keras.json, or delete it", "请改正 keras.json，或删除它"),
    ),
    _Kind(
        re.compile(r"DLL load failed|_pywrap_tensorflow_internal|native TensorFlow runtime"),
        "tensorflow-dll-load",
        Text(
            "TensorFlow's native library can't be loaded: on Windows install the Microsoft Visual C++ Redistributable "
            "(x64); then reinstall TensorFlow in a fresh environment",
            "TensorFlow 的本机库加载不了：Windows 上先安装 Microsoft Visual C++ Redistributable（x64），"
            "再到全新的环境里重装 TensorFlow",
        ),
    ),
)
_ILLEGAL_INSTRUCTION = ("SIGILL", "0xc000001d")  # STATUS_ILLEGAL_INSTRUCTION (ntstatus.h)


def import_failure(module: str, seen: Import, environment: Environment) -> Evidence:
    """The evidence that `import module` fails in an environment, with the topic that the error belongs to."""
    shadow = next((shadow for shadow in environment.shadows if _is_behind(shadow, module, seen)), None)
    if shadow is not None:
        return _shadowed(module, shadow, seen)
    if seen.outcome == "ok":
        return _hollow(module, seen)
    if seen.outcome != "raised":
        return _killed(module, seen, environment)
    if seen.missing_module.partition(".")[0] == module:
        return _not_installed(module, environment)
    printed = f"{seen.message}\n{seen.output}"
    for kind in _KINDS:
        line = next((line for line in printed.split("\n") if kind.words.search(line)), None)
        if line is not None:
            return _fault(module, _same(f"{seen.error}: {_line(line)}"), kind.topic, _filled(kind.remedy, environment))
    return _dependency(module, seen, environment)


def _dependency(module: str, seen: Import, environment: Environment) -> Evidence:
    """A package that another one stands on is missing (an installation with --no-deps), or an error of no known kind."""
    if not seen.missing_module:
        return _fault(module, _same(f"{seen.error}: {_line(seen.message)}"), None)
    name = seen.missing_module.partition(".")[0]
    install = f"`{environment.python.executable} -m pip install {name}`"
    remedy = Text(f"{module} needs {name}: {install}", f"{module} 需要 {name}：执行 {install}")
    return _fault(module, _same(f"{seen.error}: {_line(seen.message)}"), "module-not-found-keras", remedy)


def _fault(module: str, said: Text, topic: str | None, remedy: Text | None = None) -> Evidence:
    return Evidence(
        Text(
            f"`import {module}` fails: {said.en}" + (f"; {remedy.en}" if remedy else ""),
            f"`import {module}` 失败：{said.zh}" + (f"。{remedy.zh}" if remedy else ""),
        ),
        confirms=(topic,) if topic else (),
        fault=True,
    )


def _is_behind(shadow: Shadow, module: str, seen: Import) -> bool:
    """Whether a file of the user's is the module that was imported, or was imported with it, or stands in the traceback."""
    in_trace = re.search(rf"File \"(?:.*[/\\])?{re.escape(shadow.name)}(?:[/\\]__init__\.py)?\"", seen.output)
    return shadow.hides == module or shadow.file in seen.taken or in_trace is not None


def _shadowed(module: str, shadow: Shadow, seen: Import) -> Evidence:
    name, current = shadow.name, shadow.folder == "."
    en, zh = ("the current folder", "当前文件夹") if current else (shadow.folder, f" {shadow.folder} ")
    said = f"{seen.error}: {_line(seen.message)}" if seen.error else seen.outcome
    return Evidence(
        Text(
            f"`import {module}` takes {name} in {en} for a package ({said}): rename it, and delete its "
            "compiled copy in __pycache__",
            f"`import {module}` 把{zh}里的 {name} 当成了同名的包（{said}）：请改名，并删除 __pycache__ 里它的编译副本",
        ),
        confirms=("local-file-shadows-package",),
        fault=True,
    )


def _hollow(module: str, seen: Import) -> Evidence:
    """A folder without __init__.py imports without an error: what an uninstallation leaves, or a folder of data."""
    en, zh = (seen.file, seen.file) if seen.file else ("a folder without __init__.py", "一个没有 __init__.py 的文件夹")
    return Evidence(
        Text(
            f"`import {module}` gives {en}, which is not {module}: remove or rename it, and install {module} anew",
            f"`import {module}` 得到的是 {zh}，并不是 {module}：请删除或改名，再重新安装 {module}",
        ),
        confirms=("module-not-found-keras", "local-file-shadows-package"),
        fault=True,
    )


def _killed(module: str, seen: Import, environment: Environment) -> Evidence:
    if seen.outcome in _ILLEGAL_INSTRUCTION:
        en, zh = {
            False: ("the CPU has no AVX, which TensorFlow's wheels need", "CPU 没有 AVX，而 TensorFlow 安装包需要它"),
            True: ("the CPU has AVX, so another instruction is missing", "CPU 有 AVX，缺的是别的指令"),
            None: ("the CPU lacks an instruction, mostly AVX", "CPU 缺少某种指令，多半是 AVX"),
        }[environment.avx]
        remedy = Text(f"{en}: use a build without it, or another machine", f"{zh}：换用不需要它的构建，或换一台机器")
        illegal = Text(f"illegal instruction ({seen.outcome})", f"遇到非法指令，Python 被终止（{seen.outcome}）")
        return _fault(module, illegal, "tensorflow-dll-load", remedy)
    if seen.outcome == "SIGKILL":
        remedy = Text("most often the system does so when memory runs out", "通常是内存耗尽时被系统终止的")
        killed = Text("Python was killed (SIGKILL)", "Python 被终止（SIGKILL）")
        return _fault(module, killed, "host-out-of-memory", remedy)
    ended, last = seen.outcome, _line(seen.output.rpartition("\n")[2]) or "-"
    en, zh = (" after the import, while it listed its GPUs", "在导入之后、列出 GPU 时") if seen.imported else ("", "")
    said = Text(
        f"Python ended with {ended}{en}, its last words: {last}",
        f"Python {zh}以 {ended} 结束，最后输出：{last}",
    )
    return _fault(module, said, None)


def _not_installed(module: str, environment: Environment) -> Evidence:
    python = environment.python.executable
    version = environment.distributions.get(module)
    remedy = Text(
        f"it is not installed for this interpreter: `{python} -m pip install {module}`, or run the one that has it",
        f"这个解释器没有安装它：执行 `{python} -m pip install {module}`，或换用装有它的解释器",
    )
    if version:
        install = f"`{python} -m pip install --force-reinstall {module}`"
        remedy = Text(
            f"pip knows it as {version}, so the installation is damaged: {install}",
            f"pip 记录里有 {version} 版，说明安装已损坏：执行 {install}",
        )
    topic = "module-not-found-keras"
    if module == environment.backend_in_force != "tensorflow":
        topic, source = "backend-selection", environment.backend.source
        remedy = Text(f"{source} chose it; {remedy.en}", f"它由 {source} 选定；{remedy.zh}")
    return _fault(module, _same(f"ModuleNotFoundError: No module named '{module}'"), topic, remedy)


def _filled(remedy: Text, environment: Environment) -> Text:
    names = ("numpy", "protobuf", "keras", "tensorflow")
    versions = {name: environment.version_of(name) or "?" for name in names}
    version = environment.version_of("tensorflow")
    versions["libc"], versions["machine"] = environment.system.libc or "?", environment.system.machine or "?"
    versions["python"] = environment.python.version
    versions["pinned"] = f"tensorflow=={version}" if version else "tensorflow"
    versions["older"] = "2" if versions["numpy"].startswith("2.") else "1.24"  # 1.24 took away np.object and the like
    return Text(remedy.en.format(**versions), remedy.zh.format(**versions))


def _line(text: str) -> str:
    return next((line.strip() for line in text.split("\n") if line.strip()), "")[:_MAX_LINE]


def _same(said: str) -> Text:
    return Text(said, said)
