"""Reading training logs: real ones of Keras 3 and tf_keras in all formats, texts that older Kerases print, and hostile ones."""

from __future__ import annotations

import math
import random
import struct
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from kerasdoctor.diagnostics.plot import plot_log
from kerasdoctor.diagnostics.probe import Finding, all_probes, examine
from kerasdoctor.diagnostics.training_log import RATE, TrainingLog, direction, parse_log, read_log
from kerasdoctor.diagnostics.training_log_events import masked_crc
from kerasdoctor.errors import SubjectError

PROBES = [probe for probe in all_probes() if probe.subject == "log"]


def near(one: TrainingLog, other: TrainingLog, digits: float) -> bool:
    """Whether two logs have the same epochs and values, but for rounding."""
    pairs = [(v, w) for name in other.series for v, w in zip(one.series[name], other.series[name], strict=True)]
    same = all(repr(v) == repr(w) or abs((v or 0) - (w or 0)) <= digits * max(1, abs(w or 0)) for v, w in pairs)
    return one.epochs == other.epochs and same


NAMES = ["healthy", "silent", "not_finite", "overfitting", "outputs", "frozen", "unstable", "sorted_labels"]


@pytest.mark.parametrize("name", NAMES)
def test_formats_tell_the_same(logs: Path, name: str) -> None:
    """What one training left as table, History and printed text agrees, value for value."""
    table, history, printed = (read_log(logs / f"{name}{suffix}") for suffix in (".csv", ".json", ".txt"))
    assert (table.format, history.format, printed.format) == ("CSV", "History", "progress bar")
    assert table.epochs == tuple(range(1, len(table.epochs) + 1))
    assert set(table.series) == set(history.series) == set(printed.series)
    assert near(history, table, 1e-6)
    assert near(printed, table, 6e-5)


@pytest.mark.parametrize("name", ["healthy", "not_finite", "overfitting", "reduced_rate"])
def test_event_files_tell_the_same(logs: Path, name: str) -> None:
    """The folder of a training has both parts, the folder of one part has that part."""
    events, table = read_log(logs / name), read_log(logs / f"{name}.csv")
    assert events.format == "TensorBoard"
    # What ReduceLROnPlateau sets at the end of an epoch is in Keras 3's events for that epoch already.
    events, table = (replace(log, series={n: v for n, v in log.series.items() if n != RATE}) for log in (events, table))
    assert near(events, table, 1e-6)
    alone = read_log(next((logs / name / "train").iterdir()))
    assert {n for n in alone.series if n != RATE} == {n for n in table.series if not n.startswith("val_") and n != RATE}


def test_what_fit_printed_tells_steps_and_plan(logs: Path) -> None:
    """The bar's total and the number of epochs; the bar of evaluate is none of fit."""
    log = read_log(logs / "healthy.txt")
    assert (log.steps_per_epoch, log.planned) == (8, 12)
    assert len(log.runs) == 1


def test_the_learning_rate_has_one_name(logs: Path) -> None:
    """`lr`, `learning_rate` and `epoch_learning_rate` are one series."""
    for name in ("reduced_rate.csv", "reduced_rate.json", "reduced_rate.txt", "reduced_rate"):
        rates = read_log(logs / name).series[RATE]
        assert rates[0] == pytest.approx(0.01)
        assert rates[-1] == pytest.approx(1e-9)


def series(text: str) -> dict[str, tuple[float | None, ...]]:
    return parse_log(text, "log").series


OLD = """Using TensorFlow backend.
Train on 60000 samples, validate on 10000 samples
Epoch 1/3

  128/60000 [..............................] - ETA: 5:41 - loss: 2.3061 - acc: 0.1016
60000/60000 [==============================] - 12s 200us/step - loss: 0.2695 - acc: 0.9171 - val_loss: 0.1 - val_acc: 0.97
Epoch 00001: val_loss improved from inf to 0.10000, saving model to m.h5
Epoch 2/3
60000/60000 [==============================] - 11s - loss: 0.1100 - acc: 0.9671 - val_loss: 0.0900 - val_acc: 0.9730

Epoch 00002: ReduceLROnPlateau reducing learning rate to 0.00010000000474974513.
Epoch 3/3
60000/60000 [==============================] - 11s - loss: 9.5e-02 - acc: 0.9771 - val_loss: nan - val_acc: 0.9
10000/10000 [==============================] - 1s 50us/step
Test loss: 0.5
"""


