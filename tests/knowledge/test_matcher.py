"""The matcher: its index agrees with scikit-learn, traces lead back to their topics, strangers to none."""

from __future__ import annotations

from pathlib import Path

import pytest
from kerasdoctor.errors import IndexMissingError
from kerasdoctor.knowledge.cases import load_cases
from kerasdoctor.knowledge.entry import load_entry
from kerasdoctor.knowledge.evaluation import evaluate
from kerasdoctor.knowledge.index import MAX_TERMS, Index
from kerasdoctor.knowledge.indexing import COMMON_CHARACTERS
from kerasdoctor.knowledge.matcher import Matcher
from kerasdoctor.knowledge.parser import parse
from kerasdoctor.knowledge.recorded import SEPARATOR
from kerasdoctor.knowledge.retold import FORMS, Trace, distinct_traces, lost
from kerasdoctor.knowledge.signature import found
from kerasdoctor.knowledge.terms import characters, mask, phrases, words
from sklearn.feature_extraction.text import TfidfVectorizer

NEGATIVES = Path(__file__).with_name("negatives.jsonl")


@pytest.mark.parametrize(
    ("name", "analyzer", "max_df"),
    [("message_words", words, 1.0), ("message_characters", characters, COMMON_CHARACTERS)],
)
def test_cosines_are_those_of_scikit_learn(index: Index, name: str, analyzer, max_df: float) -> None:
    """Without scikit-learn, the saved index gives the very similarities that scikit-learn computes."""
    texts = [text for messages in index.messages for text in messages]
    vectorizer = TfidfVectorizer(analyzer=analyzer, sublinear_tf=True, max_df=max_df)
    matrix = vectorizer.fit_transform(texts)
    short = [text for text in texts if len(vectorizer.vocabulary_.keys() & set(analyzer(text))) <= MAX_TERMS]
    assert len(short) > len(texts) / 4
    for query in short[::37]:
        ours = index.spaces[name].cosines(analyzer(query))
        theirs = (matrix @ vectorizer.transform([query]).T).toarray().ravel()
        assert [ours.get(n, 0.0) for n in range(len(texts))] == pytest.approx(theirs.tolist(), abs=1e-5)


def test_saved_index_is_the_same(index: Index, tmp_path: Path) -> None:
    """Saving and loading changes nothing."""
    index.save(tmp_path / "index.bin")
    assert Index.load(tmp_path / "index.bin") == index


def test_a_missing_or_foreign_index_is_told(index: Index, tmp_path: Path) -> None:
    """The message says how to build it."""
    with pytest.raises(IndexMissingError, match="make index"):
        Index.load(tmp_path / "none.bin")
    index.save(tmp_path / "index.bin")
    data = (tmp_path / "index.bin").read_bytes()
    (tmp_path / "old.bin").write_bytes(data.replace(b'"version":"', b'"version":"9', 1))
    with pytest.raises(IndexMissingError, match="another release"):
        Index.load(tmp_path / "old.bin")


@pytest.fixture(scope="module")
def traces(matcher: Matcher) -> list[Trace]:
    """Each distinct recorded trace."""
    return distinct_traces(matcher.index.topics)


@pytest.mark.parametrize(
    ("form", "least"),
    [
        ("as it is", 0.95),
        ("exception alone", 0.88),
        ("quoted", 0.95),
        ("from a notebook", 0.95),
        ("another program", 0.92),
        ("below start-up lines", 0.95),
    ],
)
def test_traces_lead_back_to_their_topic(traces: list[Trace], matcher: Matcher, form: str, least: float) -> None:
    """A recorded trace, also cut, quoted, or with other names and numbers, is matched to its own topic first."""
    missed = lost(traces, FORMS[form], matcher)
    told = [f"{trace.laboratory} {trace.topic}: {named}\n{trace.text[-200:]}" for trace, named in missed]
    assert 1 - len(missed) / len(traces) >= least, "\n".join(told)


OOM = "ResourceExhaustedError: OOM when allocating tensor with shape[64,128,128,512]"
ON_CPU = f"{OOM} and type float on /job:localhost/replica:0/task:0/device:CPU:0 by allocator cpu"
HISTORY = """Traceback (most recent call last):
  File "plot.py", line 12, in <module>
    acc = history.history['acc']
KeyError: 'acc'"""


@pytest.mark.parametrize(
    ("paste", "topic"),
    [(OOM, "gpu-out-of-memory"), (ON_CPU, "host-out-of-memory"), (HISTORY, "monitor-not-available")],
)
def test_little_is_enough(paste: str, topic: str, matcher: Matcher) -> None:
    """Messages that say it all are known without what stands around them."""
    ranking = matcher.match(parse(paste))
    assert (ranking.known, ranking.matches[0].topic) == (True, topic)


