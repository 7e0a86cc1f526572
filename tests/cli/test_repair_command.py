"""`kerasdoctor repair`, run as a process: what it says, what it writes, and that the original is only read."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from kerasdoctor.cli import repair_pages
from kerasdoctor.cli.terminal import columns
from kerasdoctor.diagnostics.formats import identify
from kerasdoctor.diagnostics.mended import Made, Mended
from kerasdoctor.diagnostics.model_file import read_model
from kerasdoctor.diagnostics.proving import Proof
from kerasdoctor.diagnostics.repair import Change
from kerasdoctor.knowledge.text import Text

from .conftest import EXAMPLES, command, edited

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="models are run on Linux")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with models of tf_keras."""
    folder = tmp_path_factory.mktemp("old")
    script = Path(__file__).with_name("build_old_models.py")
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1"}
    subprocess.run([sys.executable, script, folder], env=environment, check=True, capture_output=True)
    return folder


@pytest.fixture
def old(saved: Path, tmp_path: Path) -> Path:
    """A folder of one's own with those models, and one of Keras 3."""
    shutil.copytree(saved, tmp_path, dirs_exist_ok=True)
    sound = edited(EXAMPLES / "digits.keras", tmp_path / "sound.keras", b'"uint8"', b'"float32"')
    edited(
        sound, tmp_path / "new.keras", b', "input_axes": null, "output_axes": null', b""
    )  # an initializer of Keras 3.15
    sound.unlink()
    return tmp_path


