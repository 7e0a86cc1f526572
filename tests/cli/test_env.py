"""`kerasdoctor env`, run as a process: its page, its report, its JSON, its exit codes."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

IDS = [
    "cpu-features",
    "cuda-versions",
    "gpu-visibility",
    "imports",
    "keras-configuration",
    "memory-and-disk",
    "package-versions",
    "python-version",
    "several-kerases",
    "shadowing-files",
]
VARIABLES = (
    "KERAS_BACKEND",
    "KERAS_HOME",
    "TF_USE_LEGACY_KERAS",
    "CUDA_VISIBLE_DEVICES",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A current folder, a home folder and a folder of packages with a TensorFlow and a Keras that can be imported."""
    for name, version in (("tensorflow", "2.21.0"), ("keras", "3.15.1")):
        folder = tmp_path / "packages" / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(f"__version__ = {version!r}\n", encoding="utf-8")
        metadata = tmp_path / "packages" / f"{name}-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n", encoding="utf-8")
    with (tmp_path / "packages" / "tensorflow" / "__init__.py").open("a", encoding="utf-8") as file:
        file.write("import keras\nkeras.Model = type('Model', (), {'__module__': 'keras'})\n")
    (tmp_path / "work").mkdir()
    (tmp_path / "home").mkdir()
    return tmp_path