def test_the_first_exception_of_a_chain_is_the_cause(traces: list[Trace], matcher: Matcher) -> None:
    """What is raised while another exception is handled (closing a file, reporting) doesn't win over that one."""
    during = "\nDuring handling of the above exception, another exception occurred:\n\n"
    plain = [t for t in traces if t.text.startswith("Traceback (") and len(parse(t.text).raised) == 1]
    known = [t for t in plain[::7] if not lost([t], FORMS["as it is"], matcher)]
    pairs = [(one, other) for one, other in zip(known, known[9:], strict=False) if one.topic != other.topic]
    assert len(pairs) > 50
    chains = [Trace(one.topic, one.laboratory, one.text + during + other.text) for one, other in pairs]
    missed = lost(chains, FORMS["as it is"], matcher)
    assert len(missed) / len(chains) <= 0.02, [(trace.topic, named) for trace, named in missed]


@pytest.mark.parametrize(
    "above", ["gpu-out-of-memory", "cudnn-init-failed", "gpu-library-mismatch", "harmless-startup-log"]
)
def test_log_lines_above_a_crash_are_weighed_as_what_they_are(
    above: str, traces: list[Trace], matcher: Matcher
) -> None:
    """A log line is the answer where nothing else is said, and yields to an exception that explains itself."""
    lines = [d.message for d in load_entry(above).described if parse(d.message).log and not parse(d.message).raised]
    crash = next(t for t in traces if t.topic == "target-shape" and t.text.startswith("Traceback ("))
    near = {above, *(related.id for related in load_entry(above).related)}
    assert lines
    for line in lines:
        ranking = matcher.match(parse(f"{line}\n{crash.text}"))
        assert ranking.known
        assert ranking.matches[0].topic == "target-shape", line
        alone = matcher.match(parse(line))
        assert not alone.known or alone.matches[0].topic in near, line


def test_strangers_are_not_known(matcher: Matcher) -> None:
    """Failures of other libraries and questions about other things are named no topic (at most one in fifty)."""
    figures = evaluate(load_cases(NEGATIVES), matcher).as_json()["false_alarms"]
    assert figures["n"] > 100
    assert figures["value"] <= 0.02


def test_each_match_has_its_reasons(matcher: Matcher, traces: list[Trace]) -> None:
    """A match tells the signature, the shared words or the frame that speak for it."""
    text = next(trace.text for trace in traces if "A KerasTensor cannot be used as input" in trace.text)
    reasons = {reason.kind: reason.detail for reason in matcher.match(parse(text)).matches[0].reasons}
    assert "KerasTensor cannot be used" in reasons["signature"]
    assert reasons["words"]
    assert reasons["type"] == "ValueError"


def test_chinese_reasons_are_phrases(matcher: Matcher) -> None:
    """Chinese is compared by pairs of characters, but a reader is shown whole phrases."""
    assert phrases(["训练时 loss 一直不下降"], {"训练", "练时", "一直", "直不", "不下", "下降"}) == [
        "一直不下降",
        "训练时",
    ]
    reasons = matcher.match(parse("训练时 loss 一直不下降")).matches[0].reasons
    shared = next(reason.detail for reason in reasons if reason.kind == "words")
    assert "一直不下降" in shared


def test_the_same_answer_each_time(matcher: Matcher, traces: list[Trace]) -> None:
    """Matching is deterministic."""
    text = traces[0].text
    assert matcher.match(parse(text)) == matcher.match(parse(text))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("expected shape (None, 28, 28), found [?,1,1,64]", "expected shape shape , found shape"),
        ("File /home/me/a/b.py and C:\\x\\y.py", "File path and path"),
        ("layer conv2d_8 at 0x7fe08a0295e0 has 3 nodes", "layer conv2d at has nodes"),
        ("see https://keras.io/api/ now", "see url now"),
    ],
)
def test_masking(text: str, masked: str) -> None:
    """What varies between programs is taken out before texts are compared."""
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("signature", "text", "there"),
    [
        ("expected ndim=…, found ndim=…", "expected ndim=3, found ndim=2", True),
        ("expected ndim=…, found ndim=…", "found ndim=2, expected ndim=3", False),
        ("has no attribute `decode`", "has no attribute 'decode'", True),
        ("a … b", "a" + "x" * 400 + "b", False),
    ],
)
def test_signatures(signature: str, text: str, there: bool) -> None:
    """Fixed words in order, with bounded gaps; quotes and case do not count."""
    assert found(signature, " ".join(text.lower().split())) is there


def test_traces_are_kept_apart() -> None:
    """The separator of recorded traces does not occur in what programs print."""
    assert SEPARATOR.startswith("\f")
