"""What would help most next, where it is not known what the problem is: one thing each time, none of them twice."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args

from ..diagnostics.catalogue import listed_probes
from ..diagnostics.diagnosis import Diagnosis, Told
from ..knowledge.entry import Kind, load_entry
from ..knowledge.parser import parse
from ..knowledge.text import Text
from .case import Step
from .small_talk import ELSEWHERE
from .talk import Talk

GIVE: dict[Step, Text] = {
    "printed": Text(
        "the whole error that it prints now, after the change (word for word the same means that the change did not reach the line "
        "that fails)",
        "改过之后现在打印的完整报错（如果一字不差，说明改动没有作用到出错的那一行）",
    ),
    "error": Text(
        "the whole error, if one is printed, from `Traceback (most recent call last)` to its last line",
        "完整的报错（如果有），从 `Traceback (most recent call last)` 到最后一行",
    ),
    "goal": Text(
        "a sentence on what you want to reach and what happens instead",
        "用一句话说明你想做到什么、实际发生了什么",
    ),
    "model": Text(
        "the model file (`.keras`, `.h5`): drop it here, and it is examined",
        "模型文件（`.keras`、`.h5`），拖进来就会检查",
    ),
    "log": Text(
        "the training log (a CSVLogger file, or what `fit` printed)", "训练日志（CSVLogger 文件，或 `fit` 的输出）"
    ),
    "environment": Text(
        "the report of `environment.py`, run with the Python that fails",
        "用出错的那个 Python 运行 `environment.py` 得到的报告",
    ),
    "versions": Text(
        "the versions (`pip list | grep -i -E 'keras|tensorflow|numpy'`)",
        "版本（`pip list | grep -i -E 'keras|tensorflow|numpy'`）",
    ),
    "code": Text("the shortest code that goes wrong the same way", "能复现问题的最短代码"),
}
OWN_CODE = Text(
    "It was raised in your own code, not in Keras or TensorFlow: that line is the first place to look.",
    "它是在你自己的代码里抛出的，不在 Keras 或 TensorFlow 里：先看那一行。",
)
OTHER_PACKAGE = Text(
    "It was raised in neither Keras nor TensorFlow: the documentation of that package, or those who make it, know more.",
    "它不是在 Keras 或 TensorFlow 里抛出的：那个库的文档或作者更清楚。",
)
SAY: dict[Step, Text] = {"own": OWN_CODE, "package": OTHER_PACKAGE, "ask": ELSEWHERE}
# What people say that they do not have, or may not give away.
HELD_BACK: dict[Step, re.Pattern[str]] = {
    "error": re.compile(r"traceback|error|message|stack|报错|错误|堆栈"),
    "model": re.compile(r"model|weights|file|模型|权重|文件"),
    "log": re.compile(r"\blogs?\b|history|日志"),
    "code": re.compile(r"code|script|代码|脚本|confidential|secret|proprietary|保密|涉密"),
}
ALL_THERE_IS = re.compile(r"(?:that|this)(?:'s| is) (?:all|everything)|(?:就|只有)(?:这些|这么多|这一段)")
NOTHING_LEFT = Text(
    "There is nothing left to suggest; whatever is new (an error, a file, a version) is looked at.",
    "没有别的建议了；有任何新情况（报错、文件、版本），我会再看。",
)


def next_step(talk: Talk, diagnosis: Diagnosis) -> Text:
    """The one thing that would help most and was neither given nor said before; the case remembers that it was said."""
    given, said = _given(talk, diagnosis), talk.case.suggested
    step = next((each for each in _steps(talk, diagnosis.told, given) if each not in given and each not in said), None)
    if step is None:
        return NOTHING_LEFT
    talk.case = replace(talk.case, suggested=(*said, step))
    if step in SAY:
        return SAY[step]
    what = GIVE[step]
    if said:
        return Text(f"What helps, too: {what.en}.", f"还有帮助的是：{what.zh}。")
    return Text(f"What would help most: {what.en}.", f"最有帮助的是：{what.zh}。")


def leave_out(talk: Talk) -> None:
    """What the message says that they cannot give is not suggested any more."""
    text = talk.asked.text.lower()
    everything = ALL_THERE_IS.search(text)
    held = [step for step in GIVE if everything or (step in HELD_BACK and HELD_BACK[step].search(text))]
    talk.case = replace(talk.case, suggested=tuple(dict.fromkeys((*talk.case.suggested, *held))))


def _steps(talk: Talk, told: Told, given: frozenset[Step]) -> tuple[Step, ...]:
    """All that could help, the best first."""
    kinds = {load_entry(topic).kind for topic in talk.case.said.ruled_out}
    tried = next((kind for kind in get_args(Kind) if kind in kinds), None)
    first = _first(told, tried, files=bool(given & {"model", "log"}))
    if first == "package":
        return (first,)
    if first == "own":
        return (first, "code", "ask")
    files: tuple[Step, ...] = ("model",) if told.exception else ("model", "log")
    return (first, *files, "error", "environment", "versions", "code", "ask")


def _first(told: Told, tried: Kind | None, *, files: bool) -> Step:
    """What comes first.

    Args:
        told: what was understood of the paste.
        tried: the kind of the topics whose fixes did not help, None where none was tried.
        files: whether files were examined.
    """
    if told.exception and told.owner is None:
        return "error"
    if told.exception and tried:
        return "printed"
    if told.owner in ("user", "other"):
        return "own" if told.owner == "user" else "package"
    if tried == "howto" or (files and not tried and not told.exception):
        return "goal"
    return "model" if tried == "pitfall" else "error"


def _given(talk: Talk, diagnosis: Diagnosis) -> frozenset[Step]:
    """What is there already."""
    told = diagnosis.told
    subject_of = {probe.id: probe.subject for probe in listed_probes()}
    subjects = {subject_of.get(finding.probe) for finding in diagnosis.findings}
    there: dict[Step, bool] = {
        "error": bool(told.exception and told.owner),
        "model": bool(subjects & {"model", "weights", "live"}),
        "log": "log" in subjects,
        "environment": "environment" in subjects,
        "versions": bool(told.keras or told.tensorflow),
        "code": bool(parse("\n\n".join(talk.case.texts)).code),
    }
    return frozenset(step for step, is_there in there.items() if is_there)
