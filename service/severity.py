"""How bad a problem is, as far as the knowledge base tells."""

from __future__ import annotations

from ..diagnostics.diagnosis import Diagnosis
from ..knowledge.entry import load_entry
from ..knowledge.text import Text

UNKNOWN = Text(
    "It is not known what this is, so it is not known either how bad it is.",
    "还不知道这是什么问题，所以也不知道严不严重。",
)
STOPS = Text(
    "It cannot be ignored: what stands behind the line that fails does not run until it is mended.",
    "不能忽略：改好之前，出错那一行后面的代码都不会执行。",
)
NOT_ON_RECORD = Text(
    'What happens if it is left as it is, is not on record here. "Why?" tells the cause.',
    "如果放着不管会怎样，这里没有记录。问“为什么”可以看到原因。",
)


def severity(diagnosis: Diagnosis) -> Text:
    """Whether the problem may be ignored, and what happens if it is left."""
    if diagnosis.topic is None:
        return UNKNOWN
    entry = load_entry(diagnosis.topic)
    if entry.harmless:
        return Text(f"It may be ignored. {entry.summary.en}", f"可以忽略。{entry.summary.zh}")
    if diagnosis.told.exception and not diagnosis.told.exception.endswith("Warning"):
        return STOPS
    if entry.kind == "pitfall":
        return Text(
            f"Better not ignored, it does not pass by itself. {entry.summary.en}",
            f"最好不要忽略，它不会自己好。{entry.summary.zh}",
        )
    return NOT_ON_RECORD
