"""One way in for every file: told by its bytes, read in the sandbox, examined by the probes that fit; and the doctor with subjects."""

from __future__ import annotations

import shutil
import sys
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest
from kerasdoctor.diagnostics import examination, looking
from kerasdoctor.diagnostics.doctor import Doctor, Subjects
from kerasdoctor.diagnostics.examination import Depth, Examination, examine_file, hazards_of, probes_of
from kerasdoctor.diagnostics.formats import identify
from kerasdoctor.diagnostics.sandbox import STATIC, run_locked
from kerasdoctor.knowledge.matcher import Matcher

from .test_formats import CONTENT

WEIGHTS = Depth(weights=True)


def outcomes(examined: Examination) -> dict[str, str]:
    return {finding.probe: finding.outcome for finding in examined.findings}


def reasons(examined: Examination) -> str:
    return "; ".join(text.en for finding in examined.findings for text in finding.evidence)


@pytest.mark.parametrize("ident", CONTENT)
def test_files_of_every_kind(ident: str, tmp_path: Path) -> None:
    """Each gets the probes of its kind, or a statement and a way on; nothing crashes, whatever its name says."""
    data, kind = CONTENT[ident]
    path = tmp_path / "model.keras"
    path.write_bytes(data)
    examined = examine_file(path, depth=Depth(weights=True, live=True))
    assert examined.kind == kind
    assert examined.statement == identify(path).statement
    assert "crashed" not in outcomes(examined).values()
    if kind is None:
        assert set(outcomes(examined)) == {probe.id for probe in probes_of("model")}
        assert set(outcomes(examined).values()) == {"could_not_look"}
        assert all("model.keras" in finding.evidence[0].zh for finding in examined.findings)
    else:
        expected = {probe.id for probe in probes_of(kind)} | ({looking.GATE} if kind == "weights" else set())
        assert set(outcomes(examined)) == expected


def test_models_of_every_container(keras_3: Path, keras_2: Path, formats_2: Path, formats_3: Path) -> None:
    """Zip, HDF5, SavedModel, JSON: the same probes; weights where they can be read, or why not."""
    weights = {probe.id for probe in probes_of("weights")}
    for path, line, stored in (
        (keras_3 / "branches.keras", "keras-3", None),
        (keras_3 / "branches.h5", "keras-3", None),
        (keras_2 / "branches.keras", "keras-2", None),
        (keras_2 / "branches.h5", "keras-2", None),
        (formats_2 / "dense", "keras-2", "TensorFlow checkpoint"),
        (formats_3 / "dense", None, "TensorFlow checkpoint"),
        (formats_2 / "dense.json", "keras-2", "architecture only"),
    ):
        examined = examine_file(path, depth=WEIGHTS)
        assert (examined.kind, examined.line) == ("model", line), path
        assert set(outcomes(examined)) == {probe.id for probe in probes_of("model", "weights")}
        assert "crashed" not in outcomes(examined).values()
        told = {f.evidence[0].en for f in examined.findings if f.probe in weights and f.outcome == "could_not_look"}
        assert not stored or (len(told) == 1 and stored in told.pop())
        assert stored or outcomes(examined)["weight-values"] == "nothing"


def test_what_a_saved_model_lacks_to_be_run(formats_3: Path) -> None:
    """Without Keras layers, or as architecture alone, there is nothing to run; the reason is told without a worker."""
    for name, said in (("dense", "no Keras layers"), ("dense.json", "without weights")):
        examined = examine_file(formats_3 / name, depth=Depth(live=True))
        live = [f for f in examined.findings if f.probe in {p.id for p in probes_of("live")}]
        assert len(live) == 4
        assert all(f.outcome == "could_not_look" and said in f.evidence[0].en for f in live)
        assert not examined.applied


@pytest.mark.parametrize("form", ["zip", "tar", "gztar"])
def test_the_gate_looks_into_packed_models(formats_3: Path, tmp_path: Path, form: str) -> None:
    """A SavedModel in an archive is declined, and yet what is unsafe in it is a fault; a sound one is not."""
    for name, outcome in (("reads", "finding"), ("dense", "nothing")):
        packed = Path(shutil.make_archive(str(tmp_path / f"{name}-{form}"), form, formats_3, name))
        examined = examine_file(packed)
        assert examined.kind is None
        told = outcomes(examined)
        assert told.pop(looking.GATE) == outcome, reasons(examined)
        assert set(told.values()) == {"could_not_look"}


def test_the_gate_looks_at_weights(keras_3: Path, tmp_path: Path) -> None:
    """Files of weights: sound ones pass and their values are read; a link out of the file is a fault."""
    sound = examine_file(keras_3 / "only.weights.h5")
    assert sound.kind == "weights"
    assert outcomes(sound)[looking.GATE] == outcomes(sound)["weight-values"] == "nothing"
    hostile = Path(shutil.copy(keras_3 / "only.weights.h5", tmp_path / "m.weights.h5"))
    with h5py.File(hostile, "r+") as file:
        file["stolen"] = h5py.ExternalLink("/etc/passwd", "/")
    examined = examine_file(hostile)
    assert outcomes(examined)[looking.GATE] == "finding"
    assert "link to another file" in reasons(examined)
    with_npz = tmp_path / "w.npz"
    np.savez(with_npz, **{"dense/kernel:0": np.full((2, 2), np.nan)})
    told = outcomes(examine_file(with_npz))
    assert (told[looking.GATE], told["weight-values"]) == ("nothing", "finding")


