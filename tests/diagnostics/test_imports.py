"""The probe of the imports: each known reason as the words of a real error, and real imports that fail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kerasdoctor.diagnostics.environment import Environment, examine_environment
from kerasdoctor.diagnostics.environment_facts import Import, Shadow
from kerasdoctor.diagnostics.probe import CouldNotLook, Evidence
from kerasdoctor.diagnostics.probes.imports import PROBE

from .conftest import broken, installed, package, recorded


def faults(environment: Environment) -> list[Evidence]:
    return [evidence for evidence in PROBE.look(environment) if evidence.fault]


def with_tensorflow(result: Import) -> Environment:
    """An environment whose Keras works on its own and whose TensorFlow ended like this."""
    return replace(recorded("no-gpu"), tensorflow=result, distributions={"protobuf": "7.36.2", "numpy": "2.4.6"})


@pytest.mark.parametrize(
    ("result", "topic", "words"),
    [
        (
            broken("No module named 'tensorflow'", error="ModuleNotFoundError", missing_module="tensorflow"),
            "module-not-found-keras",
            "python -m pip install tensorflow",
        ),
        (
            broken("No module named 'wrapt'", error="ModuleNotFoundError", missing_module="wrapt"),
            "module-not-found-keras",
            "tensorflow needs wrapt: `/venv/bin/python -m pip install wrapt`",
        ),
        (
            broken("Traceback\nImportError: DLL load failed while importing _pywrap_tensorflow_internal: 失败"),
            "tensorflow-dll-load",
            "Visual C++ Redistributable",
        ),
        (
            broken("/lib64/libm.so.6: version `GLIBC_2.27' not found (required by _pywrap_tensorflow_internal.so)"),
            "tensorflow-dll-load",
            "C library (glibc 2.17) is older",
        ),
        (
            broken("dlopen(x.so): mach-o file, but is an incompatible architecture (have 'x86_64', need 'arm64')"),
            "tensorflow-dll-load",
            "another processor (x86_64 here)",
        ),
        (
            broken("No module named 'distutils'", error="ModuleNotFoundError", missing_module="distutils"),
            "no-matching-tensorflow",
            "Python 3.11.7 no longer has",
        ),
        (
            broken("No module named '_bz2'", error="ModuleNotFoundError", missing_module="_bz2"),
            "tensorflow-dll-load",
            "compiled without a part of its standard library",
        ),
        (
            broken("Traceback\nImportError: libcublas.so.9.0: cannot open shared object file\nnative runtime"),
            "gpu-library-mismatch",
            "libcublas.so.9.0: cannot open",
        ),
        (
            broken("numpy.core.umath failed", output="A module that was compiled using NumPy 1.x cannot be run"),
            "numpy-abi-version",
            "'numpy<2'",
        ),
        (
            broken("module 'numpy' has no attribute 'object'", error="AttributeError"),
            "numpy-abi-version",
            "module 'numpy' has no attribute",
        ),
        (
            broken("Descriptors cannot be created directly.\nIf this call came from", error="TypeError"),
            "protobuf-version",
            "protobuf 7.36.2 doesn't fit TensorFlow ?: `pip install tensorflow`",
        ),
        (
            broken("Detected incompatible Protobuf Gencode/Runtime versions", error="VersionError"),
            "protobuf-version",
            "VersionError",
        ),
        (
            broken("Keras requires TensorFlow 2.2 or higher. Install TensorFlow via `pip install tensorflow`"),
            "keras-tensorflow-version-pair",
            "Keras 3.15.1 and TensorFlow",
        ),
        (Import("SIGILL"), "tensorflow-dll-load", "the CPU has AVX, so another instruction is missing"),
        (Import("0xc000001d"), "tensorflow-dll-load", "illegal instruction"),
        (Import("SIGKILL"), "host-out-of-memory", "memory runs out"),
        (Import("ok"), "module-not-found-keras", "a folder without __init__.py"),
    ],
)
def test_failing_import_is_told_with_its_error_and_confirms_its_topic(result: Import, topic: str, words: str) -> None:
    """TensorFlow can't be imported: that is wrong in itself, and the error says which topic it is."""
    environment = with_tensorflow(result)
    environment = replace(environment, system=replace(environment.system, libc="glibc 2.17"))
    (evidence,) = faults(environment)
    assert topic in evidence.confirms
    assert words in evidence.text.en
    assert set(evidence.confirms) <= set(PROBE.topics)


