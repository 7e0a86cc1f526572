"""What the doctor says first in a chat, in both languages. Short: the diagnosis below it tells the rest."""

from __future__ import annotations

from ..diagnostics.page import advice_text
from ..diagnostics.phrases import line_name
from ..knowledge.lines import Line
from ..knowledge.text import Text

GREETING = Text(
    "Hello. Paste an error or a question about Keras or TensorFlow, or drop a model file, a training log or a data sample.",
    "你好。请贴上 Keras 或 TensorFlow 的报错或问题，也可以拖入模型文件、训练日志或数据样本。",
)
HELP = Text(
    "Paste the whole error, from `Traceback (most recent call last)` to its last line, or describe what goes wrong: you get "
    "the cause and a fix that was seen to work. Drop a model file, a training log or a data sample to have it examined. "
    'Then ask "why?", "show the fix", "evidence" or "sources", tell your Keras version, or say that it didn\'t help.',
    "请贴上完整的报错，从 `Traceback (most recent call last)` 到最后一行，或描述哪里不对：你会得到原因和验证过的改法。"
    "拖入模型文件、训练日志或数据样本，就会检查它。之后可以问“为什么”“怎么改”“证据”“出处”，告诉我 Keras 版本，或者说“没用”。",
)
EMPTY = Text(
    "The message is empty. Paste the error as it was printed, or describe what goes wrong.",
    "消息是空的。请贴上原样的报错，或描述哪里不对。",
)
NOT_UNDERSTOOD = Text(
    "That was not understood. Paste the error as it was printed, or say what your model does and what you expected instead.",
    "没看懂这句话。请贴上原样的报错，或者说明模型现在的表现和你期望的结果。",
)
PASTE_IT = Text(
    "Paste the text or drop the file here, and it will be looked at.", "请把文本贴到这里，或把文件拖进来，马上就看。"
)
NO_DIAGNOSIS = Text(
    "There is no diagnosis yet. Paste the error as it was printed, or describe what goes wrong.",
    "还没有诊断。请先贴上原样的报错，或描述哪里不对。",
)
WELCOME = Text("You're welcome.", "不客气。")
SOLVED = Text(
    "Good, noted that it helped. Paste the next problem whenever there is one.",
    "太好了，已记下这个诊断有用。有新的问题随时贴上来。",
)
SOLVED_UNKNOWN = Text("Good that it is solved.", "解决了就好。")
NOT_KNOWN_STANDS = Text(
    "It is still not known what this is.",
    "目前还不认识这个问题。",
)
PART_OF_UNKNOWN = Text(
    "It is not known what this is, so there is none of that to show.",
    "还不知道这是什么问题，所以没有可以展示的内容。",
)
NONE_OF_THAT = Text("There is none for this topic.", "这个主题没有这项内容。")
NO_QUESTION = Text(
    "No question is open. Ask about the answer above, or add what you know.",
    "目前没有待回答的问题。可以继续询问上面的答案，或补充你知道的情况。",
)
STANDS = Text("All right. The answer above stands.", "好的，上面的答案保持不变。")
WITHOUT = Text("All right, without it. The answer above stands.", "好的，那就不看了。上面的答案保持不变。")
WHICH = Text("Which one is it?", "是哪一个？")
STALE = Text("That question is not open any more.", "这个问题已经不用回答了。")
IN_THIS_LANGUAGE = Text("All right, in English from now on.", "好的，接下来用中文。")
SAME = Text(
    "This is the same text as before, so the answer is the same. If you tried the fix, say that it didn't help.",
    "内容和之前一样，所以答案也一样。如果已经按上面的方法改过，请说“没用”。",
)
NEW = Text("This is a new problem; the one before is put aside.", "这是一个新问题，之前的先放下。")
NEW_KEPT = Text(
    "This is a new problem; the one before is put aside, versions and files are kept.",
    "这是一个新问题，之前的先放下；版本和文件仍然有效。",
)
TOGETHER = Text("Read together with what you sent before.", "已结合之前的内容一起判断。")
CHANGED = Text("That changes the answer.", "答案因此变了。")
NEITHER = Text("Neither of the two, then: both are ruled out.", "两个都不是，均已排除。")
NO_LIVE = Text(
    "Models are not run on this service; the file was examined without running it.",
    "本服务不运行模型，只做静态检查。",
)
NO_LIVE_NO_FILE = Text("Models are not run on this service.", "本服务不运行模型。")
NO_FILE = Text(
    "There is no file to run. Drop the model here (`.keras`, `.h5`).",
    "没有可以运行的文件。请把模型（`.keras`、`.h5`）拖进来。",
)
NOT_EXAMINED = Text(
    "It could not be examined; the evidence says why. Model files, training logs and data samples can be.",
    "无法检查，原因见证据。可以检查的有：模型文件、训练日志、数据样本。",
)
WHICH_TENSORFLOW_2 = Text(
    "TensorFlow 2 comes with Keras 2 (up to 2.15) or Keras 3 (from 2.16). Which release is it? `pip show tensorflow` tells.",
    "TensorFlow 2 自带的可能是 Keras 2（2.15 及以前），也可能是 Keras 3（2.16 起）。具体是哪个版本？运行 `pip show tensorflow` 查看。",
)
NO_SUCH_VERSION = Text(
    "That is not a version of Keras. Give it as `3.5.0` or `2.15`.",
    "这不是 Keras 的版本号。请写成 `3.5.0` 或 `2.15` 的形式。",
)
DROP = {
    "model": Text("Drop the model file here (`.keras`, `.h5`).", "请把模型文件（`.keras`、`.h5`）拖进来。"),
    "live": Text(
        'Drop the model file here (`.keras`, `.h5`) and say "run it".',
        "请把模型文件（`.keras`、`.h5`）拖进来，并说“运行模型”。",
    ),
    "log": Text(
        "Drop the training log here (a CSVLogger file, TensorBoard events, or what `fit` printed).",
        "请把训练日志拖进来（CSVLogger 文件、TensorBoard 事件文件，或 `fit` 的输出）。",
    ),
    "data": Text(
        "Drop a sample of the data here (`.csv`, `.npz`, `.h5`).", "请把数据样本（`.csv`、`.npz`、`.h5`）拖进来。"
    ),
    "environment": Text(
        "Run this service's script `environment.py` under the Python that fails (`python environment.py > environment.json`), and "
        "drop the report here.",
        "请用出错的那个 Python 运行本服务提供的脚本（`python environment.py > environment.json`），再把报告拖进来。",
    ),
}
DROP["weights"] = DROP["model"]


