"""Compares the matcher with other ways of finding a topic, and writes docs/matching.md: `make compare CASES=FILE.jsonl`.

All are given the same entries, the same pastes, parsed alike, and a threshold for "not known" chosen alike: the lowest at
which at most 2 % of the negatives are named a topic. Our weights are fitted by cross-validation, so no case is answered
by weights that have seen it; the others have no weights.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from kerasdoctor.knowledge import calibration
from kerasdoctor.knowledge.cases import Case, load_cases
from kerasdoctor.knowledge.entry import Entry, load_entries
from kerasdoctor.knowledge.evaluation import Result, figures
from kerasdoctor.knowledge.index import Index
from kerasdoctor.knowledge.indexing import build
from kerasdoctor.knowledge.laboratory import unproven
from kerasdoctor.knowledge.lines import LABORATORIES, LINES
from kerasdoctor.knowledge.matcher import Calibration, Matcher
from kerasdoctor.knowledge.parser import parse
from kerasdoctor.knowledge.recorded import releases, traces_of
from kerasdoctor.knowledge.retold import FORMS, Trace, distinct_traces, lost
from kerasdoctor.knowledge.terms import mask
from kerasdoctor.knowledge.text import LANGS
from kerasdoctor.knowledge.texts import Texts

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests" / "knowledge"
RIVALS = ROOT / ".labs" / "rivals" / "bin" / "python"
MAX_FALSE_ALARMS = calibration.MAX_FALSE_ALARMS
WEAKEST = 10
KEPT = 5


@dataclass(frozen=True)
class Way:
    """What a way of finding topics says of each case, what it would say if it had to, and the milliseconds of a paste."""

    said: list[Result]
    ranked: list[Result]
    milliseconds: float


def main() -> int:
    """Measure everything and write the page."""
    pasted = load_cases(Path(sys.argv[1]))
    recorded = load_cases(TESTS / "negatives.jsonl")
    written = [*load_cases(TESTS / "questions.jsonl"), *load_cases(TESTS / "questions_out_of_scope.jsonl")]
    entries = load_entries()
    matcher = Matcher(build(entries), Calibration.load())
    judged = [*pasted, *recorded]
    ours, ranked = cross_validated(matcher.index, judged, written)
    rows = {"kerasdoctor": Way(ours[: len(judged)], ranked[: len(judged)], milliseconds(matcher, judged))}
    rows |= rivals(entries, matcher.index, judged)
    traces = distinct_traces(matcher.index.topics)
    missed = {name: lost(traces, form, matcher) for name, form in FORMS.items()}
    page = [
        HEAD.format(cases=len(pasted), negatives=sum(not case.expect for case in judged), topics=len(entries)),
        comparison(rows),
        by_kind(ours, {case.id for case in pasted}),
        led_back(traces, missed),
        left_out(entries, traces, matcher),
        weakest(ours, traces, missed["as it is"] + missed["exception alone"]),
    ]
    (ROOT / "docs" / "matching.md").write_text("\n".join(page), encoding="utf-8")
    return 0


def cross_validated(index: Index, judged: list[Case], written: list[Case]) -> tuple[list[Result], list[Result]]:
    """What the matcher says of each case, and how it ranks the topics, with weights that have not seen it."""
    cases = [*judged, *written]
    examples = [calibration.example(case, index) for case in judged]
    examples += [calibration.example(case, index, calibration.WRITTEN) for case in written]
    ranked = calibration.out_of_fold(cases, examples)
    installed = Calibration.load()
    thresholds = (installed.threshold, installed.threshold_alone)
    return (
        calibration.results(cases, examples, ranked, index.topics, thresholds),
        calibration.results(cases, examples, ranked, index.topics, (0.0, 0.0)),
    )


def milliseconds(matcher: Matcher, cases: list[Case]) -> float:
    """The time of one match, parsing included."""
    started = time.perf_counter()
    for case in cases:
        matcher.match(parse(case.text))
    return (time.perf_counter() - started) * 1000 / len(cases)


def rivals(entries: list[Entry], index: Index, cases: list[Case]) -> dict[str, Way]:
    """The other ways, on the messages, questions and explanations that our index is built from."""
    texts, owners = [], []
    for number, entry in enumerate(entries):
        bodies = [" ".join([entry.summary.say(lang), *entry.sections[lang].values()]) for lang in LANGS]
        asking = [text for lang in LANGS for text in (entry.title.say(lang), *entry.questions[lang])]
        mine = [*index.messages[number], *asking, *bodies]
        texts += [mask(text) for text in mine]
        owners += [number] * len(mine)
    request = {"texts": texts, "owners": owners, "topics": len(entries), "queries": [query(case) for case in cases]}
    done = subprocess.run(
        [str(RIVALS), str(ROOT / "benchmarks" / "rivals.py")],
        input=json.dumps(request),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return {
        name: Way(*judge(cases, answer["scores"], index.topics), answer["milliseconds"])
        for name, answer in json.loads(done.stdout).items()
    }


def query(case: Case) -> str:
    """A paste as the others are asked: what our parser found to matter, masked."""
    texts = Texts.of(parse(case.text))
    return " ".join(filter(None, (texts.main, *texts.asks[:1]))) or mask(case.text)


def judge(cases: list[Case], scores: list[list[float]], topics: list[str]) -> tuple[list[Result], list[Result]]:
    """The topics by score: none where it is below what keeps false alarms rare, and for every case."""
    alarms = sorted((max(row) for case, row in zip(cases, scores, strict=True) if not case.expect), reverse=True)
    threshold = alarms[int(len(alarms) * MAX_FALSE_ALARMS)]
    said, ranked = [], []
    for case, row in zip(cases, scores, strict=True):
        order = sorted(range(len(row)), key=lambda n: -row[n])[:KEPT]
        best = row[order[0]]
        ranked.append(Result(case, tuple(topics[n] for n in order), best))
        said.append(ranked[-1] if best > threshold else Result(case, (), best))
    return said, ranked


BESIDE = """\
## Beside other ways

