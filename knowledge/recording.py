"""Runs the blocks of entries in a laboratory and tells which of them do not do what they promise."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .entry import Block, Entry
from .laboratory import Laboratory, Place, Run, judge, proves, unproven
from .recorded import blocks_in, digest, write_run, write_traces


@dataclass
class Outcome:
    """What a laboratory made of some entries.

    `printed` are the traces of each topic's broken blocks, `digests` those of the topics whose blocks all did what they
    promise, `failures` what went wrong in each of the others, as texts to show.
    """

    place: Place
    versions: str
    printed: dict[str, list[str]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    failures: dict[str, list[str]] = field(default_factory=dict)


def run_entries(place: Place, entries: Iterable[Entry], tell: Callable[[str, Run], None] | None = None) -> Outcome:
    """Run what the entries have for a laboratory; `tell` is called with a headline and each run."""
    with Laboratory(place) as laboratory:
        outcome = Outcome(place, laboratory.versions)
        for entry in entries:
            printed, failures = _run_blocks(laboratory, entry, tell)
            outcome.printed[entry.id] = printed
            if failures:
                outcome.failures[entry.id] = failures
            else:
                outcome.digests[entry.id] = digest(entry, place.name)
    return outcome


def _run_blocks(
    laboratory: Laboratory, entry: Entry, tell: Callable[[str, Run], None] | None
) -> tuple[list[str], list[str]]:
    """What the broken blocks printed, and what went wrong."""
    name = laboratory.place.name
    traces, failures = [], []
    for block in blocks_in(entry, name):
        run = laboratory.run(block.code)
        wrong = judge(entry, block, run)
        headline = f"{'FAIL' if wrong else 'ok  '} {name} {entry.id} block {block.number} {block.role}"
        if tell:
            tell(headline, run)
        if wrong:
            failures.append(f"{headline}: {wrong}\n{run.output[-4000:]}")
        elif block.role == "broken" and proves(entry, run):
            traces.append(run.output)
    stale = [block for block in excepted_in(entry, name) if judge(entry, block, laboratory.run(block.code)) is None]
    failures += [f"FAIL {name} {entry.id} block {block.number}: holds here too; -{name} is stale" for block in stale]
    return traces, failures


def excepted_in(entry: Entry, laboratory: str) -> list[Block]:
    """The blocks of an entry that say of themselves that they do not hold in a laboratory."""
    return [block for block in entry.blocks if block.language == "python" and laboratory in block.excepted]


def keep(outcome: Outcome) -> None:
    """Write what was printed, and what was run, for the topics without a failure."""
    for topic in outcome.digests:
        write_traces(outcome.place.name, topic, outcome.printed[topic])
    write_run(outcome.place.name, outcome.versions, outcome.digests)


def unproven_signatures(entries: Iterable[Entry], outcomes: Iterable[Outcome]) -> list[str]:
    """The signatures that no broken block printed in any of these runs and no described message contains."""
    ran = list(outcomes)
    return [
        f"FAIL {entry.id}: signature '{signature}' was neither printed nor described"
        for entry in entries
        for signature in unproven(entry, [text for outcome in ran for text in outcome.printed.get(entry.id, [])])
    ]
