"""Shapes of recurrent layers and of the wrappers Bidirectional, TimeDistributed and SpectralNormalization, in Keras 1 to 3.

Sources: keras/src/layers/rnn of Keras 3.15 and tf_keras 2.21.
"""

from __future__ import annotations

from typing import Any

from .model_file import Json
from .shapes_base import RANK, Rule, Shape, Step, Unfit, Unknown, channels_first, flag, needs_axes, one, option, size
from .shapes_conv import filters_of, has_channels, joined, kernel_size, padding_of, split, strides_of, windows

_STATES = {"LSTM": 2, "GRU": 1, "SimpleRNN": 1, "CuDNNLSTM": 2, "CuDNNGRU": 1}
_CELLS = {"LSTMCell": 2, "GRUCell": 1, "SimpleRNNCell": 1}
MAX_CELLS = 100


def units_of(config: Json) -> int:
    """The number of units; Keras 1 calls it output_dim."""
    return size(option(config, "units", "output_dim"))


def _sequence(shape: Shape, config: Json, units: int, states: list[int]) -> tuple[Shape | None, ...]:
    """The outputs of a recurrent layer: all steps or the last, then the states where they are returned."""
    if flag(config, "time_major"):
        raise Unknown
    first: Shape = (*shape[:2], units) if flag(config, "return_sequences") else (shape[0], units)
    return (first, *((shape[0], state) for state in states)) if flag(config, "return_state") else (first,)


def _recurrent(states: int) -> Rule:
    def rule(step: Step) -> tuple[Shape | None, ...]:
        shape = step.first
        needs_axes(shape, 3)
        has_channels(shape[-1], "last")
        units = units_of(step.config)
        return _sequence(shape, step.config, units, [units] * states)

    return rule


def cells_of(config: Json) -> list[tuple[str, Json]]:
    """The cells of an RNN, a stack laid open, each with its class and configuration; `Unknown` for an own cell."""
    written = config.get("cell")
    listed = [written]
    if isinstance(written, dict) and written.get("class_name") == "StackedRNNCells":
        inner = written.get("config")
        listed = inner.get("cells", []) if isinstance(inner, dict) else []
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_CELLS:
        raise Unknown
    return [_cell(cell) for cell in listed]


def _cell(written: Any) -> tuple[str, Json]:  # noqa: ANN401 - JSON
    class_name, config = layer_in(written)
    if class_name not in _CELLS or str(written.get("registered_name") or class_name) != class_name:
        raise Unknown
    return class_name, config


def _with_cells(step: Step) -> tuple[Shape | None, ...]:
    shape, cells = step.first, cells_of(step.config)
    if len(shape) > 3:  # noqa: PLR2004 - Keras' own cells take further axes in some releases
        raise Unknown
    needs_axes(shape, 3)
    has_channels(shape[-1], "last")
    states = [units_of(config) for name, config in cells for _ in range(_CELLS[name])]
    return _sequence(shape, step.config, units_of(cells[-1][1]), states)


def _conv_lstm(axes: int) -> Rule:
    def rule(step: Step) -> tuple[Shape | None, ...]:
        shape, config = step.first, step.config
        needs_axes(shape, axes + 3)
        first = channels_first(config)
        lead, picture, channels = split(shape, axes, first=first)
        has_channels(channels, "channel")
        kernel, strides, padding = kernel_size(config, axes), strides_of(config, axes), padding_of(config)
        if option(config, "dilation_rate", default=1) not in (1, [1] * axes, (1,) * axes):
            raise Unknown
        places = windows(picture, kernel, strides, padding, (1,) * axes)
        state = joined(lead[:1], places, filters_of(config), first=first)
        given = joined(lead, places, filters_of(config), first=first) if flag(config, "return_sequences") else state
        return (given, state, state) if flag(config, "return_state") else (given,)

    return rule


def layer_in(written: Any) -> tuple[str, Json]:  # noqa: ANN401 - JSON
    """The class and configuration of a layer that another layer's configuration holds."""
    if not isinstance(written, dict) or not isinstance(written.get("config"), dict):
        raise Unknown
    return str(written.get("class_name")), written["config"]


def _bidirectional(step: Step) -> tuple[Shape | None, ...]:
    shape, mode = step.first, step.config.get("merge_mode", "concat")
    forward = step.inside(step.config.get("layer"), shape)
    written = step.config.get("backward_layer")
    backward = step.inside(written, shape) if isinstance(written, dict) else forward
    if not forward or not backward or forward[0] is None or backward[0] is None:
        raise Unknown
    states = (*forward[1:], *backward[1:])
    if mode is None:
        return (forward[0], backward[0], *states)
    if mode == "concat":
        ends = forward[0][-1], backward[0][-1]
        return ((*forward[0][:-1], None if None in ends else sum(end or 0 for end in ends)), *states)
    if mode not in ("sum", "mul", "ave") or forward[0] != backward[0]:
        raise Unknown
    return (forward[0], *states)


def _time_distributed(step: Step) -> tuple[Shape | None, ...]:
    shape = step.first
    if len(shape) < 3:  # noqa: PLR2004 - the batch, the steps, and what the layer takes
        raise Unfit(
            f"it takes tensors with a time axis behind the batch (3 axes or more), and this one has {len(shape)}: keep the steps "
            "(return_sequences=True) or call the layer without TimeDistributed",
            f"它需要批次轴之后有时间轴的张量（至少 3 个轴），而这里只有 {len(shape)} 个："
            "请保留时间步（return_sequences=True），或不用 TimeDistributed 直接调用该层",
            RANK,
        )
    try:
        found = next(iter(step.inside(step.config.get("layer"), (shape[0], *shape[2:]))), None)
    except Unfit as unfit:
        if step.line == "keras-3" and RANK in unfit.confirms:
            raise Unknown from None  # Keras 3 doesn't ask some layers in it how many axes they take
        raise
    if not found:
        raise Unknown
    return one(found[0], shape[1], *found[1:])


def _wrapped(step: Step) -> tuple[Shape | None, ...]:
    return step.inside(step.config.get("layer"), step.first)


RULES: dict[str, Rule] = {
    **{name: _recurrent(states) for name, states in _STATES.items()},
    **{f"ConvLSTM{axes}D": _conv_lstm(axes) for axes in (1, 2, 3)},
    "RNN": _with_cells,
    "Bidirectional": _bidirectional,
    "TimeDistributed": _time_distributed,
    "SpectralNormalization": _wrapped,
}
