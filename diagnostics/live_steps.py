"""What the live probes share: a step that failed is an outcome for the probes that need it, and how an exception is worded."""

from __future__ import annotations

import re

from ..knowledge.text import Text
from .live import Failure, Live
from .probe import CouldNotLook

MAX_TOLD = 300
_NOISE = re.compile(r"\x1b\[[0-9;]*m|\{\{\w+ [^}]*\}\} ?| ?\[Op:\w+\]( name:)?")
# Keras wraps what went wrong: keras/src/saving/serialization_lib.py (`deserialize_keras_object`), keras/src/utils/
# traceback_utils.py (`inject_argument_info_in_traceback`) and their like in tf_keras.
_INNER = "Exception encountered: "
_CALLING = re.compile(r"Exception encountered when calling [^\n]*\n+(?=\S)")
_ADVICE = re.compile(r"\. Make sure custom (classes|functions)|\. If `\w+` is a custom class")


def need(live: Live, step: str, there: bool) -> None:
    """Go on only where a step gave its result.

    Raises:
        CouldNotLook: it did not, or it was never reached, and why.
    """
    if there:
        return
    if "load" in live.failures:
        raise CouldNotLook(Text("the model could not be loaded", "模型没能加载"))
    failed = next((live.failures[name] for name in ("forward", step) if name in live.failures), None)
    if failed is None:
        raise CouldNotLook(Text("the model was not run that far", "模型没有运行到这一步"))
    raise CouldNotLook(Text(f"running the model ended with {told(failed)}", f"运行模型时出错：{told(failed)}"))


def told(failure: Failure) -> str:
    """The exception in a line: its class, and the part of its message that says what was wrong."""
    message = _NOISE.sub("", failure.message.rpartition(_INNER)[2])
    message = _CALLING.sub("", message).strip().partition("\n")[0]
    if advice := _ADVICE.search(message):
        message = message[: advice.start()]
    shown = message[:MAX_TOLD] + ("…" if len(message) > MAX_TOLD else "")
    return f"{failure.type}: {shown}" if shown else failure.type
