"""Faults in training logs: a mutation changes the columns of a real CSV log."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from planted_files import Mutation

Columns = dict[str, list[float]]


def read(path: Path) -> Columns:
    """The columns of a log."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def write(columns: Columns, path: Path) -> None:
    """The same as a file; what is shorter is filled with nothing."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            out.writerow([int(row[0]), *row[1:]])


def losses(log: Columns) -> list[str]:
    """The names of the training losses."""
    return [name for name in log if name.endswith("loss") and not name.startswith("val_")]


def accuracies(log: Columns) -> list[str]:
    """The names of the training accuracies."""
    return [name for name in log if "accuracy" in name and not name.startswith("val_")]


def stretched(log: Columns) -> None:
    """A log of more epochs, the curves drawn out."""
    count, epochs = len(log["epoch"]), 30
    place = np.linspace(0, count - 1, epochs)
    for name in log:
        log[name] = np.interp(place, range(count), log[name]).tolist()
    log["epoch"] = [float(i) for i in range(epochs)]


def not_finite(value: float) -> Callable[[Columns], bool]:
    """The loss becomes NaN or infinite after a third of the epochs."""

    def plant(log: Columns) -> bool:
        start = len(log["epoch"]) // 3
        for name in [*losses(log), *(f"val_{n}" for n in losses(log))]:
            log[name][start:] = [value] * (len(log[name]) - start)
        return True

    return plant


def constant(log: Columns) -> bool:
    """No curve moves."""
    for name in set(log) - {"epoch"}:
        log[name] = [log[name][0]] * len(log[name])
    return True


def guessing(log: Columns) -> bool:
    """The loss stays at ln 4 and the accuracy at a quarter, with a little noise."""
    noise = np.random.default_rng(1)
    if not accuracies(log) or len(losses(log)) > 1:
        return False
    for name in set(log) - {"epoch"}:
        level = 0.25 if "accuracy" in name else math.log(4)
        log[name] = (level + noise.normal(0, 0.002, len(log[name]))).tolist()
    return True


def diverging(log: Columns) -> bool:
    """The loss grows by half in each epoch."""
    for name in [*losses(log), *(f"val_{n}" for n in losses(log))]:
        log[name] = [log[name][0] * 1.8**i for i in range(len(log[name]))]
    return True


def jumping(log: Columns) -> bool:
    """The loss jumps up in every fourth epoch."""
    for name in losses(log):
        log[name] = [v + (log[name][0] * 1.5 if i % 4 == 3 else 0) for i, v in enumerate(log[name])]  # noqa: PLR2004
    return True


def below_zero(log: Columns) -> bool:
    """The loss falls below zero and on."""
    for name in losses(log):
        log[name] = [log[name][0] - 2.0 * i for i in range(len(log[name]))]
    return bool(accuracies(log))


def overfitted(log: Columns) -> bool:
    """The validation loss rises again after a third of the epochs."""
    stretched(log)
    for name in losses(log):
        falling = np.linspace(1.0, 0.05, 30)
        log[name] = (log[name][0] * falling).tolist()
        rising = [abs(i - 9) * (0.03 if i < 9 else 0.05) + 0.7 for i in range(30)]  # noqa: PLR2004
        log[f"val_{name}"] = (log[name][0] * np.array(rising)).tolist()
    return True


def plateau(log: Columns) -> bool:
    """The loss falls in the first epochs and no further."""
    stretched(log)
    noise = np.random.default_rng(2)
    for name in [*losses(log), *(f"val_{n}" for n in losses(log))]:
        first = log[name][0]
        log[name] = (first * (0.4 + 0.6 * np.exp(-np.arange(30) / 2.0)) + noise.normal(0, first / 1000, 30)).tolist()
    return True


def still_falling(log: Columns) -> bool:
    """The loss falls as fast at the end as at the beginning."""
    stretched(log)
    for name in [*losses(log), *(f"val_{n}" for n in losses(log))]:
        log[name] = (log[name][0] * np.linspace(1.0, 0.4, 30)).tolist()
    return True


def zero_accuracy(log: Columns) -> bool:
    """An accuracy of 0 while the loss falls: a regression."""
    for name in [*accuracies(log), *(f"val_{n}" for n in accuracies(log))]:
        log[name] = [0.0] * len(log[name])
    return bool(accuracies(log))


def one_class(log: Columns) -> bool:
    """An accuracy that is the share of one class, and a loss that hardly moves."""
    for name in set(log) - {"epoch"}:
        log[name] = [0.34] * len(log[name]) if "accuracy" in name else [1.2 - 0.002 * i for i in range(len(log[name]))]
    return bool(accuracies(log))


def rate_to_nothing(log: Columns) -> bool:
    """The learning rate falls to nothing and the loss stands still."""
    stretched(log)
    log["learning_rate"] = [1e-3 * 10 ** -min(i // 3, 9) for i in range(30)]
    for name in losses(log):
        log[name] = [v if i < 12 else log[name][12] * (1 + 1e-4 * (i % 2)) for i, v in enumerate(log[name])]  # noqa: PLR2004
    return True


def rate_steps(log: Columns) -> bool:
    """The learning rate is halved once."""
    half = len(log["epoch"]) // 2
    log["learning_rate"] = [1e-3] * half + [5e-4] * (len(log["epoch"]) - half)
    return True


def two_runs(log: Columns) -> bool:
    """The log was written on by a second run."""
    for name in log:
        log[name] = log[name] * 2
    return True


def frozen_validation(log: Columns) -> bool:
    """The validation loss does not move while the training loss falls."""
    for name in losses(log):
        log[f"val_{name}"] = [log[f"val_{name}"][0]] * len(log[name])
    return True


def never_right(log: Columns) -> bool:
    """Validation holds a class that training has not."""
    for name in accuracies(log):
        log[f"val_{name}"] = [0.0] * len(log[name])
        log[name] = np.linspace(0.5, 0.95, len(log[name])).tolist()
    for name in losses(log):
        log[f"val_{name}"] = [log[name][0] * (1 + 0.5 * i) for i in range(len(log[name]))]
    return bool(accuracies(log))


def better(log: Columns) -> bool:
    """Validation is better than training throughout."""
    for name in losses(log):
        log[f"val_{name}"] = [v * 0.5 for v in log[name]]
    return True


SLOW = "loss-not-decreasing"
MUTATIONS = (
    Mutation("loss-not-finite", "NaN from a third on", "nan-loss", not_finite(math.nan)),
    Mutation("loss-not-finite", "infinite from a third on", "nan-loss", not_finite(math.inf)),
    Mutation("loss-stuck", "nothing moves", SLOW, constant),
    Mutation("loss-stuck", "the loss of guessing", SLOW, guessing),
    Mutation("loss-unstable", "grows by 80 % in each epoch", "gradient-clipping", diverging),
    Mutation("loss-unstable", "jumps in every fourth epoch", "gradient-clipping", jumping),
    Mutation("loss-unstable", "falls below zero", "label-out-of-range", below_zero),
    Mutation("loss-plateau", "falls for some epochs only", "reduce-lr-on-plateau", plateau),
    Mutation("loss-plateau", "falls until the end", SLOW, still_falling),
    Mutation("overfitting-curves", "validation rises after epoch 10", "overfitting", overfitted),
    Mutation("accuracy-stuck", "0 in a regression", "accuracy-metric", zero_accuracy),
    Mutation("accuracy-stuck", "the share of one class", SLOW, one_class),
    Mutation("learning-rate-changes", "halved once", "reduce-lr-on-plateau", rate_steps),
    Mutation("learning-rate-changes", "fallen to nothing", SLOW, rate_to_nothing),
    Mutation("log-runs", "two runs in one log", "record-history", two_runs),
    Mutation("validation-curves", "validation does not move", SLOW, frozen_validation),
    Mutation("validation-curves", "validation is never right", "validation-split-before-shuffle", never_right),
    Mutation("validation-curves", "validation is better", "train-loss-higher-than-test", better),
)