def test_bars_of_keras_2_2() -> None:
    """Samples instead of steps, `acc`, the lines of callbacks, rates that ReduceLROnPlateau prints."""
    log = parse_log(OLD, "old")
    assert log.epochs == (1, 2, 3)
    assert log.series["loss"] == (0.2695, 0.11, 0.095)
    assert log.series["acc"] == (0.9171, 0.9671, 0.9771)
    assert log.series["val_loss"][:2] == (0.1, 0.09)
    assert math.isnan(log.series["val_loss"][2] or 0)
    assert log.series[RATE] == (None, None, pytest.approx(1e-4))
    assert (log.steps_per_epoch, log.planned) == (None, 3)


@pytest.mark.parametrize(
    "text",
    [
        "Epoch 1/2\n - 3s - loss: 0.5 - acc: 0.7\nEpoch 2/2\n - 3s - loss: 0.4 - acc: 0.8\n",
        "Epoch 1/2\n8/8 - 0s - loss: 0.5 - acc: 0.7 - 20ms/epoch\nEpoch 2/2\n8/8 - 0s - loss: 0.4 - acc: 0.8 - 2ms/epoch\n",
        "8/8 [=====] - 0s 3ms/step - loss: 0.5 - acc: 0.7\n8/8 [=====] - 0s 3ms/step - loss: 0.4 - acc: 0.8\n",
        (
            "Epoch 1/2 1/8 [>...] - ETA: 1s - loss: 0.9 - acc: 0.1 8/8 [====] - 0s 3ms/step - loss: 0.5 - acc: 0.7 Epoch 2/2 "
            "8/8 [====] - 0s 3ms/step - loss: 0.4 - acc: 0.8"
        ),
        (
            "Epoch 1/2\n[1m8/8[0m [32m━━━━[0m[37m[0m [1m1s[0m 23ms/step - acc: 0.7 - loss: 0.5\n"
            "Epoch 2/2\n[1m8/8[0m [32m━━━━[0m[37m[0m [1m1s[0m 23ms/step - acc: 0.8 - loss: 0.4\n"
        ),
        "{'loss': [0.5, 0.4], 'acc': [np.float64(0.7), np.float64(0.8)]}",
        "some output\n{'loss': [0.5, 0.4], 'acc': [0.7, 0.8]}",
        '{"history": {"loss": [0.5, 0.4], "acc": ["0.7", "0.8"]}, "params": {"epochs": 2}, "epoch": [0, 1]}',
        '{"loss": {"0": 0.5, "1": 0.4}, "acc": {"0": 0.7, "1": 0.8}}',
        '[{"epoch": 0, "loss": 0.5, "acc": 0.7}, {"epoch": 1, "loss": 0.4, "acc": 0.8}]',
        '{"loss": [0.5, 0.4], "acc": [0.7, 0.8',
        "epoch;acc;loss\n0;0,7;0,5\n1;0,8;0,4\n",
        "\ufeffepoch\tacc\tloss\r\n0\t0.7\t0.5\r\n1\t0.8\t0.4",
        ",train_loss,acc\n0,0.5,0.7\n1,0.4,0.8\n",
        'epoch,acc,loss,note\n0,[0.7],0.5,"a,b"\n1,"[0.8]",0.4,x\n',
    ],
)
def test_ways_to_write_the_same_log(text: str) -> None:
    """Two epochs with a loss and an accuracy, as the Kerases, pandas, terminals and spreadsheets leave them."""
    log = parse_log(text, "log")
    assert log.epochs == (1, 2)
    assert log.series["loss"] == (0.5, 0.4)
    assert log.series["acc"] == (0.7, 0.8)


def test_missing_nan_and_infinite_are_three_things() -> None:
    """An empty cell and CSVLogger's NA are no value; nan and inf are what the log says."""
    loss = series("epoch,loss,val_loss\n0,nan,\n1,inf,NA\n2,-inf,0.5\n")
    assert repr(loss["loss"]) == "(nan, inf, -inf)"
    assert loss["val_loss"] == (None, None, 0.5)
    assert repr(series('{"loss": [NaN, Infinity, -Infinity, null, 1e999]}')["loss"]) == "(nan, inf, -inf, None, inf)"


def test_validation_every_few_epochs() -> None:
    """With validation_freq=2 the History has half as many values: they belong to the second, fourth, ... epoch."""
    told = series('{"loss": [4, 3, 2, 1, 0.5], "val_loss": [30, 10]}')
    assert told["val_loss"] == (None, 30.0, None, 10.0, None)