def test_hazards_of_a_file(keras_3: Path, tmp_path: Path) -> None:
    """What repair asks before it runs anything."""
    assert hazards_of(keras_3 / "branches.keras") == ()
    (tmp_path / "page.keras").write_text("<html>")
    assert hazards_of(tmp_path / "page.keras")


def test_a_damaged_model_is_still_shown_to_the_gate(keras_3: Path, tmp_path: Path) -> None:
    """It is a model by its bytes, so the kind stands; every probe but the gate says why it could not look, at any depth."""
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(keras_3 / "branches.keras") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"{" if name == "config.json" else old.read(name))
    examined = examine_file(path, depth=Depth(weights=True, live=True))
    assert examined.kind == "model"
    told = outcomes(examined)
    assert told.pop(looking.GATE) == "finding"
    assert set(told.values()) == {"could_not_look"}
    assert "config.json is not JSON" in reasons(examined)
    hdf5 = tmp_path / "m.h5"
    hdf5.write_bytes((keras_3 / "branches.h5").read_bytes()[:4000])
    assert set(outcomes(examine_file(hdf5, depth=WEIGHTS)).values()) <= {"could_not_look", "finding"}


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux only")
@pytest.mark.parametrize(("memory", "cpu", "said"), [(48 << 20, 20, "out of memory"), (2 << 30, 1, "CPU time used up")])
def test_a_file_that_breaks_its_reader_is_an_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int, cpu: int, said: str
) -> None:
    """Half a million dicts in 10 kB: the process that reads them is ended at its limit, this one says which and goes on."""
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b'{"config": [' + b'{"a":{}},' * 500_000 + b"[]]}")
        archive.writestr("metadata.json", b"{}")
    limits = replace(STATIC, memory=memory, cpu=cpu)
    monkeypatch.setattr(examination, "run_locked", partial(run_locked, limits=limits))
    examined = examine_file(path, depth=Depth(weights=True, live=True))
    assert examined.kind is None
    assert set(outcomes(examined).values()) == {"could_not_look"}
    assert said in reasons(examined)
    assert examine_file(tmp_path / "none.keras").statement == identify(tmp_path / "none.keras").statement


def test_only_and_suspected(keras_3: Path) -> None:
    """Probes that were named; a suspicion that a probe of weights speaks to calls for the weights."""
    path = keras_3 / "branches.keras"
    assert set(outcomes(examine_file(path, only=frozenset({"shapes"})))) == {"shapes"}
    assert outcomes(examine_file(path, only=frozenset({"loss-not-finite"}))) == {}
    assert "weight-values" not in outcomes(examine_file(path))
    assert "weight-values" in outcomes(examine_file(path, frozenset({"nan-loss"})))


# The doctor


@pytest.fixture(scope="module")
def doctor(matcher: Matcher) -> Doctor:
    return Doctor(matcher)


def log(folder: Path, losses: str) -> Path:
    rows = [f"{n},{loss}" for n, loss in enumerate(losses.split())]
    path = folder / "training.csv"
    path.write_text("\n".join(["epoch,loss", *rows]) + "\n")
    return path


SUSPICION = "the loss of my network is strange since yesterday, sometimes nan"


def test_a_log_changes_a_diagnosis(doctor: Doctor, tmp_path: Path) -> None:
    """NaN in it confirms what was suspected, a sound one speaks against it."""
    without = doctor.diagnose(SUSPICION)
    with_nan = doctor.diagnose(SUSPICION, Subjects(files=(log(tmp_path, "1.2 0.9 nan nan"),)))
    assert with_nan.topic == without.topic == "nan-loss"
    assert with_nan.confidence > without.confidence
    assert any("loss-not-finite" in reason.en for reason in with_nan.reasons)
    sound = doctor.diagnose(SUSPICION, Subjects(files=(log(tmp_path, "1.2 0.9 0.8 0.7"),)))
    assert sound.confidence < without.confidence


def test_data_beside_a_model_change_a_diagnosis(doctor: Doctor, keras_3: Path, tmp_path: Path) -> None:
    """The data sample is held against the model; a broken model does not keep it from being looked at."""
    text = "ValueError: Input 0 is incompatible with the layer: expected shape=(None, 8), found shape=(None, 7)"
    np.savez(tmp_path / "data.npz", x=np.random.default_rng(0).normal(size=(40, 7)), y=np.arange(40) % 3)
    model = keras_3 / "sequential.keras"
    shown = doctor.diagnose(text, Subjects((model, tmp_path / "data.npz")))
    finding = next(f for f in shown.findings if f.probe == "data-shape")
    assert finding.outcome == "finding"
    assert "7" in finding.evidence[0].en
    broken = doctor.diagnose(text, Subjects((tmp_path / "none.keras", tmp_path / "data.npz")))
    assert next(f for f in broken.findings if f.probe == "data-layout").outcome == "nothing"


def test_a_fault_alone_is_enough_where_nothing_was_pasted(doctor: Doctor, tmp_path: Path) -> None:
    """One topic of one fault; beside a text about something else it is told, and not the answer."""
    subjects = Subjects(files=(log(tmp_path, "1.2 0.9 nan nan"),))
    assert doctor.diagnose("", subjects).topic == "nan-loss"
    trace = "ValueError: The layer \"shared\" has multiple inbound nodes, hence the notion of 'layer output' is ill-defined."
    assert doctor.diagnose(trace, subjects).topic == "multiple-inbound-nodes"
