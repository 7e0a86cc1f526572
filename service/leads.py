"""What the doctor says first in a chat about the case, in both languages. Short: the diagnosis below it tells the rest."""

from __future__ import annotations

from ..knowledge.text import Text
from .outputs import Output

SOLVED = Text(
    "Good, noted that it helped. Paste the next problem whenever there is one.",
    "太好了，已记下这个诊断有用。有新的问题随时贴上来。",
)
NOT_KNOWN_STANDS = Text("It is still not known what this is.", "目前还不知道这是什么问题。")
PART_OF_UNKNOWN = Text(
    "It is not known what this is, so there is none of that to show.",
    "还不知道这是什么问题，所以没有可以展示的内容。",
)
NO_REASON = Text("It is not known why.", "还不知道原因。")
NONE_OF_THAT = Text("There is none for this topic.", "这个主题没有这项内容。")
STANDS = Text("All right. The answer above stands.", "好的，上面的答案保持不变。")
WITHOUT_IT = Text("All right, without it.", "好的，那就不看了。")
WITHOUT = Text("All right, without it. The answer above stands.", "好的，那就不看了。上面的答案保持不变。")
WHICH = Text("Which one is it?", "是哪一个？")
STALE = Text("That question is not open any more.", "这个问题已经不用回答了。")
IN_THIS_LANGUAGE = Text("All right, in English from now on.", "好的，接下来用中文。")
SAME = Text(
    "This is the same text as before, so the answer is the same. If you tried the fix, say that it didn't help.",
    "内容和之前一样，所以答案也一样。如果已经按上面的方法改过，请说“没用”。",
)
SAME_STILL = Text(
    "This is the same error as before, so nothing new follows from it.", "这和之前是同样的报错，看不出新的情况。"
)
ANEW = Text("All right, the problem before is put aside. What is the new one?", "好的，之前的先放下。新问题是什么？")
SEVERAL = Text(
    "There are several errors in this; the answer is about the last one. For another one, paste it alone.",
    "这里有不止一个报错；下面回答的是最后一个。想看别的，请单独贴出来。",
)
ONLY_SUMMARY = Text(
    "This is the summary of a model; it alone shows no error. Say what goes wrong or paste the error, and drop the model file to have "
    "it examined.",
    "这是模型的 summary，单凭它看不出错误。请说明哪里不对或贴上报错，也可以把模型文件拖进来检查。",
)
ONLY_GPU = Text(
    "This is what nvidia-smi prints: the driver sees the card. Say what goes wrong, or paste the error; "
    "the report of `environment.py` "
    "tells whether TensorFlow can use it.",
    "这是 nvidia-smi 的输出：驱动能看到显卡。请说明哪里不对或贴上报错；TensorFlow 能不能用它，要看 `environment.py` 的报告。",
)
ONLY_PACKAGES = Text(
    "This is a list of packages. Paste the error, or describe what goes wrong.",
    "这是安装包列表。请贴上报错，或描述哪里不对。",
)
ONLY: dict[Output, Text] = {"summary": ONLY_SUMMARY, "gpu": ONLY_GPU, "packages": ONLY_PACKAGES}
NOT_CALLED = Text(
    "There is no call stack in what was pasted, so the line is not known. Paste the error from "
    "`Traceback (most recent call last)` on.",
    "贴出的内容里没有调用栈，看不出是哪一行。请从 `Traceback (most recent call last)` 开始贴。",
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


def ruled_out(titles: tuple[Text, ...], *, next_one: bool) -> Text:
    """Which topics are ruled out, the last one first, and what that leaves."""
    en = f'"{titles[0].en}" is ruled out' + (f" (before it: {_listed(titles[1:]).en})" if titles[1:] else "")
    zh = f"已排除“{titles[0].zh}”" + (f"（之前已排除：{_listed(titles[1:]).zh}）" if titles[1:] else "")
    if next_one:
        return Text(f"{en}. Next in question is this.", f"{zh}。接下来最可能的是这个。")
    return Text(
        f"{en}, and nothing else fits well enough to be named.",
        f"{zh}，其余的都不够吻合，不做猜测。",
    )


def all_ruled_out(said: tuple[Text, ...], seen: tuple[Text, ...]) -> Text:
    """Which topics are out of the question: those whose fix did not help, and those that the probes ruled out."""
    told = (
        [Text(f"Ruled out, because it did not help: {_listed(said).en}.", f"没有用、已排除：{_listed(said).zh}。")]
        if said
        else []
    )
    if seen:
        told.append(Text(f"Ruled out by what was examined: {_listed(seen).en}.", f"检查后已排除：{_listed(seen).zh}。"))
    return together(told) or Text("Nothing has been ruled out so far.", "目前还没有排除任何可能。")


def _listed(titles: tuple[Text, ...]) -> Text:
    return Text("; ".join(f'"{each.en}"' for each in titles), "；".join(f"“{each.zh}”" for each in titles))


def stays(title: Text | None) -> Text:
    """That what was added changes nothing."""
    if title is None:
        return Text(
            "That does not change it: it is still not known what this is.", "情况没有变：还不知道这是什么问题。"
        )
    return Text(
        f'That leads to no other answer than "{title.en}". "Why?", "show the fix", "evidence" and "sources" tell more of it.',
        f"答案不变：“{title.zh}”。可以继续问“为什么”“怎么改”“证据”“出处”。",
    )


def in_short(summary: Text) -> Text:
    """The answer in one sentence."""
    return Text(
        f'In short: {summary.en} "Show the fix" shows what to change.',
        f"简单说：{summary.zh}问“怎么改”就能看到要改什么。",
    )


def at_line(path: str, line: int | None, code: str) -> Text:
    """The last line of the person's own code that ran."""
    where = f"`{path}`" + (f", line {line}" if line else "") + (f": `{code}`" if code else "")
    where_zh = f"`{path}`" + (f" 第 {line} 行" if line else "") + (f"：`{code}`" if code else "")
    return Text(f"The last line of your own code that ran is {where}.", f"你自己的代码里最后执行到的是 {where_zh}。")


def others(titles: tuple[Text, ...]) -> Text:
    """What else is in question."""
    if not titles:
        return Text("Nothing else comes into question.", "没有其他可能的主题。")
    return Text(
        f'Less likely: {"; ".join(each.en for each in titles)}. Say "it didn\'t help" to rule out what was named.',
        f"可能性较小的还有：{'；'.join(each.zh for each in titles)}。如果不是上面那个，请说“不是这个问题”。",
    )


def nearest(titles: tuple[Text, ...]) -> Text:
    """What is nearest where nothing is named."""
    if not titles:
        return NOT_KNOWN_STANDS
    return Text(
        f"None fits well enough; the nearest are: {_listed(titles).en}.",
        f"没有足够吻合的；最接近的是：{_listed(titles).zh}。",
    )


def taken_as(title: Text) -> Text:
    """Which answer was understood."""
    return Text(f'Taken as: "{title.en}".', f"按“{title.zh}”来看。")


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


def sentence(text: Text) -> Text:
    """A text with a full stop."""
    return Text(text.en.rstrip(".") + ".", text.zh.rstrip("。") + "。")


def together(leads: list[Text]) -> Text | None:
    """Several sentences as one text; None for none."""
    said = list(dict.fromkeys(leads))
    return Text(" ".join(each.en for each in said), "".join(each.zh for each in said)) if said else None
