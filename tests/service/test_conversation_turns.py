"""Turns that people take beside pasting: past versions, what did not help, questions about the answer, other things."""

from __future__ import annotations

import pytest
from kerasdoctor.service import leads, next_step, severity, small_talk, version_leads

from .chatting import DISCONNECTED, NEGATIVE, UINT8, Chat
from .test_outputs import BARS, FREEZE, GPU, SUMMARY_2

FOREIGN = 'Traceback (most recent call last):\n  File "train.py", line 12, in <module>\n    df = data["price"]\nKeyError: \'price\'\n'


# What did not help


@pytest.mark.parametrize(
    ("text", "again", "most"),
    [
        (UINT8, "it didn't help", next_step.GIVE["printed"].en),
        ("loss is nan", "doesn't work", next_step.GIVE["model"].en),
        ("训练时 loss 不下降", "没用", next_step.GIVE["model"].zh),
        ("how do I freeze layers?", "that didn't help", next_step.GIVE["goal"].en),
    ],
)
def test_it_stops_where_nothing_fits(chat: Chat, text: str, again: str, most: str) -> None:
    """No unlikely topic follows the one that did not help: it is said what was ruled out and what would help most."""
    chat.say(text)
    title = chat.last.title if chat.last else None
    assert title
    chat.say(again)
    assert chat.topic is None
    assert title.say(chat.turn.reply.lang) in chat.lead
    assert most in chat.lead
    turn = chat.say(again)
    assert (turn.looked, turn.helped) == (False, None)
    assert most not in chat.lead


def test_a_likely_topic_comes_next(chat: Chat) -> None:
    """What is still likely is named once another was ruled out; then all that were ruled out are told."""
    chat.say("model predicts always the same class")
    first = chat.last.title if chat.last else None
    chat.say("that's not it")
    assert chat.topic == "loss-not-decreasing"
    assert "Next in question" in chat.lead
    chat.say("still the same problem")
    assert chat.topic is None
    assert first
    assert f'(before it: "{first.en}")' in chat.lead


@pytest.mark.parametrize(
    ("text", "again", "in_order"),
    [
        (UINT8, "no", ("printed", "model", "environment", "versions", "code")),
        ("训练时 loss 不下降", "没用", ("model", "log", "error", "environment", "versions", "code")),
        ("out of memory", "that's not it", ("error", "model", "log", "environment", "versions", "code")),
    ],
)
def test_no_dead_end_says_the_same_twice(chat: Chat, text: str, again: str, in_order: tuple[str, ...]) -> None:
    """Each further "no" brings one thing that was not given yet, then where to ask, then no more than that nothing is left."""
    chat.say(text, lang="en")
    while chat.last and chat.last.topic:
        chat.say("it didn't help" if again == "no" else again)
    told = [chat.lead]
    while told[-1] != next_step.NOTHING_LEFT.say(chat.turn.reply.lang):
        assert not chat.say(again).looked
        assert chat.lead not in told
        told.append(chat.lead)
    gives = [next_step.GIVE[step].say(chat.turn.reply.lang) for step in in_order]  # type: ignore[index]
    assert all(give in lead for give, lead in zip(gives, told[:-2], strict=True))
    assert "keras/issues" in told[-2]
    assert all(len(later) < len(told[0]) for later in told[1:-2])


def test_what_is_there_is_not_asked_for(chat: Chat) -> None:
    """Neither a file that was examined nor a version that was told; a new problem begins from the first thing again."""
    chat.say(UINT8)
    chat.say("it didn't help")
    chat.say("I'm on Keras 3.5", uploads=("churn",))
    told = [chat.say("no").reply.lead for _ in range(3)]
    leads_told = " ".join(lead.en for lead in told if lead)
    assert "pip list" not in leads_told
    assert ".keras" not in leads_told
    chat.say("new problem")
    assert chat.case.suggested == ()


def test_what_else_where_nothing_is_known(chat: Chat) -> None:
    """The nearest topics, called that, and what would help."""
    chat.say(UINT8)
    chat.say("I think that's wrong, it is not that")
    chat.say("再想想")
    assert chat.lead == f"{leads.NOT_KNOWN_STANDS.zh}还有帮助的是：{next_step.GIVE['model'].zh}。"
    chat.say("训练时 loss 不下降")
    chat.say("没用")
    chat.say("还有别的可能吗")
    assert chat.lead.startswith("没有足够吻合的；最接近的是：“")
    assert chat.lead.endswith(f"还有帮助的是：{next_step.GIVE['log'].zh}。")


