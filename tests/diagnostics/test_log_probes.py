"""The probes of training logs: what they find in real logs and in curves made for one check, and where they are silent."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from kerasdoctor.diagnostics.curves import Sighting, noise, trend
from kerasdoctor.diagnostics.probe import Finding, all_probes, examine
from kerasdoctor.diagnostics.training_log import TrainingLog, read_log

from .conftest import PROBES

OF_LOGS = [probe.id for probe in all_probes() if probe.subject == "log"]


def look(probe: str, log: TrainingLog, *suspected: str) -> Finding:
    return examine(PROBES[probe], log, log.name, frozenset(suspected))


def made(planned: int | None = None, **series: Sequence[float | None]) -> TrainingLog:
    """A log of curves that were made for a check."""
    epochs = tuple(range(1, max(map(len, series.values())) + 1))
    return TrainingLog("made", "CSV", epochs, {name: tuple(values) for name, values in series.items()}, planned=planned)


def alarms(log: TrainingLog) -> dict[str, Finding]:
    """What is found whatever was asked."""
    return {probe: finding for probe in OF_LOGS if (finding := look(probe, log)).outcome in ("finding", "crashed")}


FOUND = [
    ("not_finite", {"loss-not-finite": "'loss' is nan first in epoch 1, and in 8 of 8 epochs"}),
    ("frozen", {"loss-stuck": "in all 6 epochs, without the least change"}),
    ("overfitting", {"overfitting-curves": "the validation loss is lowest in epoch"}),
    ("regression", {"accuracy-stuck": "'accuracy' is 0 in all 8 epochs"}),
    (
        "chance_level",
        {"loss-stuck": "stays at 0.6932 = ln 2 for 8 epochs", "accuracy-stuck": "'accuracy' is 0.5 in all 8"},
    ),
]


@pytest.mark.parametrize(("name", "said"), FOUND, ids=[name for name, _ in FOUND])
@pytest.mark.parametrize("suffix", [".csv", ".json", ".txt"])
def test_trainings_that_went_wrong(logs: Path, name: str, suffix: str, said: dict[str, str]) -> None:
    """Each in every format, with the epochs and numbers, and nothing else."""
    log = read_log(logs / f"{name}{suffix}")
    found = alarms(log)
    rounded = len(set(log.series["loss"])) == 1  # four decimals hide that the loss moves: told once is enough
    assert set(found) == (set(said) - {"accuracy-stuck"} if rounded else set(said))
    for probe, words in said.items():
        if probe not in found:
            continue
        assert words in found[probe].evidence[0].en
        assert found[probe].fault is (name in ("not_finite", "frozen"))


@pytest.mark.parametrize("name", ["healthy", "silent", "dropout", "outputs", "reduced_rate"])
@pytest.mark.parametrize("suffix", [".csv", ".json", ".txt"])
def test_sound_trainings_have_no_finding(logs: Path, name: str, suffix: str) -> None:
    """Also those that were short, that Dropout slowed down, or whose rate was lowered."""
    assert alarms(read_log(logs / f"{name}{suffix}")) == {}


FACTS = [
    (
        "dropout",
        "validation-curves",
        "train-loss-higher-than-test",
        "the validation loss is below the training loss in 15 of 15",
    ),
    ("sorted_labels", "validation-curves", "validation-split-before-shuffle", "far worse from the first epoch on"),
    ("sorted_labels", "overfitting-curves", "overfitting", "in training and"),
    ("reduced_rate", "learning-rate-changes", "reduce-lr-on-plateau", "from 0.01 to 1e-09"),
    ("reduced_rate", "learning-rate-changes", "loss-not-decreasing", "these epochs train nothing"),
    ("reduced_rate", "loss-plateau", "loss-not-decreasing", "until epoch 4, and no further in the 6 epochs"),
]


@pytest.mark.parametrize(("name", "probe", "topic", "said"), FACTS, ids=[f"{p}-{n}" for n, p, *_ in FACTS])
def test_facts_count_once_their_topic_is_suspected(logs: Path, name: str, probe: str, topic: str, said: str) -> None:
    """They explain a suspicion and raise none."""
    log = read_log(logs / f"{name}.csv")
    finding = look(probe, log, topic)
    assert finding.outcome == "finding"
    assert said in " ".join(text.en for text in finding.evidence)
    assert look(probe, log).outcome == "nothing"


def test_nan_after_growth_and_nan_out_of_nothing() -> None:
    """What came before tells a rate that is too high from a bad sample."""
    grown = look("loss-not-finite", made(loss=[0.5, 0.4, 3.0, 80.0, math.nan, math.nan]))
    assert "first in epoch 5, and in 2 of 6 epochs; before it 0.4, 3, 80, 200 times" in grown.evidence[0].en
    sudden = look("loss-not-finite", made(loss=[0.5, 0.4, 0.3, math.inf]))
    assert "is inf first in epoch 4" in sudden.evidence[0].en
    assert "it came suddenly" in sudden.evidence[0].en
    assert sudden.topics == ("nan-loss",)


def test_nan_of_validation_alone() -> None:
    """The training loss stays finite: the validation data is to be looked at."""
    finding = look("loss-not-finite", made(loss=[3, 2, 1], val_loss=[3, math.nan, math.nan]))
    assert finding.fault
    assert "look at the validation data" in finding.evidence[0].en


def test_metrics_and_gaps_are_no_fault() -> None:
    """A metric that is 0/0 and epochs without validation are sound; a finite log rules nan out."""
    metric = made(loss=[3, 2, 1], precision=[math.nan, 0.5, 0.6])
    assert look("loss-not-finite", metric).outcome == "nothing"
    assert look("loss-not-finite", metric, "nan-loss").outcome == "finding"
    gaps = look("loss-not-finite", made(loss=[3, 2, 1], val_loss=[None, 2, None]))
    assert (gaps.outcome, gaps.ruled_out) == ("nothing", ("nan-loss",))
    assert "pandas" in look("loss-not-finite", made(loss=[3, 2, None]), "nan-loss").evidence[0].en


def test_divergence_and_recovery() -> None:
    """A loss that grows by orders of magnitude is a fault, tenfold a warning, a spike and a tiny loss that rises nothing."""
    assert look("loss-unstable", made(loss=[1, 5, 40, 900, 1e5])).fault
    mild = look("loss-unstable", made(loss=[1, 0.9, 4, 12, 15]))
    assert (mild.fault, mild.warning) == (False, True)
    assert "from 0.9 in epoch 2 to 15" in mild.evidence[0].en
    assert look("loss-unstable", made(loss=[1, 0.5, 9, 0.4, 0.3, 0.2])).outcome == "nothing"
    assert look("loss-unstable", made(loss=[1, 1e-4, 1e-8, 1e-5, 1e-3])).outcome == "nothing"


def test_jumps() -> None:
    """One jump is a fact, many are worth telling."""
    many = look("loss-unstable", made(loss=[1, 0.5, 1.2, 0.4, 1.1, 0.5, 1.3, 0.6, 1.2, 0.5]))
    assert many.warning
    assert "jumps up 4 times in 10 epochs" in many.evidence[0].en
    one = made(loss=[1, 0.5, 1.2, 0.4, 0.3, 0.2])
    assert look("loss-unstable", one).outcome == "nothing"
    assert look("loss-unstable", one, "loss-not-decreasing").outcome == "finding"


def test_a_loss_below_zero() -> None:
    """Beside an accuracy it is worth telling; a likelihood may be negative."""
    falling = [0.5 - i for i in range(10)]
    assert "from epoch 2 on" in look("loss-unstable", made(loss=falling, accuracy=[0.1] * 10)).evidence[0].en
    assert look("loss-unstable", made(loss=falling)).outcome == "nothing"


def test_guessing_is_named_with_its_classes() -> None:
    """Ln 10 at an accuracy of 0.1 is guessing; the same loss at an accuracy of 0.6, or fallen to from 9, is not."""
    level = [math.log(10) + 0.001 * (i % 3) for i in range(10)]
    assert "= ln 10 for 10 epochs" in look("loss-stuck", made(loss=level, acc=[0.1] * 10)).evidence[0].en
    assert look("loss-stuck", made(loss=[14, 3, *level], acc=[0.1] * 12)).warning
    assert look("loss-stuck", made(loss=level, acc=[0.6] * 10)).outcome == "nothing"
    assert look("loss-stuck", made(loss=[9, *level])).outcome == "nothing"


def test_a_constant_loss_of_zero_and_a_converged_one() -> None:
    """Zero from the start is one output unit under softmax; a later run, and rounded digits, are no fault."""
    zero = look("loss-stuck", made(loss=[0.0] * 6))
    assert zero.fault
    assert "softmax-on-one-unit" in zero.topics
    rounded = TrainingLog("bar", "progress bar", tuple(range(1, 7)), {"loss": (0.0123,) * 6})
    assert look("loss-stuck", rounded).outcome == "nothing"
    again = TrainingLog("two", "CSV", (1, 2, 3, *range(1, 7)), {"loss": (3.0, 1.0, 0.5, *[0.5] * 6)})
    assert look("loss-stuck", again).outcome == "nothing"


def test_validation_of_one_class() -> None:
    """Never right while training learns: sorted labels; always right from the start: a fact."""
    falls, learns = [1.0, 0.6, 0.4, 0.3, 0.2], [0.4, 0.6, 0.8, 0.9, 0.95]
    never = look(
        "validation-curves", made(loss=falls, val_loss=[2, 3, 4, 5, 6], accuracy=learns, val_accuracy=[0.0] * 5)
    )
    assert never.warning
    assert "'val_accuracy' is at most 0 in all 5 epochs while training reaches 0.950" in never.evidence[0].en
    always = made(loss=falls, val_loss=falls, accuracy=learns, val_accuracy=[1.0] * 5)
    assert look("validation-curves", always).outcome == "nothing"
    assert look("validation-curves", always, "validation-split-before-shuffle").outcome == "finding"


def test_constant_validation() -> None:
    """Exactly constant while training moves."""
    finding = look("validation-curves", made(loss=[1, 0.6, 0.4, 0.3, 0.2], val_loss=[0.7] * 5))
    assert finding.warning
    assert "the validation loss is 0.7 in all 5 epochs" in finding.evidence[0].en


def test_still_falling_rules_overfitting_out() -> None:
    """Both fall to the end."""
    falls = [1 / (1 + 0.1 * i) for i in range(20)]
    log = made(loss=falls, val_loss=[1.02 * v for v in falls])
    finding = look("loss-plateau", log, "loss-not-decreasing")
    assert "still falls at the end" in finding.evidence[0].en
    assert finding.ruled_out == ("overfitting",)


def test_steps_of_the_learning_rate() -> None:
    """Each with its epoch."""
    log = made(loss=[5, 4, 3, 2, 1, 0.5], learning_rate=[0.1, 0.1, 0.1, 0.01, 0.01, 0.001])
    said = look("learning-rate-changes", log, "reduce-lr-on-plateau").evidence[0].en
    assert "4: 0.1 -> 0.01, 6: 0.01 -> 0.001" in said


def test_runs_in_one_log() -> None:
    """Their epochs, that one goes on with the model of the other, and that two are the same."""
    loss = (3.0, 2.0, 1.0, 0.95, 0.9, 0.85, 0.95, 0.9, 0.85)
    log = TrainingLog("three", "CSV", (1, 2, 3) * 3, {"loss": loss}, planned=5)
    said = [text.en for text in look("log-runs", log, "record-history", "early-stopping").evidence]
    assert "3 runs (epochs 1-3, 1-3, 1-3); 1 of them" in said[0]
    assert "runs 2 and 3 have the same values" in said[1]
    assert "ends in epoch 3 of 5" in said[2]
    assert look("log-runs", made(loss=[3, 2, 1]), "record-history").outcome == "nothing"


def test_short_logs_and_logs_without_a_loss() -> None:
    """Could not look, and why."""
    for probe in set(OF_LOGS) - {"loss-not-finite", "log-runs", "learning-rate-changes"}:
        assert "epochs of a run" in look(probe, made(loss=[2, 1], val_loss=[2, 1], accuracy=[0, 1])).evidence[0].en
        assert look(probe, made(foo=[2, 1, 1])).outcome == "could_not_look"


def sound(chance: random.Random) -> TrainingLog:
    """Curves as sound trainings have them: an exponential fall to a floor, noise, validation a little above."""
    epochs, floor, speed = chance.randint(5, 60), chance.choice([0.01, 0.1, 0.4, 0.62]), chance.uniform(0.08, 0.6)
    start, wobble = chance.uniform(0.7, 2.5), chance.choice([0.005, 0.02, 0.05])

    def curve(extra: float, rough: float) -> list[float]:
        return [
            (floor + extra + (start - floor) * math.exp(-speed * i)) * math.exp(chance.gauss(0, rough))
            for i in range(epochs)
        ]

    loss, validation = curve(0, wobble), curve(chance.choice([0, 0.03, 0.1]), 2 * wobble)
    accuracy = [1 - 0.6 * v / start + chance.gauss(0, 0.005) for v in loss]
    return made(loss=loss, val_loss=validation, accuracy=accuracy, val_accuracy=[a - 0.02 for a in accuracy])


def test_sound_curves_raise_no_alarm() -> None:
    """Six hundred of them, of many speeds, floors and noises."""
    chance = random.Random(3)  # noqa: S311 - not for secrets
    raised = [(n, list(found)) for n in range(600) if (found := alarms(sound(chance)))]
    assert raised == []


def test_overfitting_is_found_in_noise() -> None:
    """Nine in ten curves that rise by half behind their lowest point, with noise of 5 %; the epoch is near the true one."""
    chance = random.Random(4)  # noqa: S311 - not for secrets
    found = 0
    for _ in range(100):
        noisy = [math.exp(chance.gauss(0, 0.05)) for _ in range(30)]
        falls = [0.05 + math.exp(-0.15 * i) for i in range(30)]
        turns = [(0.5 + 0.05 * abs(i - 10) / 2 * (1.5 if i > 10 else 1)) * n for i, n in enumerate(noisy)]
        log = made(loss=falls, val_loss=turns)
        found += look("overfitting-curves", log).warning
        for seen in PROBES["overfitting-curves"].look(log):
            assert isinstance(seen, Sighting)
            assert not seen.warning or abs(seen.marks[0].epoch - 11) <= 5
    assert found >= 90


def test_statistics() -> None:
    """Noise does not see a trend, and a trend does not see the size."""
    chance = random.Random(5)  # noqa: S311 - not for secrets
    line = [5 * i + chance.gauss(0, 0.1) for i in range(500)]
    assert noise(line) == pytest.approx(0.1, rel=0.15)
    assert noise([1.0]) == 0
    assert trend(line) > 5
    assert trend([-v for v in line]) < -5
    assert trend([1.0] * 20) == trend([]) == 0


VALUES = [math.nan, math.inf, -math.inf, 0.0, -1.0, 1e308, -1e308, 5e-324, 0.5, 1.0, None]


def test_hostile_values_break_nothing() -> None:
    """Any values in any series: every probe answers."""
    chance = random.Random(6)  # noqa: S311 - not for secrets
    names = ["loss", "val_loss", "accuracy", "val_accuracy", "learning_rate", "kind_loss", "'\x01<"]
    for _ in range(1500):
        count = chance.randint(1, 12)
        epochs = tuple(chance.choice([n, n, n, 1]) for n in range(1, count + 1))
        pool = chance.choices(VALUES, k=chance.choice([1, 2, 6]))
        series = {
            name: tuple(chance.choice(pool) for _ in epochs) for name in chance.sample(names, chance.randint(1, 7))
        }
        log = TrainingLog("made", "CSV", epochs, series, planned=chance.choice([None, 3, 50]))
        for probe in OF_LOGS:
            finding = look(probe, log, *PROBES[probe].topics)
            assert finding.outcome != "crashed", (finding.evidence, log)


def test_both_languages_name_the_same_numbers(logs: Path) -> None:
    """The names in one language's evidence stand in the other's."""
    texts = [
        text
        for path in sorted(logs.glob("*.csv"))
        for probe in OF_LOGS
        for text in look(probe, read_log(path), *PROBES[probe].topics).evidence
    ]
    assert len(texts) > 30
    for text in texts:
        assert set(text.en.split("'")[1::2]) == set(text.zh.split("'")[1::2])
        assert text.en != text.zh
