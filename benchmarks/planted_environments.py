"""Faults in environments: a mutation edits the report of a real examination, or the surroundings of a real one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

from planted_files import Json, Mutation

Change = Callable[[Json], bool]


def put(value: Any, *path: str) -> Change:  # noqa: ANN401 - JSON
    """A field of the report has another value."""

    def plant(report: Json) -> bool:
        place = report
        for name in path[:-1]:
            place = place.setdefault(name, {})
        place[path[-1]] = value
        return True

    return plant


def raised(error: str, message: str, **more: Any) -> Change:  # noqa: ANN401 - JSON
    """Importing TensorFlow and Keras ended with an exception."""

    def plant(report: Json) -> bool:
        if not report.get("tensorflow", {}).get("version"):
            return False
        for name in ("tensorflow", "keras"):
            report[name] = {"outcome": "raised", "error": error, "message": message, "output": message} | more
        return True

    return plant


def release(name: str, version: str) -> Change:
    """Another release of a package is installed."""

    def plant(report: Json) -> bool:
        if name not in report["distributions"] or not report.get("packages"):
            return False
        report["distributions"][name] = version
        report.setdefault("required", {})[name] = version
        for package in report["packages"]:
            if package["name"] == name:
                package["version"] = version
        return True

    return plant


def both(*changes: Change) -> Change:
    """Several changes together."""

    def plant(report: Json) -> bool:
        done = [change(report) for change in changes]  # all of them, whatever one says
        return all(done)

    return plant


def second_keras(report: Json) -> bool:
    """Keras is there twice in one folder."""
    found = [package for package in report.get("packages", []) if package["name"] == "keras"]
    if found:
        report["packages"].append(found[0] | {"version": "2.0.0"})
    return bool(found)


def two_tensorflows(report: Json) -> bool:
    """Two TensorFlows, tensorflow and tensorflow-cpu, write the same folder."""
    found = [package for package in report.get("packages", []) if package["name"] == "tensorflow"]
    if found:
        report["packages"].append(found[0] | {"name": "tensorflow-cpu", "version": "2.11.0", "requires": []})
        report["distributions"]["tensorflow-cpu"] = "2.11.0"
    return bool(found)


def small_shared_memory(report: Json) -> bool:
    """A container with 64 MiB of shared memory."""
    for disk in report.get("disks", []):
        if disk["name"] == "shared memory":
            disk["free"] = disk["total"] = 64
            return True
    return False


def full_disk(report: Json) -> bool:
    """Nothing is free where files are written."""
    for disk in report.get("disks", []):
        disk["free"] = 3
    return bool(report.get("disks"))


def read_only(report: Json) -> bool:
    """The current folder is not writable."""
    for disk in report.get("disks", []):
        if disk["name"] == "current":
            disk["writable"] = False
            return True
    return False


def has_gpu(report: Json) -> bool:
    """Whether the driver lists a GPU and TensorFlow is there."""
    return bool(report.get("driver", {}).get("gpus")) and bool(report.get("tensorflow", {}).get("version"))


def old_driver(report: Json) -> bool:
    """A driver for CUDA 11.4."""
    if not has_gpu(report):
        return False
    report["driver"]["cuda"] = 11040
    report["smi"]["driver"] = "470.1"
    return True


def old_gpu(report: Json) -> bool:
    """A GPU that this build has no code for."""
    if not has_gpu(report):
        return False
    report["driver"]["gpus"] = [{"name": "Quadro M4000", "memory_mib": 8192, "capability": "5.2"}]
    return True


def without_cudnn(report: Json) -> bool:
    """TensorFlow finds the GPU and not the libraries."""
    if not has_gpu(report):
        return False
    report["tensorflow"]["gpus"] = []
    report["tensorflow"]["log"] = [
        "Could not load dynamic library 'libcudnn.so.9'; dlerror: libcudnn.so.9: cannot open shared object file: No such file",
        "Cannot dlopen some GPU libraries. Skipping registering GPU devices...",
    ]
    report["cuda_libraries"] = {k: v for k, v in report.get("cuda_libraries", {}).items() if "cudnn" not in k}
    return True


def cpu_build(report: Json) -> bool:
    """A TensorFlow for CPUs beside a GPU."""
    if not has_gpu(report):
        return False
    report["tensorflow"].update(cuda_build=False, gpus=[])
    return True


def broken_json(report: Json) -> bool:
    """keras.json is no JSON."""
    report["keras_json"] = {"path": "~/.keras/keras.json", "state": "broken", "said": "line 3: expecting ',' delimiter"}
    return True


def no_keras(report: Json) -> bool:
    """Keras is not installed."""
    if not report.get("keras", {}).get("version"):
        return False
    report["keras"] = {
        "outcome": "raised", "error": "ModuleNotFoundError", "message": "No module named 'keras'", "missing_module": "keras",
    }  # fmt: skip
    report["distributions"].pop("keras", None)
    report["packages"] = [package for package in report.get("packages", []) if package["name"] != "keras"]
    return True


SHADOW = {"name": "tensorflow", "folder": "/home/me/project", "hides": "tensorflow", "kind": "package",
          "file": "/home/me/project/tensorflow.py"}  # fmt: skip
PAIR = "keras-tensorflow-version-pair"
EDITS = (
    Mutation("cpu-features", "a processor without AVX", "tensorflow-dll-load",
             both(put(["sse4_1"], "cpu", "features"), put({"outcome": "SIGILL"}, "tensorflow"), put({"outcome": "SIGILL"}, "keras"))),
    Mutation("cpu-features", "imitated by Rosetta", "tensorflow-dll-load", put("rosetta", "cpu", "emulated")),
    Mutation("cuda-versions", "a driver for CUDA 11.4", "gpu-library-mismatch", old_driver),
    Mutation("cuda-versions", "cuDNN is not there", "gpu-library-mismatch", without_cudnn),
    Mutation("gpu-visibility", "a driver for CUDA 11.4", "gpu-library-mismatch", old_driver),
    Mutation("gpu-visibility", "a GPU that is too old", "gpu-not-visible", old_gpu),
    Mutation("gpu-visibility", "cuDNN is not there", "gpu-not-visible", without_cudnn),
    Mutation("gpu-visibility", "a TensorFlow for CPUs", "gpu-not-visible", cpu_build),
    Mutation("imports", "TensorFlow's library does not load", "tensorflow-dll-load",
             raised("ImportError", "DLL load failed while importing _pywrap_tensorflow_internal: A dynamic link library (DLL) "
                    "initialization routine failed.")),
    Mutation("imports", "NumPy of another ABI", "numpy-abi-version",
             raised("ImportError", "numpy.core.multiarray failed to import")),
    Mutation("imports", "protobuf that is too new", "protobuf-version",
             raised("TypeError", "Descriptors cannot be created directly.\nIf this call came from a _pb2.py file, your generated "
                    "code is out of date and must be regenerated with protoc >= 3.19.0.")),
    Mutation("imports", "Keras is not installed", "module-not-found-keras", no_keras),
    Mutation("imports", "killed for lack of memory", "host-out-of-memory", put({"outcome": "SIGKILL"}, "tensorflow")),
    Mutation("keras-configuration", "a backend that is none", "backend-selection",
             both(put("tensroflow", "variables", "KERAS_BACKEND"), put({"name": "tensroflow", "source": "KERAS_BACKEND"}, "backend"))),
    Mutation("keras-configuration", "keras.json is broken", "keras-config-file", broken_json),
    Mutation("memory-and-disk", "shared memory of 64 MiB", "host-out-of-memory", small_shared_memory),
    Mutation("memory-and-disk", "200 MiB of memory left", "host-out-of-memory", put(200, "memory", "left")),
    Mutation("memory-and-disk", "the disk is full", "save-path-not-writable", full_disk),
    Mutation("memory-and-disk", "the folder is read-only", "save-path-not-writable", read_only),
    Mutation("package-versions", "Keras of another TensorFlow", PAIR,
             both(release("keras", "2.4.3"), raised("AttributeError", "module 'tensorflow' has no attribute 'x'"))),
    Mutation("package-versions", "NumPy 1 for what needs NumPy 2", "numpy-abi-version",
             both(release("numpy", "1.13.0"), raised("ImportError", "numpy.core.multiarray failed to import"))),
    Mutation("python-version", "a Python to come", "no-matching-tensorflow",
             both(put("3.19.0", "python", "version"), raised("ModuleNotFoundError", "No module named 'tensorflow'"))),
    Mutation("python-version", "32 bits", "no-matching-tensorflow",
             both(put(32, "python", "bits"), raised("ModuleNotFoundError", "No module named 'tensorflow'"))),
    Mutation("several-kerases", "two TensorFlows in one folder", PAIR, two_tensorflows),
    Mutation("several-kerases", "Keras twice in one folder", PAIR, second_keras),
    Mutation("several-kerases", "leftovers of pip", "", put(["/usr/lib/python3/site-packages/~ensorflow"], "leftovers")),
    Mutation("shadowing-files", "tensorflow.py in the project", "local-file-shadows-package", put([SHADOW], "shadows")),
)  # fmt: skip
# Planted into the surroundings of a real examination: the probe, the name, the topic, files of the folder, variables.
REAL: tuple[tuple[str, str, str, dict[str, str], dict[str, str]], ...] = (
    ("shadowing-files", "random.py in the folder", "local-file-shadows-package", {"random.py": "x = 1\n"}, {}),
    ("keras-configuration", "KERAS_BACKEND=torch without torch", "backend-selection", {}, {"KERAS_BACKEND": "torch"}),
    ("imports", "keras.py in the folder", "local-file-shadows-package", {"keras.py": "import tensorflow\nx = 1\n"}, {}),
)


@contextmanager
def surroundings(folder: Path, files: dict[str, str], variables: dict[str, str]) -> Iterator[None]:
    """A current folder with files, and environment variables."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        with chdir(folder):
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)
