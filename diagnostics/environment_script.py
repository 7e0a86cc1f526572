"""Tells what an environment holds, as one JSON object: run as `PYTHON -I environment_script.py [SECONDS]`.

It is standard library and Python 3.7 syntax, because it runs under whatever interpreter the user has; so are the two
files that it takes from its own folder (environment_download.py makes one file of all three). It runs isolated (`-I`), so
that no file of the user's can hide the standard library from it; everything that depends on the user's PYTHONPATH and
folder is asked of child processes which are not isolated. What can end a process (importing TensorFlow on a CPU that is too
old for it, a driver that hangs) happens in such children only, all at once and until one common deadline. Each fact is
gathered on its own; one that can't be had stands under `missing` with the reason. The home folder is shown as ~; the names of
the user and of the machine are taken out.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

FORMAT = 2
SECONDS = 60.0
MARK = "@kerasdoctor "
MAX_PRINTED = 200_000  # bytes kept of what a child prints
MAX_TEXT = 4_000
MAX_LOG_LINES = 40
VARIABLES = re.compile(
    r"(CUDA_VISIBLE_DEVICES|CUDA_DEVICE_ORDER|NVIDIA_VISIBLE_DEVICES|NVIDIA_DRIVER_CAPABILITIES|HIP_VISIBLE_DEVICES|"
    r"ROCR_VISIBLE_DEVICES|TF_CPP_MIN_LOG_LEVEL|TF_FORCE_GPU_ALLOW_GROWTH|TF_USE_LEGACY_KERAS|KERAS_BACKEND|KERAS_HOME|"
    r"JAX_PLATFORMS|XLA_FLAGS|PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION|PYTHONPATH|PYTHONHOME|PYTHONNOUSERSITE|CUDA_HOME|"
    r"OMP_NUM_THREADS|TF_NUM_INTRAOP_THREADS|TF_NUM_INTEROP_THREADS|TF_ENABLE_ONEDNN_OPTS|TF_GPU_ALLOCATOR|"
    r"TF_DETERMINISTIC_OPS|TF_XLA_FLAGS|XLA_PYTHON_CLIENT_PREALLOCATE|VIRTUAL_ENV|CONDA_PREFIX)$",
)
# What the frameworks print when they don't use a GPU. The words have stayed over many releases, the prefixes have not.
LOG_WORDS = re.compile(
    r"Could not find cuda drivers|Cannot dlopen some GPU libraries|Skipping registering GPU devices|dlerror|"
    r"failed call to cuInit|Loaded runtime CuDNN library|does not match DSO version|minimum required Cuda capability|"
    r"kernel driver does not appear|CUDA_ERROR|CUDA-enabled jaxlib|compiled using NumPy 1|_ARRAY_API not found",
)
CUDA_LIBRARY = re.compile(
    r"lib(cudart|cublas|cublasLt|cufft|curand|cusolver|cusparse|cudnn)\.so\.\d+(\.\d+)?$|"
    r"(cudart|cublas|cublasLt|cufft|curand|cusolver|cusparse|cudnn)64_\d+\.dll$",
)
KERAS_JSON_FIELDS = ("backend", "floatx", "epsilon", "image_data_format", "image_dim_ordering", "nnx_enabled")
# The children must tell all they know, hold no GPU memory that a training needs, and leave nothing behind.
# dso_loader=1 makes TensorFlow 2.13 and newer name each library that it can't load, as older releases do unasked.
CHILD_VARIABLES = {
    "TF_CPP_MIN_LOG_LEVEL": "0",
    "TF_CPP_VMODULE": "dso_loader=1",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONIOENCODING": "utf-8:backslashreplace",
}


PARTS: dict[str, str] = {}  # the files beside this one, where it is handed out alone


def beside(name: str) -> ModuleType:
    """A file of this folder, which is on no path: -I keeps it off, and the user's interpreter has no kerasdoctor."""
    if name in PARTS:
        part = ModuleType(name)
        exec(compile(PARTS[name], name + ".py", "exec"), part.__dict__)  # noqa: S102 - a part of this file
        return part
    spec = importlib.util.spec_from_file_location(name, str(Path(__file__).with_name(name + ".py")))
    assert spec is not None  # noqa: S101 - for the type checker
    assert spec.loader is not None  # noqa: S101 - for the type checker
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


machine = beside("environment_machine")
packaged = beside("environment_packages")


# ---- what runs in the children: shipped as source, so these functions may use `sys` and each other only -------------


