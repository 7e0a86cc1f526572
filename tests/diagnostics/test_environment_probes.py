"""The probes of an environment, on environments that are really broken: made in folders, examined by the script."""

from __future__ import annotations

import copy
import random
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from kerasdoctor.diagnostics.environment import Environment, examine_environment
from kerasdoctor.diagnostics.environment_facts import Cpu, Disk, Gpu, Import, Memory
from kerasdoctor.diagnostics.probe import CouldNotLook, Finding, all_probes, examine
from kerasdoctor.diagnostics.probes.python_version import end_of_life

from .conftest import PROBES, installed, package, recorded

PROBES_OF_ENVIRONMENTS = [probe for probe in all_probes() if probe.subject == "environment"]
H200 = Gpu("NVIDIA H200", 143155, "9.0")


def checked(probe: str, environment: Environment, *suspected: str) -> Finding:
    return examine(PROBES[probe], environment, "python", frozenset(suspected))


def status(finding: Finding) -> str:
    if finding.outcome == "finding":
        return "fail" if finding.fault else "warn"
    return {"nothing": "pass", "could_not_look": "skip"}.get(finding.outcome, finding.outcome)


def said(finding: Finding) -> str:
    return "\n".join(text.en for text in finding.evidence)


def tensorflow_and_keras(place: Path, tensorflow: str = "2.21.0", keras: str = "3.15.1", *requires: str) -> None:
    """A TensorFlow and a Keras that can be imported, with the metadata of real ones."""
    package(place, "tensorflow", f"__version__ = {tensorflow!r}")
    package(place, "keras", f"__version__ = {keras!r}")
    installed(place, "tensorflow", tensorflow, *requires)
    installed(place, "keras", keras)


# ---- python-version --------------------------------------------------------------------------------------------------


def test_python_outside_of_what_tensorflow_names_is_a_fault_if_the_import_fails(
    place: Path, empty_python: Path
) -> None:
    """Its classifiers name the Pythons; where it works nevertheless, it is worth a word and no more."""
    target = installed(place, "tensorflow", "2.4.0", Classifier="Programming Language :: Python :: 3.8")
    target.joinpath("METADATA").write_text(
        "Name: tensorflow\nVersion: 2.4.0\nClassifier: Programming Language :: Python :: 3\n"
        "Classifier: Programming Language :: Python :: 3.6\nClassifier: Programming Language :: Python :: 3.8\n",
        encoding="utf-8",
    )
    finding = checked("python-version", examine_environment(empty_python))
    assert status(finding) == "fail"
    assert "tensorflow 2.4.0 is for Python 3.6 to 3.8, this is 3." in said(finding)
    assert finding.topics == ("no-matching-tensorflow",)
    package(place, "tensorflow", "__version__ = '2.4.0'")
    assert status(checked("python-version", examine_environment(empty_python))) == "warn"


def test_requires_python_of_an_installed_package_counts(place: Path, empty_python: Path) -> None:
    """The words of the metadata are those that pip would have refused by."""
    installed(place, "keras", "3.15.1", Requires_Python=">=3.99")
    finding = checked("python-version", examine_environment(empty_python))
    assert "keras 3.15.1 needs Python >=3.99" in said(finding)
    assert finding.fault


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bits": 32}, "is a 32-bit program"),
        ({"implementation": "pypy"}, "the interpreter is pypy"),
        ({"free_threaded": True}, "the free-threaded build"),
        ({"version": "3.15.0"}, "has wheels for Python 3.10 to 3.13, this is 3.15.0"),
    ],
)
def test_interpreters_that_have_no_wheels(change: dict[str, Any], words: str) -> None:
    """32 bits, another implementation, no GIL, too new: pip finds "no matching distribution"."""
    bare = replace(recorded("no-gpu"), tensorflow=Import("raised"), distributions={}, packages=())
    assert status(checked("python-version", bare)) == "pass"
    finding = checked("python-version", replace(bare, python=replace(bare.python, **change)))
    assert words in said(finding)
    assert status(finding) == ("warn" if "version" in change else "fail")