All are given the same texts and the same pastes, parsed by our parser, and the threshold at which at most 2 % of the
negatives are false alarms. "Without threshold" is the right topic first when each must answer.

| way | first | in first three | MRR | without threshold | tracebacks | questions | false alarms | ms a paste |
|---|---|---|---|---|---|---|---|---|"""
KINDS = """\
## By kind and language

Pasted: what people really posted. Recorded: what other libraries and plain Python printed. Written: posts made up for the
purpose; they count for less in the fit, and those out of scope were written to be hard to tell from ours.

| cases | kind | language | n | first | in first three | false alarms |
|---|---|---|---|---|---|---|"""
BACK = """\
## Recorded traces lead back

{traces} distinct traces, each told in six forms. Many that are lost as an exception alone are plain NumPy or Python errors
in which nothing of Keras is left.

| form | own topic first | another topic | not known |
|---|---|---|---|"""
UNSEEN = """\
## A Keras that was never seen

The traces of one laboratory, or of all of a line, are held out of the index, with the signatures that nothing else prints,
and then matched: what to expect of a release whose messages are not recorded yet.

| held out | releases | traces | own topic first | without threshold |
|---|---|---|---|---|"""
WEAKEST_TOPICS = """\
## The weakest topics

Over all cases and all recorded traces, as they are and as the exception alone.

| topic | missed | named instead |
|---|---|---|"""
HEAD = """\
# How well pastes are matched

