"""The examination of an environment: the script really runs, under this interpreter and under one of an empty venv."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kerasdoctor.diagnostics import environment as module
from kerasdoctor.diagnostics import environment_script
from kerasdoctor.diagnostics.environment import Environment, examine_environment
from kerasdoctor.errors import SubjectError

VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "KERAS_BACKEND",
    "KERAS_HOME",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
)


@pytest.fixture(scope="module")
def empty_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment in which nothing is installed."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder with an empty home folder and an empty folder of packages beside it."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name in ("work", "home", "packages"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "packages"))
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def package(place: Path, name: str, code: str) -> None:
    """A package on PYTHONPATH."""
    folder = place / "packages" / name
    folder.mkdir()
    (folder / "__init__.py").write_text(code, encoding="utf-8")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The environment that the tests run in, examined once: importing TensorFlow takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        for name in VARIABLES:
            patch.delenv(name, raising=False)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.chdir(tmp_path_factory.mktemp("work"))
        yield examine_environment(Path(sys.executable), 120)


def test_tells_the_versions_that_are_installed_and_that_were_imported(real: Environment) -> None:
    """Distributions, the imported modules and the interpreter agree with what this very interpreter says."""
    assert real.distributions["numpy"] == importlib.metadata.version("numpy")
    assert real.tensorflow.version == importlib.metadata.version("tensorflow") == real.version_of("tensorflow")
    assert real.keras.version == importlib.metadata.version("keras")
    assert real.python.version == ".".join(map(str, sys.version_info[:3])) == real.python_version
    assert real.python.implementation == "cpython"
    assert real.missing == {}


def test_tells_what_tensorflow_was_built_for_and_which_gpus_it_sees(real: Environment) -> None:
    """The build facts come from TensorFlow itself; a machine without a GPU gives an empty list, not None."""
    assert real.tensorflow.outcome == "ok"
    assert real.tensorflow.cuda_build in (True, False)
    assert real.tensorflow.gpus is not None
    if real.tensorflow.cuda_build:
        assert real.tensorflow.cuda_version
        assert real.tensorflow.capabilities
    if not real.driver.gpus:
        assert real.tensorflow.gpus == ()


def test_tells_the_backend_that_keras_took(real: Environment) -> None:
    """Without a variable and a keras.json it is the default, measured by importing Keras."""
    assert real.keras.backend == "tensorflow" == real.backend_in_force
    assert real.backend.source == "default"
    assert real.keras_json is not None
    assert real.keras_json.state == "absent"


def test_travels_as_json_and_prints_a_summary(real: Environment) -> None:
    """A report that went through JSON text is the same environment."""
    assert Environment.from_json(json.loads(json.dumps(real.as_json()))) == real
    assert f"tensorflow {real.tensorflow.version}" in str(real)
    assert len(str(real).splitlines()) == 5


def test_empty_environment_has_the_missing_modules_as_facts(place: Path, empty_python: Path) -> None:
    """An interpreter without TensorFlow is examined like any other."""
    found = examine_environment(empty_python)
    assert (found.tensorflow.outcome, found.tensorflow.error) == ("raised", "ModuleNotFoundError")
    assert found.tensorflow.missing_module == "tensorflow"
    assert found.keras.missing_module == "keras"
    assert found.distributions == {}
    assert found.python.virtual
    assert found.driver.outcome != "unknown"
    assert list((place / "home").iterdir()) == []


def test_import_error_is_told_with_its_message_and_its_traceback(place: Path, empty_python: Path) -> None:
    """The words of the error are kept, and the last lines of the traceback with them."""
    package(place, "tensorflow", "raise ImportError('DLL load failed while importing _pywrap_tensorflow_internal')")
    found = examine_environment(empty_python).tensorflow
    assert (found.outcome, found.error, found.imported) == ("raised", "ImportError", False)
    assert "DLL load failed" in found.message
    assert "raise ImportError" in found.output


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals")
def test_signal_that_kills_the_import_is_named(place: Path, empty_python: Path) -> None:
    """A CPU without AVX ends the interpreter by SIGILL; the script itself survives that."""
    package(place, "tensorflow", "import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    found = examine_environment(empty_python)
    assert found.tensorflow.outcome == "SIGILL"
    assert found.keras.outcome == "raised"


def test_exit_during_the_import_is_told_by_its_code(place: Path, empty_python: Path) -> None:
    """A module that ends the process without an exception is no success."""
    package(place, "tensorflow", "import os; os._exit(3)")
    assert examine_environment(empty_python).tensorflow.outcome == "exit code 3"


def test_hanging_import_ends_with_the_limit_and_costs_no_other_fact(place: Path, empty_python: Path) -> None:
    """The time limit is that of the whole examination; everything else is still told."""
    package(place, "tensorflow", "import time; time.sleep(600)")
    package(place, "keras", "__version__ = '3.0.0'\nclass backend:\n    backend = staticmethod(lambda: 'jax')")
    found = examine_environment(empty_python, 2)
    assert found.tensorflow.outcome == "timed out"
    assert found.backend_in_force == "jax"
    assert found.seconds < 5


def test_flood_of_output_is_bounded(place: Path, empty_python: Path) -> None:
    """A module that prints 30 MB makes a small report, and its facts are not lost."""
    package(place, "tensorflow", "for _ in range(300):\n    print('x' * 100_000)\n__version__ = '2.0.0'")
    found = examine_environment(empty_python)
    assert found.tensorflow.version == "2.0.0"
    assert len(json.dumps(found.as_json())) < 20_000


def test_what_a_module_cannot_tell_is_missing_with_the_reason(place: Path, empty_python: Path) -> None:
    """A fact that fails does not take the others with it."""
    built = "is_built_with_cuda = staticmethod(lambda: False)"
    package(place, "tensorflow", f"__version__ = '1.0.0'\nclass test:\n    {built}")
    found = examine_environment(empty_python).tensorflow
    assert found.cuda_build is False
    assert found.gpus is None
    assert "AttributeError" in found.missing["gpus"]


def test_log_lines_about_gpus_are_kept_without_their_time_stamps(place: Path, empty_python: Path) -> None:
    """Only lines that tell about a GPU, each once."""
    line = "2024-06-28 00:03:52.493638: I external/tsl/cuda/cudart_stub.cc:28] Could not find cuda drivers on X"
    package(place, "tensorflow", f"import sys\nfor _ in 'ab':\n    print({line!r}, file=sys.stderr)\nprint('hello')")
    assert examine_environment(empty_python).tensorflow.log == ("Could not find cuda drivers on X",)


def test_children_say_everything_even_if_the_user_silenced_tensorflow(
    place: Path, empty_python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's TF_CPP_MIN_LOG_LEVEL is a fact; the child is asked with 0."""
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    package(place, "tensorflow", "import os; __version__ = os.environ['TF_CPP_MIN_LOG_LEVEL']")
    found = examine_environment(empty_python)
    assert found.variables["TF_CPP_MIN_LOG_LEVEL"] == "3"
    assert found.tensorflow.version == "0"


