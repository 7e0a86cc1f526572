"""What a short message says, on utterances as people write them: typing errors, politeness, full-width signs."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from kerasdoctor.service.intents import understand
from kerasdoctor.service.version_talk import bare_version, keras_of

# Each line: what it says, then messages that say it. "-" is what is left for the matcher.
ENGLISH = """
why: can you be more specific? | why? | Why?? | but why | why does this happen | Why is that? | why did it fail | what's the reason?
why: whats the cause of this
why: explain please | can you explain this? | what does that mean? | I don't understand | tell me more | what went wrong??
others: what else could it be? | anything else? | other causes? | alternatives
fix: show the fix | Show me the fix, please! | shwo the fix | how do I fix this? | how to fix it
fix: what should I do now? | what now?
fix: can you show me the code | give me the solution pls | How can I solve this error? | the fix?
evidence: evidence | show the evidence | how do you know? | why do you think so | are you sure? | how sure are you about that
sources: sources | sorces pls | any references? | where is this documented? | link to the docs
not_helped: it didn't help | It didnt hlep | that did not work | didn’t work unfortunately :( | still the same error
not_helped: I still get the same error!!
not_helped: still not working | same problem again | no luck | doesn't work | that's not my problem
not_helped: no, it's something else | 👎 | tried that already
not_helped: thanks but it didn't help | The fix did not change anything | nope, still nan | the error persists
not_helped: I've tried this
helped: thanks, that worked! | it works now | It works!! thank you so much | solved | problem solved | that fixed it
helped: fixed it | I fixed it, thanks | perfect, it's fixed now | that was it
yes: yes | Yep! | yeah | ok | correct | that's right | yes please | ✅
no: no | Nope. | neither | none of them | not really
unsure: I don't know | no idea | not sure | idk | skip
ordinal: the first | 2 | The second one. | option 3 | it's the first one | #2 | the latter | 1.
version: what about Keras 2? | and in keras 3? | I'm on Keras 3 | tf 2.4 | keras==2.15 | my keras version is 2.2.4 | TensorFlow 2.10
version: Sorry, I use tensorflow 2.16.1 | ＫＥＲＡＳ ３
version: keras 2.2.4, tensorflow 1.12, python 3.6 | im using tf.keras 2.9 | we run Keras 2.3.1 on tf 1.15
version: sorry i meant keras 3.1
version: the latest version | tf_keras 2.16 | how would it be in keras 3? | I'm on 2.4 | ok I use keras 2.4
version: after upgrading from 2.15 to 3 | works on keras 2.15, fails on keras 3.5 | not keras 2 but keras 3
was: in 2.2.4 it worked | it worked in Keras 2 | I'm not on Keras 3 | with 2.15 no problem | the same code ran fine on tf 2.4
was: after upgrading from 2.15 to 3 | it used to work with tensorflow 1.15 | on my colleague's laptop with TF 2.6 it works
simple: what does that mean in simple words
simple: can you explain simpler | in simple words please | explain it like i'm 5 | I'm a beginner | that's too complicated
where: which line? | in which line is the error | where exactly is the problem
anew: new problem | start over | forget it | another question | I have a different problem
done: ok done | I changed it | done | I did that
ruled_out: what did you rule out? | which causes have you already excluded | what's been ruled out so far
severity: is it bad? | Is this serious? | can I ignore it? | can i just ignore these warnings | should I worry about it?
severity: how serious | how bad is that | is it safe to ignore? | is that a problem? | does it matter?
upset: you suck | it is bad | give up | this is stupid | wtf | idiot bot | you are useless
no_error: I don't have a traceback | no error | it just stops | there is no error message
withheld: i dont have the full traceback | i cant share the model
withheld: I don't have the model file | cannot share data | that's all I have | I can't scroll further
elsewhere: who can help me then | so you don't know?
not_helped: its not that | wait this isn't my problem
others: is there another way | think again
fix: can you repair it | how do I know it's fixed
-: I don't have a gpu | i don't have enough memory | I can't load my model
link: https://stackoverflow.com/questions/12345678/keras-valueerror-input-0 | can you open the link?
who: who are you? | are you ChatGPT? | who made you? | what models can you read?
privacy: is my data safe? | do you store my code? | what about privacy
write: write me a program that classifies cats and dogs | please write the whole code
name: ValueError | tensorflow.errors.InvalidArgumentError
fix: how do i get rid of them | how fix | where do I put this code | where do i write custom_objects | done, now what?
thanks: thx bye | ❤️ | 🎉 | ok thanks bye
others: what about the other one?
live: run it | can you run the model? | please run my model live | live check
english: in English please | English | can you answer in english?
chinese: please answer in Chinese | in Chinese
here: i have an error | here is the full traceback: | here's my model | this is the log | can you check this file?
here: what's wrong with my model? | see attached
thanks: thanks | thx!! | Thank you very much | 👍 | great, thanks
help: help | what can you do? | how does this work | I need help | can you help me?
greeting: hi | Hello! | hey there | good morning | anyone there?
-: it crashes since I switched the optimizer | build a model with two inputs | write a custom loss
-: an error | I get an error when training stopped | loss was 2.5 in epoch 3
-: loss is nan | why is my loss nan? | keras 3 crashes when loading | graph disconnected | how do I save a model?
-: asdf
-: model.fit is slow on keras 2.4 | What does from_logits do? | the first layer has the wrong shape
-: show progress bar in one line
-: it didn't help that my labels are one-hot encoded and the loss is sparse
"""
CHINESE = """
why: 为什么 | 为什么？ | 为啥呢 | 为什么会这样？ | 原因是什么 | 怎么回事啊 | 什么意思 | 看不懂 | 请解释一下
why: 能详细说明一下吗？
others: 还有别的可能吗 | 有没有其他原因？ | 会不会是别的问题
fix: 怎么改 | 怎么改？ | 应该怎么修改代码 | 怎么解决这个问题 | 给我看看修复代码 | 请问怎么修复？ | 那该怎么办呢
fix: 有什么解决办法吗 | 代码 | 如何解决
evidence: 证据 | 有什么依据吗？ | 你怎么知道的 | 怎么看出来的 | 你确定吗 | 判断依据是什么
sources: 出处 | 有官方文档吗 | 参考资料 | 来源是什么？ | 给个链接
not_helped: 没用 | 没有用 | 没用啊！ | 还是一样的错误 | 还是报错 | 不是这个问题 | 没解决，还是不行 | 试过了，没用
not_helped: 改了之后还是报同样的错 | 谢谢，但是没用
not_helped: 依然报错 | 不管用 | 没效果 | 仍然不行 | 好像不是这个原因
helped: 解决了 | 谢谢，解决了！ | 可以了 | 好了，谢谢 | 搞定了 | 问题已经解决 | 有用！ | 现在能跑了 | 不报错了
yes: 是 | 是的 | 对 | 没错 | 好的 | 嗯嗯 | 对的。
no: 不是 | 都不是 | 不对 | 两个都不是
unsure: 不知道 | 不清楚 | 我不确定 | 跳过
ordinal: 第一个 | 第二个 | 选第二个 | 是第一种 | 前者 | 第２个
version: 用的是 Keras 2.2.4 | 我用的是keras3 | ｔｆ２．４ | keras版本是2.15 | 我的 Keras 版本：3.5.0 | 最新版
version: 环境是 tensorflow 1.15 和 keras 2.3.1 | TF2.10 | 那tf2.3怎么写 | 升级到 3.5 之后就报错了 | 2.15能跑3.0报错
version: 之前用 keras 2.2.4 是好的，换成 keras 3 就不行了 | 我不是 keras 3，是 2.15 | 在 keras 2.2.4 work，在 keras 3 不work
was: 以前在 2.2.4 没问题 | 我之前用的是tf2.3 | 同事的 tf 2.6 没报错 | 从 tf1.15 升级到 tf2.10 就报错
simple: 说简单点 | 能不能讲得通俗一点 | 说人话 | 太复杂了 | 我是新手看不懂
where: 哪一行 | 错在哪里 | 是哪一行报错
anew: 换个问题 | 我还有一个新问题 | 再问一个 | 算了
done: 改好了 | 我已经改了 | 按你说的改完了
ruled_out: 排除了哪些 | 你已经排除了哪些可能？ | 哪些原因被排除了
severity: 严重吗 | 这个严不严重 | 可以忽略吗 | 这个警告可以不管吗 | 能忽略吗 | 有影响吗 | 需要担心吗 | 会不会很严重
upset: 垃圾 | 什么破玩意 | 你是不是傻
no_error: 没有报错 | 就是停了 | 程序直接退出了
withheld: 数据不能给你 | 没有模型文件 | 公司代码不方便上传 | 就这些了
elsewhere: 那谁能帮我 | 你也不知道
no: 我觉得不是
others: 没别的可能吗 | 再想想
fix: 能自动修复吗 | 怎么验证改好了
-: 没有GPU | 我没有报错的经验
who: 你是谁 | 你是真人吗 | 你支持哪些版本
privacy: 你们收集我的数据吗 | 我的代码会被泄露吗
write: 帮我写一个LSTM股票预测的完整程序 | 帮我做毕业设计
fix: 怎么fix | 代码放哪里
not_helped: still不行
helped: 好了👍
others: 还有什么办法
live: 跑一下模型 | 运行模型试试 | 帮我运行一下这个模型
english: 用英文回答 | 请说英语
chinese: 请用中文 | 用中文回答 | 说中文可以吗 | 中文
here: 这是完整的报错 | 看看这个模型 | 帮我看看这个模型有什么问题 | 完整报错如下： | 模型已上传 | 检查一下文件
thanks: 谢谢 | 谢谢！ | 非常感谢 | 明白了 | 好的谢谢
help: 帮助 | 你能做什么？ | 怎么用 | 求助
greeting: 你好 | 您好！ | 在吗 | 有人吗？
-: 写一个自定义损失函数的代码 | 程序崩溃了 | 训练突然停止 | 保存模型的代码在哪里写
-: 训练时 loss 变成 nan | 模型不收敛 | GPU 不可用 | 为什么我的 loss 是 nan | 怎么保存模型
-: 还是想问下 Embedding 层怎么用 | 没用 GPU 训练很慢怎么办
-: 第一个卷积层报维度错误 | 为什么准确率一直是 0.5？
"""


def utterances(table: str) -> list[tuple[str, str]]:
    lines = [line.split(": ", 1) for line in table.strip().splitlines()]
    return [(kind, text.strip()) for kind, texts in lines for text in texts.split(" | ")]


@pytest.mark.parametrize(("kind", "text"), utterances(ENGLISH) + utterances(CHINESE))
def test_what_is_said(kind: str, text: str) -> None:
    """Each message says what it should, and only a problem leaves something for the matcher."""
    understood = understand(text)
    if kind == "-":
        assert understood.rest
        return
    assert kind in understood.said, understood
    assert not understood.rest


@pytest.mark.parametrize(
    ("told", "keras"),
    [
        ("keras 2.2.4", "2.2.4"),
        ("keras 3", "3"),
        ("keras 3.x", "3"),
        ("keras 2", "2"),
        ("tensorflow 2.4", "2.4"),
        ("tensorflow 2.3", "2"),
        ("tensorflow 2.16.1", "3"),
        ("tensorflow 1.15", "2.0-2.3"),
        ("keras 2.3.1 tensorflow 1.15", "2.3.1"),
        ("tensorflow 2", None),
        ("keras ?", None),
    ],
)
def test_the_keras_of_what_was_told(told: str, keras: str | None) -> None:
    """TensorFlow's release tells its Keras, except where it could be either."""
    assert keras_of(told) == keras