@pytest.mark.parametrize(("version", "found"), [("3.8.18", 1), ("3.13.0", 0), ("3.99.0", 0), ("", 0)])
def test_end_of_life_is_a_warning(version: str, found: int) -> None:
    """By the day that is given, so that the test stays true."""
    evidence = list(end_of_life(version, date(2026, 1, 1)))
    assert len(evidence) == found
    assert all(e.warning and not e.fault for e in evidence)


# ---- package-versions ------------------------------------------------------------------------------------------------


def test_versions_that_fit_are_a_pass_and_are_told(place: Path, empty_python: Path) -> None:
    """Requirements of other systems and of extras don't count."""
    requires = (
        "numpy>=1.26,<3",
        "keras>=3.12.0",
        'pywin32; sys_platform == "win64"',
        'nvidia-cudnn-cu12; extra == "and-cuda"',
        "tensorboard~=2.21; python_version < '3.0'",
        "this is no requirement at all",
    )
    tensorflow_and_keras(place, "2.21.0", "3.15.1", *requires)
    installed(place, "numpy", "2.4.6")
    finding = checked("package-versions", examine_environment(empty_python))
    assert (status(finding), said(finding)) == ("pass", "tensorflow 2.21.0, keras 3.15.1, numpy 2.4.6")


def test_version_that_the_metadata_exclude_is_a_fault_if_the_import_fails(place: Path, empty_python: Path) -> None:
    """The specifier, the version that is there, and the command that mends it; once, though a known pair says it too."""
    installed(place, "tensorflow", "2.15.1", "numpy<2.0.0,>=1.23.5", "wrapt<1.15,>=1.11.0")
    installed(place, "numpy", "2.1.0")
    installed(place, "wrapt", "1.16.0")
    finding = checked("package-versions", examine_environment(empty_python))
    assert status(finding) == "fail"
    assert "tensorflow 2.15.1 asks for numpy<2.0.0,>=1.23.5, and 2.1.0 is installed" in said(finding)
    assert "-m pip install 'numpy<2.0.0,>=1.23.5'" in said(finding)
    assert said(finding).count("numpy<2") == 2  # what is asked for, and the command
    assert finding.topics == ("numpy-abi-version",)
    package(place, "tensorflow", "__version__ = '2.15.1'")
    assert status(checked("package-versions", examine_environment(empty_python))) == "warn"


def test_missing_requirement_is_a_warning(place: Path, empty_python: Path) -> None:
    """An installation without its dependencies may work for what someone does with it."""
    tensorflow_and_keras(place, "2.21.0", "3.15.1", "typing_extensions>=3.6.6", "libclang>=13")
    finding = checked("package-versions", examine_environment(empty_python))
    assert status(finding) == "warn"
    assert "tensorflow asks for 'libclang>=13', 'typing-extensions>=3.6.6', which are not installed" in said(finding)


@pytest.mark.parametrize(
    ("versions", "topic", "words"),
    [
        ({"tensorflow": "2.10.1", "keras": "2.10.0", "numpy": "2.0.2"}, "numpy-abi-version", "with NumPy 1"),
        ({"tensorflow": "2.8.0", "keras": "2.8.0", "protobuf": "4.21.0"}, "protobuf-version", "of protobuf 3"),
        ({"tensorflow": "2.10.1", "keras": "2.9.0"}, "keras-tensorflow-version-pair", "same minor version"),
        ({"tensorflow": "2.9.0", "keras": "3.0.0"}, "keras-tensorflow-version-pair", "needs keras==2.9.*"),
        ({"tensorflow": "2.6.0", "keras": "2.4.3"}, "keras-tensorflow-version-pair", "hands on to tf.keras"),
        (
            {"tensorflow": "2.17.0", "keras": "3.4.0", "tf-keras": "2.16.0"},
            "keras-tensorflow-version-pair",
            "tf-keras 2.16.0",
        ),
    ],
)
def test_known_pairs_that_do_not_fit(
    place: Path, empty_python: Path, versions: dict[str, str], topic: str, words: str
) -> None:
    """Releases without upper bounds in their metadata: a fault, because TensorFlow can't be imported here."""
    for name, version in versions.items():
        installed(place, name.replace("-", "_"), version)
    environment = examine_environment(empty_python)
    finding = checked("package-versions", environment, topic)
    assert words in said(finding)
    assert finding.topics == (topic,)
    assert status(finding) == ("warn" if "tf-keras" in versions else "fail")


