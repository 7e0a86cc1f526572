"""The command, run as a user runs it: as a process, with real pastes and real exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from kerasdoctor.cli.terminal import Screen, columns
from kerasdoctor.knowledge.entry import Entry
from kerasdoctor.knowledge.recorded import traces_of

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
TRACE = traces_of("tensor-op-outside-layer")["keras-3"][0]


def command(*arguments: str, text: str | bytes = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run kerasdoctor with standard input."""
    data = text.encode() if isinstance(text, str) else text
    ended = subprocess.run(
        [str(Path(sys.executable).with_name("kerasdoctor")), *arguments],
        input=data,
        capture_output=True,
        env={**os.environ, "COLUMNS": "80", **environment},
        check=False,
    )
    return subprocess.CompletedProcess(
        ended.args, ended.returncode, ended.stdout.decode("utf-8"), ended.stderr.decode("utf-8")
    )


def test_explain_a_file_with_a_model() -> None:
    """The answer comes first; then reasons, the fix for the right Keras, evidence from the model, sources."""
    ended = command("explain", str(EXAMPLES / "error.txt"), "--model", str(EXAMPLES / "digits.keras"))
    assert ended.returncode == 0, ended.stderr
    parts = [
        "dtype-not-allowed",
        "Why we think so",
        "What to do in Keras 3",
        "import keras",
        "Evidence",
        "uint8 to",
        "Sources",
    ]
    places = [ended.stdout.index(part) for part in parts]
    assert places == sorted(places)
    assert "\x1b" not in ended.stdout


def test_a_fault_of_the_model_comes_before_general_advice() -> None:
    """An error of one kind, and a model with a fault of another: what was found is told first, with its topic."""
    text = "AttributeError: module 'tensorflow' has no attribute 'Session'"
    ended = command("explain", "--model", str(EXAMPLES / "churn.h5"), text=text)
    assert ended.returncode == 0, ended.stderr
    parts = ["tf1-api-in-tf2", "Evidence", "softmax over 1 unit", "topic softmax-on-one-unit", "What to do"]
    places = [ended.stdout.index(part) for part in parts]
    assert places == sorted(places)


def test_a_described_symptom_yields_to_the_fault_that_explains_it() -> None:
    """Many things keep a loss from falling; where the model has one of them, that is the answer."""
    text = "My loss does not decrease, accuracy stays at 0.5"
    ended = command("explain", "--model", str(EXAMPLES / "churn.h5"), "--json", text=text)
    read = json.loads(ended.stdout)
    assert read["topic"] == "softmax-on-one-unit"
    assert [each["topic"] for each in read["alternatives"]] == ["loss-not-decreasing"]


def test_a_bare_pipe_means_explain() -> None:
    """`python train.py 2>&1 | kerasdoctor`, with options too."""
    assert "tensor-op-outside-layer" in command(text=TRACE).stdout
    assert json.loads(command("--json", text=TRACE).stdout)["topic"] == "tensor-op-outside-layer"


def test_json_is_the_diagnosis() -> None:
    """The fields that programs rely on are there, with their types."""
    ended = command("explain", "-", "--json", "--model", str(EXAMPLES / "digits.keras"), text=TRACE)
    read = json.loads(ended.stdout)
    assert read["schema"] == "kerasdoctor.diagnosis/3"
    assert 0 < read["confidence"] <= 1
    assert all(isinstance(reason, str) for reason in read["reasons"])
    undecided = json.loads(command("--json", text="GPU 用不了，训练很慢").stdout)
    assert undecided["alternatives"]
    assert all({"topic", "confidence"} <= set(other) for other in undecided["alternatives"])
    assert {finding["outcome"] for finding in read["findings"]} <= {"finding", "nothing", "could_not_look"}
    assert {"probe", "outcome", "topics", "evidence"} <= set(read["findings"][0])
    assert read["fix"]["code"]
    assert read["sources"][0]["url"].startswith("https://")


def test_not_known_is_a_helpful_answer() -> None:
    """A stranger's failure ends with 1 and tells whose code raised it and what to add."""
    text = (
        'Traceback (most recent call last):\n  File "app.py", line 3, in <module>\n    df["Age"]\n'
        '  File "/usr/lib/python3/dist-packages/pandas/core/indexes/base.py", line 3798, in get_loc\n'
        "    raise KeyError(key) from err\nKeyError: 'Age'\n"
    )
    ended = command("explain", text=text)
    assert ended.returncode == 1
    assert "Not known" in ended.stdout
    assert "raised in pandas" in ended.stdout
    assert "app.py:3" in ended.stdout
    read = json.loads(command("explain", "--json", text=text).stdout)
    assert read["topic"] is None
    assert read["advice"]


def test_the_language_is_that_of_the_paste() -> None:
    """A Chinese paste gets a Chinese answer; --lang decides otherwise."""
    assert "怎么办" in command(text="请问这个报错怎么解决？\n" + TRACE).stdout
    assert "What to do" in command("--lang", "en", text="请问这个报错怎么解决？\n" + TRACE).stdout
    assert "怎么办" in command("--lang", "zh", text=TRACE).stdout


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_readable_at_80_columns(lang: str) -> None:
    """No line of text is wider than the terminal; code and addresses are left whole."""
    lines = command("explain", str(EXAMPLES / "error.txt"), "--lang", lang).stdout.splitlines()
    code = {
        line.strip()
        for block in json.loads(command("explain", str(EXAMPLES / "error.txt"), "--json").stdout)["fix"][
            "code"
        ].splitlines()
        for line in [block]
    }
    wide = [line for line in lines if columns(line) > 80 and line.strip() not in code and "://" not in line]
    assert not wide


