"""The sentences of a diagnosis that come from no entry and no probe."""

from __future__ import annotations

from collections.abc import Iterator

from ..knowledge.entry import Entry
from ..knowledge.matcher import Reason
from ..knowledge.symptoms import Frame, Symptoms
from ..knowledge.text import Text
from .diagnosis import Told
from .probe import Finding, Listed

NOT_KNOWN = Text(
    "Not known: no topic fits this well enough to name one.",
    "不认识这个问题：没有足够吻合的主题，不做猜测。",
)
NOTHING_WRONG = Text(
    "The probes found nothing wrong in what was examined.",
    "检查了这些内容，探针没有发现问题。",
)
FAULT_FOUND = Text("The probes found a fault; the evidence tells it.", "探针发现了问题，见下面的证据。")
WORTH_KNOWING = Text(
    "No fault was found; what is worth knowing stands under the evidence.",
    "没有发现错误；值得留意的情况见下面的证据。",
)
WHICH_KERAS = Text(
    "Which Keras is it? `python -c 'import keras; print(keras.__version__)'` tells; the fix differs between versions.",
    "用的是哪个版本的 Keras？运行 `python -c 'import keras; print(keras.__version__)'` 查看；不同版本的改法不一样。",
)
EXAMINE = Text(
    "Have the model or the environment examined: `kerasdoctor explain --model MODEL --python PYTHON`.",
    "也可以检查模型和环境：`kerasdoctor explain --model 模型文件 --python 解释器`。",
)
_LINES = {
    "keras-3": Text("Keras 3", "Keras 3"),
    "keras-2": Text("Keras 2 in TensorFlow 2", "TensorFlow 2 自带的 Keras 2"),
    "keras-2.2": Text("Keras 2.0 to 2.3 on TensorFlow 1", "基于 TensorFlow 1 的 Keras 2.0–2.3"),
}


NEITHER = Text("Neither of these", "都不是")


def which_of(one: Entry, other: Entry) -> Text:
    """How two topics are told apart, in the words of the entry that says it, else by their titles."""
    for entry, against in ((one, other), (other, one)):
        for related in entry.related:
            if related.id == against.id:
                return Text(
                    f'Which is it: "{entry.title.en}" (here) or "{against.title.en}" (there)? {related.differs.en}',
                    f"是“{entry.title.zh}”（这一条），还是“{against.title.zh}”（那一条）？{related.differs.zh}",
                )
    return Text(
        f'Which is nearer: "{one.title.en}" or "{other.title.en}"?',
        f"哪个更接近：“{one.title.zh}”，还是“{other.title.zh}”？",
    )


def look_with(probe: Listed) -> Text:
    """What to run so that a probe can look."""
    command = {
        "model": "--model MODEL", "weights": "--model MODEL", "live": "--model MODEL --live", "environment": "--python python",
        "log": "--log LOG", "data": "--data DATA",
    }[probe.subject]  # fmt: skip
    return Text(
        f"Have it examined with `kerasdoctor explain {command}`; it tells {probe.promise.en}.",
        f"请用 `kerasdoctor explain {command}` 检查一下：{probe.promise.zh}。",
    )


def line_name(line: str) -> Text:
    """A Keras line as readers call it."""
    return _LINES[line]


def reason(why: Reason) -> Text:
    """Why a topic was matched, as a sentence."""
    d = why.detail
    if why.kind == "signature":
        return Text(f"the text contains its signature: {d}", f"文本里有它的特征：{d}")
    if why.kind == "words":
        return Text(f"shared words: {d}", f"相同的词：{d}")
    if why.kind == "frame":
        return Text(f"the call stack passes through {d}, as recorded for it", f"调用栈经过 {d}，与录制的一致")
    if why.kind == "type":
        return Text(f"it is known to raise {d}", f"它会引发 {d}")
    name = _LINES[d]
    return Text(f"it occurs in {name.en}", f"它出现在 {name.zh} 中")


def confirmed(finding: Finding) -> Text:
    """That a probe confirmed the topic."""
    return Text(
        f"the probe {finding.probe} found it in {finding.subject}",
        f"探针 {finding.probe} 在 {finding.subject} 中找到了它",
    )


def whose(symptoms: Symptoms, told: Told) -> Iterator[Text]:
    """What an unrecognised paste did tell: whose code raised what."""
    if told.exception:
        yield Text(
            f"It ends in {told.exception}: {told.message}" if told.message else f"It ends in {told.exception}.",
            f"最后的异常是 {told.exception}：{told.message}" if told.message else f"最后的异常是 {told.exception}。",
        )
    if symptoms.main and symptoms.main.frames:
        yield from _raised_in(symptoms.main.frames)
    versions = ", ".join(
        f"{name} {number}"
        for name, number in (("Keras", told.keras), ("TensorFlow", told.tensorflow), ("Python", told.python))
        if number
    )
    if versions:
        yield Text(f"Versions that the text gives: {versions}.", f"文本给出的版本：{versions}。")


def _raised_in(frames: tuple[Frame, ...]) -> Iterator[Text]:
    """Whose code raised it, and where the reader's own code was."""
    last = frames[-1]
    where = f"{last.path.replace(chr(92), '/').rpartition('/')[2]}:{last.line or '?'} ({last.function or '?'})"
    yield {
        "user": Text(f"It was raised in your own code, {where}.", f"它是在你自己的代码里抛出的：{where}。"),
        "keras": Text(f"It was raised inside Keras, {where}.", f"它是在 Keras 内部抛出的：{where}。"),
        "tensorflow": Text(f"It was raised inside TensorFlow, {where}.", f"它是在 TensorFlow 内部抛出的：{where}。"),
        "other": Text(
            f"It was raised in {last.package}, {where}: neither Keras nor TensorFlow.",
            f"它是在 {last.package} 里抛出的（{where}），不是 Keras 或 TensorFlow。",
        ),
    }[last.owner]
    own = next((frame for frame in reversed(frames) if frame.owner == "user"), None)
    if own and own is not last:
        yield Text(
            f"The last line of your own code is {own.path}:{own.line or '?'}: {own.code or '?'}",
            f"你自己代码里最后执行到的是 {own.path}:{own.line or '?'}：{own.code or '?'}",
        )


def missing(symptoms: Symptoms, told: Told) -> Iterator[Text]:
    """What to add so that more can be said."""
    if symptoms.shape in ("question", "empty"):
        yield Text(
            "Add the error as it was printed, from `Traceback (most recent call last)` to its last line.",
            "请附上完整的报错，从 `Traceback (most recent call last)` 到最后一行。",
        )
    elif symptoms.main is None or not symptoms.main.type:
        yield Text(
            "The end is cut off: add the last line, the one that begins with the name of the exception.",
            "报错的结尾被截掉了：请补上最后一行，也就是以异常名开头的那一行。",
        )
    elif not symptoms.main.frames:
        yield Text(
            "Add the lines above it, from `Traceback (most recent call last)`: they tell whose code raised it.",
            "请补上前面的部分，从 `Traceback (most recent call last)` 开始：由此才能看出是谁的代码抛出的。",
        )
    if not told.keras and not told.tensorflow:
        yield Text(
            "Add the versions: `pip list | grep -i -E 'keras|tensorflow|numpy'`.",
            "请附上版本：`pip list | grep -i -E 'keras|tensorflow|numpy'`。",
        )
    yield EXAMINE
