"""Probes: one check of one kind of subject, one file each in `probes/`. The folder is the registry.

A probe's module defines `PROBE = Probe(...)`. Its `look` yields what it saw; a fault stands on its own, a fact only
counts when the topic that it speaks for is suspected already (a layer called twice is no fault, but it explains
"multiple inbound nodes"). Raising `CouldNotLook` is the third outcome, and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Literal

from ..errors import SubjectError
from ..knowledge.text import Text

# A model file is examined at three depths: its structure (`model`), the values it stores (`weights`), and what it does when
# it is run in the sandbox (`live`).
SubjectKind = Literal["model", "weights", "live", "environment", "log", "data"]
Outcome = Literal["finding", "nothing", "could_not_look", "crashed"]


class CouldNotLook(Exception):  # noqa: N818 - an outcome, not an error
    """The probe had nothing to examine; `reason` says why in both languages."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.en)
        self.reason = reason


@dataclass(frozen=True)
class Evidence:
    """One thing that a probe saw, with names and numbers.

    `confirms` and `rules_out` are topics. A `fault` is wrong in itself; a `warning` is worth telling whatever is
    suspected, though a sound subject may have it; anything else is a fact, which counts as a finding only where one of the
    topics it confirms is suspected. `layers` are the paths of the layers it is about ("inner/dense"), for the picture.
    """

    text: Text
    confirms: tuple[str, ...] = ()
    rules_out: tuple[str, ...] = ()
    fault: bool = False
    warning: bool = False
    layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listed:
    """What is told of a probe: its id, the kind of subject it examines, its promise in one line, the topics it speaks to."""

    id: str
    subject: SubjectKind
    promise: Text
    topics: tuple[str, ...]


@dataclass(frozen=True)
class Probe(Listed):
    """A check.

    `remedy` says in a line what to do about a fault where the evidence itself does not; `documentation` is the official page
    about what is checked.
    """

    look: Callable[[Any], Iterable[Evidence]]
    remedy: Text
    documentation: str


@dataclass(frozen=True)
class Finding:
    """What one probe saw of one subject.

    `topics` are those that the evidence confirms, `ruled_out` those that it speaks against; `evidence` is empty only
    where nothing was found and nothing is worth telling. For `could_not_look` and `crashed` (the probe itself failed) the
    evidence is the reason. `fault` is set when something is wrong in itself, whatever was suspected; `warning` when
    something is worth telling whatever was suspected. `layers` are those that the finding is about.
    """

    probe: str
    subject: str
    outcome: Outcome
    topics: tuple[str, ...] = ()
    ruled_out: tuple[str, ...] = ()
    evidence: tuple[Text, ...] = ()
    fault: bool = False
    warning: bool = False
    layers: tuple[str, ...] = ()


def examine(probe: Probe, subject: Any, name: str, suspected: frozenset[str]) -> Finding:  # noqa: ANN401
    """Run one probe. A crash of a probe is an outcome of that probe and stops nothing else.

    Args:
        probe: the check to run.
        subject: what it examines, of the type that its `SubjectKind` stands for.
        name: how the reader knows the subject (a file name, an interpreter).
        suspected: the topics that the pasted text was matched to.
    """
    try:
        seen = list(probe.look(subject))
    except CouldNotLook as missing:
        return Finding(probe.id, name, "could_not_look", evidence=(missing.reason,))
    except SubjectError as unreadable:  # what was wrong with the subject, already in words for the reader
        return Finding(probe.id, name, "could_not_look", evidence=(Text(str(unreadable), unreadable.zh),))
    except Exception as error:  # noqa: BLE001 - the border of a probe
        kind = type(error).__name__
        reason = Text(f"the probe failed: {kind}: {error}", f"探针自身出错：{kind}: {error}")
        return Finding(probe.id, name, "crashed", evidence=(reason,))
    rules_out = tuple(dict.fromkeys(t for e in seen for t in e.rules_out))
    counted = [e for e in seen if e.fault or e.warning or suspected.intersection(e.confirms)]
    if not counted:
        return Finding(probe.id, name, "nothing", ruled_out=rules_out, evidence=tuple(e.text for e in seen))
    return Finding(
        probe.id,
        name,
        "finding",
        topics=tuple(dict.fromkeys(t for e in counted for t in e.confirms if e.fault or e.warning or t in suspected)),
        ruled_out=rules_out,
        evidence=tuple(dict.fromkeys(e.text for e in counted)),
        fault=any(e.fault for e in counted),
        warning=any(e.warning for e in counted),
        layers=tuple(dict.fromkeys(layer for e in counted for layer in e.layers)),
    )


@cache
def all_probes() -> tuple[Probe, ...]:
    """Every probe in `probes/`, sorted by id."""
    package = import_module(f"{__package__}.probes")
    modules = [import_module(f"{package.__name__}.{m.name}") for m in iter_modules(package.__path__)]
    return tuple(sorted((module.PROBE for module in modules), key=lambda probe: probe.id))