@pytest.mark.parametrize(
    ("versions", "topic"),
    [
        ({"tensorflow": "2.3.0", "keras": "2.3.1", "h5py": "3.1.0"}, "h5py-str-decode"),
        ({"tensorflow": "2.3.0", "keras": "2.2.4"}, "keras-tensorflow-version-pair"),
    ],
)
def test_pairs_that_fail_in_use_are_faults_though_the_import_works(
    place: Path, empty_python: Path, versions: dict[str, str], topic: str
) -> None:
    """`import keras` says nothing; the first model that is loaded or built does."""
    for name, version in versions.items():
        package(place, name, f"__version__ = {version!r}")
        installed(place, name, version)
    finding = checked("package-versions", examine_environment(empty_python))
    assert finding.fault
    assert topic in finding.topics


def test_without_tensorflow_and_keras_there_is_nothing_to_compare(place: Path, empty_python: Path) -> None:
    """NumPy alone is no environment for Keras."""
    installed(place, "numpy", "2.1.0")
    assert status(checked("package-versions", examine_environment(empty_python))) == "skip"


# ---- several-kerases -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (
            ("tensorflow", "tensorflow_cpu"),
            "'tensorflow 2.21.0', 'tensorflow-cpu 2.21.0' write the same folder `tensorflow`",
        ),
        (("keras", "keras_nightly"), "'keras 2.21.0', 'keras-nightly 2.21.0' write the same folder `keras`"),
    ],
)
def test_two_distributions_of_the_same_files_are_told(
    place: Path, empty_python: Path, names: tuple[str, ...], words: str
) -> None:
    """A fault where the import fails, a warning where it works."""
    for name in names:
        installed(place, name, "2.21.0")
    finding = checked("several-kerases", examine_environment(empty_python))
    assert (status(finding), words in said(finding)) == ("fail", True)
    package(place, "tensorflow", "__version__ = '2.21.0'")
    package(place, "keras", "__version__ = '2.21.0'")
    assert status(checked("several-kerases", examine_environment(empty_python))) == "warn"


def test_tensorflow_that_is_made_of_another_distribution_is_sound(place: Path, empty_python: Path) -> None:
    """On Windows and Macs, tensorflow 2.13 asks for the distribution that has the files."""
    tensorflow_and_keras(place, "2.13.0", "2.13.1", "tensorflow-intel==2.13.0")
    installed(place, "tensorflow_intel", "2.13.0")
    assert status(checked("several-kerases", examine_environment(empty_python))) == "pass"


def test_two_versions_in_one_folder_and_leftovers_are_told(place: Path, empty_python: Path) -> None:
    """What an interrupted `pip install` leaves."""
    for version in ("3.14.0", "3.15.1"):
        installed(place, "keras", version)
    (place / "packages" / "~ensorflow").mkdir()
    finding = checked("several-kerases", examine_environment(empty_python))
    assert "keras is there 2 times, Python takes the first: 3.14.0" in said(finding)
    assert "two in one folder mean that an installation was interrupted" in said(finding)
    assert "interrupted installations left '~ensorflow' in " in said(finding)
    assert status(finding) == "fail"


def test_keras_3_beside_a_keras_2_is_a_choice(place: Path, empty_python: Path) -> None:
    """TF_USE_LEGACY_KERAS: nothing is wrong, and mixing them explains a suspicion."""
    keras = "class keras:\n    __version__ = '2.19.0'\n    class Model:\n        pass\n"
    tensorflow_and_keras(place)
    (place / "packages" / "tensorflow" / "__init__.py").write_text(
        f"import sys\n__version__ = '2.19.0'\n{keras}    Model.__module__ = __name__\n", encoding="utf-8"
    )
    environment = examine_environment(empty_python)
    assert status(checked("several-kerases", environment)) == "pass"
    finding = checked("several-kerases", environment, "mixing-keras-and-tf-keras")
    assert "`import keras` gives 3.15.1, `tf.keras` is 2.19.0" in said(finding)


