"""The probe of GPU visibility, on environments that the script recorded with and without a GPU, and on variations.

`tensorflow-visible` was recorded with empty libraries in place of those of CUDA 12: TensorFlow opens them, and no more,
before it lists a GPU.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from kerasdoctor.diagnostics.cuda import needed_driver, needed_libraries, why_hidden
from kerasdoctor.diagnostics.environment import Environment
from kerasdoctor.diagnostics.environment_facts import Choice, Driver, Gpu, Import, Smi, System
from kerasdoctor.diagnostics.probe import CouldNotLook, Evidence, examine
from kerasdoctor.diagnostics.probes.gpu_visibility import PROBE

from .conftest import broken, recorded

NO_DRIVER = Driver("exit code 1", "OSError: libcuda.so.1: cannot open shared object file: No such file or directory")
NO_SMI = Smi("not started", "No such file or directory")
H200 = Gpu("NVIDIA H200", 143155, "9.0")


def seen(environment: Environment) -> list[Evidence]:
    return list(PROBE.look(environment))


def only(environment: Environment) -> Evidence:
    (evidence,) = seen(environment)
    return evidence


def with_tensorflow(environment: Environment, **facts: object) -> Environment:
    return replace(environment, tensorflow=replace(environment.tensorflow, **facts))  # type: ignore[arg-type]


def test_visible_gpu_rules_the_topic_out() -> None:
    """The names and numbers of what TensorFlow sees; for the question how to use a GPU that is the answer."""
    evidence = only(recorded("tensorflow-visible"))
    assert evidence.text.en == "TensorFlow 2.21.0 sees 1 of 1 GPUs: NVIDIA H200"
    assert evidence.text.zh == "TensorFlow 2.21.0 看到 1 块 GPU 中的 1 块：NVIDIA H200"
    assert (evidence.rules_out, evidence.confirms, evidence.fault) == (("gpu-not-visible",), ("use-gpu",), False)


def test_no_gpu_is_no_fault_and_counts_only_where_one_was_asked_for() -> None:
    """A machine without a GPU is healthy: no finding unless the topic is suspected."""
    environment = recorded("no-gpu")
    assert "the CUDA driver counts 0 (libcuda.so.1: cannot open" in only(environment).text.en
    assert "the PCI bus shows 0" in only(environment).text.en
    assert examine(PROBE, environment, "python", frozenset()).outcome == "nothing"
    finding = examine(PROBE, environment, "python", frozenset({"gpu-not-visible"}))
    assert (finding.outcome, finding.topics) == ("finding", ("gpu-not-visible",))


@pytest.mark.parametrize(
    ("system", "words"),
    [
        (System("Linux", container="colab"), "Change runtime type"),
        (System("Linux", wsl=2), "WSL 2 uses the NVIDIA driver of Windows"),
    ],
)
def test_place_where_the_gpu_is_switched_on_is_told(system: System, words: str) -> None:
    """Colab's runtimes have none by default; WSL has no driver of its own."""
    assert words in only(replace(recorded("no-gpu"), system=system)).text.en


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "an empty value means no GPU"),
        (" ", "an empty value means no GPU"),
        ("-1", "the negative index -1 ends the list"),
        ("5", "there is no GPU 5, the indexes go from 0 to 0"),
        ("1,0", "there is no GPU 1, the indexes go from 0 to 0"),
        ("0,0", "a GPU stands there twice"),
        ("abc", "'abc' is neither an index nor an identifier"),
        ("gpu-00000000", "'gpu-00000000' is neither an index nor an identifier"),
        ("GPU-00000000", "no GPU here has the identifier GPU-00000000"),
    ],
)
def test_hidden_gpu_is_measured_and_explained(value: str, why: str) -> None:
    """Each of these values hid the one GPU of the machine; the counts with and without the variable are the proof."""
    environment = recorded("jax-hidden")
    environment = replace(environment, variables={**environment.variables, "CUDA_VISIBLE_DEVICES": value})
    evidence = only(environment)
    assert f"CUDA_VISIBLE_DEVICES={value!r} hides every GPU" in evidence.text.en
    assert f"counts 0 with it, 1 without it (NVIDIA H200); {why}." in evidence.text.en
    assert "设置它时驱动数到 0 块，去掉它数到 1 块" in evidence.text.zh
    assert (evidence.confirms, evidence.fault) == (("gpu-not-visible",), True)


def test_hidden_gpu_of_tensorflow_is_the_only_cause_told() -> None:
    """As recorded with TensorFlow: it does not look for its libraries where there is no GPU."""
    evidence = seen(recorded("tensorflow-hidden"))
    assert "CUDA_VISIBLE_DEVICES='' hides every GPU" in evidence[0].text.en
    assert all("printed" not in e.text.en for e in evidence)


