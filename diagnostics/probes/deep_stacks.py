"""Deep stacks: chains of layers without normalization or shortcut, and how much of the gradient reaches their start."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..flow import flow_of
from ..graph import needed_graph
from ..model_file import ModelFile
from ..probe import Evidence, Probe
from ..stacks import Stack, worst_stack
from ..wording import names_en, names_zh

NOT_LEARNING = "loss-not-decreasing"
# A thousandth, reached by six sigmoids or by 21 ReLUs behind Glorot's kernels, Keras' default. VGG19, which its authors could
# only train by starting from a shallower net (https://arxiv.org/abs/1409.1556), has 18 of the latter.
_HALVINGS = 10.0


def look(model: ModelFile) -> Iterator[Evidence]:
    """What the longest chain of layers leaves of the gradient."""
    graph = needed_graph(model)
    stack = worst_stack(flow_of(graph))
    if stack.halvings > _HALVINGS:
        yield _weak(stack)


def _weak(stack: Stack) -> Evidence:
    left = f"1/{2 ** min(stack.halvings, 60):,.0f}"
    activations = " / ".join(stack.activations)
    return Evidence(
        Text(
            f"{stack.kernels} layers from {names_en([stack.first])} to {names_en([stack.last])} follow each other with {activations}, "
            f"without normalization or a shortcut: when training begins, about {left} of the gradient is left at the first; use relu "
            "with he_normal, BatchNormalization, or Add shortcuts",
            f"从 {names_zh([stack.first])} 到 {names_zh([stack.last])} 的 {stack.kernels} 层直接相连，激活函数为 {activations}，既没有"
            f"归一化也没有残差连接：训练开始时，传到第一层的梯度大约只剩 {left}；请改用 relu 配 he_normal，或加 BatchNormalization、"
            "Add 残差连接",
        ),
        confirms=(NOT_LEARNING,),
        warning=True,
        layers=(stack.first, stack.last),
    )


PROBE = Probe(
    id="deep-stacks",
    subject="model",
    promise=Text(
        "whether a gradient reaches the first layers through long stacks of sigmoids or ReLUs",
        "检查梯度能否穿过很深的 sigmoid 或 ReLU 堆叠传到前面的层",
    ),
    topics=(NOT_LEARNING,),
    look=look,
    remedy=Text(
        "relu in place of sigmoid, kernel_initializer='he_normal', BatchNormalization after each layer, or Add shortcuts",
        "用 relu 代替 sigmoid，设 kernel_initializer='he_normal'，每层后加 BatchNormalization，或加 Add 残差连接",
    ),
    documentation="https://keras.io/api/layers/initializers/",
)