# ---- keras-configuration ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected", "words"),
    [
        (
            '{"floatx": "float32", "epsilon": 1e-07, "backend": "tensorflow", "image_data_format": "channels_last"}',
            "pass",
            "",
        ),
        ('{"backend": "jax",}', "fail", "can't be read (JSONDecodeError"),
        ("\ufeff{}", "fail", "can't be read"),
        ('{"floatx": "float8"}', "fail", "floatx='float8', which Keras refuses"),
        ('{"floatx": 32}', "fail", "floatx='32', which Keras refuses"),
        ('{"epsilon": 1}', "fail", "epsilon='1', which Keras refuses"),
        ('{"epsilon": "1e-7"}', "fail", "which Keras refuses"),
        ('{"epsilon": 0.1}', "warn", "epsilon=0.1; it keeps"),
        ('{"epsilon": NaN}', "warn", "epsilon=nan"),
        ('{"floatx": "float16"}', "warn", "losses become NaN easily"),
        ('{"image_data_format": "channels_first"}', "warn", "makes channels_first the default"),
        ('{"image_data_format": "tf"}', "fail", "image_data_format='tf', which Keras refuses"),
        ('{"image_dim_ordering": "th"}', "warn", "only Keras 1 reads"),
        ('{"backend": "pytorch"}', "fail", "the backend 'pytorch', which there is not"),
        ('{"backend": "jax"}', "fail", "keras.json chose the backend jax, which is not installed"),
    ],
)
def test_keras_json_is_checked_as_keras_reads_it(
    place: Path, empty_python: Path, text: str, expected: str, words: str
) -> None:
    """Broken, refused, odd, or as Keras itself writes it."""
    (place / "home" / ".keras").mkdir()
    (place / "home" / ".keras" / "keras.json").write_text(text, encoding="utf-8")
    finding = checked("keras-configuration", examine_environment(empty_python))
    assert status(finding) == expected, said(finding)
    assert words in said(finding)


@pytest.mark.parametrize(
    ("variables", "keras", "expected", "words"),
    [
        ({"KERAS_BACKEND": "torch"}, "3.15.1", "fail", "KERAS_BACKEND chose the backend torch, which is not installed"),
        ({"KERAS_BACKEND": "jax"}, "2.15.0", "warn", "has only TensorFlow and does not look at it"),
        ({"KERAS_BACKEND": "jax"}, "2.3.1", "fail", "choose tensorflow, theano, cntk"),
        ({"KERAS_BACKEND": ""}, "3.15.1", "pass", ""),
        ({"TF_USE_LEGACY_KERAS": "1"}, "3.15.1", "fail", "tf_keras, which is not installed"),
        ({"TF_USE_LEGACY_KERAS": "yes"}, "3.15.1", "warn", "'yes' changes nothing"),
        ({"TF_USE_LEGACY_KERAS": "TRUE"}, "3.15.1", "warn", "'TRUE' changes nothing"),
        ({"TF_USE_LEGACY_KERAS": "0"}, "3.15.1", "pass", ""),
        ({"TF_USE_LEGACY_KERAS": "false"}, "3.15.1", "pass", ""),
        ({"KERAS_HOME": "nowhere"}, "3.15.1", "pass", "holds no keras.json"),
    ],
)
def test_variables_are_checked_against_what_is_installed(
    place: Path,
    empty_python: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    keras: str,
    expected: str,
    words: str,
) -> None:
    """What Keras or TensorFlow would do with each value."""
    tensorflow_and_keras(place, keras=keras)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    finding = checked("keras-configuration", examine_environment(empty_python))
    assert status(finding) == expected, said(finding)
    assert words in said(finding)


# ---- shadowing-files -------------------------------------------------------------------------------------------------