def test_files_of_the_user_hide_no_standard_module_from_the_script(place: Path, empty_python: Path) -> None:
    """With a broken json.py in the folder and on PYTHONPATH the report still comes, and names the file."""
    for folder in ("work", "packages"):
        (place / folder / "json.py").write_text("raise RuntimeError('not the json you want')", encoding="utf-8")
    package(place, "tensorflow", "import json")
    found = examine_environment(empty_python)
    assert found.tensorflow.error == "RuntimeError"
    assert found.shadows == ("json.py",)


def test_shadows_are_files_and_packages_and_not_folders_of_data(place: Path, empty_python: Path) -> None:
    """A folder without __init__.py gives way to an installed package, so it hides nothing."""
    (place / "work" / "keras.py").touch()
    (place / "work" / "numpy").mkdir()
    (place / "work" / "torch").mkdir()
    (place / "work" / "torch" / "__init__.py").touch()
    assert examine_environment(empty_python).shadows == ("keras.py", "torch")


@pytest.mark.parametrize(
    ("text", "state", "said"),
    [
        ('{"backend": "jax",}', "broken", "JSONDecodeError"),
        ('["jax"]', "broken", "a list instead of an object"),
        ('{"backend": "jax", "floatx": "float16", "token": "s3cret"}', "read", ""),
    ],
)
def test_keras_json_is_read_by_its_known_fields(
    place: Path, empty_python: Path, text: str, state: str, said: str
) -> None:
    """A broken file is a fact, and Keras then takes its default; unknown fields are nobody's business."""
    (place / "home" / ".keras").mkdir()
    (place / "home" / ".keras" / "keras.json").write_text(text, encoding="utf-8")
    found = examine_environment(empty_python)
    assert found.keras_json is not None
    assert (found.keras_json.path, found.keras_json.state) == (str(Path("~/.keras/keras.json")), state)
    assert said in found.keras_json.said
    assert found.keras_json.fields == ({"backend": "jax", "floatx": "float16"} if state == "read" else {})
    assert found.backend_in_force == ("jax" if state == "read" else "tensorflow")
    assert (found.jax is not None) == (state == "read")


