"""Whole chats through the real doctor, on recorded tracebacks and real files: what the case knows, what is answered."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from kerasdoctor.diagnostics.decoding import decode
from kerasdoctor.diagnostics.doctor import Doctor
from kerasdoctor.diagnostics.mended import Made, Mended
from kerasdoctor.diagnostics.progress import Step, Watch
from kerasdoctor.diagnostics.proving import Proof
from kerasdoctor.diagnostics.repair import Change
from kerasdoctor.diagnostics.said import Said
from kerasdoctor.errors import Cancelled, SubjectError
from kerasdoctor.knowledge.recorded import traces_of
from kerasdoctor.knowledge.text import Text
from kerasdoctor.service import leads, next_step, severity, small_talk, version_leads
from kerasdoctor.service.case import Asked, Case
from kerasdoctor.service.circumstances import MAX_UPLOADS
from kerasdoctor.service.conversation import Conversation
from kerasdoctor.service.paste import MAX_BYTES, MAX_TEXTS
from kerasdoctor.service.reply import Reply

from .chatting import DISCONNECTED, FILES, NEGATIVE, UINT8, Chat


def test_a_traceback_its_reasons_and_its_fix(chat: Chat) -> None:
    """Paste, why, fix, evidence, sources, thanks: each shows its part, nothing is diagnosed twice."""
    assert chat.say(UINT8).looked
    assert (chat.topic, chat.lead, chat.recognised) == ("dtype-not-allowed", "", ["dtype-not-allowed"])
    asked = {
        "why?": "why",
        "Show the fix, please": "fix",
        "how do you know": "evidence",
        "any sources?": "sources",
        "what about the docs?": "sources",
    }
    for text, kind in asked.items():
        turn = chat.say(text)
        assert (turn.reply.kind, turn.looked, chat.topic) == (kind, False, "dtype-not-allowed")
    turn = chat.say("thanks, that worked!")
    assert (turn.reply.kind, turn.helped, turn.looked) == ("said", True, False)
    assert "helped" in chat.lead
    assert chat.case.texts == (UINT8.strip(),)


def test_a_version_changes_the_fix(chat: Chat) -> None:
    """The fix is for the Keras that was told, and the lead says so, or that nothing changes."""
    chat.say(NEGATIVE)
    chat.say("I'm on Keras 2.2.4")
    assert chat.case.keras == "2.2.4"
    assert chat.turn.reply.diagnosis
    assert chat.turn.reply.diagnosis.told.line == "keras-2.2"
    chat.say(UINT8)
    chat.say("I'm on tf 2.4")
    assert chat.lead == "Now for Keras 2.4."
    chat.say("sorry, keras==2.4.3")
    assert chat.lead == "Noted: Keras 2.4.3. The answer stays the same."
    chat.say("TensorFlow 2")
    assert not chat.turn.looked
    assert "Which release" in chat.lead
    assert chat.case.keras == "2.4.3"


def test_what_did_not_help_is_ruled_out(chat: Chat) -> None:
    """Topic after topic, until it is not known what it is; no topic comes twice, and each counts as not helped."""
    chat.say(UINT8)
    seen = [chat.topic]
    for text in ("it didn't help", "still the same error", "no luck", "that's not it", "doesn't work") * 2:
        turn = chat.say(text)
        if not turn.looked:
            break
        assert turn.helped is False
        assert "is ruled out" in chat.lead
        assert chat.topic not in seen
        seen.append(chat.topic)
        if chat.topic is None:
            assert "nothing else fits" in chat.lead
            assert turn.reply.diagnosis
            assert turn.reply.diagnosis.advice
    assert seen[-1] is None
    assert turn.helped is None
    assert chat.lead.startswith("What helps, too: ")
    assert chat.case.said.ruled_out == set(seen) - {None}


def test_a_message_then_the_full_traceback(chat: Chat) -> None:
    """The same exception again is more of the same problem; what holds the former replaces it."""
    message = "What is this? ValueError: Graph disconnected: cannot obtain value for tensor"
    chat.say(message)
    assert chat.topic == "graph-disconnected"
    chat.say("here is the full traceback:")
    assert (chat.turn.reply.kind, chat.turn.looked) == ("said", False)
    chat.say(DISCONNECTED)
    assert (chat.topic, len(chat.case.texts)) == ("graph-disconnected", 2)
    assert chat.lead == "Read together with what you sent before."
    chat.say("Sure, here is the full traceback:\n" + DISCONNECTED)
    assert [text.splitlines()[0] for text in chat.case.texts] == [message, "Sure, here is the full traceback:"]
    chat.say(DISCONNECTED)
    assert not chat.turn.looked
    assert "same text" in chat.lead


def test_another_problem_in_the_same_chat(chat: Chat) -> None:
    """Another exception and topic is a fresh case; version, language and files stay, what was ruled out does not."""
    chat.say(UINT8)
    chat.say("my keras version is 3.5.0")
    chat.say("it didn't help")
    assert chat.case.said.ruled_out
    chat.say(traces_of("must-compile-first")["keras-2.15"][0].splitlines()[-1])
    assert chat.topic == "must-compile-first"
    assert chat.lead == "This is a new problem; the one before is put aside, versions and files are kept."
    assert (chat.case.keras, len(chat.case.texts), chat.case.said) == ("3.5.0", 1, Said())
    chat.say("loss is nan")
    assert (chat.topic, len(chat.case.texts)) == ("nan-loss", 1)
    chat.say("The loss becomes nan after 3 epochs, I use a learning rate of 0.1")
    assert (chat.turn.reply.kind, chat.case.topic, len(chat.case.texts)) == ("said", "nan-loss", 2)
    assert "no other answer" in chat.lead


def test_details_are_no_new_problem(chat: Chat) -> None:
    """What is told of the setup belongs to the problem; "what else?" shows the others and rules nothing out."""
    chat.say("我的模型 loss 不下降")
    chat.say("学习率是 0.01，batch size 32")
    assert len(chat.case.texts) == 2
    assert chat.lead.startswith("已结合之前的内容一起判断。")
    turn = chat.say("还有别的可能吗？")
    assert (turn.reply.kind, turn.helped, turn.case.said.ruled_out) == ("said", None, frozenset())
    assert "可能" in chat.lead


def test_did_not_help_with_the_error_again(chat: Chat) -> None:
    """What did not help and what is printed now: the same error rules the topic out, another is a new problem."""
    chat.say(UINT8)
    turn = chat.say("didn't help, I still get\n" + UINT8)
    assert turn.helped is False
    assert chat.case.said.ruled_out == {"dtype-not-allowed"}
    turn = chat.say("It didn't help. Now it says\n" + DISCONNECTED)
    assert (turn.helped, chat.topic, chat.case.said.ruled_out) == (None, "graph-disconnected", frozenset())
    chat.say("show the fix")
    assert chat.turn.reply.kind == "fix"


@pytest.mark.parametrize("answer", ["the second one", "2", "第二个", "The loss stays constant", "choose"])
def test_a_question_about_topics(chat: Chat, answer: str) -> None:
    """Answered by number, by words or by button; it is not asked again."""
    chat.say("model predicts always the same class")
    question = chat.case.question
    assert question
    assert [option.value for option in question.options] == ["softmax-on-one-unit", "loss-not-decreasing", "neither"]
    if answer == "choose":
        chat.say(act="choose", choice="loss-not-decreasing")
    else:
        chat.say(answer)
    assert chat.topic == "loss-not-decreasing"
    assert chat.case.said.likely == {"loss-not-decreasing"}
    assert question.key in chat.case.said.asked
    assert not chat.case.question or chat.case.question.key != question.key
    chat.say(act="choose", choice="softmax-on-one-unit-long-ago")
    assert "not open" in chat.lead or "不用回答" in chat.lead


def test_yes_no_and_neither(chat: Chat) -> None:
    """Yes confirms what was named with the question, neither rules both out, "don't know" passes it over."""
    chat.say("model predicts always the same class")
    chat.say("yes")
    assert chat.case.said.likely == {"softmax-on-one-unit"}
    chat.say("no, neither")
    assert {"softmax-on-one-unit"} < chat.case.said.ruled_out
    assert chat.topic not in chat.case.said.ruled_out
    question = chat.case.question
    assert question
    chat.say("no idea")
    assert not chat.turn.looked
    assert chat.case.question is None
    assert question.key in chat.case.said.asked


@pytest.mark.parametrize(
    ("answer", "keras"),
    [
        ("Keras 3", "3"),
        ("3", "3"),
        ("the second", "2"),
        ("2.2.4", "2.2.4"),
        ("tf 1.15", "2.0-2.3"),
        ("Keras 2 in TensorFlow 2", "2"),
    ],
)
def test_which_keras(chat: Chat, answer: str, keras: str) -> None:
    """The question about the line takes a version, a number of an option, its words."""
    chat.say("out of memory")
    assert chat.case.question
    assert chat.case.question.kind == "line"
    chat.say(answer)
    assert chat.case.keras == keras
    assert "line" in chat.case.said.asked
    assert chat.topic == "gpu-out-of-memory"


def test_a_question_that_needs_a_file(chat: Chat) -> None:
    """Yes asks for the file; no is accepted."""
    chat.say("wrong shape")
    assert chat.case.question
    assert chat.case.question.kind == "probe"
    key = chat.case.question.key
    chat.say("yes")
    assert chat.lead.startswith("Drop the model file here")
    assert key in chat.case.said.asked
    other = Chat(chat.conversation.doctor)
    other.say("wrong shape")
    other.say("no")
    assert "without it" in other.lead
    assert key in other.case.said.asked


def test_a_file_alone_and_then_the_error(chat: Chat) -> None:
    """A file without a word is examined and its fault named; the error joins it, a later file too."""
    turn = chat.say(uploads=("digits",))
    assert turn.looked
    assert chat.topic == "dtype-not-allowed"
    assert chat.recognised == []
    chat.say(UINT8)
    assert chat.topic == "dtype-not-allowed"
    assert chat.recognised == ["dtype-not-allowed"]
    assert turn.reply.diagnosis
    assert {f.subject for f in turn.reply.diagnosis.findings} == {"digits.keras"}
    chat.say("and here's my training log", uploads=("log",))
    assert chat.case.uploads == ("digits", "log")
    assert chat.case.texts == (UINT8.strip(),)
    assert chat.turn.reply.diagnosis
    assert {f.subject for f in chat.turn.reply.diagnosis.findings} == {"digits.keras", "training.csv"}


def test_a_sound_file_is_called_sound(chat: Chat, tmp_path: Path) -> None:
    """A file in which nothing is wrong, and one that cannot be examined: the lead says which."""
    notes = tmp_path / "notes.bin"
    notes.write_bytes(b"\x00\x01 nothing that is known")
    chat.files["notes"] = notes
    chat.say("can you check this file?", uploads=("notes",))
    assert chat.topic is None
    assert "could not be examined" in chat.lead


def test_files_that_expired(chat: Chat) -> None:
    """What is not there any more is told, and let go."""
    chat.say(UINT8, uploads=("digits",))
    del chat.files["digits"]
    chat.say("why?")
    assert chat.turn.reply.kind == "why"
    assert "expired" in chat.lead
    assert chat.case.uploads == ()
    chat.say(uploads=("never-there", "nor-this"))
    assert not chat.turn.looked
    assert "2 files have expired" in chat.lead


def test_models_are_run_only_where_that_is_allowed(chat: Chat, doctor: Doctor) -> None:
    """A service that runs none says so; another one runs it when asked, also by a button."""
    chat.say(UINT8, uploads=("digits",))
    chat.say("can you run the model?")
    assert "not run on this service" in chat.lead
    assert not chat.turn.looked
    live = Chat(doctor, live=True)
    live.say("run it")
    assert "no file to run" in live.lead
    live.say("跑一下模型", uploads=("digits",))
    assert live.case.live
    assert live.turn.reply.diagnosis
    assert any(
        f.probe.startswith("live-") and f.outcome != "could_not_look" for f in live.turn.reply.diagnosis.findings
    )
    ran = [f for f in live.turn.reply.diagnosis.findings if f.probe.startswith("live-")]
    steps: list[Step] = []
    live.watch = Watch(steps.append)
    live.say("用的是 Keras 3.5")
    assert live.turn.looked
    assert [f for f in live.turn.reply.diagnosis.findings if f.probe.startswith("live-")] == ran
    assert {step.probe for step in steps}.isdisjoint({"load", "forward"}), "it was run again"


def test_an_examination_can_be_watched_and_cancelled(doctor: Doctor) -> None:
    """The steps are told, and cancelling ends the turn."""
    steps: list[Step] = []
    watch = Watch(steps.append)
    conversation = Conversation(doctor, live=False)
    conversation.turn(Case(), Asked(uploads=("churn",)), None, FILES, watch=watch)
    assert {step.subject for step in steps} == {"churn.h5"}
    watch.cancel()
    with pytest.raises(Cancelled):
        conversation.turn(Case(), Asked(uploads=("churn",)), None, FILES, watch=watch)


def test_chinese_all_the_way(chat: Chat) -> None:
    """A Chinese chat: question, version, not it, fix, solved."""
    chat.say("训练时 loss 一直是 nan，怎么办？")
    assert (chat.topic, chat.turn.reply.lang) == ("nan-loss", "zh")
    chat.say("用的是 Keras 2.2.4")
    assert "Keras 2.2.4" in chat.lead
    chat.say("为什么？")
    assert chat.turn.reply.kind == "why"
    chat.say("不是这个问题")
    assert chat.case.said.ruled_out == {"nan-loss"}
    assert chat.lead.startswith("已排除“")
    turn = chat.say("解决了，谢谢！")
    assert turn.reply.lang == "zh"
    assert turn.helped is (True if chat.last and chat.last.topic else None)


def test_the_language_follows_the_person(chat: Chat) -> None:
    """Page, message, request: the newest word on it counts, and a bare traceback has none."""
    assert chat.say(UINT8, lang="zh").reply.lang == "zh"
    assert chat.say("why?", lang="zh").reply.lang == "zh"
    assert chat.say("in English please", lang="zh").reply == Reply(
        "diagnosis", "en", None, replace(chat.last, lang="en") if chat.last else None
    )
    assert chat.say("没用").reply.lang == "zh"
    assert chat.say("I changed the input to float32 and it still fails the same way").reply.lang == "en"
    assert chat.say("请用中文").reply.lang == "zh"
    assert chat.say(DISCONNECTED).reply.lang == "zh"


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "hi",
        "你好",
        "help",
        "what can you do?",
        "asdf",
        "🙂",
        "ok",
        "why?",
        "没用",
        "thanks",
        "no",
        "2",
        "show the fix",
        "???",
        "👍",
    ],
)
def test_small_talk_is_never_a_diagnosis(chat: Chat, text: str, lang: str) -> None:
    """Before anything was pasted every such message gets a word on what to do."""
    turn = chat.say(text, lang=lang)
    assert (turn.reply.kind, turn.looked, turn.helped) == ("said", False, None)
    assert chat.lead
    assert chat.case == Case(lang=chat.case.lang)


def test_buttons_say_what_words_say(chat: Chat) -> None:
    """Acts of the page are understood as the texts that mean the same."""
    chat.say(UINT8)
    for act in ("why", "fix", "evidence", "sources"):
        assert chat.say(act=act).reply.kind == act
    assert chat.say("nice", act="helped").helped is True
    turn = chat.say("the dtype was right", act="not_helped")
    assert (turn.helped, chat.case.said.ruled_out, len(chat.case.texts)) == (False, {"dtype-not-allowed"}, 1)
    chat.say(keras="2.15")
    assert chat.case.keras == "2.15"
    chat.say(keras="the newest")
    assert "not a version" in chat.lead


def test_bounds(chat: Chat) -> None:
    """However much is sent, the case stays small: the first text and the newest ones, the newest files."""
    chat.say("why is my loss nan?")
    for number in range(10):
        chat.say(f"The loss is nan again, run {number} of my model with the learning rate 0.{number}")
    assert len(chat.case.texts) == MAX_TEXTS
    assert chat.case.texts[0] == "why is my loss nan?"
    assert "run 9" in chat.case.texts[-1]
    chat.say("x" * (2 * MAX_BYTES) + "\ud800\n" + UINT8)
    assert sum(len(text.encode()) for text in chat.case.texts) <= MAX_BYTES
    assert chat.topic == "dtype-not-allowed"
    chat.files = {str(number): FILES["log"] for number in range(30)}
    case = chat.conversation.turn(Case(), Asked(uploads=tuple(chat.files)), None, {**chat.files}).case
    assert len(case.uploads) == MAX_UPLOADS
    assert case.uploads[-1] == "29"


def test_a_case_is_read_back_strictly() -> None:
    """Sets travel as lists, in order; anything else is refused."""
    case = Case(said=Said(frozenset("ba"), frozenset(), frozenset({"line"})))
    assert case.as_json()["said"] == {"ruled_out": ["a", "b"], "likely": [], "asked": ["line"]}
    assert Case.from_json({}) == Case()
    assert decode(frozenset[str], ["a", "b", "a"], "it") == {"a", "b"}
    for wrong in (
        {"said": {"asked": "line"}},
        {"said": {"asked": [1]}},
        {"texts": "one"},
        {"keras": 3},
        {"lang": "de"},
    ):
        with pytest.raises(SubjectError):
            Case.from_json(wrong)


def test_a_repair_travels_as_json() -> None:
    """What was mended is read back as it was."""
    text = Text("a", "甲")
    proof = Proof("same", "keras 3", "keras 3", 1e-7, text)
    mended = Mended(
        (Made("from-logits", (Change(text, "compile", "before", "after"),)),), proof, "mended.keras", (text,)
    )
    reply = Reply("repair", "en", text, None, mended, "an-upload")
    assert Reply.from_json(json.loads(json.dumps(reply.as_json()))) == reply


def test_every_lead_is_in_both_languages() -> None:
    """No text is left untranslated, and English ones hold no Chinese."""
    texts = [
        each
        for module in (leads, next_step, severity, small_talk, version_leads)
        for each in vars(module).values()
        if isinstance(each, Text)
    ]
    texts += [*leads.DROP.values(), *next_step.GIVE.values()]
    assert len(texts) > 50
    for text in texts:
        assert text.en.isascii()
        assert any("\u4e00" <= c <= "\u9fff" for c in text.zh)