def test_the_same_error_after_what_did_not_help(chat: Chat) -> None:
    """Pasted once more it tells nothing new, and no old answer is promised."""
    chat.say(UINT8)
    chat.say("same error again")
    chat.say(UINT8)
    assert not chat.turn.looked
    assert chat.lead == f"{leads.SAME_STILL.en} What helps, too: {next_step.GIVE['model'].en}."


def test_an_error_from_elsewhere(chat: Chat) -> None:
    """What is known of it is told, and that it is not of Keras."""
    chat.say(FOREIGN)
    assert chat.topic is None
    chat.say("why?")
    assert "KeyError: 'price'. It was raised in your own code, train.py:12" in chat.lead
    assert chat.lead.endswith(next_step.OWN_CODE.en)


# Versions


@pytest.mark.parametrize(
    "text",
    [
        "in 2.2.4 it worked", "it worked in Keras 2", "以前在 2.2.4 没问题", "with tf 1.15 no problem", "我之前用的是tf2.3",
        "it worked with keras 2.3 and tensorflow 1.15", "同样的 code 在 keras 2.2.4 没报错",
    ],
)  # fmt: skip
def test_a_past_version_is_not_theirs(chat: Chat, text: str) -> None:
    """The version that fails stays what it was, known or not."""
    chat.say(text)
    assert chat.case.keras is None
    assert "python -c" in chat.lead
    chat.say(NEGATIVE)
    chat.say(text)
    assert (chat.case.keras, chat.turn.looked) == (None, False)
    assert "Keras 3" in chat.lead
    chat.say("用的是 Keras 3.5")
    chat.say(text)
    assert (chat.case.keras, chat.turn.looked) == ("3.5", False)
    assert "Keras 3.5" in chat.lead


@pytest.mark.parametrize(
    ("text", "keras"),
    [
        ("after upgrading from 2.15 to 3", "3"),
        ("works on keras 2.15, fails on keras 3.5", "3.5"),
        ("I upgraded from TF 2.10 to TF 2.16", "3"),
        ("之前用 keras 2.2.4 是好的，换成 keras 3 就不行了", "3"),
        ("tf 1.15 能跑, tf 2.4 报错", "2.4"),
        ("在 keras 2.2.4 work，在 keras 3 不work", "3"),
        ("我不是 keras 3，是 2.15", "2.15"),
    ],
)
def test_of_two_versions_the_one_that_fails(chat: Chat, text: str, keras: str) -> None:
    """It becomes the case's, and the diagnosis is for it."""
    chat.say(NEGATIVE)
    chat.say(text)
    assert chat.case.keras == keras
    assert chat.last
    assert chat.last.told.keras == keras


def test_past_versions_in_a_longer_text(chat: Chat) -> None:
    """Beside a problem they are not taken for the program's either."""
    chat.say("It worked fine on Keras 2.2.4. Now I get this:\n" + NEGATIVE)
    assert chat.case.keras is None
    assert chat.last
    assert (chat.last.told.keras, chat.last.told.line) == (None, "keras-3")
    chat.say("My model gets much worse results since I upgraded from Keras 2.15 to Keras 3.5 last week, why is that?")
    assert chat.case.keras == "3.5"


def test_a_version_that_is_denied(chat: Chat) -> None:
    """What was taken for theirs is given up, and a paste that says otherwise is held against it."""
    chat.say("loss is nan")
    chat.say("I'm on Keras 3")
    chat.say("sorry, I'm not on Keras 3")
    assert chat.case.keras is None
    chat.say(NEGATIVE)
    chat.say("I'm not on Keras 3")
    assert "comes from Keras 3" in chat.lead


def test_a_bare_keras_2(chat: Chat) -> None:
    """It stays that: no release is made up, and it is said once how it was taken."""
    chat.say(NEGATIVE)
    chat.say("Keras 2")
    assert chat.case.keras == "2"
    assert chat.last
    assert (chat.last.told.keras, chat.last.told.line) == ("2", "keras-2")
    assert version_leads.KERAS_2.en in chat.lead
    chat.say("what about keras 2?")
    assert version_leads.KERAS_2.en not in chat.lead


# About the answer


def test_simpler_and_where(chat: Chat) -> None:
    """The answer in a sentence, and the line of their own code."""
    chat.say(UINT8)
    chat.say("can you explain simpler")
    assert chat.lead.startswith("In short: ")
    chat.say("哪一行")
    assert "第 19 行：`model.fit(pictures, digits, epochs=3)`" in chat.lead
    chat.say("loss is nan")
    chat.say("which line?")
    assert chat.lead == leads.NOT_CALLED.en