def test_variable_beats_keras_json_and_keras_home_moves_it(
    place: Path, empty_python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KERAS_HOME is where keras.json is looked for; KERAS_BACKEND counts more than what stands there."""
    (place / "work" / "keras.json").write_text('{"backend": "jax"}', encoding="utf-8")
    monkeypatch.setenv("KERAS_HOME", str(place / "work"))
    assert examine_environment(empty_python).backend.name == "jax"
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    found = examine_environment(empty_python)
    assert (found.backend_in_force, found.backend.source) == ("torch", "KERAS_BACKEND")
    assert found.torch is not None
    assert found.torch.missing_module == "torch"


def test_keras_is_kept_from_writing_its_configuration(place: Path, empty_python: Path) -> None:
    """An examination leaves nothing behind: Keras would write a keras.json where there is none."""
    code = "import os\nos.makedirs(os.environ.get('KERAS_HOME', os.path.expanduser('~/.keras')))\n"
    package(place, "keras", code)
    assert examine_environment(empty_python).keras.error in ("NotADirectoryError", "FileNotFoundError", "OSError")
    assert list((place / "home").iterdir()) == []
    assert not list((place / "packages").rglob("__pycache__"))


@pytest.mark.parametrize("value", [None, "", "-1", "0", "abc"])
@pytest.mark.usefixtures("place")
def test_hiding_variable_is_told_and_the_driver_is_asked_without_it(
    empty_python: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    """An empty value is a value. The driver is asked twice where the variable is set, and once where it is not."""
    if value is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    found = examine_environment(empty_python)
    assert found.variables.get("CUDA_VISIBLE_DEVICES") == value
    assert (found.driver_unhidden is None) == (value is None)
    assert len(found.unhidden.gpus) >= len(found.driver.gpus)


def test_distributions_on_pythonpath_count_and_damaged_ones_do_no_harm(place: Path, empty_python: Path) -> None:
    """What pip would list, from the path that the user's programs have."""
    kept = "Name: tf_keras\nVersion: 2.16.0\n"
    for name, text in (("tf_keras-2.16.0", kept), ("numpy-1.0", None), ("other-1", "Name: other\nVersion: 1\n")):
        folder = place / "packages" / f"{name}.dist-info"
        folder.mkdir()
        if text is not None:
            (folder / "METADATA").write_text(text, encoding="utf-8")
    assert examine_environment(empty_python).distributions == {"tf-keras": "2.16.0"}


def test_cuda_libraries_are_found_in_pip_packages_and_on_the_loaders_path(
    place: Path, empty_python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File names by which the loader asks, not those of full versions or of other libraries."""
    pip, loader = place / "packages" / "nvidia" / "cudnn" / "lib", place / "cuda-12" / "lib64"
    for folder in (pip, loader):
        folder.mkdir(parents=True)
    for name in ("libcudnn.so.9", "libcudnn_ops.so.9"):
        (pip / name).touch()
    for name in ("libcufft.so.11", "libcufft.so.11.2.3"):
        (loader / name).touch()
    monkeypatch.setenv("LD_LIBRARY_PATH", os.pathsep.join([str(loader), "/elsewhere"]))
    found = examine_environment(empty_python)
    assert found.cuda_libraries["libcudnn.so.9"].endswith("cudnn/lib")
    assert found.cuda_libraries["libcufft.so.11"].endswith("cuda-12/lib64")
    assert not {"libcudnn_ops.so.9", "libcufft.so.11.2.3"} & found.cuda_libraries.keys()
    assert "/elsewhere" not in found.variables["LD_LIBRARY_PATH"]


def test_names_of_user_and_host_and_the_home_folder_are_masked(
    place: Path, empty_python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither stands anywhere in the report; a package of the same name as the user keeps its name."""
    monkeypatch.setenv("USER", "torch")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    host = platform.node()
    said = f"{place}/home/secret of torch on {host}, /home/alice/x, C:\\\\Users\\\\Bob Smith\\\\y"
    package(place, "tensorflow", f"raise ImportError({said!r})")
    found = examine_environment(empty_python)
    assert found.tensorflow.message == "~/secret of <user> on <host>, /home/<user>/x, C:\\\\Users\\\\<user>\\\\y"
    assert found.backend.name == "torch"
    assert str(place / "home") not in json.dumps(found.as_json())


def says(text: str) -> environment_script.Child:
    """A process that prints what the driver or a tool printed on a machine with a GPU."""
    return environment_script.Child([sys.executable, "-c", f"print({text!r})"], {})


def test_driver_is_read_as_it_answers_on_a_machine_with_a_gpu() -> None:
    """The facts of the child as one H200 gave them, and as they were with every GPU hidden."""
    told = "@kerasdoctor ('cuda', 13000)\n@kerasdoctor ('gpus', [('NVIDIA H200', 143155, '9.0')])"
    read = environment_script.driver(says(f"@kerasdoctor ('init', 0)\n{told}"), time.monotonic() + 20)
    gpu = {"name": "NVIDIA H200", "memory_mib": 143155, "capability": "9.0"}
    assert read == {"outcome": "ok", "said": "", "init": 0, "cuda": 13000, "gpus": [gpu]}
    told = "@kerasdoctor ('init', 100)\n@kerasdoctor ('init_name', 'CUDA_ERROR_NO_DEVICE')\n@kerasdoctor ('gpus', [])"
    read = environment_script.driver(says(told), time.monotonic() + 20)
    assert (read["init"], read["init_name"], read["gpus"]) == (100, "CUDA_ERROR_NO_DEVICE", [])


def test_nvidia_smi_is_read_by_its_rows_or_by_what_it_says_instead() -> None:
    """Its rows as recorded; without a driver it prints a sentence, which is kept."""
    read = environment_script.nvidia_smi(says("0, NVIDIA H200, 580.159.04, 143771"), time.monotonic() + 20)
    assert read["gpus"] == [{"name": "NVIDIA H200", "memory_mib": 143771}]
    assert (read["driver"], read["said"]) == ("580.159.04", "")
    read = environment_script.nvidia_smi(says("No devices were found"), time.monotonic() + 20)
    assert (read["gpus"], read["said"]) == ([], "No devices were found")


def test_line_that_something_else_was_printed_into_costs_that_fact_only() -> None:
    """Native code writes to the same pipe whenever it likes."""
    told = "@kerasdoctor ('init', 0)\n@kerasdoctor ('cuda', 1W0000 dso_loader\n@kerasdoctor ('gpus', [])"
    read = environment_script.driver(says(told), time.monotonic() + 20)
    assert read == {"outcome": "ok", "said": "", "init": 0, "gpus": []}


def test_kernel_driver_and_cpu_are_read_from_the_kernels_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first lines as recorded; AVX by its own word, which avx2 is not."""
    line = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build\nGCC version: 15.3.0"
    monkeypatch.setattr(environment_script, "text_of", lambda _: line)
    assert environment_script.kernel_driver() == "580.159.04"
    assert environment_script.avx() is None
    monkeypatch.setattr(environment_script, "text_of", lambda _: "processor\t: 0\nflags\t\t: fpu sse4_2 avx2\n")
    assert environment_script.avx() is False
    assert environment_script.kernel_driver() == ""


def test_missing_interpreter_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    """The path is named, and how to find the right one."""
    with pytest.raises(SubjectError, match=r"python9: no such program; expected .* print\(sys.executable\)"):
        examine_environment(tmp_path / "python9")


@pytest.mark.skipif(os.name == "nt", reason="shell scripts")
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("echo no such option: -I", "no report, it printed 'no such option: -I'"),
        ("exec yes", "no report, it printed 'y'"),
        ("exit 1", "no report, it printed ''"),
        ("sleep 600", "no end after 1 s"),
        ('echo \'{"format": 1, "python": 3}\'', "report.python: int, expected Interpreter"),
    ],
)
def test_program_that_is_no_python_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, message: str
) -> None:
    """Whatever it prints, and if it never ends, the error comes soon and tells what was expected."""
    monkeypatch.setattr(module, "GRACE", 0.5)
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n{code}\n", encoding="utf-8")
    program.chmod(0o755)
    with pytest.raises(SubjectError, match=message):
        examine_environment(program, 0.5)


@pytest.mark.skipif(os.name == "nt", reason="a text file that may be executed")
def test_program_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    """A file that is executable and nothing that the system can run."""
    program = tmp_path / "python"
    program.write_bytes(b"\x7fELF nothing")
    program.chmod(0o755)
    with pytest.raises(SubjectError, match="cannot be started"):
        examine_environment(program)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "format 2, expected 1"),
        ({"python": None}, "report.python: NoneType, expected Interpreter"),
        ({"driver": {"outcome": "ok", "gpus": [{"name": "A", "memory_mib": "1"}]}}, r"gpus\[0\].memory_mib: str"),
        ({"driver": {}}, "report.driver: .*outcome"),
        ({"pci": "10de"}, "report.pci: str"),
        ({"variables": {"A": 1}}, "report.variables.A: int, expected str"),
    ],
)
def test_report_of_another_shape_is_refused_with_the_field(change: dict[str, object], message: str) -> None:
    """A report may come from another machine: nothing of it is taken with a type that it must not have."""
    python = {"version": "3.12.3", "implementation": "cpython", "executable": "python", "bits": 64, "virtual": False}
    report = {"format": 1, "python": python}
    assert Environment.from_json(report).python.bits == 64
    with pytest.raises(SubjectError, match=message):
        Environment.from_json({**report, **change})


@pytest.mark.parametrize(
    ("version", "backend"), [("3.0.0", "jax"), ("2.15.0", "tensorflow"), ("2.4.0", "tensorflow"), ("2.3.1", "jax")]
)
def test_keras_2_in_tensorflow_has_one_backend_whatever_is_set(version: str, backend: str) -> None:
    """Keras 2.4 to 2.15 run on TensorFlow only; KERAS_BACKEND means something before and after."""
    python = {"version": "3.12.3", "implementation": "cpython", "executable": "python", "bits": 64, "virtual": False}
    chosen = {"name": "jax", "source": "KERAS_BACKEND"}
    report = {"format": 1, "python": python, "distributions": {"keras": version}, "backend": chosen}
    assert Environment.from_json(report).backend_in_force == backend
