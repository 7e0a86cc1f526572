"""Memory: how many parameters a model has, what training takes at a batch size, and which batches fit which GPU."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..graph import needed_graph
from ..memory import GIB, Memory, memory_of
from ..model_file import Json, ModelFile
from ..optimizers import Optimizer, optimizer_of
from ..probe import CouldNotLook, Evidence, Probe
from ..shapes import shapes_of
from ..wording import names_en, names_zh

GPU = "gpu-out-of-memory"
HOST = "host-out-of-memory"
_CARDS = (6, 8, 16, 24, 40, 80)
_BATCH = 32
_TOO_MANY = 0.2  # of the layers: what is left says little of the whole


def look(model: ModelFile) -> Iterator[Evidence]:
    """What the shapes and variables of the layers add up to."""
    graph = needed_graph(model)
    compiled = model.compiled or {}
    optimizer = _optimizer(compiled)
    memory = memory_of(graph, shapes_of(graph, model.line), optimizer, keras_3=model.line == "keras-3")
    if not memory.parameters and not memory.per_sample:
        raise CouldNotLook(
            Text(
                "the model has no input shape, so neither its weights nor its outputs can be counted",
                "模型没有输入形状，无法计算权重和各层输出的大小",
            )
        )
    yield _parameters(memory)
    if len(memory.unsized) > memory.layers * _TOO_MANY:
        yield _unsized(memory)
    else:
        yield _training(memory, optimizer.name if optimizer else "Adam")


def _optimizer(compiled: Json) -> Optimizer | None:
    """A .keras file of Keras 3 has a mere name where the optimizer was given as one."""
    written = compiled.get("optimizer")
    names = {"sgd": "SGD", "rmsprop": "RMSprop", "adagrad": "Adagrad", "lion": "Lion"}
    if isinstance(written, str) and written.lower() in names:
        return Optimizer(names[written.lower()], {})
    return optimizer_of(compiled)


def _parameters(memory: Memory) -> Evidence:
    frozen = memory.parameters - memory.trained
    return Evidence(
        Text(
            f"{memory.parameters:,} parameters ({_told(memory.weights)}), {frozen:,} of them not trained{_more_en(memory)}",
            f"共 {memory.parameters:,} 个参数（{_told(memory.weights)}），其中 {frozen:,} 个不参与训练{_more_zh(memory)}",
        ),
        confirms=(GPU, HOST),
    )


def _training(memory: Memory, optimizer: str) -> Evidence:
    fits = [f"{card} GB: {memory.largest_batch(card * GIB) or '-'}" for card in _CARDS]
    fixed, total, sample = _told(memory.fixed), _told(memory.training(_BATCH)), _told(memory.per_sample)
    more_en = f", without the outputs of {names_en(memory.unsized)}" if memory.unsized else ""
    more_zh = f"，{names_zh(memory.unsized)} 的输出未计" if memory.unsized else ""
    return Evidence(
        Text(
            f"training with {names_en([optimizer])} holds about {fixed} of weights, gradients and optimizer slots and {sample} "
            f"for each sample, so {total} with batches of {_BATCH}; the largest batch by GPU memory: {', '.join(fits)} (an "
            f"estimate{more_en}; cuDNN's workspaces and fragmentation come on top)",
            f"用 {names_zh([optimizer])} 训练时，权重、梯度和优化器约占 {fixed}，每个样本约占 {sample}，批量 {_BATCH} 时共 {total}；"
            f"各种显存能放下的最大批量：{'，'.join(fits)}（估算值{more_zh}；cuDNN 工作区和碎片另计）",
        ),
        confirms=(GPU,),
    )


def _unsized(memory: Memory) -> Evidence:
    return Evidence(
        Text(
            f"what training holds for each sample cannot be told: the outputs of {len(memory.unsized)} of {memory.layers} layers have "
            f"open or unknown axes ({names_en(memory.unsized)})",
            f"无法估算每个样本的训练显存：{memory.layers} 层中有 {len(memory.unsized)} 层的输出大小未定（{names_zh(memory.unsized)}）",
        ),
        confirms=(GPU,),
    )


def _told(number: int) -> str:
    """Bytes in the unit that people say."""
    for unit, size in (("GB", GIB), ("MB", 1024**2), ("KB", 1024)):
        if number >= size:
            return f"{number / size:,.1f} {unit}"
    return f"{number} bytes"


def _more_en(memory: Memory) -> str:
    return f"; at least: the weights of {names_en(memory.uncounted)} cannot be told" if memory.uncounted else ""


def _more_zh(memory: Memory) -> str:
    return f"；这是下限：{names_zh(memory.uncounted)} 的权重无法得知" if memory.uncounted else ""


PROBE = Probe(
    id="memory",
    subject="model",
    promise=Text(
        "how many parameters there are, and what training takes of a GPU's memory at which batch size",
        "统计参数量，并估算各批量下训练要占多少显存",
    ),
    topics=(GPU, HOST),
    look=look,
    remedy=Text(
        "halve the batch size until it fits; then smaller inputs, or keras.mixed_precision.set_global_policy('mixed_float16')",
        "把批量减半直到放得下；再考虑缩小输入，或用 keras.mixed_precision.set_global_policy('mixed_float16')",
    ),
    documentation="https://www.tensorflow.org/guide/gpu",
)