def test_words_that_change_nothing(chat: Chat) -> None:
    """The whole answer is not shown again."""
    chat.say(UINT8)
    chat.say("what is uint8")
    assert (chat.turn.reply.kind, chat.turn.looked, len(chat.case.texts)) == ("said", False, 2)
    assert "The operation does not exist for this dtype" in chat.lead


def test_done_is_no_verdict(chat: Chat) -> None:
    """Having made the change says nothing about whether it helped."""
    chat.say(UINT8)
    for text in ("ok done", "done, now what?", "改好了"):
        turn = chat.say(text)
        assert (turn.helped, turn.looked, turn.reply.lead) == (None, False, small_talk.DONE)


def test_two_errors_in_one_paste(chat: Chat) -> None:
    """It is said of which the answer is; the same one twice is one."""
    chat.say(UINT8 + "\n\n" + DISCONNECTED)
    assert chat.topic == "graph-disconnected"
    assert chat.lead == leads.SEVERAL.en
    other = Chat(chat.conversation.doctor)
    other.say(UINT8 + "\n\n" + UINT8)
    assert other.lead == ""


def test_one_of_several_problems_alone(chat: Chat) -> None:
    """What came with another problem and is sent again alone, as was said to do, gets its own answer; the answered one the same."""
    chat.say(UINT8 + "\n\n" + DISCONNECTED)
    chat.say(DISCONNECTED)
    assert chat.lead == leads.SAME.en
    chat.say(UINT8)
    assert (chat.topic, len(chat.case.texts)) == ("dtype-not-allowed", 1)
    chat.say("new problem")
    chat.say("why is my val_loss jumping up and down? also how can i save the best model?")
    chat.say("how can i save the best model?")
    assert chat.topic


def test_more_about_what_was_ruled_out(chat: Chat) -> None:
    """Words about the same topic bring it back neither as a new problem nor as the answer; those about another one begin anew."""
    chat.say("loss is nan")
    chat.say("it didn't help")
    chat.say("the loss gets nan in the second epoch, why?")
    assert chat.case.said.ruled_out == {"nan-loss"}
    assert chat.case.topic is None
    chat.say("my accuracy is stuck at 0.5")
    assert (chat.topic, len(chat.case.texts)) == ("loss-not-decreasing", 1)


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        ("oneDNN custom operations are on", "It may be ignored. "),
        (UINT8, severity.STOPS.en),
        ("loss is nan", "Better not ignored"),
        ("how do I freeze layers?", severity.NOT_ON_RECORD.en),
        ("Could not find cuda drivers on your machine", severity.NOT_ON_RECORD.en),
        (FOREIGN, severity.UNKNOWN.en),
    ],
)
def test_how_bad_it_is(chat: Chat, text: str, lead: str) -> None:
    """As far as the knowledge base tells: harmless, the end of the program, a bad result; else it is said that it is not known."""
    chat.say(text)
    for question in ("is it bad?", "can I ignore it?"):
        turn = chat.say(question)
        assert (turn.looked, turn.reply.kind) == (False, "said")
        assert chat.lead.startswith(lead)
    chat.say("严重吗")
    assert chat.turn.reply.lang == "zh"


def test_how_bad_it_is_asked_with_the_problem(chat: Chat) -> None:
    """Both questions of a message are answered."""
    chat.say("Is it bad?\n\n" + UINT8)
    assert (chat.topic, chat.lead) == ("dtype-not-allowed", severity.STOPS.en)


def test_what_was_ruled_out(chat: Chat) -> None:
    """What did not help, and what the probes ruled out; nothing where there is none."""
    chat.say("loss is nan")
    chat.say("what did you rule out?")
    assert chat.lead == "Nothing has been ruled out so far."
    title = chat.last.title if chat.last else None
    assert title
    chat.say("it didn't help")
    chat.say("排除了哪些")
    assert chat.lead == f"没有用、已排除：“{title.zh}”。"
    chat.say("what did you rule out?", uploads=("log",), lang="en")
    chat.say("what did you rule out?")
    assert chat.last
    probed = {topic for finding in chat.last.findings for topic in finding.ruled_out} - {"nan-loss"}
    assert bool(probed) == ("by what was examined" in chat.lead)


def test_which_keras_only_where_it_matters(chat: Chat) -> None:
    """It changes the fix; where nothing is named, there is none."""
    chat.say(FOREIGN)
    chat.say("in 2.2.4 it worked")
    assert chat.lead == "Noted: Keras 2.2.4 is not the one that fails."
    chat.say("new problem")
    chat.say("loss is nan")
    chat.say("in 2.2.4 it worked")
    assert "Which Keras" in chat.lead