Written by `make compare CASES=FILE.jsonl`; the figures are of {cases} pastes that people made (tracebacks, questions, and
some out of scope) and {negatives} negatives in all, most of them recorded from other libraries. {topics} topics. "Not known" on an
answerable case counts as wrong; naming any topic on a negative is a false alarm. Intervals hold 95 %. Our figures are
cross-validated: the weights that answer a case have not seen it.
"""


def comparison(rows: dict[str, Way]) -> str:
    """The table of all ways."""
    lines = [BESIDE]
    for name, way in rows.items():
        read = figures(way.said)
        kinds = {
            kind: figures(r for r in way.said if r.case.kind == kind)["top1"] for kind in ("traceback", "question")
        }
        cells = [
            percent(read["top1"]),
            percent(read["top3"]),
            percent(read["mrr"]),
            percent(figures(way.ranked)["top1"]),
            percent(kinds["traceback"]),
            percent(kinds["question"]),
            percent(read["false_alarms"]),
            f"{way.milliseconds:.1f}",
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def percent(figure: dict[str, float | int | None]) -> str:
    """A proportion with its interval and its base."""
    value, low, high = figure["value"], figure["low"], figure["high"]
    return "-" if value is None else f"{value:.1%} [{low:.0%}, {high:.0%}]"


def by_kind(ours: list[Result], pasted: set[str]) -> str:
    """Our own figures by who wrote the case, kind and language."""
    lines = [KINDS]
    groups: dict[tuple[str, str, str], list[Result]] = {}
    for result in ours:
        case = result.case
        origin = "pasted" if case.id in pasted else "written" if case.id.startswith("made-") else "recorded"
        groups.setdefault((origin, case.kind, case.lang), []).append(result)
    for (origin, kind, lang), said in sorted(groups.items()):
        read = figures(said)
        cells = [percent(read[key]) for key in ("top1", "top3", "false_alarms")]
        lines.append(f"| {origin} | {kind} | {lang} | {len(said)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def led_back(traces: list[Trace], missed: dict[str, list[tuple[Trace, str | None]]]) -> str:
    """How often recorded traces lead back to their topic, in each form."""
    lines = [BACK.format(traces=len(traces))]
    for name, wrong in missed.items():
        unnamed = sum(named is None for _, named in wrong)
        lines.append(
            f"| {name} | {1 - len(wrong) / len(traces):.1%} | {(len(wrong) - unnamed) / len(traces):.1%} | "
            f"{unnamed / len(traces):.1%} |"
        )
    return "\n".join(lines) + "\n"


def left_out(entries: list[Entry], traces: list[Trace], matcher: Matcher) -> str:
    """Messages drift: a line's traces, and the signatures that only they print, are held out and then matched."""
    lines = [UNSEEN]
    groups = {f"laboratory {name}": [name] for name in LABORATORIES}
    groups |= {f"line {line}": [name for name in LABORATORIES if LABORATORIES[name] == line] for line in LINES}
    for name, held in groups.items():
        index = build([without_signatures(entry, held) for entry in entries], frozenset(held))
        reduced = Matcher(index, matcher.calibration)
        mine = [t for t in traces_in(traces, held) if t.topic in index.topics]
        rankings = [(t, reduced.match(parse(t.text))) for t in mine]
        first = sum(r.matches[0].topic == t.topic for t, r in rankings)
        named = sum(r.known and r.matches[0].topic == t.topic for t, r in rankings)
        runs = ", ".join(releases()[each] for each in held) if len(held) == 1 else ""
        lines.append(f"| {name} | {runs} | {len(mine)} | {named / len(mine):.1%} | {first / len(mine):.1%} |")
    return "\n".join(lines) + "\n"


def traces_in(traces: list[Trace], held: list[str]) -> Iterable[Trace]:
    """The distinct traces that the held laboratories print."""
    topics = sorted({trace.topic for trace in traces})
    return (Trace(t, name, text) for t in topics for name in held for text in traces_of(t).get(name, ()))


def without_signatures(entry: Entry, held: list[str]) -> Entry:
    """An entry without the signatures that only the held laboratories print."""
    others = [text for name, texts in traces_of(entry.id).items() if name not in held for text in texts]
    return replace(entry, signatures=tuple(s for s in entry.signatures if s not in unproven(entry, others)))


def weakest(ours: list[Result], traces: list[Trace], missed: list[tuple[Trace, str | None]]) -> str:
    """The topics that are most often missed, and what is named instead."""
    all_of: Counter[str] = Counter(2 * [trace.topic for trace in traces])
    wrong: Counter[str] = Counter(trace.topic for trace, _ in missed)
    instead: dict[str, Counter[str]] = {}
    for trace, named in missed:
        instead.setdefault(trace.topic, Counter())[named or "not known"] += 1
    for result in ours:
        for topic in result.case.expect:
            all_of[topic] += 1
            if result.rank != 1:
                wrong[topic] += 1
                instead.setdefault(topic, Counter())[result.named[0] if result.named else "not known"] += 1
    worst = sorted(wrong, key=lambda topic: (-wrong[topic] / all_of[topic], topic))[:WEAKEST]
    lines = [WEAKEST_TOPICS]
    for topic in worst:
        others = ", ".join(f"{name} ({n})" for name, n in instead[topic].most_common(3))
        lines.append(f"| {topic} | {wrong[topic]} of {all_of[topic]} | {others} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