def state(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_a_copy_is_written_and_proved(old: Path) -> None:
    """Each change with the piece before and after, the proof, the name; the copy is the Keras 3 file that it says."""
    before = state(old)
    ended = command("repair", "old.h5", "-o", "mended.keras", where=old)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.splitlines()[0] == "old.h5"
    for part in ("  Changed", "• keras3-format: ", "- {", "+ {", "  Proof", "give the same", "Written: mended.keras"):
        assert part in ended.stdout
    assert not [line for line in ended.stdout.splitlines() if columns(line) > 80]
    assert read_model(old / "mended.keras").line == "keras-3"
    assert identify(old / "mended.keras").id == "keras-zip"
    assert (old / "mended.keras").stat().st_mode & 0o777 == 0o644
    after = state(old)
    assert set(after) - set(before) == {"mended.keras"}
    assert {name: after[name] for name in before} == before


def test_a_dry_run_writes_nothing(old: Path) -> None:
    """It tells the same changes, as JSON too."""
    before = state(old)
    page = command("repair", "old.keras", "--dry-run", "--lang", "zh", where=old)
    assert page.returncode == 0, page.stdout + page.stderr
    assert "将会修改（未写入任何文件）" in page.stdout
    assert "• keras3-format：" in page.stdout or "• keras3-format: " in page.stdout
    ended = command("repair", "old.keras", "--dry-run", "--json", where=old)
    read = json.loads(ended.stdout)
    assert (read["schema"], read["proof"], read["written"]) == ("kerasdoctor.repair/1", None, None)
    change = next(made for made in read["made"] if made["repair"] == "keras3-format")["changes"][0]
    assert set(change) == {"text", "where", "before", "after"}
    assert "batch_input_shape" in change["before"]
    assert "batch_shape" in change["after"]
    assert state(old) == before


def test_the_other_direction(old: Path) -> None:
    """A Keras 3 file for tf_keras, in HDF5; the proof is in the JSON."""
    ended = command("repair", "new.keras", "--to", "keras2", "-o", "mended.h5", "--json", where=old)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    read = json.loads(ended.stdout)
    assert read["proof"]["after"].startswith("tf_keras")
    assert read["written"] == "mended.h5"
    assert identify(old / "mended.h5").id == "keras-hdf5"
    assert read_model(old / "mended.h5").line == "keras-2"


def test_nothing_to_repair_ends_with_one(old: Path) -> None:
    """Also where --only leaves out what would apply; nothing is written."""
    before = state(old)
    ended = command("repair", "old.keras", "-o", "mended.keras", "--only", "layer-names", where=old)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Nothing to repair" in ended.stdout
    assert state(old) == before


def test_a_copy_that_cannot_be_proved_is_not_written(old: Path) -> None:
    """A model whose outputs are drawn at random: the copy gives others, so it ends with 4 and leaves nothing behind."""
    before = state(old)
    ended = command("repair", "random.h5", "-o", "mended.keras", where=old)
    assert ended.returncode == 4, ended.stdout + ended.stderr
    assert "NOT verified" in ended.stdout
    assert "Nothing was written." in ended.stdout
    assert state(old) == before


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("old.h5",), 2, "-o COPY"),
        ((), 2, "give MODEL"),
        (("old.h5", "-o", "new.keras"), 3, "new.keras is there already"),
        (("old.h5", "-o", "old.h5"), 3, "old.h5 is there already"),
        (("old.h5", "-o", "mended.pb"), 3, "ends in .keras or .h5"),
        (("old.h5", "-o", "no/such/mended.keras"), 3, "no such folder"),
        (("old.h5", "--dry-run", "--only", "magic"), 2, "there is no repair 'magic'; there are"),
        (("none.h5", "--dry-run"), 3, "none.h5"),
        (("linked.h5", "-o", "mended.keras"), 3, "is a link to another file"),
    ],
)
def test_mistakes_are_told(old: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    """Before anything is run; nothing is written."""
    before = state(old)
    ended = command("repair", *arguments, where=old)
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert said in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr
    assert state(old) == before


def test_a_refusal_is_told_in_the_readers_language(old: Path) -> None:
    """What is wrong with the file, and how to go on."""
    ended = command("repair", "linked.h5", "--dry-run", "--lang", "zh", where=old)
    assert ended.returncode == 3
    assert "不打开 linked.h5" in ended.stderr


def test_a_lambda_that_is_known_is_taken_out_without_being_run(old: Path) -> None:
    """The original is not run; with --allow-code it is, and the copy gives the same."""
    ended = command("repair", "lambda.h5", "-o", "without.keras", where=old)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "so its bytecode goes" in " ".join(ended.stdout.split())
    assert "nothing could be compared" in " ".join(ended.stdout.split())
    assert command("check", "without.keras", "--only", "unsafe-content", where=old).returncode == 0
    compared = command("repair", "lambda.h5", "-o", "compared.keras", "--allow-code", "--json", where=old)
    assert json.loads(compared.stdout)["proof"]["outcome"] == "same"


def test_list_tells_what_each_repair_promises() -> None:
    """In both languages."""
    english, chinese = command("repair", "--list"), command("repair", "--list", "--lang", "zh")
    assert english.returncode == chinese.returncode == 0
    ids = [line.split()[0] for line in english.stdout.splitlines()]
    assert ids == [line.split()[0] for line in chinese.stdout.splitlines()]
    assert {"keras3-format", "keras2-format"} <= set(ids)
    assert english.stdout != chinese.stdout


def test_many_and_long_changes_stay_readable() -> None:
    """Three of each repair are shown, and long pieces are cut; a copy that differs is said not to be written."""
    changes = tuple(Change(Text("rewritten", "已改写"), f"layer{n}", "a" * 500, "b\x1b[31m" * 100) for n in range(9))
    differs = Proof("differs", "tf_keras 2.21.0", "keras 3.15.1", 0.5, Text("NOT verified: by 0.5", "未通过验证：0.5"))
    mended = Mended((Made("keras3-format", changes),), differs, None, ())
    for lang, words in (("en", "and 6 more like this"), ("zh", "还有 6 处同类修改")):
        page = click.unstyle(repair_pages.page(mended, Path("m\n.h5"), Path("new.keras"), lang))  # type: ignore[arg-type]
        assert words in page
        assert "layer2" in page
        assert "layer3" not in page
        assert "✗" in page
        assert "new.keras" not in page
        assert "\x1b" not in page
        assert len(page) < 4000