@pytest.mark.parametrize("text", ["the upgrade", "Keras layer?", "bad image"])
def test_no_question_about_keras_where_nothing_is_named(chat: Chat, text: str) -> None:
    """Only the fix depends on it."""
    chat.say(text)
    asks = chat.conversation.doctor.diagnose(text).question
    assert asks
    assert asks.kind == "line"
    assert (chat.turn.looked, chat.topic) == (True, None)
    assert chat.case.question is None


def test_two_questions_at_once(chat: Chat) -> None:
    """Both are answered: the part that is shown comes with the word on the other one."""
    chat.say(UINT8)
    chat.say("show me the fix. also which line?")
    assert (chat.turn.reply.kind, "line 19" in chat.lead) == ("fix", True)
    chat.say("怎么改？严重吗？")
    assert (chat.turn.reply.kind, chat.lead) == ("fix", severity.STOPS.zh)
    chat.say("is it serious? what did you rule out?")
    assert chat.lead == f"Nothing has been ruled out so far. {severity.STOPS.en}"
    chat.say("??")
    assert chat.turn.reply.lead == small_talk.YOUR_TURN


def test_what_they_cannot_give_is_not_suggested(chat: Chat) -> None:
    """Neither what they named nor, where that is all, anything but other people."""
    chat.say("loss is nan")
    chat.say("i cant share the model")
    chat.say("it didn't help")
    assert next_step.GIVE["log"].en in chat.lead
    chat.say("I don't have the full traceback")
    assert chat.lead == f"All right, without it. What helps, too: {next_step.GIVE['environment'].en}."
    chat.say("that's all I have")
    assert "keras/issues" in chat.lead


@pytest.mark.parametrize("guess", ["是不是学习率的问题", "is it because of the learning rate?", "could it be my data?"])
def test_a_guess_at_the_cause_begins_no_new_problem(chat: Chat, guess: str) -> None:
    """It belongs to the problem so far."""
    chat.say("loss不下降啊怎么办")
    chat.say(guess)
    assert len(chat.case.texts) <= 2
    assert chat.case.texts[0].startswith("loss")
    assert leads.NEW.say(chat.turn.reply.lang) not in chat.lead


@pytest.mark.parametrize("tried", ["还是不行，梯度裁剪也试了", "no change, I already tried gradient clipping"])
def test_what_was_tried_is_no_new_problem(chat: Chat, tried: str) -> None:
    """What did not help is not what the person asks about."""
    chat.say("my loss is nan")
    chat.say(tried)
    assert chat.case.texts[0] == "my loss is nan"
    assert chat.topic != "gradient-clipping"


# Another problem


def test_a_new_problem_is_announced(chat: Chat) -> None:
    """The one before is put aside at once; versions stay."""
    chat.say(UINT8, keras="3.5.0")
    turn = chat.say("new problem")
    assert turn.reply.lead == leads.ANEW
    assert (chat.case.texts, chat.case.diagnosis, chat.case.keras) == ((), None, "3.5.0")
    chat.say("why?")
    assert chat.turn.reply.lead == small_talk.NO_DIAGNOSIS
    chat.say(UINT8)
    chat.say("another question: how do I freeze layers?")
    assert chat.topic == "freeze-layers"
    assert len(chat.case.texts) == 1


def test_after_what_helped_another_problem_is_new(chat: Chat) -> None:
    """A question after "it works" is not read together with what was solved; the same topic again is."""
    chat.say(UINT8)
    chat.say("it works now 🎉")
    assert chat.case.solved
    chat.say("my second network is very slow to train on this laptop")
    assert len(chat.case.texts) == 1
    assert not chat.case.solved


@pytest.mark.parametrize(
    "detail",
    [
        "我用的是 Adam",
        "lr 0.01",
        "yes, I have a custom layer",
        "路径有中文",
        "softmax + sparse_categorical_crossentropy",
    ],
)
def test_a_detail_begins_no_new_problem(chat: Chat, detail: str) -> None:
    """Words that neither ask nor complain belong to the problem so far, whatever topic they alone would be about."""
    chat.say("loss is nan")
    chat.say(detail)
    assert chat.case.texts == ("loss is nan", detail)


def test_still_speaks_of_the_problem_so_far(chat: Chat) -> None:
    """What was tried in vain is no new problem either; a complaint about something else is."""
    chat.say("显存不够")
    chat.say("batch size 改成 8 还是不行")
    assert len(chat.case.texts) == 2
    chat.say("my accuracy is stuck at 0.5")
    assert len(chat.case.texts) == 1


