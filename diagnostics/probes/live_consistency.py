"""Consistency: the same outputs after saving and loading, for a sample given alone, and how training mode differs."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..live import Live
from ..live_steps import need, told
from ..probe import Evidence, Probe

SAVING = "save-model"
BATCH = "batch-size-differs"
MODES = "train-loss-higher-than-test"
NORM = "batchnorm-fine-tuning"
# float32 sums in another order differ by about 1e-6 of the largest value; deep nets multiply that.
_SAME = 1e-3
_OTHER = 0.05


def look(live: Live) -> Iterator[Evidence]:
    """Three comparisons of the outputs for the same inputs; differences are relative to the largest output."""
    need(live, "modes", live.alone is not None or live.reloaded is not None)
    if live.reloaded is not None:
        yield from _reloaded(live.reloaded)
    elif failed := live.failures.get("reload"):
        text = Text(f"saving it and loading it again ends with {told(failed)}", f"保存后重新加载时出错：{told(failed)}")
        yield Evidence(text, confirms=(SAVING, "get-config-missing", "subclassed-model-saving"))
    if live.alone is not None and live.alone > _OTHER:
        yield Evidence(
            Text(
                f"a sample gives another output alone than in a batch (by {live.alone:.1%}): a layer mixes the samples of "
                "a batch",
                f"同一个样本单独输入和成批输入，输出不同（相差 {live.alone:.1%}）：有的层把同一批的样本混在了一起",
            ),
            confirms=(BATCH, "batchnorm-placement"),
        )
    if live.training is not None and live.training > _OTHER:
        yield Evidence(
            Text(
                f"outputs in training mode differ from those in inference by {live.training:.0%}: Dropout or BatchNormalization, "
                "so losses of training and validation are not of the same function",
                f"训练模式与推理模式的输出相差 {live.training:.0%}：由 Dropout 或 BatchNormalization 引起，"
                "训练和验证的损失不是同一个函数",
            ),
            confirms=(MODES, NORM),
        )


def _reloaded(difference: float) -> Iterator[Evidence]:
    if difference > _SAME:
        yield Evidence(
            Text(
                f"saved and loaded again, it gives other outputs for the same inputs (by {min(difference, 1e6):.2g} of the largest)",
                f"保存再加载后，同样的输入得到不同的输出（相差最大值的 {min(difference, 1e6):.2g} 倍）",
            ),
            confirms=(SAVING,),
            fault=True,
        )
    else:
        yield Evidence(
            Text("saved and loaded again, it gives the same outputs", "保存再加载后，输出完全一致"), rules_out=(SAVING,)
        )


PROBE = Probe(
    id="live-consistency",
    subject="live",
    promise=Text(
        "whether outputs stay the same after saving and loading, alone or in a batch, in training or inference",
        "检查保存再加载、单个或成批、训练或推理模式下，输出是否一致",
    ),
    topics=(SAVING, BATCH, MODES, NORM),
    look=look,
    remedy=Text(
        "write get_config for own layers and keep all state in weights; call model(x, training=False) to predict",
        "给自定义层写好 get_config，把状态都放进权重；预测时用 model(x, training=False)",
    ),
    documentation="https://keras.io/guides/serialization_and_saving/",
)
