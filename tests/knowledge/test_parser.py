"""The parser on what programs really print: each text here is made by running a program that fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kerasdoctor.knowledge.cleaning import MAX_CHARS, MAX_LINES, clean
from kerasdoctor.knowledge.parser import MAX_CODE, MAX_PROSE, parse
from kerasdoctor.knowledge.recorded import traces_of
from kerasdoctor.knowledge.symptoms import Symptoms
from kerasdoctor.knowledge.tracebacks import MAX_FRAMES, MAX_MESSAGE, MAX_RAISED

PLAIN = """\
import json

def read(text):
    return json.loads(text)

read("{'a': 1}")
"""
CHAINED = """\
def find(name):
    try:
        return {}[name]
    except KeyError as error:
        raise LookupError(f"no layer {name}") from error

try:
    find("dense")
except LookupError:
    raise ValueError("the model has no such layer")
"""
GROUP = """\
raise ExceptionGroup("two workers failed", [ValueError("bad shape (3, 4)"), TypeError("bad dtype")])
"""
CARETS = """\
shapes = {"x": None}
print(1 + shapes["x"]["width"] * 2)
"""
RECURSION = """\
def build(n):
    return build(n + 1)

build(0)
"""
MULTILINE = """\
raise ValueError("Exception encountered when calling layer 'a' (type B).\\n\\nNegative dimension size\\n\\n"
                 "Call arguments received by layer 'a':\\n  • inputs=1")
"""


def run(tmp_path: Path, code: str) -> str:
    """What Python prints when `code` fails as train.py."""
    (tmp_path / "train.py").write_text(code, encoding="utf-8")
    ended = subprocess.run([sys.executable, "train.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode
    return ended.stderr


def notebook(code: str) -> str:
    """What IPython prints when a cell fails."""
    script = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        f"shell = InteractiveShell.instance(colors='nocolor')\nshell.run_cell({code!r}, store_history=True)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    return ended.stdout + ended.stderr


def ending(symptoms: Symptoms) -> tuple[str, str]:
    """Type and first line of the message of what ended the program."""
    assert symptoms.main is not None
    return symptoms.main.type, symptoms.main.message.partition("\n")[0]


JSON_ERROR = ("JSONDecodeError", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)")


def test_plain_traceback(tmp_path: Path) -> None:
    """Type, message and frames are read, and whose code each frame is."""
    symptoms = parse(run(tmp_path, PLAIN))
    assert ending(symptoms) == JSON_ERROR
    assert symptoms.shape == "traceback"
    assert symptoms.main is not None
    frames = symptoms.main.frames
    assert [(f.function, f.owner) for f in frames[:2]] == [("<module>", "user"), ("read", "user")]
    assert (frames[1].line, frames[1].code) == (4, "return json.loads(text)")
    assert {(f.owner, f.package) for f in frames[2:]} == {("other", "python")}


def test_chained_traceback(tmp_path: Path) -> None:
    """All exceptions of a chain are kept in order; only the last one is final."""
    symptoms = parse(run(tmp_path, CHAINED))
    assert [(r.type, r.final) for r in symptoms.raised] == [
        ("KeyError", False),
        ("LookupError", False),
        ("ValueError", True),
    ]
    assert ending(symptoms) == ("ValueError", "the model has no such layer")


def test_exception_group(tmp_path: Path) -> None:
    """The members of a group are read out of their frame of bars."""
    types = [r.type for r in parse(run(tmp_path, GROUP)).raised]
    assert types[:1] == ["ExceptionGroup"]
    assert {"ValueError", "TypeError"} <= set(types)


def test_caret_markers_are_no_code(tmp_path: Path) -> None:
    """The `^^^^` and `~~~~` lines of newer Pythons are skipped."""
    symptoms = parse(run(tmp_path, CARETS))
    assert symptoms.main is not None
    assert [f.code for f in symptoms.main.frames] == ['print(1 + shapes["x"]["width"] * 2)']
    assert ending(symptoms) == ("TypeError", "'NoneType' object is not subscriptable")


def test_repeated_lines_of_a_recursion(tmp_path: Path) -> None:
    """`[Previous line repeated ...]` does not end the stack."""
    assert ending(parse(run(tmp_path, RECURSION)))[0] == "RecursionError"


def test_message_over_several_paragraphs(tmp_path: Path) -> None:
    """A message of Keras goes on behind blank lines."""
    symptoms = parse(run(tmp_path, MULTILINE))
    assert symptoms.main is not None
    assert "Negative dimension size" in symptoms.main.message
    assert "• inputs=1" in symptoms.main.message


def test_stack_inside_a_message() -> None:
    """TensorFlow tells what failed behind the stack of the node that failed; both belong to the message."""
    symptoms = parse(
        "Traceback (most recent call last):\n"
        '  File "train.py", line 9, in <module>\n    model.fit(x, y)\n'
        "tensorflow.python.framework.errors_impl.InvalidArgumentError: Graph execution error:\n\n"
        "Detected at node compile_loss/Cross defined at (most recent call last):\n"
        '  File "train.py", line 9, in <module>\n    model.fit(x, y)\n\n'
        '  File "/venv/lib/python3.11/site-packages/keras/src/losses.py", line 3, in call\n\n'
        "logits and labels must be broadcastable: logits_size=[8,3] labels_size=[8,4]\n"
        "\t [[{{node compile_loss/Cross}}]]\n"
    )
    assert symptoms.main is not None
    assert "logits and labels must be broadcastable" in symptoms.main.message
    assert len(symptoms.main.frames) == 1


@pytest.mark.parametrize("code", [PLAIN, CHAINED, CARETS])
def test_notebook_gives_the_same_ending(tmp_path: Path, code: str) -> None:
    """IPython's way of printing leads to the same exception as CPython's, with the cell as the user's own code."""
    symptoms = parse(notebook(code))
    assert ending(symptoms) == ending(parse(run(tmp_path, code)))
    assert symptoms.main is not None
    assert symptoms.main.frames[0].owner == "user"
    assert symptoms.shape == "traceback"


