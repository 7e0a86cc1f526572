"""What programs print that tells of no problem by itself."""

from __future__ import annotations

import time

import pytest
from kerasdoctor.service.outputs import only_output, without_bars

SUMMARY_2 = """Model: "sequential"
_________________________________________________________________
 Layer (type)                Output Shape              Param #
=================================================================
 dense (Dense)               (None, 64)                50240
 dense_1 (Dense)             (None, 10)                650
=================================================================
Total params: 50890 (198.79 KB)
Trainable params: 50890 (198.79 KB)
Non-trainable params: 0 (0.00 Byte)
_________________________________________________________________
"""
SUMMARY_3 = """Model: "functional_1"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ input_layer (InputLayer)        │ (None, 784)            │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense (Dense)                   │ (None, 64)             │        50,240 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 50,240 (196.25 KB)
 Trainable params: 50,240 (196.25 KB)
 Non-trainable params: 0 (0.00 B)
"""
GPU = """Tue Nov 17 10:02:41 2020
+-----------------------------------------------------------------------------+
| NVIDIA-SMI 470.82.01    Driver Version: 470.82.01    CUDA Version: 11.4     |
|-------------------------------+----------------------+----------------------+
|   0  Tesla T4            Off  | 00000000:00:1E.0 Off |                    0 |
+-------------------------------+----------------------+----------------------+
"""
FREEZE = "absl-py==1.4.0\nh5py==3.8.0\nkeras==2.12.0\ntensorflow==2.12.0\n"
LIST = "Package      Version\n------------ -------\nabsl-py      1.4.0\nkeras        2.12.0\n"
BARS = """Epoch 1/5
1875/1875 [==============================] - 5s 2ms/step - loss: 2.3026 - accuracy: 0.0987
Epoch 2/5
1875/1875 [==============================] - 4s 2ms/step - loss: 2.3026 - accuracy: 0.0987
"""


@pytest.mark.parametrize(
    ("text", "output"),
    [(SUMMARY_2, "summary"), (SUMMARY_3, "summary"), (GPU, "gpu"), (FREEZE, "packages"), (LIST, "packages")],
)
def test_what_a_text_is_the_output_of(text: str, output: str) -> None:
    """A whole text is told by its look; with a problem beside it, it is a problem."""
    assert only_output(text) == output
    assert only_output(text + "\nmy model does not learn, why is that?") is None
    assert only_output("ValueError: shapes do not fit\n" + text) is None


@pytest.mark.parametrize("text", ["", "loss is nan", "keras 3.5", "a 1\nb 2", BARS, "x = 1\ny = 2\nmodel.fit(x, y)\n"])
def test_what_is_no_output(text: str) -> None:
    """Words, code, what fit prints."""
    assert only_output(text) is None


def test_what_fit_printed_is_told_apart() -> None:
    """The bars are a log, the words around them a description."""
    words, bars = without_bars("My accuracy is stuck:\n" + BARS + "What can I do?")
    assert words == "My accuracy is stuck:\nWhat can I do?"
    assert bars == BARS.strip()
    assert without_bars("loss is nan") == ("loss is nan", "")


def test_hostile_rows_take_no_time() -> None:
    """Rows that nearly fit in many ways; what goes wrong here takes minutes."""
    rows = ("a" + " " * 490 + "│\n") * 200
    began = time.perf_counter()
    assert only_output("Param #\nTotal params:\n" + rows) == "summary"
    assert only_output("Param # " * 100_000) is None
    assert time.perf_counter() - began < 5
