"""Why a framework could not be imported: the topic that its error belongs to, as evidence."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..knowledge.text import Text
from .environment import Environment
from .environment_facts import Import
from .probe import Evidence

_MAX_LINE = 300


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
        re.compile(r"DLL load failed|_pywrap_tensorflow_internal|native TensorFlow runtime|GLIBC\w*_[\d.]+' not found"),
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
    shadow = next((name for name in environment.shadows if _is_behind(name, module, seen)), None)
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
    return _fault(module, _same(f"{seen.error}: {_line(seen.message)}"), None)


def _fault(module: str, said: Text, topic: str | None, remedy: Text | None = None) -> Evidence:
    return Evidence(
        Text(
            f"`import {module}` fails: {said.en}" + (f"; {remedy.en}" if remedy else ""),
            f"`import {module}` 失败：{said.zh}" + (f"。{remedy.zh}" if remedy else ""),
        ),
        confirms=(topic,) if topic else (),
        fault=True,
    )


def _is_behind(name: str, module: str, seen: Import) -> bool:
    """Whether a file of the current folder is the module that was imported, or stands in the traceback."""
    stem = name.removesuffix(".py")
    in_trace = re.search(rf"File \"(?:.*[/\\])?{re.escape(name)}(?:[/\\]__init__\.py)?\"", seen.output)
    return stem == module or in_trace is not None


def _shadowed(module: str, name: str, seen: Import) -> Evidence:
    said = f"{seen.error}: {_line(seen.message)}" if seen.error else seen.outcome
    return Evidence(
        Text(
            f"`import {module}` takes {name} in the current folder for a package ({said}): rename it, and delete its "
            "compiled copy in __pycache__",
            f"`import {module}` 把当前文件夹里的 {name} 当成了同名的包（{said}）："
            "请改名，并删除 __pycache__ 里它的编译副本",
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
    versions["pinned"] = f"tensorflow=={version}" if version else "tensorflow"
    versions["older"] = "2" if versions["numpy"].startswith("2.") else "1.24"  # 1.24 took away np.object and the like
    return Text(remedy.en.format(**versions), remedy.zh.format(**versions))


def _line(text: str) -> str:
    return next((line.strip() for line in text.split("\n") if line.strip()), "")[:_MAX_LINE]


def _same(said: str) -> Text:
    return Text(said, said)
