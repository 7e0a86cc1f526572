"""Whether a loss fits the activation and the number of units that it is given.

The rules are those of the entry loss-activation-mismatch; what each loss does with its input is in
keras/src/backend/tensorflow/nn.py and keras/src/losses/losses.py (Keras 3.15).
"""

from __future__ import annotations

from collections.abc import Iterator

from ..knowledge.text import Text
from .activations import NEVER_NEGATIVE, NO_PROBABILITIES, PROBABILITIES
from .compiled import BINARY, CROSSENTROPIES, ONE_HOT, REGRESSION, SPARSE, Loss
from .evidence import fact, fault
from .heads import Head
from .probe import Evidence
from .wording import names_en, names_zh

MISMATCH = "loss-activation-mismatch"
ONE_UNIT = "softmax-on-one-unit"
LABEL_RANGE = "label-out-of-range"
ACCURACY = "accuracy-metric"
NAN = "nan-loss"
_TANH = frozenset({"tanh", "hard_tanh", "softsign"})
_HINGES = frozenset({"hinge", "squared_hinge"})
_SIGMOIDS = frozenset({"sigmoid", "hard_sigmoid", "sparse_sigmoid"})
_TWO_CLASSES = 2  # a softmax over two units is a binary classification written in two columns


def loss_evidence(head: Head, loss: Loss) -> Iterator[Evidence]:
    """What does not fit between one output and its loss."""
    yield from _one_column(head, loss)
    yield from _activation(head, loss)


def fits(head: Head, loss: Loss) -> bool:
    """Whether the pair is in the table of the entry loss-activation-mismatch."""
    if head.activation == "linear":
        return loss.name in REGRESSION or loss.from_logits
    if loss.from_logits or not head.width:
        return False
    if head.activation == "sigmoid":
        return loss.name in BINARY
    return head.activation == "softmax" and loss.name in ONE_HOT | SPARSE and head.width > 1


def _one_column(head: Head, loss: Loss) -> Iterator[Evidence]:
    """The categorical loss divides by the sum over the classes: a single class always has probability 1."""
    if head.width != 1 or loss.name not in ONE_HOT | SPARSE:
        return
    one_hot = loss.name in ONE_HOT
    en = "the loss is always 0" if one_hot else "the only label it can learn is 0"
    zh = "损失恒为 0" if one_hot else "能学的标签只有 0"
    yield fault(
        f"{names_en([head.layer])} has 1 unit and the loss {loss.name}, which needs one unit per class: {en}; use sigmoid with "
        "binary_crossentropy",
        f"{names_zh([head.layer])} 只有 1 个单元，损失却是 {loss.name}，它要求每类一个单元：{zh}；"
        "请用 sigmoid 配 binary_crossentropy",
        MISMATCH,
        ONE_UNIT if one_hot else LABEL_RANGE,
    )


def _activation(head: Head, loss: Loss) -> Iterator[Evidence]:
    activation = head.activation
    if activation is None:
        return
    if loss.name in CROSSENTROPIES and loss.from_logits:
        yield from _on_logits(head, activation, loss)
    elif loss.name in CROSSENTROPIES and activation in NO_PROBABILITIES:
        yield _no_probabilities(head, activation, loss)
    elif loss.name in CROSSENTROPIES:
        yield from _other_probabilities(head, activation, loss)
    elif loss.name == "kl_divergence" and activation in NO_PROBABILITIES:
        yield _no_distribution(head, activation)
    elif loss.name in _HINGES and activation in PROBABILITIES:
        yield _no_margin(head, activation, loss)
    elif loss.name == "poisson" and activation not in PROBABILITIES | NEVER_NEGATIVE:
        yield _poisson(head, activation)
    elif loss.name in REGRESSION and activation in PROBABILITIES | NEVER_NEGATIVE | _TANH:
        yield _bounded(head, activation, loss)


def _on_logits(head: Head, activation: str, loss: Loss) -> Iterator[Evidence]:
    """Keras 2.5 and newer warn of the first, and repair it only where they see the activation's own output."""
    en, zh = names_en([head.layer]), names_zh([head.layer])
    if activation in PROBABILITIES:
        yield fault(
            f"{en} already ends in {activation}, and {loss.name} has from_logits=True: leave one of the two away",
            f"{zh} 已经以 {activation} 结尾，{loss.name} 又设了 from_logits=True：两者只留一个",
            MISMATCH,
        )
    elif activation in NEVER_NEGATIVE:
        yield fact(
            f"{en} ends in {activation}, and {loss.name} takes it as logits, which should be able to be negative: leave the "
            "activation away",
            f"{zh} 以 {activation} 结尾，{loss.name} 把它当作 logits，而 logits 应当可以为负：请去掉激活函数",
            MISMATCH,
        )


