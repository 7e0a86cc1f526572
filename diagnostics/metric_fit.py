"""Whether a metric fits the output that it is counted on and the loss beside it."""

from __future__ import annotations

from .compiled import ACCURACIES, ONE_HOT, REGRESSION, SPARSE, Loss, Metric
from .heads import NO_PROBABILITIES, PROBABILITIES, Head
from .loss_fit import ACCURACY, MISMATCH, fact, fault
from .probe import Evidence
from .wording import names_en, names_zh

LABELS = "one-hot-or-sparse-labels"
_DEFAULT_THRESHOLD = 0.5


def metric_evidence(head: Head, loss: Loss | None, metric: Metric) -> Evidence | None:
    """What does not fit between one output and one of its metrics."""
    if loss and loss.name in REGRESSION and metric.name in ACCURACIES and _is_a_number(head):
        return _accuracy_of_numbers(head, loss, metric)
    if metric.name == "Accuracy":
        return _equality(head)
    if (
        metric.name in ("MeanIoU", "IoU")
        and metric.config.get("sparse_y_pred", True) is True
        and _is_a_probability(head)
    ):
        return _class_numbers(head, metric)
    if loss and _takes_other_labels(metric.name, loss):
        return _other_labels(head, loss, metric)
    if head.activation in NO_PROBABILITIES and _has_a_threshold(head, metric):
        return _threshold(head, metric)
    return None


def _is_a_number(head: Head) -> bool:
    return head.activation in NO_PROBABILITIES


def _is_a_probability(head: Head) -> bool:
    return head.activation in PROBABILITIES


def _accuracy_of_numbers(head: Head, loss: Loss, metric: Metric) -> Evidence:
    return fact(
        f"{metric.name} is counted on {names_en([head.layer])} ({head.activation}), which is trained with {loss.name}: of real "
        "numbers it says nothing (0, or a share that doesn't change); use mae",
        f"{metric.name} 算在 {names_zh([head.layer])}（{head.activation}）上，而它用 {loss.name} 训练：对实数来说准确率没有意义"
        "（为 0，或是一个不变的比例）；请用 mae",
        ACCURACY,
    )


def _equality(head: Head) -> Evidence:
    return fact(
        f"keras.metrics.Accuracy on {names_en([head.layer])} tests outputs and labels for equality, which real numbers hardly ever "
        "are: write 'accuracy'",
        f"{names_zh([head.layer])} 上的 keras.metrics.Accuracy 检查输出与标签是否相等，而实数几乎不会相等：请写 'accuracy'",
        ACCURACY,
    )


def _class_numbers(head: Head, metric: Metric) -> Evidence:
    return fact(
        f"{metric.name} on {names_en([head.layer])} takes the outputs as class numbers, and they are probabilities "
        f"({head.activation}): all below 1 count as class 0; set sparse_y_pred=False, or use BinaryIoU for one unit",
        f"{names_zh([head.layer])} 上的 {metric.name} 把输出当作类别编号，但它们是概率（{head.activation}）：小于 1 的都算第 0 类；"
        "请设 sparse_y_pred=False，只有一个单元时用 BinaryIoU",
        ACCURACY,
    )


def _takes_other_labels(metric: str, loss: Loss) -> bool:
    sparse = metric in ("sparse_categorical_accuracy", "sparse_top_k_categorical_accuracy")
    one_hot = metric in ("categorical_accuracy", "top_k_categorical_accuracy")
    return (sparse and loss.name in ONE_HOT) or (one_hot and loss.name in SPARSE)


def _other_labels(head: Head, loss: Loss, metric: Metric) -> Evidence:
    return fault(
        f"{metric.name} and {loss.name} on {names_en([head.layer])} want different labels, one-hot and class numbers: one of the two "
        "is wrong; write 'accuracy'",
        f"{names_zh([head.layer])} 上的 {metric.name} 与 {loss.name} 要的标签不同（一个要 one-hot，一个要类别编号），必有一个算错；"
        "请写 'accuracy'",
        LABELS,
        ACCURACY,
    )


def _has_a_threshold(head: Head, metric: Metric) -> bool:
    """Whether a metric divides the outputs at a number between 0 and 1."""
    if metric.name == "AUC":
        return metric.config.get("from_logits") is not True
    if metric.name in ("Precision", "Recall"):
        return metric.config.get("thresholds") is None
    if metric.name == "binary_accuracy":
        return bool(metric.config.get("threshold", _DEFAULT_THRESHOLD) == _DEFAULT_THRESHOLD)
    return metric.name in ("accuracy", "acc") and head.width == 1


def _threshold(head: Head, metric: Metric) -> Evidence:
    return fact(
        f"{metric.name} on {names_en([head.layer])} expects probabilities and gets {head.activation}: its threshold is 0.5, which "
        "for logits must be 0 (AUC: from_logits=True)",
        f"{names_zh([head.layer])} 上的 {metric.name} 要的是概率，得到的却是 {head.activation}：阈值是 0.5，对 logits 应为 0"
        "（AUC 则设 from_logits=True）",
        MISMATCH,
        ACCURACY,
    )