WRAPPINGS = {
    "quoted": lambda text: "".join(f"> {line}\n" for line in text.splitlines()),
    "fenced": lambda text: f"I get this:\n\n```python\n{text}```\nPlease help",
    "docker": lambda text: "".join(f"trainer_1  | {line}\n" for line in text.splitlines()),
    "kubernetes": lambda text: "".join(
        f"2024-03-10T15:13:34.123456789Z stderr F {line}\n" for line in text.splitlines()
    ),
    "timestamps": lambda text: "".join(f"2024-03-10 15:13:34,123 {line}\n" for line in text.splitlines()),
    "colours": lambda text: "".join(f"\x1b[0;31m{line}\x1b[0m\n" for line in text.splitlines()),
    "lost escapes": lambda text: "".join(f"[0;31m{line}[0m\n" for line in text.splitlines()),
    "windows line ends": lambda text: text.replace("\n", "\r\n"),
    "progress bar in front": lambda text: f"2/3 [===>..] - ETA: 4s - loss: 2.2542{text}",
    "log lines in front": lambda text: (
        "E0000 00:00:1795149370.717764    2921 cuda_platform.cc:52] failed call to cuInit\n"
        "2021-10-13 17:19:29.385716: W tensorflow/core/a.cc:362] x\nWARNING:tensorflow:old\n" + text
    ),
    "no header": lambda text: text.partition("\n")[2],
    "only the end": lambda text: "\n".join(text.splitlines()[-3:]),
    "only the last line": lambda text: text.splitlines()[-1],
    "twice": lambda text: text + "\n\nand again\n\n" + text,
    "in a sentence": lambda text: f"My program stops with `{text.splitlines()[-1]}` and I don't know why.",
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_wrapping_does_not_hide_the_error(tmp_path: Path, wrapping: str) -> None:
    """Whatever a terminal, a log collector or a forum adds or cuts, the same exception is read."""
    kind, message = ending(parse(WRAPPINGS[wrapping](run(tmp_path, PLAIN))))
    assert kind == JSON_ERROR[0]
    assert message.startswith(JSON_ERROR[1])


def test_log_lines_are_told_apart() -> None:
    """Level and place of TensorFlow's and absl's log lines are read."""
    symptoms = parse(
        "I0000 00:00:1795150951.128159    4455 port.cc:153] oneDNN custom operations are on.\n"
        "E0000 00:00:1795149370.717764    2921 cuda_platform.cc:52] failed call to cuInit\n"
        "2021-10-13 17:19:29.385716: W tensorflow/core/op_kernel.cc:362] Invalid argument: x\n"
        "WARNING:tensorflow:Your input ran out of data\n"
    )
    assert [(line.level, line.source) for line in symptoms.log] == [
        ("I", "port.cc:153"),
        ("E", "cuda_platform.cc:52"),
        ("W", "tensorflow/core/op_kernel.cc:362"),
        ("W", "tensorflow"),
    ]
    assert symptoms.shape == "message"


@pytest.mark.parametrize(
    ("path", "owner", "package"),
    [
        ("train.py", "user", ""),
        ("C:\\Users\\me\\project\\train.py", "user", ""),
        ("/usr/local/lib/python3.6/dist-packages/keras/engine/base_layer.py", "keras", "keras"),
        ("C:\\Python37\\lib\\site-packages\\tensorflow\\python\\keras\\engine\\network.py", "keras", "keras"),
        ("/venv/lib/python3.11/site-packages/tf_keras/src/layers/core.py", "keras", "keras"),
        ("/usr/lib/python3/dist-packages/tensorflow_core/python/ops.py", "tensorflow", "tensorflow"),
        ("/home/me/Keras-2.1.4-py3.5.egg/keras/preprocessing/image.py", "keras", "keras"),
        ("/venv/lib/python3.11/site-packages/torch/nn/modules/module.py", "other", "torch"),
        ("/usr/lib/python3.11/threading.py", "other", "python"),
        ("C:\\Users\\me\\AppData\\Local\\Programs\\Python\\Python38\\lib\\imp.py", "other", "python"),
        ("<frozen importlib._bootstrap>", "other", "python"),
        ("h5py/h5f.pyx", "other", "h5py"),
        ("Cell In[3]", "user", ""),
    ],
)
def test_whose_code_a_file_is(path: str, owner: str, package: str) -> None:
    """Installed packages are told from the user's own files on every system."""
    symptoms = parse(f'Traceback (most recent call last):\n  File "{path}", line 1, in f\nValueError: x')
    assert symptoms.main is not None
    assert [(f.owner, f.package) for f in symptoms.main.frames] == [(owner, package)]


@pytest.mark.parametrize(
    ("text", "keras", "tensorflow", "python"),
    [
        ("Keras version: 3.4.1\nTensorFlow version: 2.17.0", "3.4.1", "2.17.0", None),
        ("I use tf 1.15 and python 3.7", None, "1.15", "3.7"),
        ("tensorflow==2.12.0, keras==2.12.0", "2.12.0", "2.12.0", None),
        (">>> keras.__version__\n'2.14.0'", "2.14.0", None, None),
        ("用的是 tensorflow-gpu 1.13.1，Keras版本2.2.4", "2.2.4", "1.13.1", None),
        ("Keras requires TensorFlow 2.2 or higher", None, None, None),
        ("since Keras 3 it fails", "3", None, None),
        ("my keras model has 3.5 million weights", None, None, None),
    ],
)
def test_versions(text: str, keras: str | None, tensorflow: str | None, python: str | None) -> None:
    """Versions are read where the text states them, and only there."""
    versions = parse(text).versions
    assert (versions.keras, versions.tensorflow, versions.python) == (keras, tensorflow, python)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("my loss is nan", "en"),
        ("训练集准确率高，验证集准确率低", "zh"),
        ("model.fit(x, y) 报错 ValueError: bad shape", "zh"),
        ("モデル学習時にエラーが生じます", "ja"),
        ("이런 에러가 발생했습니다", "ko"),
        ("Why does this fail? I have looked at it for a long time. path: /home/用户/model.h5", "en"),
    ],
)
def test_language(text: str, language: str) -> None:
    """The person's own words decide the language."""
    assert parse(text).language == language


