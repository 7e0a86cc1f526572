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
from kerasdoctor.diagnostics import environment_machine as machine
from kerasdoctor.diagnostics import environment_script
from kerasdoctor.diagnostics.environment import Environment, examine_environment
from kerasdoctor.errors import SubjectError

from .conftest import VARIABLES, installed, package

ROOT = Path(__file__).parents[2]


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
    assert [(s.name, s.folder == ".") for s in found.shadows] == [("json.py", True), ("json.py", False)]
    assert found.shadows[0].file in found.tensorflow.taken


def test_shadows_are_files_and_packages_and_not_folders_of_data(place: Path, empty_python: Path) -> None:
    """A folder without __init__.py gives way to an installed package; one on PYTHONPATH is an installed package."""
    (place / "work" / "keras.py").touch()
    (place / "work" / "numpy").mkdir()
    (place / "work" / "torch").mkdir()
    (place / "work" / "torch" / "__init__.py").touch()
    (place / "packages" / "scipy").mkdir()
    (place / "packages" / "scipy" / "__init__.py").touch()
    (place / "work" / "queue.pyc").touch()
    (place / "work" / "__pycache__").mkdir()
    (place / "work" / "__pycache__" / "random.cpython-311.pyc").touch()
    found = examine_environment(empty_python).shadows
    assert [(s.name, s.hides, s.kind) for s in found] == [
        ("keras.py", "keras", "package"),
        ("queue.pyc", "queue", "standard library"),
        ("torch", "torch", "package"),
    ]


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
    """What pip would list, from the path that the user's programs have; metadata without content are leftovers."""
    installed(place, "tf_keras", "2.16.0", "tensorflow (>=2.16)", "own-thing>1")
    installed(place, "own_thing", "3")
    installed(place, "private", "1")
    (place / "packages" / "numpy-1.0.dist-info").mkdir()
    (place / "packages" / "~ensorflow").mkdir()
    found = examine_environment(empty_python)
    assert found.distributions == {"tf-keras": "2.16.0"}
    assert found.packages[0].requires == ("tensorflow (>=2.16)", "own-thing>1")
    assert found.required == {"own-thing": "3"}
    assert [Path(path).name for path in found.leftovers] == ["~ensorflow", "numpy-1.0.dist-info"]
    assert "private" not in json.dumps(found.as_json())


def test_second_installation_of_a_package_is_told_and_the_first_counts(place: Path, empty_python: Path) -> None:
    """Python takes the first on its path, and so does the report."""
    installed(place, "keras", "2.15.0")
    installed(place, "keras", "3.0.5", folder="work")
    found = examine_environment(empty_python)
    assert [(package.version, package.folder == ".") for package in found.packages] == [
        ("3.0.5", True),
        ("2.15.0", False),
    ]
    assert found.version_of("keras") == "3.0.5"


INTERPRETERS = {"3.7": ".labs/keras-2.2", "3.8": ".labs/tf-2.4"}


@pytest.mark.parametrize("version", INTERPRETERS)
@pytest.mark.usefixtures("place")
def test_script_runs_under_old_interpreters(version: str) -> None:
    """Python 3.7 is the oldest: its syntax and its standard library are all that the script uses."""
    python = ROOT / INTERPRETERS[version] / "bin" / "python"
    if not python.exists():
        pytest.skip(f"there is no Python {version} in .labs")
    found = examine_environment(python, 120)
    assert found.python.version.startswith(version)
    assert found.missing == {}
    assert found.tensorflow.keras_version
    assert found.keras.imported
    assert found.package("tensorflow").requires  # type: ignore[union-attr]


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


def system_files(root: Path, **files: str) -> Path:
    """A folder that stands for / and holds files as the kernel writes them; `__` in a name is a slash."""
    for name, text in files.items():
        path = root.joinpath(*name.split("__"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("text", "features", "emulated"),
    [
        ("model name\t: AMD EPYC\nflags\t\t: fpu sse4_2 avx2 fma\n", ["sse4_2", "avx2", "fma"], ""),
        ("vendor_id : VirtualApple\nmodel name\t: VirtualApple @ 2.50GHz\nflags\t: sse4_2\n", ["sse4_2"], "rosetta"),
        ("model name\t: QEMU TCG CPU version 2.5+\nflags\t: sse4_2 avx\n", ["sse4_2", "avx"], "qemu"),
        ("", None, ""),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's files")
def test_processor_is_read_from_the_kernels_file(
    tmp_path: Path, text: str, features: list[str] | None, emulated: str
) -> None:
    """AVX by its own word, which avx2 is not; what imitates a processor names itself there."""
    found = machine.cpu(system_files(tmp_path, proc__cpuinfo=text))
    assert (found["features"], found["emulated"]) == (features, emulated)


MEMINFO = "MemTotal:       16384000 kB\nMemFree: 1 kB\nMemAvailable:    8192000 kB\nSwapTotal:       1024000 kB\n"
V1 = "sys__fs__cgroup__memory__"


@pytest.mark.parametrize(
    ("files", "limit", "left"),
    [
        ({}, 0, 8000),
        ({"proc__self__cgroup": "0::/\n", "sys__fs__cgroup__memory.max": "max\n"}, 0, 8000),
        (
            {"sys__fs__cgroup__memory.max": "2147483648\n", "sys__fs__cgroup__memory.current": "1073741824\n"},
            2048,
            1024,
        ),
        (
            {
                "proc__self__cgroup": "0::/user/app\n",
                "sys__fs__cgroup__user__memory.max": "1073741824\n",
                "sys__fs__cgroup__user__app__memory.max": "max\n",
                "sys__fs__cgroup__user__memory.current": "943718400\n",
                "sys__fs__cgroup__user__memory.stat": "anon 1\ninactive_file 419430400\n",
            },
            1024,
            524,
        ),
        (
            {
                "proc__self__cgroup": "5:memory:/docker/abc\n1:cpu:/docker/abc\n",
                f"{V1}memory.limit_in_bytes": "536870912\n",
                f"{V1}memory.usage_in_bytes": "536870912\n",
            },
            512,
            0,
        ),
        ({f"{V1}memory.limit_in_bytes": "9223372036854771712\n", f"{V1}memory.usage_in_bytes": "1\n"}, 0, 8000),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's files")
def test_memory_and_the_limit_of_a_container_are_read_from_the_kernels_files(
    tmp_path: Path, files: dict[str, str], limit: int, left: int
) -> None:
    """Both versions of the control groups, the tightest on the way up; cache is given back, so it counts as left."""
    found = machine.memory(system_files(tmp_path, proc__meminfo=MEMINFO, **files))
    assert found == {"total": 16000, "left": left, "swap": 1000, "limit": limit}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
@pytest.mark.usefixtures("place")
def test_limits_are_told_where_there_are_any(empty_python: Path) -> None:
    """A real limit of the shell, in MiB; what isn't limited isn't told."""
    script = f"ulimit -f 2048000; exec {empty_python} -I -B {module.SCRIPT} 20"
    ended = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    found = Environment.from_json(json.loads(ended.stdout))
    assert found.limits["file_size"] in (1000, 2000)  # blocks of 512 or 1024 bytes
    assert "cpu_seconds" not in found.limits
    assert {disk.name for disk in found.disks} >= {"home", "temporary", "current"}


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
        ('echo \'{"format": 2, "python": 3}\'', "report.python: int, expected Interpreter"),
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
        ({"format": 1}, "format '1', expected 2"),
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
    report = {"format": 2, "python": python}
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
    report = {"format": 2, "python": python, "distributions": {"keras": version}, "backend": chosen}
    assert Environment.from_json(report).backend_in_force == backend