def env(place: Path, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `kerasdoctor env` in the place."""
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    packages = variables.pop("PYTHONPATH", str(place / "packages"))
    inherited = [str(Path(path).resolve()) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    own = {
        "PYTHONPATH": os.pathsep.join(filter(None, [packages, *inherited])),
        "HOME": str(place / "home"),
        "COLUMNS": "100",
        "USER": "carla",
    }
    return subprocess.run(
        [Path(sys.executable).with_name("kerasdoctor"), "env", *arguments],
        capture_output=True,
        encoding="utf-8",
        cwd=place / "work",
        env={**kept, **own, **variables},
        check=False,
    )


def test_this_environment_is_sound(tmp_path: Path) -> None:
    """The one that the tests run in, with its real TensorFlow: no fault, and every check has looked."""
    for name in ("work", "home"):
        (tmp_path / name).mkdir()
    ended = env(tmp_path, "--json", PYTHONPATH="")
    assert ended.returncode == 0, ended.stdout
    answer = json.loads(ended.stdout)
    assert (answer["schema"], answer["lang"]) == ("kerasdoctor.environment/1", "en")
    assert [check["id"] for check in answer["checks"]] == IDS
    assert {check["status"] for check in answer["checks"]} <= {"pass", "warn"}
    assert answer["facts"]["tensorflow"]["keras_version"]


def test_page_has_the_machine_the_checks_and_the_count(place: Path, empty_python: Path) -> None:
    """Versions first, then a mark, the evidence and, for what is wrong, what to do and where it is documented."""
    (place / "work" / "keras.py").touch()
    ended = env(place, "--python", empty_python)
    assert ended.returncode == 4
    lines = ended.stdout.splitlines()
    assert lines[0] == "Environment"
    assert any("tensorflow 2.21.0, keras 3.15.1" in line for line in lines)
    assert "  ✗ shadowing-files: fault" in lines
    assert "  ✓ package-versions: nothing found" in lines
    assert "  ? gpu-visibility: could not look" in lines
    assert "keras.py in the current folder hides the package keras" in ended.stdout
    assert "What to do: give your own files names" in ended.stdout
    assert "https://docs.python.org/3/" in ended.stdout
    assert lines[-1].endswith("fail, 1 skip")


def test_report_is_one_block_of_markdown_without_personal_names(place: Path, empty_python: Path) -> None:
    """Nothing in it names the user, the host or the home folder, wherever they stand; nothing in it ends the block."""
    said = f"{place}/home/secret of carla on {platform.node()} in /home/alice/x ```` <b>"
    (place / "packages" / "tensorflow" / "__init__.py").write_text(f"raise ImportError({said!r})", encoding="utf-8")
    path = os.pathsep.join([str(place / "packages"), str(place / "home" / "lib"), "/data/carla/lib"])
    ended = env(place, "--report", "--python", empty_python, PYTHONPATH=path)
    assert ended.returncode == 4
    lines = ended.stdout.strip().splitlines()
    assert lines[0].startswith("**Environment** (`kerasdoctor env --report`")
    assert (lines[2], lines[-1]) == ("`````text", "`````")
    assert "~/secret of <user> on <host> in /home/<user>/x ```` <b>" in ended.stdout
    assert "~/lib:/data/<user>/lib" in ended.stdout
    for secret in ("carla", "alice", str(place / "home"), platform.node()):
        assert secret not in ended.stdout


def test_json_tells_each_check_and_the_facts_masked(place: Path, empty_python: Path) -> None:
    """The statuses are words; a remedy stands where something is to be done."""
    (place / "home" / ".keras").mkdir()
    (place / "home" / ".keras" / "keras.json").write_text("{", encoding="utf-8")
    ended = env(place, "--json", "--lang", "zh", "--python", empty_python)
    answer = json.loads(ended.stdout)
    checks: dict[str, dict[str, Any]] = {check["id"]: check for check in answer["checks"]}
    assert (ended.returncode, answer["lang"], list(checks)) == (4, "zh", IDS)
    broken = checks["keras-configuration"]
    assert (broken["status"], broken["topics"]) == ("fail", ["keras-config-file"])
    assert "~/.keras/keras.json 无法读取" in broken["evidence"][0]
    assert broken["remedy"]
    assert checks["package-versions"]["remedy"] is None
    assert checks["gpu-visibility"]["status"] == "skip"
    assert answer["facts"]["distributions"] == {"keras": "3.15.1", "tensorflow": "2.21.0"}
    assert str(place / "home") not in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--only", "keras-configuration"), 0),
        (("--only", "keras-configuration", "--fail-on", "warn"), 4),
        (("--only", "shadowing-files"), 4),
        (("--only", "shadowing-files", "--fail-on", "never"), 0),
        (("--only", "shadowing-files", "--only", "keras-configuration", "--fail-on", "warn"), 4),
        (("--only", "gpu-visibility"), 3),
        (("--only", "gpu-visibility", "--fail-on", "never"), 3),
        (("--only", "gpu-visibility", "--only", "imports"), 0),
    ],
)
def test_exit_code_says_how_it_ended(place: Path, empty_python: Path, arguments: tuple[str, ...], code: int) -> None:
    """0 fine, 4 by --fail-on, 3 if nothing could look; only the checks that were asked for count."""
    (place / "work" / "jax.py").touch()
    ended = env(place, "--python", empty_python, *arguments, TF_USE_LEGACY_KERAS="yes")
    assert ended.returncode == code, ended.stdout
    assert ("no check could look" in ended.stderr) == (code == 3)
    shown = [
        line.split()[1].rstrip(":") for line in ended.stdout.splitlines() if line[2:3] in "✓!✗?" and line[:2] == "  "
    ]
    assert shown == sorted(argument for argument in arguments if argument in IDS)


def test_list_tells_what_each_check_promises(place: Path) -> None:
    """In both languages, without examining anything."""
    ended = env(place, "--list", "--lang", "zh")
    assert [line.split()[0] for line in ended.stdout.splitlines()] == IDS
    assert "检查" in ended.stdout
    assert ended.returncode == 0


def test_wrong_usage_is_told(place: Path) -> None:
    """A check that isn't there, with those that are; two forms of output at once."""
    ended = env(place, "--only", "gpu")
    assert ended.returncode == 2
    assert "there is no probe 'gpu' here; there are cpu-features, cuda-versions" in ended.stderr
    assert env(place, "--json", "--report").returncode == 2
    assert env(place, "--fail-on", "always").returncode == 2


def test_interpreter_that_is_not_there_is_told_once(place: Path) -> None:
    """Nothing ran: an error, with the reason; the home folder is masked in that, too."""
    missing = place / "home" / "python9"
    ended = env(place, "--python", missing)
    assert ended.returncode == 3
    assert ended.stdout.count("no such program") == 1
    assert "~/python9: no such program" in ended.stdout
    answer = json.loads(env(place, "--json", "--python", missing).stdout)
    assert {check["status"] for check in answer["checks"]} == {"skip"}
    assert answer["facts"] is None
