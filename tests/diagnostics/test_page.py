"""What is shown of a diagnosis, decided once: the parts in their order, and which findings stand there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kerasdoctor.cli.terminal import Screen
from kerasdoctor.diagnostics.catalogue import listed_probes
from kerasdoctor.diagnostics.diagnosis import Diagnosis, Question
from kerasdoctor.diagnostics.diagnosis_page import diagnosis_page, write_part
from kerasdoctor.diagnostics.doctor import Doctor
from kerasdoctor.diagnostics.page import (
    TO_DROP,
    advice_text,
    heading_of,
    parts_of,
    question_text,
    shown_findings,
    sure,
)
from kerasdoctor.diagnostics.paper import unwrapped
from kerasdoctor.diagnostics.phrases import EXAMINE, look_with
from kerasdoctor.diagnostics.probe import Finding
from kerasdoctor.knowledge.entry import Entry
from kerasdoctor.knowledge.matcher import Matcher
from kerasdoctor.knowledge.text import LANGS, Text

SAW = (Text("it is so", "是这样"),)


@pytest.fixture(scope="module")
def known(matcher: Matcher) -> Diagnosis:
    return Doctor(matcher).diagnose("loss is nan", lang="en")


@pytest.fixture(scope="module")
def unknown(matcher: Matcher) -> Diagnosis:
    return Doctor(matcher).diagnose("KeyError: 'Age'", lang="en")


def test_the_parts_and_their_order(known: Diagnosis, unknown: Diagnosis) -> None:
    """The fix comes first; a part that is empty is no part."""
    assert parts_of(known)[:3] == ("reasons", "fix", "check")
    assert "evidence" not in parts_of(known)
    assert "advice" in parts_of(unknown)
    assert not {"fix", "why", "sources"} & set(parts_of(unknown))


def test_a_fault_of_another_topic_comes_before_the_fix(known: Diagnosis) -> None:
    """What is wrong with the files may well be the cause; its topic is named, that of the diagnosis is not again."""
    away = Finding("objective", "m.h5", "finding", topics=("softmax-on-one-unit",), evidence=SAW, fault=True)
    own = replace(away, topics=(str(known.topic),))
    with_fault = replace(known, findings=(away, own))
    assert parts_of(with_fault)[1:3] == ("evidence", "fix")
    assert parts_of(replace(known, findings=(own,)))[1:3] == ("fix", "check")
    assert [each.topic for each in shown_findings(with_fault).findings] == [None, "softmax-on-one-unit"]


def test_which_findings_are_shown(known: Diagnosis) -> None:
    """Findings, crashes and what speaks against a topic in question; silent ones are counted, blind ones told by reason."""
    findings = (
        Finding("shapes", "m.h5", "nothing"),
        Finding("memory", "m.h5", "nothing", ruled_out=("cite-keras",)),
        Finding("saturated", "m.h5", "nothing", ruled_out=(str(known.topic),), evidence=SAW),
        Finding("objective", "m.h5", "crashed", evidence=SAW),
        *(Finding(name, "w.h5", "could_not_look", evidence=SAW) for name in ("a", "b", "c", "d")),
        Finding("e", "other.h5", "could_not_look", evidence=SAW),
    )
    seen = shown_findings(replace(known, findings=findings))
    assert [each.finding.probe for each in seen.findings] == ["saturated", "objective"]
    assert seen.silent == 2
    assert [(blind.subject, blind.who("en")) for blind in seen.blind] == [("w.h5", "4 probes"), ("other.h5", "e")]
    silent = seen.silent_text()
    assert silent is not None
    assert silent.en == "2 probes found nothing wrong"
    assert shown_findings(known).silent_text() is None


def test_headings_are_those_of_the_page(known: Diagnosis, unknown: Diagnosis) -> None:
    """A template that goes through parts and headings shows what the terminal shows."""
    for diagnosis in (known, unknown):
        screen = Screen(width=100)
        diagnosis_page(screen, diagnosis)
        lines = screen.text().split("\n")
        headings = [heading_of(diagnosis, part).en for part in parts_of(diagnosis)]
        places = [next(n for n, line in enumerate(lines) if heading in line) for heading in headings]
        assert places == sorted(places)


def test_a_part_that_is_not_there_writes_nothing(unknown: Diagnosis) -> None:
    """Asking for the fix of what is not known gives an empty page, no heading."""
    screen = Screen()
    write_part(screen, unknown, "fix")
    assert not screen.text()


def test_nothing_is_certain(known: Diagnosis) -> None:
    """Whatever rounding says."""
    assert sure(replace(known, confidence=1.0)).en == "99% sure"


@pytest.mark.parametrize("probe", listed_probes(), ids=lambda probe: probe.id)
def test_a_probe_question_asks_for_a_file_where_files_can_be_dropped(probe: object) -> None:
    """On a terminal it names the command; elsewhere it asks for what the probe examines, in both languages."""
    listed = next(each for each in listed_probes() if each is probe)
    question = Question("probe", look_with(listed), (), 0.5, listed.id, listed.subject)
    for lang in LANGS:
        told = question_text(question).say(lang)
        assert listed.promise.say(lang) in told
        assert "kerasdoctor" not in told
    assert set(TO_DROP) >= {listed.subject}


def test_advice_asks_for_files_where_they_can_be_dropped(unknown: Diagnosis) -> None:
    """The command for it is of the terminal; all other advice stays."""
    assert EXAMINE in unknown.advice
    assert not any("kerasdoctor" in advice_text(text).say(lang) for text in unknown.advice for lang in LANGS)
    assert [advice_text(text) for text in unknown.advice][:-1] == list(unknown.advice)[:-1]


def test_unwrapped_keeps_lists_and_tables() -> None:
    """Lines of a paragraph or an item become one; Chinese is joined without a space; structure stays."""
    text = "A line\ngoes on.\n\n1. one\n   more\n   - inner\n     more\n2. two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n中文\n换行"
    assert unwrapped(text) == (
        "A line goes on.\n\n1. one more\n   - inner more\n2. two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n中文换行"
    )


def test_unwrapped_loses_no_word(entries: list[Entry]) -> None:
    """Of any entry, in either language."""
    for entry in entries:
        for lang in LANGS:
            for section in entry.sections[lang].values():
                assert "".join(unwrapped(section).split()) == "".join(section.split())
