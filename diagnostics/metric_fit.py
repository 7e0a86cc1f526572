"""Whether a metric fits the output that it is counted on and the loss beside it."""

from __future__ import annotations

from .activations import NO_PROBABILITIES, PROBABILITIES
from .compiled import ACCURACIES, ONE_HOT, REGRESSION, SPARSE, Loss, Metric
from .evidence import fact, fault
from .heads import Head
from .loss_fit import ACCURACY, MISMATCH
from .probe import Evidence
from .wording import names_en, names_zh

LABELS = "one-hot-or-sparse-labels"
_DEFAULT_THRESHOLD = 0.5
_DEFAULT_K = 5
_TOP_K = frozenset({"top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy"})
_COUNTING = frozenset({"Precision", "Recall"})


def metric_evidence(head: Head, loss: Loss | None, metric: Metric) -> Evidence | None:
    """What does not fit between one output and one of its metrics."""
    beside = _beside(head, loss, metric) if loss else None
    return beside or _alone(head, metric)


def _beside(head: Head, loss: Loss, metric: Metric) -> Evidence | None:
    """What does not fit between a metric and the loss that is trained beside it."""
    if loss.name in REGRESSION and metric.name in ACCURACIES and _is_a_number(head):
        return _accuracy_of_numbers(head, loss, metric)
    if _takes_one_hot(head, loss, metric):
        return _one_hot_only(head, loss, metric)
    return _other_labels(head, loss, metric) if _takes_other_labels(metric.name, loss) else None


def _alone(head: Head, metric: Metric) -> Evidence | None:
    """What does not fit between a metric and the output, whatever the loss."""
    if metric.name == "Accuracy":
        return _equality(head)
    sparse = metric.name in ("MeanIoU", "IoU") and metric.config.get("sparse_y_pred", True) is True
    if sparse and _is_a_probability(head):
        return _class_numbers(head, metric)
    if (classes := _classes(metric)) and head.width and 1 < head.width != classes:
        return _other_number(head, metric, classes)
    if head.width and metric.name in _TOP_K and _k(metric) >= head.width > 1:
        return _always_right(head, metric)
    return _threshold(head, metric) if _is_a_number(head) and _has_a_threshold(head, metric) else None


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


def _takes_one_hot(head: Head, loss: Loss, metric: Metric) -> bool:
    """Whether a metric compares unit by unit with labels that are one class number per sample: Keras 2 and 3 stop."""
    by_class = metric.config.get("class_id") is not None
    several = head.width is not None and head.width > 1
    return several and loss.name in SPARSE and (metric.name == "AUC" or (metric.name in _COUNTING and not by_class))


def _one_hot_only(head: Head, loss: Loss, metric: Metric) -> Evidence:
    return fault(
        f"{metric.name} compares each of the {head.width} units of {names_en([head.layer])} with a label of its own, and "
        f"{loss.name} takes one class number per sample: training stops on the shapes; use one-hot labels with "
        "categorical_crossentropy, or sparse_categorical_accuracy",
        f"{metric.name} 把 {names_zh([head.layer])} 的 {head.width} 个单元分别与各自的标签比较，而 {loss.name} 只要一个类别编号："
        "训练会因形状不符而停止；请用 one-hot 标签配 categorical_crossentropy，或改用 sparse_categorical_accuracy",
        LABELS,
        ACCURACY,
    )


def _classes(metric: Metric) -> int | None:
    """The number of classes that a metric was told, where it takes the largest unit as the class."""
    number = metric.config.get("num_classes")
    takes_largest = metric.name.startswith("OneHot") or metric.config.get("sparse_y_pred", True) is False
    counts = metric.name in ("MeanIoU", "IoU", "OneHotIoU", "OneHotMeanIoU") and takes_largest
    return number if counts and type(number) is int else None


def _other_number(head: Head, metric: Metric, classes: int) -> Evidence:
    """Too few: Keras 2 stops at a class beyond, Keras 3 leaves it out. Too many: classes that never come up."""
    told = fault if head.width and head.width > classes else fact
    return told(
        f"{metric.name} counts {classes} classes, and {names_en([head.layer])} has {head.width} units: set num_classes={head.width}",
        f"{metric.name} 按 {classes} 类统计，而 {names_zh([head.layer])} 有 {head.width} 个单元：请设 num_classes={head.width}",
        ACCURACY,
    )


def _k(metric: Metric) -> int:
    written = metric.config.get("k", _DEFAULT_K)
    return written if type(written) is int else 0


def _always_right(head: Head, metric: Metric) -> Evidence:
    return fact(
        f"{metric.name} with k={_k(metric)} on {names_en([head.layer])}, which has {head.width} units, is always 1: set a smaller k",
        f"{names_zh([head.layer])} 只有 {head.width} 个单元，{metric.name} 的 k={_k(metric)}，结果恒为 1：请把 k 设小",
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