def tell(name: str, fact: Callable[..., object], *arguments: object) -> None:
    """Print one fact under its name, or why it can't be had. As a literal: the user's json.py may not be json."""
    try:
        line = ascii((name, fact(*arguments)))
    except BaseException as error:  # noqa: BLE001 - whatever is wrong with one fact, the others are still told
        line = ascii((name + "!", type(error).__name__ + ": " + str(error)[:500]))
    sys.stdout.write("\n@kerasdoctor " + line + "\n")
    sys.stdout.flush()


def bring(name: str) -> ModuleType:
    """Import a module and tell its version and file; an exception is told and goes on, as in the user's program."""
    try:
        module = __import__(name)
    except BaseException as error:
        missing = getattr(error, "name", None)
        tell("error", list, (type(error).__name__, str(error)[:2000], str(missing or "")))
        frames, at = [getattr(error, "filename", None)], error.__traceback__  # a module that fails isn't kept
        while at is not None:
            frames, at = [*frames, at.tb_frame.f_code.co_filename], at.tb_next
        tell("taken", taken, frames)
        raise
    tell("taken", taken, [])
    tell("version", lambda: str(module.__version__))
    tell("file", lambda: module.__file__)
    return module


def taken(frames: list[Any]) -> list[str]:
    """The files of the user's own folders (before the standard library) behind imported modules and in a traceback."""
    path = sys.modules["os"].path
    library = path.dirname(sys.modules["os"].__file__)
    ends = [i for i, entry in enumerate(sys.path) if entry == library or entry.endswith(".zip")]
    own = [path.realpath(entry) for entry in sys.path[: min(ends)]]
    files = [*frames, *(getattr(module, "__file__", None) for module in list(sys.modules.values()))]
    places = [(path.realpath(str(file)), path.dirname(path.realpath(str(file)))) for file in files if file]
    found = {f for f, folder in places if folder in own or (path.dirname(folder) in own and "__init__.py" in f)}
    return sorted(found)[:50]


def ask_path() -> None:
    """Tell where this interpreter looks for modules when it runs a program of the user's."""
    tell("path", list, sys.path)
    tell("library", lambda: sys.modules["os"].path.dirname(sys.modules["os"].__file__))


def ask_tensorflow() -> None:
    """Tell what TensorFlow was built for and which GPUs it sees. Listing them takes none of their memory."""
    tf = bring("tensorflow")

    def built(name: str) -> Any:  # noqa: ANN401 - a text or a list
        return tf.sysconfig.get_build_info().get(name)  # since 2.3

    def gpus() -> list[str]:
        config = tf.config if hasattr(tf.config, "list_physical_devices") else tf.config.experimental  # before 2.1
        found = config.list_physical_devices("GPU")
        details = getattr(tf.config.experimental, "get_device_details", None)  # since 2.4
        return [str((details(gpu) if details else {}).get("device_name", gpu.name)) for gpu in found]

    tell("cuda_build", lambda: bool(tf.test.is_built_with_cuda()))
    tell("rocm_build", lambda: bool(tf.test.is_built_with_rocm()))
    tell("cuda_version", built, "cuda_version")
    tell("cudnn_version", built, "cudnn_version")
    tell("capabilities", lambda: list(built("cuda_compute_capabilities") or ()))
    tell("gpus", gpus)

    def keras_version() -> str:
        root = sys.modules[tf.keras.Model.__module__.partition(".")[0]]  # tf.keras is loaded when it is first asked for
        return str(tf.keras.__version__ if root is tf else root.__version__)  # some releases of it have no version

    tell("keras_version", keras_version)


def ask_keras() -> None:
    """Tell which backend Keras really took."""
    keras = bring("keras")
    tell("backend", lambda: str(keras.backend.backend()))


def ask_torch() -> None:
    """Tell which GPUs PyTorch sees and which CUDA it was built for (none: a CPU build)."""
    torch = bring("torch")
    tell("cuda_build", lambda: torch.version.cuda is not None)
    tell("cuda_version", getattr, torch.version, "cuda")
    tell("gpus", lambda: [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())])


def ask_jax() -> None:
    """Tell which GPUs JAX sees."""
    jax = bring("jax")
    tell("gpus", lambda: [str(device.device_kind) for device in jax.devices() if device.platform != "cpu"])


