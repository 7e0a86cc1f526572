"""What the doctor answers to what people say beside their problem, by its kind, in both languages."""

from __future__ import annotations

from ..knowledge.text import Text
from .sayings import Kind

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
WHO = Text(
    "kerasdoctor: a program, neither a person nor a language model. It compares what you paste with the "
    "problems of Keras 2 and 3 that "
    "it knows, and examines the files that you drop (models, training logs, data samples). Anything else "
    "it does not know, and says so.",
    "我是 kerasdoctor：一个程序，不是真人，也不是大语言模型。我把你贴的内容与已知的 Keras 2、Keras 3 问题逐一比对，"
    "并检查你拖进来的文件（模型、训练日志、数据样本）。其他的我不懂，也会直说。",
)
PRIVACY = Text(
    "This service passes nothing on, neither to a language model nor to anyone else; where you write to it through Slack or an "
    "assistant, those see it, too. Passwords, "
    "keys, e-mail addresses and names in home folders are masked before a text is stored; files and "
    "chats are deleted after a set time.",
    "这个服务不会把你发的内容交给大语言模型或其他人；如果你是通过 Slack 或助手发来的，它们也能看到。文本存下来之前，"
    "其中的密码、密钥、邮箱和主目录里的用户名都会被遮盖；文件和对话到期后会被删除。",
)
WRITE = Text(
    "Whole programs are not written here. What can be done: paste the error that yours ends in, or ask how one thing is done in Keras "
    '("how do I save a model?").',
    "这里不代写程序。可以做的是：贴上你的程序的报错，或者问 Keras 里某一件事怎么做（比如“怎么保存模型”）。",
)
LINK = Text(
    "Links are not opened. Paste the text that it is about: the error, or the question.",
    "我不会打开链接。请把相关的文字贴过来：报错，或者问题本身。",
)
UPSET = Text(
    'That is annoying, understood. If the answer was wrong, say "it didn\'t help"; what tells most is the whole error as it '
    "was printed, or the model file.",
    "确实让人恼火。如果上面的答案不对，请说“没用”；最有用的线索是原样的完整报错，或者模型文件。",
)
NO_ERROR = Text(
    "Then these tell most: what you expected and what happens instead, the last lines that were printed before it ended, and the "
    "training log or the model file, which are examined.",
    "没有报错的话，最有用的是：你期望什么、实际发生了什么，程序结束前打印的最后几行，以及训练日志或模型文件（会被检查）。",
)
WITHHELD = Text(
    "All right, without it. What tells a lot, too: the error as it was printed, the versions, and what you expected to happen.",
    "好的，那就不看了。原样的报错、版本号、你期望的结果，也能说明很多。",
)
ELSEWHERE = Text(
    "People who know more: https://github.com/keras-team/keras/issues. Take along the error, the versions and the shortest code that "
    "fails.",
    "可以去问更懂的人：https://github.com/keras-team/keras/issues。请带上报错、版本和能复现问题的最短代码。",
)
DONE = Text(
    "Good. Run it again: if it works now, say so; if not, paste what it prints this time.",
    "好的。请再运行一次：成功了就告诉我；不行的话，把这次打印的内容贴过来。",
)
NAME_ONLY = Text(
    "The name of an exception alone tells little. Paste the message behind it too, best the whole error from "
    "`Traceback (most recent call last)` on.",
    "只有异常名看不出是什么问题。请把后面的信息也贴上，最好是从 `Traceback (most recent call last)` 开始的完整报错。",
)
PASTE_IT = Text(
    "Paste the text or drop the file here, and it will be looked at.", "请把文本贴到这里，或把文件拖进来，马上就看。"
)
NO_DIAGNOSIS = Text(
    "There is no diagnosis yet. Paste the error as it was printed, or describe what goes wrong.",
    "还没有诊断。请先贴上原样的报错，或描述哪里不对。",
)
WELCOME = Text("You're welcome.", "不客气。")
SOLVED_UNKNOWN = Text("Good that it is solved.", "解决了就好。")
EMPTY = Text(
    "The message is empty. Paste the error as it was printed, or describe what goes wrong.",
    "消息是空的。请贴上原样的报错，或描述哪里不对。",
)
WHAT = Text("That was not understood.", "没看懂这句话。")
SAY_WHAT = Text(
    "Only problems with Keras and TensorFlow are known here: paste the error as it was printed, or say "
    "what your model does and what you "
    "expected instead.",
    "这里只懂 Keras 和 TensorFlow 的问题：请贴上原样的报错，或者说明模型现在的表现和你期望的结果。",
)
YOUR_TURN = Text(
    'About the answer above you can ask "why?", "show the fix", "evidence" or "sources", and say "it works" or "it didn\'t help"; '
    "or add what you know of the problem.",
    "关于上面的答案，可以问“为什么”“怎么改”“证据”“出处”，或者说“解决了”“没用”；也可以补充问题的细节。",
)
ANEW = Text("All right. What is the problem?", "好的。是什么问题？")
NO_QUESTION = Text(
    "All right; no question is open. Ask about the answer above, or add what you know.",
    "好的，目前没有待回答的问题。可以继续询问上面的答案，或补充你知道的情况。",
)

# In the order in which they count where a message says several things.
ANSWERS: dict[Kind, Text] = {
    "privacy": PRIVACY, "who": WHO, "help": HELP, "write": WRITE, "link": LINK, "no_error": NO_ERROR,
    "withheld": WITHHELD, "elsewhere": ELSEWHERE, "name": NAME_ONLY,
    "anew": ANEW, "here": PASTE_IT, "upset": UPSET, "thanks": WELCOME, "greeting": GREETING, "helped": SOLVED_UNKNOWN,
    "not_helped": NO_DIAGNOSIS,
}  # fmt: skip