def test_appended_runs() -> None:
    """A header that comes again, and epochs that start again, make another run."""
    log = parse_log("epoch,loss\n0,3\n1,2\nepoch,acc,loss\n0,0.5,3.5\n1,0.6,2.5\n2,0.7,1.5\n", "two")
    assert [run.epochs for run in log.runs] == [(1, 2), (1, 2, 3)]
    assert [run.series["loss"] for run in log.runs] == [(3.0, 2.0), (3.5, 2.5, 1.5)]
    assert "acc" not in log.runs[0].series


def test_utf_16_as_powershell_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_bytes("Epoch 1/1\r\n8/8 - 0s - loss: 0.5\r\n".encode("utf-16"))
    assert read_log(path).series == {"loss": (0.5,)}


def test_pairs_and_directions() -> None:
    """Training and validation stand together; a name that tells nothing gives no direction."""
    log = parse_log("epoch,loss,val_loss,lr,foo\n0,1,2,0.1,3\n", "log")
    assert [(pair.name, pair.validation is None) for pair in log.pairs()] == [("loss", False), ("foo", True)]
    falls = ["loss", "val_kind_loss", "mean_absolute_error", "dice_loss", "mse"]
    assert {direction(name) for name in falls} == {"falls"}
    assert {direction(name) for name in ("val_acc", "sparse_top_k_categorical_accuracy", "auc_1")} == {"rises"}
    assert direction("foo") is None


