"""hard_sigmoid, which is clip(0.2 x + 0.5) in Keras 1 and 2 and clip(x / 6 + 0.5) in Keras 3 (keras/src/activations).

The one is the other of 1.2 x, so weights in front of it are scaled; where it stands alone, layers that both Kerases have do it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..graph_edit import become, insert_behind, models_of
from ..model_file import Json
from ..repair import Change, Draft, Repair, shown

_SLOPES = {"keras3": 1 / 6, "keras2": 0.2}
# Where each gate with the recurrent activation stands among the gates, of how many: i, f, c, o and z, r, h.
_GATES = {"LSTM": ((0, 1, 3), 4), "ConvLSTM2D": ((0, 1, 3), 4), "GRU": ((0, 1), 3)}
_SCALED = frozenset({
    "Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose",
    "DepthwiseConv1D", "DepthwiseConv2D", "SimpleRNN",
})  # fmt: skip
_PARTLY = frozenset({"SeparableConv1D", "SeparableConv2D"})  # the depthwise kernel stays
_WHY = Text(
    "hard_sigmoid has another slope in Keras 3 (1/6) than in Keras 2 (0.2): what goes into it is scaled, so that outputs stay",
    "hard_sigmoid 的斜率在 Keras 3 中是 1/6，在 Keras 2 中是 0.2：对其输入做缩放，输出保持不变",
)


def mend(draft: Draft) -> Iterator[Change]:
    """Scale weights, or put layers in place of an Activation, where the copy is for the other line."""
    wrote = "keras3" if draft.line == "keras-3" else "keras2"
    if wrote == draft.target or draft.line is None:
        return
    slope = _SLOPES[wrote]
    for prefix, model, layers in models_of(draft.config):
        for layer in layers:
            path = f"{prefix}{layer.get('name') or layer['config'].get('name', '')}"
            if layer["class_name"] == "Activation" and _is_hard(layer["config"].get("activation")):
                become(layer, ("Rescaling", {"scale": slope, "offset": 0.5}))
                insert_behind(model, layer, ("ReLU", {"max_value": 1.0}))
                yield Change(
                    _WHY, path, '{"activation": "hard_sigmoid"}', shown(f"Rescaling({slope:.4g}, 0.5), ReLU(max 1)")
                )
                continue
            made = _scaled(layer, draft.weights.get(path, []), slope / _SLOPES[draft.target])
            if made is not None:
                draft.weights[path] = made
                yield Change(_WHY, path, "weights", f"weights x {slope / _SLOPES[draft.target]:.4g}")


def _is_hard(activation: Any) -> bool:  # noqa: ANN401 - JSON of any shape
    return activation == "hard_sigmoid" or (isinstance(activation, dict) and activation.get("config") == "hard_sigmoid")


def _scaled(layer: Json, stored: list[Any], factor: float) -> list[Any] | None:
    """The arrays with all that goes into a hard_sigmoid scaled; None where there is none, or where it cannot be scaled."""
    kind, config = layer["class_name"], layer["config"]
    inner = config.get("layer")
    if (
        kind in ("Bidirectional", "TimeDistributed")
        and isinstance(inner, dict)
        and isinstance(inner.get("config"), dict)
    ):
        size = len(stored) // (2 if kind == "Bidirectional" else 1)
        halves = [_scaled(inner, stored[at : at + size], factor) for at in range(0, len(stored), size)] if size else []
        return [each for half in halves for each in half or ()] if halves and all(halves) else None
    hard = _is_hard(config.get("activation"))
    if kind in _SCALED | _PARTLY and hard:
        first = 1 if kind in _PARTLY else 0
        return stored[:first] + [each * factor for each in stored[first:]]
    if kind not in _GATES or not stored:
        return None
    gates, count = _GATES[kind]
    chosen = gates if _is_hard(config.get("recurrent_activation")) else ()
    if hard and kind == "GRU":  # in an LSTM the activation is also applied to the state, which no weight scales
        chosen = (*chosen, 2)
    return [_gates_scaled(each, chosen, count, factor) for each in stored] if chosen else None


def _gates_scaled(array: Any, gates: tuple[int, ...], count: int, factor: float) -> Any:  # noqa: ANN401
    made, units = array.copy(), array.shape[-1] // count
    for gate in gates:
        made[..., gate * units : (gate + 1) * units] *= factor
    return made


REPAIR = Repair(
    id="hard-sigmoid",
    promise=Text(
        "hard_sigmoid keeps the slope that the model was trained with",
        "让 hard_sigmoid 保持模型训练时的斜率",
    ),
    topics=("saved-in-keras2-loaded-in-keras3", "saved-in-keras3-loaded-in-keras2"),
    mend=mend,
)
