"""The user's own environment, as the script that runs under their interpreter reports it.

The dataclasses are the report's schema: `Environment.from_json` takes a report only if every field has the type that
is declared, so that a report from another machine can be read safely. Fields that have a default may be missing: a
fact that the script could not have, with the reason in `missing`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any

from ..errors import SubjectError
from .decoding import decode
from .environment_facts import (
    Choice,
    Cpu,
    Disk,
    Driver,
    Gpu,
    Import,
    Interpreter,
    KerasJson,
    Memory,
    Package,
    Shadow,
    Smi,
    System,
)
from .environment_script import FORMAT, SECONDS, mask, secrets

UNKNOWN_SYSTEM = System()
UNKNOWN_CPU = Cpu()
UNKNOWN_MEMORY = Memory()
UNKNOWN_DRIVER = Driver("unknown")
UNKNOWN_SMI = Smi("unknown")
UNKNOWN_IMPORT = Import("unknown")
DEFAULT_BACKEND = Choice("tensorflow", "default")
SCRIPT = Path(__file__).with_name("environment_script.py")
GRACE = 15.0  # seconds that the script gets beyond its own limit, for starting and ending
MAX_REPORT = 4_000_000


@dataclass(frozen=True)
class Environment:
    """Everything that was found in an environment. Paths are masked; `seconds` is what the examination took.

    `packages` are the installations that matter, a second one of the same package too; `required` are the versions of what
    they require. `driver` was asked with CUDA_VISIBLE_DEVICES as it is set, `driver_unhidden` without it (None if it isn't set).
    """

    format: int
    python: Interpreter
    system: System = UNKNOWN_SYSTEM
    cpu: Cpu = UNKNOWN_CPU
    memory: Memory = UNKNOWN_MEMORY
    disks: tuple[Disk, ...] = ()
    limits: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    missing: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    distributions: dict[str, str] = field(default_factory=dict)
    packages: tuple[Package, ...] = ()
    required: dict[str, str] = field(default_factory=dict)
    leftovers: tuple[str, ...] = ()
    user_site: str = ""
    pci: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    kernel_driver: str = ""
    driver: Driver = UNKNOWN_DRIVER
    driver_unhidden: Driver | None = None
    smi: Smi = UNKNOWN_SMI
    cuda_libraries: dict[str, str] = field(default_factory=dict)
    tensorflow: Import = UNKNOWN_IMPORT
    keras: Import = UNKNOWN_IMPORT
    torch: Import | None = None
    jax: Import | None = None
    keras_json: KerasJson | None = None
    backend: Choice = DEFAULT_BACKEND
    shadows: tuple[Shadow, ...] = ()

    @classmethod
    def from_json(cls, report: Any) -> Environment:  # noqa: ANN401 - anything may have been parsed
        """Take a report that was parsed from JSON.

        Raises:
            SubjectError: it isn't the report of an environment, or of another format; the field is named.
        """
        found = report.get("format") if isinstance(report, dict) else type(report).__name__
        if found != FORMAT:
            raise SubjectError(
                f"environment report: format {str(found)[:40]!r}, expected {FORMAT}: make it again with this release's script",
                f"环境报告的格式是 {str(found)[:40]!r}，应为 {FORMAT}：请用本版本的脚本重新生成",
            )
        return decode(cls, report, "environment report")  # type: ignore[no-any-return]

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON, which `from_json` takes back."""
        return asdict(self)

    @property
    def python_version(self) -> str:
        """The version of the interpreter."""
        return self.python.version

    def version_of(self, name: str) -> str | None:
        """The version of a package: the one that was imported, else the one installed under that name."""
        told = {"tensorflow": self.tensorflow, "keras": self.keras, "torch": self.torch, "jax": self.jax}.get(name)
        return (told.version if told else None) or self.distributions.get(name)

    def package(self, name: str) -> Package | None:
        """The installation of a distribution that counts: the first on the path."""
        return next((package for package in self.packages if package.name == name), None)

    @property
    def avx(self) -> bool | None:
        """Whether the processor has AVX; None where that isn't told."""
        return None if self.cpu.features is None else "avx" in self.cpu.features

    @property
    def backend_in_force(self) -> str:
        """The backend that Keras takes: the one it told after its import, else the one it would be told to take.

        Only Keras 3, and multi-backend Keras before 2.4, can have another one than TensorFlow.
        """
        version = numbers(self.version_of("keras") or "")
        if self.keras.backend:
            return self.keras.backend
        return "tensorflow" if (2, 4) <= version < (3,) else self.backend.name

    @property
    def unhidden(self) -> Driver:
        """The driver without CUDA_VISIBLE_DEVICES."""
        return self.driver_unhidden or self.driver

    @property
    def gpus(self) -> tuple[Gpu, ...]:
        """The NVIDIA GPUs that the machine's driver has, hidden or not."""
        return self.unhidden.gpus or self.smi.gpus

    def __str__(self) -> str:
        """A few lines with versions, the backend and GPUs."""
        seen = self.tensorflow.gpus
        names = [f"{gpu.name} ({gpu.memory_mib} MiB)" for gpu in self.gpus]
        packages = [f"{name} {self.version_of(name) or '-'}" for name in ("tensorflow", "keras", "numpy", "protobuf")]
        lines = (
            f"Python {self.python.version} on {self.system.name} {self.system.machine}, {self.python.executable}",
            ", ".join(packages),
            f"Keras backend: {self.backend_in_force} (from {self.backend.source})",
            f"GPUs of the driver: {', '.join(names) or 'none'}",
            f"GPUs that TensorFlow sees: {'unknown' if seen is None else ', '.join(seen) or 'none'}",
        )
        return "\n".join(lines)


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: (2, 21, 0) for "2.21.0rc1"."""
    return tuple(int(part) for part in re.match(r"(\d{1,6}\.)*\d{1,6}|", version).group().split(".") if part)  # type: ignore[union-attr]


def masked(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Plain values for JSON without this machine's home folder and the names of its user and of itself."""
    return mask(value, secrets())


def examine_environment(python: Path, seconds: float = SECONDS) -> Environment:
    """Examine the environment of an interpreter, from the current folder and with the current variables.

    Args:
        python: the interpreter that runs the user's programs, CPython 3.7 or newer.
        seconds: how long it may take; what is not known by then is missing.

    Raises:
        SubjectError: there is no such interpreter, it isn't Python, does not end, or prints no report.
    """
    found = shutil.which(str(python))
    if found is None:
        raise SubjectError(
            f"{python}: no such program; expected the Python that runs your programs: in it, "
            "`import sys; print(sys.executable)` prints the path"
        )
    ended, printed = _run([found, "-I", "-B", str(SCRIPT), str(seconds)], seconds + GRACE)
    for line in reversed(printed.splitlines()):
        if line.startswith('{"format"'):
            return Environment.from_json(json.loads(line))
    last = printed.strip().rpartition("\n")[2][:300]
    if not ended:
        raise SubjectError(f"{python}: no end after {seconds + GRACE:.0f} s; expected a Python: does it start by hand?")
    raise SubjectError(
        f"{python}: no report, it printed {last!r} instead; expected CPython 3.7 or newer: "
        f"`{python} --version` tells which it is"
    )


def _run(command: list[str], seconds: float) -> tuple[bool, str]:
    """Run a command with all that it starts. Returns whether it ended by itself, and the start of what it printed."""
    try:
        process = subprocess.Popen(  # noqa: S603 - the interpreter that the user named, on our own script
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise SubjectError(f"{command[0]}: cannot be started ({error.strerror}); expected a Python") from error
    with process:
        timer = Timer(seconds, _end, [process])
        timer.start()
        try:
            assert process.stdout is not None  # noqa: S101 - for the type checker
            printed = process.stdout.read(MAX_REPORT)
        finally:
            ended = timer.is_alive()
            timer.cancel()
            _end(process)
    return ended, printed.decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and, where there are process groups, all that it started."""
    if hasattr(os, "killpg"):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # all of them have ended
            return
    else:
        process.kill()
