"""What would help most next, where it is not known what the problem is."""

from __future__ import annotations

from typing import get_args

from ..diagnostics.diagnosis import Diagnosis, Told
from ..knowledge.entry import Kind, load_entry
from ..knowledge.text import Text
from .talk import Talk

NOW_PRINTED = Text(
    "What would help most: the whole error that it prints now, after the change. If the message is word for word the same, the change "
    "did not reach the line that fails.",
    "最有帮助的是：改过之后现在打印的完整报错。如果报错一字不差，说明改动没有作用到出错的那一行。",
)
WHOLE_ERROR = Text(
    "What would help most: the whole error, from `Traceback (most recent call last)` to its last line.",
    "最有帮助的是完整的报错：从 `Traceback (most recent call last)` 到最后一行。",
)
ERROR_OR_FILES = Text(
    "What would help most: the whole error as it was printed; if there is none, the model file or the training log.",
    "最有帮助的是原样的完整报错；没有报错的话，就是模型文件或训练日志。",
)
OWN_FILES = Text(
    "What would help most: the model file and the training log. Drop them here, and they are examined.",
    "最有帮助的是模型文件和训练日志：拖进来就会检查。",
)
MACHINE = Text(
    "What would help most: the report of `environment.py`, run with the Python that fails.",
    "最有帮助的是用出错的那个 Python 运行 `environment.py` 得到的报告。",
)
IN_A_SENTENCE = Text(
    "What would help most: a sentence on what you want to reach and what happens instead, with the error if there is one.",
    "最有帮助的是：用一句话说明你想做到什么、实际发生了什么；有报错的话一起贴上。",
)
OWN_CODE = Text(
    "It was raised in your own code, not in Keras or TensorFlow: that line is the first place to look.",
    "它是在你自己的代码里抛出的，不在 Keras 或 TensorFlow 里：先看那一行。",
)
OTHER_PACKAGE = Text(
    "It was raised in neither Keras nor TensorFlow: the documentation of that package, or those who make it, know more.",
    "它不是在 Keras 或 TensorFlow 里抛出的：那个库的文档或作者更清楚。",
)


def _step(told: Told, tried: Kind | None, *, files: bool) -> Text:
    """The one thing that would help most where no topic is named.

    Args:
        told: what was understood of the paste.
        tried: the kind of the topics whose fixes did not help, None where none was tried.
        files: whether files were examined.
    """
    if told.exception and told.owner is None:
        return WHOLE_ERROR
    if told.exception and tried:
        return NOW_PRINTED
    if told.owner in ("user", "other"):
        return OWN_CODE if told.owner == "user" else OTHER_PACKAGE
    if told.exception:
        return MACHINE if files else OWN_FILES
    if tried == "howto" or (files and not tried):
        return IN_A_SENTENCE
    return WHOLE_ERROR if files else OWN_FILES if tried == "pitfall" else ERROR_OR_FILES


def next_step(talk: Talk, diagnosis: Diagnosis) -> Text:
    """What would help most where no topic is named."""
    kinds = {load_entry(topic).kind for topic in talk.case.said.ruled_out}
    tried = next((kind for kind in get_args(Kind) if kind in kinds), None)
    return _step(diagnosis.told, tried, files=bool(talk.paths))