def test_unknown_import_error_confirms_no_topic() -> None:
    """It is told as it is; guessing a topic would be worse."""
    (evidence,) = faults(with_tensorflow(broken("something new")))
    assert evidence.text.en == "`import tensorflow` fails: ImportError: something new"
    assert evidence.confirms == ()


def test_crash_after_the_import_is_told_as_such() -> None:
    """Listing the GPUs ended Python: the import itself was well, and no topic is guessed."""
    (evidence,) = faults(with_tensorflow(Import("SIGSEGV", version="2.21.0", output="Fatal Python error\nlast line")))
    assert "SIGSEGV after the import, while it listed its GPUs, its last words: last line" in evidence.text.en
    assert evidence.confirms == ()


def test_file_of_the_user_that_hides_a_package_is_named() -> None:
    """Either it is imported itself, or it was imported with it, or it stands in the traceback of the import."""
    own = Shadow("tensorflow.py", ".", "tensorflow", "package", "/x/tensorflow.py")
    inner = Shadow("random.py", "~/lib", "random", "standard library", "/x/random.py")
    other = Shadow("queue.py", ".", "queue", "standard library", "/x/queue.py")
    traced = broken("no attribute 'choice'", output='  File "/x/random.py", line 1, in <module>')
    taking = replace(broken("no attribute"), taken=("/x/random.py",))
    for shadows, result, words in (
        ((own,), Import("ok"), "takes tensorflow.py in the current folder"),
        ((other, inner), traced, "takes random.py in ~/lib for"),
        ((other, inner), taking, "takes random.py in ~/lib for"),
    ):
        (evidence,) = faults(replace(with_tensorflow(result), shadows=shadows))
        assert words in evidence.text.en
        assert evidence.confirms == ("local-file-shadows-package",)


def test_nothing_is_said_where_no_import_ended() -> None:
    """Slow is not broken: the probe could not look, and says how long it waited."""
    slow = replace(recorded("no-gpu"), tensorflow=Import("timed out"), keras=Import("timed out"), seconds=57.0)
    with pytest.raises(CouldNotLook, match="tensorflow: timed out, keras: timed out, 57 s"):
        list(PROBE.look(slow))


@pytest.mark.usefixtures("place")
def test_environment_without_anything_lacks_tensorflow_and_keras(empty_python: Path) -> None:
    """Both are asked for by name, with the interpreter that they are to be installed for."""
    tensorflow, keras = faults(examine_environment(empty_python))
    assert "No module named 'tensorflow'" in tensorflow.text.en
    assert "-m pip install keras" in keras.text.en


def test_keras_that_fails_as_tensorflow_does_is_told_once(place: Path, empty_python: Path) -> None:
    """Keras imports TensorFlow: its error is the same one."""
    package(place, "tensorflow", "raise ImportError('libfoo.so: cannot open')")
    package(place, "keras", "import tensorflow")
    (evidence,) = faults(examine_environment(empty_python))
    assert evidence.text.en.startswith("`import tensorflow` fails: ImportError: libfoo.so")


def test_old_tensorflow_has_a_keras_of_its_own(place: Path, empty_python: Path) -> None:
    """Before 2.6 there need be no package keras."""
    package(place, "tensorflow", "__version__ = '2.4.4'")
    assert faults(examine_environment(empty_python)) == []


def test_keras_inside_tensorflow_that_cannot_be_loaded_is_a_fault(place: Path, empty_python: Path) -> None:
    """`import tensorflow` and `import keras` work, `tf.keras` does not: a pair that was never meant to meet."""
    loader = "def __getattr__(name):\n    raise ImportError('cannot import name convert_to')\n"
    package(place, "tensorflow", f"__version__ = '2.15.0'\n{loader}")
    package(place, "keras", "__version__ = '3.5.0'")
    installed(place, "tensorflow", "2.15.0")
    (evidence,) = faults(examine_environment(empty_python))
    assert "`tf.keras` can't be loaded: ImportError: cannot import name convert_to" in evidence.text.en
    assert evidence.confirms == ("keras-tensorflow-version-pair",)


def test_backend_that_is_not_installed_is_told_with_who_chose_it(
    place: Path, empty_python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KERAS_BACKEND=torch without PyTorch: Keras can't be imported, and that is told once."""
    package(place, "keras", "import torch")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    (evidence,) = faults(examine_environment(empty_python))
    assert evidence.text.en.startswith("`import torch` fails: ModuleNotFoundError")
    assert "KERAS_BACKEND chose it; it is not installed" in evidence.text.en
    assert evidence.confirms == ("backend-selection",)