def test_only_a_question() -> None:
    """Text without any error is a question, kept as prose; code is kept apart."""
    symptoms = parse("How do I freeze a layer?\n\nlayer.trainable = False\nmodel.compile('sgd', 'mse')")
    assert symptoms.shape == "question"
    assert symptoms.prose == "How do I freeze a layer?"
    assert "layer.trainable" in symptoms.code


def test_nothing_at_all() -> None:
    """Blank text is empty, not an error."""
    assert parse(" \n\t\n").shape == "empty"


PIECES = st.sampled_from(
    [
        "Traceback (most recent call last):\n",
        '  File "train.py", line 3, in f\n',
        "    f(x)\n",
        "    ^^^^\n",
        "ValueError: bad (3, 4)\n",
        "During handling of the above exception, another exception occurred:\n",
        "----> 3 f(x)\n",
        "Cell In[3], line 2\n",
        "> ",
        "```\n",
        "\n",
        "\x1b[31m",
        "E0000 00:00:1.0 3 a.cc:1] x\n",
        "训练报错\n",
        "| ",
        "\r",
    ]
)


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=30)), max_size=80).map("".join)))
@settings(max_examples=300, deadline=None)
def test_any_text_gives_bounded_symptoms(text: str) -> None:
    """No text crashes the parser, and what comes out is bounded and travels as JSON."""
    symptoms = parse(text)
    assert len(symptoms.raised) <= MAX_RAISED
    assert all(len(r.message) <= MAX_MESSAGE and len(r.frames) <= MAX_FRAMES for r in symptoms.raised)
    assert len(symptoms.prose) <= MAX_PROSE
    assert len(symptoms.code) <= MAX_CODE
    assert symptoms.as_json()["shape"] == symptoms.shape