def test_solved_with_a_remark(chat: Chat) -> None:
    """What is told with "fixed it" is looked at only where it tells of another problem."""
    chat.say("my gpu is not used")
    turn = chat.say("fixed it, needed tf 2.10")
    assert (turn.helped, turn.looked) == (True, False)
    turn = chat.say("that helped but now the loss is nan")
    assert (turn.helped, chat.topic) == (True, "nan-loss")


def test_a_number_alone_is_a_version(chat: Chat) -> None:
    """As an answer to "which release?"; a whole number is none."""
    chat.say("AttributeError: module 'tensorflow' has no attribute 'Session'")
    chat.say("tf2")
    assert "Which release" in chat.lead
    chat.say("2.8")
    assert chat.case.keras == "2.8"
    chat.say("2.16.1")
    assert chat.case.keras == "3"
    chat.say("4")
    assert chat.case.keras == "3"


def test_a_file_with_a_word(chat: Chat) -> None:
    """A word that names no topic with some certainty does not blur what the file tells."""
    chat.say("这个模型能用吗", uploads=("digits",))
    assert (chat.topic, chat.case.texts) == ("dtype-not-allowed", ())
    assert chat.last
    assert chat.last.confidence > 0.5


# What is no problem


@pytest.mark.parametrize(
    ("text", "lead"), [(SUMMARY_2, leads.ONLY_SUMMARY), (GPU, leads.ONLY_GPU), ("numpy==1.2\nabc==1\nxyz==2", leads.ONLY_PACKAGES)]
)  # fmt: skip
def test_output_alone(chat: Chat, text: str, lead: object) -> None:
    """It gets no topic, and is no part of the problem that is told afterwards."""
    turn = chat.say(text)
    assert (turn.looked, turn.reply.lead, chat.case.texts) == (False, lead, ())


def test_a_list_of_packages_tells_the_version(chat: Chat) -> None:
    """As an answer, too."""
    chat.say(FREEZE)
    assert (chat.case.keras, chat.case.texts) == ("2.12.0", ())
    chat.say(UINT8)
    assert chat.last
    assert chat.last.told.keras == "2.12.0"


def test_what_fit_printed_is_examined(chat: Chat) -> None:
    """As a log that was dropped; its bars are no words for the matcher."""
    chat.say(BARS)
    assert chat.topic is None
    assert chat.last
    assert {finding.subject for finding in chat.last.findings} == {"pasted-log.txt"}
    other = Chat(chat.conversation.doctor)
    other.say(BARS.replace("loss: 2.3026", "loss: nan"))
    assert other.topic == "nan-loss"
    assert other.last
    assert any(finding.fault for finding in other.last.findings)


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        ("is my data safe?", small_talk.PRIVACY), ("你们收集我的数据吗", small_talk.PRIVACY), ("are you ChatGPT?", small_talk.WHO),
        ("https://stackoverflow.com/questions/1/keras", small_talk.LINK), ("垃圾", small_talk.UPSET), ("❤️", small_talk.WELCOME),
        ("write me a program that classifies cats and dogs", small_talk.WRITE), ("ValueError", small_talk.NAME_ONLY),
        ("I don't have a traceback", small_talk.NO_ERROR), ("😭😭😭", small_talk.GREETING), ("start over", small_talk.ANEW),
    ],
)  # fmt: skip
def test_beside_every_problem(chat: Chat, text: str, lead: object) -> None:
    """Each gets a word of its own and no topic."""
    turn = chat.say(text)
    assert (turn.looked, turn.reply.lead, chat.case.texts) == (False, lead, ())


def test_privacy_holds_wherever_it_is_asked(chat: Chat) -> None:
    """The text does not stay here alone where it came through Slack or an assistant, and nothing promises that."""
    for text in ("is my data safe?", "你们收集我的数据吗"):
        chat.say(text)
        assert "Slack" in chat.lead
        assert not any(promise in chat.lead for promise in ("stays on", "只留在"))


def test_not_understood_tells_what_can_be_asked(chat: Chat) -> None:
    """With an answer above other things than without one."""
    chat.say("what is the capital of France?")
    assert "Only problems with Keras and TensorFlow" in chat.lead
    chat.say(UINT8)
    chat.say("is it my fault?")
    assert '"show the fix"' in chat.lead
    chat.say("🤔")
    assert chat.turn.reply.lead == small_talk.YOUR_TURN
