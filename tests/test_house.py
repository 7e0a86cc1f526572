"""The house: who imports whom, what the command line loads, what the wheel holds, that the papers agree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import kerasdoctor
import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
HEAVY = (
    "tensorflow", "keras", "tf_keras", "sklearn", "scipy", "numpy", "h5py",
    "fastapi", "pydantic", "sqlalchemy", "yaml", "rapidfuzz",
)  # fmt: skip


def test_imports_point_one_way() -> None:
    """Cli -> service -> diagnostics -> knowledge, and nothing back."""
    ended = subprocess.run([BIN / "lint-imports"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    assert "1 kept, 0 broken" in ended.stdout


def loaded_by(statement: str) -> list[str]:
    script = f"import sys\n{statement}\nprint(' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    """`import kerasdoctor.cli` costs click and nothing else."""
    assert loaded_by("import kerasdoctor.cli") == []


def test_explaining_loads_neither_numpy_nor_scikit_learn() -> None:
    """A diagnosis of a text needs the index, PyYAML and RapidFuzz; HDF5, NumPy and scikit-learn stay out."""
    diagnose = (
        "from kerasdoctor.diagnostics.doctor import Doctor\n"
        "from kerasdoctor.knowledge.matcher import Matcher\n"
        "Doctor(Matcher.load()).diagnose('ValueError: Graph disconnected')"
    )
    assert loaded_by(diagnose) == ["yaml", "rapidfuzz"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as pip builds it (in isolation), from a copy of this tree without what earlier builds left in it."""
    folder = tmp_path_factory.mktemp("wheel")
    left_behind = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "index.bin")
    shutil.copytree(ROOT, folder / "tree", ignore=left_behind)
    ended = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(folder / "tree")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    return next(folder.glob("kerasdoctor-*.whl"))


def test_the_wheel_works_in_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    """Installed with its few dependencies and nothing else, the command explains a failure."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", str(wheel)],
        check=True,
        capture_output=True,
    )
    listed = subprocess.run([python, "-m", "pip", "list"], capture_output=True, text=True, check=True).stdout.lower()
    assert not any(name in listed for name in ("tensorflow", "scikit-learn", "numpy", "fastapi"))
    text = "ValueError: A KerasTensor cannot be used as input to a TensorFlow function."
    ended = subprocess.run(
        [tmp_path / "venv" / "bin" / "kerasdoctor", "explain"],
        input=text,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "tensor-op-outside-layer" in ended.stdout
    checked = subprocess.run(
        [tmp_path / "venv" / "bin" / "kerasdoctor", "check", ROOT / "examples" / "digits.keras", "--live"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 4, checked.stdout + checked.stderr
    said = " ".join(checked.stdout.split())
    assert "hands uint8 to 'conv2d'" in said
    assert "pip install 'kerasdoctor[models]'" in said


def test_version_and_changelog_agree() -> None:
    """The newest heading of the changelog is this version."""
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == kerasdoctor.__version__


def test_the_lock_has_exact_versions_and_no_addresses() -> None:
    """Every line pins one version; every dependency of pyproject.toml is there."""
    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if line.strip()]
    assert all(re.match(r"[A-Za-z0-9_.-]+==[^\s;]+( ; .*)?$", line) for line in lines)
    assert "://" not in "".join(lines)
    pinned = {re.split("==", line)[0].lower().replace("_", "-") for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    names = {re.split(r"[\[><=;]", dependency)[0].strip().lower().replace("_", "-") for dependency in wanted}
    assert names - {"kerasdoctor"} <= pinned


def test_every_package_is_listed() -> None:
    """A folder with code that the wheel does not list would be missing when installed."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = [
        p.parent for top in ("cli", "diagnostics", "knowledge", "service") for p in (ROOT / top).rglob("__init__.py")
    ]
    found = {".".join(["kerasdoctor", *folder.relative_to(ROOT).parts]) for folder in folders}
    assert found | {"kerasdoctor"} == set(listed)