@given(st.lists(st.one_of(PIECES, st.text(max_size=5)), min_size=1, max_size=6), st.integers(20_000, 40_000))
@settings(max_examples=20, deadline=None)
def test_work_does_not_grow_with_the_text(pieces: list[str], times: int) -> None:
    """Of a long text only a bounded part is looked at: that is what keeps hostile text cheap."""
    lines = clean("".join(pieces) * times)
    assert len(lines) <= MAX_LINES
    assert sum(len(line.text) for line in lines) <= 2 * MAX_CHARS


def test_a_traceback_in_the_middle_of_a_long_log_is_found(tmp_path: Path) -> None:
    """A megabyte of output before and after does not hide the failure."""
    noise = "step 17: loss 0.123, accuracy 0.9\n" * 30_000
    assert ending(parse(noise + run(tmp_path, PLAIN) + noise)) == JSON_ERROR


def test_what_failed_is_found_behind_the_stack_of_a_node() -> None:
    """TensorFlow 2.16 writes the whole stack of a node, a blank line after each frame, before it says what failed."""
    text = traces_of("batch-size-differs")["keras-3.0"][0]
    assert text.count('\n  File "') > 60
    symptoms = parse(text)
    assert symptoms.main is not None
    assert symptoms.main.type == "InvalidArgumentError"
    assert "logits and labels must be broadcastable" in symptoms.main.message


def test_the_banner_of_keras_is_a_log_line() -> None:
    """Keras 1 to 2.3 print it at every start: nobody asks about it."""
    symptoms = parse("Using TensorFlow backend.\nwhy is my loss nan?")
    assert symptoms.prose == "why is my loss nan?"
    assert [line.text for line in symptoms.log] == ["Using TensorFlow backend."]


def test_a_chain_can_be_read_from_its_root() -> None:
    """Without what was raised while the first exception was handled; a warning above is no root."""
    one = "ValueError: first"
    other = "During handling of the above exception, another exception occurred:\n\nKeyError: 'second'"
    symptoms = parse(f"{one}\n\n{other}")
    root = symptoms.from_root()
    assert symptoms.main is not None
    assert symptoms.main.type == "KeyError"
    assert root is not None
    assert root.main is not None
    assert root.main.type == "ValueError"
    assert parse(one).from_root() is None
    assert parse("x.py:3: UserWarning: careful\nValueError: alone").from_root() is None