def ruled_out(title: Text, *, next_one: bool) -> Text:
    """That a topic is ruled out, and what comes next."""
    if next_one:
        return Text(
            f'"{title.en}" is ruled out. Next in question is this.', f"已排除“{title.zh}”。接下来最可能的是这个。"
        )
    return Text(
        f'"{title.en}" is ruled out, and nothing else fits well enough to be named. What would help stands below.',
        f"已排除“{title.zh}”，其余的都不够吻合，不做猜测。下面列出了补充哪些信息会有帮助。",
    )


def others(titles: tuple[Text, ...]) -> Text:
    """What else is in question."""
    if not titles:
        return Text("Nothing else comes into question.", "没有其他可能的主题。")
    return Text(
        f'Less likely: {"; ".join(each.en for each in titles)}. Say "it didn\'t help" to rule out what was named.',
        f"可能性较小的还有：{'；'.join(each.zh for each in titles)}。如果不是上面那个，请说“不是这个问题”。",
    )


def taken_as(title: Text) -> Text:
    """Which answer was understood."""
    return Text(f'Taken as: "{title.en}".', f"按“{title.zh}”来看。")


def now_for(version: str, line: Line) -> Text:
    """For which Keras the fix is now."""
    name = line_name(line)
    if version in ("3", "2.15", "2.3"):
        return Text(f"Now for {name.en}.", f"以下适用于 {name.zh}。")
    return Text(f"Now for Keras {version}.", f"以下适用于 Keras {version}。")


def noted(version: str, line: Line, *, paste: bool) -> Text:
    """That a version was understood, where it changes nothing yet."""
    en, zh = (line_name(line).en, line_name(line).zh) if version in ("3", "2.15", "2.3") else (f"Keras {version}",) * 2
    if paste:
        return Text(
            f"Noted: {en}. Now paste the error, or describe what goes wrong.",
            f"记下了：{zh}。请贴上报错，或描述哪里不对。",
        )
    return Text(f"Noted: {en}. The answer stays the same.", f"记下了：{zh}。答案不变。")


def expired(count: int) -> Text:
    """That files are not there any more."""
    if count == 1:
        return Text(
            "A file has expired and was not examined; upload it again.", "有 1 个文件已过期，未检查；请重新上传。"
        )
    return Text(
        f"{count} files have expired and were not examined; upload them again.",
        f"有 {count} 个文件已过期，未检查；请重新上传。",
    )


def too_many(most: int) -> Text:
    """That the oldest files are let go."""
    return Text(f"Only the last {most} files are kept.", f"只保留最近的 {most} 个文件。")


def only_options(count: int) -> Text:
    """That there is no such option."""
    return Text(f"There are only {count} to choose from.", f"只有 {count} 个选项。")


def with_advice(lead: Text, advice: tuple[Text, ...]) -> Text:
    """A lead with what would help, as it can be done in a chat."""
    every = (lead, *map(advice_text, advice))
    return Text(" ".join(each.en for each in every), "".join(each.zh for each in every))


def together(leads: list[Text]) -> Text | None:
    """Several sentences as one text; None for none."""
    said = list(dict.fromkeys(leads))
    return Text(" ".join(each.en for each in said), "".join(each.zh for each in said)) if said else None