def test_part_of_the_gpus_hidden_is_a_choice() -> None:
    """Someone who lets a program have one of two GPUs has done nothing wrong."""
    two = Driver("ok", init=0, cuda=13000, gpus=(H200, H200))
    environment = replace(recorded("tensorflow-visible"), driver_unhidden=two, variables={"CUDA_VISIBLE_DEVICES": "1"})
    choice, visible = seen(environment)
    assert "leaves 1 of 2 GPUs visible" in choice.text.en
    assert (choice.confirms, choice.fault) == (("select-gpu",), False)
    assert visible.rules_out == ("gpu-not-visible",)


def test_container_without_its_gpus() -> None:
    """The driver is in the host's kernel, but there are no device files: docker run without --gpus."""
    environment = replace(
        recorded("tensorflow-visible"),
        nodes=(),
        driver=NO_DRIVER,
        smi=NO_SMI,
        system=System("Linux", container="docker"),
    )
    evidence = only(with_tensorflow(environment, gpus=()))
    assert "the NVIDIA driver 580.159.04, but there is no /dev/nvidia0: this docker container" in evidence.text.en
    assert "--gpus all" in evidence.text.zh
    assert evidence.fault


def test_gpu_on_the_bus_without_a_driver() -> None:
    """The card is there, the driver was never installed."""
    environment = replace(recorded("no-gpu"), pci=("10de:2335",))
    first = seen(environment)[0]
    assert "NVIDIA 10de:2335 is on the PCI bus, but no NVIDIA driver is loaded" in first.text.en
    assert first.fault