def ask_driver() -> None:
    """Tell what the CUDA driver's own library answers: no framework stands between it and the fact."""
    import ctypes  # noqa: PLC0415 - the function is shipped alone

    cuda = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    number, memory, text = ctypes.c_int(), ctypes.c_size_t(), ctypes.c_char_p()
    name = ctypes.create_string_buffer(256)

    def integer(function: Callable[..., int], *arguments: object) -> int:
        return number.value if function(ctypes.byref(number), *arguments) == 0 else 0

    def gpu(index: int) -> tuple[str, int, str]:
        cuda.cuDeviceGetName(name, 256, index)
        cuda.cuDeviceTotalMem_v2(ctypes.byref(memory), index)
        major_and_minor = (75, 76)  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_… in cuda.h
        capability = [str(integer(cuda.cuDeviceGetAttribute, attribute, index)) for attribute in major_and_minor]
        return name.value.decode(), memory.value >> 20, ".".join(capability)

    code = cuda.cuInit(0)
    cuda.cuGetErrorName(code, ctypes.byref(text))
    tell("init", int, code)
    tell("init_name", (text.value or b"").decode)
    tell("cuda", integer, cuda.cuDriverGetVersion)
    tell("gpus", lambda: [gpu(i) for i in range(integer(cuda.cuDeviceGetCount) if code == 0 else 0)])


# ---- the children, seen from here ------------------------------------------------------------------------------------