def _no_probabilities(head: Head, activation: str, loss: Loss) -> Evidence:
    en, zh = names_en([head.layer]), names_zh([head.layer])
    right = "sigmoid" if loss.name in BINARY else "softmax"
    if activation == "linear":
        return fault(
            f"{en} has no activation, and {loss.name} expects probabilities: add {right}, or set from_logits=True",
            f"{zh} 没有激活函数，而 {loss.name} 要的是概率：请加上 {right}，或设 from_logits=True",
            MISMATCH,
        )
    return fault(
        f"{en} ends in {activation}, whose numbers leave 0 to 1, and {loss.name} expects probabilities: use {right}",
        f"{zh} 以 {activation} 结尾，数值会超出 0 到 1，而 {loss.name} 要的是概率：请用 {right}",
        MISMATCH,
    )


def _other_probabilities(head: Head, activation: str, loss: Loss) -> Iterator[Evidence]:
    """Probabilities, but not the kind that the loss is about: one of several classes, or several yes and no."""
    en, zh, width = names_en([head.layer]), names_zh([head.layer]), head.width or 0
    if activation == "softmax" and loss.name in BINARY and width > _TWO_CLASSES:
        yield fact(
            f"{en} is a softmax over {width} units with {loss.name}: each unit counts as a yes or no of its own, and in Keras 2.0 to "
            "2.3 the accuracy too; use categorical_crossentropy, or sigmoid for several labels per sample",
            f"{zh} 是 {width} 个单元的 softmax，损失却是 {loss.name}：每个单元都被当成单独的是/否，Keras 2.0–2.3 的准确率也这样算；"
            "请用 categorical_crossentropy，每个样本有多个标签时改用 sigmoid",
            MISMATCH,
            ACCURACY,
        )
    elif activation in _SIGMOIDS and loss.name in ONE_HOT | SPARSE and width > 1:
        # The sparse loss is the same sum, but it can't be meant for several labels, so only an odd choice.
        yield (fault if loss.name in ONE_HOT else fact)(
            f"{en} is {activation} over {width} units with {loss.name}, whose probabilities add up to 1: use softmax, or "
            "binary_crossentropy for several labels per sample",
            f"{zh} 是 {width} 个单元的 {activation}，而 {loss.name} 要求各类概率之和为 1：请用 softmax，每个样本有多个标签时改用 "
            "binary_crossentropy",
            MISMATCH,
        )


def _no_distribution(head: Head, activation: str) -> Evidence:
    """kl_divergence cuts what it gets off at 1e-7 and 1, so beyond there is no gradient (keras/src/losses/losses.py)."""
    en, zh = names_en([head.layer]), names_zh([head.layer])
    return fault(
        f"{en} ends in {activation}, and kl_divergence compares probabilities: what is below 0 or above 1 is cut off; use softmax",
        f"{zh} 以 {activation} 结尾，而 kl_divergence 比较的是概率：小于 0 或大于 1 的部分会被截掉；请用 softmax",
        MISMATCH,
    )


def _no_margin(head: Head, activation: str, loss: Loss) -> Evidence:
    en, zh = names_en([head.layer]), names_zh([head.layer])
    return fact(
        f"{en} ends in {activation}, and {loss.name} is about labels -1 and 1: use tanh or no activation, or binary_crossentropy",
        f"{zh} 以 {activation} 结尾，而 {loss.name} 针对标签 -1 和 1：请用 tanh 或不用激活函数，或改用 binary_crossentropy",
        MISMATCH,
    )


def _poisson(head: Head, activation: str) -> Evidence:
    return fact(
        f"{names_en([head.layer])} ({activation}) can be negative, and poisson takes its logarithm: nan; use exponential or softplus",
        f"{names_zh([head.layer])}（{activation}）可以输出负数，而 poisson 要对它取对数：结果为 nan；请用 exponential 或 softplus",
        MISMATCH,
        NAN,
    )


def _bounded(head: Head, activation: str, loss: Loss) -> Evidence:
    limits = _limits(activation)
    return fact(
        f"{names_en([head.layer])} ends in {activation} and the loss is {loss.name}: numbers {limits.en} can't be predicted",
        f"{names_zh([head.layer])} 以 {activation} 结尾，损失是 {loss.name}：预测不出{limits.zh}的数",
        MISMATCH,
    )


def _limits(activation: str) -> Text:
    if activation in PROBABILITIES:
        return Text("below 0 or above 1", "小于 0 或大于 1 ")
    if activation in NEVER_NEGATIVE:
        return Text("below 0", "小于 0 ")
    return Text("below -1 or above 1", "小于 -1 或大于 1 ")