@pytest.mark.parametrize(("code", "name"), [(803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"), (999, "CUDA_ERROR_UNKNOWN")])
def test_driver_that_is_out_of_order_is_named_with_its_error(code: int, name: str) -> None:
    """After an update of the driver without a restart, say; nvidia-smi and the device files may look well."""
    driver = Driver("ok", init=code, init_name=name, cuda=13000)
    evidence = only(with_tensorflow(replace(recorded("tensorflow-visible"), driver=driver, smi=NO_SMI), gpus=()))
    assert f"can't use it: {name}" in evidence.text.en
    assert evidence.fault


def test_driver_that_hangs_or_fails_without_a_gpu_in_sight_is_a_fault() -> None:
    """On Windows there is no bus to look at: what is left is the driver's own word."""
    windows = replace(recorded("no-gpu"), system=System("Windows"), driver=Driver("timed out"))
    assert "the CUDA driver does not start: timed out" in seen(windows)[0].text.en
    assert seen(windows)[0].fault


def test_missing_libraries_are_named_as_tensorflow_told_them() -> None:
    """Recorded: TensorFlow for CUDA 12 on a machine with CUDA 13; it found cuDNN 9, and nothing else."""
    evidence = only(recorded("tensorflow-without-cuda-12"))
    assert "built for CUDA 12.5 and cuDNN 9, lacks libcudart.so.12, libcublas.so.12" in evidence.text.en
    assert "libcudart.so.13" in evidence.text.en
    assert "`pip install 'tensorflow[and-cuda]==2.21.0'`" in evidence.text.zh
    assert evidence.confirms == ("gpu-library-mismatch", "gpu-not-visible")
    assert evidence.fault


def test_missing_libraries_are_found_by_file_where_tensorflow_did_not_get_that_far() -> None:
    """With the GPU hidden TensorFlow tries no library; those that will be missing next are told at once."""
    environment = recorded("tensorflow-hidden")
    hidden, libraries = seen(replace(environment, cuda_libraries={"libcudnn.so.8": "/usr/lib"}))
    assert "hides" in hidden.text.en
    assert "libcudnn.so.9 (another version is there: libcudnn.so.8)" in libraries.text.en
    unknown = replace(environment, missing={"cuda_libraries": "PermissionError: /opt"}, cuda_libraries={})
    assert len(seen(unknown)) == 1


def test_old_tensorflow_gets_another_remedy_for_missing_libraries() -> None:
    """The extra and-cuda came with 2.14: before that CUDA and cuDNN are installed by hand."""
    said = ("Could not load dynamic library 'libcudnn.so.8'; dlerror: libcudnn.so.8: cannot open", "Cannot dlopen some")
    environment = with_tensorflow(
        recorded("tensorflow-without-cuda-12"), version="2.9.3", cuda_version="11.2", cudnn_version="8", log=said
    )
    text = only(environment).text.en
    assert "TensorFlow 2.9.3, built for CUDA 11.2 and cuDNN 8, lacks libcudnn.so.8" in text
    assert "put their folders into LD_LIBRARY_PATH" in text


def test_driver_too_old_for_the_build_is_a_fault_even_if_the_gpu_is_listed() -> None:
    """TensorFlow lists the GPU, and then fails when it first computes on it."""
    environment = recorded("tensorflow-visible")
    driver, smi = replace(environment.driver, cuda=11040), replace(environment.smi, driver="470.1")
    fault, visible = seen(replace(environment, driver=driver, smi=smi))
    assert "the driver 470.1 supports CUDA up to 11.4, TensorFlow 2.21.0 was built for CUDA 12.5.1" in fault.text.en
    assert "to 525.60.13 or newer" in fault.text.en
    assert fault.fault
    assert visible.rules_out == ()


def test_gpu_too_old_for_the_build_is_a_fault() -> None:
    """TensorFlow ignores a GPU below the lowest compute capability that it was built for."""
    environment = recorded("tensorflow-visible")
    driver = replace(environment.driver, gpus=(Gpu("Quadro M4000", 8192, "5.2"),))
    fault, _ = seen(replace(environment, driver=driver))
    assert "Quadro M4000 has compute capability 5.2; TensorFlow 2.21.0 was built for 6.0 and newer" in fault.text.en


@pytest.mark.parametrize(
    ("system", "version", "packages", "words"),
    [
        ("Linux", "2.21.0", {"tensorflow-cpu": "2.21.0"}, "`pip uninstall tensorflow-cpu`, then `pip install"),
        ("Linux", "2.21.0", {}, "can't use NVIDIA H200: `pip install 'tensorflow[and-cuda]'`"),
        ("Windows", "2.15.0", {"tensorflow-intel": "2.15.0"}, "2.10 was the last release for GPUs: use WSL2"),
        ("Windows", "2.10.0", {}, "`pip install tensorflow==2.10.1`"),
    ],
)
def test_cpu_build_of_tensorflow(system: str, version: str, packages: dict[str, str], words: str) -> None:
    """A GPU is there and the build can't use any: what to install depends on the system."""
    environment = replace(recorded("tensorflow-visible"), system=System(system), distributions=packages)
    evidence = only(with_tensorflow(environment, gpus=(), cuda_build=False, version=version))
    assert words in evidence.text.en
    assert (evidence.confirms, evidence.fault) == (("gpu-not-visible",), True)


def test_cpu_build_on_a_machine_without_a_gpu_is_nobodys_fault() -> None:
    """Nothing is wrong with tensorflow-cpu where there is only a CPU."""
    environment = with_tensorflow(recorded("no-gpu"), cuda_build=False)
    assert not any(e.fault for e in seen(environment))


def test_mac_without_the_plug_in_is_a_fact() -> None:
    """Apple's plug-in is optional; without NVIDIA's driver nothing is said of it."""
    environment = replace(recorded("no-gpu"), system=System("Darwin", machine="arm64"))
    evidence = only(with_tensorflow(environment, cuda_build=False))
    assert "tensorflow-metal" in evidence.text.en
    assert not evidence.fault


def test_gpu_of_another_maker_needs_no_nvidia_driver() -> None:
    """TensorFlow for ROCm, DirectML or Metal sees its GPU: there is no NVIDIA to look for."""
    environment = with_tensorflow(recorded("no-gpu"), rocm_build=True, cuda_build=False, gpus=("gfx90a",))
    assert only(environment).text.en == "TensorFlow 2.21.0 sees 1 of 1 GPUs: gfx90a"


def test_unexplained_blindness_is_told_with_tensorflows_own_words() -> None:
    """Every known cause is excluded: what TensorFlow printed is the best there is."""
    environment = with_tensorflow(recorded("tensorflow-visible"), gpus=(), log=("CUDA_ERROR_OUT_OF_MEMORY",))
    text, evidence = only(environment).text.en, only(environment)
    assert "sees 0 of 1 GPUs (NVIDIA H200) that the driver gives it; it printed: CUDA_ERROR_OUT_OF_MEMORY" in text
    assert evidence.fault


@pytest.mark.parametrize(("name", "framework"), [("jax", "JAX 0.11.2"), ("torch", "PyTorch 2.11.0+cu130")])
def test_other_backend_counts_instead_of_tensorflow(name: str, framework: str) -> None:
    """Recorded with KERAS_BACKEND set, on a machine without TensorFlow: nothing is wrong."""
    evidence = only(recorded(name))
    assert f"{framework} sees 1 of 1 GPUs: NVIDIA H200; Keras runs on it (KERAS_BACKEND)" in evidence.text.en
    assert evidence.rules_out == ("gpu-not-visible",)


def test_cpu_builds_of_the_other_backends() -> None:
    """PyTorch tells it itself; JAX has a plug-in for GPUs, or it has none."""
    torch, jax = recorded("torch"), recorded("jax")
    assert torch.torch is not None
    assert jax.jax is not None
    blind = replace(torch, torch=replace(torch.torch, cuda_build=False, cuda_version=None, gpus=()))
    assert "PyTorch 2.11.0+cu130 was built for the CPU only and can't use NVIDIA H200" in only(blind).text.en
    blind = replace(jax, jax=replace(jax.jax, gpus=()), distributions={"jaxlib": "0.11.2"})
    assert "`pip install 'jax[cuda12]'`" in only(blind).text.en
    blind = replace(blind, distributions={"jaxlib": "0.4.13+cuda12.cudnn89"})
    assert "JAX 0.11.2 sees 0 of 1 GPUs" in only(blind).text.en


def test_backends_without_gpus_and_unknown_backends() -> None:
    """The backend numpy is a choice, `pytorch` is a mistake, Theano is beyond what can be examined."""
    environment = replace(recorded("no-gpu"), keras=Import("raised"), distributions={})
    choice = only(replace(environment, backend=Choice("numpy", "keras.json")))
    assert not choice.fault
    assert "'numpy' (keras.json)" in choice.text.en
    for name in ("pytorch", "theano"):
        with pytest.raises(CouldNotLook, match=name):
            seen(replace(environment, backend=Choice(name, "keras.json")))


@pytest.mark.parametrize("result", [broken("No module named 'tensorflow'"), Import("SIGILL"), Import("ok")])
def test_framework_that_cannot_be_imported_tells_nothing_of_gpus(result: Import) -> None:
    """Why it can't be is what the probe of the imports tells; this one could not look."""
    environment = replace(recorded("no-gpu"), tensorflow=result, keras=Import("raised"))
    finding = examine(PROBE, environment, "python", frozenset({"gpu-not-visible"}))
    assert (finding.outcome, finding.evidence[0].en) == ("could_not_look", "`import tensorflow` fails (see imports)")
    hidden = replace(recorded("tensorflow-hidden"), tensorflow=result)
    assert "hides every GPU" in only(hidden).text.en


def test_import_that_timed_out_tells_nothing_of_gpus() -> None:
    """Slow is not broken: the probe could not look, and says how long it waited."""
    environment = replace(recorded("no-gpu"), tensorflow=Import("timed out"), keras=Import("timed out"), seconds=57.0)
    finding = examine(PROBE, environment, "python", frozenset({"gpu-not-visible"}))
    assert finding.outcome == "could_not_look"
    assert "timed out; the examination took 57 s" in finding.evidence[0].en


def test_import_that_timed_out_does_not_hide_a_fault_of_the_driver() -> None:
    """What was measured without TensorFlow counts without TensorFlow."""
    environment = replace(recorded("tensorflow-hidden"), tensorflow=Import("timed out"), keras=Import("timed out"))
    assert "hides every GPU" in only(environment).text.en


@pytest.mark.parametrize(
    ("cuda", "cudnn", "windows", "some"),
    [
        ("12.5.1", "9", False, {"libcudart.so.12", "libcufft.so.11", "libcusolver.so.11", "libcudnn.so.9"}),
        ("11.2", "8", False, {"libcudart.so.11.0", "libcufft.so.10", "libcusolver.so.11", "libcudnn.so.8"}),
        ("11.0", "8", False, {"libcusolver.so.10", "libcusparse.so.11"}),
        ("10.1", "7", False, {"libcudart.so.10.1", "libcublas.so.10", "libcudnn.so.7"}),
        ("64_112", "64_8", True, {"cudart64_110.dll", "cublasLt64_11.dll", "cusolver64_11.dll", "cudnn64_8.dll"}),
        (None, None, False, set()),
    ],
)
def test_libraries_that_a_build_needs(cuda: str | None, cudnn: str | None, windows: bool, some: set[str]) -> None:
    """The file names that TensorFlow 2.21, 2.9, 2.4, 2.3 and 2.10 on Windows ask the loader for."""
    needed = needed_libraries(Import("ok", cuda_version=cuda, cudnn_version=cudnn), windows)
    assert some <= set(needed)
    assert bool(needed) == bool(some)


@pytest.mark.parametrize(
    ("driver", "built", "needed"),
    [
        (13000, "12.5.1", None),
        (12000, "12.5.1", None),
        (11080, "12.3", "525.60.13"),
        (10020, "11.2", "450.80.02"),
        (10000, "10.1", "CUDA 10.1"),
        (12040, None, None),
        (0, "12.5.1", None),
    ],
)
def test_driver_that_a_build_needs(driver: int, built: str | None, needed: str | None) -> None:
    """From CUDA 11 on the same major release is enough; before, it had to be the release itself."""
    assert needed_driver(driver, built) == needed


def test_indexes_are_read_as_the_driver_reads_them() -> None:
    """`2abc` is index 2 for the driver, as measured with `0abc`."""
    assert why_hidden("2abc", 2).en == "there is no GPU 2, the indexes go from 0 to 1"