def test_pasted_escape_sequences_are_not_obeyed() -> None:
    """Control characters of a hostile paste do not reach the terminal."""
    text = "Traceback (most recent call last):\nValueError: \x9b31m\x07 bad \x1b]0;title\x07 name\n"
    ended = command(text=text)
    assert not any((ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 for c in ended.stdout)


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xfe\x00\xd8", b"\x00" * 5000, "ValueError: 中".encode("utf-16"), b"\xf0\x28\x8c\x28" * 100],
    ids=["empty", "bad utf-16", "zeros", "powershell", "bad utf-8"],
)
def test_any_bytes_are_taken(data: bytes) -> None:
    """Whatever is piped in gets an answer, never a traceback of ours."""
    ended = command(text=data)
    assert ended.returncode in (0, 1)
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["explain", "/no/such/file.txt"], 3, "there is no such file"),
        (["topic", "tensor-op"], 2, "tensor-op-outside-layer"),
        (["evaluate", "/no/such.jsonl"], 3, "cannot be read"),
        (["explain", "--lang", "fr"], 2, "fr"),
        (["run"], 2, "COMMAND"),
        (["run", "--", "/no/such/program"], 3, "cannot be run"),
        (["search", "zzzzqqqq"], 1, "no topic"),
    ],
)
def test_mistakes_are_told(arguments: list[str], code: int, said: str) -> None:
    """Each kind of mistake has its exit code and says what was expected."""
    ended = command(*arguments)
    assert ended.returncode == code
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_model_that_cannot_be_read_is_an_outcome(tmp_path: Path) -> None:
    """The diagnosis goes on, and the evidence says why the model could not be looked at."""
    (tmp_path / "m.keras").write_text("version https://git-lfs.github.com/spec/v1\n")
    ended = command("explain", "-", "--model", str(tmp_path / "m.keras"), text=TRACE)
    assert ended.returncode == 0
    assert "could not look" in ended.stdout
    assert "git lfs pull" in ended.stdout


def test_topic_search_topics(entries: list[Entry]) -> None:
    """Entries can be read, found and listed, in both languages."""
    page = command("topic", "graph-disconnected").stdout
    assert "What you see" in page
    assert "Works: Keras 3" in page
    assert "现象" in command("topic", "graph-disconnected", "--lang", "zh").stdout
    assert command("search", "slicing", "a", "tensor", "between", "layers").stdout.startswith("tensor-op-outside-layer")
    assert "gpu-not-visible" in command("search", "GPU 无法使用").stdout
    listed = command("topics").stdout.splitlines()
    assert len(listed) == len(entries)
    assert [t["topic"] for t in json.loads(command("topics", "--json").stdout)] == [e.id for e in entries]


def test_evaluate(tmp_path: Path) -> None:
    """Figures as a table and as JSON, misses on request."""
    cases = [
        {"id": "a", "kind": "traceback", "lang": "en", "text": TRACE, "expect": ["tensor-op-outside-layer"]},
        {"id": "b", "kind": "negative", "lang": "en", "text": "KeyError: 'Age'", "expect": []},
        {"id": "c", "kind": "question", "lang": "en", "text": "qqq", "expect": ["graph-disconnected"]},
    ]
    path = tmp_path / "cases.jsonl"
    path.write_text("".join(json.dumps(case) + "\n" for case in cases), encoding="utf-8")
    read = json.loads(command("evaluate", str(path), "--json", "--misses").stdout)
    assert set(read["top1"]) == {"value", "low", "high", "n"}
    assert read["top1"]["value"] == 0.5
    assert read["by_kind"]["traceback"]["top3"]["value"] == 1
    assert [miss["id"] for miss in read["misses"]] == ["c"]
    table = command("evaluate", str(path), "--misses").stdout
    assert "right first" in table
    assert "c: not known" in table


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    """Each shell gets a script, and completion knows the commands."""
    assert "kerasdoctor" in command("completion", shell).stdout
    ended = command(_KERASDOCTOR_COMPLETE="bash_complete", COMP_WORDS="kerasdoctor ex", COMP_CWORD="1")
    assert "explain" in ended.stdout


def test_help_names_everything() -> None:
    """The help lists each command and the exit codes."""
    text = command("--help").stdout
    for name in ("explain", "run", "topic", "search", "topics", "evaluate", "completion", "Exit codes"):
        assert name in text


def test_a_table_is_told_row_by_row() -> None:
    """A table of an entry does not fit a terminal: each row begins with its first cell and names the others."""
    screen = Screen(width=60)
    screen.markdown(
        "Compare:\n\n| labels | last layer | loss |\n|---|:---:|---|\n| 0/1 | `Dense(1)` | a \\| b |\n\nEnd."
    )
    assert click.unstyle(screen.text()).split("\n") == [
        "  Compare:",
        "",
        "  • 0/1",
        "      last layer: `Dense(1)`; loss: a | b",
        "",
        "  End.",
    ]


def test_a_keras_version_must_be_one() -> None:
    """What is no version is told, not ignored; a version chooses the fix."""
    wrong = command("explain", "--keras", "latest", text="loss is nan")
    assert wrong.returncode == 2
    assert "expected numbers such as" in wrong.stderr
    told = json.loads(command("explain", "--keras", "2.2.4", "--json", text="loss is nan").stdout)
    assert told["told"]["line"] == "keras-2.2"
