"""What a report on an environment is made of."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Interpreter:
    """The Python that runs the user's programs."""

    version: str
    implementation: str
    executable: str
    bits: int
    virtual: bool
    free_threaded: bool = False


@dataclass(frozen=True)
class System:
    """The operating system; `wsl` is 0, 1 or 2, `container` a word for what it runs in, `libc` "glibc 2.31"."""

    name: str = ""
    release: str = ""
    machine: str = ""
    wsl: int = 0
    container: str = ""
    libc: str = ""


@dataclass(frozen=True)
class Cpu:
    """The processor: those of its features that matter (None: unknown), what imitates it ("rosetta", "qemu"), its cores."""

    name: str = ""
    features: tuple[str, ...] | None = None
    emulated: str = ""
    cores: int = 0
    usable: int = 0


@dataclass(frozen=True)
class Memory:
    """Memory in MiB; `left` is what may still be taken (None: unknown), `limit` that of a container (0: none)."""

    total: int = 0
    left: int | None = None
    swap: int = 0
    limit: int = 0


@dataclass(frozen=True)
class Disk:
    """A folder that a training writes to, its space in MiB (both 0 where it isn't there), and whether it may."""

    name: str
    path: str
    free: int
    total: int
    writable: bool


@dataclass(frozen=True)
class Package:
    """An installation of a distribution and what its metadata say: Requires-Dist, Requires-Python, its Pythons."""

    name: str
    version: str
    folder: str
    requires: tuple[str, ...] = ()
    requires_python: str = ""
    pythons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shadow:
    """A file or package of the user's that Python imports instead of a module of the standard library or a package."""

    name: str
    folder: str
    hides: str
    kind: str
    file: str


@dataclass(frozen=True)
class Gpu:
    """A GPU: its name, its memory in MiB, and its compute capability where that is told ("9.0")."""

    name: str
    memory_mib: int
    capability: str = ""


@dataclass(frozen=True)
class Driver:
    """What the CUDA driver's library said: cuInit's code and its name, the CUDA it supports (13000: 13.0), its GPUs."""

    outcome: str
    said: str = ""
    init: int | None = None
    init_name: str = ""
    cuda: int = 0
    gpus: tuple[Gpu, ...] = ()


@dataclass(frozen=True)
class Smi:
    """What nvidia-smi listed, or what it said instead."""

    outcome: str
    said: str = ""
    driver: str = ""
    gpus: tuple[Gpu, ...] = ()


@dataclass(frozen=True)
class Import:
    """How importing a module ended, and what the module then told of itself.

    `outcome` is "ok", "raised" (with `error`, its message, the name of a missing module), "timed out", the signal that
    killed the process ("SIGILL"), or its exit code. What a module can't tell is None, with the reason in `missing`.
    `gpus` are the names of those that the framework sees; the `cuda_` fields tell what it was built for. `keras_version` is
    that of `tf.keras`; `taken` are the files of the user's own folders that were imported with it.
    """

    outcome: str
    error: str = ""
    message: str = ""
    missing_module: str = ""
    output: str = ""
    log: tuple[str, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)
    version: str | None = None
    file: str | None = None
    backend: str | None = None
    cuda_build: bool | None = None
    rocm_build: bool | None = None
    cuda_version: str | None = None
    cudnn_version: str | None = None
    capabilities: tuple[str, ...] = ()
    gpus: tuple[str, ...] | None = None
    keras_version: str | None = None
    taken: tuple[str, ...] = ()

    @property
    def imported(self) -> bool:
        """Whether the import itself gave the module, whatever came after it."""
        return self.version is not None


@dataclass(frozen=True)
class KerasJson:
    """The configuration file of Keras: absent, broken (and how), or read, with the known fields as texts, and their types."""

    path: str
    state: str
    said: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """A backend and where the choice was made: KERAS_BACKEND, keras.json, or nowhere (default)."""

    name: str
    source: str
