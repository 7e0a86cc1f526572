"""What the doctor says about versions of Keras in a chat, in both languages."""

from __future__ import annotations

from ..diagnostics.phrases import WHICH_KERAS, line_name
from ..knowledge.lines import Line
from ..knowledge.text import Text
from .version_talk import RELEASE, keras_of

KERAS_2 = Text(
    "Taken as the Keras in TensorFlow 2 (2.4 to 2.15); if yours runs on TensorFlow 1, give its release, as `2.2.4`.",
    "按 TensorFlow 2 自带的 Keras（2.4–2.15）来看；如果用的是 TensorFlow 1，请给出具体版本，比如 `2.2.4`。",
)
WHICH_TENSORFLOW_2 = Text(
    "TensorFlow 2 comes with Keras 2 (up to 2.15) or Keras 3 (from 2.16). Which release is it? `pip show tensorflow` tells.",
    "TensorFlow 2 自带的可能是 Keras 2（2.15 及以前），也可能是 Keras 3（2.16 起）。具体是哪个版本？运行 `pip show tensorflow` 查看。",
)
NO_SUCH_VERSION = Text(
    "That is not a version of Keras. Give it as `3.5.0` or `2.15`.",
    "这不是 Keras 的版本号。请写成 `3.5.0` 或 `2.15` 的形式。",
)


def not_that_version(told: str, keras: str | None, line: Line | None, *, ask: bool) -> Text:
    """That a version is not the one that fails, and which one is.

    Args:
        told: the version, as "keras 2.2.4 tensorflow 1.12".
        keras: the one that fails, None for any of `line`.
        line: its line, None for not known.
        ask: whether to ask for it: whether the answer could change with it.
    """
    packages = {"keras": "Keras", "tensorflow": "TensorFlow"}
    parts = told.split()
    names = ", ".join(f"{packages[name]} {number}" for name, number in zip(parts[::2], parts[1::2], strict=True))
    lead = Text(f"Noted: {names} is not the one that fails.", f"记下了：出错的不是 {names}。")
    which = Text(f" {WHICH_KERAS.en}", WHICH_KERAS.zh) if ask else Text("", "")
    if line is None:
        return Text(lead.en + which.en, lead.zh + which.zh)
    now = version_name(keras or RELEASE[line], line)
    if keras_of(told) == RELEASE[line]:
        return Text(
            f"{lead.en} But what was pasted comes from {now.en}.{which.en}",
            f"{lead.zh}但贴出的内容来自 {now.zh}。{which.zh}",
        )
    return Text(f"{lead.en} The answer stays for {now.en}.", f"{lead.zh}答案仍然针对 {now.zh}。")


def version_name(version: str, line: Line) -> Text:
    """A version as readers call it: the line where no more than that is known."""
    return line_name(line) if version in RELEASE.values() else Text(f"Keras {version}", f"Keras {version}")


def now_for(version: str, line: Line) -> Text:
    """For which Keras the fix is now."""
    name = version_name(version, line)
    return Text(f"Now for {name.en}.", f"以下适用于 {name.zh}。")


def noted(version: str, line: Line, *, paste: bool) -> Text:
    """That a version was understood, where it changes nothing yet."""
    name = version_name(version, line)
    if paste:
        return Text(
            f"Noted: {name.en}. Now paste the error, or describe what goes wrong.",
            f"记下了：{name.zh}。请贴上报错，或描述哪里不对。",
        )
    return Text(f"Noted: {name.en}. The answer stays the same.", f"记下了：{name.zh}。答案不变。")