def test_file_named_like_a_package_is_a_fault(place: Path, empty_python: Path) -> None:
    """Someone's first example, saved as keras.py."""
    (place / "work" / "keras.py").write_text("print('my first network')", encoding="utf-8")
    finding = checked("shadowing-files", examine_environment(empty_python))
    assert "keras.py in the current folder hides the package keras" in said(finding)
    assert (status(finding), finding.topics) == ("fail", ("local-file-shadows-package",))


def test_file_named_like_a_standard_module_counts_by_what_it_does(place: Path, empty_python: Path) -> None:
    """Not imported by TensorFlow: a fact. Imported: a warning. Imported and the import fails: a fault."""
    (place / "work" / "code.py").touch()
    (place / "work" / "random.py").touch()
    tensorflow_and_keras(place)
    environment = examine_environment(empty_python)
    assert status(checked("shadowing-files", environment)) == "pass"
    assert "code.py in the current folder hides the standard library's code; TensorFlow and Keras did not" in said(
        checked("shadowing-files", environment)
    )
    tensorflow = place / "packages" / "tensorflow" / "__init__.py"
    tensorflow.write_text("import random\n__version__ = '2.21.0'", encoding="utf-8")
    finding = checked("shadowing-files", examine_environment(empty_python))
    assert (status(finding), "`import tensorflow` takes it: it works so far" in said(finding)) == ("warn", True)
    tensorflow.write_text("import random\nrandom.choice('ab')", encoding="utf-8")
    finding = checked("shadowing-files", examine_environment(empty_python))
    assert (status(finding), "`import tensorflow` takes it and fails" in said(finding)) == ("fail", True)


def test_folder_of_someone_elses_names_is_sound(place: Path, empty_python: Path) -> None:
    """train.py, utils/, data/, a folder test without code, tests with code."""
    for name in ("utils", "data", "test", "tests", "models"):
        (place / "work" / name).mkdir()
    (place / "work" / "tests" / "__init__.py").touch()
    (place / "work" / "train.py").touch()
    assert said(checked("shadowing-files", examine_environment(empty_python))).startswith(
        "no file in the current folder"
    )


# ---- cuda-versions ---------------------------------------------------------------------------------------------------


def test_libraries_are_counted_against_the_build() -> None:
    """As recorded on a machine with a GPU, with all libraries, and without those of CUDA 12."""
    assert "found 7 of the 7 libraries" in said(checked("cuda-versions", recorded("tensorflow-visible")))
    finding = checked("cuda-versions", recorded("tensorflow-without-cuda-12"))
    assert "built for CUDA 12.5.1 and cuDNN 9; found 2 of the 7 libraries that it opens, not libcudart.so.12" in said(
        finding
    )
    assert status(finding) == "fail"
    assert status(checked("cuda-versions", recorded("no-gpu"))) == "pass"
    assert status(checked("cuda-versions", recorded("torch"))) == "skip"


def test_older_cudnn_than_that_of_the_build_is_a_fault() -> None:
    """TensorFlow's own words."""
    environment = recorded("tensorflow-visible")
    line = "Loaded runtime CuDNN library: 8.4.1 but source was compiled with: 8.6.0.  CuDNN library needs to have ..."
    environment = replace(environment, tensorflow=replace(environment.tensorflow, log=(line,)))
    finding = checked("cuda-versions", environment)
    assert "cuDNN 8.4.1 was loaded, TensorFlow was compiled with 8.6.0" in said(finding)
    assert finding.fault


def test_packages_of_nvidia_are_compared_with_the_extra(place: Path, empty_python: Path) -> None:
    """Another version than and-cuda asks for: a fact without a GPU, a fault where a GPU isn't seen because of it."""
    wanted = 'nvidia-cudnn-cu12<10.0,>=9.3.0.75; extra == "and-cuda"'
    tensorflow_and_keras(place, "2.21.0", "3.15.1", wanted, 'nvidia-nccl-cu12>=2; extra == "and-cuda"')
    installed(place, "nvidia_cudnn_cu12", "8.9.2.26")
    built = replace(recorded("no-gpu").tensorflow, cuda_version="12.5.1", gpus=())
    environment = replace(examine_environment(empty_python), tensorflow=built)
    finding = checked("cuda-versions", environment)
    assert "not those that TensorFlow asks for: 'nvidia-cudnn-cu12 8.9.2.26 (<10.0,>=9.3.0.75)'" in said(finding)
    assert "others are missing: 'nvidia-nccl-cu12'" in said(finding)
    assert status(finding) == "pass"
    with_gpu = replace(environment, driver=replace(environment.driver, gpus=(H200,)), driver_unhidden=None)
    assert status(checked("cuda-versions", with_gpu)) == "fail"


