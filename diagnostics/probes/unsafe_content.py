"""Unsafe content: does the file hold what a Keras model does not need and what would run or read something on loading."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..hazard import CORRUPT, LAMBDA
from ..model_file import ModelFile
from ..probe import Evidence, Probe
from ..safety import examined
from ..safety_config import custom_text


def look(model: ModelFile) -> Iterator[Evidence]:
    """The hazards of the file, each a finding.

    Bytecode of a lambda speaks for its topic only where that is suspected: people save such models of their own, and what
    they paste is mostly about something else.
    """
    seen = examined(model.path)
    for hazard in seen.hazards:
        if hazard.code:
            yield Evidence(hazard.text, fault=True)
            yield Evidence(hazard.text, confirms=hazard.topics)
        else:
            yield Evidence(hazard.text, confirms=hazard.topics, fault=True)
    if seen.custom:
        yield Evidence(custom_text(seen.custom), confirms=("custom-objects-on-load",))
    if not seen.hazards:
        text = Text(
            "nothing in the file runs code or reads other files when it is loaded",
            "加载这个文件时，其中没有会执行代码或读取其他文件的内容",
        )
        yield Evidence(text, rules_out=(LAMBDA, CORRUPT))


PROBE = Probe(
    id="unsafe-content",
    subject="model",
    promise=Text(
        "whether loading the file would run code or read other files, and whether it is what it claims to be",
        "检查加载文件时是否会执行代码或读取其他文件，以及它是否名副其实",
    ),
    topics=(LAMBDA, CORRUPT, "custom-objects-on-load"),
    look=look,
    remedy=Text(
        "do not load this file outside a sandbox; ask its author for weights and the code that builds the model",
        "不要在沙箱之外加载这个文件；请向作者索要权重和搭建模型的代码",
    ),
    documentation="https://keras.io/api/models/model_saving_apis/model_saving_and_loading/",
)