def test_torn_event_files_give_what_is_whole(logs: Path, tmp_path: Path) -> None:
    """A file that is still written, or was damaged at its end."""
    whole = next((logs / "overfitting" / "train").iterdir()).read_bytes()
    for change in (whole[: len(whole) * 3 // 4], whole[:-3], whole[: len(whole) // 2] + b"\xff" * (len(whole) // 2)):
        path = tmp_path / "events.out.tfevents.1"
        path.write_bytes(change)
        assert 20 <= len(read_log(path).epochs) <= 60


REFUSED = [
    (b"", "no training log"),
    (b"hello, world\n1,2\n", "no training log"),
    (b"Traceback (most recent call last):\nValueError: loss: 5", "no training log"),
    (b"\x89HDF\r\n\x1a\n", "no training log"),
    (b'{"class_name": "Sequential", "config": {"layers": []}}', "no curve"),
    (b"[[[[" * 50_000, "no training log"),
    (b"{" * 50_000, "no curve"),
    (b'{"loss": ["a", null, {}, true]}', "no curve"),
    (b"epoch,loss\n", "no epoch"),
    (b"epoch,loss\n" + b"1,2\n" * 30_000, "over 20,000 epochs"),
    (b"loss" + b",x" * 200 + b"\n1\n", "128 series"),
    (b'{"loss": [' + b"1," * 30_000 + b"1]}", "over 20,000 epochs"),
    (b"Epoch 1/2\n8/8 [==] - 0s - loss: 1\n" * 30_000, "over 20,000 epochs"),
    (b'epoch,loss\n0,1\n1,"' + b"9" * 200_000 + b'"\n', "no CSV"),
]


@pytest.mark.parametrize(("data", "said"), REFUSED, ids=[f"{said}-{n}" for n, (_, said) in enumerate(REFUSED)])
def test_what_is_no_log_is_told(tmp_path: Path, data: bytes, said: str) -> None:
    """In a sentence, at once, in both languages."""
    path = tmp_path / "file"
    path.write_bytes(data)
    began = time.monotonic()
    with pytest.raises(SubjectError, match=said) as refused:
        read_log(path)
    assert refused.value.zh != str(refused.value)
    assert time.monotonic() - began < 15


def test_missing_and_empty_folders(tmp_path: Path) -> None:
    """Neither is a log."""
    with pytest.raises(SubjectError, match="no such file"):
        read_log(tmp_path / "none")
    with pytest.raises(SubjectError, match="without event files"):
        read_log(tmp_path)


def record(data: bytes) -> bytes:
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", masked_crc(head)) + data + struct.pack("<I", masked_crc(data))


def test_the_checksum_is_that_of_tfrecords() -> None:
    """The crc32c of "123456789" is 0xE3069283 (RFC 3720, appendix B.4), masked as in TensorFlow's crc32c.h."""
    crc = 0xE3069283
    assert masked_crc(b"123456789") == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


HOSTILE_LINES = [
    "Epoch " * 100_000,
    "1/" * 200_000,
    " - loss: " * 100_000,
    "\x08" * 500_000 + "8/8 - 1s - loss: 1",
    "[1m" * 200_000,
    "8/8 [" + "=" * 500_000,
    "8/8 - 1s - " + "a" * 500_000 + ": 1",
    "8/8 - 1s - loss: " + "9" * 500_000,
    "'loss': [" * 60_000,
    "{'loss': [" + "1 " * 300_000,
    "{" + "'a'" + " " * 500_000,
    "learning rate to " * 50_000,
]


@pytest.mark.parametrize("line", HOSTILE_LINES, ids=range(len(HOSTILE_LINES)))
def test_long_lines_cost_no_time(line: str) -> None:
    """No pattern takes more than linear time."""
    began = time.monotonic()
    with suppress(SubjectError):
        parse_log(f"Epoch 1/2\n8/8 - 1s - loss: 0.5\n{line}\n" if line[0] != "{" else line, "log")
    assert time.monotonic() - began < 15


def looked(log: TrainingLog) -> list[Finding]:
    return [examine(probe, log, log.name, frozenset(probe.topics)) for probe in PROBES]


def test_damaged_logs_break_nothing(logs: Path, tmp_path: Path) -> None:
    """Whatever bytes stand in a log: it is read or refused, every probe answers, and the plot is XML."""
    chance = random.Random(0)  # noqa: S311 - not for secrets
    files = [*logs.glob("*.csv"), *logs.glob("*.json"), *logs.glob("*.txt"), *logs.glob("*/train/*")]
    read = 0
    for number in range(300):
        data = bytearray(files[number % len(files)].read_bytes()[:20_000])
        for _ in range(chance.choice([1, 5, 50])):
            at = chance.randrange(len(data))
            data[at : at + chance.choice([0, 1, 1, 9])] = chance.choice(
                [b"", b"-", b"e99", b"nan", b"0", b",", b"\n", b"\xff<&"]
            )
        path = tmp_path / "log"
        path.write_bytes(bytes(data))
        try:
            log = read_log(path)
        except SubjectError:
            continue
        read += 1
        findings = looked(log)
        assert not [finding for finding in findings if finding.outcome == "crashed"]
        ET.fromstring(plot_log(log, findings))  # noqa: S314 - our own
    assert read > 100


def test_hostile_events_break_nothing(tmp_path: Path) -> None:
    """Records with a right checksum and any content."""
    chance = random.Random(1)  # noqa: S311 - not for secrets
    path = tmp_path / "events"
    for _ in range(200):
        inner = bytes(chance.choices([0, 1, 2, 8, 10, 13, 16, 18, 42, 66, 80, 128, 255], k=40))
        path.write_bytes(b"".join(record(bytes([42, len(inner)]) + inner) for _ in range(5)))
        with suppress(SubjectError):
            looked(read_log(path))


def test_the_plot_marks_what_was_found(logs: Path) -> None:
    """Every mark of a finding that counts stands in the legend, in either language, and nothing else does."""
    log = read_log(logs / "overfitting.csv")
    findings = [examine(probe, log, log.name, frozenset()) for probe in PROBES]
    assert "lowest validation loss" in plot_log(log, findings)
    assert "验证损失最低" in plot_log(log, findings, "zh")
    assert "(logarithmic)" in plot_log(log, findings)
    assert "lowest validation loss" not in plot_log(log)
    sound = read_log(logs / "healthy.csv")
    assert "#B00020" not in plot_log(sound, [examine(probe, sound, "s", frozenset()) for probe in PROBES])


def test_nan_is_drawn_as_crosses(logs: Path) -> None:
    """A gap in the line with a cross for each value."""
    drawn = plot_log(read_log(logs / "not_finite.csv"))
    assert drawn.count("l7 7m0 -7l-7 7") == 32
    assert "× is nan or inf" in drawn


def test_names_in_the_plot_are_escaped() -> None:
    """Names come from files that anyone may have written; so do values."""
    text = 'epoch,<script>_loss,"""&quot;\x01acc"\n0,1e308,-1e308\n1,-1e308,1\n2,5e-324,inf\n'
    drawn = plot_log(parse_log(text, '<b>"&'))
    assert "<script>" not in drawn
    ET.fromstring(drawn)  # noqa: S314 - our own
    assert "nan" not in drawn.replace("× is nan or inf", "")


@pytest.mark.parametrize("rows", [1, 2, 20_000])
def test_plots_of_any_length_are_small(rows: int) -> None:
    """One epoch is a point; a line of twenty thousand is thinned out."""
    text = "epoch,loss\n" + "".join(f"{i},{1 + math.sin(i)}\n" for i in range(rows))
    drawn = plot_log(parse_log(text, "log"))
    assert len(drawn) < 60_000
    assert ("<circle" in drawn) is (rows == 1)