def test_toolkit_before_the_packages_of_pip_is_a_warning() -> None:
    """LD_LIBRARY_PATH comes first, whatever pip installed."""
    environment = replace(
        recorded("tensorflow-visible"),
        variables={"LD_LIBRARY_PATH": "/usr/local/cuda-11/lib64"},
        cuda_libraries={"libcudart.so.11.0": "/usr/local/cuda-11/lib64"},
        distributions={"tensorflow": "2.21.0", "nvidia-cudnn-cu12": "9.3.0.75"},
    )
    finding = checked("cuda-versions", environment)
    assert "puts /usr/local/cuda-11/lib64 ('libcudart.so.11.0') before the 1 packages" in said(finding)
    assert status(finding) == "warn"


# ---- cpu-features, memory-and-disk -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cpu", "machine", "outcome", "expected", "words"),
    [
        (Cpu("Xeon", ("sse4_2", "avx"), cores=4), "x86_64", Import("ok", version="2.21.0"), "pass", "Xeon: sse4_2 avx"),
        (Cpu("Celeron", ("sse4_2",)), "x86_64", Import("SIGILL"), "fail", "Celeron has no AVX"),
        (Cpu("Celeron", ("sse4_2",)), "x86_64", Import("ok", version="1.5.0"), "warn", "has no AVX"),
        (Cpu("Graviton", ("asimd",)), "aarch64", Import("ok", version="2.21.0"), "pass", "asimd"),
        (
            Cpu("", ("sse4_2",), "rosetta"),
            "x86_64",
            Import("ok", version="2.16.0"),
            "warn",
            "imitated processor (Rosetta)",
        ),
        (Cpu("POWER9", ()), "ppc64le", Import("raised"), "fail", "no TensorFlow wheels for the processor ppc64le"),
        (Cpu(), "x86_64", Import("raised"), "skip", "the system doesn't tell"),
    ],
)
def test_processor_against_what_the_wheels_need(
    cpu: Cpu, machine: str, outcome: Import, expected: str, words: str
) -> None:
    """AVX on x86; ARM has no such thing; what is imitated works slowly."""
    environment = recorded("no-gpu")
    environment = replace(environment, cpu=cpu, tensorflow=outcome, system=replace(environment.system, machine=machine))
    finding = checked("cpu-features", environment)
    assert status(finding) == expected, said(finding)
    assert words in said(finding)


TEMPORARY = Disk("temporary", "/tmp", 50_000, 100_000, writable=True)  # noqa: S108 - a name in a report


@pytest.mark.parametrize(
    ("facts", "expected", "words"),
    [
        ({}, "pass", "8000 MiB of memory left of 16000; swap 0"),
        (
            {"memory": Memory(16000, 300)},
            "fail",
            "300 MiB of memory left of 16000: importing TensorFlow alone takes 600",
        ),
        ({"memory": Memory(16000, 1000, limit=2000)}, "warn", "the container may take 2000"),
        ({"memory": Memory(16000, None)}, "pass", "16000 MiB"),
        ({"disks": (replace(TEMPORARY, free=50),)}, "fail", "50 MiB free for the folder temporary (/tmp)"),
        ({"disks": (replace(TEMPORARY, free=500),)}, "warn", "soon fill that"),
        ({"disks": (replace(TEMPORARY, writable=False),)}, "fail", "set TMPDIR"),
        ({"disks": (replace(TEMPORARY, name="current", writable=False),)}, "warn", "give a full path"),
        ({"disks": (replace(TEMPORARY, name="home", writable=False),)}, "pass", "KERAS_HOME"),
        ({"limits": {"address_space": 4000}}, "warn", "limits address space to 4000 (`ulimit -v`)"),
        ({"limits": {"open_files": 1024, "processes": 4000}}, "pass", ""),
        ({"limits": {"cpu_seconds": 60}}, "warn", "60 seconds of processor time"),
        ({"memory": Memory(), "disks": ()}, "skip", "neither memory nor disks"),
    ],
)
def test_memory_disks_and_limits(facts: dict[str, Any], expected: str, words: str) -> None:
    """Numbers, and what they are about."""
    sound = {"memory": Memory(16000, 8000), "disks": (TEMPORARY,), "limits": {}}
    finding = checked("memory-and-disk", replace(recorded("no-gpu"), **{**sound, **facts}))
    assert status(finding) == expected, said(finding)
    assert words in said(finding)