def test_a_bare_number_is_a_version() -> None:
    """As an answer to "which Keras?"."""
    assert [bare_version(text) for text in ("2.2.4", "version 3", "２．１５版", "v3.5.0", "12 epochs")] == [
        "2.2.4", "3", "2.15", "3.5.0", None,
    ]  # fmt: skip


def test_which_one_was_meant() -> None:
    """Ordinals become numbers."""
    texts = ("the first", "2", "第三个", "前者", "后者", "the last one")
    assert [understand(text).said["ordinal"] for text in texts] == ["1", "2", "3", "1", "2", "last"]


def test_a_long_text_is_never_small_talk() -> None:
    """A traceback that contains "why" is a paste."""
    text = "why\n" + 'Traceback (most recent call last):\n  File "a.py", line 1\nValueError: no\n' * 5
    assert understand(text).said == {}
    assert understand(text).rest


def test_an_answer_comes_first() -> None:
    """What stands after a problem belongs to it: the 3 of a shape answers no question."""
    assert "ordinal" not in understand("the input has shape 48, 3").said
    told = understand("I set the dtype to float32, still the same error")
    assert (told.opens, set(told.said), told.rest) == (None, {"not_helped"}, "i set the dtype to float32")
    assert understand("didn't help, now the loss is nan").opens == "not_helped"


@pytest.mark.parametrize(
    "text",
    [
        *("的" * 99, "还是" * 49, "still the same " * 6 + "x", "这个" * 49 + "x", "the " * 24 + "x", "试了" * 49 + "q"),
        *(
            "有没有" * 30,
            "2." * 49,
            "keras " * 16 + "x",
            "看看看下看" * 19 + "x",
            "is it it it " * 8,
            "\ud800",
            "!?" * 140,
        ),
        "💥" * 200,
    ],
)
def test_no_message_takes_long(text: str) -> None:
    """Repetitions that fit a pattern in many ways are read at once."""
    began = time.perf_counter()
    understand(text)
    assert time.perf_counter() - began < 3  # what goes wrong here takes minutes


def test_no_question_is_taken_for_small_talk() -> None:
    """Of all questions that people ask, each leaves something for the matcher, however it is worded."""
    path = Path(__file__).parents[1] / "knowledge" / "questions.jsonl"
    texts = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
    assert [text for text in texts if not understand(text).rest] == []
