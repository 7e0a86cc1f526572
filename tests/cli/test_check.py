"""`kerasdoctor check`, and `explain` with subjects, run as processes: pages, JSON, pictures, exit codes."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import click
import numpy as np
import pytest
from kerasdoctor.cli import examination_pages, sandbox_page
from kerasdoctor.cli.terminal import columns
from kerasdoctor.diagnostics.depth import Depth
from kerasdoctor.diagnostics.examination import Examination
from kerasdoctor.diagnostics.lockdown import Lock
from kerasdoctor.diagnostics.probe import Finding
from kerasdoctor.diagnostics.self_test import SelfTest
from kerasdoctor.knowledge.text import Text

from .conftest import command, edited

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="models are run on Linux")


def answer(*arguments: str | Path, where: Path, code: int) -> list[dict[str, Any]]:
    """The subjects of a JSON answer."""
    ended = command("check", "--json", *arguments, where=where)
    assert ended.returncode == code, ended.stdout + ended.stderr
    read = json.loads(ended.stdout)
    assert read["schema"] == "kerasdoctor.examination/1"
    subjects: list[dict[str, Any]] = read["subjects"]
    return subjects


def outcomes(subject: dict[str, Any]) -> dict[str, str]:
    return {finding["probe"]: finding["outcome"] for finding in subject["findings"]}


def test_a_fault_ends_with_four(place: Path) -> None:
    """What the file is, the fault with names and what to do, how many others found nothing, what was not looked at."""
    ended = command("check", "faulty.keras", where=place)
    assert ended.returncode == 4
    lines = ended.stdout.splitlines()
    assert lines[:3] == [
        "faulty.keras",
        "  is a .keras archive (zip)",
        "  To load it: keras.models.load_model('faulty.keras')",
    ]
    assert "  ✗ dtype-casts: fault" in lines
    assert "    - 'input_layer' hands uint8 to 'conv2d' (Conv2D), which takes floats only:" in lines
    assert any(line.startswith("    What to do: ") for line in lines)
    assert "    More: kerasdoctor topic dtype-not-allowed" in lines
    assert any(line.endswith("probes found nothing wrong") for line in lines)
    assert "--weights" in ended.stdout
    assert "--live" in ended.stdout


def test_a_sound_model_ends_with_zero(place: Path) -> None:
    """Silent probes are counted; --verbose tells what each saw."""
    ended = command("check", "sound.keras", where=place)
    assert ended.returncode == 0
    assert "✗" not in ended.stdout
    assert "inbound-nodes" not in ended.stdout
    verbose = command("check", "sound.keras", "--weights", "-v", where=place)
    assert verbose.returncode == 0
    assert "✓ inbound-nodes: nothing found\n    - 4 layers, all connected" in verbose.stdout
    assert "✓ weight-values: nothing found" in verbose.stdout
    assert "--weights" not in verbose.stdout


def test_the_report_of_an_environment_is_a_subject(place: Path) -> None:
    """What a script on another machine wrote gets the checks of an environment, by name and by its bytes."""
    report = Path(__file__).parents[1] / "diagnostics" / "environments" / "no-gpu.json"
    (place / "sent.txt").write_bytes(report.read_bytes())
    (subject,) = answer("sent.txt", where=place, code=0)
    assert subject["kind"] == "environment"
    assert outcomes(subject)["memory-and-disk"] == "could_not_look"
    (subject,) = answer("sent.txt", "--only", "python-version", where=place, code=0)
    assert outcomes(subject) == {"python-version": "nothing"}
    assert "is the report of an environment" in command("check", "sent.txt", where=place).stdout


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_readable_at_80_columns(place: Path, lang: str) -> None:
    """No line is wider than the terminal but addresses, which are left whole; the Chinese page is Chinese."""
    ended = command(
        "check", "faulty.keras", "nan.csv", "flat.npz", "none.h5", "-v", "--weights", "--lang", lang, where=place
    )
    assert ended.returncode == 4
    wide = [line for line in ended.stdout.splitlines() if columns(line) > 80 and "://" not in line]
    assert not wide
    assert "\x1b" not in ended.stdout
    told = {"en": (": fault", "To load it", "What to do"), "zh": (": 错误", "加载方式", "怎么办")}
    assert all(word in ended.stdout for word in told[lang])
    assert not any(word in ended.stdout for word in told["zh" if lang == "en" else "en"])


def test_json_is_the_examination(place: Path) -> None:
    """The fields that programs rely on, for each subject, with a remedy where something is to be done."""
    model, log = answer("faulty.keras", "sound.csv", where=place, code=4)
    assert set(model) == {"name", "kind", "statement", "load", "keras_line", "sandbox", "findings"}
    assert (model["name"], model["kind"], model["keras_line"], model["sandbox"]) == (
        "faulty.keras",
        "model",
        "keras-3",
        None,
    )
    fault = next(finding for finding in model["findings"] if finding["outcome"] == "finding")
    assert (fault["probe"], fault["fault"], fault["topics"][0]) == ("dtype-casts", True, "dtype-not-allowed")
    assert fault["remedy"]
    assert fault["documentation"].startswith("https://")
    assert all(f["remedy"] is None for f in model["findings"] if f["outcome"] != "finding")
    assert (log["kind"], outcomes(log)["loss-not-finite"]) == ("log", "nothing")


def test_only_the_probes_that_are_asked_for(place: Path) -> None:
    """A probe of weights implies that weights are read; what is for another kind of subject is told, and nothing ran."""
    (model,) = answer("faulty.keras", "--only", "weight-values", "--only", "shapes", where=place, code=0)
    assert outcomes(model) == {"shapes": "nothing", "weight-values": "nothing"}
    nothing = command("check", "nan.csv", "--only", "shapes", where=place)
    assert nothing.returncode == 3
    assert "None of the probes asked for is for this kind of subject: training log." in nothing.stdout
    assert "--live" not in command("check", "sound.keras", "--only", "shapes", where=place).stdout


@LINUX
def test_a_live_probe_implies_that_the_model_is_run(place: Path) -> None:
    """In the sandbox, and the page says so."""
    ended = command("check", "sound.keras", "--only", "live-load", "-v", where=place)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "170 parameters" in ended.stdout
    assert "It was run in the sandbox" in ended.stdout
    assert "UNLOCKED" not in ended.stdout


@LINUX
def test_live_in_json(place: Path) -> None:
    """All depths at once: the locks that held are told, a failure while running is told once for each probe."""
    sound, faulty = answer("sound.keras", "faulty.keras", "--live", "--weights", where=place, code=4)
    assert {"files", "system-calls"} <= set(sound["sandbox"]["applied"])
    assert "finding" not in outcomes(sound).values()
    assert outcomes(sound)["live-gradients"] == outcomes(sound)["live-consistency"] == "nothing"
    assert outcomes(faulty)["live-load"] == "nothing"
    assert outcomes(faulty)["live-outputs"] == "could_not_look"


def test_data_beside_a_model_are_held_against_it(place: Path) -> None:
    """In either order; with more than one model they are looked at by themselves."""
    for order in (("sound.keras", "flat.npz"), ("flat.npz", "sound.keras")):
        subjects = {each["name"]: each for each in answer(*order, where=place, code=4)}
        assert outcomes(subjects["flat.npz"])["data-shape"] == "finding"
    fitting = answer("sound.keras", "data.npz", where=place, code=0)[1]
    assert outcomes(fitting)["data-shape"] == "nothing"
    alone = answer("sound.keras", "flat.npz", "faulty.keras", where=place, code=4)[1]
    assert outcomes(alone)["data-shape"] != "finding"
    broken = answer("none.keras", "flat.npz", where=place, code=0)
    assert outcomes(broken[1])["data-layout"] == "nothing"


def test_labels_are_named(place: Path) -> None:
    """A table in which the label is no usual name; a name that is not there is told with those that are."""
    rows = ["a,b,wanted", *(f"{n / 10},{n % 7},{n // 20}" for n in range(40))]
    (place / "table.csv").write_text("\n".join(rows) + "\n")
    (table,) = answer("table.csv", "--labels", "wanted", where=place, code=0)
    order = next(finding for finding in table["findings"] if finding["probe"] == "label-order")
    assert (order["outcome"], order["fault"], order["warning"]) == ("finding", False, True)
    page = command("check", "table.csv", "--labels", "wanted", where=place).stdout
    assert "! label-order: worth knowing" in page
    wrong = command("check", "table.csv", "--labels", "colour", where=place)
    assert "colour" in wrong.stdout
    assert "wanted" in wrong.stdout


@pytest.mark.parametrize("name", ["faulty.keras", "nan.csv"])
def test_a_picture_of_layers_or_curves(place: Path, name: str) -> None:
    """SVG that parses, and tells what was found; --lang is that of the picture, too."""
    ended = command("check", name, "--picture", "drawn.svg", "--lang", "zh", where=place)
    assert ended.returncode == 4, ended.stderr
    drawn = (place / "drawn.svg").read_text(encoding="utf-8")
    assert ET.fromstring(drawn).tag.endswith("svg")  # noqa: S314 - our own
    assert {"faulty.keras": "conv2d", "nan.csv": "val_loss"}[name] in drawn


def test_a_picture_that_cannot_be(place: Path) -> None:
    """Nothing to draw, and a place that cannot be written to; the page is printed before."""
    for arguments, said in (
        (("data.npz", "--picture", "drawn.svg"), "none of these files has layers or curves to draw"),
        (("sound.keras", "--picture", "no/such/drawn.svg"), "cannot be written"),
    ):
        ended = command("check", *arguments, where=place)
        assert ended.returncode == 3
        assert said in ended.stderr
        assert "To load it" in ended.stdout
    assert not (place / "drawn.svg").exists()


CUT_OFF = {"cut.keras": "sound.keras", "cut.npz": "data.npz"}


def test_what_cannot_be_examined_ends_with_three(place: Path) -> None:
    """Missing, empty, a web page, cut off, a folder, a device: a statement and a way on, never a traceback."""
    (place / "empty.keras").touch()
    (place / "page.h5").write_text("<!DOCTYPE html><p>sign in</p>")
    (place / "folder").mkdir()
    for cut, source in CUT_OFF.items():
        (place / cut).write_bytes((place / source).read_bytes()[:700])
    for name in ("none.keras", "empty.keras", "page.h5", "folder", "/dev/null", *CUT_OFF):
        for lang in ("en", "zh"):
            ended = command("check", name, "--live", "--weights", "--lang", lang, where=place)
            assert ended.returncode == 3, ended.stdout
            assert not ended.stderr
            assert ended.stdout.count("\n  ? ") == 1
            assert {"en": "No probe could look", "zh": "所有探针都无法检查"}[lang] in ended.stdout


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(place: Path) -> None:
    """The reason of the system is told."""
    (place / "sound.keras").chmod(0)
    ended = command("check", "sound.keras", where=place)
    assert ended.returncode == 3
    assert "Permission denied" in ended.stdout


def test_one_sound_subject_among_others_is_enough(place: Path) -> None:
    """The exit code speaks of what could be looked at."""
    assert command("check", "none.keras", "sound.keras", where=place).returncode == 0
    assert command("check", "none.keras", "faulty.keras", where=place).returncode == 4


@pytest.mark.parametrize(
    "name", ["模型 (1).keras", "-v.keras", "a\nb\x1b[31m.keras", "n" * 200 + ".keras", "'\"$(id).keras"]
)
def test_odd_names(place: Path, name: str) -> None:
    """Spaces, line breaks, escapes, quotes, dashes: shown, never obeyed."""
    (place / "sound.keras").rename(place / name)
    ended = command("check", "--", name, where=place)
    assert ended.returncode == 0, ended.stderr
    assert "\x1b" not in ended.stdout
    assert json.loads(command("check", "--json", "--", name, where=place).stdout)["subjects"][0]["name"] == name


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux only")
def test_a_name_that_is_no_text(place: Path) -> None:
    """Bytes that are not UTF-8."""
    name = os.fsdecode(b"caf\xe9.keras")
    (place / "sound.keras").rename(place / name)
    ended = command("check", name, where=place)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("caf\N{REPLACEMENT CHARACTER}.keras\n")
    ended = command("check", name, "--json", where=place)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["subjects"][0]["name"] == name


def test_wrong_usage_is_told(place: Path) -> None:
    """No subject; a probe that is not there, with those that are."""
    nothing = command("check")
    assert nothing.returncode == 2
    assert "--list" in nothing.stderr
    wrong = command("check", "sound.keras", "--only", "no-such-probe", where=place)
    assert wrong.returncode == 2
    assert "there is no probe 'no-such-probe' here; there are" in wrong.stderr
    assert "inbound-nodes" in wrong.stderr


def test_list_tells_what_each_probe_promises() -> None:
    """By kind of subject, in both languages."""
    english, chinese = command("check", "--list"), command("check", "--list", "--lang", "zh")
    assert english.returncode == chinese.returncode == 0
    for name in ("dtype-casts", "weight-values", "live-load", "loss-not-finite", "label-form"):
        assert f"  {name} " in english.stdout
        assert f"  {name} " in chinese.stdout
    assert "stored weights (--weights)" in english.stdout.splitlines()
    assert "训练日志" in chinese.stdout.splitlines()


@LINUX
def test_the_sandbox_is_shown() -> None:
    """Which locks hold, which doors were tried from inside; without TensorFlow, in both languages and as JSON."""
    told = json.loads(command("check", "--sandbox", "--json").stdout)
    assert told["schema"] == "kerasdoctor.sandbox/1"
    ended = command("check", "--sandbox")
    assert ended.returncode == (0 if told["holds"] else 4)
    if told["holds"]:
        assert "open a socket – closed: " in ended.stdout
        assert "models may be run here" in ended.stdout
        assert set(told["doors"].values()) - {"OPEN"} == {v for k, v in told["doors"].items() if k != "scratch"}
    assert "从内部试过的门" in command("check", "--sandbox", "--lang", "zh").stdout


def test_an_open_door_is_loud() -> None:
    """An essential lock that is missing, a door that opened: told as such, and the sandbox does not hold."""
    lock = Lock(("cpu",), ("system-calls: no seccomp here", "disk: no mounts"))
    opened = SelfTest(lock, {"network": "OPEN", "read": "closed: no", "scratch": "OPEN"})
    assert not opened.holds
    page = " ".join(click.unstyle(sandbox_page.page(opened, "en")).split())
    assert "✗ system calls that a model needs (seccomp) – MISSING, and essential: no seccomp here" in page
    assert "- a disk of its own – missing: no mounts" in page
    assert "✗ open a socket – OPEN" in page
    assert "models are not run" in page
    assert not SelfTest(Lock(("cpu",), ()), {}).holds
    assert not SelfTest(Lock(("cpu",), ()), {"network": "closed: no", "scratch": "closed: full"}).holds
    ran = Finding("live-load", "m.keras", "nothing", evidence=(Text("loaded", "已加载"),))
    examined = Examination("m.keras", "model", (ran,), applied=lock.applied, missing=lock.missing)
    for lang, words in (("en", "IT WAS RUN UNLOCKED"), ("zh", "没有锁住的沙箱")):
        shown = examination_pages.page([examined], Depth(live=True, lang=lang), chosen=True, verbose=False)  # type: ignore[arg-type]
        told = " ".join(click.unstyle(shown).split())
        assert words in told
        assert "system-calls: no seccomp here" in told


# explain with subjects

SUSPICION = "the loss of my network is strange since yesterday, sometimes nan"


def explained(*arguments: str | Path, text: str, where: Path) -> dict[str, Any]:
    ended = command("explain", "-", "--json", *arguments, text=text, where=where)
    assert ended.returncode in (0, 1), ended.stderr
    read: dict[str, Any] = json.loads(ended.stdout)
    return read


def test_a_log_is_evidence(place: Path) -> None:
    """NaN in the curves supports what the text suspects; a sound log speaks against it."""
    without = explained(text=SUSPICION, where=place)
    with_log = explained("--log", "nan.csv", text=SUSPICION, where=place)
    assert with_log["topic"] == "nan-loss"
    assert with_log["confidence"] > without["confidence"]
    assert any("loss-not-finite" in reason for reason in with_log["reasons"])
    against = explained("--log", "sound.csv", text=SUSPICION, where=place)
    assert against["confidence"] < without["confidence"]


def test_a_data_sample_is_evidence(place: Path) -> None:
    """Beside the model that it is for: the axis that does not fit is named."""
    text = (
        'ValueError: Input 0 of layer "sequential" is incompatible with the layer: expected shape=(None, 28, 28, 1), '
        "found shape=(None, 784)"
    )
    without = explained(text=text, where=place)
    shown = explained("--model", "sound.keras", "--data", "flat.npz", text=text, where=place)
    assert shown["topic"] == without["topic"]
    found = next(f for f in shown["findings"] if f["probe"] == "data-shape")
    assert found["outcome"] == "finding"
    assert "784" in found["evidence"][0]
    assert shown["confidence"] >= without["confidence"]


@LINUX
def test_explain_runs_a_model_where_that_is_asked(place: Path) -> None:
    """With --live the exception of loading is matched: the topic is known without any text."""
    edited(place / "sound.keras", place / "newer.keras", b'"filters": 8', b'"filters": 8, "dilated": true')
    found = explained("--model", "newer.keras", "--live", text="", where=place)
    load = next(f for f in found["findings"] if f["probe"] == "live-load")
    assert (load["outcome"], load["fault"], load["topics"]) == ("finding", True, ["argument-not-in-this-version"])
    assert found["topic"] == "argument-not-in-this-version"
    assert "live-load" not in {
        f["probe"] for f in explained("--model", "sound.keras", text="", where=place)["findings"]
    }


def test_a_subject_that_cannot_be_read_is_an_outcome(place: Path) -> None:
    """The diagnosis goes on, and says so."""
    np.save(place / "empty.npy", np.zeros((0, 3)))
    read = explained("--log", "none.csv", "--data", "empty.npy", "--model", "nan.csv", text=SUSPICION, where=place)
    assert read["topic"] == "nan-loss"
    assert "crashed" not in {finding["outcome"] for finding in read["findings"]}