def test_small_shared_memory_hurts_pytorch_only() -> None:
    """Docker's 64 MiB: TensorFlow does not use it."""
    shared = (Disk("shared memory", "/dev/shm", 64, 64, writable=True),)  # noqa: S108 - a name in a report
    assert status(checked("memory-and-disk", replace(recorded("no-gpu"), disks=shared))) == "pass"
    assert status(checked("memory-and-disk", replace(recorded("torch"), disks=shared))) == "warn"


# ---- all of them -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("probe", PROBES_OF_ENVIRONMENTS, ids=lambda probe: probe.id)
@pytest.mark.parametrize("name", ["tensorflow-visible", "no-gpu", "torch", "jax"])
def test_recorded_healthy_environments_have_no_fault(probe: Any, name: str) -> None:
    """Recorded on machines where Keras worked."""
    finding = examine(probe, recorded(name), "python", frozenset())
    assert finding.outcome != "crashed", said(finding)
    assert not finding.fault
    assert not finding.warning


ODD = ("", "0", "\x00", "９.９", "2.", "a" * 5000, "$(x)", "{}", "{keras}", "%s", "1" * 400, "-1", "nan", "<", "[", "(")


def mutated(value: Any, choose: random.Random) -> Any:
    """The same shape with the same types and other values: a report that anyone may have written."""
    if isinstance(value, dict):
        return {name: mutated(inner, choose) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        kept = [mutated(inner, choose) for inner in value]
        return kept[: choose.randint(0, len(kept))] * choose.choice((1, 1, 3))
    if choose.random() < 0.8 or isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return choose.choice(ODD)
    return type(value)(choose.choice((0, -1, 10**30)))


@pytest.mark.parametrize("seed", range(40))
def test_no_probe_fails_on_an_odd_report(seed: int) -> None:
    """Whatever stands in the fields: a finding, nothing, or a reason; never an exception."""
    choose = random.Random(seed)  # noqa: S311 - no secret is made of it
    name = choose.choice(["tensorflow-visible", "no-gpu", "torch", "tensorflow-without-cuda-12"])
    report = copy.deepcopy(recorded(name).as_json())
    package = {"name": "tensorflow", "version": "2.21.0", "folder": "x", "requires": ["numpy<2", "h5py; extra=='a'"]}
    report |= {"packages": [{**package, "requires_python": ">=3.9", "pythons": ["3.9"]}], "required": {"numpy": "2.0"}}
    report |= {"shadows": [{"name": "keras.py", "folder": ".", "hides": "keras", "kind": "package", "file": "x"}]}
    report |= {"limits": {"open_files": 3}, "leftovers": ["x/~keras"], "variables": {"TF_USE_LEGACY_KERAS": "1"}}
    fields = {"epsilon": "1e-7", "floatx": "float16", "backend": "jax"}
    report |= {"keras_json": {"path": "x", "state": "read", "fields": fields, "kinds": {"epsilon": "float"}}}
    report |= {"disks": [{"name": "home", "path": "~", "free": 1, "total": 2, "writable": False}]}
    report |= {"memory": {"total": 9, "left": 2, "swap": 0, "limit": 3}, "cpu": {"features": ["avx"], "cores": 2}}
    environment = Environment.from_json({**mutated(report, choose), "format": 2})
    for probe in PROBES_OF_ENVIRONMENTS:
        try:
            list(probe.look(environment))
        except CouldNotLook:
            continue