class Child:
    """A process that was started and whose output is kept, its end foremost, within bounds."""

    def __init__(self, arguments: list[str], variables: dict[str, str | None]) -> None:
        """Start the process. `variables` are set in it, those that are None removed."""
        changed = {**os.environ, **CHILD_VARIABLES, **variables}
        self._reason = ""
        self._printed = bytearray()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, nvidia-smi or ldconfig
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={name: value for name, value in changed.items() if value is not None},
            )
        except OSError as error:
            self._reason = str(error.strerror or error)
            return
        # A thread of its own reads, so that neither a child that fills its pipe nor one that holds it open stops us.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def finish(self, deadline: float) -> tuple[str, str]:
        """Wait for the end, until `deadline` at most. Returns how it ended and what it printed."""
        if self._reason:
            return "not started", self._reason
        try:
            ended = ending(self._process.wait(max(0.1, deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
            ended = "timed out"
        self._reader.join(1)
        return ended, bytes(self._printed[-MAX_PRINTED:]).decode("utf-8", "replace").replace("\r\n", "\n")

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - for the type checker
        with self._process.stdout as pipe:
            for chunk in iter(lambda: os.read(pipe.fileno(), 65536), b""):
                self._printed += chunk
                del self._printed[: -2 * MAX_PRINTED]


def ending(code: int) -> str:
    """Name how a process ended: ok, its exit code, or the signal that killed it (on Windows, the status in hex)."""
    if code == 0:
        return "ok"
    if code < 0:
        return {known.value: known.name for known in signal.Signals}.get(-code, f"signal {-code}")
    return hex(code) if code >= 1 << 30 else f"exit code {code}"


def ask(question: Callable[[], None], *options: str, **variables: str | None) -> Child:
    """Start this interpreter on one of the `ask_` functions, as it would run a program of the user's in this folder."""
    functions = "\n".join(inspect.getsource(function) for function in (tell, taken, bring, question))
    code = f"from __future__ import annotations\nimport sys\n{functions}\n{question.__name__}()\n"
    return Child([sys.executable, *options, "-c", code], variables)


def ask_all(file: dict[str, Any], configured: dict[str, Any]) -> dict[str, Child]:
    """Start every question. The framework under Keras is asked where it isn't TensorFlow.

    Keras writes a keras.json where there is none; a folder that can't be keeps it from that, and changes nothing else.
    """
    variables = {"KERAS_HOME": str(Path(os.devnull, ".keras"))} if file.get("state") == "absent" else {}
    questions = {"tensorflow": ask_tensorflow, "keras": ask_keras, "path": ask_path}
    questions.update({"torch": {"torch": ask_torch}, "jax": {"jax": ask_jax}}.get(configured.get("name", ""), {}))
    children = {name: ask(question, **variables) for name, question in questions.items()}
    children["driver"] = ask(ask_driver, "-I")
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        children["driver_unhidden"] = ask(ask_driver, "-I", CUDA_VISIBLE_DEVICES=None)
    smi = shutil.which("nvidia-smi") or "/usr/lib/wsl/lib/nvidia-smi"
    fields = "--query-gpu=index,name,driver_version,memory.total"  # those that every release of the tool knows
    children["smi"] = Child([smi, fields, "--format=csv,noheader,nounits"], {})
    children["ldconfig"] = Child([shutil.which("ldconfig") or "/sbin/ldconfig", "-p"], {})
    return children


def facts_of(printed: str) -> tuple[dict[str, Any], str]:
    """Split what a child printed into the facts that it told and the rest."""
    facts, rest = {}, []
    for line in printed.split("\n"):
        try:
            name, value = ast.literal_eval(line[len(MARK) :]) if line.startswith(MARK) else ("", None)
        except (ValueError, SyntaxError):  # something else was printed into the line
            name, value = "", None
        if name:
            facts[name] = value
        else:
            rest.append(line)
    return facts, "\n".join(rest).strip()


def imported(child: Child, deadline: float) -> dict[str, Any]:
    """How an import ended, and the facts that the module told. Those that it couldn't tell stand under `missing`."""
    ended, printed = child.finish(deadline)
    facts, rest = facts_of(printed)
    error, message, module = facts.pop("error", ("", "", ""))
    known = {name: value for name, value in facts.items() if value is not None and not name.endswith("!")}
    return {
        "outcome": "raised" if error else ended,
        "error": error,
        "message": message,
        "missing_module": module,
        "output": "" if ended == "ok" else rest[-MAX_TEXT:],
        "log": log_lines(rest),
        "missing": {name[:-1]: why for name, why in facts.items() if name.endswith("!")},
        **known,
    }


def log_lines(printed: str) -> list[str]:
    """The lines that tell about a GPU, without time stamps and repetitions."""
    wanted = (line for line in printed.split("\n") if LOG_WORDS.search(line))
    lines = (re.sub(r"^.*?\.(?:cc|cpp|py):\d+\]\s*", "", line) for line in wanted)
    return [line[:500] for line in dict.fromkeys(lines)][:MAX_LOG_LINES]


def driver(child: Child, deadline: float) -> dict[str, Any]:
    """What the CUDA driver's library said, or why it said nothing."""
    ended, printed = child.finish(deadline)
    facts, rest = facts_of(printed)
    gpus = [{"name": name, "memory_mib": mib, "capability": version} for name, mib, version in facts.pop("gpus", [])]
    known = {name: value for name, value in facts.items() if not name.endswith("!")}
    return {"outcome": ended, "said": "" if ended == "ok" else rest.split("\n")[-1][:MAX_TEXT], **known, "gpus": gpus}


def nvidia_smi(child: Child, deadline: float) -> dict[str, Any]:
    """The GPUs that nvidia-smi lists: it asks the kernel's driver, whatever CUDA_VISIBLE_DEVICES says."""
    ended, printed = child.finish(deadline)
    rows = [line.split(", ") for line in printed.split("\n") if re.match(r"\d+, [^,]+, [^,]+, [^,]+$", line)]
    gpus = [{"name": name, "memory_mib": int(mib) if mib.isdigit() else 0} for _, name, _, mib in rows]
    version = rows[0][2] if rows else ""
    return {"outcome": ended, "said": "" if rows else printed.strip()[:MAX_TEXT], "driver": version, "gpus": gpus}


# ---- facts that need no child ----------------------------------------------------------------------------------------


def python() -> dict[str, Any]:
    """The interpreter."""
    return {
        "version": platform.python_version(),
        "implementation": sys.implementation.name,
        "executable": sys.executable,
        "bits": 64 if sys.maxsize > 1 << 32 else 32,
        "virtual": sys.prefix != sys.base_prefix,
        "free_threaded": "t" in getattr(sys, "abiflags", ""),
    }


def system() -> dict[str, Any]:
    """The operating system, and what it runs in."""
    release = platform.release()
    return {
        "name": platform.system(),
        "release": release,
        "machine": platform.machine(),
        "wsl": 2 if "microsoft-standard" in release.lower() else 1 if "microsoft" in release.lower() else 0,
        "container": container(),
        "libc": " ".join(platform.libc_ver()).strip(),
    }


def container() -> str:
    """A word for the hosted notebook or the container that this seems to run in, else an empty one."""
    hosts = (("COLAB_RELEASE_TAG", "colab"), ("KAGGLE_KERNEL_RUN_TYPE", "kaggle"))
    systems = (("KUBERNETES_SERVICE_HOST", "kubernetes"), ("APPTAINER_CONTAINER", "apptainer"))
    words = [word for name, word in (*hosts, *systems) if name in os.environ]
    marks = (("/.dockerenv", "docker"), ("/run/.containerenv", "podman"))
    words += [word for path, word in marks if Path(path).exists()]
    found = re.search("docker|kubepods|containerd|lxc", machine.text_of(Path("/proc/1/cgroup")))
    return [*words, found.group() if found else ""][0]


def variables() -> dict[str, str]:
    """The variables that matter, where they are set (to nothing, too), and what LD_LIBRARY_PATH has of CUDA."""
    found = {name: value[:MAX_TEXT] for name, value in sorted(os.environ.items()) if VARIABLES.match(name)}
    folders = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    cuda = [folder for folder in folders if re.search("cuda|cudnn|nvidia", folder, re.IGNORECASE)]
    return {**found, "LD_LIBRARY_PATH": os.pathsep.join(cuda)} if cuda else found


def distributions(known: list[dict[str, Any]]) -> dict[str, str]:
    """Versions of the installed distributions that matter; of two of the same name the first on the path counts."""
    return {package["name"]: package["version"] for package in reversed(known)}


def pci() -> list[str]:
    """The NVIDIA display controllers on the bus (vendor 10de, class 03), which Linux lists without any driver."""
    found = []
    for device in sorted(Path("/sys/bus/pci/devices").iterdir()):
        vendor, kind, model = (machine.text_of(device / name).strip() for name in ("vendor", "class", "device"))
        if vendor == "0x10de" and kind.startswith("0x03"):
            found.append(f"10de:{model[2:]}")
    return found


def nodes() -> list[str]:
    """The device files of GPUs: NVIDIA's, WSL's (dxg), Jetson's (nvmap, nvhost-gpu) and AMD's (kfd)."""
    wanted = re.compile(r"(nvidia(\d+|ctl|-uvm)|dxg|nvmap|nvhost-gpu|kfd)$")
    return [f"/dev/{name}" for name in machine.listing(Path("/dev")) if wanted.match(name)]


def kernel_driver() -> str:
    """The version of the NVIDIA driver in the kernel, empty where there is none. A container sees its host's."""
    found = re.search(r"\b\d{3,}\.\d+(\.\d+)?\b", machine.text_of(Path("/proc/driver/nvidia/version")))
    return found.group() if found else ""


def cuda_libraries(path: list[str], ldconfig: Child, deadline: float) -> dict[str, str]:
    """The CUDA libraries that can be found, with their folder: in pip's packages, then where the loader looks."""
    loader = os.environ.get("PATH" if sys.platform == "win32" else "LD_LIBRARY_PATH", "")
    packages = [package for entry in path for package in sorted(Path(entry).glob("nvidia/*"))]
    folders = [package / kind for package in packages for kind in ("lib", "bin")]
    folders += [Path(folder) for folder in loader.split(os.pathsep) if folder]
    found = [(name, str(folder)) for folder in folders for name in machine.listing(folder)]
    _, printed = ldconfig.finish(deadline)
    listed = re.findall(r"^\s*(\S+) \(.*=> (.*)$", printed, re.MULTILINE)
    found += [(name, str(Path(place).parent)) for name, place in listed]
    return {name: folder for name, folder in reversed(found) if CUDA_LIBRARY.match(name)}


def keras_json() -> dict[str, Any]:
    """The file that Keras reads its configuration from, as keras/src/backend/config.py finds it, and its known fields.

    Keras takes a file that isn't JSON for an empty one, without a word.
    """
    folder = machine.home() / ".keras" if os.access(str(machine.home()), os.W_OK) else Path("/tmp/.keras")  # noqa: S108 - as Keras does
    path = Path(os.environ.get("KERAS_HOME", str(folder))).expanduser() / "keras.json"
    if not path.exists():
        return {"path": str(path), "state": "absent"}
    try:
        content = json.loads(path.read_text("utf-8"))
    except (ValueError, OSError) as error:
        return {"path": str(path), "state": "broken", "said": f"{type(error).__name__}: {error}"}
    if not isinstance(content, dict):
        return {"path": str(path), "state": "broken", "said": f"a {type(content).__name__} instead of an object"}
    fields = {name: str(content[name])[:80] for name in KERAS_JSON_FIELDS if name in content}
    kinds = {name: type(content[name]).__name__ for name in fields}
    return {"path": str(path), "state": "read", "fields": fields, "kinds": kinds}


def backend(configured: dict[str, Any]) -> dict[str, str]:
    """The backend that Keras is told to take, and by what: the variable beats the file, an empty one says nothing."""
    fields = configured.get("fields", {})
    if os.environ.get("KERAS_BACKEND"):
        return {"name": os.environ["KERAS_BACKEND"], "source": "KERAS_BACKEND"}
    if "backend" in fields:
        return {"name": fields["backend"], "source": "keras.json"}
    return {"name": "tensorflow", "source": "default"}


# ---- masking ---------------------------------------------------------------------------------------------------------


def secrets() -> list[tuple[re.Pattern[str], str]]:
    """What must not leave the machine, and what stands in its place: home folders, user names, the host's name."""
    homes = {str(machine.home()), str(machine.home().resolve())} - {"/"}
    rules = [(re.compile(re.escape(folder) + r"(?![\w.-])"), "~") for folder in sorted(homes, key=len, reverse=True)]
    others = r"(/home/|/Users/|/media/|[A-Za-z]:\\+Users\\+)(?:[^/\\\n\"']+(?=[/\\])|[^/\\\s\"':]+)"
    rules.append((re.compile(others), r"\1<user>"))
    users = {os.environ.get(name, "") for name in ("USER", "LOGNAME", "USERNAME")}
    users |= {machine.home().name} if machine.home().parent.name in ("home", "Users") else set()
    hosts = {platform.node(), platform.node().split(".")[0]}
    for names, shown in ((users - {"", "root"}, "<user>"), (hosts - {"", "localhost"}, "<host>")):
        words = sorted(names, key=len, reverse=True)
        rules.extend((re.compile(rf"(?<!\w){re.escape(word)}(?!\w)"), shown) for word in words)
    return rules


def mask(value: object, rules: list[tuple[re.Pattern[str], str]]) -> object:
    """The same value without secrets. A text of one word stays: it is an identifier (a user may be named torch)."""
    if isinstance(value, dict):
        return {name: mask(inner, rules) for name, inner in value.items()}
    if isinstance(value, list):
        return [mask(inner, rules) for inner in value]
    if isinstance(value, str) and not re.match(r"\w*$", value):
        for pattern, shown in rules:
            value = pattern.sub(shown, value)
    return value


# ---- the whole -------------------------------------------------------------------------------------------------------


def gather(report: dict[str, Any], name: str, fact: Callable[..., Any], *arguments: object) -> None:
    """Put one fact into the report, or the reason why it can't be had."""
    try:
        report[name] = fact(*arguments)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one fact, the others are still had
        report["missing"][name] = f"{type(error).__name__}: {error}"


def examine(seconds: float) -> dict[str, Any]:
    """Gather every fact within `seconds`."""
    started = time.monotonic()
    deadline = started + seconds * 0.95  # the rest is for ending children and for writing
    report: dict[str, Any] = {"format": FORMAT, "missing": {}}
    gather(report, "keras_json", keras_json)
    gather(report, "backend", backend, report.get("keras_json", {}))
    children = ask_all(report.get("keras_json", {}), report.get("backend", {}))
    for fact in (python, system, variables, pci, nodes, kernel_driver):
        gather(report, fact.__name__, fact)
    for name in ("cpu", "memory", "disks", "limits"):
        gather(report, name, getattr(machine, name))
    told = facts_of(children["path"].finish(deadline)[1])[0]
    path, library = told.get("path", sys.path), told.get("library", str(Path(os.__file__).parent))
    gather(report, "packages", packaged.packages, path)
    known = report.get("packages", [])
    gather(report, "distributions", distributions, known)
    gather(report, "required", packaged.required, path, known)
    gather(report, "leftovers", packaged.leftovers, path)
    gather(report, "user_site", packaged.user_site, path)
    gather(report, "shadows", packaged.shadows, path, library)
    gather(report, "cuda_libraries", cuda_libraries, path, children["ldconfig"], deadline)
    readers = {"driver": driver, "driver_unhidden": driver, "smi": nvidia_smi}
    for name in sorted(children.keys() - {"path", "ldconfig"}):
        gather(report, name, readers.get(name, imported), children[name], deadline)
    report["seconds"] = round(time.monotonic() - started, 1)
    return report


def main() -> None:
    """Print the report. JSON in ASCII, so that no console's encoding can spoil it."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    sys.stdout.write(json.dumps(mask(examine(seconds), secrets())) + "\n")


if __name__ == "__main__":
    main()
